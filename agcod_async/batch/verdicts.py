"""What became of one order: the closed set of verdicts, and the receipt that carries one."""

from dataclasses import dataclass

from agcod_async.batch.orders import Order
from agcod_async.errors import (
    AgcodError,
    DeclinedError,
    InDoubtError,
    ReversedError,
    UnavailableError,
    UsageError,
)
from agcod_async.providers.agcod.messages import GiftCard


@dataclass(frozen=True, slots=True)
class Issued:
    """The card is live. `card.replayed` tells that it had been handed out before."""

    card: GiftCard


@dataclass(frozen=True, slots=True)
class Declined:
    """Nothing was issued, and somebody must change something first."""

    error: DeclinedError | UsageError


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Nothing was issued; the same order may be sent again later."""

    error: UnavailableError


@dataclass(frozen=True, slots=True)
class Reversed:
    """What may have been issued is dead."""

    error: ReversedError


@dataclass(frozen=True, slots=True)
class InDoubt:
    """Unknown. Never send this order under another request ID; `reconcile()` settles it."""

    error: InDoubtError


Verdict = Issued | Declined | Unavailable | Reversed | InDoubt


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one order. `request_id` is the live card's where one was issued."""

    order: Order
    request_id: str
    verdict: Verdict


def receipt_of(order: Order, card_or_error: GiftCard | AgcodError) -> Receipt:
    """Return the receipt for what a call has returned or raised."""
    if isinstance(card_or_error, GiftCard):
        return Receipt(order, card_or_error.request_id, Issued(card_or_error))
    return Receipt(order, order.request_id, verdict_of(card_or_error))


def verdict_of(error: AgcodError) -> Verdict:
    """Return what an error says about its order; whatever is not known is in doubt."""
    match error:
        case DeclinedError() | UsageError():
            return Declined(error)
        case UnavailableError():
            return Unavailable(error)
        case ReversedError():
            return Reversed(error)
        case InDoubtError():
            return InDoubt(error)
        case _:
            return InDoubt(InDoubtError(error.reason, request_id=error.request_id))
