"""The errors that find the request at fault (F200), in our words; `catalogue` looks them up.

Names and mock codes are Amazon's. The names without a mock code are in none of its tables: its
clients know them. Those that answer nothing but balance loads are in `balance_errors`.
"""

from typing import Final

from agcod_async.core.outcomes import Conflict, NothingToUndo, Refused, TooLate, Unclear
from agcod_async.providers.agcod.advice import Family, Group
from agcod_async.providers.agcod.contacts import Team

MEND: Final = "Mend the request."
LOOK: Final = "Find out what lives under it before you order again; nothing was undone."
CHECK: Final = "Check the ID and the endpoint."
_CANCEL: Final = "Send the same create again: its answer shows whether the card is alive."

_CARD: Final = Family.GIFT_CARD
_BOTH: Final = Family.BOTH

_REFUSED: Final = Group(
    code="F200",
    team=Team.INTEGRATION,
    forward=Refused,
    undo=Refused,
    rows=(
        ("F2000", "InvalidRequestInput", _BOTH, "The request has no body.", MEND),
        ("F2001", "InvalidCardNumberInput", _CARD, "The card number is missing.", MEND),
        ("F2002", "InvalidPartnerIdInput", _BOTH, "The partner ID is missing.", MEND),
        ("F2003", "InvalidAmountInput", _BOTH, "The amount is missing.", MEND),
        ("F2004", "InvalidAmountValue", _BOTH, "The amount is not above zero.", MEND),
        ("F2005", "InvalidCurrencyCodeInput", _BOTH, "The currency is missing.", MEND),
        ("F2006", "InvalidRequestIdInput", _BOTH, "The request ID is missing.", MEND),
        (
            "F2011",
            "InvalidCardStatusForActivation",
            _CARD,
            "The card cannot be activated as it is: already active, claimed or invalidated.",
            "Ask for its status before you sell it.",
        ),
        ("F2014", "NegativeOrZeroAmount", _CARD, "The amount is not above zero.", MEND),
        (
            "F2015",
            "MaxAmountExceeded",
            _BOTH,
            "The amount is above what this marketplace allows (a card in the US: 2,000 USD).",
            "Ask for less.",
        ),
        (
            "F2016",
            "CurrencyCodeMismatch",
            _CARD,
            "The currency is not the account's.",
            "Use the account's currency, or the account that has this one.",
        ),
        (
            "F2017",
            "FractionalAmountNotAllowed",
            _BOTH,
            "The currency has no such fractions.",
            "Ask for a whole amount.",
        ),
        ("F2019", "WrongActivationRequestId", _CARD, "The card has another ID.", CHECK),
        (
            "F2020",
            "GcRTPNotAllowed",
            _CARD,
            "Amazon gives no cause (a general error).",
            "Compare the request with one that works.",
        ),
        (
            "F2021",
            "RequestIdTooLong",
            _BOTH,
            "The request ID is longer than 40 characters.",
            "Make a shorter one: nothing can live under this one.",
        ),
        (
            "F2022",
            "RequestIdMustStartWithPartnerName",
            _BOTH,
            "The request ID does not begin with the partner ID (case, endpoint or region).",
            "Compare both to the letter, and check that the endpoint is the account's.",
        ),
        ("F2023", "CardNumberTooShort", _CARD, "The card number is too short.", MEND),
        (
            "F2023",
            "CardNumberCheckSumError",
            _CARD,
            "The card number's check digits are wrong.",
            "Read the number on the card again.",
        ),
        ("F2024", "InvalidGCIdInput", _CARD, "The gift card's gcId is missing.", MEND),
        ("F2025", "InvalidRequest", _CARD, "The request lacks something, such as the gcId.", MEND),
        ("F2026", "MaxPageSizeExceeded", _CARD, "The page size is too large.", MEND),
        ("F2027", "InvalidPageSize", _CARD, "The page size is not one.", MEND),
        ("F2028", "InvalidPageIndex", _CARD, "The page index is not one.", MEND),
        ("F2029", "InvalidStartDate", _CARD, "The start date is not one.", MEND),
        ("F2030", "InvalidEndDate", _CARD, "The end date is not one.", MEND),
        ("F2031", "StartDateAfterEndDate", _CARD, "The start lies after the end.", MEND),
        ("F2032", "InvalidDateFormat", _CARD, "A date is not in the expected form.", MEND),
        (
            "F2042",
            "ExternalReferenceTooLong",
            _BOTH,
            "The external reference is too long.",
            "Shorten it; 100 characters are said to be taken.",
        ),
        (
            "F2048",
            "ProgramIdNotPresent",
            _CARD,
            "This account must send a programme ID.",
            "Send the one that Amazon has approved.",
        ),
        ("", "ActivationNotAllowed", _CARD, "The card may not be activated.", CHECK),
    ),
)

_NOTHING_THERE: Final = Group(
    code="F200",
    team=Team.INTEGRATION,
    forward=Refused,
    undo=NothingToUndo,
    rows=(
        (
            "F2007",
            "CardNumberNotFound",
            _CARD,
            "Amazon knows no such card.",
            "Check the card's number or the request ID, and the endpoint.",
        ),
        (
            "F2018",
            "NonExistingActivationRequestId",
            _CARD,
            "Nothing was activated under this ID.",
            CHECK,
        ),
    ),
)

_OTHER_CONTENT: Final = Group(
    code="F200",
    team=None,
    forward=Conflict,
    undo=Conflict,
    rows=(
        (
            "F2008",
            "PreDenominationMismatch",
            _CARD,
            "A card with another amount lives under this request ID, or this card has another one.",
            LOOK,
        ),
        (
            "F2009",
            "CardActivatedWithDifferentDenomination",
            _CARD,
            "The card is already active with another amount.",
            LOOK,
        ),
        (
            "F2010",
            "CardActivatedWithDifferentRequestId",
            _CARD,
            "The card is already active under another request ID.",
            LOOK,
        ),
    ),
)

_SINGLE: Final = tuple(
    Group(code="F200", team=None, forward=forward, undo=undo, rows=(row,))
    for forward, undo, row in (
        (
            Refused,
            Refused,
            (
                "F2012",
                "InvalidCardStatusForDeactivation",
                _CARD,
                "The card cannot be deactivated: already inactive, claimed or invalidated.",
                _CANCEL,
            ),
        ),
        (
            Refused,
            TooLate,
            (
                "F2047",
                "CancelRequestArrivedAfterTimeLimit",
                _CARD,
                "Too late: a card can be cancelled within 15 minutes of its creation.",
                _CANCEL,
            ),
        ),
        (
            Refused,
            Conflict,
            (
                "F2013",
                "ActivationRequestIdAlreadyBeenUsed",
                _CARD,
                "This request ID is already used: by this activation before, or by another one.",
                "Ask for the status of the card; nothing was undone.",
            ),
        ),
        (
            Unclear,
            Unclear,
            ("", "GcNotReadyForRefund", _CARD, "The gift card cannot be cancelled yet.", _CANCEL),
        ),
        (
            Refused,
            Refused,
            ("", "DeactivationNotAllowed", _CARD, "The card may not be deactivated.", _CANCEL),
        ),
    )
)

GROUPS: Final = (_REFUSED, _NOTHING_THERE, _OTHER_CONTENT, *_SINGLE)
