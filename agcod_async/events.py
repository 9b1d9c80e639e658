"""What observers are told: frozen records, without claim codes, keys or signatures.

An observer watches and never steers: it is called synchronously, should return quickly, and what
it raises is logged and dropped.
"""

from collections.abc import Callable
from dataclasses import dataclass

from agcod_async.core.outcomes import AttemptRecord


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
class CardDiedAfterHandout:
    """A card that was handed out after an undo is dead, and nobody here asked for that: an alarm.

    `gc_id` is Amazon's name of it, `replaced_by` that of the card which lives under the ID now.
    """

    operation: str
    request_id: str
    gc_id: str | None
    replaced_by: str | None


Event = AttemptEnded | SuccessorChosen | CallEnded | CardDiedAfterHandout
Observer = Callable[[Event], None]
