"""XML in and out: the shapes of Amazon's error page, the choice of a format, and hostile bodies."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agcod_async.core.outcomes import Reply
from agcod_async.testing import FaultKind, FaultRule, FaultScript
from agcod_async.testing.catalogue import REFUSALS
from agcod_async.testing.operations import OPERATIONS
from agcod_async.testing.service import Answer
from agcod_async.testing.xml_format import XmlFormat
from agcod_async.wire.port import REPLY_SIZE_MAX
from tests.testing.requests import (
    CARD,
    FUNDS,
    ID,
    JSON,
    XML,
    Asker,
    activate,
    as_xml,
    cancel,
    check,
    create,
    deactivate,
    from_xml,
    load,
    members,
    report,
    signed,
)

REQUESTS = {
    "CreateGiftCard": create(),
    "CancelGiftCard": cancel(),
    "GetAvailableFunds": FUNDS,
    "ActivateGiftCard": activate(),
    "ActivationStatusCheck": check(),
    "DeactivateGiftCard": deactivate(),
    "LoadAmazonBalance": load(timestamp=1464933146000),
    "VoidAmazonBalanceLoad": load(voidIfUsed=False),
    "ValidateAccountForAmazonBalanceLoad": load(),
    "GetGiftCardActivityPage": report("2026-01-01T00:00:00", "2026-01-02T00:00:00"),
}
"""One of each operation, in an order in which all of them succeed."""

# The three requests of Amazon's error page ("Example Mock Requests"), with our partner ID.
PAGE_CREATE = b"""<CreateGiftCardRequest>
	<creationRequestId>F2012</creationRequestId>
	<partnerId>Emula</partnerId>
	<value>
		<currencyCode>EUR</currencyCode>
		<amount>1.00</amount>
	</value>
</CreateGiftCardRequest>"""
PAGE_ACTIVATE = b"""<ActivateGiftCardRequest>
	<activationRequestId>F2005</activationRequestId>
	<partnerId>Emula</partnerId>
	<cardNumber>3400000000004400616</cardNumber>
	<value>
		<currencyCode>EUR</currencyCode>
		<amount>1</amount>
	</value>
	<transactionSource>
		<id>{"institutionId" : "1010101010" , "sourceId" : "01010101010101"}</id>
	</transactionSource>
</ActivateGiftCardRequest>"""
PAGE_LOAD = b"""<LoadAmazonBalanceRequest>
	<account>
		<id>F2034</id>
		<type>0</type>
	</account>
	<partnerId>Emula</partnerId>
	<amount>
		<currencyCode>EUR</currencyCode>
		<value>4570</value>
	</amount>
	<loadBalanceRequestId>Emula000000001</loadBalanceRequestId>
	<timestamp>1464933146000</timestamp>
	<transactionSource>
		<sourceId>12344332</sourceId>
		<institutionId>A1234</institutionId>
		<sourceDetails>{"institutionName": "Test Merchant"}</sourceDetails>
	</transactionSource>
