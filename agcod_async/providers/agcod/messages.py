"""What goes over the wire, and what a caller gets: requests, answers and result records.

Rules of this file:

1. Fields are declared in the order in which Amazon's samples send them; what is absent is not sent.
2. Every answer field may be absent or null, unknown members are ignored, and texts stay texts: an
   enum would quote the offending value in its error message, and could not be open.
3. A claim code is a `ClaimCode` from the moment it is decoded; no struct here holds it as text.
4. No struct holds what could lead back to it, so the collector need not look at any (`gc=False`).
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

import msgspec

from agcod_async.values import ClaimCode, Money, RequestId

# --- requests ----------------------------------------------------------------------------------


class Value(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """An amount as Amazon writes it: in major units, as a JSON number."""

    currency_code: str
    amount: Decimal

    @classmethod
    def of(cls, money: Money) -> "Value":
        """Return `money`, which has brought its amount to the one form that is sent."""
        return cls(currency_code=money.currency, amount=money.amount)

    @property
    def money(self) -> Money:
        """The same as money."""
        return _money(self.amount, self.currency_code)


@lru_cache(maxsize=256)  # most cards are of few amounts, and each is asked for twice
def _money(amount: Decimal, currency: str) -> Money:
    return Money(amount, currency)


class TransactionSource(
    msgspec.Struct, frozen=True, gc=False, kw_only=True, rename="camel", omit_defaults=True
):
    """Where a card is sold, for shops with a till; `source_id` has at most 40 characters."""

    source_id: str | None = None
    institution_id: str | None = None
    source_details: str | None = None


class CreateGiftCardRequest(
    msgspec.Struct, frozen=True, gc=False, kw_only=True, rename="camel", omit_defaults=True
):
    """Ask for a claim code. Made by `requests.create_gift_card_request`, which checks it."""

    creation_request_id: RequestId
    partner_id: str
    value: Value
    program_id: str | None = None
    product_type: str | None = None
    external_reference: str | None = None
    transaction_source: TransactionSource | None = None

    def under(self, live_id: RequestId) -> "CreateGiftCardRequest":
        """Return the same request under another ID."""
        return msgspec.structs.replace(self, creation_request_id=live_id)

    def cancelled(self) -> "CancelGiftCardRequest":
        """Return what undoes this request.

        Without a gcId: after an F400 nobody knows it, and Amazon finds the card by the ID.
        """
        return CancelGiftCardRequest(
            creation_request_id=self.creation_request_id, partner_id=self.partner_id
        )


class CancelGiftCardRequest(
    msgspec.Struct, frozen=True, gc=False, kw_only=True, rename="camel", omit_defaults=True
):
    """Cancel what was created under this ID. The gcId helps where it is known; it may be absent."""

    creation_request_id: RequestId
    partner_id: str
    gc_id: str | None = None

    def under(self, live_id: RequestId) -> "CancelGiftCardRequest":
        """Return the same request under another ID."""
        return msgspec.structs.replace(self, creation_request_id=live_id)


class GetAvailableFundsRequest(msgspec.Struct, frozen=True, gc=False, kw_only=True, rename="camel"):
    """Ask for the account's balance."""

    partner_id: str


# --- answers -----------------------------------------------------------------------------------


class ValueAnswer(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """An amount as it came, not yet believed: it need not even be a number."""

    currency_code: str | None = None
    amount: object = None


class CardInfo(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """What Amazon says about the card: whether it is alive, and what it is worth."""

    card_status: str | None = None
    value: ValueAnswer | None = None


class CreateGiftCardAnswer(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A SUCCESS of CreateGiftCard. It may still be the answer of a dead card."""

    creation_request_id: str | None = None
    gc_claim_code: ClaimCode | None = None
    gc_id: str | None = None
    gc_expiration_date: object = None
    card_info: CardInfo | None = None


class CancelGiftCardAnswer(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A SUCCESS of CancelGiftCard. With a claim code in it, it answers another request."""

    creation_request_id: str | None = None
    gc_id: str | None = None
    gc_claim_code: ClaimCode | None = None


class GetAvailableFundsAnswer(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A SUCCESS of GetAvailableFunds."""

    available_funds: ValueAnswer | None = None
    timestamp: object = None


# --- results -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GiftCard:
    """A live gift card. Hand `claim_code` on and forget it: Amazon forbids partners to store it.

    `request_id` is the ID under which the card lives: a successor of the caller's where that one
    was proved dead. `expires_at` is None where Amazon names no date (such cards do not expire).
    `attempts` counts the requests that this call has sent for it, `replayed` tells that the card
    had been handed out before.
    """

    claim_code: ClaimCode
    gc_id: str
    request_id: RequestId
    amount: Money
    expires_at: datetime | None
    card_status: str
    replayed: bool = False
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class Cancellation:
    """A gift card that is cancelled; its request ID can never be used again."""

    request_id: RequestId
    gc_id: str | None


@dataclass(frozen=True, slots=True)
class AvailableFunds:
    """What the account can still spend, and when Amazon said so (None if it did not say)."""

    amount: Money
    as_of: datetime | None
