"""Requests about physical cards that are checked before anything is sent; see `requests`."""

from agcod_async.providers.agcod.activation_messages import (
    ActivateGiftCardRequest,
    ActivationStatusCheckRequest,
    DeactivateGiftCardRequest,
    TillText,
)
from agcod_async.providers.agcod.checks import (
    check_above_zero,
    check_program,
    check_transaction_source,
    checked_id,
)
from agcod_async.providers.agcod.messages import TransactionSource, Value
from agcod_async.providers.agcod.recipients import CardNumber
from agcod_async.values import InvalidValueError, Money


def activate_gift_card_request(
    *,
    request_id: str,
    card_number: str | CardNumber,
    amount: Money,
    partner_id: str,
    mock_ids_allowed: bool,
    program_id: str | None = None,
    product_type: str | None = None,
    transaction_source: TransactionSource | None = None,
) -> ActivateGiftCardRequest:
    """Return the request to give the card `amount`.

    An activation names the till by `institution_id` and `source_id` alone (Amazon's sample).
    """
    card_number = _checked_number(card_number)
    check_program(program_id, product_type)
    check_transaction_source(transaction_source)
    if transaction_source is not None and transaction_source.source_details is not None:
        raise InvalidValueError(
            "transaction_source.source_details", "is not sent for an activation", "the other two"
        )
    check_above_zero(amount)
    return ActivateGiftCardRequest(
        activation_request_id=checked_id(request_id, partner_id, mock_ids_allowed=mock_ids_allowed),
        partner_id=partner_id,
        card_number=card_number,
        value=Value.of(amount),
        program_id=program_id,
        product_type=product_type,
        transaction_source=None if transaction_source is None else TillText.of(transaction_source),
    )


def deactivate_gift_card_request(
    *, request_id: str, card_number: str | CardNumber, partner_id: str, mock_ids_allowed: bool
) -> DeactivateGiftCardRequest:
    """Return the request to take back what was activated under `request_id`."""
    card_number = _checked_number(card_number)
    return DeactivateGiftCardRequest(
        activation_request_id=checked_id(request_id, partner_id, mock_ids_allowed=mock_ids_allowed),
        partner_id=partner_id,
        card_number=card_number,
    )


def activation_status_check_request(
    *, request_id: str, card_number: str | CardNumber, partner_id: str, mock_ids_allowed: bool
) -> ActivationStatusCheckRequest:
    """Return the question about what was activated under `request_id`."""
    card_number = _checked_number(card_number)
    return ActivationStatusCheckRequest(
        status_check_request_id=checked_id(
            request_id, partner_id, mock_ids_allowed=mock_ids_allowed
        ),
        partner_id=partner_id,
        card_number=card_number,
    )


def _checked_number(card_number: str | CardNumber) -> CardNumber:
    return card_number if isinstance(card_number, CardNumber) else CardNumber(card_number)
