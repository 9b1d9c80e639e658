"""The errors that Amazon documents, as data: what each mock code and each refusal answers.

The rows are those of Amazon's error page ("Errors and Mock Errors"). Where recorded sandbox
replies use another name than the page, the recorded name stands here, with a comment. Where the
page gives several names for one mock code, one was chosen; that is said too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

MOCK_SUCCESS: Final = "F0000"
"""The request ID that is answered with SUCCESS and fixed values, and changes nothing."""

MOCK_CLAIM_CODE: Final = "ZYXW-VUTS-RQPO"
MOCK_GC_ID: Final = "ABC123ZYX987"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One business error as the wire tells it: `code` is the class, such as F200."""

    code: str
    error_type: str
    message: str

    @property
    def status(self) -> str:
        """Return RESEND for F400 ("and not Failure", says Amazon's table), else FAILURE."""
        return "RESEND" if self.code == "F400" else "FAILURE"


_INPUT = (
    ("F2000", "InvalidRequestInput", "Request body is null"),
    ("F2001", "InvalidCardNumberInput", "Card number can't be null or empty"),
    ("F2002", "InvalidPartnerIdInput", "Partner Id can't be null or empty"),
    ("F2003", "InvalidAmountInput", "Amount can't be null"),
    ("F2004", "InvalidAmountValue", "Amount must be larger than 0"),
    ("F2005", "InvalidCurrencyCodeInput", "Currency Code can't be null or empty"),
    ("F2006", "InvalidRequestIdInput", "Request Id can't be null or empty"),
    ("F2007", "CardNumberNotFound", "Card Number Not Found"),
    ("F2008", "PreDenominationMismatch", "Pre Denomination Mismatch"),
    (
        "F2009",
        "CardActivatedWithDifferentDenomination",
        "The card was already activated with a different denomination",
    ),
    # Recorded sandbox replies carry this name; the page says CardActivatedWithDifferentRequestId.
    (
        "F2010",
        "CardAlreadyActivatedWithDifferentRequestId",
        "The card was already activated with a different request id",
    ),
    (
        "F2011",
        "InvalidCardStatusForActivation",
        "Current card status is not valid for activation",
    ),
    (
        "F2012",
        "InvalidCardStatusForDeactivation",
        "Current card status is not valid for deactivation",
    ),
    (
        "F2013",
        "ActivationRequestIdAlreadyBeenUsed",
        "Activation RequestId Already Been Used",
    ),
    ("F2014", "NegativeOrZeroAmount", "Negative Or Zero Amount"),
    ("F2015", "MaxAmountExceeded", "Max Amount Exceeded"),
    ("F2016", "CurrencyCodeMismatch", "Currency Code Mismatch"),
    ("F2017", "FractionalAmountNotAllowed", "Fractional Amount Not Allowed"),
    ("F2018", "NonExistingActivationRequestId", "No matching activation request ID"),
    ("F2019", "WrongActivationRequestId", "Wrong Activation RequestId"),
    ("F2020", "GcRTPNotAllowed", "General Error"),
    ("F2021", "RequestIdTooLong", "Request Id Too Long, Max allowed length is 40"),
    (
        "F2022",
        "RequestIdMustStartWithPartnerName",
        "Request Id Must Start With Partner Name",
    ),
    # The page gives CardNumberTooShort for the same code too.
    ("F2023", "CardNumberCheckSumError", "Invalid Card Number"),
    ("F2024", "InvalidGCIdInput", "GC Id can't be null or empty"),
    ("F2025", "InvalidRequest", "GC Id can't be null or empty"),
    ("F2026", "MaxPageSizeExceeded", "Max Page Size Exceeded"),
    ("F2027", "InvalidPageSize", "Invalid Page Size"),
    ("F2028", "InvalidPageIndex", "Invalid Page Index"),
    ("F2029", "InvalidStartDate", "Invalid Start Date"),
    ("F2030", "InvalidEndDate", "Invalid End Date"),
    ("F2031", "StartDateAfterEndDate", "Start Date After End Date"),
    ("F2032", "InvalidDateFormat", "Invalid Date Format"),
    ("F2033", "InvalidAccountType", "Account type provided in request is undefined"),
    (
        "F2034",
        "UndefinedAccountId",
        "AccountId provided in request does not exist in Amazon system",
    ),
    (
        "F2035",
        "AccountIdNotInValidStatus",
        "AccountId not in valid status for requested operation",
    ),
    (
        "F2036",
        "InvalidCurrencyInMarketplace",
        "Currency code is not supported in national market segment where AccountId is created",
    ),
    ("F2037", "AmountBelowMinThreshold", "Amount below minimum required amount"),
    (
        "F2038",
        "LoadBalanceRequestIdAlreadyUsed",
        "loadBalanceRequestId provided in load API has already been used",
    ),
    (
        "F2039",
        "LoadBalanceRequestIdDoesNotExist",
        "Load request with loadBalanceRequestId provided in the void API does not exist",
    ),
    (
        "F2040",
        "RequestMismatchFromLoadRequest",
        "Parameters passed in a void request do not match the parameters of a Load request",
    ),
    ("F2041", "BalanceLoadCannotBeVoided", "The loaded balance has been used"),
    ("F2042", "ExternalReferenceTooLong", "External Reference is too long"),
    (
        "F2043",
        "NotificationMessageTooLong",
        "The value used in the notificationDetails parameter exceeds 250 Unicode characters",
    ),
    (
        "F2044",
        "SourceIdTooLong",
        "The value used in the sourceID field exceeded the max number of 40 Unicode characters",
    ),
    (
        "F2045",
        "BalanceLoadCannotBeVoided",
        "Unable to void balance, request arrived beyond the time limit",
    ),
    (
        "F2047",
        "CancelRequestArrivedAfterTimeLimit",
        "Cancellation cannot be processed as too much time has elapsed since creation",
    ),
    ("F2048", "ProgramIdNotPresent", "Program Id is not present"),
)

