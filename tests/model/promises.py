"""What the check promises, in words that a counterexample can be headed with."""

from collections.abc import Iterable
from typing import Any

from agcod_async.core.facts import Pause, Proof
from agcod_async.core.outcomes import (
    AppliedDead,
    Claimed,
    Conflict,
    Leg,
    Lost,
    NotFound,
    NothingToUndo,
    Outcome,
    Refused,
    Throttled,
    TooLate,
    Unclear,
    UndoFirst,
    Undone,
    Untouched,
)
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.core.verdicts import InDoubt, Verdict
from tests.model.mutation import Saga
from tests.model.world import Held, World

TWO_LIVE = "never two live cards"
HELD_DIES = "a card that was handed out stays live, whatever lands late"
HELD_UNDONE = "a card that was handed out is never undone"
ISSUED_LIVE = "Issued: the card is live, now and after everything late has landed"
NOTHING_LIVE = "Declined, Unavailable, Reversed: nothing of this order is or becomes live"
COOLDOWN = "a throttle is followed by a cooldown"
F400_UNDONE = "F400 is followed by the undo, as the policy says"
UNDO_CAUSE = "only F400 leads to an undo"
UNDO_STAYS = "an undo is repeated until it is answered, and is in doubt if it never is"
LOOKUP_CAUSE = "only an ID that may have been undone is looked up"
LOOKUP_STAYS = "a lookup is repeated until it is answered, and is in doubt if it never is"
SUCCESSOR = "a successor follows only an ID that this call undid and then saw dead"
SETTLED = "where a replay proves nothing, a successor follows only after a SETTLE"
ONE_CARD = "where all IDs are about one card, a conflict under a successor is in doubt"
RESUMED = "recovery goes forward, except that an undo or a lookup on record is finished first"
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
    LOOKUP_CAUSE,
    LOOKUP_STAYS,
    SUCCESSOR,
    SETTLED,
    ONE_CARD,
    F400_UNDONE,
    COOLDOWN,
    RESUMED,
    BOUNDED,
    HONEST,
)

Following = Any
"""A state or a verdict of the saga under test, which may be a mutant with states of its own."""

_OPEN_ENDED = Untouched | Throttled | UndoFirst | Unclear | Lost
_NOT_UNDONE = TooLate | Claimed | Refused | Conflict
_SHOWS_DEAD: dict[Proof, tuple[type[Outcome], ...]] = {
    Proof.REPLAY: (AppliedDead,),
    Proof.LOOKUP: (NotFound,),
    Proof.NOTHING: (Undone, NothingToUndo),
}


def broken_by_world(futures: Iterable[World], *, undoing: bool) -> str | None:
    """Return the promise that is broken in one of these futures, if any."""
    for world in futures:
        alive = len(world.alive)
        if alive > 1:
            return TWO_LIVE
        if world.held is Held.OUT and not alive:
            return HELD_DIES
        if world.held is not Held.NO and undoing:
            return HELD_UNDONE
    return None


def broken_by_verdict(kind: str, epoch: int, futures: Iterable[World]) -> str | None:
    """Return the promise that a verdict of this kind breaks, if any."""
    if kind == "InDoubt":
        return None
    for world in futures:
        if kind == "Issued" and world.alive != [epoch]:
            return ISSUED_LIVE
        if kind != "Issued" and world.alive:
            return NOTHING_LIVE
    return None


def broken_by_step(
    saga: Saga, policy: RecoveryPolicy, state: Any, outcome: Outcome, following: Following
) -> str | None:
    """Return the promise that this transition breaks, whatever the world is like, if any."""
    ended = isinstance(following, Verdict)
    if isinstance(outcome, Throttled) and not ended and following.pause is not Pause.COOLDOWN:
        return COOLDOWN
    if not ended and following.facts.epoch != state.facts.epoch:
        return _broken_by_successor(state, outcome)
    match state.leg:
        case Leg.FORWARD:
            return _broken_forward(saga, policy, state, outcome, following)
        case Leg.UNDO:
            return _broken_undo(saga, policy, state, outcome, following)
        case _:
            return _broken_lookup(saga, policy, state, outcome, following)


def _broken_by_successor(state: Any, outcome: Outcome) -> str | None:
    if not isinstance(outcome, _SHOWS_DEAD[state.proof]):
        return SUCCESSOR
    settled = state.proof is Proof.REPLAY or state.settled or state.pause is Pause.SETTLE
    return None if settled else SETTLED


