"""`python -m tests.model`: the model check of the shipped saga, then its mutants, as tables.

Ends with status 1 if a promise is broken in the shipped code or a mutant goes unnoticed.
"""

import gc
import sys
import time

from agcod_async.core.facts import Proof
from agcod_async.core.policy import RecoveryPolicy
from tests.model.check import (
    LIMITS,
    OPERATIONS,
    VERDICTS,
    Caught,
    Table,
    caught,
    checked,
    policies,
)
from tests.model.explore import BrokenError
from tests.model.mutants import MUTANTS
from tests.model.mutation import Mutant


def main() -> int:
    """Run the check, print what it has come to, and return the exit status."""
    started = time.process_time()
    broken = sum(
        [
            not _policy_holds(policy, proof)
            for proof, limits in LIMITS.items()
            for policy in policies(limits)
        ]
    )
    survived = sum([not _mutant_dies(mutant) for mutant in MUTANTS])
    _say(
        f"{broken} policies broken, {len(MUTANTS) - survived} of {len(MUTANTS)} mutants caught,"
        f" {time.process_time() - started:.1f} s of CPU time"
    )
    return 1 if broken or survived else 0


def _policy_holds(policy: RecoveryPolicy, proof: Proof) -> bool:
    name = f"{OPERATIONS[proof].__name__}; {policy_name(policy)}"
    try:
        table = checked(policy, proof)
    except BrokenError as broken:
        _say(f"{name}\n  BROKEN: {broken.promise}")
        _say_trace(broken.trace)
        return False
    _say(f"{name}: {table.states} states, the longest call makes {table.attempts_max} attempts")
    _say_rows(table)
    return True


def policy_name(policy: RecoveryPolicy) -> str:
    """Return the choices of a policy in few words."""
    network = "may duplicate" if policy.network_may_duplicate else "delivers once"
    return f"F400: {policy.on_temporarily_unavailable}, burnt ID: {policy.on_burnt_id}, {network}"


def _say_rows(table: Table) -> None:
    heads = "".join(f"{kind:>12}" for kind in VERDICTS)
    _say(
        f"  {'after undo, undo of unknown':<28}{'pairs':>7}{'edges':>8}{'depth':>6}{heads}  honest"
    )
    for row in table.rows:
        figures = row.figures
        verdicts = "".join(f"{figures.verdicts[kind]:>12}" for kind in VERDICTS)
        _say(
            f"  {row.provider!s:<28}{figures.pairs:>7}{figures.edges:>8}{figures.depth:>6}"
            f"{verdicts}{row.honest_attempts_max:>8}  {row.seconds:.2f} s"
        )


def _mutant_dies(mutant: Mutant) -> bool:
    found = caught(mutant)
    _say(f"{mutant.rule:<9}{mutant.bug}")
    _say(f"{'':9}{'SURVIVES' if found is None else _verdict(found)}")
    return found is not None


def _verdict(found: Caught) -> str:
    kind = "breaks" if found.harm else "breaks the step"
    return f"{kind}: {found.promise} (after {len(found.trace)} steps)"


def _say_trace(trace: tuple[str, ...]) -> None:
    for number, line in enumerate(trace, start=1):
        _say(f"  {number:>3}. {line}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    gc.disable()  # there are millions of tuples, and not one cycle
    sys.exit(main())
