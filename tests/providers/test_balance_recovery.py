"""What a SUCCESS proves about a balance load; and that no recipient is shown or kept."""

import copy
import logging
import pickle
import traceback
from collections.abc import Callable

import msgspec
import pytest

from agcod_async.core.outcomes import Applied, Claimed, Outcome, Refused, TooLate, Unclear, Undone
from agcod_async.providers.agcod.balance_messages import (
    AccountValidation,
    BalanceLoad,
    BalanceVoid,
)
from agcod_async.providers.agcod.balance_operations import (
    LOAD_AMAZON_BALANCE,
    VOID_AMAZON_BALANCE_LOAD,
)
from agcod_async.providers.agcod.balance_requests import load_amazon_balance_request
from agcod_async.providers.agcod.operations import AGCOD, AGCOD_IN
from agcod_async.providers.agcod.recipients import Account, AccountId, CardNumber, Notification
from agcod_async.providers.base import Intent
from agcod_async.values import InvalidValueError, Money, RequestId
from tests.providers.replies import CODE, PARTNER, REQUEST_ID, card, error, reply
from tests.providers.samples import (
    ACCOUNT,
    ACCOUNT_ID,
    AMOUNT,
    CARD_NUMBER,
    LEGS,
    LOADED,
    balance,
    load,
    physical,
    validate,
    void,
    xml,
)

NOTIFICATION = "for CANARY-Jane"
BALANCE_LEGS = ("load", "undo load", "void", "validate")


def _judged(leg: str, body: object, status: int = 200) -> Outcome:
    return LEGS[leg]()(reply(body, status))


def test_what_was_done_is_told_with_what_was_asked_for() -> None:
    request_id = RequestId(REQUEST_ID)

    assert _judged("load", balance()) == Applied(BalanceLoad(request_id, AMOUNT, None))
    assert _judged("void", balance()) == Applied(BalanceVoid(request_id, AMOUNT))
    assert _judged("validate", balance()) == Applied(AccountValidation(request_id, AMOUNT))
    assert _judged("undo load", balance()) == Undone()


@pytest.mark.parametrize("leg", BALANCE_LEGS)
@pytest.mark.parametrize(
    "body",
    [
        {"status": "SUCCESS"},
        balance(amount=None),
        balance(amount={"currencyCode": None, "value": None}),
        balance(amount={"value": 1250.0}),
        balance(amount={"currencyCode": "USD", "value": "1250"}),
        balance(account={"id": ACCOUNT_ID, "type": 1}),
        balance(account={"id": None}),
        balance(loadBalanceRequestId=None, somethingNew={"deep": True}),
    ],
)
def test_what_is_not_shown_does_not_spoil_a_success(body: dict[str, object], leg: str) -> None:
    assert isinstance(_judged(leg, body), Applied | Undone)


@pytest.mark.parametrize("leg", BALANCE_LEGS)
@pytest.mark.parametrize(
    "body",
    [
        balance(loadBalanceRequestId="PartaOther"),
        balance(amount={"currencyCode": "USD", "value": 1251}),
        balance(amount={"currencyCode": "USD", "value": 12.5}),
        balance(amount={"currencyCode": "EUR", "value": 1250}),
        balance(amount={"currencyCode": "EUR"}),
        balance(amount={"value": "sNaN"}),
        balance(amount="1250"),
        balance(account={"id": "851OTHER"}),
        balance(account={"id": ACCOUNT_ID, "type": 2}),
        balance(account=ACCOUNT_ID),
        balance(status="PENDING"),
        balance(errorType="GeneralError"),
        balance(gcClaimCode=CODE, claimCode="OTHER-CODE"),
        card(),
        physical(),
        physical(id_member="statusCheckRequestId"),
    ],
)
def test_a_success_that_does_not_add_up_is_unclear(body: dict[str, object], leg: str) -> None:
    assert isinstance(_judged(leg, body), Unclear)


