"""Every documented error on every leg, in both forms: what it proves, and where legs differ."""

from collections.abc import Mapping
from types import MappingProxyType

import pytest

from agcod_async.core.outcomes import Reply
from tests.providers.replies import error, reply
from tests.providers.samples import LEGS, xml
from tests.providers.test_catalogue import ROWS, Row

LIKE: Mapping[str, str] = MappingProxyType(
    {
        "activate": "create",
        "load": "create",
        "undo activate": "undo",
        "undo load": "undo",
        "look up activate": "cancel",
        "deactivate": "cancel",
        "status": "cancel",
        "void": "cancel",
        "validate": "cancel",
        "funds": "cancel",
        "activity": "cancel",
    }
)
"""Which column of the table holds for a leg, but for what follows."""

_NO_SUCH_LOAD_ALONE = dict.fromkeys(
    (
        "CardNumberNotFound",
        "CardNotFound",
        "OrderNotFound",
        "NonExistingActivationRequestId",
        "CancelRequestArrivedAfterTimeLimit",
    ),
    "Refused",
)

UNLIKE: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "activate": {"ActivationRequestIdAlreadyBeenUsed": "Refused"},
        "look up activate": {"NonExistingActivationRequestId": "NotFound"},
        "load": {
            "LoadBalanceRequestIdAlreadyUsed": "Unclear",
            "BalanceLoadCannotBeVoided": "Unclear",
        },
        "undo load": _NO_SUCH_LOAD_ALONE,
    }
)


def _proves(row: Row, leg: str) -> str:
    return UNLIKE.get(leg, {}).get(row.name, row.proves[LIKE[leg]])


def _forms(row: Row) -> dict[str, Reply]:
    """Return the error in every envelope: JSON, and the three of Amazon's error page."""
    status = "RESEND" if row.code == "F400" else "FAILURE"
    named = {"errorType": row.name, "errorCode": row.code, "Message": "Some words"}
    flat = {"errorCode": row.code, "errorType": row.name, "errorMessage": "Some words"}
    inside = {"agcodResponse": {"status": status}}
    return {
        "JSON": reply(error(row.code, row.name), 400),
        "flat JSON": reply({**flat, "status": status}, 400),
        "AGCODException": xml("AGCODException", {**inside, **named}, 400),
        "AGCODValidationException": xml("AGCODValidationException", {**named, **inside}, 400),
        "LoadAmazonBalanceException": xml(
            "LoadAmazonBalanceException", {**flat, "status": status}, 400
        ),
    }


@pytest.mark.parametrize("leg", LIKE)
def test_every_documented_error_proves_the_same_in_every_form(leg: str) -> None:
    judge = LEGS[leg]()

    for row in ROWS:
        outcomes = {form: judge(answer) for form, answer in _forms(row).items()}
        told = {form: type(outcome).__name__ for form, outcome in outcomes.items()}
        assert told == dict.fromkeys(told, _proves(row, leg)), row
        assert len(set(map(repr, outcomes.values()))) == 1, row


def test_every_leg_is_in_the_table() -> None:
    assert set(LIKE) | {"create", "undo", "cancel"} == set(LEGS)


@pytest.mark.parametrize("leg", UNLIKE)
def test_where_a_leg_differs_it_really_does(leg: str) -> None:
    names = {row.name: row for row in ROWS}

    for name, kind in UNLIKE[leg].items():
        assert names[name].proves[LIKE[leg]] != kind
