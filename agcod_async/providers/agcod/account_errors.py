"""The errors that find the account at fault (F300), in our words; `catalogue` looks them up.

Names and mock codes are Amazon's. The name without a mock code is in neither of its tables: the
outage page has it.
"""

from typing import Final

from agcod_async.core.outcomes import Conflict, NothingToUndo, Refused
from agcod_async.providers.agcod.advice import Family, Group, Row
from agcod_async.providers.agcod.contacts import Team
from agcod_async.providers.agcod.request_errors import LOOK, MEND

CONTRACT: Final = "Have the account or its contract put right."
_KEYS: Final = (
    "Check that key, partner ID and endpoint belong together: sandbox and production, and each"
    " region, have their own."
)
_CUSTOMER: Final = "Tell the customer; another account or another day may do."
_PROGRAMME: Final = "Send the programme ID that Amazon has approved, or have this one approved."

_CARD: Final = Family.GIFT_CARD
_LOAD: Final = Family.BALANCE
_BOTH: Final = Family.BOTH


def _refused(team: Team | None, *rows: Row) -> Group:
    return Group(code="F300", team=team, forward=Refused, undo=Refused, rows=rows)


# Where several names share a mock code, the first is the one that the sandbox is known to answer
# with: recorded creates under F3005 and F3010 answer the names that stand first here.
GROUPS: Final = (
    _refused(
        Team.INTEGRATION,
        ("F3000", "InvalidPartnerId", _BOTH, "Amazon knows no such partner ID.", _KEYS),
        ("F3001", "InvalidAccessKey", _BOTH, "Amazon knows no such access key.", _KEYS),
        ("F3007", "BadInput", _CARD, "Amazon could not use the input.", MEND),
        (
            "F3008",
            "APIGetGiftCardActivityPageIsDisabled",
            _CARD,
            "The activity page is switched off for this account.",
            "Have it switched on, or read the activity in the portal.",
        ),
    ),
    _refused(
        Team.OPERATIONS,
        ("F3002", "AccessDenied", _BOTH, "The account is blocked.", _KEYS),
        (
            "F3003",
            "InsufficientFunds",
            _BOTH,
            "The account's funds do not cover the amount.",
            "Pay in; a payment takes some business days to arrive.",
        ),
        ("F3005", "GeneralError", _CARD, "Something is wrong with the account.", CONTRACT),
        ("F3005", "AccountHasProblems", _CARD, "Something is wrong with the account.", CONTRACT),
        (
            "F3006",
            "OperationNotPermitted",
            _BOTH,
            "The account may not use this operation, or has not been set up for it yet.",
            CONTRACT,
        ),
        ("F3009", "ActiveContractNotFound", _BOTH, "The account has no active contract.", CONTRACT),
        (
            "",
            "ProductTypeNotEnabledInTheContract",
            _CARD,
            "The contract lacks this product type.",
            "Have it added, or send another product type.",
        ),
    ),
    _refused(
        Team.ACCOUNT_MANAGER,
        (
            "F3004",
            "IssuanceCapExceeded",
            _BOTH,
            "The contract's limit for this period is reached; a prepaid account may lack funds.",
            "Pay in, wait for the next period, or have the limit raised.",
        ),
    ),
    Group(
        code="F300",
        team=Team.OPERATIONS,
        forward=Refused,
        undo=NothingToUndo,
        rows=(
            (
                "F3005",
                "OrderNotFound",
                _CARD,
                "Amazon found no order under this request ID.",
                "Check the request ID and the endpoint.",
            ),
        ),
    ),
    Group(
        code="F300",
        team=Team.OPERATIONS,
        forward=Conflict,
        undo=Conflict,
        rows=(
            ("F3005", "WrongGcOrderSource", _CARD, "The order came from elsewhere.", LOOK),
            ("F3005", "WrongGcOrderType", _CARD, "The order is of another kind.", LOOK),
            ("F3005", "GcOrderBelongToOtherCustomer", _CARD, "The order is another's.", LOOK),
        ),
    ),
    _refused(
        None,
        (
            "F3010",
            "CustomerSurpassedDailyVelocityLimit",
            _BOTH,
            "The customer has reached the day's limit.",
            _CUSTOMER,
        ),
        (
            "F3011",
            "CustomerAccountBlocked",
            _LOAD,
            "The customer's account may not do this.",
            _CUSTOMER,
        ),
    ),
    _refused(
        Team.INTEGRATION,
        ("F3010", "InvalidProgramId", _CARD, "Amazon knows no such programme ID.", _PROGRAMME),
        ("F3011", "ProgramIsNotApproved", _CARD, "The programme is not approved.", _PROGRAMME),
    ),
)
