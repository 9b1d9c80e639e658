"""The errors of the three balance operations, where Amazon's page words or names them differently.

Amazon's error page has a second table, "Other Endpoint Errors", for LoadAmazonBalance and its
companions. What is in that table stands here; every other mock code answers as it does elsewhere.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from agcod_async.testing.catalogue import REFUSALS, Refusal

_BALANCE = (
    ("F1000", "GeneralError", "Amazon internal error"),
    ("F2000", "InvalidRequestInput", "The request body is null"),
    ("F2002", "InvalidPartnerIdInput", "partnerId cannot be null"),
    ("F2003", "InvalidAmountInput", "Amount cannot be null"),
    ("F2004", "InvalidAmountValue", "Amount must be greater than 0"),
    ("F2005", "InvalidCurrencyCodeInput", "Currency code cannot be null"),
    ("F2006", "InvalidRequestIdInput", "loadBalanceRequestId cannot be null"),
    (
        "F2015",
        "MaxAmountExceeded",
        "Amount greater than maximum value allowed in the national market segment",
    ),
    ("F2017", "FractionalAmountNotAllowed", "Fractional amount not allowed in the currency"),
    ("F2021", "RequestIdTooLong", "loadBalanceRequestId greater than 40 characters"),
    (
        "F2022",
        "RequestIdMustStartWithPartnerName",
        "loadBalanceRequestId must begin with partnerId",
    ),
    (
        "F2042",
        "ExternalReferenceTooLong",
        "The value used exceeds the max number of Unicode characters",
    ),
    ("F3000", "InvalidPartnerId", "partnerId used in API request does not exist in Amazon system"),
    (
        "F3001",
        "InvalidAccessKey",
        "Security access key used to sign the request does not exist in Amazon system",
    ),
    ("F3002", "AccessDenied", "The account is blocked"),
    (
        "F3003",
        "InsufficientFunds",
        "The account does not have sufficient funds to issue the request amount",
    ),
    (
        "F3004",
        "IssuanceCapExceeded",
        "The balance issuance limit defined by the contract has been reached",
    ),
    (
        "F3006",
        "OperationNotPermitted",
        "The request is denied. Partner does not have permission to call the API",
    ),
    ("F3009", "ActiveContractNotFound", "Partner account set up is not complete"),
    (
        "F3010",
        "CustomerSurpassedDailyVelocityLimit",
        "Customer has exceeded daily velocity limit",
    ),
    (
        "F3011",
        "CustomerAccountBlocked",
        "This Amazon account is not allowed to perform this transaction",
    ),
    ("F4000", "SystemTemporarilyUnavailable", "Amazon system is temporarily not available"),
    ("F5000", "GeneralError", "Unknown error"),
)

BALANCE_REFUSALS: Final[Mapping[str, Refusal]] = MappingProxyType(
    {
        **REFUSALS,
        **{
            mock_code: Refusal(mock_code[:2] + "00", error_type, message)
            for mock_code, error_type, message in _BALANCE
        },
    }
)
"""Every error by its mock code, as the three balance operations answer it."""
