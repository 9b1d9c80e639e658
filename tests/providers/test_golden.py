"""The very bytes that are sent, for every operation in both forms, and that they stay the same."""

import re

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agcod_async.providers.agcod.codec import as_xml
from agcod_async.providers.agcod.operations import AGCOD, AGCOD_IN
from agcod_async.providers.agcod.xml_form import LISTS, read
from agcod_async.providers.base import Intent
from agcod_async.values import Money, RequestId
from tests.providers.samples import FULL_INTENTS, INTENTS, activate, load, void

JSON = {
    "CreateGiftCard": '{"creationRequestId":"PartaOrder0042","partnerId":"Parta",'
    '"value":{"currencyCode":"USD","amount":12.50}}',
    "CancelGiftCard": '{"creationRequestId":"PartaOrder0042","partnerId":"Parta"}',
    "ActivateGiftCard": '{"activationRequestId":"PartaOrder0042","partnerId":"Parta",'
    '"cardNumber":"6284190537715502918","value":{"currencyCode":"USD","amount":12.50}}',
    "DeactivateGiftCard": '{"activationRequestId":"PartaOrder0042","partnerId":"Parta",'
    '"cardNumber":"6284190537715502918"}',
    "ActivationStatusCheck": '{"statusCheckRequestId":"PartaOrder0042","partnerId":"Parta",'
    '"cardNumber":"6284190537715502918"}',
    "LoadAmazonBalance": '{"account":{"id":"851CANARY6129930055412","type":1},'
    '"partnerId":"Parta","amount":{"currencyCode":"USD","value":1250},'
    '"loadBalanceRequestId":"PartaOrder0042"}',
    "VoidAmazonBalanceLoad": '{"account":{"id":"851CANARY6129930055412","type":1},'
    '"partnerId":"Parta","amount":{"currencyCode":"USD","value":1250},'
    '"loadBalanceRequestId":"PartaOrder0042","voidIfUsed":false}',
    "ValidateAccountForAmazonBalanceLoad": '{"account":{"id":"851CANARY6129930055412","type":1},'
    '"partnerId":"Parta","amount":{"currencyCode":"USD","value":1250},'
    '"loadBalanceRequestId":"PartaOrder0042"}',
    "GetAvailableFunds": '{"partnerId":"Parta"}',
    "GetGiftCardActivityPage": '{"requestId":"PartaOrder0042","partnerId":"Parta",'
    '"utcStartDate":"2031-02-03T00:00:00","utcEndDate":"2031-02-04T12:30:15","pageIndex":0,'
    '"pageSize":1000,"showNoOps":false}',
}
FULL_JSON = {
    "ActivateGiftCard": '{"activationRequestId":"PartaOrder0042","partnerId":"Parta",'
    '"cardNumber":"6284190537715502918","value":{"currencyCode":"USD","amount":12.50},'
    '"programId":"Spring31","productType":"bookPV","transactionSource":{"id":'
    r'"{\"institutionId\":\"shop <9>\",\"sourceId\":\"till \\\"4\\\"\"}"}}',
    "LoadAmazonBalance": '{"account":{"id":"851CANARY6129930055412","type":1},'
    '"partnerId":"Parta","amount":{"currencyCode":"USD","value":1250},'
    '"loadBalanceRequestId":"PartaOrder0042","timestamp":1922400000000,'
    '"transactionSource":{"sourceId":"till 4","institutionId":"shop 9",'
    r'"sourceDetails":"{\"floor\": 2}"},'
    '"notificationDetails":"Æsop & Co","externalReference":"order 7"}',
    "VoidAmazonBalanceLoad": '{"account":{"id":"851CANARY6129930055412","type":1},'
    '"partnerId":"Parta","amount":{"currencyCode":"USD","value":1250},'
    '"loadBalanceRequestId":"PartaOrder0042","voidIfUsed":true}',
    "GetGiftCardActivityPage": '{"requestId":"PartaOrder0042","partnerId":"Parta",'
    '"utcStartDate":"2031-02-03T00:00:00","utcEndDate":"2031-02-04T12:30:15","pageIndex":3,'
    '"pageSize":1000,"showNoOps":true}',
}
XML = {
    "CreateGiftCard": """
<CreateGiftCardRequest>
  <creationRequestId>PartaOrder0042</creationRequestId>
  <partnerId>Parta</partnerId>
  <value>
    <currencyCode>USD</currencyCode>
    <amount>12.50</amount>
  </value>
</CreateGiftCardRequest>""",
    "CancelGiftCard": """
<CancelGiftCardRequest>
  <creationRequestId>PartaOrder0042</creationRequestId>
  <partnerId>Parta</partnerId>
</CancelGiftCardRequest>""",
    "ActivateGiftCard": """
<ActivateGiftCardRequest>
  <activationRequestId>PartaOrder0042</activationRequestId>
  <partnerId>Parta</partnerId>
  <cardNumber>6284190537715502918</cardNumber>
  <value>
    <currencyCode>USD</currencyCode>
    <amount>12.50</amount>
  </value>
</ActivateGiftCardRequest>""",
    "DeactivateGiftCard": """
<DeactivateGiftCardRequest>
  <activationRequestId>PartaOrder0042</activationRequestId>
  <partnerId>Parta</partnerId>
  <cardNumber>6284190537715502918</cardNumber>
</DeactivateGiftCardRequest>""",
    "ActivationStatusCheck": """
<ActivationStatusCheckRequest>
  <statusCheckRequestId>PartaOrder0042</statusCheckRequestId>
  <partnerId>Parta</partnerId>
  <cardNumber>6284190537715502918</cardNumber>
</ActivationStatusCheckRequest>""",
    "LoadAmazonBalance": """
<LoadAmazonBalanceRequest>
  <account>
    <id>851CANARY6129930055412</id>
    <type>1</type>
  </account>
  <partnerId>Parta</partnerId>
  <amount>
    <currencyCode>USD</currencyCode>
    <value>1250</value>
  </amount>
  <loadBalanceRequestId>PartaOrder0042</loadBalanceRequestId>
</LoadAmazonBalanceRequest>""",
    "VoidAmazonBalanceLoad": """
<VoidAmazonBalanceLoadRequest>
  <account>
    <id>851CANARY6129930055412</id>
    <type>1</type>
  </account>
  <partnerId>Parta</partnerId>
  <amount>
    <currencyCode>USD</currencyCode>
    <value>1250</value>
  </amount>
  <loadBalanceRequestId>PartaOrder0042</loadBalanceRequestId>
  <voidIfUsed>false</voidIfUsed>
</VoidAmazonBalanceLoadRequest>""",
    "ValidateAccountForAmazonBalanceLoad": """
<ValidateAccountForAmazonBalanceLoadRequest>
  <account>
    <id>851CANARY6129930055412</id>
    <type>1</type>
  </account>
  <partnerId>Parta</partnerId>
  <amount>
    <currencyCode>USD</currencyCode>
    <value>1250</value>
  </amount>
  <loadBalanceRequestId>PartaOrder0042</loadBalanceRequestId>
</ValidateAccountForAmazonBalanceLoadRequest>""",
    "GetAvailableFunds": """
<GetAvailableFundsRequest>
  <partnerId>Parta</partnerId>
</GetAvailableFundsRequest>""",
    "GetGiftCardActivityPage": """
<GetGiftCardActivityPageRequest>
  <requestId>PartaOrder0042</requestId>
  <partnerId>Parta</partnerId>
  <utcStartDate>2031-02-03T00:00:00</utcStartDate>
  <utcEndDate>2031-02-04T12:30:15</utcEndDate>
  <pageIndex>0</pageIndex>
  <pageSize>1000</pageSize>
  <showNoOps>false</showNoOps>
</GetGiftCardActivityPageRequest>""",
}
FULL_XML = {
    "ActivateGiftCard": """
<ActivateGiftCardRequest>
  <activationRequestId>PartaOrder0042</activationRequestId>
  <partnerId>Parta</partnerId>
  <cardNumber>6284190537715502918</cardNumber>
  <value>
    <currencyCode>USD</currencyCode>
    <amount>12.50</amount>
  </value>
  <programId>Spring31</programId>
  <productType>bookPV</productType>
  <transactionSource>
    <id>{"institutionId":"shop &lt;9&gt;","sourceId":"till \\"4\\""}</id>
  </transactionSource>
</ActivateGiftCardRequest>""",
    "LoadAmazonBalance": """
<LoadAmazonBalanceRequest>
  <account>
    <id>851CANARY6129930055412</id>
    <type>1</type>
  </account>
  <partnerId>Parta</partnerId>
  <amount>
    <currencyCode>USD</currencyCode>
    <value>1250</value>
  </amount>
  <loadBalanceRequestId>PartaOrder0042</loadBalanceRequestId>
  <timestamp>1922400000000</timestamp>
  <transactionSource>
    <sourceId>till 4</sourceId>
    <institutionId>shop 9</institutionId>
    <sourceDetails>{"floor": 2}</sourceDetails>
  </transactionSource>
  <notificationDetails>Æsop &amp; Co</notificationDetails>
  <externalReference>order 7</externalReference>
</LoadAmazonBalanceRequest>""",
    "VoidAmazonBalanceLoad": XML["VoidAmazonBalanceLoad"].replace("false", "true"),
    "GetGiftCardActivityPage": XML["GetGiftCardActivityPage"]
    .replace("<pageIndex>0", "<pageIndex>3")
    .replace("false", "true"),
}


