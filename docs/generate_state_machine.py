#!/usr/bin/env python3
"""Write docs/reference/state-machine.md from the live code: nothing on that page is typed by hand.

With `--check` it writes nothing and fails if the page is not what the code says.
"""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final, assert_never, get_args

from agcod_async.core.facts import Facts, Pause, Proof
from agcod_async.core.outcomes import (
    ForwardOutcome,
    LookupOutcome,
    Outcome,
    Reason,
    Undone,
    UndoOutcome,
)
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.core.saga import Forward, Lookup, State, Undo
from agcod_async.core.verdicts import Verdict
from docs import page_writer
from tests.model import activations, cards, loads, promises, provider
from tests.model.check import LIMITS, SHIPPED, SMALL, VERDICTS, Table, checked, policies, providers
from tests.model.explore import Exploration
from tests.model.machine import Machine
from tests.model.mutants import MUTANTS
from tests.model.mutation import Mutant, rules

PAGE: Final = Path(__file__).parent / "reference" / "state-machine.md"


@dataclass(frozen=True, slots=True)
class Situation:
    """A state worth a column of the table, under a policy."""

    name: str
    state: State
    policy: RecoveryPolicy = SHIPPED


_DOUBTFUL = Facts(doubtful=True)
_UNDONE = replace(_DOUBTFUL, undone=True)
_TAINTED = replace(_UNDONE, tainted=True)
_TWICE = replace(SHIPPED, network_may_duplicate=True)
_PATIENT = replace(SHIPPED, on_temporarily_unavailable="replay")

FORWARD: Final = (
    Situation("first send", Forward()),
    Situation("sent before", Forward(_DOUBTFUL)),
    Situation("undone before", Forward(_UNDONE, Pause.BACKOFF)),
    Situation("tainted", Forward(_TAINTED, Pause.BACKOFF)),
    Situation("tainted, settled", Forward(_TAINTED, Pause.SETTLE)),
    Situation("confirmed", Forward(replace(_DOUBTFUL, confirmed=True))),
    Situation("last attempt, nothing doubtful", Forward(attempts=SHIPPED.forward_attempts_max - 1)),
    Situation("last attempt", Forward(_DOUBTFUL, attempts=SHIPPED.forward_attempts_max - 1)),
)
CHOICES: Final = (
    Situation("turns used up", Forward(_DOUBTFUL, turns=SHIPPED.turns_max)),
    Situation("`replay`, first send", Forward(), _PATIENT),
    Situation("`raise`, undone before", Forward(_UNDONE), replace(SHIPPED, on_burnt_id="raise")),
    Situation("network may duplicate, first send", Forward(), _TWICE),
)
UNDO: Final = (
    Situation("first undo", Undo(_DOUBTFUL)),
    Situation("an undo is unanswered", Undo(_TAINTED)),
    Situation("last attempt", Undo(_DOUBTFUL, attempts=SHIPPED.undo_attempts_max - 1)),
    Situation("network may duplicate", Undo(_DOUBTFUL), _TWICE),
)
FORWARD_LOOKED_UP: Final = (
    Situation("sent before", Forward(_DOUBTFUL, proof=Proof.LOOKUP)),
    Situation("undone before", Forward(_UNDONE, proof=Proof.LOOKUP)),
    Situation("tainted", Forward(_TAINTED, proof=Proof.LOOKUP)),
    Situation(
        "undone before, turns used up",
        Forward(_UNDONE, turns=SHIPPED.turns_max, proof=Proof.LOOKUP),
    ),
    Situation(
        "undone before, confirmed", Forward(replace(_UNDONE, confirmed=True), proof=Proof.LOOKUP)
    ),
    Situation("first send under a successor", Forward(Facts(epoch=1), proof=Proof.LOOKUP)),
)
LOOKUP: Final = (
    Situation("undone before", Lookup(_UNDONE)),
    Situation("tainted", Lookup(_TAINTED)),
    Situation("undone before, settled", Lookup(_UNDONE, Pause.SETTLE)),
    Situation("tainted, settled", Lookup(_TAINTED, Pause.SETTLE)),
    Situation("last attempt", Lookup(_UNDONE, attempts=SHIPPED.forward_attempts_max - 1)),
)
UNDO_UNPROVED: Final = (
    Situation("first undo", Undo(_DOUBTFUL, proof=Proof.NOTHING)),
    Situation("an undo is unanswered", Undo(_TAINTED, proof=Proof.NOTHING)),
    Situation("undone before, settled", Undo(_UNDONE, Pause.SETTLE, proof=Proof.NOTHING)),
    Situation(
        "last attempt",
        Undo(_DOUBTFUL, attempts=SHIPPED.undo_attempts_max - 1, proof=Proof.NOTHING),
    ),
    Situation("network may duplicate", Undo(_DOUBTFUL, proof=Proof.NOTHING), _TWICE),
)


