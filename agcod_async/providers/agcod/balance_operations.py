"""The operations on customers' balances, as data; see `operations`.

None of their records can be sent again: account and notification are not in them.
"""

from typing import Final

from agcod_async.core.facts import Proof
from agcod_async.providers.agcod.balance_messages import (
    AccountValidation,
    BalanceLoad,
    BalanceVoid,
    LoadAmazonBalanceRequest,
    ValidateAccountForAmazonBalanceLoadRequest,
    VoidAmazonBalanceLoadRequest,
)
from agcod_async.providers.agcod.balance_recovery import (
    load_outcome,
    undo_load_outcome,
    validate_outcome,
    void_outcome,
)
from agcod_async.providers.agcod.codec import encode
from agcod_async.providers.base import Identity, Operation, UndoLeg
from agcod_async.values import Money, RequestId


def _encode_undo_of(request: LoadAmazonBalanceRequest) -> bytes:
    return encode(request.undone())


def _on_record(
    request: LoadAmazonBalanceRequest
    | VoidAmazonBalanceLoadRequest
    | ValidateAccountForAmazonBalanceLoadRequest,
) -> bytes:
    return encode(request.on_record())


def _load_id(request: LoadAmazonBalanceRequest | VoidAmazonBalanceLoadRequest) -> RequestId:
    return request.load_balance_request_id


def _load_amount(request: LoadAmazonBalanceRequest | VoidAmazonBalanceLoadRequest) -> Money:
    return request.amount.money


LOAD_AMAZON_BALANCE: Final[Operation[LoadAmazonBalanceRequest, BalanceLoad]] = Operation(
    name="LoadAmazonBalance",
    answer_type=BalanceLoad,
    encode=encode,
    on_record=_on_record,
    decode_request=None,
    outcome=load_outcome,
    identity=Identity(
        request_id=_load_id, amount=_load_amount, under=LoadAmazonBalanceRequest.under
    ),
    # Amazon names no time limit: its answer tells (error F2045).
    undo=UndoLeg(
        operation="VoidAmazonBalanceLoad",
        encode=_encode_undo_of,
        outcome=undo_load_outcome,
        window_seconds=None,
    ),
    proof=Proof.NOTHING,
)
"""Credit a customer's account. Undone by VoidAmazonBalanceLoad; nothing shows what became of it."""

VOID_AMAZON_BALANCE_LOAD: Final[Operation[VoidAmazonBalanceLoadRequest, BalanceVoid]] = Operation(
    name="VoidAmazonBalanceLoad",
    answer_type=BalanceVoid,
    encode=encode,
    on_record=_on_record,
    decode_request=None,
    outcome=void_outcome,
    identity=Identity(
        request_id=_load_id, amount=_load_amount, under=VoidAmazonBalanceLoadRequest.under
    ),
)
"""Take a load back, under its ID."""

VALIDATE_ACCOUNT: Final[
    Operation[ValidateAccountForAmazonBalanceLoadRequest, AccountValidation]
] = Operation(
    name="ValidateAccountForAmazonBalanceLoad",
    answer_type=AccountValidation,
    encode=encode,
    on_record=_on_record,
    decode_request=None,
    outcome=validate_outcome,
)
"""Ask whether an account could be credited. Loads nothing."""
