"""Replies in XML: believed exactly as far as the same in JSON, and read with care."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agcod_async.core.outcomes import (
    Applied,
    AppliedDead,
    Found,
    NotFound,
    Outcome,
    Refused,
    Reply,
    Throttled,
    Unclear,
    UndoFirst,
    Undone,
)
from agcod_async.providers.agcod import xml_form
from tests.providers.legs import OPERATION
from tests.providers.replies import CODE, card, card_info, create_leg, error, reply
from tests.providers.samples import (
    ACCOUNT_ID,
    COMPENSATED_LEGS,
    LEGS,
    SUCCESSES,
    UNDO_LEGS,
    activity,
    activity_row,
    balance,
    physical,
    xml,
)

BELIEVED = Applied | Undone | Found


def _answer(leg: str, **changes: object) -> Reply:
    whole = SUCCESSES[leg]() | changes
    return xml(f"{OPERATION[leg]}Response", whole)


def _raw(body: str | bytes, status: int = 200) -> Reply:
    return Reply(status, "application/xml", body.encode() if isinstance(body, str) else body)


# --- as in JSON --------------------------------------------------------------------------------


@pytest.mark.parametrize("leg", SUCCESSES)
def test_a_success_in_xml_is_the_success_in_json(leg: str) -> None:
    judge, members = LEGS[leg](), SUCCESSES[leg]()

    in_json = judge(reply(members))

    assert isinstance(in_json, BELIEVED)
    assert judge(xml(f"{OPERATION[leg]}Response", members)) == in_json
    # Amazon's page on the funds shows a root without "Response".
    assert judge(xml(OPERATION[leg], members)) == in_json


@pytest.mark.parametrize("leg", SUCCESSES)
def test_a_reply_is_read_by_its_bytes_and_not_by_its_content_type(leg: str) -> None:
    answer = _answer(leg)

    for content_type in ("application/json", "text/html", ""):
        assert isinstance(LEGS[leg]()(Reply(200, content_type, answer.body)), BELIEVED)


@pytest.mark.parametrize("leg", SUCCESSES)
def test_the_answer_to_another_operation_is_believed_by_no_leg(leg: str) -> None:
    for other, operation in OPERATION.items():
        if operation != OPERATION[leg]:
            for members in (SUCCESSES[leg](), SUCCESSES[other]()):
                outcome = LEGS[leg]()(xml(f"{operation}Response", members))
                assert isinstance(outcome, Unclear), other


@pytest.mark.parametrize(
    "root",
    [
        "Response",
        "Error",
        "{}Exception",
        "{}Result",
        "{}Request",
        "{}response",
        "x{}Response",
        "html",
        "soap",
    ],
)
@pytest.mark.parametrize("leg", SUCCESSES)
def test_a_success_under_a_wrong_root_is_unclear(leg: str, root: str) -> None:
    answer = xml(root.format(OPERATION[leg]), SUCCESSES[leg]())

    assert isinstance(LEGS[leg]()(answer), Unclear)


@pytest.mark.parametrize("leg", SUCCESSES)
@pytest.mark.parametrize("status", [100, 302, 400, 403, 500, 503])
def test_a_success_outside_2xx_is_not_believed(leg: str, status: int) -> None:
    assert isinstance(LEGS[leg]()(_raw(_answer(leg).body, status)), Unclear)


_VALUES = (
    st.sampled_from(
        ["SUCCESS", "FAILURE", "RESEND", "F100", "F200", "F400", "Fulfilled", "Activated", "USD"]
    )
    | st.sampled_from(["RefundedToPurchaser", "AwaitingActivation", "12.5", "13", "1250", "x"])
    | st.sampled_from([ACCOUNT_ID, CODE, "PartaOther", "true"])
)


@st.composite
def _changed(draw: Callable[[st.SearchStrategy[Any]], Any], leg: str) -> dict[str, Any]:
    """Return a success with members changed or gone.

    Lists, nulls and empty objects have other forms in XML, or none.
    """
    whole = json.loads(json.dumps(SUCCESSES[leg]()))
    whole = {name: value for name, value in whole.items() if value is not None}
    for _ in range(draw(st.integers(0, 3))):
        inside = whole
        while True:
            name = draw(st.sampled_from([*inside, "errorCode", "errorType", "message"]))
            if not isinstance(inside.get(name), dict) or draw(st.booleans()):
                break
            inside = inside[name]
        if draw(st.booleans()):
            inside.pop(name, None)
        elif name != "cardActivityList":
            inside[name] = draw(_VALUES)
    return _without_empty_objects(whole)


def _without_empty_objects(members: dict[str, Any]) -> dict[str, Any]:
    kept = {
        name: _without_empty_objects(value) if isinstance(value, dict) else value
        for name, value in members.items()
    }
    return {name: value for name, value in kept.items() if value != {}}


@pytest.mark.parametrize("leg", SUCCESSES)
@given(data=st.data())
@settings(deadline=None, max_examples=60)
def test_what_json_says_xml_says_too(leg: str, data: st.DataObject) -> None:
    members = data.draw(_changed(leg))
    judge = LEGS[leg]()

    in_json, in_xml = judge(reply(members)), judge(xml(f"{OPERATION[leg]}Response", members))

    assert type(in_xml) is type(in_json), members
    if isinstance(in_json, BELIEVED):
        assert in_xml == in_json


# --- errors ------------------------------------------------------------------------------------

SHOWN = """
<AGCODException>
	<agcodResponse>
		<status>FAILURE</status>
	</agcodResponse>
	<errorType>InvalidCardStatusForDeactivation</errorType>
	<errorCode>F200</errorCode>
	<Message>Current card status is not valid for deactivation</Message>
