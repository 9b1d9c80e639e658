"""Hostile JSON for physical cards, balances and the report: a second reading, slow and plain."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agcod_async.core.outcomes import Applied, AppliedDead, Conflict, Found, NotFound, Undone
from tests.providers.replies import CODE, REQUEST_ID, error, reply
from tests.providers.samples import ACCOUNT_ID, CARD_NUMBER, LEGS, SUCCESSES
from tests.providers.test_hostile_replies import STATUSES, _may_be_success, _plain, changed

PHYSICAL = ("activate", "undo activate", "look up activate", "deactivate", "status")
BALANCE = ("load", "undo load", "void", "validate")
FAMILIES = (*PHYSICAL, *BALANCE, "activity")


_MARKS = {
    "creationRequestId": (),
    "activationRequestId": PHYSICAL,
    "statusCheckRequestId": ("look up activate", "status"),
    "loadBalanceRequestId": BALANCE,
    "availableFunds": (),
    "cardActivityList": ("activity",),
}
_FOREIGN = {leg: [name for name, owners in _MARKS.items() if leg not in owners] for leg in FAMILIES}


def _agrees(whole: dict[str, Any], name: str, wanted: object) -> bool:
    return whole.get(name) in (None, wanted)


def _judge(leg: str, body: bytes, status: int) -> None:
    outcome = LEGS[leg]()(reply(body, status))
    shown = repr(outcome)
    assert CODE not in shown
    assert ACCOUNT_ID not in shown
    assert CARD_NUMBER[:12] not in shown
    if not isinstance(outcome, Applied | AppliedDead | Undone | Found | NotFound):
        return
    whole = _plain(body)
    if isinstance(outcome, NotFound) and whole.get("errorCode") == "F200":
        assert whole["errorType"] == "NonExistingActivationRequestId"
        return
    assert _may_be_success(whole, status)
    assert not [name for name in _FOREIGN[leg] if whole.get(name) is not None]
    if leg in PHYSICAL:
        _judge_physical(leg, outcome, whole)
    elif leg in BALANCE:
        _judge_balance(whole)


def _judge_physical(leg: str, outcome: object, whole: dict[str, Any]) -> None:
    info = whole.get("cardInfo") or {}
    assert _agrees(whole, "activationRequestId", REQUEST_ID)
    assert _agrees(whole, "statusCheckRequestId", REQUEST_ID)
    if leg not in ("look up activate", "status"):
        assert whole.get("statusCheckRequestId") is None
    assert _agrees(info, "cardNumber", CARD_NUMBER)
    if isinstance(outcome, AppliedDead | NotFound):
        assert info["cardStatus"] == "AwaitingActivation"
    elif leg in ("activate", "look up activate"):
        assert info["cardStatus"] == "Activated"
        value = info.get("value")
        assert value is None or (float(value["amount"]), value["currencyCode"]) == (12.5, "USD")
    elif leg != "status":
        assert info.get("cardStatus") != "Activated"


def _judge_balance(whole: dict[str, Any]) -> None:
    amount, account = whole.get("amount") or {}, whole.get("account") or {}
    assert _agrees(whole, "loadBalanceRequestId", REQUEST_ID)
    assert amount.get("value") is None or float(amount["value"]) == 1250
    assert _agrees(amount, "currencyCode", "USD")
    assert _agrees(account, "id", ACCOUNT_ID)


_TEXTS = re.findall(
    r"\w+", "SUCCESS FAILURE RESEND Activated AwaitingActivation F100 F200 F300 F400 F500 USD EUR"
)
_NAMES = re.findall(
    r"\w+",
    "status errorCode errorType message agcodResponse cardInfo cardStatus cardNumber value amount"
    " currencyCode account id type loadBalanceRequestId activationRequestId statusCheckRequestId"
    " creationRequestId gcClaimCode claimCode cardActivityList cardValue isRealOp"
    " availableFunds totalNumberOfTransactionsInRequestedTimeFrame",
)
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**6), 10**24)
    | st.floats()
    | st.sampled_from([*_TEXTS, 12.5, 1250, "12.5", "sNaN", REQUEST_ID, CARD_NUMBER, ACCOUNT_ID])
    | st.sampled_from([CODE, "NonExistingActivationRequestId", "PartaOther"])
    | st.text(st.characters(), max_size=8)
)
_MEMBERS = st.sampled_from(_NAMES)
_ANYTHING = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_MEMBERS, inner, max_size=5),
    max_leaves=12,
)


@given(st.dictionaries(_MEMBERS, _ANYTHING, max_size=10), STATUSES)
@settings(max_examples=150, deadline=None)
def test_no_structure_raises_and_none_is_believed_by_chance(
    whole: dict[str, object], status: int
) -> None:
    for leg in FAMILIES:
        _judge(leg, json.dumps(whole).encode(), status)


@st.composite
def _mutated(draw: Callable[[st.SearchStrategy[Any]], Any]) -> bytes:
    refused = error("F200", "NonExistingActivationRequestId")
    wholes = [*(SUCCESSES[leg]() for leg in FAMILIES), refused]
    whole = json.loads(json.dumps(draw(st.sampled_from(wholes))))
    return changed(draw, whole, _ANYTHING, "status")


@given(_mutated(), STATUSES)
@settings(max_examples=300, deadline=None)
def test_a_changed_reply_is_believed_only_if_it_agrees(body: bytes, status: int) -> None:
    for leg in FAMILIES:
        _judge(leg, body, status)


@pytest.mark.parametrize("leg", FAMILIES)
def test_the_unchanged_reply_is_believed(leg: str) -> None:
    outcome = LEGS[leg]()(reply(SUCCESSES[leg]()))

    assert isinstance(outcome, Applied | Undone | Found)
    assert not isinstance(outcome, Conflict)
