"""What to do next, given what just happened. Pure: no I/O, no clock, no chance.

A *call* is one caller intent under one request ID. It advances by *attempts*; each runs one leg
and yields one outcome, and `state.next(outcome, policy)` is the next state or the verdict. The
engine does what the state asks for and decides nothing. Whatever the state says about the past is
in its `Facts`, which are on record before an attempt leaves (`facts_when_sent`), so a process that
died in between resumes with the pessimistic view and is never wiser than it may be.

The rules, each of which the model check in `tests/model` proves by breaking it:

R1  A card is live when Amazon says Fulfilled, shows a code and echoes what was asked. The codec
    decides that: `Applied` means live, `AppliedDead` means a tombstone.
R2  One ID until it is *observed* to be dead. "Cancel answered SUCCESS", "not found" and "too
    late" prove nothing: the same ID is sent again, and that answer decides (but see R13, R14).
    Only an ID that this call itself undid is followed by a successor; one that somebody else
    cancelled stays dead.
R3  Never undo on a timeout, on a conflict, or once the card is on record as confirmed.
R4  Undo until a definite answer. An undo without one may still land: it taints the ID.
R5  A success under a tainted ID is held until nothing late can land, then confirmed by one replay.
R6  A confirmed card is only ever replayed, never undone. (The engine records it first.)
R7  Out of attempts or time with anything unknown is InDoubt, never a failure.
R8  A refusal is conclusive only if no earlier attempt under this ID can have worked.
R9  Recovery goes forward, except that an undo or a lookup on record is finished first.
R13 Where a replay may repeat the first answer (`Proof.LOOKUP`), a lookup decides once the ID may
    have been undone: "it lives" unless the ID is tainted, "it does not" never before a SETTLE.
    Under a successor even a conflict proves nothing: what lives there may be of an earlier ID.
R14 Where nothing can be looked up either (`Proof.NOTHING`), no request is sent any more under an
    ID that may have been undone. After a SETTLE the undo is sent once more: "undone" and "nothing
    to undo" then prove the ID dead, any other answer leaves it in doubt.

A copy of an *answered* request is as dangerous as a lost one, so where the network may duplicate
requests every undo taints, and neither a refusal nor a throttle is conclusive.
"""

from dataclasses import dataclass, replace
from typing import assert_never