def page() -> str:
    """Return the whole page."""
    return "\n\n".join(block.strip() for block in _blocks()) + "\n"


def _blocks() -> Iterator[str]:
    yield "<!-- Written by docs/generate_state_machine.py. Do not edit: `make docs` writes it. -->"
    yield _INTRODUCTION
    yield "## The rules"
    yield _joined(f"- **{name}** {words}" for name, words in rules())
    yield _TABLES
    for proof, heading in HEADINGS.items():
        yield f"## {heading}"
        yield _PLANS[proof]
        yield _joined(_diagram(proof))
        yield from _tables(proof)
    yield _CHECK
    yield _joined(f"- {promise}" for promise in promises.ALL)
    yield "## What the check assumes"
    yield "Of all operations:"
    yield provider.ASSUMPTIONS
    for proof, heading in HEADINGS.items():
        yield f"{heading}:"
        yield _ASSUMPTIONS[proof]
    yield _FIGURES
    for proof, limits in LIMITS.items():
        yield f"{HEADINGS[proof]}, with up to {limits.successors_max + 1} IDs:"
        yield _joined(_figures(checked(limits, proof)))
    yield _MUTANTS.format(count=len(MUTANTS), policies=len(tuple(policies(SMALL))))
    yield _joined(
        f"- {mutant.rule}, {OF[mutant.proof]}: {mutant.bug}" for mutant in _by_proof(MUTANTS)
    )


def _tables(proof: Proof) -> Iterator[str]:
    match proof:
        case Proof.REPLAY:
            yield "### Forward"
            yield _joined(_table(FORWARD, get_args(ForwardOutcome)))
            yield "Where a choice of the policy or the number of turns matters:"
            yield _joined(_table(CHOICES, get_args(ForwardOutcome)))
            yield "### Undo"
            yield _joined(_table(UNDO, get_args(UndoOutcome)))
        case Proof.LOOKUP:
            yield "### Forward, once it may have been undone"
            yield _joined(_table(FORWARD_LOOKED_UP, get_args(ForwardOutcome)))
            yield "### Lookup"
            yield _joined(_table(LOOKUP, get_args(LookupOutcome)))
        case Proof.NOTHING:
            yield "### Undo, where nothing proves what it did"
            yield _joined(_table(UNDO_UNPROVED, get_args(UndoOutcome)))
        case _:
            assert_never(proof)


def _by_proof(mutants: Iterable[Mutant]) -> list[Mutant]:
    order = tuple(HEADINGS)
    return sorted(mutants, key=lambda mutant: order.index(mutant.proof))


def _joined(lines: Iterable[str]) -> str:
    return "\n".join(lines)


HEADINGS: Final = {
    Proof.REPLAY: "Where the replay proves: create and cancel",
    Proof.LOOKUP: "Where a lookup proves: activate and deactivate",
    Proof.NOTHING: "Where nothing proves: load and void",
}
OF: Final = {Proof.REPLAY: "cards", Proof.LOOKUP: "activations", Proof.NOTHING: "loads"}

_INTRODUCTION = """\
# The state machine of a call

This page is written by [a script](../generate_state_machine.py) that calls
[the code](../../agcod_async/core/saga.py). A call advances by attempts. Each runs one leg (forward,
undo or lookup) and yields one outcome; `state.next(outcome, policy)` is the next state or the
verdict.

What a state says of the past is in its facts, and these are on record before an attempt leaves:
*doubtful* (an earlier attempt may have worked, or may still), *undone* (an undo was sent that may
have worked), *tainted* (an undo may still land), *confirmed* (a live card is on record) and the
epoch (0 for the caller's own ID, n for its n-th successor).

Until an undo is sent, every operation is treated the same. Afterwards it matters what shows whether
the order lives, and that an operation says of itself (`Operation.proof`): its replay, a lookup, or
nothing.
"""

_TABLES = """\
## How to read what follows

A cell of a table names what follows: a **verdict**, or the leg of the next attempt, the pause
before it, and the facts that it gained (+) or lost (-). *Settle* waits until nothing can land any
more that could change the next answer: no undo, and, where no replay proves anything, no request
either. In a diagram an arrow says that an outcome *may* lead there under the shipped choices; the
tables say when.
"""

_PLANS: Final = {
    Proof.REPLAY: """\
The replay of a create names the status of its card, so the same create is sent again after an undo,
and its answer decides. A late create can do no harm: it makes the card that the replay then finds.
""",
    Proof.LOOKUP: """\
The replay of an activation may repeat the answer that the first one had, whatever has happened
since. So once a deactivation may have worked, or may still, every definite answer but a conflict
leads to a lookup (the status check): "active" is believed unless a deactivation may still land,
"not active" only after a settle. All else is as above.
""",
    Proof.NOTHING: """\
No answer to a load shows whether it was voided, and nothing can be looked up. So no load is sent
any more under an ID that a void may have reached: after a settle the void is sent once more, and if
it says "voided" or "nothing to void" the ID is dead for certain. A void that found nothing, where
no other may have worked, leads to the same ID again. All else is as with the replay.
""",
}

