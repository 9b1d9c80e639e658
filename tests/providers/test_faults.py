"""What errors prove: their forms on the wire, classes without a known name, contradictions."""

import pytest

from agcod_async.core.outcomes import (
    Conflict,
    Outcome,
    Refused,
    Reply,
    Throttled,
    Unclear,
    UndoFirst,
)
from agcod_async.errors import AccountError, InvalidRequestError
from agcod_async.providers.agcod.operations import AGCOD
from tests.providers.replies import CODE, REQUEST_ID, create_leg, error, reply, undo_leg
from tests.providers.samples import COMPENSATED_LEGS, LEGS, UNDO_LEGS

THROTTLES = [
    "<ThrottlingException>\n    <Message>Rate exceeded</Message>\n</ThrottlingException>",
    '<?xml version="1.0"?>\n<ThrottlingException><Message>x</Message></ThrottlingException>\n',
    '<ThrottlingException xmlns="http://anything.example/"></ThrottlingException>',
    {"message": "Rate exceeded"},
    {"Message": "Rate exceeded"},
    {"message": None, "Message": "rate exceeded."},
    {"__type": "ThrottlingException", "message": "Anything"},
    {"__type": "com.amazon.coral.availability#ThrottlingException"},
    {"__type": "ThrottlingException:http://internal.amazon.com/coral/anything/"},
    {"errorType": "ThrottlingException"},
    {"status": "FAILURE", "message": "Rate exceeded"},
    error(None, None, message="Rate exceeded"),
    error("F200", "ThrottlingException"),
    error("F300", "ThrottlingException"),
]


@pytest.mark.parametrize("leg", LEGS)
@pytest.mark.parametrize("status", [200, 400, 429, 503])
@pytest.mark.parametrize("body", THROTTLES)
def test_a_throttle_is_known_in_every_form(body: object, status: int, leg: str) -> None:
    assert isinstance(LEGS[leg]()(reply(body, status)), Throttled)


@pytest.mark.parametrize(
    "body",
    [
        "<ThrottlingException><Message>Rate exceeded</Mess",
        "<ThrottlingException><Message>Rate exceeded</Message></Other>",
        "<html><body>ThrottlingException: Rate exceeded</body></html>",
        "Rate exceeded",
        {"message": "Rate exceeded by nobody, the card was created"},
        {"message": {"text": "Rate exceeded"}},
        {"note": "Rate exceeded"},
        {"message": "Rate exceeded", "status": "PENDING"},
        error("F500", "GeneralError", message="Rate exceeded"),
        error("F100", "ThrottlingException"),
    ],
)
def test_what_only_resembles_a_throttle_is_unclear(body: object) -> None:
    assert isinstance(create_leg()(reply(body, 400)), Unclear)
    assert isinstance(undo_leg()(reply(body, 400)), Unclear)


@pytest.mark.parametrize(
    ("body", "of_key"),
    [
        (error("F300", "InvalidAccessKey"), True),
        (error("F300", "InvalidAwsAccessKeyId"), True),
        ({"message": "The security token included in the request is invalid."}, True),
        ({"__type": "UnrecognizedClientException"}, True),
        ({"__type": "InvalidClientTokenId"}, True),
        ({"__type": "InvalidSignatureException", "message": "Wrong"}, True),
        ({"__type": "SignatureDoesNotMatch"}, True),
        ({"message": "The String-to-Sign should have been 'AWS4-HMAC-SHA256 and so on'"}, True),
        # The key is not what is wrong, so another one would not help.
        ({"message": "Signature expired: 20240102T030405Z is now earlier than now."}, False),
        ({"message": "Credential should be scoped to a valid region."}, False),
        ({"message": "Missing Authentication Token"}, False),
        ({"__type": "IncompleteSignatureException"}, False),
        ({"__type": "AccessDeniedException"}, False),
        ({"__type": "UnknownOperationException"}, False),
        (error("F300", "InvalidPartnerId"), False),
        (error("F300", "AccessDenied"), False),
        (error("F300", "OperationNotPermitted"), False),
        (error("F300", "NeverHeardOf"), False),
        (error("F200", "InvalidAmountInput"), False),
    ],
)
@pytest.mark.parametrize("leg", LEGS)
def test_a_refusal_tells_whether_another_key_may_help(body: object, of_key: bool, leg: str) -> None:  # noqa: FBT001  a parameter of the test
    outcome = LEGS[leg]()(reply(body, 403))

    assert isinstance(outcome, Refused)
    assert outcome.of_key is of_key


