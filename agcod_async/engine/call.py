"""One running call: the caller's intent, how far it has come, and what it may still cost."""

from dataclasses import dataclass, field, replace
from typing import assert_never

from agcod_async.core.outcomes import AttemptRecord, Leg, LookupOutcome, Reason, UndoOutcome
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.core.saga import Forward, State
from agcod_async.core.verdicts import Verdict
from agcod_async.engine.record import Record, is_too_old
from agcod_async.pacing.port import Lane
from agcod_async.providers.base import Intent, Legs, Message
from agcod_async.values import RequestId

_AT_FIRST = Forward()


@dataclass(slots=True, kw_only=True)
class Call:
    """What the runner carries from attempt to attempt. A read never has a `record`.

    Times are on the loop's clock. `was_confirmed` tells that an earlier call has had the card.
    `exchanging` is true from the moment a permit is held until the outcome is on record: nothing
    may interrupt the call in between. `abandoned` means that nobody waits any more: what is under
    way is finished, and nothing new is sent. From `settled_at` on, nothing can land that a SETTLE
    waits for. `held_up` says what it waits for if that is an access key; `keys_refused` counts
    the attempts that were not let in for theirs, and are made again. `audits` tells that the call
    only asks whether a confirmed card still lives: under an ID that is not on record as confirmed
    it sends nothing.
    """

    intent: Intent = field(repr=False)  # it holds the number of a physical card
    policy: RecoveryPolicy
    lane: Lane
    started_at: float
    deadline_at: float
    audits: bool = False
    record: Record | None = field(default=None, repr=False)  # so does this
    was_confirmed: bool = False
    state: State = _AT_FIRST
    attempts: tuple[AttemptRecord, ...] = ()
    exchanging: bool = False
    abandoned: bool = False
    settled_at: float = 0.0
    retry_after_seconds: float = 0.0
    held_up: Reason | None = None
    keys_refused: int = 0
    _legs: Legs | None = None
    _legs_of: RequestId | None = None

    def __post_init__(self) -> None:
        """Drop the care for copies from a read: a copy of a read does nothing."""
        if self.intent.read_only:
            self.policy = replace(self.policy, network_may_duplicate=False)

    def joined(self, lane: Lane, deadline_at: float) -> None:
        """Go on for another caller too, as urgently and as long as either of them wants."""
        self.lane = min(self.lane, lane)
        self.deadline_at = max(self.deadline_at, deadline_at)

    def is_too_old(self, now: float) -> bool:
        """Whether the ID must not be sent again at `now` (UTC seconds since 1970): rule R12.

        The provider documents no lifetime for its memory of IDs. A create under an ID that it has
        forgotten would be a second card. A lookup creates nothing.
        """
        if self.record is None or self.state.leg is Leg.LOOKUP:
            return False
        entry = self.record.entry
        known = entry.facts.doubtful or entry.facts.confirmed
        return known and is_too_old(entry, self.policy, now)

    def undo_is_late(self, now: float) -> bool:
        """Whether the provider would refuse an undo at `now` for coming too late."""
        window = self.intent.undo_window_seconds
        if window is None or self.record is None:
            return False
        first_sent_at = self.record.entry.first_sent_at
        return first_sent_at is not None and now - first_sent_at > window

    @property
    def tries(self) -> int:
        """How many attempts count: those that were not refused for their key."""
        return len(self.attempts) - self.keys_refused

    @property
    def live_id(self) -> RequestId | None:
        """The ID that the next attempt carries; None for a read."""
        return None if self.record is None else self.record.live_id

    @property
    def legs(self) -> Legs:
        """The legs under the live ID, encoded once for each ID."""
        live_id = self.live_id
        if self._legs is None or self._legs_of != live_id:
            self._legs, self._legs_of = self.intent.legs(live_id), live_id
        return self._legs

    @property
    def undo(self) -> Message[UndoOutcome]:
        """The undo under the live ID. Only an operation that has one is ever told to undo."""
        undo = self.legs.undo
        if undo is None:
            raise AssertionError(f"{self.intent.operation} has no undo")
        return undo

    @property
    def lookup(self) -> Message[LookupOutcome]:
        """The lookup under the live ID. Only an operation that has one is ever told to look."""
        lookup = self.legs.lookup
        if lookup is None:
            raise AssertionError(f"{self.intent.operation} has no lookup")
        return lookup

    @property
    def next_operation(self) -> str:
        """The name of what the next attempt sends."""
        match self.state.leg:
            case Leg.FORWARD:
                return self.legs.forward.operation
            case Leg.UNDO:
                return self.undo.operation
            case Leg.LOOKUP:
                return self.lookup.operation
            case _:
                assert_never(self.state.leg)

    @property
    def next_lane(self) -> Lane:
        """The lane of the next attempt: an undo and what shows its effect wait for nobody."""
        return self.lane if self.state.leg is Leg.FORWARD else Lane.RECOVERY


@dataclass(frozen=True, slots=True)
class Ended:
    """How a call ended."""

    verdict: Verdict
    call: Call
