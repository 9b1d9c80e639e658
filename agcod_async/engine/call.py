"""One running call: the caller's intent, how far it has come, and what it may still cost."""

from dataclasses import dataclass, field

from agcod_async.core.outcomes import AttemptRecord, ForwardOutcome, Leg, UndoOutcome
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.core.saga import Forward, State, Verdict
from agcod_async.engine.record import Record
from agcod_async.pacing.port import Lane
from agcod_async.providers.base import Intent, Legs, Message
from agcod_async.values import RequestId


@dataclass(slots=True, kw_only=True)
class Call:
    """What the runner carries from attempt to attempt. A read never has a `record`.

    Times are on the loop's clock. `was_confirmed` tells that an earlier call has had the card.
    `exchanging` is true from the moment a permit is held until the outcome is on record: nothing
    may interrupt the call in between. `abandoned` means that nobody waits any more: what is under
    way is finished, and nothing new is sent.
    """

    intent: Intent
    policy: RecoveryPolicy
    lane: Lane
    started_at: float
    deadline_at: float
    record: Record | None = None
    was_confirmed: bool = False
    state: State = field(default_factory=Forward)
    attempts: list[AttemptRecord] = field(default_factory=list[AttemptRecord])
    exchanging: bool = False
    abandoned: bool = False
    settled_at: float = 0.0
    retry_after_seconds: float = 0.0
    _legs: tuple[RequestId | None, Legs] | None = None

    def joined(self, lane: Lane, deadline_at: float) -> None:
        """Go on for another caller too, as urgently and as long as either of them wants."""
        self.lane = min(self.lane, lane)
        self.deadline_at = max(self.deadline_at, deadline_at)

    @property
    def live_id(self) -> RequestId | None:
        """The ID that the next attempt carries; None for a read."""
        return None if self.record is None else self.record.live_id

    @property
    def legs(self) -> Legs:
        """Both legs under the live ID, encoded once for each ID."""
        live_id = self.live_id
        if self._legs is None or self._legs[0] != live_id:
            self._legs = live_id, self.intent.legs(live_id)
        return self._legs[1]

    @property
    def undo(self) -> Message[UndoOutcome]:
        """The undo under the live ID. Only an operation that has one is ever told to undo."""
        undo = self.legs.undo
        if undo is None:
            raise AssertionError(f"{self.intent.operation} has no undo")
        return undo

    @property
    def message(self) -> Message[ForwardOutcome] | Message[UndoOutcome]:
        """What the next attempt sends."""
        return self.undo if self.state.leg is Leg.UNDO else self.legs.forward

    @property
    def next_lane(self) -> Lane:
        """The lane of the next attempt: an undo waits for nobody."""
        return Lane.RECOVERY if self.state.leg is Leg.UNDO else self.lane


@dataclass(frozen=True, slots=True)
class Ended:
    """How a call ended."""

    verdict: Verdict
    call: Call
