"""Every operation and every leg: a request, what it is answered with, and who judges the answer.

Replies are composed here from what Amazon's error page and recorded replies show; nothing was
copied from the service.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from html import escape
from typing import Any, Final

from agcod_async.core.outcomes import Reply
from agcod_async.providers.agcod.activation_operations import (
    ACTIVATE_GIFT_CARD,
    ACTIVATION_STATUS_CHECK,
    DEACTIVATE_GIFT_CARD,
)
from agcod_async.providers.agcod.activation_requests import (
    activate_gift_card_request,
    activation_status_check_request,
    deactivate_gift_card_request,
)
from agcod_async.providers.agcod.activity_requests import get_gift_card_activity_page_request
from agcod_async.providers.agcod.balance_operations import (
    LOAD_AMAZON_BALANCE,
    VALIDATE_ACCOUNT,
    VOID_AMAZON_BALANCE_LOAD,
)
from agcod_async.providers.agcod.balance_requests import (
    load_amazon_balance_request,
    validate_account_request,
    void_amazon_balance_load_request,
)
from agcod_async.providers.agcod.messages import TransactionSource
from agcod_async.providers.agcod.operations import (
    CANCEL_GIFT_CARD,
    CREATE_GIFT_CARD,
    GET_AVAILABLE_FUNDS,
    GET_GIFT_CARD_ACTIVITY_PAGE,
)
from agcod_async.providers.agcod.recipients import Account
from agcod_async.providers.agcod.requests import get_available_funds_request
from agcod_async.providers.base import Intent
from agcod_async.values import Money
from tests.providers import replies
from tests.providers.replies import (
    PARTNER,
    REQUEST_ID,
    Leg,
    cancel_request,
    cancelled,
    card,
    create_request,
    funds,
)

CARD_NUMBER: Final = "6284190537715502918"
ACCOUNT_ID: Final = "851CANARY6129930055412"
ACCOUNT: Final = Account(id=ACCOUNT_ID, type=1)
AMOUNT: Final = Money("12.50", "USD")
START: Final = datetime(2031, 2, 3, tzinfo=UTC)
END: Final = datetime(2031, 2, 4, 12, 30, 15, tzinfo=UTC)

_ORDER: Final = {"request_id": REQUEST_ID, "partner_id": PARTNER, "mock_ids_allowed": False}
_CARD: Final = {**_ORDER, "card_number": CARD_NUMBER}
_LOAD: Final = {**_ORDER, "account": ACCOUNT, "amount": AMOUNT}


def activate(**changes: Any) -> Intent:
    request = activate_gift_card_request(**{**_CARD, "amount": AMOUNT} | changes)
    return ACTIVATE_GIFT_CARD.bind(request)


def deactivate(**changes: Any) -> Intent:
    return DEACTIVATE_GIFT_CARD.bind(deactivate_gift_card_request(**_CARD | changes))


def status_check(**changes: Any) -> Intent:
    return ACTIVATION_STATUS_CHECK.bind(activation_status_check_request(**_CARD | changes))


def load(**changes: Any) -> Intent:
    return LOAD_AMAZON_BALANCE.bind(load_amazon_balance_request(**_LOAD | changes))


def void(**changes: Any) -> Intent:
    return VOID_AMAZON_BALANCE_LOAD.bind(void_amazon_balance_load_request(**_LOAD | changes))


def validate(**changes: Any) -> Intent:
    return VALIDATE_ACCOUNT.bind(validate_account_request(**_LOAD | changes))


def activity_page(**changes: Any) -> Intent:
    asked: dict[str, Any] = {
        **_ORDER,
        "start": START,
        "end": END,
        "page_index": 0,
        "page_size": 1000,
    }
    request = get_gift_card_activity_page_request(**asked | changes)
    return GET_GIFT_CARD_ACTIVITY_PAGE.bind(request)


def available_funds() -> Intent:
    return GET_AVAILABLE_FUNDS.bind(get_available_funds_request(partner_id=PARTNER))


INTENTS: Final[Mapping[str, Callable[[], Intent]]] = {
    "CreateGiftCard": lambda: CREATE_GIFT_CARD.bind(create_request()),
    "CancelGiftCard": lambda: CANCEL_GIFT_CARD.bind(cancel_request()),
    "ActivateGiftCard": activate,
    "DeactivateGiftCard": deactivate,
    "ActivationStatusCheck": status_check,
    "LoadAmazonBalance": load,
    "VoidAmazonBalanceLoad": void,
    "ValidateAccountForAmazonBalanceLoad": validate,
    "GetAvailableFunds": available_funds,
    "GetGiftCardActivityPage": activity_page,
}
"""One request for each operation."""

FULL_INTENTS: Final[Mapping[str, Callable[[], Intent]]] = {
    "ActivateGiftCard": lambda: activate(
        program_id="Spring31",
        product_type="bookPV",
        transaction_source=TransactionSource(source_id='till "4"', institution_id="shop <9>"),
    ),
    "LoadAmazonBalance": lambda: load(
        notification_message="Æsop & Co",
        external_reference="order 7",
        transaction_source=TransactionSource(
            source_id="till 4", institution_id="shop 9", source_details='{"floor": 2}'
        ),
        timestamp=1_922_400_000_000,
    ),
    "VoidAmazonBalanceLoad": lambda: void(void_if_used=True),
    "GetGiftCardActivityPage": lambda: activity_page(page_index=3, show_no_ops=True),
}
"""The same with everything that can be said."""


# --- answers -----------------------------------------------------------------------------------

VALUE: Final = {"amount": 12.5, "currencyCode": "USD"}
LOADED: Final = {"currencyCode": "USD", "value": 1250}


def physical(
    status: object = "Activated", id_member: str = "activationRequestId", **changes: object
) -> dict[str, object]:
    """Return the answer of an operation on a physical card; `...` leaves a member out."""
    info = {"cardNumber": CARD_NUMBER, "cardStatus": status, "expirationDate": None, "value": VALUE}
    whole = {id_member: REQUEST_ID, "cardInfo": without(info | changes), "status": "SUCCESS"}
    return without(whole)


def balance(**changes: object) -> dict[str, object]:
    whole = {"amount": LOADED, "loadBalanceRequestId": REQUEST_ID, "status": "SUCCESS"}
    return without(whole | changes)


def activity_row(**changes: object) -> dict[str, object]:
    whole = {
        "activityStatus": "SUCCESS",
        "activityTime": "20310203T040506Z",
        "activityType": "Create",
        "cardNumber": None,
        "cardValue": VALUE,
        "failureCode": None,
        "gcId": "A1B2",
        "isRealOp": "true",
        "partnerId": PARTNER,
        "requestId": REQUEST_ID,
    }
    return without(whole | changes)


def activity(*rows: object, total: object = ..., **changes: object) -> dict[str, object]:
    whole = {
        "cardActivityList": list(rows),
        "status": "SUCCESS",
        "totalNumberOfTransactionsInRequestedTimeFrame": len(rows) if total is ... else total,
    }
    return without(whole | changes)


def without(members: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in members.items() if value is not ...}


# --- legs --------------------------------------------------------------------------------------


def _forward(intent: Callable[[], Intent]) -> Callable[[], Leg]:
    return lambda: intent().legs(None).forward.outcome


def _undo(intent: Callable[[], Intent]) -> Callable[[], Leg]:
    def leg() -> Leg:
        undo = intent().legs(None).undo
        assert undo is not None
        return undo.outcome

    return leg


def _lookup() -> Leg:
    lookup = activate().legs(None).lookup
    assert lookup is not None
    return lookup.outcome


LEGS: Final[Mapping[str, Callable[[], Leg]]] = {
    **replies.LEGS,
    "activate": _forward(activate),
    "undo activate": _undo(activate),
    "look up activate": _lookup,
    "deactivate": _forward(deactivate),
    "status": _forward(status_check),
    "load": _forward(load),
    "undo load": _undo(load),
    "void": _forward(void),
    "validate": _forward(validate),
    "activity": _forward(activity_page),
}

UNDO_LEGS: Final = ("undo", "undo activate", "undo load")
COMPENSATED_LEGS: Final = ("create", "activate", "load")
"""The forward legs that have an undo."""

SUCCESSES: Final[Mapping[str, Callable[[], dict[str, object]]]] = {
    "create": card,
    "undo": cancelled,
    "cancel": cancelled,
    "funds": funds,
    "activate": physical,
    "undo activate": lambda: physical("AwaitingActivation"),
    "look up activate": lambda: physical(id_member="statusCheckRequestId"),
    "deactivate": lambda: physical("AwaitingActivation"),
    "status": lambda: physical(id_member="statusCheckRequestId"),
    "load": balance,
    "undo load": balance,
    "void": balance,
    "validate": balance,
    "activity": lambda: activity(activity_row(), activity_row(requestId="PartaOther")),
}
"""What each leg is answered with when all went well."""


# --- XML ---------------------------------------------------------------------------------------


def xml(root: str, members: Mapping[str, object], status: int = 200) -> Reply:
    """Return a reply in XML, in the shape of Amazon's error page: what is null is left out."""
    return Reply(status, "application/xml", _element(root, members).encode())


def _element(name: str, value: object) -> str:
    return f"<{name}>{_content(value)}</{name}>"


def _content(value: object) -> str:
    if isinstance(value, dict):
        inside = ((name, one) for name, one in value.items() if one is not None)
        return "".join(_element(name, one) for name, one in inside)
    if isinstance(value, list):
        return "".join(_element("member", one) for one in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return escape(str(value), quote=False)