def _in_xml(intent: Intent) -> Intent:
    return AGCOD_IN["xml"].written(intent)


def _plain(page: str) -> bytes:
    """Return the document that is printed in lines here."""
    return re.sub(r"\n *", "", page).encode()


def test_every_operation_has_its_golden_bytes() -> None:
    assert set(JSON) == set(XML) == set(INTENTS) == set(AGCOD.operations)
    assert len(JSON) == 10
    assert set(FULL_JSON) == set(FULL_XML) == set(FULL_INTENTS)


@pytest.mark.parametrize("operation", INTENTS)
def test_a_request_is_sent_as_these_bytes(operation: str) -> None:
    intent = INTENTS[operation]()

    assert intent.legs(None).forward.operation == operation
    assert intent.legs(None).forward.body.decode() == JSON[operation]
    assert _in_xml(intent).legs(None).forward.body == _plain(XML[operation])


@pytest.mark.parametrize("operation", FULL_INTENTS)
def test_a_request_that_says_everything_is_sent_as_these_bytes(operation: str) -> None:
    intent = FULL_INTENTS[operation]()

    assert intent.legs(None).forward.body.decode() == FULL_JSON[operation]
    assert _in_xml(intent).legs(None).forward.body == _plain(FULL_XML[operation])


@pytest.mark.parametrize("operation", INTENTS)
def test_the_form_of_the_wire_does_not_change_what_an_order_is_known_by(operation: str) -> None:
    intent = INTENTS[operation]()

    in_xml = _in_xml(intent)

    assert AGCOD_IN["json"].written(intent) is intent
    assert in_xml.body == intent.body
    assert in_xml.request_id == intent.request_id
    assert in_xml.legs(None).forward.outcome is not None


