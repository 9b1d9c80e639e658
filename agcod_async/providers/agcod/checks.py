"""What every checked request has in common. Each check raises `InvalidValueError` or passes."""

import re
from typing import Final

from agcod_async.providers.agcod import xml_form
from agcod_async.providers.agcod.messages import TransactionSource
from agcod_async.values import InvalidValueError, Money, RequestId, check_partner_id

PROGRAM_ID_LENGTH_MAX: Final = 100
PRODUCT_TYPE_LENGTH_MAX: Final = 50
EXTERNAL_REFERENCE_LENGTH_MAX: Final = 100  # error F2042
SOURCE_ID_LENGTH_MAX: Final = 40  # error F2044
_SOURCE_TEXT_LENGTH_MAX: Final = 4_096  # ours: Amazon names no limit for the other two


def checked_id(request_id: str, partner_id: str, *, mock_ids_allowed: bool) -> RequestId:
    """Return the request ID, which may be sent for this partner."""
    check_partner_id(partner_id)
    checked = RequestId(request_id)
    checked.check_partner(partner_id, mock_allowed=mock_ids_allowed)
    return checked


def check_above_zero(amount: Money) -> None:
    """Pass an amount above zero; whether it is too small or too large is Amazon's to judge."""
    if amount.amount <= 0:
        raise InvalidValueError("amount", f"{amount} is not above zero", "more than zero")


def check_transaction_source(source: TransactionSource | None) -> None:
    """Pass a source that says something, within the documented limits."""
    if source is None:
        return
    fields = (source.source_id, source.institution_id, source.source_details)
    if all(text is None for text in fields):
        raise InvalidValueError("transaction_source", "is empty", "at least one field")
    check_text("transaction_source.source_id", source.source_id, SOURCE_ID_LENGTH_MAX)
    for name, text in (
        ("transaction_source.institution_id", source.institution_id),
        ("transaction_source.source_details", source.source_details),
    ):
        check_text(name, text, _SOURCE_TEXT_LENGTH_MAX)


def check_program(program_id: str | None, product_type: str | None) -> None:
    """Pass what resellers and sellers of product vouchers add."""
    check_text("program_id", program_id, PROGRAM_ID_LENGTH_MAX, alphanumeric=True)
    check_text("product_type", product_type, PRODUCT_TYPE_LENGTH_MAX, alphanumeric=True)


def check_text(
    field: str, text: str | None, length_max: int, *, alphanumeric: bool = False
) -> None:
    """Pass a text of 1 to `length_max` characters that can be sent, or None."""
    if text is None:
        return
    limit = f"1 to {length_max} {'letters and digits' if alphanumeric else 'characters'}"
    if not 1 <= len(text) <= length_max:
        raise InvalidValueError(field, f"has {len(text)} characters", limit)
    if alphanumeric and not (text.isascii() and text.isalnum()):
        raise InvalidValueError(field, "has something else than letters and digits", limit)
    if re.search("[\ud800-\udfff]", text):
        raise InvalidValueError(field, "has half a character (a lone surrogate)", "valid Unicode")
    # One rule for both wire formats: what can be sent in one can be sent in the other.
    if not xml_form.can_carry(text):
        raise InvalidValueError(field, "has a control character", "text that XML can carry")
