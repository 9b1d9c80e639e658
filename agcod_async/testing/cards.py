"""What the emulated account keeps: cards, their history and the funds, as plain values."""

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum

from agcod_async.values import ClaimCode, InvalidValueError, Money


class CardStatus(Enum):
    """The states of a card, as `cardInfo.cardStatus` spells them."""

    LIVE = "Fulfilled"
    DEAD = "RefundedToPurchaser"


class AfterCancel(Enum):
    """What a create under a cancelled ID does."""

    TOMBSTONE = "tombstone"
    """SUCCESS with the dead card, as recorded from the sandbox."""
    REISSUE = "reissue"
    """A new live card, of any amount: one reading of Amazon's text on F2008."""


class UnknownCancel(Enum):
    """What a cancel of an ID that was never created does. Amazon does not document it."""

    NOT_FOUND = "not-found"
    NOOP = "noop"
    """SUCCESS, and nothing else: a create that arrives later still makes a card."""
    FENCE = "fence"
    """SUCCESS, and the ID is dead: a create that arrives later answers a tombstone."""


@dataclass(frozen=True, slots=True)
class Semantics:
    """How the ledger behaves where Amazon's documents leave it open."""

    after_cancel: AfterCancel = AfterCancel.TOMBSTONE
    unknown_cancel: UnknownCancel = UnknownCancel.NOT_FOUND

    @classmethod
    def from_text(cls, text: str) -> "Semantics":
        """Read "tombstone", "reissue,fence" and so on; raises `InvalidValueError`."""
        after = {choice.value: choice for choice in AfterCancel}
        unknown = {choice.value: choice for choice in UnknownCancel}
        chosen = cls()
        for word in filter(None, (part.strip() for part in text.split(","))):
            if word in after:
                chosen = replace(chosen, after_cancel=after[word])
            elif word in unknown:
                chosen = replace(chosen, unknown_cancel=unknown[word])
            else:
                known = ", ".join((*after, *unknown))
                raise InvalidValueError("semantics", f"{word!r} is unknown", known)
        return chosen


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
    """One card. `requested_at` starts the cancel window; times are as in `Moment`."""

    request_id: str
    value: Money
    gc_id: str
    claim_code: ClaimCode
    status: CardStatus
    claimed: bool
    requested_at: float
    created_at: float
    expires_at_wall: float | None


class Happening(Enum):
    """What can happen to a card."""

    CREATED = "created"
    FENCED = "fenced"  # born dead, under an ID that was cancelled before it was created
    CANCELLED = "cancelled"
    CLAIMED = "claimed"


@dataclass(frozen=True, slots=True)
class LedgerEvent:
    """One change of the ledger. Replays and refusals change nothing and leave none."""

    at: float
    happening: Happening
    request_id: str
    gc_id: str
    value: Money


@dataclass(frozen=True, slots=True)
class Balance:
    """One currency's funds. `live` is summed up from the cards and must equal `debited`."""

    currency: str
    prepaid: Decimal
    debited: Decimal
    live: Decimal
    available: Decimal
