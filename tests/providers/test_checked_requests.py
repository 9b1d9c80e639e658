"""Requests about physical cards and balances: what breaks a limit is named before it is sent."""

import re
from typing import Any

import pytest

from agcod_async.providers.agcod.messages import TransactionSource
from agcod_async.providers.agcod.recipients import Account, CardNumber
from agcod_async.values import InvalidValueError, Money
from tests.providers.samples import (
    CARD_NUMBER,
    INTENTS,
    activate,
    deactivate,
    load,
    status_check,
    validate,
    void,
)

PHYSICAL = (activate, deactivate, status_check)
BALANCE = (load, void, validate)


def _refused(make: Any, **changes: Any) -> InvalidValueError:
    with pytest.raises(InvalidValueError) as caught:
        make(**changes)
    return caught.value


@pytest.mark.parametrize("make", [*PHYSICAL, *BALANCE])
@pytest.mark.parametrize("request_id", ["", "parta1", "Other1", "P" * 41, "Parta 1", "F0000"])
def test_an_id_that_may_not_be_sent_is_refused(make: Any, request_id: str) -> None:
    assert _refused(make, request_id=request_id).field == "request_id"


@pytest.mark.parametrize("make", [*PHYSICAL, *BALANCE])
@pytest.mark.parametrize("partner_id", ["", "Par ta", "P" * 21])
def test_a_partner_id_that_is_none_is_refused(make: Any, partner_id: str) -> None:
    assert _refused(make, partner_id=partner_id).field == "partner_id"


@pytest.mark.parametrize("make", PHYSICAL)
def test_a_mock_id_is_for_the_sandbox(make: Any) -> None:
    intent = make(request_id="F2012", mock_ids_allowed=True)

    assert b'RequestId":"F2012"' in intent.legs(None).forward.body


@pytest.mark.parametrize("make", BALANCE)
def test_a_mock_code_in_place_of_an_account_is_for_the_sandbox(make: Any) -> None:
    mock = Account(id="F2034", type=0)

    assert (
        b'"id":"F2034","type":0'
        in make(account=mock, mock_ids_allowed=True).legs(None).forward.body
    )
    assert _refused(make, account=mock).field == "account.id"
    assert _refused(make, request_id="F0000", mock_ids_allowed=True).field == "request_id"
    almost = Account(id="F20340", type=0)
    assert b"F20340" in make(account=almost).legs(None).forward.body


@pytest.mark.parametrize("make", PHYSICAL)
def test_a_card_number_has_19_digits(make: Any) -> None:
    assert _refused(make, card_number=CARD_NUMBER[:-1]).field == "card_number"
    assert _refused(make, card_number=CARD_NUMBER[:-1] + "X").field == "card_number"
    given = make(card_number=CardNumber(CARD_NUMBER))
    assert given.body == make(card_number=CARD_NUMBER).body


@pytest.mark.parametrize("make", [activate, *BALANCE])
@pytest.mark.parametrize("amount", ["0", "-0.01", "-5"])
def test_an_amount_is_above_zero(make: Any, amount: str) -> None:
    assert _refused(make, amount=Money(amount, "USD")).field == "amount"


@pytest.mark.parametrize(
    ("make", "changes", "field", "limit"),
    [
        (activate, {"program_id": "a-b"}, "program_id", "letters and digits"),
        (activate, {"product_type": "a" * 51}, "product_type", "50"),
        (
            activate,
            {"transaction_source": TransactionSource()},
            "transaction_source",
            "one field",
        ),
        (
            activate,
            {"transaction_source": TransactionSource(source_id="s" * 41)},
            "transaction_source.source_id",
            "40",
        ),
        (
            activate,
            {"transaction_source": TransactionSource(source_id="s", source_details="{}")},
            "transaction_source.source_details",
            "the other two",
        ),
        (load, {"notification_message": "é" * 251}, "notification_message", "250"),
        (load, {"notification_message": ""}, "notification_message", "1 to 250"),
        (load, {"notification_message": "\ud800"}, "notification_message", "Unicode"),
        (load, {"notification_message": "\x07"}, "notification_message", "XML can carry"),
        (load, {"external_reference": "é" * 101}, "external_reference", "100"),
        (
            load,
            {"transaction_source": TransactionSource(source_id="ü" * 41)},
            "transaction_source.source_id",
            "40",
        ),
        (load, {"timestamp": 1_922_400_000}, "timestamp", "milliseconds"),
        (load, {"timestamp": -1}, "timestamp", "milliseconds"),
        (load, {"timestamp": 10**13}, "timestamp", "milliseconds"),
        (load, {"amount": Money(5, "CHF")}, "amount", "known currency"),
        (void, {"amount": Money(5, "CHF")}, "amount", "known currency"),
        (validate, {"amount": Money(5, "CHF")}, "amount", "known currency"),
    ],
)
def test_what_breaks_a_limit_is_refused_by_name(
    make: Any, changes: dict[str, object], field: str, limit: str
) -> None:
    refused = _refused(make, **changes)

    assert refused.field == field
    assert re.search(re.escape(limit), str(refused))


def test_what_just_fits_the_limits_is_sent() -> None:
    loaded = load(
        request_id="Parta" + "9" * 35,
        notification_message="é" * 250,
        external_reference="\t\n" + "ü" * 98,
        transaction_source=TransactionSource(source_id="ü" * 40),
        timestamp=10**12,
        amount=Money("0.01", "EUR"),
    )
    active = activate(transaction_source=TransactionSource(institution_id="shop"))

    assert b'"value":1}' in loaded.legs(None).forward.body
    assert rb'"transactionSource":{"id":"{\"institutionId\":\"shop\"}"}' in active.body


def test_an_activation_in_an_unknown_currency_is_sent() -> None:
    assert b'"amount":12.5}' in activate(amount=Money("12.5", "CHF")).body


def test_what_moves_value_has_an_id_and_what_only_asks_has_none() -> None:
    moves = {name for name, make in INTENTS.items() if not make().read_only}

    assert moves == {
        "CreateGiftCard",
        "CancelGiftCard",
        "ActivateGiftCard",
        "DeactivateGiftCard",
        "LoadAmazonBalance",
        "VoidAmazonBalanceLoad",
    }
    for name, make in INTENTS.items():
        assert (make().request_id is not None) == (name in moves)
