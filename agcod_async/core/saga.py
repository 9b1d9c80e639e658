"""What to do next, given what just happened. Pure: no I/O, no clock, no chance.

A *call* is one caller intent under one request ID. It advances by *attempts*; each runs one leg
and yields one outcome, and `state.next(outcome, policy)` is the next state or the verdict. The
engine does what the state asks for and decides nothing. Whatever the state says about the past is
in its `Facts`, which are on record before an attempt leaves (`sending()`), so a process that died
in between resumes with the pessimistic view and is never wiser than it may be.

The rules, each of which the model check in `tests/model` proves by breaking it:

R1  A card is live when Amazon says Fulfilled, shows a code and echoes what was asked. The codec
    decides that: `Applied` means live, `AppliedDead` means a tombstone.
R2  One ID until its tombstone is *observed*. "Cancel answered SUCCESS", "not found" and "too
    late" prove nothing: the same ID is sent again, and that answer decides. Only an ID that this
    call itself undid is followed by a successor; one that somebody else cancelled stays dead.
R3  Never undo on a timeout, on a conflict, or once the card is on record as confirmed.
R4  Undo until a definite answer. An undo without one may still land: it taints the ID.
R5  A success under a tainted ID is held until nothing late can land, then confirmed by one replay.
R6  A confirmed card is only ever replayed, never undone. (The engine records it first.)
R7  Out of attempts or time with anything unknown is InDoubt, never a failure.
R8  A refusal is conclusive only if no earlier attempt under this ID can have worked.
R9  Recovery goes forward, except that an undo on record is finished first.

A copy of an *answered* request is as dangerous as a lost one, so where the network may duplicate
requests every undo taints, and neither a refusal nor a throttle is conclusive.
"""

from dataclasses import dataclass, replace
from enum import Enum
from typing import assert_never

from agcod_async.core.outcomes import (
    Applied,
    AppliedDead,
    Claimed,
    Conflict,
    ForwardOutcome,
    Leg,
    Lost,
    NothingToUndo,
    Reason,
    Refused,
    Throttled,
    TooLate,
    Unclear,
    UndoFirst,
    Undone,
    UndoOutcome,
    Untouched,
)
from agcod_async.core.policy import RecoveryPolicy


class Pause(Enum):
    """What to wait for before the next attempt."""

    NONE = "none"
    BACKOFF = "backoff"
    COOLDOWN = "cooldown"  # after a throttle: never shorter than its floor
    SETTLE = "settle"  # until no unanswered undo can still land


# --- verdicts: how a call ends -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Issued:
    """Done. It cannot be built without the answer."""

    answer: object


@dataclass(frozen=True, slots=True)
class Declined:
    """Nothing was issued, and somebody must change something first."""

    reason: Reason
    conflict: bool = False


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Nothing was issued; the same call may be made again later."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Reversed:
    """Something was issued and is dead: it was undone."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class InDoubt:
    """Unknown. The journal entry stays open until it is reconciled."""

    reason: Reason


Verdict = Issued | Declined | Unavailable | Reversed | InDoubt


# --- states: what the engine should do now -------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Facts:
    """What is on record about the ID in use. Everything else may be forgotten in a crash."""

    epoch: int = 0
    """0 for the caller's own ID, n for its n-th successor."""
    doubtful: bool = False
    """An earlier attempt under this ID may have worked, or may still."""
    undone: bool = False
    """This call has sent an undo under this ID that may have worked."""
    tainted: bool = False
    """An undo under this ID may still land."""
    confirmed: bool = False
    """A live card was put on record under this ID."""


