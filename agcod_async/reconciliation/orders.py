"""What the journal says of one order, as far as Amazon's books can answer to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

from agcod_async.core.verdicts import Issued
from agcod_async.journal.records import Entry
from agcod_async.providers.agcod.activation_operations import (
    ACTIVATE_GIFT_CARD,
    DEACTIVATE_GIFT_CARD,
)
from agcod_async.providers.agcod.balance_operations import (
    LOAD_AMAZON_BALANCE,
    VOID_AMAZON_BALANCE_LOAD,
)
from agcod_async.providers.agcod.operations import CANCEL_GIFT_CARD, CREATE_GIFT_CARD
from agcod_async.values import Money, RequestId

WINDOW_MARGIN_SECONDS: Final = 300.0
"""How far an order's window reaches beyond its first send and its last effect: clocks differ."""

ORDER_OF: Final[Mapping[str, str]] = MappingProxyType(
    {
        CANCEL_GIFT_CARD.name: CREATE_GIFT_CARD.name,
        DEACTIVATE_GIFT_CARD.name: ACTIVATE_GIFT_CARD.name,
        VOID_AMAZON_BALANCE_LOAD.name: LOAD_AMAZON_BALANCE.name,
    }
)
"""The operation that each undo takes back."""

ORDERS: Final = frozenset(ORDER_OF.values())


class Recorded(Enum):
    """What the journal says."""

    ISSUED = "issued"
    NOTHING = "nothing"
    OPEN = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """One order of the journal. Times are UTC seconds since 1970.

    `ids` are all IDs that it has ever used: the caller's own and its successors, in that order.
    Whatever it has sent shows in Amazon's books between `starts_at` and `ends_at`, or never.
    """

    operation: str
    request_id: str
    ids: tuple[str, ...]
    recorded: Recorded
    was_handed_out: bool
    amount: Money | None
    gc_id: str | None
    sent_at: float
    starts_at: float
    ends_at: float
    updated_at: float
    version: int

    @classmethod
    def of(cls, entry: Entry, *, late_horizon_seconds: float) -> "Placed":
        """Read an entry of an order. `late_horizon_seconds` is how late a request may land."""
        root, facts = RequestId(entry.request_id), entry.facts
        successors = (root.successor(entry.partner_id, n + 1) for n in range(facts.epoch))
        # The times on record are those of the ID in use; only its opening is older than them all.
        sent_at = entry.created_at if facts.epoch else (entry.first_sent_at or entry.created_at)
        last_at = max(entry.last_sent_at or 0.0, entry.last_undo_at or 0.0) or entry.updated_at
        lands_until = max(last_at + late_horizon_seconds, entry.effects_until or 0.0)
        return cls(
            operation=entry.operation,
            request_id=entry.request_id,
            ids=(entry.request_id, *map(str, successors)),
            recorded=_recorded(entry),
            was_handed_out=facts.confirmed,
            amount=_money(entry.amount),
            gc_id=entry.gc_id,
            sent_at=sent_at,
            starts_at=sent_at - WINDOW_MARGIN_SECONDS,
            ends_at=lands_until + WINDOW_MARGIN_SECONDS,
            updated_at=entry.updated_at,
            version=entry.version,
        )


def _recorded(entry: Entry) -> Recorded:
    if entry.is_open:
        return Recorded.OPEN
    return Recorded.ISSUED if entry.verdict == Issued.__name__ else Recorded.NOTHING


def _money(text: str) -> Money | None:
    amount, _, currency = text.partition(" ")
    return Money(amount, currency) if amount else None
