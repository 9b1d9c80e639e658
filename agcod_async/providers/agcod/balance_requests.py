"""Requests about balance loads that are checked before anything is sent; see `requests`."""

from typing import Final

from agcod_async.providers.agcod.balance_messages import (
    AccountKey,
    LoadAmazonBalanceRequest,
    LoadAmount,
    ValidateAccountForAmazonBalanceLoadRequest,
    VoidAmazonBalanceLoadRequest,
)
from agcod_async.providers.agcod.checks import (
    EXTERNAL_REFERENCE_LENGTH_MAX,
    check_above_zero,
    check_text,
    check_transaction_source,
    checked_id,
)
from agcod_async.providers.agcod.messages import TransactionSource
from agcod_async.providers.agcod.recipients import Account, Notification
from agcod_async.values import InvalidValueError, Money

NOTIFICATION_LENGTH_MAX: Final = 250  # error F2043
_MILLISECONDS = range(10**12, 10**13)  # from 2001 to 2286: seconds would be far below


def load_amazon_balance_request(
    *,
    request_id: str,
    account: Account,
    amount: Money,
    partner_id: str,
    mock_ids_allowed: bool,
    notification_message: str | None = None,
    external_reference: str | None = None,
    transaction_source: TransactionSource | None = None,
    timestamp: int | None = None,
) -> LoadAmazonBalanceRequest:
    """Return the request to credit `account` with `amount`.

    `timestamp` is in milliseconds since 1970. Under one request ID it must stay the same, so it
    is the caller's, and nothing is sent in its place. Keep recipients out of `external_reference`:
    it is kept on record.
    """
    check_text("notification_message", notification_message, NOTIFICATION_LENGTH_MAX)
    check_text("external_reference", external_reference, EXTERNAL_REFERENCE_LENGTH_MAX)
    check_transaction_source(transaction_source)
    if timestamp is not None and timestamp not in _MILLISECONDS:
        raise InvalidValueError(
            "timestamp", f"{timestamp} lies before 2001 or after 2286", "milliseconds since 1970"
        )
    return LoadAmazonBalanceRequest(
        account=_checked_account(account, mock_ids_allowed=mock_ids_allowed),
        partner_id=partner_id,
        amount=_checked_amount(amount),
        load_balance_request_id=checked_id(request_id, partner_id, mock_ids_allowed=False),
        timestamp=timestamp,
        transaction_source=transaction_source,
        notification_details=None
        if notification_message is None
        else Notification(notification_message),
        external_reference=external_reference,
    )


def void_amazon_balance_load_request(
    *,
    request_id: str,
    account: Account,
    amount: Money,
    partner_id: str,
    mock_ids_allowed: bool,
    void_if_used: bool = False,
) -> VoidAmazonBalanceLoadRequest:
    """Return the request to take back the load under `request_id`.

    With `void_if_used`, Amazon takes it back even if the customer has spent it.
    """
    return VoidAmazonBalanceLoadRequest(
        account=_checked_account(account, mock_ids_allowed=mock_ids_allowed),
        partner_id=partner_id,
        amount=_checked_amount(amount),
        load_balance_request_id=checked_id(request_id, partner_id, mock_ids_allowed=False),
        void_if_used=void_if_used,
    )


def validate_account_request(
    *, request_id: str, account: Account, amount: Money, partner_id: str, mock_ids_allowed: bool
) -> ValidateAccountForAmazonBalanceLoadRequest:
    """Return the question whether `account` could be credited with `amount`."""
    return ValidateAccountForAmazonBalanceLoadRequest(
        account=_checked_account(account, mock_ids_allowed=mock_ids_allowed),
        partner_id=partner_id,
        amount=_checked_amount(amount),
        load_balance_request_id=checked_id(request_id, partner_id, mock_ids_allowed=False),
    )


def _checked_account(account: Account, *, mock_ids_allowed: bool) -> AccountKey:
    # Here a mock code stands in place of the account and not of the request ID.
    if account.is_mock and not mock_ids_allowed:
        raise InvalidValueError("account.id", "is a mock code", "sandbox only")
    return AccountKey.of(account)


def _checked_amount(amount: Money) -> LoadAmount:
    check_above_zero(amount)
    return LoadAmount.of(amount)
