"""What the emulated service answers, compared with recorded replies and Amazon's error table."""

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from agcod_async.providers.agcod import catalogue as client_catalogue
from agcod_async.testing.catalogue import REFUSALS
from agcod_async.testing.operations import OPERATIONS
from agcod_async.values import Money
from tests.testing.requests import (
    FUNDS,
    ID,
    Asker,
    activate,
    cancel,
    check,
    create,
    deactivate,
    load,
    members,
    report,
)


def error_of(answer: dict[str, Any]) -> tuple[str, str, str]:
    return answer["errorCode"], answer["errorType"], answer["agcodResponse"]["status"]


def test_a_create_is_answered_as_recorded() -> None:
    asker = Asker(funds=(Money(100_000, "JPY"),))

    reply = asker.reply("CreateGiftCard", create(amount=500, currency="JPY"))

    answer = members(reply)
    assert (reply.status, reply.content_type) == (200, "application/json")
    card = asker.service.ledger.card(ID)
    assert card is not None
    assert answer == {
        "cardInfo": {
            "cardNumber": None,
            "cardStatus": "Fulfilled",
            "expirationDate": None,
            "value": {"amount": Decimal("500.0"), "currencyCode": "JPY"},
        },
        "creationRequestId": ID,
        "gcClaimCode": card.claim_code.reveal(),
        "gcExpirationDate": "Tue Jan 01 14:59:59 UTC 2036",
        "gcId": card.gc_id,
        "status": "SUCCESS",
    }
    assert b'"amount":500.0' in reply.body


def test_a_card_in_dollars_never_expires() -> None:
    assert Asker().ask("CreateGiftCard", create())["gcExpirationDate"] is None


@pytest.mark.parametrize("amount", ["0.1", "0.15", "25.00", "1999.99", "1e1", "100"])
def test_an_amount_comes_back_as_exactly_what_was_sent(amount: str) -> None:
    asker = Asker()

    answer = asker.ask("CreateGiftCard", create(amount=amount))

    assert answer["cardInfo"]["value"]["amount"] == Decimal(amount)
    assert asker.service.ledger.balances()[0].debited == Decimal(amount)


def test_only_the_card_status_tells_a_dead_replay_from_a_live_card() -> None:
    asker = Asker()
    live = asker.ask("CreateGiftCard", create())
    asker.ask("CancelGiftCard", cancel())

    dead = asker.ask("CreateGiftCard", create())

    assert dead.pop("cardInfo")["cardStatus"] == "RefundedToPurchaser"
    assert live.pop("cardInfo")["cardStatus"] == "Fulfilled"
    assert dead == live


def test_a_cancel_is_answered_as_recorded() -> None:
    asker = Asker()
    gc_id = asker.ask("CreateGiftCard", create())["gcId"]

    for _ in range(2):
        assert asker.ask("CancelGiftCard", cancel()) == {
            "creationRequestId": ID,
            "gcId": gc_id,
            "status": "SUCCESS",
        }


def test_a_cancel_may_name_the_card_but_not_another_one() -> None:
    asker = Asker()
    gc_id = asker.ask("CreateGiftCard", create())["gcId"]

    wrong = asker.ask("CancelGiftCard", cancel(gcId="ANOTHER"))
    assert error_of(wrong) == ("F200", "InvalidGCIdInput", "FAILURE")
    assert asker.ask("CancelGiftCard", cancel(gcId=gc_id))["status"] == "SUCCESS"


def test_a_cancel_without_the_card_is_refused_only_where_that_is_asked_for() -> None:
    asker = Asker(cancel_requires_gc_id=True)
    gc_id = asker.ask("CreateGiftCard", create())["gcId"]

    assert asker.ask("CancelGiftCard", cancel())["errorType"] == "InvalidGCIdInput"
    assert asker.ask("CancelGiftCard", cancel(gcId=gc_id))["status"] == "SUCCESS"


def test_funds_are_what_is_left_in_the_accounts_own_currency() -> None:
    asker = Asker(funds=(Money(100, "EUR"), Money(7, "USD")))
    asker.ask("CreateGiftCard", create(amount="0.50", currency="EUR"))

    assert asker.ask("GetAvailableFunds", FUNDS) == {
        "availableFunds": {"amount": Decimal("99.5"), "currencyCode": "EUR"},
        "status": "SUCCESS",
        "timestamp": "20260101T000000Z",
    }


def test_an_error_is_answered_as_recorded() -> None:
    asker = Asker()

    reply = asker.reply("CreateGiftCard", create(request_id="F4000"))

    assert reply.status == 400
    assert members(reply) == {
        "agcodResponse": {
            "__type": "CreateGiftCardResponse:http://internal.amazon.com/coral/"
            "com.amazonaws.agcod/",
            "cardInfo": None,
            "creationRequestId": None,
            "gcClaimCode": None,
            "gcExpirationDate": None,
            "gcId": None,
            "status": "RESEND",
        },
        "errorCode": "F400",
        "errorType": "SystemTemporarilyUnavailable",
        "message": "System Temporarily Unavailable",
    }