from agcod_async.core.facts import NOTHING_KNOWN, Facts, Pause, Proof
from agcod_async.core.outcomes import (
    Applied,
    AppliedDead,
    Claimed,
    Conflict,
    ForwardOutcome,
    Found,
    Leg,
    LookupOutcome,
    Lost,
    NotFound,
    NothingToUndo,
    Outdated,
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
from agcod_async.core.verdicts import Declined, InDoubt, Issued, Reversed, Unavailable, Verdict


@dataclass(frozen=True, slots=True)
class Forward:
    """Send the request, or send it again."""

    facts: Facts = NOTHING_KNOWN
    pause: Pause = Pause.NONE
    attempts: int = 0
    replays: int = 0
    turns: int = 0
    proof: Proof = Proof.REPLAY

    leg = Leg.FORWARD

    @property
    def facts_when_sent(self) -> Facts:
        """The facts that must be on record before this attempt leaves."""
        return self._facts_now().doubting()

    def next(self, outcome: ForwardOutcome, policy: RecoveryPolicy) -> "State | Verdict":
        """Return what follows from the outcome of this attempt."""
        # As in `Facts`: every attempt comes by here, and `replace` costs five times as much.
        facts, tries = self._facts_now(), self.attempts + 1
        sent = Forward(facts, self.pause, tries, self.replays, self.turns, self.proof)
        match outcome:
            case Applied() | AppliedDead() | Refused() if sent._must_look:
                return Lookup(sent._doubting().facts)
            case Applied(answer):
                return sent._held() if sent.facts.tainted else Issued(answer)
            case AppliedDead(reason):
                return _burnt(sent.facts, reason, policy, sent.proof)
            case Outdated(reason) | Refused(reason):
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

    @property
    def _must_look(self) -> bool:
        undone = self.facts.perhaps_undone and not self.facts.confirmed
        return undone and self.proof is Proof.LOOKUP

    def _facts_now(self) -> Facts:
        # The engine has waited out a SETTLE pause by the time this attempt leaves.
        is_over = self.facts.tainted and self.pause is Pause.SETTLE
        return replace(self.facts, tainted=False) if is_over else self.facts

    def _doubting(self) -> "Forward":
        return replace(self, facts=self.facts.doubting())

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
        if declined.conflict and self.proof is Proof.LOOKUP:
            known = known and not self.facts.epoch
        return declined if known else InDoubt(declined.reason)

    def _undo_first(self, reason: Reason, policy: RecoveryPolicy) -> "State | Verdict":
        patient = policy.on_temporarily_unavailable == "replay"
        if self.facts.confirmed or (patient and self.replays < policy.replays_before_undo):
            return replace(self, replays=self.replays + 1)._again(Pause.BACKOFF, reason, policy)
        if self.turns < policy.turns_max:
            return Undo(self.facts, Pause.BACKOFF, turns=self.turns + 1, proof=self.proof)
        # A replay that repeats the first answer repeats this one as well.
        return Lookup(self.facts) if self._must_look else InDoubt(reason)


@dataclass(frozen=True, slots=True)
class Undo:
    """Send the matching undo, until it is answered. `settled` tells that no request is late."""

    facts: Facts
    pause: Pause = Pause.NONE
    attempts: int = 0
    turns: int = 1
    proof: Proof = Proof.REPLAY
    settled: bool = False

    leg = Leg.UNDO

    @property
    def facts_when_sent(self) -> Facts:
        """The facts that must be on record before this attempt leaves."""
        return replace(self.facts, undone=True, tainted=True)

    def next(self, outcome: UndoOutcome, policy: RecoveryPolicy) -> "State | Verdict":
        """Return what follows from the outcome of this attempt."""
        settled = self.settled or self.pause is Pause.SETTLE
        sent = replace(self, attempts=self.attempts + 1, settled=settled)
        match outcome:
            case Undone():
                return sent._had_effect()._copied(policy)._answered(_UNDONE, policy)
            case NothingToUndo(reason):
                return sent._found_nothing()._copied(policy)._answered(reason, policy)
            case TooLate(reason) | Claimed(reason):
                return sent._copied(policy)._not_undone(reason)
            case Outdated(reason) | Refused(reason) | Conflict(reason):
                return sent._copied(policy)._not_undone(reason)
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

    @property
    def _must_prove(self) -> bool:
        return self.facts.perhaps_undone and self.proof is Proof.NOTHING

    def _had_effect(self) -> "Undo":
        return replace(self, facts=replace(self.facts, undone=True))

    def _found_nothing(self) -> "Undo":
        # It may have fenced off a late request. Where no answer can show that, it is ignored.
        return self if self.proof is Proof.NOTHING else self._had_effect()

    def _tainted(self) -> "Undo":
        return replace(self, facts=replace(self.facts, tainted=True))

    def _copied(self, policy: RecoveryPolicy) -> "Undo":
        return self._tainted() if policy.network_may_duplicate else self

    def _answered(self, reason: Reason, policy: RecoveryPolicy) -> "State | Verdict":
        if not self._must_prove:
            return self._forward()
        if not self.settled:
            return replace(self, pause=Pause.SETTLE, attempts=0)
        return _burnt(self._had_effect().facts, reason, policy, self.proof)

    def _not_undone(self, reason: Reason) -> "State | Verdict":
        return InDoubt(reason) if self._must_prove else self._forward()

    def _forward(self) -> "State":
        return Forward(self.facts, Pause.BACKOFF, turns=self.turns, proof=self.proof)

    def _again(self, pause: Pause, reason: Reason, policy: RecoveryPolicy) -> "State | Verdict":
        if self.attempts >= policy.undo_attempts_max:
            return InDoubt(reason)
        return replace(self, pause=pause)


@dataclass(frozen=True, slots=True)
class Lookup:
    """Ask whether what was sent under this ID lives. `settled` tells that nothing is late."""

    facts: Facts
    pause: Pause = Pause.NONE
    attempts: int = 0
    settled: bool = False

    leg = Leg.LOOKUP
    proof = Proof.LOOKUP

    @property
    def facts_when_sent(self) -> Facts:
        """The facts that must be on record before this attempt leaves: it has no effect."""
        return self.facts

    def next(self, outcome: LookupOutcome, policy: RecoveryPolicy) -> "State | Verdict":
        """Return what follows from the outcome of this attempt."""
        settled = self.settled or self.pause is Pause.SETTLE
        sent = replace(self, attempts=self.attempts + 1, settled=settled)
        match outcome:
            case Found(answer):
                return sent._wait() if sent.facts.tainted and not settled else Issued(answer)
            case NotFound(reason):
                return _burnt(sent.facts, reason, policy, sent.proof) if settled else sent._wait()
            case Outdated(reason) | Refused(reason) | Conflict(reason):
                return InDoubt(reason)
            case Throttled(reason):
                return sent._again(Pause.COOLDOWN, reason, policy)
            case Untouched(reason) | UndoFirst(reason) | Unclear(reason) | Lost(reason):
                return sent._again(Pause.BACKOFF, reason, policy)
            case _:
                assert_never(outcome)

    def out_of_time(self, reason: Reason) -> Verdict:
        """Return the verdict when the next attempt cannot be made in time."""
        return InDoubt(reason)

    def _wait(self) -> "Lookup":
        return replace(self, pause=Pause.SETTLE, attempts=0)

    def _again(self, pause: Pause, reason: Reason, policy: RecoveryPolicy) -> "State | Verdict":
        if self.attempts >= policy.forward_attempts_max:
            return InDoubt(reason)
        return replace(self, pause=pause)


State = Forward | Undo | Lookup

_UNDONE = Reason("what was sent under this request ID has been undone")


def _burnt(facts: Facts, reason: Reason, policy: RecoveryPolicy, proof: Proof) -> "State | Verdict":
    """Return what follows when the ID is proved dead: its successor, if this call undid it."""
    ours = facts.undone and not facts.confirmed
    may_go_on = policy.on_burnt_id == "successor" and facts.epoch < policy.successors_max
    if ours and may_go_on:
        return Forward(Facts(epoch=facts.epoch + 1), proof=proof)
    return Reversed(reason)