_SIGNATURE = (
    "The request signature we calculated does not match the signature you provided. Check your"
    " AWS Secret Access Key. The Canonical String for this request should have been 'POST /Create"
    " deadbeef'"
)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"Message": _SIGNATURE}, "secret key"),
        ({"__type": "InvalidSignatureException", "message": _SIGNATURE}, "secret key"),
        (
            f"<InvalidSignatureException><Message>{_SIGNATURE}</Message></InvalidSignatureException>",
            "secret key",
        ),
        (
            {
                "__type": "a#InvalidSignatureException",
                "message": "Signature expired: 20240102T030405Z is now earlier than it should be",
            },
            "clock",
        ),
        ({"message": "The String-to-Sign should have been 'AWS4-HMAC-SHA256 and so on'"}, "region"),
        ({"message": "Credential should be scoped to a valid region."}, "region"),
        ({"message": "The security token included in the request is invalid."}, "access key"),
        ({"message": "The security token included in the request is invalid"}, "access key"),
        ({"__type": "UnrecognizedClientException"}, "access key"),
        ("<A><Message>Missing Authentication Token</Message></A>", "endpoint"),
        ({"message": "Missing Authentication Token"}, "endpoint"),
        (
            {
                "Message": "There was an error while processing the request. The request does not"
                " match any of the supported protocols."
            },
            "endpoint",
        ),
        ({"__type": "AccessDeniedException"}, "rights"),
        ({"Message": "class java.lang.String is not an expected Json type"}, "report"),
    ],
)
@pytest.mark.parametrize("leg", LEGS)
def test_a_refusal_at_the_door_says_what_to_do(body: object, said: str, leg: str) -> None:
    outcome = LEGS[leg]()(reply(body, 403))

    assert isinstance(outcome, Refused)
    assert said in outcome.reason.message
    assert outcome.reason.code is None
    assert "deadbeef" not in repr(outcome)
    assert "AWS4-HMAC" not in repr(outcome)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 403),
        (b"", 200),
        (b"Forbidden", 403),
        (b"<html><body><h1>403 Forbidden</h1></body></html>", 403),
        (b"<!DOCTYPE html><html><head><title>404</title></head></html>", 404),
        (b"<html><message>Missing Authentication Token</message></html>" + b" " * 9000, 403),
        (b"<AGCODException><status>FAILURE</status></AGCODException>", 400),
        (b"<Whatever><errorCode>F200</errorCode></Whatever>", 400),
        (b"<a></b>", 400),
        (b"too many", 429),
        (b"{}", 200),
        (b"{}", 403),
        (b"[]", 200),
        (b"null", 200),
        (b'"SUCCESS"', 200),
        (b'{"message":"Forbidden"}', 403),
        (b'{"message":null}', 400),
        (b'{"__type":"InternalFailure"}', 500),
        (b"upstream connect error", 503),
    ],
)
@pytest.mark.parametrize("leg", LEGS)
def test_no_http_status_decides_on_its_own(body: bytes, status: int, leg: str) -> None:
    assert isinstance(LEGS[leg]()(reply(body, status)), Unclear)


@pytest.mark.parametrize("status", [200, 400, 403])
@pytest.mark.parametrize("name", [None, "NeverHeardOf", "", "spaced out", 'Quote"d'])
@pytest.mark.parametrize("code", ["F200", "F300"])
@pytest.mark.parametrize("leg", LEGS)
def test_a_name_that_nobody_knows_is_refused_by_its_class(
    leg: str, code: str, name: str | None, status: int
) -> None:
    outcome = LEGS[leg]()(reply(error(code, name), status))

    assert isinstance(outcome, Refused)
    assert outcome.reason.code == code
    assert outcome.reason.error_type == (name if name == "NeverHeardOf" else None)


