"""Requests that are checked before anything is sent.

Each function takes the caller's arguments and returns the typed request, or raises
`InvalidValueError` with the field, the problem and the limit. Limits that Amazon sets per country
or contract (the smallest and largest amount, which currency) are Amazon's to judge.
"""

import re
import warnings

from agcod_async.providers.agcod.messages import (
    CancelGiftCardRequest,
    CreateGiftCardRequest,
    GetAvailableFundsRequest,
    TransactionSource,
    Value,
)
from agcod_async.values import InvalidValueError, Money, RequestId, check_partner_id

PROGRAM_ID_LENGTH_MAX = 100
PRODUCT_TYPE_LENGTH_MAX = 50
EXTERNAL_REFERENCE_LENGTH_MAX = 100  # error F2042
SOURCE_ID_LENGTH_MAX = 40  # error F2044
_SOURCE_TEXT_LENGTH_MAX = 4_096  # ours: Amazon names no limit for the other two
_GC_ID_LENGTH_MAX = 100  # ours
_VISIBLE = re.compile(r"[!-~]+")


class UnknownCurrencyWarning(UserWarning):
    """A currency that Amazon's marketplaces are not known to use. The request is sent all the same.

    Its number of decimal places is not known here, so a fraction too fine is not noticed before
    Amazon refuses it.
    """


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
    _check_optional("program_id", program_id, PROGRAM_ID_LENGTH_MAX, alphanumeric=True)
    _check_optional("product_type", product_type, PRODUCT_TYPE_LENGTH_MAX, alphanumeric=True)
    _check_optional("external_reference", external_reference, EXTERNAL_REFERENCE_LENGTH_MAX)
    if transaction_source is not None:
        _check_transaction_source(transaction_source)
    _check_amount(amount)
    return CreateGiftCardRequest(
        creation_request_id=_checked_id(request_id, partner_id, mock_ids_allowed=mock_ids_allowed),
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
    _check_optional("gc_id", gc_id, _GC_ID_LENGTH_MAX)
    if gc_id is not None and not _VISIBLE.fullmatch(gc_id):
        raise InvalidValueError("gc_id", "has a blank or a foreign letter", "as Amazon gave it")
    return CancelGiftCardRequest(
        creation_request_id=_checked_id(request_id, partner_id, mock_ids_allowed=mock_ids_allowed),
        partner_id=partner_id,
        gc_id=gc_id,
    )


def get_available_funds_request(*, partner_id: str) -> GetAvailableFundsRequest:
    """Return the request for the account's balance."""
    check_partner_id(partner_id)
    return GetAvailableFundsRequest(partner_id=partner_id)


def _checked_id(request_id: str, partner_id: str, *, mock_ids_allowed: bool) -> RequestId:
    check_partner_id(partner_id)
    checked = RequestId(request_id)
    checked.check_partner(partner_id, mock_allowed=mock_ids_allowed)
    return checked


def _check_amount(amount: Money) -> None:
    if amount.amount <= 0:
        raise InvalidValueError("amount", f"{amount} is not above zero", "more than zero")
    if not amount.currency_is_known:
        # The fourth frame up is the caller of the session's method.
        warnings.warn(
            f"{amount.currency} is no currency that Amazon's marketplaces are known to use",
            UnknownCurrencyWarning,
            stacklevel=4,
        )


def _check_transaction_source(source: TransactionSource) -> None:
    fields = (source.source_id, source.institution_id, source.source_details)
    if all(text is None for text in fields):
        raise InvalidValueError("transaction_source", "is empty", "at least one field")
    _check_optional("transaction_source.source_id", source.source_id, SOURCE_ID_LENGTH_MAX)
    for name, text in (
        ("transaction_source.institution_id", source.institution_id),
        ("transaction_source.source_details", source.source_details),
    ):
        _check_optional(name, text, _SOURCE_TEXT_LENGTH_MAX)


def _check_optional(
    field: str, text: str | None, length_max: int, *, alphanumeric: bool = False
) -> None:
    if text is None:
        return
    limit = f"1 to {length_max} {'letters and digits' if alphanumeric else 'characters'}"
    if not 1 <= len(text) <= length_max:
        raise InvalidValueError(field, f"has {len(text)} characters", limit)
    if alphanumeric and not (text.isascii() and text.isalnum()):
        raise InvalidValueError(field, "has something else than letters and digits", limit)
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise InvalidValueError(field, "has half a character (a lone surrogate)", "valid Unicode")
