"""Requests for gift cards and funds that are checked before anything is sent.

Each function takes the caller's arguments and returns the typed request, or raises
`InvalidValueError` with the field, the problem and the limit. Limits that Amazon sets per country
or contract (the smallest and largest amount, which currency) are Amazon's to judge.
"""

import re

from agcod_async.providers.agcod.checks import (
    EXTERNAL_REFERENCE_LENGTH_MAX,
    check_above_zero,
    check_program,
    check_text,
    check_transaction_source,
    checked_id,
)
from agcod_async.providers.agcod.messages import (
    CancelGiftCardRequest,
    CreateGiftCardRequest,
    GetAvailableFundsRequest,
    TransactionSource,
    Value,
)
from agcod_async.values import InvalidValueError, Money, check_partner_id

_GC_ID_LENGTH_MAX = 100  # ours
_VISIBLE = re.compile(r"[!-~]+")


def create_gift_card_request(
    *,
    request_id: str,
    amount: Money,
    partner_id: str,
    mock_ids_allowed: bool,
    program_id: str | None = None,
    product_type: str | None = None,
    external_reference: str | None = None,
    transaction_source: TransactionSource | None = None,
) -> CreateGiftCardRequest:
    """Return the request for a gift card of `amount` under `request_id`.

    `program_id` is for resellers, `product_type` for product vouchers, `transaction_source` for
    shops with a till. Keep recipients out of `external_reference`: it is kept on record.
    """
    check_program(program_id, product_type)
    check_text("external_reference", external_reference, EXTERNAL_REFERENCE_LENGTH_MAX)
    check_transaction_source(transaction_source)
    check_above_zero(amount)
    return CreateGiftCardRequest(
        creation_request_id=checked_id(request_id, partner_id, mock_ids_allowed=mock_ids_allowed),
        partner_id=partner_id,
        value=Value.of(amount),
        program_id=program_id,
        product_type=product_type,
        external_reference=external_reference,
        transaction_source=transaction_source,
    )


def cancel_gift_card_request(
    *, request_id: str, partner_id: str, mock_ids_allowed: bool, gc_id: str | None = None
) -> CancelGiftCardRequest:
    """Return the request to cancel the gift card that was created under `request_id`."""
    check_text("gc_id", gc_id, _GC_ID_LENGTH_MAX)
    if gc_id is not None and not _VISIBLE.fullmatch(gc_id):
        raise InvalidValueError("gc_id", "has a blank or a foreign letter", "as Amazon gave it")
    return CancelGiftCardRequest(
        creation_request_id=checked_id(request_id, partner_id, mock_ids_allowed=mock_ids_allowed),
        partner_id=partner_id,
        gc_id=gc_id,
    )


def get_available_funds_request(*, partner_id: str) -> GetAvailableFundsRequest:
    """Return the request for the account's balance."""
    check_partner_id(partner_id)
    return GetAvailableFundsRequest(partner_id=partner_id)