@pytest.mark.parametrize("status", [302, 500, 502, 503])
@pytest.mark.parametrize(
    "body",
    [
        error("F200", "InvalidAmountInput"),
        error("F300", "InsufficientFunds"),
        error("F200", "PreDenominationMismatch"),
        error("F200", "NonExistingActivationRequestId"),
        error("F200", "CancelRequestArrivedAfterTimeLimit"),
        {"message": "The security token included in the request is invalid."},
        {"message": "Signature expired: 20240102T030405Z is now earlier than now."},
    ],
)
@pytest.mark.parametrize("leg", LEGS)
def test_a_refusal_that_comes_with_a_redirect_or_a_5xx_is_unclear(
    leg: str, body: object, status: int
) -> None:
    outcome = LEGS[leg]()(reply(body, status))

    assert isinstance(outcome, Unclear)
    assert LEGS[leg]()(reply(body, 400)).reason == outcome.reason  # type: ignore[union-attr]


@pytest.mark.parametrize("status", [302, 500, 503])
def test_an_undo_is_asked_for_whatever_the_http_status(status: int) -> None:
    body = error("F400", "SystemTemporarilyUnavailable")

    assert isinstance(create_leg()(reply(body, status)), UndoFirst)


@pytest.mark.parametrize("place", ["inside", "beside"])
@pytest.mark.parametrize("name", ["creationRequestId", "loadBalanceRequestId"])
@pytest.mark.parametrize("code", ["F200", "F300", "F400"])
def test_an_error_that_names_another_request_is_unclear(code: str, name: str, place: str) -> None:
    for request_id, kind in (("PartaOther", Unclear), (REQUEST_ID, None), ("", None)):
        whole = error(code, "NeverHeardOf")
        (whole["agcodResponse"] if place == "inside" else whole)[name] = request_id  # type: ignore[index]
        outcome = create_leg()(reply(whole, 400))
        assert isinstance(outcome, Unclear) is (kind is Unclear)


@pytest.mark.parametrize("name", ["gcClaimCode", "claimCode"])
@pytest.mark.parametrize("code", ["F200", "F300", "F400"])
@pytest.mark.parametrize("leg", LEGS)
def test_an_error_that_shows_a_claim_code_is_unclear(leg: str, code: str, name: str) -> None:
    inside = error(code, "NeverHeardOf")
    inside["agcodResponse"][name] = CODE  # type: ignore[index]

    for body in (inside, error(code, "NeverHeardOf") | {name: CODE}):
        assert isinstance(LEGS[leg]()(reply(body, 400)), Unclear)


@pytest.mark.parametrize("said", ["Rate exceeded", "Missing Authentication Token"])
@pytest.mark.parametrize("leg", LEGS)
def test_an_error_with_two_messages_is_unclear(leg: str, said: str) -> None:
    for body in (
        {"message": said, "Message": "Created"},
        f"<Error><message>{said}</message><inner><Message>Created</Message></inner></Error>",
    ):
        assert isinstance(LEGS[leg]()(reply(body, 400)), Unclear)


@pytest.mark.parametrize(
    "code", ["F100", "F500", "F600", "F2008", "f200", "E100", "", " F200", None]
)
@pytest.mark.parametrize("name", ["InsufficientFunds", "NeverHeardOf", None])
@pytest.mark.parametrize("leg", LEGS)
def test_a_class_that_proves_nothing_is_unclear(
    leg: str, name: str | None, code: str | None
) -> None:
    assert isinstance(LEGS[leg]()(reply(error(code, name), 400)), Unclear)


@pytest.mark.parametrize(
    "body",
    [
        error("F400", "SystemTemporarilyUnavailable"),
        error("F400", "SystemTemporarilyUnavailable", "FAILURE"),
        error("F400", "NeverHeardOf"),
        error("F400", None),
        error("F500", "GeneralError", "RESEND"),
        error("F100", "GcLocked", "RESEND"),
        error(None, None, "RESEND"),
        {"status": "RESEND"},
        {"errorCode": "F400"},
        {"agcodResponse": None, "errorCode": "F400", "errorType": "Anything"},
    ],
)
def test_only_f400_and_resend_ask_for_an_undo(body: object) -> None:
    for name, leg in LEGS.items():
        asks_to_undo = name in (*COMPENSATED_LEGS, *UNDO_LEGS)
        assert isinstance(leg()(reply(body, 400)), UndoFirst if asks_to_undo else Unclear)


