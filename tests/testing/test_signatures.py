from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials

from agcod_async.testing import EMULATOR_CREDENTIALS, EmulatorConfig
from agcod_async.testing.authentication import Incoming
from agcod_async.testing.clock import WALL_AT_START
from agcod_async.testing.service import Answer, Service
from agcod_async.values import Credentials
from agcod_async.wire.authorization import Authorization
from agcod_async.wire.sigv4 import Scope
from tests.testing.requests import ID, JSON, URL, create, members, signed

MINUTES = 60.0


def answer(
    headers: dict[str, str],
    *,
    body: bytes | None = None,
    path: str = "/CreateGiftCard",
    wall: float = WALL_AT_START,
    **knobs: Any,
) -> tuple[int, str]:
    service = Service(EmulatorConfig(**knobs))
    decision = service.handle(Incoming(path, headers, body or create()), 0.0, wall)
    assert isinstance(decision, Answer)
    refused = decision.reply.status == 403
    assert (service.ledger.card(ID) is None) == refused
    assert service.arrivals.by_result == {"unauthenticated" if refused else "SUCCESS": 1}
    return decision.reply.status, members(decision.reply).get("Message", "")


def test_a_signed_request_enters() -> None:
    assert answer(signed("CreateGiftCard", create())) == (200, "")


@pytest.mark.parametrize(
    "signed_names",
    [
        "accept;host;x-amz-date;x-amz-target",
        "accept;content-type;host;x-amz-date",
    ],
)
def test_any_choice_of_signed_headers_enters(signed_names: str) -> None:
    headers = signed("CreateGiftCard", create())
    scope = Scope(headers["x-amz-date"][:8], "us-east-1", "AGCODService")
    names = tuple(signed_names.split(";"))
    claim = Authorization(EMULATOR_CREDENTIALS.access_key_id, scope, names, "")
    signature = claim.expected_signature(
        EMULATOR_CREDENTIALS.secret_access_key,
        path="/CreateGiftCard",
        headers=headers,
        body=create(),
    )
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={claim.access_key_id}/{scope}, "
        f"SignedHeaders={signed_names}, Signature={signature}"
    )

    assert answer(headers) == (200, "")


def signed_by_botocore(secret: str) -> tuple[dict[str, str], float, str]:
    """Return the headers that a stranger's signer makes, when it made them, and what it signed."""
    request = AWSRequest("POST", f"{URL}/CreateGiftCard", dict(JSON), create())
    key_id = EMULATOR_CREDENTIALS.access_key_id
    signer = SigV4Auth(BotocoreCredentials(key_id, secret), "AGCODService", "us-east-1")
    signer.add_auth(request)
    headers = {name.lower(): str(value) for name, value in request.headers.items()}
    headers["host"] = URL.removeprefix("http://")
    signed_at = datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    del request.headers["authorization"]
    return headers, signed_at.timestamp(), signer.canonical_request(request)


def test_a_strangers_signer_gets_in() -> None:
    headers, signed_at, _ = signed_by_botocore(EMULATOR_CREDENTIALS.secret_access_key.reveal())

    assert answer(headers, wall=signed_at) == (200, "")


def test_a_strangers_signer_is_shown_what_it_should_have_signed() -> None:
    headers, signed_at, canonical = signed_by_botocore("another")

    status, message = answer(headers, wall=signed_at)

    assert status == 403
    assert f"'{canonical}'" in message


def test_another_secret_is_a_mismatch_that_shows_what_was_expected_to_be_signed() -> None:
    other = Credentials(
        access_key_id=EMULATOR_CREDENTIALS.access_key_id, secret_access_key="another"
    )

    status, message = answer(signed("CreateGiftCard", create(), credentials=other))

    assert status == 403
    assert message.startswith("The request signature we calculated does not match")
    assert "POST\n/CreateGiftCard\n\naccept:application/json\ncontent-type:" in message
    assert "\nhost:127.0.0.1:8080\n" in message
    assert "AWS4-HMAC-SHA256\n20260101T000000Z\n20260101/us-east-1/AGCODService/" in message


@pytest.mark.parametrize(
    "tampered",
    [
        {"body": create(amount=26)},
        {"path": "/CancelGiftCard"},
    ],
)
def test_what_was_changed_after_signing_is_a_mismatch(tampered: dict[str, Any]) -> None:
    status, message = answer(signed("CreateGiftCard", create()), **tampered)

    assert (status, message[:21]) == (403, "The request signature")