@pytest.mark.parametrize("member", ["gcClaimCode", "claimCode"])
def test_a_load_that_was_answered_with_a_code_hands_it_on(member: str) -> None:
    outcome = _judged("load", balance(**{member: CODE}))

    assert isinstance(outcome, Applied)
    assert isinstance(outcome.answer, BalanceLoad)
    assert outcome.answer.claim_code is not None
    assert outcome.answer.claim_code.reveal() == CODE
    assert CODE not in repr(outcome)
    for leg in ("undo load", "void", "validate"):
        assert isinstance(_judged(leg, balance(**{member: CODE})), Unclear)


def _refused_void(message: str | None) -> dict[str, object]:
    """Return an error of a balance operation as Amazon's error page shows it."""
    return {
        "errorCode": "F200",
        "errorType": "BalanceLoadCannotBeVoided",
        "errorMessage": message,
        "status": "FAILURE",
    }


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Unable to void balance, request arrived beyond the time limit", TooLate),
        ("The loaded balance has been used", Claimed),
        ("When the loaded balance has been USED and voidIfUsed flag is false", Claimed),
        ("The time limit for a used balance has passed", TooLate),
        ("No", Refused),
        (None, Refused),
    ],
)
def test_one_name_for_two_refusals_is_told_apart_by_the_message(
    message: str | None, kind: type[Outcome]
) -> None:
    body = _refused_void(message)

    for answer in (reply(body, 400), xml("LoadAmazonBalanceException", body, 400)):
        assert isinstance(LEGS["undo load"]()(answer), kind)
        # Who asked for the void is told that it was refused, whatever the cause.
        assert isinstance(LEGS["void"]()(answer), Refused)
        assert isinstance(LEGS["load"]()(answer), Unclear)


def test_an_internal_failure_of_the_void_proves_nothing() -> None:
    failed = error("F100", "BalanceLoadCannotBeVoided", message="has been used")

    assert isinstance(_judged("undo load", failed, 400), Unclear)


# --- no recipient on record --------------------------------------------------------------------


def _kept(**changes: object) -> bytes:
    return load(notification_message=NOTIFICATION, **changes).body


def test_what_a_journal_keeps_of_a_load_names_no_recipient() -> None:
    kept = _kept(external_reference="order 7")

    assert b"CANARY" not in kept
    assert b"Jane" not in kept
    whole = msgspec.json.decode(kept)
    assert whole["account"]["type"] == 1
    assert whole["account"]["id"].startswith("sha256:")
    assert whole["notificationDetails"].startswith("sha256:")
    assert whole["amount"] == LOADED
    assert whole["loadBalanceRequestId"] == REQUEST_ID
    assert whole["externalReference"] == "order 7"
    assert b"CANARY" not in void().body


def test_what_is_sent_names_the_recipient_all_the_same() -> None:
    for provider in AGCOD_IN.values():
        intent = provider.written(load(notification_message=NOTIFICATION))
        legs = intent.legs(None)
        assert legs.undo is not None
        for body in (legs.forward.body, legs.undo.body):
            assert ACCOUNT_ID.encode() in body
        assert NOTIFICATION.encode() in legs.forward.body
        assert NOTIFICATION.encode() not in legs.undo.body
        assert b"sha256" not in legs.forward.body + legs.undo.body


def test_the_same_load_is_known_again_and_another_is_not() -> None:
    assert _kept() == _kept()
    others = {
        _kept(account=Account(id=ACCOUNT_ID + "x", type=1)),
        _kept(account=Account(id=ACCOUNT_ID, type=2)),
        _kept(amount=Money("12.51", "USD")),
        _kept(timestamp=1_922_400_000_000),
        load(notification_message="for someone else").body,
        load().body,
    }
    assert len(others) == 6
    assert _kept() not in others


def test_a_record_does_not_show_that_two_orders_are_for_one_customer() -> None:
    def mark(request_id: str) -> object:
        return msgspec.json.decode(load(request_id=request_id).body)["account"]["id"]

    assert mark("Parta1") == mark("Parta1")
    assert mark("Parta1") != mark("Parta2")


