"""The whole check: every policy against every provider, and every mutant until it is caught."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Literal

from agcod_async.core.facts import Proof
from agcod_async.core.policy import RecoveryPolicy
from tests.model import mutation
from tests.model.activations import Activations
from tests.model.cards import Cards
from tests.model.explore import BrokenError, Exploration, Figures
from tests.model.liveness import longest_call, longest_honest_end
from tests.model.loads import Loads
from tests.model.machine import Machine
from tests.model.mutation import Mutant
from tests.model.provider import AfterUndo, Provider, UnknownUndo

F400: tuple[Literal["compensate", "replay"], ...] = ("compensate", "replay")
BURNT: tuple[Literal["successor", "raise"], ...] = ("successor", "raise")


VERDICTS = ("Issued", "Declined", "Unavailable", "Reversed", "InDoubt")
SHIPPED = RecoveryPolicy()
SHIPPED_BUT_FEWER_IDS = replace(SHIPPED, successors_max=1)
SMALL = RecoveryPolicy(
    forward_attempts_max=3,
    undo_attempts_max=2,
    turns_max=2,
    successors_max=1,
    replays_before_undo=1,
)
SMALLER = replace(SMALL, forward_attempts_max=2, turns_max=1)
"""Limits that are reached soon. The seeded bugs show under the smaller ones already."""


LIMITS = {
    Proof.REPLAY: SHIPPED,
    Proof.LOOKUP: SHIPPED_BUT_FEWER_IDS,
    Proof.NOTHING: SHIPPED_BUT_FEWER_IDS,
}
"""What `make model` explores. An ID starts afresh, whichever it is: two of them take half the time
of four, and show the same."""


def policies(limits: RecoveryPolicy) -> Iterator[RecoveryPolicy]:
    """Yield every combination of choices, with the limits of `limits`."""
    for f400, burnt, duplicates in product(F400, BURNT, (False, True)):
        yield replace(
            limits,
            on_temporarily_unavailable=f400,
            on_burnt_id=burnt,
            network_may_duplicate=duplicates,
        )


OPERATIONS: dict[Proof, type[Provider]] = {
    Proof.REPLAY: Cards,
    Proof.LOOKUP: Activations,
    Proof.NOTHING: Loads,
}
"""What is checked for each proof."""


def providers(proof: Proof, *, duplicates: bool, flaw: str = "") -> Iterator[Provider]:
    """Yield every way in which Amazon may behave. (A fence that re-issues would be no fence.)"""
    operation = OPERATIONS[proof]
    for after_undo, unknown_undo in product(operation.answers, UnknownUndo):
        if (after_undo, unknown_undo) != (AfterUndo.REISSUE, UnknownUndo.FENCE):
            yield operation(after_undo, unknown_undo, duplicates, flaw)


@dataclass(frozen=True, slots=True)
class Row:
    """What one exploration has come to."""

    provider: Provider
    figures: Figures
    honest_attempts_max: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Table:
    """What all explorations of one policy have come to."""

    policy: RecoveryPolicy
    proof: Proof
    states: int
    attempts_max: int
    rows: tuple[Row, ...]


def checked(policy: RecoveryPolicy, proof: Proof) -> Table:
    """Check the shipped saga under `policy`; raises `BrokenError`."""
    machine = Machine(policy, proof, mutation.SHIPPED)
    rows: list[Row] = []
    for provider in providers(proof, duplicates=policy.network_may_duplicate):
        started = time.perf_counter()
        exploration = Exploration(machine, provider)
        figures = exploration.run()
        honest = longest_honest_end(exploration)
        rows.append(Row(provider, figures, honest, time.perf_counter() - started))
    return Table(policy, proof, machine.size, longest_call(machine), tuple(rows))


@dataclass(frozen=True, slots=True)
class Caught:
    """What gave a mutant away. It did harm if a promise about cards or ends broke, not only one
    about the steps on the way."""

    harm: bool
    promise: str
    trace: tuple[str, ...]


def caught(mutant: Mutant) -> Caught | None:
    """Return what gives `mutant` away, harm first, or None if nothing does."""
    for steps_checked in (False, True):
        broken = first_broken(mutant, steps_checked=steps_checked)
        if broken:
            return Caught(not steps_checked, broken.promise, broken.trace)
    return None


def first_broken(mutant: Mutant, *, steps_checked: bool) -> BrokenError | None:
    """Return the first promise that `mutant` breaks; without its steps, if they are not checked."""
    saga = mutant.load()
    for policy in policies(SMALLER):
        machine = Machine(policy, mutant.proof, saga, steps_checked=steps_checked)
        duplicates = policy.network_may_duplicate
        for provider in providers(mutant.proof, duplicates=duplicates, flaw=mutant.flaw):
            exploration = Exploration(machine, provider)
            try:
                exploration.run()
                longest_call(machine)
                longest_honest_end(exploration)
            except BrokenError as broken:
                return broken
    return None
