"""The errors that find a balance load, or its void, at fault (F200); see `request_errors`."""

from typing import Final

from agcod_async.core.outcomes import Conflict, NothingToUndo, Refused, Unclear
from agcod_async.providers.agcod.advice import Family, Group
from agcod_async.providers.agcod.contacts import Team
from agcod_async.providers.agcod.request_errors import CHECK, LOOK, MEND

_LOAD: Final = Family.BALANCE

GROUPS: Final = (
    Group(
        code="F200",
        team=Team.INTEGRATION,
        forward=Refused,
        undo=Refused,
        rows=(
            (
                "F2033",
                "InvalidAccountType",
                _LOAD,
                "The account type is none that Amazon knows.",
                MEND,
            ),
            (
                "F2034",
                "UndefinedAccountId",
                _LOAD,
                "Amazon knows no such customer account.",
                "Ask the customer for the account again.",
            ),
            (
                "F2035",
                "AccountIdNotInValidStatus",
                _LOAD,
                "The customer account is not in good standing, such as deactivated.",
                "Tell the customer; another account may do.",
            ),
            (
                "F2036",
                "InvalidCurrencyInMarketplace",
                _LOAD,
                "The customer account's marketplace does not use this currency.",
                "Use the currency of the customer's marketplace.",
            ),
            ("F2037", "AmountBelowMinThreshold", _LOAD, "The amount is too small.", "Load more."),
            (
                "F2043",
                "NotificationMessageTooLong",
                _LOAD,
                "The message is longer than 250 characters.",
                MEND,
            ),
            (
                "F2044",
                "SourceIdTooLong",
                _LOAD,
                "The source ID is longer than 40 characters.",
                MEND,
            ),
        ),
    ),
    Group(
        code="F200",
        team=Team.INTEGRATION,
        forward=Refused,
        undo=NothingToUndo,
        rows=(
            (
                "F2039",
                "LoadBalanceRequestIdDoesNotExist",
                _LOAD,
                "No balance was loaded under this request ID.",
                CHECK,
            ),
        ),
    ),
    Group(
        code="F200",
        team=None,
        forward=Conflict,
        undo=Conflict,
        rows=(
            (
                "F2040",
                "RequestMismatchFromLoadRequest",
                _LOAD,
                "The balance load under this request ID has other contents.",
                LOOK,
            ),
        ),
    ),
    Group(
        code="F200",
        team=None,
        forward=Unclear,
        undo=Conflict,
        rows=(
            (
                "F2038",
                "LoadBalanceRequestIdAlreadyUsed",
                _LOAD,
                "This request ID is already used: by this load before, or by another one.",
                LOOK,
            ),
        ),
    ),
    # One name for two things: the message of a reply tells which.
    Group(
        code="F200",
        team=None,
        forward=Unclear,
        undo=Refused,
        rows=(
            (
                "F2041 F2045",
                "BalanceLoadCannotBeVoided",
                _LOAD,
                "The balance is already spent (F2041), or the time for voiding is over (F2045).",
                "Take it that the customer keeps the balance.",
            ),
        ),
    ),
)