@pytest.mark.parametrize("operation", [LOAD_AMAZON_BALANCE, VOID_AMAZON_BALANCE_LOAD])
def test_what_a_journal_has_kept_of_a_load_is_never_sent(operation: object) -> None:
    name = getattr(operation, "name", "")

    assert AGCOD.operations[name].rebind(load().body) is None


# --- no recipient shown ------------------------------------------------------------------------

HIDDEN = (AccountId(ACCOUNT_ID), Notification(NOTIFICATION), CardNumber(CARD_NUMBER), ACCOUNT)


@pytest.mark.parametrize("hidden", HIDDEN, ids=lambda one: type(one).__name__)
def test_a_recipient_is_shown_to_nobody_who_does_not_ask(hidden: object) -> None:
    shown = [repr(hidden), str(hidden), f"{hidden}", f"{hidden!r:>40}", repr([hidden, (hidden,)])]
    shown.append(repr(copy.deepcopy(hidden)))

    assert all("CANARY" not in text and CARD_NUMBER[:15] not in text for text in shown)
    for save in (pickle.dumps, msgspec.json.encode, msgspec.msgpack.encode):
        with pytest.raises(TypeError) as caught:
            save(hidden)
        assert "CANARY" not in str(caught.value)


def test_a_card_number_shows_its_end() -> None:
    assert repr(CardNumber(CARD_NUMBER)) == f"CardNumber('…{CARD_NUMBER[-4:]}')"
    assert str(CardNumber(CARD_NUMBER)) == repr(CardNumber(CARD_NUMBER))


@pytest.mark.parametrize("make", [load, void, validate])
def test_no_request_intent_or_outcome_shows_the_recipient(make: Callable[[], Intent]) -> None:
    intent = make()
    request = load_amazon_balance_request(
        request_id=REQUEST_ID,
        account=ACCOUNT,
        amount=AMOUNT,
        partner_id=PARTNER,
        mock_ids_allowed=False,
        notification_message=NOTIFICATION,
    )

    assert "CANARY" not in repr(request)
    assert "CANARY" not in repr(intent)
    assert "CANARY" not in repr(intent.legs(None))
    for body in (balance(account={"id": ACCOUNT_ID}), balance(), _refused_void("used")):
        assert "CANARY" not in repr(intent.legs(None).forward.outcome(reply(body)))


@pytest.mark.parametrize(
    ("account_id", "kind"),
    [("", 1), ("CANARY" * 43, 1), ("CANARY\0", 1), ("CANARY\ud800", 1), ("CANARY", -1)],
)
def test_what_cannot_be_an_account_is_refused_without_being_quoted(
    account_id: str, kind: int
) -> None:
    with pytest.raises(InvalidValueError, match=r"^account") as caught:
        Account(id=AccountId(account_id), type=kind)

    whole = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    inside = [frame for frame in whole.stack if frame.filename != __file__]
    assert inside
    assert "CANARY" not in "".join(str(frame.locals) for frame in inside)
    assert "CANARY" not in str(caught.value)


@pytest.mark.parametrize("kind", [True, "1", 1.0, None])
def test_an_account_type_is_a_whole_number(kind: object) -> None:
    with pytest.raises(InvalidValueError, match=r"^account\.type"):
        Account(id=ACCOUNT_ID, type=kind)


@pytest.mark.parametrize(
    "digits",
    ["", "628419053771550291", CARD_NUMBER + "0", CARD_NUMBER[:-1] + "x", "٣" * 19, " " * 19],
)
def test_what_cannot_be_a_card_number_is_refused_without_being_quoted(digits: str) -> None:
    with pytest.raises(InvalidValueError, match=r"^card_number: .*19 digits") as caught:
        CardNumber(digits)

    assert caught.value.field == "card_number"
    assert not digits or digits not in str(caught.value)


def test_nothing_is_logged_about_a_recipient(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        for leg in BALANCE_LEGS:
            for body in (balance(), balance(account={"id": ACCOUNT_ID}), b"<a>" + b"x" * 99):
                _judged(leg, body)

    assert caplog.records == []