</LoadAmazonBalanceRequest>"""


def answered(asker: Asker, operation: str, body: bytes, headers: dict[str, str] = XML) -> Reply:
    decision = asker.decide(operation, body, headers=headers)
    assert isinstance(decision, Answer)
    return decision.reply


def ask(asker: Asker, operation: str, body: bytes) -> dict[str, Any]:
    return from_xml(answered(asker, operation, body))


def without_nulls(value: Any) -> Any:
    """Return a JSON answer as XML tells it: nothing that is null, and all of it text."""
    if isinstance(value, dict):
        shown = {name: without_nulls(one) for name, one in value.items() if one is not None}
        return shown or ""
    if isinstance(value, list):
        return [without_nulls(one) for one in value] or ""
    return str(value)


def test_every_operation_answers_in_xml_what_it_answers_in_json() -> None:
    in_json, in_xml = Asker(), Asker()

    assert set(REQUESTS) == set(OPERATIONS)
    for operation, body in REQUESTS.items():
        told = in_json.ask(operation, body)
        assert told["status"] == "SUCCESS", operation
        wrapped = ask(in_xml, operation, as_xml(operation, body))
        assert wrapped == {f"{operation}Response": without_nulls(told)}
    assert in_json.service.ledger.history == in_xml.service.ledger.history
    assert len(in_xml.service.ledger.history) == 6


@pytest.mark.parametrize("amount", ["0.15", "25.00", "1999.99", "1e1", " 100 "])
def test_an_amount_in_xml_is_exactly_what_was_written(amount: str) -> None:
    asker = Asker()

    answer = ask(asker, "CreateGiftCard", as_xml("CreateGiftCard", create(amount=f'"{amount}"')))

    shown = answer["CreateGiftCardResponse"]["cardInfo"]["value"]["amount"]
    assert Decimal(shown) == Decimal(amount.strip())
    assert asker.service.ledger.balances()[0].debited == Decimal(amount.strip())


# --- errors ------------------------------------------------------------------------------------


def test_the_examples_of_amazons_error_page_are_answered_as_it_shows() -> None:
    asker = Asker()

    created = answered(asker, "CreateGiftCard", PAGE_CREATE)
    activated = answered(asker, "ActivateGiftCard", PAGE_ACTIVATE)
    loaded = answered(asker, "LoadAmazonBalance", PAGE_LOAD)

    assert created.body == (
        b"<AGCODException><agcodResponse><status>FAILURE</status></agcodResponse>"
        b"<errorType>InvalidCardStatusForDeactivation</errorType><errorCode>F200</errorCode>"
        b"<Message>Current card status is not valid for deactivation</Message></AGCODException>"
    )
    assert activated.body == (
        b"<AGCODValidationException><errorType>InvalidCurrencyCodeInput</errorType>"
        b"<agcodResponse><status>FAILURE</status></agcodResponse><errorCode>F200</errorCode>"
        b"<Message>Currency Code can't be null or empty</Message></AGCODValidationException>"
    )
    assert loaded.body == (
        b"<LoadAmazonBalanceException><errorCode>F200</errorCode>"
        b"<errorType>UndefinedAccountId</errorType><errorMessage>AccountId provided in request "
        b"does not exist in Amazon system</errorMessage><status>FAILURE</status>"
        b"</LoadAmazonBalanceException>"
    )
    assert {created.status, activated.status, loaded.status} == {400}


@pytest.mark.parametrize(
    ("operation", "body", "root"),
    [
        ("CreateGiftCard", create("Emula" + "1" * 36), "AGCODValidationException"),
        ("CreateGiftCard", create(amount=-1), "AGCODValidationException"),
        ("CreateGiftCard", create(currency="EUR"), "AGCODException"),
        ("ActivateGiftCard", activate(card="1"), "AGCODValidationException"),
        ("ActivateGiftCard", activate(transactionSource={"id": "1"}), "AGCODException"),
        ("ActivationStatusCheck", check(), "AGCODException"),
        ("GetGiftCardActivityPage", report("a", "b"), "AGCODValidationException"),
        ("GetAvailableFunds", b"", "AGCODValidationException"),
        ("LoadAmazonBalance", b"", "LoadAmazonBalanceException"),
        ("VoidAmazonBalanceLoad", load(), "LoadAmazonBalanceException"),
        ("ValidateAccountForAmazonBalanceLoad", load(value=0), "LoadAmazonBalanceException"),
    ],
)
def test_what_is_wrong_with_a_request_as_it_stands_is_told_from_other_refusals(
    operation: str, body: bytes, root: str
) -> None:
    assert list(ask(Asker(), operation, as_xml(operation, body) if body else b"")) == [root]


def test_a_refused_request_that_was_no_mock_is_answered_with_its_id() -> None:
    answer = ask(Asker(), "CreateGiftCard", as_xml("CreateGiftCard", create(amount=0)))

    assert answer["AGCODValidationException"]["agcodResponse"] == {
        "creationRequestId": ID,
        "status": "FAILURE",
    }


@pytest.mark.parametrize("code", sorted(REFUSALS))
def test_every_mock_code_says_in_xml_what_it_says_in_json(code: str) -> None:
    body = create(code)
    told = Asker().ask("CreateGiftCard", body)

    ((root, error),) = ask(Asker(), "CreateGiftCard", as_xml("CreateGiftCard", body)).items()

    assert root in ("AGCODException", "AGCODValidationException")
    assert error["agcodResponse"] == {"status": told["agcodResponse"]["status"]}
    names = ("errorCode", "errorType", "Message")
    assert [error[n] for n in names] == [told[n] for n in ("errorCode", "errorType", "message")]


def test_what_a_request_lacks_is_what_it_lacks_in_json() -> None:
    for body in (
        create(None),
        create(""),
        create(partnerId=None),
        create(amount=None),
        create(value=None),
        create(value={}),
        create(currency=""),
        b"",
    ):
        told = Asker().ask("CreateGiftCard", body)
        sent = as_xml("CreateGiftCard", body) if body else body
        ((_, error),) = ask(Asker(), "CreateGiftCard", sent).items()
        assert error["errorType"] == told["errorType"]


def test_a_member_in_another_case_is_f500_in_xml_too() -> None:
    body = b"<CreateGiftCardRequest><PartnerId>Emula</PartnerId></CreateGiftCardRequest>"

    answer = ask(Asker(), "CreateGiftCard", body)

    assert answer["AGCODException"]["errorCode"] == "F500"


def test_errors_at_the_door_come_under_the_name_of_their_exception() -> None:
    asker = Asker(verify_signatures=True, requests_per_second=1)
    good = signed("CreateGiftCard", create())
    wrong = {**good, "accept": "text/xml", "authorization": good["authorization"][:-4] + "0000"}
    body = create()

    missing = answered(asker, "CreateGiftCard", body)
    mismatch = answered(asker, "CreateGiftCard", body, wrong)
    unknown = answered(asker, "NoSuchOperation", body)

    assert (missing.status, from_xml(missing)) == (
        403,
        {"MissingAuthenticationTokenException": {"Message": "Missing Authentication Token"}},
    )
    assert list(from_xml(mismatch)) == ["InvalidSignatureException"]
    assert "Canonical String" in from_xml(mismatch)["InvalidSignatureException"]["Message"]
    assert unknown.status == 400
    assert list(from_xml(unknown)) == ["UnknownOperationException"]


# --- which format ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "is_json"),
    [
        (None, False),
        ("application/json", True),
        ("Application/JSON; q=1, */*", True),
        ("*/*", False),
        ("charset=UTF-8", False),
        ("application/xml", False),
    ],
)
def test_the_answer_is_in_json_for_those_alone_who_accept_it(
    accept: str | None, *, is_json: bool
) -> None:
    headers = {"content-type": "application/json"}
    if accept is not None:
        headers["accept"] = accept

    reply = answered(Asker(), "CreateGiftCard", create(), headers)

    assert reply.status == 200
    assert reply.content_type == ("application/json" if is_json else "application/xml")


@pytest.mark.parametrize(
    ("content_type", "as_what"),
    [
        ("application/json", "json"),
        ("application/xml", "xml"),
        ("text/xml; charset=utf-8", "xml"),
        (None, "json"),
        (None, "xml"),
        ("charset=UTF-8", "json"),
        ("charset=UTF-8", "xml"),
        ("application/x-www-form-urlencoded; charset=UTF-8", "xml"),
    ],
)
def test_the_request_is_read_as_what_it_says_or_looks_like(
    content_type: str | None, as_what: str
) -> None:
    body = create() if as_what == "json" else b"\n " + as_xml("CreateGiftCard", create())
    headers = {"accept": "application/json"}
    if content_type is not None:
        headers["content-type"] = content_type

    assert members(answered(Asker(), "CreateGiftCard", body, headers))["status"] == "SUCCESS"


def test_a_request_in_another_format_than_it_says_is_unusable() -> None:
    in_xml = as_xml("CreateGiftCard", create())

    assert list(members(answered(Asker(), "CreateGiftCard", in_xml, JSON))) == ["Message"]
    assert list(ask(Asker(), "CreateGiftCard", create())) == ["SerializationException"]


# --- hostile bodies ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"<",
        b"<CreateGiftCardRequest>",
        b"<a/>",
        b"<CancelGiftCardRequest/>",
        b"<!DOCTYPE CreateGiftCardRequest><CreateGiftCardRequest/>",
        (
            b'<!DOCTYPE x [<!ENTITY a "A"><!ENTITY b "&a;&a;">]>'
            b"<CreateGiftCardRequest>&b;</CreateGiftCardRequest>"
        ),
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><CreateGiftCardRequest/>',
        b'<?xml version="1.0" encoding="no-such-thing"?><CreateGiftCardRequest/>',
        b'<?xml version="1.0" encoding="utf-7"?><CreateGiftCardRequest/>',
        b'<?xml version="1.0" encoding="idna"?><CreateGiftCardRequest/>',
        b"<CreateGiftCardRequest>\xff</CreateGiftCardRequest>",
        b"<CreateGiftCardRequest>&unknown;</CreateGiftCardRequest>",
        b"<CreateGiftCardRequest><value>1</value></CreateGiftCardRequest>",
        (
            b"<CreateGiftCardRequest><partnerId>A</partnerId><partnerId>B</partnerId>"
            b"</CreateGiftCardRequest>"
        ),
        b"<CreateGiftCardRequest>"
        + b"<a>" * 50_000
        + b"</a>" * 50_000
        + b"</CreateGiftCardRequest>",
        as_xml("CreateGiftCard", create(amount='"NaN"')),
        as_xml("CreateGiftCard", create(amount='"Infinity"')),
        as_xml("CreateGiftCard", create(amount='"1_000"')),
        as_xml("CreateGiftCard", create(amount='"1e99999"')),
        as_xml("CreateGiftCard", create(amount='"ten"')),
        as_xml("CreateGiftCard", create(amount='"\N{FULLWIDTH DIGIT ONE}"')),
        as_xml("CreateGiftCard", create(amount='{"a":1}')),
    ],
)
def test_what_is_no_request_at_all_is_a_message_without_a_code(body: bytes) -> None:
    asker = Asker()

    reply = answered(asker, "CreateGiftCard", body)

    assert reply.status == 400
    assert list(from_xml(reply)) == ["SerializationException"]
    assert asker.service.arrivals.by_result == {"unusable": 1}
    assert list(asker.service.ledger.cards()) == []


@given(
    body=st.binary(max_size=60) | st.text(alphabet="<>/&;!?a\"'= \n[]", max_size=60).map(str.encode)
)
def test_no_body_breaks_the_reader(body: bytes) -> None:
    XmlFormat().read("CreateGiftCard", body)
    XmlFormat().read("CreateGiftCard", b"<CreateGiftCardRequest>" + body)


@given(text=st.text(max_size=50))
def test_whatever_is_echoed_the_answer_is_xml(text: str) -> None:
    request_id = "Emula" + text[:30]
    asker = Asker()

    for body in (create(request_id), create(request_id, amount=0)):
        reply = answered(asker, "CreateGiftCard", body, {"content-type": "application/json"})
        assert from_xml(reply)


def test_a_namespace_and_an_xml_declaration_are_no_obstacle() -> None:
    body = (
        b'<?xml version="1.0" encoding="UTF-8"?>\n<CreateGiftCardRequest '
        b'xmlns="http://internal.amazon.com/coral/com.amazonaws.agcod/">'
        b"<creationRequestId>Emula1</creationRequestId><partnerId>Emula</partnerId>"
        b"<!-- ten --><value><currencyCode>USD</currencyCode><amount>10</amount></value>"
        b"<weather>fine</weather></CreateGiftCardRequest>"
    )

    answer = ask(Asker(), "CreateGiftCard", body)

    assert answer["CreateGiftCardResponse"]["status"] == "SUCCESS"


# --- faults ------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
@pytest.mark.parametrize(
    ("kind", "code", "status"),
    [("f400_before", "F400", "RESEND"), ("f500", "F500", "FAILURE"), ("f100", "F100", "FAILURE")],
)
def test_a_fault_speaks_the_language_of_the_request(
    operation: str, kind: str, code: str, status: str
) -> None:
    asker = Asker(faults=FaultScript(rules=(FaultRule(fault=FaultKind(kind)),)))

    body = as_xml(operation, REQUESTS[operation])
    ((root, error),) = ask(asker, operation, body).items()

    is_balance = "Balance" in operation
    assert root == ("LoadAmazonBalanceException" if is_balance else "AGCODException")
    assert error["errorCode"] == code
    assert (error["status"] if is_balance else error["agcodResponse"]["status"]) == status
    assert asker.service.ledger.history == ()


def test_distorted_answers_are_distorted_in_xml_too() -> None:
    kinds = ("truncated", "oversized", "wrong_content_type")
    rules = tuple(FaultRule(fault=FaultKind(kind), nth=n) for n, kind in enumerate(kinds, 1))
    asker = Asker(faults=FaultScript(rules=rules))
    body = as_xml("ActivateGiftCard", activate())

    truncated, oversized, mislabelled = (
        answered(asker, "ActivateGiftCard", body) for _ in range(3)
    )

    whole = answered(asker, "ActivateGiftCard", body)
    assert CARD in whole.body.decode()
    assert truncated.body == whole.body[: len(whole.body) // 2]
    assert len(oversized.body) > REPLY_SIZE_MAX
    assert from_xml(oversized) == from_xml(whole)
    assert mislabelled == Reply(200, "text/html", whole.body)


def test_a_throttle_is_the_same_in_both_formats() -> None:
    asker = Asker(requests_per_second=1)
    answered(asker, "GetAvailableFunds", as_xml("GetAvailableFunds", FUNDS))

    reply = answered(asker, "GetAvailableFunds", as_xml("GetAvailableFunds", FUNDS))

    assert from_xml(reply) == {"ThrottlingException": {"Message": "Rate exceeded"}}
    assert reply == asker.reply("GetAvailableFunds", FUNDS)
