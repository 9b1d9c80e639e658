"""Replies as Amazon forms them, composed here, and the three legs to which they are given."""

import json
from collections.abc import Callable
from typing import Final

from agcod_async.core.outcomes import Outcome, Reply
from agcod_async.providers.agcod.messages import CancelGiftCardRequest, CreateGiftCardRequest
from agcod_async.providers.agcod.operations import (
    CANCEL_GIFT_CARD,
    CREATE_GIFT_CARD,
    GET_AVAILABLE_FUNDS,
)
from agcod_async.providers.agcod.requests import (
    cancel_gift_card_request,
    create_gift_card_request,
    get_available_funds_request,
)
from agcod_async.values import Money

PARTNER: Final = "Parta"
REQUEST_ID: Final = "PartaOrder0042"
CODE: Final = "QX7T-CANARY-9ZKD"
GC_ID: Final = "7001122334455"

Leg = Callable[[Reply], Outcome]


def create_request(amount: str = "12.50", currency: str = "USD") -> CreateGiftCardRequest:
    return create_gift_card_request(
        request_id=REQUEST_ID,
        amount=Money(amount, currency),
        partner_id=PARTNER,
        mock_ids_allowed=False,
    )


def cancel_request() -> CancelGiftCardRequest:
    return cancel_gift_card_request(
        request_id=REQUEST_ID, partner_id=PARTNER, mock_ids_allowed=False
    )


def create_leg(amount: str = "12.50", currency: str = "USD") -> Leg:
    return CREATE_GIFT_CARD.bind(create_request(amount, currency)).legs(None).forward.outcome


def undo_leg() -> Leg:
    undo = CREATE_GIFT_CARD.bind(create_request()).legs(None).undo
    assert undo is not None
    return undo.outcome


def cancel_leg() -> Leg:
    return CANCEL_GIFT_CARD.bind(cancel_request()).legs(None).forward.outcome


def funds_leg() -> Leg:
    request = get_available_funds_request(partner_id=PARTNER)
    return GET_AVAILABLE_FUNDS.bind(request).legs(None).forward.outcome


LEGS: Final[dict[str, Callable[[], Leg]]] = {
    "create": create_leg,
    "undo": undo_leg,
    "cancel": cancel_leg,
    "funds": funds_leg,
}


def reply(body: object, status: int = 200, content_type: str = "application/json") -> Reply:
    """Return a reply; a body that is neither bytes nor text is written as JSON."""
    if isinstance(body, bytes):
        return Reply(status, content_type, body)
    text = body if isinstance(body, str) else json.dumps(body)
    return Reply(status, content_type, text.encode())


def card(**changes: object) -> dict[str, object]:
    """Return the answer to a create, with members replaced; `...` leaves a member out."""
    whole: dict[str, object] = {
        "cardInfo": card_info(),
        "creationRequestId": REQUEST_ID,
        "gcClaimCode": CODE,
        "gcExpirationDate": "Sat May 05 14:59:59 UTC 2035",
        "gcId": GC_ID,
        "status": "SUCCESS",
    }
    return {name: value for name, value in (whole | changes).items() if value is not ...}


def card_info(
    status: str | None = "Fulfilled", amount: object = 12.5, currency: object = "USD"
) -> dict[str, object]:
    return {
        "cardNumber": None,
        "cardStatus": status,
        "expirationDate": None,
        "value": {"amount": amount, "currencyCode": currency},
    }


def cancelled(**changes: object) -> dict[str, object]:
    whole: dict[str, object] = {
        "creationRequestId": REQUEST_ID,
        "gcId": GC_ID,
        "status": "SUCCESS",
    }
    return {name: value for name, value in (whole | changes).items() if value is not ...}


def funds(**changes: object) -> dict[str, object]:
    whole: dict[str, object] = {
        "availableFunds": {"amount": 1250.75, "currencyCode": "EUR"},
        "status": "SUCCESS",
        "timestamp": "20310203T040506Z",
    }
    return {name: value for name, value in (whole | changes).items() if value is not ...}


def error(
    code: str | None, name: str | None, status: str | None = None, **changes: object
) -> dict[str, object]:
    """Return an error as every operation but the balance loads sends it, nulls and all."""
    stated = status or ("RESEND" if code == "F400" else "FAILURE")
    whole: dict[str, object] = {
        "agcodResponse": {
            "__type": "CreateGiftCardResponse:http://internal.amazon.com/coral/anything/",
            "cardInfo": None,
            "creationRequestId": None,
            "gcClaimCode": None,
            "gcId": None,
            "status": stated,
        },
        "errorCode": code,
        "errorType": name,
        "message": "Some words",
    }
    return {key: value for key, value in (whole | changes).items() if value is not ...}
