"""What the check promises, in words that a counterexample can be headed with."""

from collections.abc import Iterable
from types import ModuleType
from typing import Any

from agcod_async.core.outcomes import (
    AppliedDead,
    Lost,
    Outcome,
    Throttled,
    Unclear,
    UndoFirst,
    Untouched,
)
from agcod_async.core.policy import RecoveryPolicy
from tests.model.world import Card, Held, World

TWO_LIVE = "never two live cards"
HELD_DIES = "a card that was handed out stays live, whatever lands late"
HELD_UNDONE = "a card that was handed out is never undone"
ISSUED_LIVE = "Issued: the card is live, now and after everything late has landed"
NOTHING_LIVE = "Declined, Unavailable, Reversed: nothing of this order is or becomes live"
COOLDOWN = "a throttle is followed by a cooldown"
F400_UNDONE = "F400 is followed by the undo, as the policy says"
UNDO_CAUSE = "only F400 leads to an undo"
UNDO_STAYS = "an undo is repeated until it is answered, and is in doubt if it never is"
SUCCESSOR = "a successor follows only an ID that this call undid and then saw dead"
RESUMED = "recovery goes forward, except that an undo on record is finished first"
BOUNDED = "every call ends within the attempts that its policy allows"
HONEST = "with an honest provider every call ends, and not in doubt"

ALL = (
    TWO_LIVE,
    ISSUED_LIVE,
    HELD_DIES,
    HELD_UNDONE,
    NOTHING_LIVE,
    UNDO_CAUSE,
    UNDO_STAYS,
    SUCCESSOR,
    F400_UNDONE,
    COOLDOWN,
    RESUMED,
    BOUNDED,
    HONEST,
)

Following = Any
"""A state or a verdict of the saga under test, which may be a mutant with classes of its own."""


def broken_by_world(futures: Iterable[World], *, undoing: bool) -> str | None:
    """Return the promise that is broken in one of these futures, if any."""
    for world in futures:
        live = sum(cell.card is Card.LIVE for cell in world.cells)
        if live > 1:
            return TWO_LIVE
        if world.held is Held.OUT and live == 0:
            return HELD_DIES
        if world.held is not Held.NO and undoing:
            return HELD_UNDONE
    return None


def broken_by_verdict(kind: str, epoch: int, futures: Iterable[World]) -> str | None:
    """Return the promise that a verdict of this kind breaks, if any."""
    if kind == "InDoubt":
        return None
    for world in futures:
        live = [at for at, cell in enumerate(world.cells) if cell.card is Card.LIVE]
        if kind == "Issued" and live != [epoch]:
            return ISSUED_LIVE
        if kind != "Issued" and live:
            return NOTHING_LIVE
    return None


def broken_by_step(
    saga: ModuleType, policy: RecoveryPolicy, state: Any, outcome: Outcome, following: Following
) -> str | None:
    """Return the promise that this transition breaks, whatever the world is like, if any."""
    ended = isinstance(following, saga.Verdict)
    undoing = isinstance(following, saga.Undo)
    if isinstance(outcome, Throttled) and not ended and following.pause is not saga.Pause.COOLDOWN:
        return COOLDOWN
    if isinstance(state, saga.Undo):
        open_ended = isinstance(outcome, Untouched | Throttled | UndoFirst | Unclear | Lost)
        if open_ended and not undoing and not isinstance(following, saga.InDoubt):
            return UNDO_STAYS
        if isinstance(following, saga.InDoubt) and state.attempts + 1 < policy.undo_attempts_max:
            return UNDO_STAYS
    elif isinstance(outcome, UndoFirst):
        if not _f400_answered(saga, policy, state, following):
            return F400_UNDONE
    elif undoing:
        return UNDO_CAUSE
    changes_id = not ended and following.facts.epoch != state.facts.epoch
    return SUCCESSOR if changes_id and not isinstance(outcome, AppliedDead) else None


def broken_by_resuming(saga: ModuleType, state: Any) -> str | None:
    """Return the promise that is broken when a call resumes from the record of `state`, if any."""
    kinds = {saga.Leg.FORWARD: saga.Forward, saga.Leg.UNDO: saga.Undo}
    for facts in (state.facts, state.sending().facts):
        resumed = saga.resume(state.leg, facts)
        if not isinstance(resumed, kinds[state.leg]) or resumed.facts != facts:
            return RESUMED
    return None


def _f400_answered(
    saga: ModuleType, policy: RecoveryPolicy, state: Any, following: Following
) -> bool:
    exhausted = isinstance(following, saga.InDoubt)
    patient = policy.on_temporarily_unavailable == "replay"
    if state.facts.confirmed or (patient and state.replays < policy.replays_before_undo):
        no_more = state.attempts + 1 >= policy.forward_attempts_max
        return isinstance(following, saga.Forward) or (exhausted and no_more)
    if state.turns >= policy.turns_max:
        return exhausted
    return isinstance(following, saga.Undo)


def within_limits(saga: ModuleType, policy: RecoveryPolicy, state: Any) -> bool:
    """Whether the counters of `state` are such as the policy allows before another attempt."""
    if state.facts.epoch > policy.successors_max or state.turns > policy.turns_max:
        return False
    if isinstance(state, saga.Undo):
        return bool(state.attempts < policy.undo_attempts_max)
    # One attempt more than allowed may follow a success that was held: it confirms it.
    confirming = state.pause is saga.Pause.SETTLE
    return bool(state.attempts < policy.forward_attempts_max + confirming)


def attempts_allowed(policy: RecoveryPolicy) -> int:
    """Return how many attempts one call may make in all, by the limits of its policy."""
    forward = (policy.turns_max + 1) * (policy.forward_attempts_max + 1)
    undo = policy.turns_max * policy.undo_attempts_max
    return (policy.successors_max + 1) * (forward + undo)