def _broken_forward(
    saga: Saga, policy: RecoveryPolicy, state: Any, outcome: Outcome, following: Following
) -> str | None:
    if isinstance(outcome, UndoFirst):
        return None if _f400_answered(saga, policy, state, following) else F400_UNDONE
    if isinstance(following, saga.Undo):
        return UNDO_CAUSE
    if isinstance(following, saga.Lookup) and not _looks(state):
        return LOOKUP_CAUSE
    one_card = state.proof is Proof.LOOKUP and state.facts.epoch
    if one_card and isinstance(outcome, Conflict) and not isinstance(following, InDoubt):
        return ONE_CARD
    return None


def _broken_undo(
    saga: Saga, policy: RecoveryPolicy, state: Any, outcome: Outcome, following: Following
) -> str | None:
    in_doubt = isinstance(following, InDoubt)
    if isinstance(outcome, _OPEN_ENDED) and not (isinstance(following, saga.Undo) or in_doubt):
        return UNDO_STAYS
    # Where nothing proves anything, "not undone" does not settle what an earlier undo has done.
    unprovable = isinstance(outcome, _NOT_UNDONE) and state.proof is Proof.NOTHING
    early = state.attempts + 1 < policy.undo_attempts_max
    return UNDO_STAYS if in_doubt and early and not unprovable else None


def _broken_lookup(
    saga: Saga, policy: RecoveryPolicy, state: Any, outcome: Outcome, following: Following
) -> str | None:
    if not isinstance(outcome, _OPEN_ENDED):
        return None
    if isinstance(following, InDoubt):
        early = state.attempts + 1 < policy.forward_attempts_max
        return LOOKUP_STAYS if early else None
    return None if isinstance(following, saga.Lookup) else LOOKUP_STAYS


def broken_by_resuming(saga: Saga, proof: Proof, state: Any) -> str | None:
    """Return the promise that is broken when a call resumes from the record of `state`, if any."""
    kinds = {Leg.FORWARD: saga.Forward, Leg.UNDO: saga.Undo, Leg.LOOKUP: saga.Lookup}
    for facts in (state.facts, state.facts_when_sent):
        resumed = saga.resume(state.leg, facts, proof)
        if not isinstance(resumed, kinds[state.leg]) or resumed.facts != facts:
            return RESUMED
        if resumed.proof is not proof:
            return RESUMED
    return None


def _looks(state: Any) -> bool:
    undone = state.facts.perhaps_undone and not state.facts.confirmed
    return bool(undone) and state.proof is Proof.LOOKUP


def _f400_answered(saga: Saga, policy: RecoveryPolicy, state: Any, following: Following) -> bool:
    exhausted = isinstance(following, InDoubt)
    patient = policy.on_temporarily_unavailable == "replay"
    if state.facts.confirmed or (patient and state.replays < policy.replays_before_undo):
        no_more = state.attempts + 1 >= policy.forward_attempts_max
        return isinstance(following, saga.Forward) or (exhausted and no_more)
    if state.turns >= policy.turns_max:
        return isinstance(following, saga.Lookup) if _looks(state) else exhausted
    return isinstance(following, saga.Undo)


def within_limits(saga: Saga, policy: RecoveryPolicy, state: Any) -> bool:
    """Whether the counters of `state` are such as the policy allows before another attempt."""
    if state.facts.epoch > policy.successors_max:
        return False
    if isinstance(state, saga.Lookup):
        return bool(state.attempts < policy.forward_attempts_max)
    if state.turns > policy.turns_max:
        return False
    if isinstance(state, saga.Undo):
        return bool(state.attempts < policy.undo_attempts_max)
    # One attempt more than allowed may follow a success that was held: it confirms it.
    confirming = state.pause is Pause.SETTLE
    return bool(state.attempts < policy.forward_attempts_max + confirming)


def attempts_allowed(policy: RecoveryPolicy, proof: Proof) -> int:
    """Return how many attempts one call may make in all, by the limits of its policy."""
    forward = (policy.turns_max + 1) * (policy.forward_attempts_max + 1)
    undo = policy.turns_max * policy.undo_attempts_max
    # What decides is asked for before the SETTLE and after it, each time until it is answered.
    decisive = {
        Proof.REPLAY: 0,
        Proof.LOOKUP: 2 * policy.forward_attempts_max,
        Proof.NOTHING: policy.undo_attempts_max,
    }
    return (policy.successors_max + 1) * (forward + undo + decisive[proof])