def test_a_refused_request_that_was_no_mock_is_answered_with_its_id() -> None:
    answer = Asker().ask("CreateGiftCard", create(amount=0))

    assert answer["agcodResponse"]["creationRequestId"] == ID


def test_the_status_of_errors_can_be_chosen() -> None:
    assert Asker(error_status=500).reply("CreateGiftCard", create(amount=0)).status == 500


@pytest.mark.parametrize(
    ("body", "error_type"),
    [
        (b"", "InvalidRequestInput"),
        (b"null", "InvalidRequestInput"),
        (b"{}", "InvalidPartnerIdInput"),
        (create(partnerId=""), "InvalidPartnerIdInput"),
        (create(request_id=None), "InvalidRequestIdInput"),
        (create(request_id=""), "InvalidRequestIdInput"),
        (create(request_id="Emula" + "1" * 36), "RequestIdTooLong"),
        (create(request_id="emula1"), "RequestIdMustStartWithPartnerName"),
        (create(request_id="F9999"), "RequestIdMustStartWithPartnerName"),
        (create(amount=None), "InvalidAmountInput"),
        (create(value=None), "InvalidAmountInput"),
        (create(amount=0), "InvalidAmountValue"),
        (create(amount=-1), "NegativeOrZeroAmount"),
        (create(amount="2000.01"), "MaxAmountExceeded"),
        (create(currency=None), "InvalidCurrencyCodeInput"),
        (create(currency=""), "InvalidCurrencyCodeInput"),
        (create(currency="EUR"), "CurrencyCodeMismatch"),
        (create(amount="1.001"), "FractionalAmountNotAllowed"),
        (create(externalReference="x" * 101), "ExternalReferenceTooLong"),
    ],
)
def test_a_create_that_breaks_a_rule_is_f200_and_makes_no_card(
    body: bytes, error_type: str
) -> None:
    asker = Asker()

    assert error_of(asker.ask("CreateGiftCard", body)) == ("F200", error_type, "FAILURE")
    assert list(asker.service.ledger.cards()) == []


def test_limits_are_not_one_too_low() -> None:
    asker = Asker()

    for body in (
        create(request_id="Emula" + "1" * 35, amount=2000),
        create(request_id="Emula2", externalReference="x" * 100),
        create(request_id="Emula_3-", programId="p", productType="t", transactionSource={}),
    ):
        assert asker.ask("CreateGiftCard", body)["status"] == "SUCCESS"


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("CreateGiftCard", create(partnerId="Other")),
        ("CancelGiftCard", cancel(partnerId="Other")),
        ("GetAvailableFunds", b'{"partnerId":"Other"}'),
    ],
)
def test_an_unknown_partner_is_f300(operation: str, body: bytes) -> None:
    assert error_of(Asker().ask(operation, body)) == ("F300", "InvalidPartnerId", "FAILURE")


def test_empty_funds_are_f300() -> None:
    asker = Asker(funds=(Money(10, "USD"),))

    answer = asker.ask("CreateGiftCard", create(amount=11))

    assert error_of(answer) == ("F300", "InsufficientFunds", "FAILURE")


@pytest.mark.parametrize(
    "body",
    [
        b'{"CreationRequestId":"Emula1","partnerId":"Emula"}',
        b'{"creationRequestId":"Emula1","partnerID":"Emula"}',
        create(value={"Amount": 1, "currencyCode": "USD"}),
    ],
)
def test_a_member_in_another_case_is_f500(body: bytes) -> None:
    assert error_of(Asker().ask("CreateGiftCard", body)) == ("F500", "GeneralError", "FAILURE")


def test_members_that_nobody_knows_are_ignored() -> None:
    assert Asker().ask("CreateGiftCard", create(weather="fine"))["status"] == "SUCCESS"


@pytest.mark.parametrize(
    "body",
    [
        b'"text"',
        b"[]",
        b"7",
        b"{",
        b"\xff\xfe",
        b"[" * 50_000,
        create(request_id=7),
        create(amount='"25.00"'),
        create(amount=True),
        create(amount="[1]"),
        create(value=7),
        b'{"value":{"amount":1e99999999999999999999}}',
    ],
)
def test_what_is_no_request_at_all_is_a_message_without_a_code(body: bytes) -> None:
    asker = Asker()

    reply = asker.reply("CreateGiftCard", body)

    assert reply.status == 400
    assert list(members(reply)) == ["Message"]
    assert asker.service.arrivals.by_result == {"unusable": 1}


def test_text_in_place_of_a_request_is_answered_as_recorded() -> None:
    assert Asker().ask("CreateGiftCard", b'"text"') == {
        "Message": "class java.lang.String is not an expected Json type"
    }