_ASSUMPTIONS: Final = {
    Proof.REPLAY: cards.ASSUMPTIONS,
    Proof.LOOKUP: activations.ASSUMPTIONS,
    Proof.NOTHING: loads.ASSUMPTIONS,
}

_CHECK = """\
## What is checked

`make model` visits every pair of a state of this code and a world that can be reached against an
adversarial Amazon: requests are lost, land late, land twice or are answered by anything that the
world allows, and the process may die at any moment and resume from its record. In every pair it
checks:
"""

_FIGURES = """\
## What it has visited

The shipped choices against each way in which Amazon may behave. An edge is an outcome, a crash or a
call that runs out of time; the verdicts are counted by edges. The last column is the number of
attempts after which an honest provider has ended any call, wherever it stood. The limits are the
shipped ones, except that two IDs have to do where four would show the same: each starts afresh.
"""

_MUTANTS = """\
## Seeded bugs

A check that cannot fail proves nothing. Each of these {count} bugs is put into the code, one at a
time, and the same check must find it under one of the {policies} combinations of choices:
"""


# --- the diagram ---------------------------------------------------------------------------------


def _diagram(proof: Proof) -> Iterator[str]:
    machine = Machine(replace(SMALL, on_burnt_id="successor"), proof)
    for behaviour in providers(proof, duplicates=False):
        Exploration(machine, behaviour).run()
    arrows: dict[tuple[str, str, str], set[str]] = {}
    for state, outcome, target in machine.moves():
        ends = isinstance(target, Verdict)
        pause = "" if ends or target.pause is Pause.NONE else f" ({target.pause.value})"
        to = type(target).__name__
        if not ends and target.facts.epoch != state.facts.epoch:
            pause = " (successor)"
        arrows.setdefault((type(state).__name__, to, pause), set()).add(outcome.__name__)
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield "    [*] --> Forward"
    kinds = (*get_args(ForwardOutcome), *get_args(UndoOutcome), *get_args(LookupOutcome))
    order = [kind.__name__ for kind in kinds]
    for (origin, to, pause), outcomes in sorted(arrows.items()):
        named = ", ".join(sorted(outcomes, key=order.index))
        yield f"    {origin} --> {to}: {named}{pause}"
    yield from (f"    {verdict} --> [*]" for verdict in VERDICTS)
    yield "```"


# --- the tables ----------------------------------------------------------------------------------


def _table(situations: Iterable[Situation], kinds: Iterable[type[Outcome]]) -> Iterator[str]:
    columns = tuple(situations)
    yield _row(["Outcome", *(situation.name for situation in columns)])
    yield _row(["---"] * (len(columns) + 1))
    for kind in kinds:
        yield _row([f"`{kind.__name__}`", *(_cell(column, kind) for column in columns)])


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(situation: Situation, kind: type[Any]) -> str:
    state = situation.state
    outcome = kind() if kind is Undone else kind(Reason("as the table has it"))
    following = _next(state, outcome, situation.policy)
    if isinstance(following, Verdict):
        return f"**{type(following).__name__}**"
    words = following.leg.value
    if following.facts.epoch != state.facts.epoch:
        return f"{words} under the successor"
    return ", ".join([words, following.pause.value, *_changed(state.facts, following.facts)])


def _next(state: State, outcome: Outcome, policy: RecoveryPolicy) -> State | Verdict:
    if isinstance(state, Forward) and isinstance(outcome, ForwardOutcome):
        return state.next(outcome, policy)
    if isinstance(state, Undo) and isinstance(outcome, UndoOutcome):
        return state.next(outcome, policy)
    if isinstance(state, Lookup) and isinstance(outcome, LookupOutcome):
        return state.next(outcome, policy)
    raise AssertionError(f"{type(outcome).__name__} is no outcome of {type(state).__name__}")


def _changed(before: Facts, after: Facts) -> Iterator[str]:
    for name in (field.name for field in fields(Facts)):
        was, now = getattr(before, name), getattr(after, name)
        if was != now:
            yield f"{'+' if now else '-'}{name}"


def _figures(table: Table) -> Iterator[str]:
    heads = ("After an undo, unknown ID", "Pairs", "Edges", "Depth", *VERDICTS, "Honest end")
    yield _row(heads)
    yield _row(["---", *["---:"] * (len(heads) - 1)])
    for row in table.rows:
        figures = row.figures
        verdicts = (figures.verdicts[kind] for kind in VERDICTS)
        numbers = (figures.pairs, figures.edges, figures.depth, *verdicts, row.honest_attempts_max)
        yield _row([str(row.provider), *(f"{number:,}" for number in numbers)])


def main() -> int:
    """Write or check the page; return the exit status."""
    return page_writer.main(PAGE, page, __doc__)


if __name__ == "__main__":
    sys.exit(main())
