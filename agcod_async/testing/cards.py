"""What the emulated account keeps: cards, their history and the funds, as plain values."""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from agcod_async.values import ClaimCode, Money


class CardStatus(Enum):
    """The states of a gift card, as `cardInfo.cardStatus` spells them."""

    LIVE = "Fulfilled"
    DEAD = "RefundedToPurchaser"


@dataclass(frozen=True, slots=True)
class Moment:
    """When something happens.

    `arrived_at` and `now` are in seconds since the emulator started: a request that lands late has
    arrived before `now`. `wall` is `now` in seconds since 1970.
    """

    arrived_at: float
    now: float
    wall: float


@dataclass(frozen=True, slots=True)
class Card:
    """One gift card. `requested_at` starts the cancel window; times are as in `Moment`."""

    request_id: str
    value: Money
    gc_id: str
    claim_code: ClaimCode
    status: CardStatus
    claimed: bool
    requested_at: float
    created_at: float
    expires_at_wall: float | None


class ActivationStatus(Enum):
    """The states of a physical card, as `cardInfo.cardStatus` spells them."""

    ACTIVE = "Activated"
    AWAITING = "AwaitingActivation"


@dataclass(frozen=True, slots=True)
class PhysicalCard:
    """A card in a shop. `preset` is the value that it was made for, if it was made for one.

    `is_invalid`: Amazon has invalidated it, so that it cannot be activated (F2011).
    """

    card_number: str
    preset: Money | None = None
    is_invalid: bool = False


@dataclass(frozen=True, slots=True)
class Activation:
    """What one request ID did to one physical card; times are as in `Moment`.

    `claimed`: a customer has used the card.
    """

    request_id: str
    card_number: str
    value: Money
    status: ActivationStatus
    claimed: bool
    requested_at: float
    activated_at: float


class Happening(Enum):
    """What can happen to a gift card, a physical card or a load."""

    CREATED = "created"
    FENCED = "fenced"  # born dead, under an ID that was undone before it was used
    CANCELLED = "cancelled"
    CLAIMED = "claimed"
    ACTIVATED = "activated"
    DEACTIVATED = "deactivated"
    LOADED = "loaded"
    VOIDED = "voided"
    SPENT = "spent"


@dataclass(frozen=True, slots=True)
class LedgerEvent:
    """One change of the ledger. Replays and refusals change nothing and leave none.

    `gc_id` is that of a gift card, `card_number` that of a physical card.
    """

    at: float
    happening: Happening
    request_id: str
    gc_id: str | None
    value: Money
    card_number: str | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """One currency's funds.

    `live` is summed up from the live cards, the active activations and the effective loads, and
    must equal `debited`.
    """

    currency: str
    prepaid: Decimal
    debited: Decimal
    live: Decimal
    available: Decimal