@pytest.mark.parametrize(
    "body",
    [
        error("F200", "InvalidAmountInput", "RESEND"),
        error("F300", "InsufficientFunds", "RESEND"),
        error("F200", "PreDenominationMismatch", "RESEND"),
        error("F400", "PreDenominationMismatch"),
        error("F400", "RequestedDenominationMismatch"),
        error("F400", "SystemTemporarilyUnavailable", "SUCCESS"),
        error("F400", "SystemTemporarilyUnavailable", "PENDING"),
        error("F200", "InvalidAmountInput", "SUCCESS"),
        error("F200", "InvalidAmountInput", "PENDING"),
        error("F200", "InvalidAmountInput", status="FAILURE") | {"status": "SUCCESS"},
        error("F200", "InvalidAmountInput", status="SUCCESS") | {"status": "FAILURE"},
        error("F400", "GeneralError", status="RESEND") | {"status": "FAILURE"},
        {"agcodResponse": {"status": "SUCCESS"}},
    ],
)
def test_a_reply_that_contradicts_itself_is_unclear_and_undoes_nothing(body: object) -> None:
    for leg in LEGS.values():
        assert isinstance(leg()(reply(body, 400)), Unclear)


@pytest.mark.parametrize("status", ["SUCCESS", "PENDING"])
def test_an_error_that_claims_success_is_not_explained_by_the_error(status: str) -> None:
    outcome = create_leg()(reply(error("F300", "InsufficientFunds", status), 400))

    assert isinstance(outcome, Unclear)
    assert ("funds" in outcome.reason.message) == (status != "SUCCESS")


@pytest.mark.parametrize("code", ["F200", "F300"])
@pytest.mark.parametrize(
    "name",
    ["GcLocked", "GcNotReadyForRefund", "RequestError", "SystemTemporarilyUnavailable"],
)
def test_a_name_that_settles_nothing_is_unclear_in_a_class_that_would(name: str, code: str) -> None:
    for leg in LEGS.values():
        assert isinstance(leg()(reply(error(code, name), 400)), Unclear)


def _only(outcome: Outcome) -> str:
    assert isinstance(outcome, Refused)
    return str(outcome.reason)


@pytest.mark.parametrize("name", ["message", "Message", "errorMessage", "ERRORMESSAGE"])
def test_an_error_is_read_wherever_its_members_stand(name: str) -> None:
    load_style = {
        "errorCode": "F300",
        "errorType": "InsufficientFunds",
        name: "Insufficient Funds",
        "status": "FAILURE",
    }
    both = error("F300", "InsufficientFunds") | {"status": "FAILURE"}

    assert _only(create_leg()(reply(load_style, 400))) == _only(create_leg()(reply(both, 400)))
    assert _only(create_leg()(reply(load_style, 400))).startswith("F300 InsufficientFunds: ")


def test_no_words_of_a_reply_are_repeated() -> None:
    words = error("F200", "NeverHeardOf", message="Zanzibar", note="Zanzibar")

    for body in (words, {"message": "Zanzibar"}, "Zanzibar", "<a><Message>Zanzibar</Message></a>"):
        for leg in LEGS.values():
            assert "Zanzibar" not in repr(leg()(reply(body, 400)))


def test_a_conflict_is_never_undone() -> None:
    outcome = create_leg()(reply(error("F200", "RequestedDenominationMismatch"), 400))

    assert isinstance(outcome, Conflict)
    assert "another amount" in outcome.reason.message


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (error("F200", "InvalidAmountInput"), InvalidRequestError),
        (error("F300", "InsufficientFunds"), AccountError),
        ({"__type": "UnrecognizedClientException"}, AccountError),
    ],
)
def test_a_refusal_has_its_exception(body: object, kind: type[Exception]) -> None:
    outcome = create_leg()(reply(body, 400))

    assert isinstance(outcome, Refused)
    assert AGCOD.declined_errors[outcome.reason.code or ""] is kind


@pytest.mark.parametrize(
    "body",
    [
        b'{"status":"FAILURE","status":"SUCCESS"}',
        b'{"errorCode":"F300","errorCode":"F200","agcodResponse":{"status":"FAILURE"}}',
        b'{"errorCode":"F200","agcodResponse":{"status":"FAILURE","status":"RESEND"}}',
        b'{"errorCode":"F400","st\\u0061tus":"RESEND","status":"RESEND"}',
        b'{"errorCode":"F200","deep":[{"a":1,"a":1}]}',
    ],
)
def test_a_reply_that_says_something_twice_is_unclear(body: bytes) -> None:
    for leg in LEGS.values():
        assert isinstance(leg()(Reply(400, "application/json", body)), Unclear)
