#!/usr/bin/env python3
"""Write docs/reference/state-machine.md from the live code: nothing on that page is typed by hand.

With `--check` it writes nothing and fails if the page is not what the code says.
"""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final, get_args

from agcod_async.core.outcomes import (
    ForwardOutcome,
    Leg,
    Outcome,
    Reason,
    Undone,
    UndoOutcome,
)
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.core.saga import Facts, Forward, Pause, State, Undo, Verdict
from docs import page_writer
from tests.model import promises
from tests.model.check import SHIPPED, SMALL, VERDICTS, Table, checked, policies, providers
from tests.model.explore import Exploration
from tests.model.machine import Machine
from tests.model.mutants import MUTANTS
from tests.model.mutation import rules
from tests.model.provider import ASSUMPTIONS

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


def page() -> str:
    """Return the whole page."""
    return "\n\n".join(block.strip() for block in _blocks()) + "\n"


def _blocks() -> Iterator[str]:
    yield "<!-- Written by docs/generate_state_machine.py. Do not edit: `make docs` writes it. -->"
    yield _INTRODUCTION
    yield _joined(_diagram())
    yield "## The rules"
    yield _joined(f"- **{name}** {words}" for name, words in rules())
    yield _TABLES
    yield "### Forward"
    yield _joined(_table(FORWARD, get_args(ForwardOutcome)))
    yield "Where a choice of the policy or the number of turns matters:"
    yield _joined(_table(CHOICES, get_args(ForwardOutcome)))
    yield "### Undo"
    yield _joined(_table(UNDO, get_args(UndoOutcome)))
    yield _CHECK
    yield _joined(f"- {promise}" for promise in promises.ALL)
    yield "## What the check assumes"
    yield ASSUMPTIONS
    yield _FIGURES
    yield _joined(_figures(checked(SHIPPED)))
    yield _MUTANTS.format(count=len(MUTANTS), policies=len(tuple(policies(SMALL))))
    yield _joined(f"- {mutant.rule}: {mutant.bug}" for mutant in MUTANTS)


def _joined(lines: Iterable[str]) -> str:
    return "\n".join(lines)


_INTRODUCTION = """\
# The state machine of a call

This page is written by [a script](../generate_state_machine.py) that calls
[the code](../../agcod_async/core/saga.py). A call advances by attempts. Each runs one leg, forward
or undo, and yields one outcome; `state.next(outcome, policy)` is the next state or the verdict.

What a state says of the past is in its facts, and these are on record before an attempt leaves:
*doubtful* (an earlier attempt may have worked, or may still), *undone* (an undo was sent that may
have worked), *tainted* (an undo may still land), *confirmed* (a live card is on record) and the
epoch (0 for the caller's own ID, n for its n-th successor).

An arrow says that an outcome *may* lead there under the shipped choices; the tables say when.
"""

_TABLES = """\
## State and outcome

A cell names what follows: a **verdict**, or the leg of the next attempt, the pause before it, and
the facts that it gained (+) or lost (-). *Settle* waits until no undo that was sent can land any
more.
"""

_CHECK = """\
## What is checked

`make model` visits every pair of a state of this code and a world that can be reached against an
adversarial Amazon: requests are lost, land late, land twice or are answered by anything that the
world allows, and the process may die at any moment and resume from its record. In every pair it
checks:
"""

_FIGURES = """\
## What it has visited

The shipped policy against each way in which Amazon may behave. An edge is an outcome, a crash or a
call that runs out of time; the verdicts are counted by edges. The last column is the number of
attempts after which an honest provider has ended any call, wherever it stood.
"""

_MUTANTS = """\
## Seeded bugs

A check that cannot fail proves nothing. Each of these {count} bugs is put into the code, one at a
time, and the same check must find it under one of the {policies} combinations of choices:
"""


# --- the diagram ---------------------------------------------------------------------------------


def _diagram() -> Iterator[str]:
    machine = Machine(replace(SMALL, on_burnt_id="successor"))
    for provider in providers(duplicates=False):
        Exploration(machine, provider).run()
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
    order = [kind.__name__ for kind in (*get_args(ForwardOutcome), *get_args(UndoOutcome))]
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
    words = "forward" if following.leg is Leg.FORWARD else "undo"
    if following.facts.epoch != state.facts.epoch:
        return f"{words} under the successor"
    return ", ".join([words, following.pause.value, *_changed(state.facts, following.facts)])


def _next(state: State, outcome: Outcome, policy: RecoveryPolicy) -> State | Verdict:
    if isinstance(state, Forward) and isinstance(outcome, ForwardOutcome):
        return state.next(outcome, policy)
    if isinstance(state, Undo) and isinstance(outcome, UndoOutcome):
        return state.next(outcome, policy)
    raise AssertionError(f"{type(outcome).__name__} is no outcome of {type(state).__name__}")


def _changed(before: Facts, after: Facts) -> Iterator[str]:
    for name in (field.name for field in fields(Facts)):
        was, now = getattr(before, name), getattr(after, name)
        if was != now:
            yield f"{'+' if now else '-'}{name}"


def _figures(table: Table) -> Iterator[str]:
    heads = ("Create after cancel, unknown ID", "Pairs", "Edges", "Depth", *VERDICTS, "Honest end")
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