@pytest.mark.parametrize(
    "operation", ["NoSuchOperation", "CreateGiftCard?x=1", "", "createGiftCard"]
)
def test_what_is_no_operation_is_refused_at_the_door(operation: str) -> None:
    asker = Asker()

    decision = asker.decide(operation, create())

    assert decision.reply.status == 400
    assert "supported protocols" in members(decision.reply)["Message"]
    assert list(asker.service.ledger.cards()) == []


# --- mock codes --------------------------------------------------------------------------------


def test_the_mock_success_has_the_recorded_values_and_moves_no_money() -> None:
    asker = Asker()

    answer = asker.ask("CreateGiftCard", create(request_id="F0000", amount=500))

    assert answer["gcClaimCode"] == "ZYXW-VUTS-RQPO"
    assert answer["gcId"] == "ABC123ZYX987"
    assert answer["creationRequestId"] == "F0000"
    assert answer["cardInfo"]["cardStatus"] == "Fulfilled"
    assert answer["cardInfo"]["value"]["amount"] == 500
    assert asker.service.ledger.history == ()


def test_a_mocked_cancel_succeeds() -> None:
    answer = Asker().ask("CancelGiftCard", cancel("F0000"))

    assert answer == {"creationRequestId": "F0000", "gcId": "ABC123ZYX987", "status": "SUCCESS"}


_MOCKED: dict[str, Callable[[str], bytes]] = {
    "CreateGiftCard": create,
    "CancelGiftCard": cancel,
    "ActivateGiftCard": activate,
    "DeactivateGiftCard": deactivate,
    "ActivationStatusCheck": check,
    "LoadAmazonBalance": lambda code: load(account=code, kind=0),
    "VoidAmazonBalanceLoad": lambda code: load(account=code, kind=0),
    "ValidateAccountForAmazonBalanceLoad": lambda code: load(account=code, kind=0),
    "GetGiftCardActivityPage": lambda code: report(None, None, requestId=code),
}
"""Every operation that can be mocked, and a request with a mock code in it."""


def test_every_operation_but_the_one_without_an_id_can_be_mocked() -> None:
    assert set(_MOCKED) == set(OPERATIONS) - {"GetAvailableFunds"}


@pytest.mark.parametrize("code", sorted(REFUSALS))
@pytest.mark.parametrize("operation", sorted(_MOCKED))
def test_every_mock_code_answers_an_error_that_the_client_knows(operation: str, code: str) -> None:
    asker = Asker()

    answer = asker.ask(operation, _MOCKED[operation](code))

    documented = client_catalogue.by_mock(code)
    name = client_catalogue.documented_name(answer["errorType"])
    assert (answer["errorCode"], name) in {(row.code, row.name) for row in documented}
    assert answer["errorCode"] == f"{code[:2]}00"
    status = answer["status"] if "Balance" in operation else answer["agcodResponse"]["status"]
    assert status == ("RESEND" if code == "F4000" else "FAILURE")
    assert asker.service.ledger.history == ()


def test_no_documented_mock_code_is_missing() -> None:
    documented = {mock for row in client_catalogue.ROWS for mock in row.mock_ids}

    assert documented == set(REFUSALS)
    assert all(re.fullmatch("F[1-5][0-9]{3}", code) for code in documented)


def test_mock_codes_can_be_switched_off_as_in_production() -> None:
    answer = Asker(mock_codes=False).ask("CreateGiftCard", create(request_id="F0000"))

    assert answer["errorType"] == "RequestIdMustStartWithPartnerName"


# --- throttling --------------------------------------------------------------------------------


def test_a_throttled_request_is_answered_in_xml_without_a_code_and_has_no_effect() -> None:
    asker = Asker(requests_per_second=1)
    asker.ask("CreateGiftCard", create())

    reply = asker.reply("CreateGiftCard", create("Emula2"))

    assert reply.status == 400
    assert reply.content_type == "application/xml"
    assert re.sub(rb"\s", b"", reply.body) == (
        b"<ThrottlingException><Message>Rateexceeded</Message></ThrottlingException>"
    )
    assert asker.service.ledger.card("Emula2") is None


def test_a_throttled_request_may_be_answered_in_json() -> None:
    asker = Asker(requests_per_second=1, throttle_format="json", throttle_status=429)
    asker.ask("CreateGiftCard", create())

    reply = asker.reply("CreateGiftCard", create("Emula2"))

    assert reply.status == 429
    assert json.loads(reply.body) == {"message": "Rate exceeded"}


def test_funds_are_asked_for_once_a_second_at_most_by_default() -> None:
    asker = Asker(operation_caps={"GetAvailableFunds": 1.0})
    asker.ask("GetAvailableFunds", FUNDS)

    assert b"Rate exceeded" in asker.reply("GetAvailableFunds", FUNDS).body
    assert asker.ask("CreateGiftCard", create())["status"] == "SUCCESS"
    asker.pass_time(1.0)
    assert asker.ask("GetAvailableFunds", FUNDS)["status"] == "SUCCESS"
