"""What a SUCCESS proves about a physical card, and what does not make it one."""

import pytest

from agcod_async.core.outcomes import (
    Applied,
    AppliedDead,
    Conflict,
    Found,
    NotFound,
    Outcome,
    Unclear,
    Undone,
)
from agcod_async.providers.agcod.activation_messages import (
    Activation,
    ActivationStatus,
    Deactivation,
)
from agcod_async.providers.agcod.activation_operations import ACTIVATE_GIFT_CARD
from agcod_async.providers.agcod.recipients import CardNumber
from agcod_async.values import Money, RequestId
from tests.providers.replies import CODE, REQUEST_ID, card, reply
from tests.providers.samples import (
    AMOUNT,
    CARD_NUMBER,
    LEGS,
    activate,
    physical,
    without,
)

OTHER_CARD = "6284190537715502919"
ACTIVE = Activation(
    request_id=RequestId(REQUEST_ID),
    card_number=CardNumber(CARD_NUMBER),
    amount=AMOUNT,
    card_status="Activated",
)


def _judged(leg: str, body: object, status: int = 200) -> Outcome:
    return LEGS[leg]()(reply(body, status))


def _without_ids(body: dict[str, object]) -> dict[str, object]:
    info = body["cardInfo"]
    assert isinstance(info, dict)
    return {"cardInfo": without({**info, "cardNumber": ...}), "status": "SUCCESS"}


def test_an_active_card_is_told_with_what_was_asked_for() -> None:
    assert _judged("activate", physical()) == Applied(ACTIVE)


@pytest.mark.parametrize(
    "body",
    [
        physical(value=...),
        physical(value=None),
        physical(cardNumber=...),
        physical(cardNumber=None),
        physical() | {"activationRequestId": None},
        physical() | {"agcodResponse": None, "somethingNew": [1]},
    ],
)
def test_what_is_not_shown_does_not_spoil_an_activation(body: dict[str, object]) -> None:
    assert _judged("activate", body) == Applied(ACTIVE)


@pytest.mark.parametrize(
    "body",
    [
        _without_ids(physical()),
        physical() | {"activationRequestId": "PartaOther"},
        physical() | {"statusCheckRequestId": REQUEST_ID},
        physical() | {"cardInfo": None},
        physical() | {"cardInfo": ...},
        physical(None),
        physical("activated"),
        physical("Fulfilled"),
        physical("Active"),
        physical(cardNumber=OTHER_CARD),
        physical(cardNumber=CARD_NUMBER[:-1]),
        physical(cardNumber=int(CARD_NUMBER)),
        physical(value={"amount": 12.51, "currencyCode": "USD"}),
        physical(value={"amount": 1250, "currencyCode": "USD"}),
        physical(value={"amount": 12.5, "currencyCode": "EUR"}),
        physical(value={"amount": None, "currencyCode": "USD"}),
        physical(value={"amount": "sNaN", "currencyCode": "USD"}),
        physical(value={}),
        physical() | {"status": "PENDING"},
        physical() | {"errorCode": "F100"},
        card(),
        {"status": "SUCCESS"},
    ],
)
def test_an_activation_that_does_not_add_up_is_unclear(body: dict[str, object]) -> None:
    assert isinstance(_judged("activate", without(body)), Unclear)


def test_an_activation_that_is_answered_with_an_inactive_card_is_dead() -> None:
    assert isinstance(_judged("activate", physical("AwaitingActivation")), AppliedDead)
    other = physical("AwaitingActivation", cardNumber=OTHER_CARD)
    assert isinstance(_judged("activate", other), Unclear)


@pytest.mark.parametrize(
    "body",
    [
        physical("AwaitingActivation"),
        physical(None),
        physical("SomethingElse"),
        physical("no word 9"),
        physical("AwaitingActivation", value=None, cardNumber=None),
        {"activationRequestId": REQUEST_ID, "status": "SUCCESS"},
        {"status": "SUCCESS"},
    ],
)
def test_a_success_of_the_deactivation_means_undone(body: dict[str, object]) -> None:
    assert isinstance(_judged("undo activate", body), Undone)
    told = _judged("deactivate", body)
    assert isinstance(told, Applied)
    assert isinstance(told.answer, Deactivation)
    assert told.answer.request_id == REQUEST_ID
    assert told.answer.card_number.reveal() == CARD_NUMBER