@dataclass(frozen=True, slots=True)
class Forward:
    """Send the request, or send it again."""

    facts: Facts = Facts()
    pause: Pause = Pause.NONE
    attempts: int = 0
    replays: int = 0
    turns: int = 0

    leg = Leg.FORWARD

    def sending(self) -> "Forward":
        """Return the state that must be on record before this attempt leaves."""
        return replace(self, facts=replace(self._facts_now(), doubtful=True))

    def next(self, outcome: ForwardOutcome, policy: RecoveryPolicy) -> "State | Verdict":
        """Return what follows from the outcome of this attempt."""
        sent = replace(self, facts=self._facts_now(), attempts=self.attempts + 1)
        match outcome:
            case Applied(answer):
                if sent.facts.tainted:
                    return sent._held()
                return Issued(answer)
            case AppliedDead(reason):
                return sent._burnt(reason, policy)
            case Refused(reason):
                return sent._copied(policy)._concluded(Declined(reason))
            case Conflict(reason):
                return sent._copied(policy)._concluded(Declined(reason, conflict=True))
            case Untouched(reason):
                return sent._again(Pause.BACKOFF, reason, policy)
            case Throttled(reason):
                return sent._copied(policy)._again(Pause.COOLDOWN, reason, policy)
            case UndoFirst(reason):
                return sent._doubting()._undo_first(reason, policy)
            case Unclear(reason) | Lost(reason):
                return sent._doubting()._again(Pause.BACKOFF, reason, policy)
            case _:
                assert_never(outcome)

    def out_of_time(self, reason: Reason) -> Verdict:
        """Return the verdict when the next attempt cannot be made in time."""
        if self.facts.doubtful or self.facts.confirmed:
            return InDoubt(reason)
        return Unavailable(reason)

    def _facts_now(self) -> Facts:
        # The engine has waited out a SETTLE pause by the time this attempt leaves.
        return replace(self.facts, tainted=self.facts.tainted and self.pause is not Pause.SETTLE)

    def _doubting(self) -> "Forward":
        return replace(self, facts=replace(self.facts, doubtful=True))

    def _held(self) -> "Forward":
        # Whatever the limit: without the replay that confirms it, the success would be in doubt.
        return replace(self._doubting(), pause=Pause.SETTLE)

    def _copied(self, policy: RecoveryPolicy) -> "Forward":
        return self._doubting() if policy.network_may_duplicate else self

    def _again(self, pause: Pause, reason: Reason, policy: RecoveryPolicy) -> "State | Verdict":
        if self.attempts >= policy.forward_attempts_max:
            return self.out_of_time(reason)
        return replace(self, pause=pause)

    def _concluded(self, declined: Declined) -> Verdict:
        known = not (self.facts.doubtful or self.facts.confirmed)
        return declined if known else InDoubt(declined.reason)

    def _undo_first(self, reason: Reason, policy: RecoveryPolicy) -> "State | Verdict":
        patient = policy.on_temporarily_unavailable == "replay"
        if self.facts.confirmed or (patient and self.replays < policy.replays_before_undo):
            return replace(self, replays=self.replays + 1)._again(Pause.BACKOFF, reason, policy)
        if self.turns >= policy.turns_max:
            return InDoubt(reason)
        return Undo(facts=self.facts, pause=Pause.BACKOFF, turns=self.turns + 1)

    def _burnt(self, reason: Reason, policy: RecoveryPolicy) -> "State | Verdict":
        ours = self.facts.undone and not self.facts.confirmed
        may_go_on = policy.on_burnt_id == "successor" and self.facts.epoch < policy.successors_max
        if ours and may_go_on:
            return Forward(facts=Facts(epoch=self.facts.epoch + 1))
        return Reversed(reason)


@dataclass(frozen=True, slots=True)
class Undo:
    """Send the matching undo, until it is answered."""

    facts: Facts
    pause: Pause = Pause.NONE
    attempts: int = 0
    turns: int = 1

    leg = Leg.UNDO

    def sending(self) -> "Undo":
        """Return the state that must be on record before this attempt leaves."""
        return replace(self, facts=replace(self.facts, undone=True, tainted=True))

    def next(self, outcome: UndoOutcome, policy: RecoveryPolicy) -> "State | Verdict":
        """Return what follows from the outcome of this attempt."""
        sent = replace(self, attempts=self.attempts + 1)
        match outcome:
            case Undone() | NothingToUndo():
                return sent._had_effect()._forward(policy)
            case TooLate() | Claimed() | Refused() | Conflict():
                return sent._forward(policy)
            case Untouched(reason):
                return sent._again(Pause.BACKOFF, reason, policy)
            case Throttled(reason):
                return sent._again(Pause.COOLDOWN, reason, policy)
            case UndoFirst(reason) | Unclear(reason) | Lost(reason):
                return sent._had_effect()._tainted()._again(Pause.BACKOFF, reason, policy)
            case _:
                assert_never(outcome)

    def out_of_time(self, reason: Reason) -> Verdict:
        """Return the verdict when the next attempt cannot be made in time."""
        return InDoubt(reason)

    def _had_effect(self) -> "Undo":
        return replace(self, facts=replace(self.facts, undone=True))

    def _tainted(self) -> "Undo":
        return replace(self, facts=replace(self.facts, tainted=True))

    def _forward(self, policy: RecoveryPolicy) -> "State":
        answered = self._tainted() if policy.network_may_duplicate else self
        return Forward(facts=answered.facts, pause=Pause.BACKOFF, turns=self.turns)

    def _again(self, pause: Pause, reason: Reason, policy: RecoveryPolicy) -> "State | Verdict":
        if self.attempts >= policy.undo_attempts_max:
            return InDoubt(reason)
        return replace(self, pause=pause)


State = Forward | Undo


def resume(leg: Leg, facts: Facts) -> State:
    """Return where a call goes on from its record: an undo on record is finished first."""
    match leg:
        case Leg.FORWARD:
            return Forward(facts=facts)
        case Leg.UNDO:
            return Undo(facts=facts)
        case _:
            assert_never(leg)


def on_record(state: State, verdict: Verdict) -> Facts:
    """Return the facts to keep when a call has ended from `state` with `verdict`.

    The record holds the pessimistic facts of `state.sending()` until now. A verdict that is
    certain corrects them, so that a later call under the same ID is not more careful than it must
    be; anything else leaves them as they are.
    """
    match verdict:
        case Issued():
            return replace(state.sending().facts, confirmed=True)
        case Declined() | Unavailable():
            return state.facts  # such a verdict exists only where nothing was doubtful before
        case Reversed() | InDoubt():
            # Out of time before or during a SETTLE pause, nothing has been waited out.
            facts = state.sending().facts
            return replace(facts, tainted=facts.tainted or state.facts.tainted)
        case _:
            assert_never(verdict)
