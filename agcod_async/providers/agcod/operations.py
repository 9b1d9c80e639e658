"""AGCOD as data: its operations and how they are addressed, limited and undone.

A new operation is a request, an answer and a result in a file of messages, a checked constructor
in one of requests, an outcome function in one of recovery, and a row here or in the file of its
family.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Final, Literal

from agcod_async.errors import AccountError, InvalidRequestError
from agcod_async.providers.agcod.activation_operations import (
    ACTIVATE_GIFT_CARD,
    ACTIVATION_STATUS_CHECK,
    DEACTIVATE_GIFT_CARD,
)
from agcod_async.providers.agcod.activity_messages import (
    ActivityPage,
    GetGiftCardActivityPageRequest,
)
from agcod_async.providers.agcod.activity_recovery import activity_outcome
from agcod_async.providers.agcod.balance_operations import (
    LOAD_AMAZON_BALANCE,
    VALIDATE_ACCOUNT,
    VOID_AMAZON_BALANCE_LOAD,
)
from agcod_async.providers.agcod.codec import as_xml, decode_request, encode
from agcod_async.providers.agcod.messages import (
    AvailableFunds,
    CancelGiftCardRequest,
    Cancellation,
    CreateGiftCardRequest,
    GetAvailableFundsRequest,
    GiftCard,
)
from agcod_async.providers.agcod.recovery import (
    cancel_outcome,
    create_outcome,
    funds_outcome,
    undo_create_outcome,
)
from agcod_async.providers.base import Identity, Operation, Provider, UndoLeg
from agcod_async.values import Money, RequestId

# Amazon's FAQ: a cancel must arrive within 15 minutes of the create. The last 30 seconds are left
# to clocks and the way there.
CANCEL_WINDOW_SECONDS: Final = 15 * 60 - 30


def _encode_cancel_of(request: CreateGiftCardRequest) -> bytes:
    return encode(request.cancelled())


def _create_id(request: CreateGiftCardRequest) -> RequestId:
    return request.creation_request_id


def _create_amount(request: CreateGiftCardRequest) -> Money:
    return request.value.money


def _cancel_id(request: CancelGiftCardRequest) -> RequestId:
    return request.creation_request_id


CREATE_GIFT_CARD: Final[Operation[CreateGiftCardRequest, GiftCard]] = Operation(
    name="CreateGiftCard",
    answer_type=GiftCard,
    encode=encode,
    decode_request=partial(decode_request, kind=CreateGiftCardRequest),
    outcome=create_outcome,
    identity=Identity(
        request_id=_create_id, amount=_create_amount, under=CreateGiftCardRequest.under
    ),
    undo=UndoLeg(
        operation="CancelGiftCard",
        encode=_encode_cancel_of,
        outcome=undo_create_outcome,
        window_seconds=CANCEL_WINDOW_SECONDS,
    ),
)
"""Issue one gift card. Idempotent under its request ID; undone by CancelGiftCard."""

CANCEL_GIFT_CARD: Final[Operation[CancelGiftCardRequest, Cancellation]] = Operation(
    name="CancelGiftCard",
    answer_type=Cancellation,
    encode=encode,
    decode_request=partial(decode_request, kind=CancelGiftCardRequest),
    outcome=cancel_outcome,
    identity=Identity(request_id=_cancel_id, under=CancelGiftCardRequest.under),
)
"""Cancel a gift card under the request ID of its create. A repeated cancel does nothing more."""

GET_AVAILABLE_FUNDS: Final[Operation[GetAvailableFundsRequest, AvailableFunds]] = Operation(
    name="GetAvailableFunds",
    answer_type=AvailableFunds,
    encode=encode,
    decode_request=partial(decode_request, kind=GetAvailableFundsRequest),
    outcome=funds_outcome,
)
"""Ask for the account's balance. The sandbox always says 0."""

GET_GIFT_CARD_ACTIVITY_PAGE: Final[Operation[GetGiftCardActivityPageRequest, ActivityPage]] = (
    Operation(
        name="GetGiftCardActivityPage",
        answer_type=ActivityPage,
        encode=encode,
        decode_request=partial(decode_request, kind=GetGiftCardActivityPageRequest),
        outcome=activity_outcome,
    )
)
"""Ask for one page of what the account has done. Amazon can switch it off for a partner (F3008)."""

ACTIVITY_PAGES_PER_SECOND: Final = 1 / 60
"""Documented nowhere; the clients that read the report wait for a minute between pages."""

AGCOD: Final = Provider(
    name="agcod",
    signing_service="AGCODService",
    target_prefix="com.amazonaws.agcod.AGCODService",
    content_type="application/json",
    operations=MappingProxyType(
        {
            CREATE_GIFT_CARD.name: CREATE_GIFT_CARD,
            CANCEL_GIFT_CARD.name: CANCEL_GIFT_CARD,
            ACTIVATE_GIFT_CARD.name: ACTIVATE_GIFT_CARD,
            DEACTIVATE_GIFT_CARD.name: DEACTIVATE_GIFT_CARD,
            ACTIVATION_STATUS_CHECK.name: ACTIVATION_STATUS_CHECK,
            LOAD_AMAZON_BALANCE.name: LOAD_AMAZON_BALANCE,
            VOID_AMAZON_BALANCE_LOAD.name: VOID_AMAZON_BALANCE_LOAD,
            VALIDATE_ACCOUNT.name: VALIDATE_ACCOUNT,
            GET_AVAILABLE_FUNDS.name: GET_AVAILABLE_FUNDS,
            GET_GIFT_CARD_ACTIVITY_PAGE.name: GET_GIFT_CARD_ACTIVITY_PAGE,
        }
    ),
    sub_limits=MappingProxyType(
        {
            GET_AVAILABLE_FUNDS.name: 1.0,
            GET_GIFT_CARD_ACTIVITY_PAGE.name: ACTIVITY_PAGES_PER_SECOND,
        }
    ),
    # Only Amazon's front door refuses without a code: for keys, signatures and endpoints.
    declined_errors=MappingProxyType(
        {"F200": InvalidRequestError, "F300": AccountError, "": AccountError}
    ),
)
"""Amazon's Incentives API over JSON. One balance request a second is what Amazon allows."""

AGCOD_IN: Final[Mapping[Literal["json", "xml"], Provider]] = MappingProxyType(
    {"json": AGCOD, "xml": replace(AGCOD, content_type="application/xml", write=as_xml)}
)
"""The provider by the form of the wire."""