</AGCODException>
"""


@pytest.mark.parametrize("leg", LEGS)
def test_an_error_printed_in_lines_is_read(leg: str) -> None:
    outcome = LEGS[leg]()(_raw(SHOWN, 400))

    assert isinstance(outcome, Refused)
    assert outcome.reason.code == "F200"
    assert outcome.reason.error_type == "InvalidCardStatusForDeactivation"


@pytest.mark.parametrize("leg", LEGS)
def test_a_resend_in_xml_asks_for_an_undo_where_there_is_one(leg: str) -> None:
    kind = UndoFirst if leg in (*COMPENSATED_LEGS, *UNDO_LEGS) else Unclear

    for nested in ({"agcodResponse": {"status": "RESEND"}}, {"status": "RESEND"}):
        body = {**nested, "errorCode": "F400", "errorType": "SystemTemporarilyUnavailable"}
        for root in ("AGCODException", "LoadAmazonBalanceException"):
            assert isinstance(LEGS[leg]()(xml(root, body, 400)), kind)


@pytest.mark.parametrize(
    "body",
    [
        "<ThrottlingException>\n    <Message>Rate exceeded</Message>\n</ThrottlingException>",
        '<?xml version="1.0" encoding="UTF-8"?>\n<ThrottlingException/>',
        "<ThrottlingException><requestId>7</requestId></ThrottlingException>",
        '<t:ThrottlingException xmlns:t="urn:x"><t:Message>x</t:Message></t:ThrottlingException>',
        "<Error><Message>Rate exceeded</Message></Error>",
        "<E><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></E>",
    ],
)
@pytest.mark.parametrize("leg", LEGS)
def test_a_throttle_is_known(body: str, leg: str) -> None:
    assert isinstance(LEGS[leg]()(_raw(body, 400)), Throttled)


@pytest.mark.parametrize(
    "body",
    [
        # an exception that claims success, or two things at once
        (
            "<AGCODException><agcodResponse><status>SUCCESS</status></agcodResponse>"
            "<errorCode>F200</errorCode></AGCODException>"
        ),
        (
            "<AGCODException><agcodResponse><status>FAILURE</status></agcodResponse>"
            "<status>RESEND</status><errorCode>F400</errorCode></AGCODException>"
        ),
        "<AGCODException><errorCode>F200</errorCode><errorCode>F300</errorCode></AGCODException>",
        (
            "<AGCODException><agcodResponse><status>RESEND</status></agcodResponse>"
            "<errorCode>F200</errorCode></AGCODException>"
        ),
        # a code under a name that is nobody's, or no code at all
        "<Error><errorCode>F200</errorCode><status>FAILURE</status></Error>",
        "<AGCODException/>",
        "<AGCODException><status>FAILURE</status></AGCODException>",
        "<AGCODException><errorCode>F600</errorCode></AGCODException>",
        "<AGCODException><errorCode> F200</errorCode></AGCODException>",
        "<ThrottlingException><status>SUCCESS</status></ThrottlingException>",
        "<ThrottlingException><errorCode>F500</errorCode></ThrottlingException>",
    ],
)
def test_an_error_that_does_not_add_up_is_unclear(body: str) -> None:
    for leg in LEGS.values():
        assert isinstance(leg()(_raw(body, 400)), Unclear)


def test_no_words_of_a_reply_in_xml_are_repeated() -> None:
    words = {"errorCode": "F200", "errorType": "Zanzibar 9", "Message": "Zanzibar"}

    for root in ("AGCODException", "LoadAmazonBalanceException", "ZanzibarException", "Zanzibar"):
        for leg in LEGS.values():
            outcome = leg()(xml(root, {**words, "note": {"Zanzibar": "Zanzibar"}}, 400))
            assert "Zanzibar" not in repr(outcome).replace("'ZanzibarException'", "")


# --- SUCCESS that does not add up --------------------------------------------------------------


def test_a_tombstone_in_xml_is_a_tombstone() -> None:
    dead = card(cardInfo=card_info("RefundedToPurchaser"))

    assert isinstance(create_leg()(xml("CreateGiftCardResponse", dead)), AppliedDead)
    inactive = xml("ActivationStatusCheckResponse", physical("AwaitingActivation", "x"))
    assert isinstance(LEGS["look up activate"]()(inactive), NotFound)


def _create(inside: str) -> Reply:
    return _raw(f"<CreateGiftCardResponse>{inside}</CreateGiftCardResponse>")


_INSIDE = xml("x", card()).body.decode()[3:-4]


def test_a_live_card_in_xml_is_a_card() -> None:
    outcome = create_leg()(_create(_INSIDE))

    assert isinstance(outcome, Applied)
    assert CODE not in repr(outcome)


@pytest.mark.parametrize(
    "inside",
    [
        _INSIDE + "<status>SUCCESS</status>",
        _INSIDE + "<status>FAILURE</status>",
        _INSIDE + "<errorCode>F500</errorCode>",
        _INSIDE + "<errorType></errorType>",
        _INSIDE + "<agcodResponse><status>FAILURE</status></agcodResponse>",
        _INSIDE + "some words",
        "some words" + _INSIDE,
        _INSIDE + "<!-- a comment -->",
        _INSIDE + "<?target?>",
        _INSIDE + "<a:status xmlns:a='urn:a'>FAILURE</a:status>",
        _INSIDE.replace("SUCCESS", " SUCCESS "),
        _INSIDE.replace("SUCCESS", "SUCC<!-- -->ESS"),
        _INSIDE.replace("SUCCESS", "<a>SUCCESS</a>"),
        _INSIDE.replace("Fulfilled", "Fulfilled\n"),
        _INSIDE.replace("12.5", "12,5"),
        _INSIDE.replace("12.5", "12.500000000000000001"),
        _INSIDE.replace("12.5", ""),
        _INSIDE.replace("12.5", "NaN"),
        _INSIDE.replace("12.5", "sNaN"),
        _INSIDE.replace("status>", "Status>"),
        _INSIDE.replace(CODE, ""),
        _INSIDE.replace(CODE, "two words"),
        _INSIDE.replace(CODE, "<b/>"),
        _INSIDE.replace("cardInfo>", "cardinfo>"),
        _INSIDE.replace("<cardInfo>", "<cardInfo><cardInfo>").replace(
            "</cardInfo>", "</cardInfo></cardInfo>"
        ),
    ],
)
def test_a_card_in_xml_that_does_not_add_up_is_unclear(inside: str) -> None:
    assert isinstance(create_leg()(_create(inside)), Unclear)


@pytest.mark.parametrize(
    "body",
    [
        _create(_INSIDE).body.replace(b"<CreateGiftCardResponse>", b"\n <CreateGiftCardResponse>"),
        b'<?xml version="1.0" encoding="UTF-8"?>\n' + _create(_INSIDE).body + b"\n",
        b'<CreateGiftCardResponse xmlns="http://internal.amazon.com/x/" a="b">'
        + _INSIDE.encode()
        + b"</CreateGiftCardResponse>",
        _create(_INSIDE.replace("><", ">\n\t<")).body,
        _create(_INSIDE.replace("SUCCESS", "<![CDATA[SUCCESS]]>")).body,
        _create(_INSIDE.replace("SUCCESS", "&#83;UCCESS")).body,
        _create(_INSIDE + "<new><deep>1</deep></new>").body,
    ],
)
def test_what_means_the_same_in_xml_is_read_as_the_same(body: bytes) -> None:
    assert isinstance(create_leg()(_raw(body)), Applied)


@pytest.mark.parametrize("name", ["member", "cardActivity", "anything"])
def test_the_rows_of_a_page_may_be_called_anything(name: str) -> None:
    page = xml("GetGiftCardActivityPageResponse", activity(activity_row(), activity_row()))

    outcome = LEGS["activity"]()(_raw(page.body.replace(b"member>", f"{name}>".encode())))

    assert outcome == LEGS["activity"]()(reply(activity(activity_row(), activity_row())))


def test_an_empty_page_in_xml_is_a_page() -> None:
    empty = xml("GetGiftCardActivityPageResponse", activity())

    assert b"<cardActivityList></cardActivityList>" in empty.body
    assert isinstance(LEGS["activity"]()(empty), Applied)
    spoilt = empty.body.replace(b"<cardActivityList>", b"<cardActivityList>words")
    assert isinstance(LEGS["activity"]()(_raw(spoilt)), Unclear)


# --- hostile -----------------------------------------------------------------------------------

_BOMB = (
    '<!DOCTYPE a [<!ENTITY l0 "SUCCESS">'
    + "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    + "]>"
)
_ROOT = "CreateGiftCardResponse"


@pytest.mark.parametrize(
    "body",
    [
        f"{_BOMB}<{_ROOT}><status>&l9;</status></{_ROOT}>",
        f"<!DOCTYPE {_ROOT}><{_ROOT}>{_INSIDE}</{_ROOT}>",
        f'<!DOCTYPE a [<!ENTITY s "SUCCESS">]><{_ROOT}>{_INSIDE}</{_ROOT}>',
        f'<!DOCTYPE a SYSTEM "file:///etc/hostname"><{_ROOT}>{_INSIDE}</{_ROOT}>',
        f'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><{_ROOT}>&x;</{_ROOT}>',
        f'<!DOCTYPE a [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x">%p;]><{_ROOT}>{_INSIDE}</{_ROOT}>',
        f"<{_ROOT}>{_INSIDE}<x>&undefined;</x></{_ROOT}>",
        f"<{_ROOT}>{_INSIDE}{'<a>' * 50}{'</a>' * 50}</{_ROOT}>",
        f"<{_ROOT}>{_INSIDE}{'<a>' * 50_000}{'</a>' * 50_000}</{_ROOT}>",
        "<a>" * 100_000,
        f"<{_ROOT}>{_INSIDE}<x>{'9' * xml_form.SIZE_MAX}</x></{_ROOT}>",
        f"<{_ROOT}>{_INSIDE}</{_ROOT}>" * 2,
        f"<{_ROOT}>{_INSIDE}</{_ROOT}>{{}}",
        f"<{_ROOT}>{_INSIDE}",
        f"<{_ROOT}>{_INSIDE}</{_ROOT}x>",
        f"<{_ROOT}>{_INSIDE}</{_ROOT}>\0",
        f'<?xml version="1.1"?><{_ROOT}>{_INSIDE}\x01</{_ROOT}>',
        f'<?xml version="1.0" encoding="nobody-knows"?><{_ROOT}>{_INSIDE}\0</{_ROOT}>',
        f"<{_ROOT}>{_INSIDE}</{_ROOT}>".encode("utf-16"),
        f'<?xml version="1.0" encoding="UTF-16"?><{_ROOT}>{_INSIDE}</{_ROOT}>'.encode("utf-16-le"),
        b'<?xml version="1.0" encoding="iso-8859-1"?><a>\xe9</a>',
        b'<?xml version="1.0" encoding="utf-7"?>' + f"<{_ROOT}>{_INSIDE}\0</{_ROOT}>".encode(),
        f"<{_ROOT}>".encode() + b"\xff" + f"{_INSIDE}</{_ROOT}>".encode(),
        f"<{_ROOT} a='1' a='2'>{_INSIDE}</{_ROOT}>",
        "<",
        "<>",
        "<!",
        "<?xml?>",
        "<" + "a" * 100_000,
    ],
)
def test_a_hostile_document_is_unclear(body: str | bytes) -> None:
    for status in (200, 400):
        for leg in LEGS.values():
            outcome = leg()(_raw(body, status))
            assert isinstance(outcome, Unclear)
            assert CODE not in repr(outcome)


@pytest.mark.parametrize("phrase", ["Missing Authentication Token", "Rate exceeded"])
def test_a_long_page_that_quotes_a_phrase_is_nobodys_refusal(phrase: str) -> None:
    page = f"<html><message>{phrase}</message><p>{'x' * 9_000}</p></html>"

    for leg in LEGS.values():
        assert isinstance(leg()(_raw(page, 403)), Unclear)


def test_depth_and_length_have_limits_that_replies_do_not_reach() -> None:
    rows = [activity_row(cardNumber="6284190537715502918") for _ in range(1000)]
    page = xml("GetGiftCardActivityPageResponse", activity(*rows))

    assert len(page.body) < xml_form.SIZE_MAX
    assert isinstance(LEGS["activity"]()(page), Applied)

    def nested(depth: int) -> bytes:
        return b"<a>" * depth + b"</a>" * depth

    assert xml_form.read(nested(xml_form.DEPTH_MAX)).root == "a"
    with pytest.raises(xml_form.NotPlainError):
        xml_form.read(nested(xml_form.DEPTH_MAX + 1))
    xml_form.read(b"<a>" + b" " * (xml_form.SIZE_MAX - 7) + b"</a>")
    with pytest.raises(xml_form.NotPlainError):
        xml_form.read(b"<a>" + b" " * (xml_form.SIZE_MAX - 6) + b"</a>")


_WHOLE = [_answer(leg).body for leg in SUCCESSES] + [
    xml("AGCODException", error("F400", "SystemTemporarilyUnavailable")).body,
    xml("LoadAmazonBalanceException", {"errorCode": "F200", "status": "FAILURE"}).body,
]


@given(
    st.sampled_from(_WHOLE),
    st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), min_size=1, max_size=4),
    st.sampled_from([200, 200, 400]),
)
@settings(max_examples=150, deadline=None)
def test_damaged_bytes_raise_nothing_and_are_no_other_card(
    body: bytes, damage: list[tuple[int, int]], status: int
) -> None:
    damaged = bytearray(body)
    for place, byte in damage:
        damaged[place % len(body)] = byte

    for leg in LEGS.values():
        outcome = leg()(_raw(bytes(damaged), status))
        assert CODE not in repr(outcome)
        assert ACCOUNT_ID not in repr(outcome)


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_no_bytes_after_a_bracket_raise(tail: bytes) -> None:
    for leg in LEGS.values():
        assert isinstance(leg()(_raw(b"<" + tail)), Outcome)


@pytest.mark.parametrize("leg", SUCCESSES)
def test_a_reply_in_xml_that_breaks_off_is_nothing(leg: str) -> None:
    whole = _answer(leg).body

    for end in range(0, len(whole), 7):
        assert isinstance(LEGS[leg]()(_raw(whole[:end])), Unclear)


def test_json_inside_xml_and_xml_inside_json_are_neither() -> None:
    members = balance()

    for body in (
        f"<LoadAmazonBalanceResponse>{json.dumps(members)}</LoadAmazonBalanceResponse>",
        json.dumps({"LoadAmazonBalanceResponse": members}),
        json.dumps(_answer("load").body.decode()),
        json.dumps({**members, "status": "<status>SUCCESS</status>"}),
    ):
        assert isinstance(LEGS["load"]()(_raw(body)), Unclear)