def test_undo_and_lookup_are_sent_in_the_form_of_the_wire_too() -> None:
    legs, in_xml = activate().legs(None), _in_xml(activate()).legs(None)

    assert legs.undo is not None
    assert legs.lookup is not None
    assert in_xml.undo is not None
    assert in_xml.lookup is not None
    assert legs.undo.body.decode() == JSON["DeactivateGiftCard"]
    assert in_xml.undo.body == _plain(XML["DeactivateGiftCard"])
    # Amazon's guide: the status is asked for under the ID of the activation.
    assert legs.lookup.body.decode() == JSON["ActivationStatusCheck"]
    assert in_xml.lookup.body == _plain(XML["ActivationStatusCheck"])


def test_the_void_that_undoes_a_load_leaves_what_is_spent() -> None:
    undo = load().legs(RequestId("PartaNext")).undo
    full = FULL_INTENTS["LoadAmazonBalance"]().legs(None).undo

    assert undo is not None
    assert full is not None
    assert undo.body.decode() == JSON["VoidAmazonBalanceLoad"].replace(
        "PartaOrder0042", "PartaNext"
    )
    assert full.body.decode() == JSON["VoidAmazonBalanceLoad"]


@pytest.mark.parametrize(
    "operation",
    ["CreateGiftCard", "ActivateGiftCard", "DeactivateGiftCard", "CancelGiftCard"],
)
def test_what_a_journal_has_kept_is_sent_again_as_the_same_bytes(operation: str) -> None:
    for intents in (INTENTS, FULL_INTENTS):
        if operation in intents:
            intent = intents[operation]()
            again = AGCOD.operations[operation].rebind(intent.body)
            assert again is not None
            assert again.body == intent.body
            assert again.legs(None).forward.body == intent.legs(None).forward.body
            assert _in_xml(again).legs(None).forward.body == (
                _in_xml(intent).legs(None).forward.body
            )


@pytest.mark.parametrize("make", [load, void])
def test_under_a_successor_only_the_id_differs(make: object) -> None:
    assert callable(make)
    intent = make()
    successor = intent.legs(RequestId("PartaNext")).forward.body

    assert successor == intent.legs(None).forward.body.replace(b"PartaOrder0042", b"PartaNext")


@pytest.mark.parametrize(
    ("amount", "minor"),
    [
        (Money("45.70", "EUR"), 4570),
        (Money("0.01", "USD"), 1),
        (Money(500, "JPY"), 500),
        (Money("999999999999.99", "GBP"), 99_999_999_999_999),
    ],
)
def test_a_load_is_written_in_minor_units_and_comes_back_exactly(amount: Money, minor: int) -> None:
    intent = load(amount=amount)

    assert f'"value":{minor}}}' in intent.body.decode()
    assert intent.amount == amount


_TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=30
) | st.text(st.sampled_from("<>&\"'\r\n\t ]é😀\x85"), max_size=12)


@given(
    st.recursive(
        st.dictionaries(
            st.from_regex(r"[a-z][a-zA-Z]{0,9}", fullmatch=True).filter(lambda n: n not in LISTS),
            _TEXT | st.integers() | st.booleans(),
            min_size=1,
            max_size=4,
        ),
        lambda inner: st.dictionaries(
            st.sampled_from(["value", "account", "amount"]), inner, min_size=1
        ),
        max_leaves=6,
    )
)
@settings(deadline=None)
def test_what_is_written_in_xml_is_read_back_as_it_was(members: dict[str, object]) -> None:
    document = read(as_xml("Anything", msgspec.json.encode(members)))

    assert document.root == "AnythingRequest"
    assert document.members == _texts(members)


def _texts(value: object) -> object:
    if isinstance(value, dict):
        return {name: _texts(inside) for name, inside in value.items()}
    return str(value).lower() if isinstance(value, bool) else str(value)