def test_a_changed_header_is_a_mismatch() -> None:
    headers = {**signed("CreateGiftCard", create()), "host": "elsewhere"}

    assert answer(headers)[0] == 403


def test_without_a_signature_a_token_is_missing() -> None:
    assert answer(JSON) == (403, "Missing Authentication Token")


@pytest.mark.parametrize(
    "header", ["Basic abc", "AWS4-HMAC-SHA256 Credential=x", "AWS4-HMAC-SHA256"]
)
def test_what_is_not_a_signature_is_refused(header: str) -> None:
    status, message = answer({**signed("CreateGiftCard", create()), "authorization": header})

    assert (status, message[:20]) == (403, "Authorization header")


def test_an_unknown_access_key_is_an_invalid_token() -> None:
    stranger = Credentials(access_key_id="STRANGER", secret_access_key="secret")

    assert answer(signed("CreateGiftCard", create(), credentials=stranger)) == (
        403,
        "The security token included in the request is invalid.",
    )


def test_two_keys_are_good_at_once_so_that_they_can_be_rotated() -> None:
    second = Credentials(access_key_id="SECOND", secret_access_key="secret")
    headers = signed("CreateGiftCard", create(), credentials=second)

    assert answer(headers, credentials=(EMULATOR_CREDENTIALS, second))[0] == 200


@pytest.mark.parametrize("skew", [-5 * MINUTES, 5 * MINUTES])
def test_a_date_is_good_for_five_minutes(skew: float) -> None:
    headers = signed("CreateGiftCard", create())

    assert answer(headers, wall=WALL_AT_START + skew)[0] == 200
    assert answer(headers, wall=WALL_AT_START + skew * 1.01)[0] == 403


def test_a_stale_date_is_named_as_such() -> None:
    headers = signed("CreateGiftCard", create())

    assert answer(headers, wall=WALL_AT_START + 6 * MINUTES) == (
        403,
        "Signature expired: 20260101T000000Z is now earlier than 20260101T000600Z.",
    )
    assert "Signature not yet current" in answer(headers, wall=WALL_AT_START - 6 * MINUTES)[1]


def test_the_date_must_be_signed_and_a_date() -> None:
    headers = signed("CreateGiftCard", create())
    unsigned = headers["authorization"].replace("x-amz-date;", "")

    for broken in (
        {**headers, "authorization": unsigned},
        {**headers, "x-amz-date": "20260101T999999Z"},
        {**headers, "x-amz-date": "now"},
        {name: value for name, value in headers.items() if name != "x-amz-date"},
    ):
        assert answer(broken)[0] == 403


def test_the_scope_must_name_the_service() -> None:
    status, message = answer(signed("CreateGiftCard", create(), service="s3"))

    assert status == 403
    assert message == "Credential should be scoped to correct service: 'AGCODService'."


def test_the_region_matters_only_where_one_is_configured() -> None:
    headers = signed("CreateGiftCard", create(), region="eu-west-1")

    assert answer(headers)[0] == 200
    assert answer(headers, region="eu-west-1")[0] == 200
    status, message = answer(headers, region="us-east-1")
    assert (status, message) == (
        403,
        "Credential should be scoped to a valid region, not 'eu-west-1'.",
    )


def test_a_request_without_a_good_signature_uses_no_permit_and_no_fault() -> None:
    service = Service(EmulatorConfig(requests_per_second=1))
    for _ in range(5):
        service.handle(Incoming("/CreateGiftCard", JSON, create()), 0.0, WALL_AT_START)

    good = Incoming("/CreateGiftCard", signed("CreateGiftCard", create()), create())
    decision = service.handle(good, 0.0, WALL_AT_START)

    assert isinstance(decision, Answer)
    assert decision.reply.status == 200
    assert service.arrivals.busiest.requests == 1


def test_no_secret_and_no_signature_is_shown() -> None:
    other = Credentials(
        access_key_id=EMULATOR_CREDENTIALS.access_key_id, secret_access_key="another-secret"
    )
    headers = signed("CreateGiftCard", create(), credentials=other)
    right = signed("CreateGiftCard", create())["authorization"].partition("Signature=")[2]

    _, message = answer(headers)

    for shown in (message, repr(EmulatorConfig()), repr(Incoming("/", headers, create()))):
        assert EMULATOR_CREDENTIALS.secret_access_key.reveal() not in shown
        assert right not in shown
