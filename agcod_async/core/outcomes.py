"""What one attempt told us: a closed set of outcomes, each a statement of what is now known.

Every reply and every failure of the transport maps onto exactly one of them, and whatever is not
recognised maps onto the most careful one. The question is never "what broke?" but "can a card
have come of it, and can one still come?".
"""

from dataclasses import dataclass
from enum import Enum


class Leg(Enum):
    """Which direction an attempt goes: towards a card, or back, or only to have a look."""

    FORWARD = "forward"
    UNDO = "undo"
    LOOKUP = "lookup"


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back on the wire, not yet understood.

    `date` is its Date header, in seconds since 1970; None where there is none.
    """

    status: int
    content_type: str
    body: bytes
    date: float | None = None

    def __repr__(self) -> str:
        return f"Reply(status={self.status}, {len(self.body)} bytes)"  # the body may hold a code


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an outcome is what it is, in words that are safe to show."""

    message: str
    code: str | None = None
    error_type: str | None = None

    def __str__(self) -> str:
        named = " ".join(part for part in (self.code, self.error_type) if part)
        return f"{named}: {self.message}" if named else self.message


# --- every leg -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Refused:
    """Answered: this attempt had no effect, and repeating it is pointless.

    `of_key` says that the access key was refused and nothing else: signed with another one, the
    same attempt may be made again.
    """

    reason: Reason
    of_key: bool = False


@dataclass(frozen=True, slots=True)
class Outdated(Refused):
    """Refused for the date in its signature alone.

    Where the engine knows a better date it makes Untouched of it; to a state it is Refused.
    """


@dataclass(frozen=True, slots=True)
class Conflict:
    """Answered: no effect, because something else lives under this ID."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Untouched:
    """No effect, and repeating may help: it never left, or only its date or key was refused."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Throttled:
    """Answered at the door: no effect, slow down."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class UndoFirst:
    """Answered "undo, then send again" (F400, status RESEND): the effect is unknown."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Unclear:
    """Answered, but the answer does not say whether there was an effect."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Lost:
    """Not answered: it may have had its effect, and it may still have it later."""

    reason: Reason


# --- the forward leg -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Applied:
    """Answered with what was asked for, and alive.

    `reference` is the provider's own name for it (a gcId), which may be kept and shown.
    """

    answer: object
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class AppliedDead:
    """Answered SUCCESS for a card that has been cancelled: the ID is burnt."""

    reason: Reason


# --- the undo leg ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Undone:
    """Answered: undone."""


@dataclass(frozen=True, slots=True)
class NothingToUndo:
    """Answered: there is nothing under this ID. It proves nothing about a late create."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class TooLate:
    """Answered, or known beforehand: the time for undoing has passed."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Claimed:
    """Answered: somebody has already used what was to be undone."""

    reason: Reason


# --- the lookup leg --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Found:
    """Answered: what was ordered lives. `answer` is what the order itself would be answered with.

    `reference` is the provider's own name for it, which may be kept and shown.
    """

    answer: object
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class NotFound:
    """Answered: nothing of this order lives now. It proves nothing about what is still late."""

    reason: Reason


Both = Refused | Outdated | Conflict | Untouched | Throttled | UndoFirst | Unclear | Lost
"""What every leg may be answered with."""
ForwardOutcome = Applied | AppliedDead | Both
UndoOutcome = Undone | NothingToUndo | TooLate | Claimed | Both
LookupOutcome = Found | NotFound | Both
Outcome = ForwardOutcome | UndoOutcome | LookupOutcome

_WITHOUT_REASON = Applied | Undone | Found


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One attempt as an exception or an event reports it."""

    request_id: str
    leg: Leg
    outcome: str
    reason: Reason | None
    seconds: float


def reason_of(outcome: Outcome) -> Reason | None:
    """Return why, where the outcome says so."""
    return None if isinstance(outcome, _WITHOUT_REASON) else outcome.reason


def as_read(outcome: ForwardOutcome) -> ForwardOutcome:
    """Return what the outcome means for a read: what moves no value cannot be in doubt."""
    if isinstance(outcome, UndoFirst | Unclear | Lost | AppliedDead):
        return Untouched(outcome.reason)
    return outcome