_ACCOUNT = (
    ("F3000", "InvalidPartnerId", "Invalid Partner Id"),
    ("F3001", "InvalidAccessKey", "Invalid Access Key"),
    ("F3002", "AccessDenied", "Access Denied"),
    ("F3003", "InsufficientFunds", "Insufficient Funds"),
    ("F3004", "IssuanceCapExceeded", "Issuance Cap Exceeded"),
    # One code for six names; recorded replies carry this one.
    ("F3005", "GeneralError", "General Error"),
    ("F3006", "OperationNotPermitted", "Operation Not Permitted"),
    ("F3007", "BadInput", "Bad Input Data"),
    ("F3008", "APIGetGiftCardActivityPageIsDisabled", "GeneralError"),
    ("F3009", "ActiveContractNotFound", "Active Contract Not Found"),
    # The page gives InvalidProgramId for the same code; recorded creates answer this one.
    (
        "F3010",
        "CustomerSurpassedDailyVelocityLimit",
        "Customer has exceeded daily velocity limit",
    ),
    # The page gives CustomerAccountBlocked for the same code too.
    ("F3011", "ProgramIsNotApproved", "Program is not approved"),
)

_SYSTEM = (
    # One code for six names; recorded replies carry this one.
    ("F1000", "GeneralError", "General Error"),
    (
        "F1001",
        "BalanceLoadCannotBeVoided",
        "Unable to void balance load due to Amazon internal error",
    ),
    ("F4000", "SystemTemporarilyUnavailable", "System Temporarily Unavailable"),
    ("F5000", "GeneralError", "General Error"),
)

REFUSALS: Final[Mapping[str, Refusal]] = MappingProxyType(
    {
        mock_code: Refusal(mock_code[:2] + "00", error_type, message)
        for mock_code, error_type, message in (*_SYSTEM, *_INPUT, *_ACCOUNT)
    }
)
"""Every error by its mock code: what a request with this ID answers, and what a rule refuses."""

CANCEL_NOT_FOUND: Final = Refusal("F200", "CardNotFound", "Card Not Found")
"""A cancel of an ID that was never created. Amazon documents no answer for it: this name is the
one that independent clients know for a missing card."""

CARD_NUMBER_TOO_SHORT: Final = Refusal("F200", "CardNumberTooShort", "Invalid Card Number")
INVALID_PROGRAM_ID: Final = Refusal(
    "F300", "InvalidProgramId", "Program Id does not exist in Amazon system"
)
"""Two names that share a mock code with another one, which answers the mock."""

VALIDATIONS: Final = frozenset(
    refusal
    for code, refusal in REFUSALS.items()
    if code in ("F2014", "F2017", "F2042", "F2048")
    or "F2000" <= code <= "F2006"
    or "F2021" <= code <= "F2032"
) | {CARD_NUMBER_TOO_SHORT}
"""What is wrong with a request as it stands, whatever the account holds.

In XML these come as AGCODValidationException. Amazon shows one example and no list: the rest is
drawn from the names.
"""
