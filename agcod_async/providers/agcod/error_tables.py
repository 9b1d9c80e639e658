"""The groups of Amazon's two error tables, in our words; `catalogue` is how to look them up.

Here are those with which Amazon finds itself at fault (F100, F400, F500).
"""

from typing import Final

from agcod_async.core.outcomes import Unclear, UndoFirst
from agcod_async.providers.agcod import account_errors, balance_errors, request_errors
from agcod_async.providers.agcod.advice import Family, Group
from agcod_async.providers.agcod.contacts import Team

REPLAY: Final = "The effect is unknown: settle it under the same request ID, never under a new one."
UNDO: Final = "Undo the request and send it again under the same request ID."

_CARD: Final = Family.GIFT_CARD
_LOAD: Final = Family.BALANCE
_BOTH: Final = Family.BOTH

_INTERNAL: Final = Group(
    code="F100",
    team=Team.INTEGRATION,
    forward=Unclear,
    undo=Unclear,
    rows=(
        # The first: it is what recorded creates under this mock code answer.
        ("F1000", "GeneralError", _BOTH, "Something failed inside Amazon.", REPLAY),
        ("F1000", "SimpleAmountIsNull", _CARD, "Amazon lost the amount on its side.", REPLAY),
        ("F1000", "AmountIsNull", _CARD, "Amazon lost the amount on its side.", REPLAY),
        ("F1000", "CurrencyCodeIsNull", _CARD, "Amazon lost the currency on its side.", REPLAY),
        ("F1000", "GcLocked", _CARD, "Something else at Amazon holds this gift card.", REPLAY),
        ("F1000", "EmptyCardInfoList", _CARD, "Amazon found no details of the card.", REPLAY),
        ("F1000", "RequestError", _CARD, "Amazon failed while it handled the request.", REPLAY),
        (
            "F1001",
            "BalanceLoadCannotBeVoided",
            _LOAD,
            "Amazon failed while it voided the load.",
            REPLAY,
        ),
    ),
)

_TEMPORARY: Final = Group(
    code="F400",
    team=Team.INTEGRATION,
    forward=UndoFirst,
    undo=UndoFirst,
    rows=(
        (
            "F4000",
            "SystemTemporarilyUnavailable",
            _BOTH,
            "Amazon is temporarily unavailable.",
            UNDO,
        ),
    ),
)

_UNKNOWN: Final = Group(
    code="F500",
    team=Team.INTEGRATION,
    forward=Unclear,
    undo=Unclear,
    rows=(
        (
            "F5000",
            "GeneralError",
            _BOTH,
            "Amazon reports an unknown error: its own timeout, an outage, or a misspelt member.",
            REPLAY,
        ),
    ),
)

GROUPS: Final = (
    _INTERNAL,
    *request_errors.GROUPS,
    *balance_errors.GROUPS,
    *account_errors.GROUPS,
    _TEMPORARY,
    _UNKNOWN,
)