@pytest.mark.parametrize(
    "body",
    [
        physical(),
        physical("AwaitingActivation", cardNumber=OTHER_CARD),
        physical("AwaitingActivation") | {"activationRequestId": "PartaOther"},
        physical("AwaitingActivation", id_member="statusCheckRequestId"),
        physical("AwaitingActivation") | {"status": "FAILURE"},
        physical("AwaitingActivation") | {"errorType": "GeneralError"},
    ],
)
def test_a_deactivation_that_does_not_add_up_is_unclear(body: dict[str, object]) -> None:
    assert isinstance(_judged("undo activate", body), Unclear)
    assert isinstance(_judged("deactivate", body), Unclear)


def _checked(status: object = "Activated", **changes: object) -> dict[str, object]:
    return physical(status, "statusCheckRequestId", **changes)


def test_a_lookup_shows_whether_the_card_is_active() -> None:
    assert _judged("look up activate", _checked()) == Found(ACTIVE)
    assert _judged("look up activate", _checked(value=None)) == Found(ACTIVE)
    assert isinstance(_judged("look up activate", _checked("AwaitingActivation")), NotFound)
    other_amount = _checked(value={"amount": 13, "currencyCode": "USD"})
    assert isinstance(_judged("look up activate", other_amount), Conflict)


def test_the_id_of_a_lookup_may_be_answered_under_either_name() -> None:
    assert _judged("look up activate", physical()) == Found(ACTIVE)
    assert isinstance(_judged("status", physical()), Applied)


def test_what_is_found_is_what_an_activation_is_answered_with() -> None:
    found = _judged("look up activate", _checked())

    assert isinstance(found, Found)
    assert isinstance(found.answer, ACTIVATE_GIFT_CARD.answer_type)


@pytest.mark.parametrize(
    "body",
    [
        _checked(cardNumber=OTHER_CARD),
        _checked() | {"statusCheckRequestId": "PartaOther"},
        _checked() | {"activationRequestId": "PartaOther"},
        _checked() | {"creationRequestId": REQUEST_ID},
        _checked(None),
        _checked(...),
        _checked() | {"cardInfo": None},
        {"status": "SUCCESS"},
        _checked() | {"status": "RESEND"},
    ],
)
def test_a_lookup_that_does_not_add_up_shows_nothing(body: dict[str, object]) -> None:
    assert isinstance(_judged("look up activate", body), Unclear)


@pytest.mark.parametrize("status", ["activated", "Claimed", "Expired"])
def test_a_status_that_is_neither_active_nor_inactive_decides_nothing(status: str) -> None:
    assert isinstance(_judged("look up activate", _checked(status)), Unclear)
    told = _judged("status", _checked(status))
    assert isinstance(told, Applied)
    assert isinstance(told.answer, ActivationStatus)
    assert (told.answer.card_status, told.answer.is_active) == (status, False)


def test_a_status_that_the_caller_asked_for_is_told() -> None:
    told = _judged("status", _checked())

    assert told == Applied(
        ActivationStatus(
            request_id=RequestId(REQUEST_ID),
            card_number=CardNumber(CARD_NUMBER),
            card_status="Activated",
            amount=Money("12.5", "USD"),
        )
    )
    assert isinstance(told, Applied)
    assert isinstance(told.answer, ActivationStatus)
    assert told.answer.is_active
    for unknown in (_checked(value={"amount": "x"}), _checked(None), _checked("no word 9")):
        assert isinstance(_judged("status", unknown), Unclear)


def test_the_outcome_is_for_the_id_in_use() -> None:
    outcome = activate().legs(RequestId("PartaNext")).forward.outcome

    assert isinstance(outcome(reply(physical())), Unclear)
    told = outcome(reply(physical() | {"activationRequestId": "PartaNext"}))
    assert isinstance(told, Applied)
    assert isinstance(told.answer, Activation)
    assert told.answer.request_id == "PartaNext"


def test_no_outcome_shows_a_card_number_or_a_code() -> None:
    for body in (physical(), _checked(), physical("AwaitingActivation"), card()):
        for leg in LEGS.values():
            shown = repr(leg()(reply(body)))
            assert CARD_NUMBER not in shown
            assert CARD_NUMBER[:15] not in shown
            assert CODE not in shown
