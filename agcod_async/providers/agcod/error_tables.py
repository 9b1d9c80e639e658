"""The rows of Amazon's two error tables, in our words; `catalogue` is how to look them up.

Names, classes and mock codes are Amazon's. The names without a mock code are in none of its
tables: its outage page or its clients know them.
"""

from typing import Final

OPERATIONS_TEAM: Final = (
    "Ask your regional Amazon gift card operations team; they answer within one business day."
)
_SUPPORT: Final = "Ask Amazon's integration support, incentives-api@giftcards.amazon.com."
REPLAY: Final = "The effect is unknown: settle it under the same request ID, never under a new one."
MEND: Final = "Mend the request; if it is right, ask incentives-api@giftcards.amazon.com."
_LOOK: Final = "Find out what lives under it before you order again; nothing was undone."
_CANCEL: Final = "Send the same create again: its answer shows whether the card is alive."
_KEYS: Final = (
    "Check that key, partner ID and endpoint belong together: sandbox and production, and each"
    " region, have their own."
)
_CUSTOMER: Final = "Tell the customer; another account or another day may do."

Group = tuple[str, str, tuple[tuple[str, str, str], ...]]

# (class, remedy, rows of (mock codes, name, meaning)). Where several names share a mock code, the
# first is the one that the sandbox is known to answer with.
GROUPS: Final[tuple[Group, ...]] = (
    (
        "F100",
        REPLAY,
        (
            ("F1000", "GeneralError", "Something failed inside Amazon."),
            ("F1000", "SimpleAmountIsNull", "Amazon lost the amount on its own side."),
            ("F1000", "AmountIsNull", "Amazon lost the amount on its own side."),
            ("F1000", "CurrencyCodeIsNull", "Amazon lost the currency on its own side."),
            ("F1000", "GcLocked", "Something else inside Amazon holds this gift card."),
            ("F1000", "EmptyCardInfoList", "Amazon found no card details on its own side."),
            ("F1000", "RequestError", "Amazon failed while it handled the request."),
            ("F1001", "BalanceLoadCannotBeVoided", "Amazon failed while it voided the load."),
        ),
    ),
    (
        "F200",
        MEND,
        (
            ("F2000", "InvalidRequestInput", "The request has no body."),
            ("F2001", "InvalidCardNumberInput", "The card number is missing."),
            ("F2002", "InvalidPartnerIdInput", "The partner ID is missing."),
            ("F2003", "InvalidAmountInput", "The amount is missing."),
            ("F2004", "InvalidAmountValue", "The amount is not above zero."),
            ("F2005", "InvalidCurrencyCodeInput", "The currency is missing."),
            ("F2006", "InvalidRequestIdInput", "The request ID is missing."),
            ("F2007", "CardNumberNotFound", "Amazon knows no such card."),
            ("F2011", "InvalidCardStatusForActivation", "The card cannot be activated as it is."),
            ("F2014", "NegativeOrZeroAmount", "The amount is not above zero."),
            ("F2015", "MaxAmountExceeded", "The amount is above what this marketplace allows."),
            ("F2016", "CurrencyCodeMismatch", "The currency is not the account's."),
            ("F2017", "FractionalAmountNotAllowed", "The currency has no such fractions."),
            ("F2018", "NonExistingActivationRequestId", "Nothing was activated under this ID."),
            ("F2019", "WrongActivationRequestId", "The card was activated under another ID."),
            ("F2020", "GcRTPNotAllowed", "Amazon gives no cause (a general error)."),
            ("F2021", "RequestIdTooLong", "The request ID is longer than 40 characters."),
            (
                "F2022",
                "RequestIdMustStartWithPartnerName",
                "The request ID does not begin with the partner ID (case, endpoint or region).",
            ),
            ("F2023", "CardNumberTooShort", "The card number is too short."),
            ("F2023", "CardNumberCheckSumError", "The card number's check digits are wrong."),
            ("F2024", "InvalidGCIdInput", "The gift card's gcId is missing."),
            ("F2025", "InvalidRequest", "The request lacks something, such as the gcId."),
            ("F2026", "MaxPageSizeExceeded", "The page size is too large."),
            ("F2027", "InvalidPageSize", "The page size is not one."),
            ("F2028", "InvalidPageIndex", "The page index is not one."),
            ("F2029", "InvalidStartDate", "The start date is not one."),
            ("F2030", "InvalidEndDate", "The end date is not one."),
            ("F2031", "StartDateAfterEndDate", "The start date lies after the end date."),
            ("F2032", "InvalidDateFormat", "A date is not in the expected form."),
            ("F2033", "InvalidAccountType", "The account type is none that Amazon knows."),
            ("F2034", "UndefinedAccountId", "Amazon knows no such customer account."),
            ("F2035", "AccountIdNotInValidStatus", "The customer account is not in good standing."),
            (
                "F2036",
                "InvalidCurrencyInMarketplace",
                "The customer account's marketplace does not use this currency.",
            ),
            ("F2037", "AmountBelowMinThreshold", "The amount is below the minimum."),
            (
                "F2039",
                "LoadBalanceRequestIdDoesNotExist",
                "No balance was loaded under this request ID.",
            ),
            (
                "F2041 F2045",
                "BalanceLoadCannotBeVoided",
                "The balance is already spent, or the time for voiding has passed.",
            ),
            ("F2042", "ExternalReferenceTooLong", "The external reference is too long."),
            ("F2043", "NotificationMessageTooLong", "The message is longer than 250 characters."),
            ("F2044", "SourceIdTooLong", "The source ID is longer than 40 characters."),
            ("F2048", "ProgramIdNotPresent", "This account must send a programme ID."),
        ),
    ),
    (
        "F200",
        _LOOK,
        (
            (
                "F2008",
                "PreDenominationMismatch",
                "A card with another amount already lives under this request ID.",
            ),
            (
                "F2009",
                "CardActivatedWithDifferentDenomination",
                "The card is already active with another amount.",
            ),
            (
                "F2010",
                "CardActivatedWithDifferentRequestId",
                "The card is already active under another request ID.",
            ),
            ("F2013", "ActivationRequestIdAlreadyBeenUsed", "This request ID is already used."),
            ("F2038", "LoadBalanceRequestIdAlreadyUsed", "This request ID is already used."),
            (
                "F2040",
                "RequestMismatchFromLoadRequest",
                "The balance load under this request ID has other contents.",
            ),
        ),
    ),
    (
        "F200",
        _CANCEL,
        (
            (
                "F2012",
                "InvalidCardStatusForDeactivation",
                "The card cannot be deactivated: already inactive, claimed or invalidated.",
            ),
            (
                "F2047",
                "CancelRequestArrivedAfterTimeLimit",
                "Too late: a card can be cancelled within 15 minutes of its creation.",
            ),
            # Seen by clients, in none of Amazon's tables.
            ("", "GcNotReadyForRefund", "The gift card cannot be cancelled yet."),
            ("", "ActivationNotAllowed", "The card may not be activated."),
            ("", "DeactivationNotAllowed", "The card may not be deactivated."),
        ),
    ),
    (
        "F300",
        _KEYS,
        (
            ("F3000", "InvalidPartnerId", "Amazon knows no such partner ID."),
            ("F3001", "InvalidAccessKey", "Amazon knows no such access key."),
            ("F3002", "AccessDenied", "The account is blocked."),
        ),
    ),
    (
        "F300",
        OPERATIONS_TEAM,
        (
            ("F3003", "InsufficientFunds", "The account's funds do not cover the amount."),
            ("F3004", "IssuanceCapExceeded", "The contract's limit for this period is reached."),
            ("F3005", "GeneralError", "Something is wrong with the account."),
            ("F3005", "AccountHasProblems", "Something is wrong with the account."),
            ("F3005", "OrderNotFound", "Amazon found no order under this request ID."),
            ("F3006", "OperationNotPermitted", "The account may not use this operation."),
            ("F3009", "ActiveContractNotFound", "The account has no active contract."),
            ("", "ProductTypeNotEnabledInTheContract", "The contract lacks this product type."),
        ),
    ),
    (
        "F300",
        _LOOK,
        (
            ("F3005", "WrongGcOrderSource", "The order under this ID came from elsewhere."),
            ("F3005", "WrongGcOrderType", "The order under this ID is of another kind."),
            ("F3005", "GcOrderBelongToOtherCustomer", "The order under this ID is another's."),
        ),
    ),
    (
        "F300",
        _CUSTOMER,
        (
            ("F3010", "CustomerSurpassedDailyVelocityLimit", "The day's limit is reached."),
            ("F3011", "CustomerAccountBlocked", "The customer's account may not do this."),
        ),
    ),
    (
        "F300",
        _SUPPORT,
        (
            ("F3007", "BadInput", "Amazon could not use the input."),
            (
                "F3008",
                "APIGetGiftCardActivityPageIsDisabled",
                "The activity page is switched off for this account.",
            ),
            ("F3010", "InvalidProgramId", "Amazon knows no such programme ID."),
            ("F3011", "ProgramIsNotApproved", "The programme is not approved."),
        ),
    ),
    (
        "F400",
        "Undo the request and send it again under the same request ID.",
        (("F4000", "SystemTemporarilyUnavailable", "Amazon is temporarily unavailable."),),
    ),
    (
        "F500",
        REPLAY,
        (("F5000", "GeneralError", "Amazon reports an unknown error, often its own timeout."),),
    ),
)
