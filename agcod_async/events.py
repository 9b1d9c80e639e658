"""What observers are told: frozen records, without claim codes, keys or signatures.

An observer watches and never steers: it is called synchronously, should return quickly, and what
it raises is logged and dropped.
"""

from collections.abc import Callable
from dataclasses import dataclass

from agcod_async.core.outcomes import AttemptRecord, Reason


@dataclass(frozen=True, slots=True)
class AttemptEnded:
    """One attempt has its outcome."""

    operation: str
    attempt: AttemptRecord


@dataclass(frozen=True, slots=True)
class SuccessorChosen:
    """An ID was proved dead, and the order goes on under the next one."""

    request_id: str
    successor_id: str


@dataclass(frozen=True, slots=True)
class CallEnded:
    """One call has its verdict, given by its name, such as "Issued" or "InDoubt"."""

    operation: str
    request_id: str
    verdict: str
    attempts: int
    seconds: float


@dataclass(frozen=True, slots=True)
class SkewNoticed:
    """This machine's wall clock is so many seconds ahead of the server's; below 0: behind."""

    skew_seconds: float


@dataclass(frozen=True, slots=True)
class KeyRefused:
    """Amazon does not accept an access key any more; it is told once, not for every call.

    `key` is the end of its ID. `is_last` says that no other one is left: calls wait until there
    is one again.
    """

    key: str
    reason: Reason
    is_last: bool


@dataclass(frozen=True, slots=True)
class KeyAged:
    """An access key is so old that it should be replaced. `key` is the end of its ID."""

    key: str
    days: int


@dataclass(frozen=True, slots=True)
class CardDiedAfterHandout:
    """A card that was handed out after an undo is dead, and nobody here asked for that: an alarm.

    `gc_id` is Amazon's name of it, `replaced_by` that of the card which lives under the ID now.
    """

    operation: str
    request_id: str
    gc_id: str | None
    replaced_by: str | None


Event = (
    AttemptEnded
    | SuccessorChosen
    | CallEnded
    | SkewNoticed
    | KeyRefused
    | KeyAged
    | CardDiedAfterHandout
)
Observer = Callable[[Event], None]
