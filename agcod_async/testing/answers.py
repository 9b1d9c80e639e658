"""What an operation answers, before it is written as JSON or XML."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from agcod_async.testing.activity import NO_SUBJECT, Subject
from agcod_async.testing.cards import Card, CardStatus
from agcod_async.testing.catalogue import Refusal
from agcod_async.values import ClaimCode

Members = Mapping[str, object]
"""The members of a body, by their names on the wire."""


@dataclass(frozen=True, slots=True)
class Success:
    """The request was carried out, or had been before. `subject` is what it was about."""

    members: Members
    subject: Subject = NO_SUBJECT

    def __repr__(self) -> str:
        return "Success(<hidden>)"  # the members may hold a claim code


@dataclass(frozen=True, slots=True)
class Failure:
    """The request was refused. The answer repeats its ID, if it had one."""

    refusal: Refusal
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Unusable:
    """The request is not one that the operation understands: no F-code, only a message."""

    message: str


Executed = Success | Failure | Unusable


def created(card: Card) -> Success:
    """Answer a create with its card, dead or alive."""
    return card_answer(
        request_id=card.request_id,
        status=card.status,
        value=value_of(card.value.amount, card.value.currency),
        gc_id=card.gc_id,
        claim_code=card.claim_code,
        expires_at_wall=card.expires_at_wall,
        subject=Subject(card.value, card.gc_id),
    )


def card_answer(
    *,
    request_id: str | None,
    status: CardStatus,
    value: Members | None,
    gc_id: str,
    claim_code: ClaimCode,
    expires_at_wall: float | None,
    subject: Subject = NO_SUBJECT,
) -> Success:
    """Answer a create with these values; what was null in every recorded reply is null."""
    return Success(
        {
            "cardInfo": card_info(None, status.value, value),
            "creationRequestId": request_id,
            "gcClaimCode": claim_code.reveal(),
            "gcExpirationDate": None if expires_at_wall is None else _java_date(expires_at_wall),
            "gcId": gc_id,
            "status": "SUCCESS",
        },
        subject,
    )


def card_info(card_number: str | None, status: str, value: Members | None) -> Members:
    """Describe a card as `cardInfo`."""
    return {
        "cardNumber": card_number,
        "cardStatus": status,
        "expirationDate": None,
        "value": value,
    }


def value_of(amount: Decimal, currency: str) -> Members:
    """Write an amount of money as the service does."""
    # A float, because that is what the service sends (500.0); 12 digits survive it unharmed.
    return {"amount": float(amount), "currencyCode": currency}


def _java_date(wall: float) -> str:
    """Write the last second of a day in Japan as Java writes a date: no ISO, and no other zone."""
    weekday, month, day, _, year = datetime.fromtimestamp(wall, UTC).ctime().split()
    return f"{weekday} {month} {int(day):02d} 14:59:59 UTC {year}"
