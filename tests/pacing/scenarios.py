"""Scenarios for the contract: made from a seed, or from what hypothesis draws."""

import random
from dataclasses import replace

from hypothesis import strategies as st

from agcod_async.core.policy import RecoveryPolicy
from agcod_async.pacing.port import Lane
from tests.pacing.contract import PATIENT_SECONDS, Guest, Scenario
from tests.pacing.laws import LAWS

CAPS = (0.5, 1.0, 2.5, 10.0, 40.0)
CALM_AT = 60.0
PATIENT = RecoveryPolicy(
    forward_attempts_max=1_000, undo_attempts_max=1_000, turns_max=100, successors_max=100
)
"""Nobody gives up within the minute in which things go wrong."""


def guests(
    chance: random.Random,
    count: int,
    *,
    within_seconds: float,
    hasty: float = 0.0,
    leaving: float = 0.0,
    leaving_within_seconds: float = 10.0,
    lanes: tuple[Lane, ...] = tuple(Lane),
    begin_at: float = 0.0,
) -> tuple[Guest, ...]:
    """Return callers who come within so many seconds; shares of them have a deadline, or leave."""
    return tuple(
        Guest(
            at=begin_at + chance.uniform(0.0, within_seconds),
            lane=chance.choice(lanes),
            deadline_seconds=chance.uniform(0.0, 20.0)
            if chance.random() < hasty
            else PATIENT_SECONDS,
            leaves_after_seconds=chance.uniform(0.0, leaving_within_seconds)
            if chance.random() < leaving
            else None,
        )
        for _ in range(count)
    )


def troubled(seed: int) -> Scenario:
    """Return a scenario in which anything may go wrong for a minute."""
    chance = random.Random(seed)
    return Scenario(
        cap=chance.choice(CAPS),
        guests=guests(
            chance,
            chance.randint(1, 60),
            within_seconds=chance.choice((0.0, 5.0, 50.0)),
            hasty=chance.choice((0.0, 0.0, 0.4)),
            leaving=chance.choice((0.0, 0.0, 0.3)),
        ),
        out=chance.choice(tuple(LAWS)),
        back=chance.choice(tuple(LAWS)),
        allowed=chance.choice((0.0, 0.3, 0.6, 1.0)),
        lost=chance.choice((0.0, 0.1, 0.4)),
        absent=chance.choice((0.0, 0.1)),
        busy=chance.choice((0.0, 0.2)),
        record_seconds=chance.choice((0.0, 0.0, 0.2)),
        calm_at=CALM_AT,
        seed=seed,
        policy=replace(PATIENT, cooldown_floor_seconds=chance.choice((0.5, 1.0, 3.0))),
    )


def stormy(seed: int) -> Scenario:
    """Return a scenario in which, for a minute, no reply comes back in time to many callers."""
    chance = random.Random(seed)
    return Scenario(
        cap=100.0,
        guests=guests(chance, 100, within_seconds=1.0),
        absent=0.95,
        busy=0.05,
        calm_at=CALM_AT,
        seed=seed,
        policy=replace(PATIENT, backoff_base_seconds=0.01),
    )


SCENARIOS = st.builds(troubled, st.integers(0, 2**32 - 1))
STORMS = st.builds(stormy, st.integers(0, 2**32 - 1))
HUNTS = {"create": troubled, "stormy": stormy}
"""Where the mutants are looked for."""
