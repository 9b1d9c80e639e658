import hashlib
import hmac
import random
import string
import traceback
from datetime import UTC, datetime

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials

from agcod_async.values import Credentials, InvalidValueError, SecretKey
from agcod_async.wire.authorization import Authorization
from agcod_async.wire.sigv4 import CanonicalForm, Scope, Signer, string_to_sign

TARGET_PREFIX = "com.amazonaws.agcod.AGCODService"
HOST = "agcod-v2-gamma.amazon.com"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
BODY = b'{"creationRequestId":"Test001"}'
AT = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp()


def a_signer(*, url: str = f"https://{HOST}", region: str = "us-east-1") -> Signer:
    return Signer(
        Credentials(access_key_id="AKIDEXAMPLE", secret_access_key=SECRET),
        region=region,
        service="AGCODService",
        url=url,
        target_prefix=TARGET_PREFIX,
    )


def signature_of(headers: dict[str, str]) -> str:
    return Authorization.parse(headers["authorization"]).signature


def sign_by_hand(form: CanonicalForm, secret: str, scope: Scope, amz_date: str, body: bytes) -> str:
    state = string_to_sign(scope.key_state(SecretKey(secret)), amz_date, scope)
    state.update(form.digest(amz_date, body).encode())
    return state.hexdigest()


# --- against signatures that others have published -------------------------------------------

AWS_DATE = "20150830T123600Z"
AWS_UNRESERVED = string.digits + string.ascii_uppercase + string.ascii_lowercase
AWS_HOST = {"Host": "example.amazonaws.com", "X-Amz-Date": AWS_DATE}
AWS_FORM = "application/x-www-form-urlencoded"
AWS_EXAMPLES = {
    "get-vanilla": (
        ("GET", "/", "", AWS_HOST, b""),
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
    "get-vanilla-query-order-key-case": (
        ("GET", "/", "Param1=value1&Param2=value2", AWS_HOST, b""),
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ),
    "get-unreserved": (
        ("GET", f"/-._~{AWS_UNRESERVED}", "", AWS_HOST, b""),
        "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
    ),
    "get-utf8": (
        ("GET", "/%E1%88%B4", "", AWS_HOST, b""),
        "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
    ),
    "get-header-value-trim": (
        ("GET", "/", "", {**AWS_HOST, "My-Header1": " value1", "My-Header2": ' "a   b   c"'}, b""),
        "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
    ),
    "post-vanilla": (
        ("POST", "/", "", AWS_HOST, b""),
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    ),
    "post-header-key-sort": (
        ("POST", "/", "", {**AWS_HOST, "My-Header1": "value1"}, b""),
        "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
    ),
    "post-header-value-case": (
        ("POST", "/", "", {**AWS_HOST, "My-Header1": "VALUE1"}, b""),
        "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
    ),
    "post-x-www-form-urlencoded": (
        ("POST", "/", "", {**AWS_HOST, "Content-Type": AWS_FORM}, b"Param1=value1"),
        "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    ),
}


@pytest.mark.parametrize("name", AWS_EXAMPLES)
def test_the_canonical_form_gives_the_signatures_of_awss_test_suite(name: str) -> None:
    (method, path, query, headers, body), expected = AWS_EXAMPLES[name]

    form = CanonicalForm(method, path, query, headers)
    scope = Scope(AWS_DATE[:8], "us-east-1", "service")

    assert sign_by_hand(form, SECRET, scope, AWS_DATE, body) == expected


def agcod_headers(host: str, *, without: str = "", **more: str) -> dict[str, str]:
    headers = {
        "accept": "application/json",
        "content-type": "application/json",
        "host": host,
        "x-amz-target": f"{TARGET_PREFIX}.CreateGiftCard",
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    return {name: value for name, value in headers.items() if name != without}


V1_BODY = (
    b'{"creationRequestId":"","partnerId":"Amazon","value":{"currencyCode":"USD","amount":null}}'
)
V2_BODY = (
    b'{"creationRequestId":"Test001","partnerId":"Test",'
    b'"value":{"amount":123,"currencyCode":"USD"}}'
)
V3_BODY = (
    b'{"creationRequestId": "AwssbTSpecTest001", "partnerId": "Awssb", '
    b'"value": {"currencyCode": "USD", "amount": 1.00}}'
)


def test_four_signed_headers_give_the_signature_of_amazons_scratchpad() -> None:
    headers = agcod_headers("agcod-v2-fe-gamma.amazon.com", without="content-type")
    form = CanonicalForm("POST", "/CreateGiftCard", "", headers)
    scope = Scope("20160708", "us-west-2", "AGCODService")

    assert sign_by_hand(form, "SECRET", scope, "20160708T073147Z", V1_BODY) == (
        "a47dd06c1bcff61e8c96fee2c87c4230a4dd5f7d4ffb5b958897027a3acae54b"
    )


def test_six_signed_headers_give_the_signature_that_a_public_client_is_tested_with() -> None:
    headers = agcod_headers(HOST, content_length="94")
    form = CanonicalForm("POST", "/CreateGiftCard", "", headers)
    scope = Scope("20170918", "us-east-1", "AGCODService")

    assert len(V2_BODY) == 94
    assert sign_by_hand(form, "fake-secret-key", scope, "20170918T133138Z", V2_BODY) == (
        "e9d5479b216d39a2dd949f5971383c871ab420a6c6b3380f98e9851a8349e260"
    )


def test_five_signed_headers_give_the_signature_of_amazons_signed_sample() -> None:
    # Amazon prints the sample with its v2 host, but has signed it for the host it had before.
    form = CanonicalForm("POST", "/CreateGiftCard", "", agcod_headers("agcod-gamma.amazon.com"))
    key = bytes.fromhex("48428b0d3bd97f08fbefc9d675975d7d914788ee3bc509ae27decf874f16921b")
    scope = Scope("20130910", "us-east-1", "AGCODService")
    digest = form.digest("20130910T222620Z", V3_BODY)

    state = string_to_sign(hmac.new(key, digestmod="sha256"), "20130910T222620Z", scope)
    state.update(digest.encode())

    payload = hashlib.sha256(V3_BODY).hexdigest()
    assert (payload[:8], payload[-5:]) == ("6193dc33", "23961")
    assert (digest[:8], digest[-5:]) == ("447277eb", "bde0d")
    assert state.hexdigest() == "66872de215ae457cd978a49be377caf7cd3b5ab2914785339c2b8242e3631a71"


# --- against botocore ------------------------------------------------------------------------


def signed_by_botocore(
    url: str, headers: dict[str, str], body: bytes, credentials: tuple[str, str], region: str
) -> str:
    request = AWSRequest("POST", url, headers, body)
    request.context["timestamp"] = headers["x-amz-date"]
    auth = SigV4Auth(BotocoreCredentials(*credentials), "AGCODService", region)
    canonical = auth.canonical_request(request)
    return auth.signature(auth.string_to_sign(request, canonical), request)


def random_text(chance: random.Random, alphabet: str, length_max: int) -> str:
    return "".join(chance.choices(alphabet, k=chance.randint(1, length_max)))


def test_a_thousand_random_requests_are_signed_as_botocore_signs_them() -> None:
    chance = random.Random(20240102)
    alphanumeric = string.ascii_letters + string.digits
    operations = ("CreateGiftCard", "CancelGiftCard", "GetAvailableFunds")
    for _ in range(50):
        key_id = random_text(chance, alphanumeric, 20)
        secret = random_text(chance, alphanumeric + "/+=!$'", 60)
        region = chance.choice(("us-east-1", "eu-west-1", "us-west-2"))
        port = chance.choice(("", ":8443"))
        path = chance.choice(("", "/", f"/{random_text(chance, alphanumeric + '_~-', 9)}/b.c~d"))
        url = f"https://{random_text(chance, string.ascii_lowercase, 20)}.example{port}{path}"
        media_type = chance.choice(("application/json", "charset=UTF-8", "application/xml"))
        signer = Signer(
            Credentials(access_key_id=key_id, secret_access_key=secret),
            region=region,
            service="AGCODService",
            url=url,
            target_prefix=random_text(chance, string.ascii_letters + ".", 40),
            content_type=media_type,
            accept=chance.choice((None, "application/json; q=1")),
        )
        for _ in range(20):
            operation = chance.choice(operations)
            body = chance.randbytes(chance.randint(0, 400))
            at = chance.uniform(0, 4e9) if chance.random() < 0.3 else 1.7e9 + chance.random() * 9

            headers = signer.sign(operation, body, at)

            authorization = Authorization.parse(headers.pop("authorization"))
            assert authorization.access_key_id == key_id
            assert ";".join(authorization.signed_headers) == (
                "accept;content-type;host;x-amz-date;x-amz-target"
            )
            expected = signed_by_botocore(
                f"{url.rstrip('/')}/{operation}", headers, body, (key_id, secret), region
            )
            assert authorization.signature == expected


# --- what is sent ----------------------------------------------------------------------------


def test_exactly_the_five_signed_headers_and_the_signature_are_sent() -> None:
    headers = a_signer().sign("CreateGiftCard", BODY, AT)

    assert headers.pop("authorization").startswith(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20240102/us-east-1/AGCODService/aws4_request, "
        "SignedHeaders=accept;content-type;host;x-amz-date;x-amz-target, Signature="
    )
    assert headers == {
        "accept": "application/json",
        "content-type": "application/json",
        "host": HOST,
        "x-amz-date": "20240102T030405Z",
        "x-amz-target": "com.amazonaws.agcod.AGCODService.CreateGiftCard",
    }


def test_the_reply_is_asked_for_in_the_format_of_the_request() -> None:
    signer = Signer(
        Credentials(access_key_id="AKIDEXAMPLE", secret_access_key=SECRET),
        region="us-east-1",
        service="AGCODService",
        url=f"https://{HOST}",
        target_prefix=TARGET_PREFIX,
        content_type="application/xml",
    )

    assert signer.sign("CreateGiftCard", BODY, AT)["accept"] == "application/xml"


def test_changing_the_headers_that_were_returned_changes_no_later_signature() -> None:
    signer = a_signer()
    first = signer.sign("CreateGiftCard", BODY, AT)
    kept = dict(first)

    first.clear()

    assert signer.sign("CreateGiftCard", BODY, AT) == kept


# --- time ------------------------------------------------------------------------------------

MIDNIGHT = datetime(2024, 1, 3, tzinfo=UTC).timestamp()


def test_time_that_jumps_over_midnight_and_back_is_signed_as_by_a_new_signer() -> None:
    signer = a_signer()

    for at in (MIDNIGHT - 0.001, MIDNIGHT, MIDNIGHT - 1, MIDNIGHT + 0.5, AT, MIDNIGHT - 86400, AT):
        assert signer.sign("CreateGiftCard", BODY, at) == a_signer().sign(
            "CreateGiftCard", BODY, at
        )


def test_the_date_is_the_second_that_has_begun() -> None:
    signer = a_signer()

    dates = [signer.sign("CreateGiftCard", BODY, MIDNIGHT + d)["x-amz-date"] for d in (-0.1, 0.9)]

    assert dates == ["20240102T235959Z", "20240103T000000Z"]


def test_the_signing_key_is_derived_once_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    derived: list[str] = []
    key_state = Scope.key_state
    monkeypatch.setattr(
        Scope, "key_state", lambda self, secret: derived.append(self.day) or key_state(self, secret)
    )
    signer = a_signer()

    for second in range(-3, 3):
        signer.sign("CreateGiftCard", BODY, MIDNIGHT + second)

    assert derived == ["20240102", "20240103"]


def test_the_kept_forms_of_operations_do_not_grow_without_bound() -> None:
    signer = a_signer()

    signatures = {signature_of(signer.sign(f"Operation{n}", BODY, AT)) for n in range(200)}

    assert len(signatures) == 200
    assert len(signer._operations) <= 64


# --- what cannot be sent ---------------------------------------------------------------------


@pytest.mark.parametrize("text", ["a\r\nx-evil: 1", "a\nb", "ü", "a\0", " a", "a ", "a  b", ""])
@pytest.mark.parametrize("field", ["target_prefix", "content_type", "accept", "region", "service"])
def test_no_line_break_and_nothing_but_ascii_gets_into_a_header(field: str, text: str) -> None:
    arguments = {
        "region": "us-east-1",
        "service": "AGCODService",
        "target_prefix": TARGET_PREFIX,
        "content_type": "application/json",
        "accept": "application/json",
        field: text,
    }

    with pytest.raises(InvalidValueError):
        Signer(
            Credentials(access_key_id="AKIDEXAMPLE", secret_access_key=SECRET),
            url=f"https://{HOST}",
            **arguments,
        )


@pytest.mark.parametrize(
    "url",
    [
        "https://",
        "https://a b",
        "https://ü.example",
        "https://user@host",
        "https://host:x",
        "https://host/a b",
        "https://host/%41",
        "https://host/../a",
        "https://host//a",
    ],
)
def test_a_url_that_a_driver_could_change_on_its_way_out_is_not_signed(url: str) -> None:
    with pytest.raises(InvalidValueError):
        a_signer(url=url)


@pytest.mark.parametrize("operation", ["", "Create Gift", "../Create", "A\r\nB", "Crééate", "A/B"])
def test_an_operation_is_letters_and_digits(operation: str) -> None:
    with pytest.raises(InvalidValueError):
        a_signer().sign(operation, BODY, AT)


# --- secrets ---------------------------------------------------------------------------------


def test_the_signer_shows_neither_the_secret_nor_the_whole_access_key() -> None:
    signer = a_signer()
    signer.sign("CreateGiftCard", BODY, AT)

    shown = f"{signer!r} {signer} {signer._second!r} {signer._operations!r} {signer._credentials}"

    assert SECRET not in shown
    assert "AKIDEXAMPLE" not in shown


def test_an_error_of_the_signer_shows_no_secret_even_with_its_local_variables() -> None:
    signer = a_signer()
    try:
        signer.sign("not an operation", BODY, AT)
    except InvalidValueError as error:
        shown = "".join(
            traceback.TracebackException.from_exception(error, capture_locals=True).format()
        )
        assert "not an operation" in shown
        assert SECRET not in shown
    else:
        pytest.fail("nothing was raised")


# --- the server's side -----------------------------------------------------------------------


def expected(headers: dict[str, str], **change: object) -> str:
    request: dict[str, object] = {
        "path": "/CreateGiftCard",
        "headers": headers,
        "body": BODY,
        **change,
    }
    authorization = Authorization.parse(headers["authorization"])
    return authorization.expected_signature(SecretKey(SECRET), **request)  # type: ignore[arg-type]


def test_a_server_that_knows_the_secret_computes_the_signature_that_was_sent() -> None:
    headers = a_signer(url="http://127.0.0.1:8080/base").sign("CreateGiftCard", BODY, AT)
    received = {name.title(): f" {value} " for name, value in headers.items()}

    computed = expected({**headers, **received}, path="/base/CreateGiftCard")

    assert computed == signature_of(headers)


def test_what_is_not_named_as_signed_does_not_matter() -> None:
    headers = a_signer().sign("CreateGiftCard", BODY, AT)

    assert expected({**headers, "user-agent": "anything"}) == signature_of(headers)


@pytest.mark.parametrize(
    "change",
    [
        {"path": "/CancelGiftCard"},
        {"body": BODY + b" "},
        {"method": "GET"},
        {"query": "a=b"},
    ],
)
def test_a_request_that_was_changed_on_its_way_has_another_signature(
    change: dict[str, object],
) -> None:
    headers = a_signer().sign("CreateGiftCard", BODY, AT)

    assert expected(headers, **change) != signature_of(headers)


@pytest.mark.parametrize("name", ["accept", "content-type", "host", "x-amz-target"])
def test_a_signed_header_that_was_changed_has_another_signature(name: str) -> None:
    headers = a_signer().sign("CreateGiftCard", BODY, AT)

    assert expected({**headers, name: "other"}) != signature_of(headers)


def test_another_secret_has_another_signature() -> None:
    headers = a_signer().sign("CreateGiftCard", BODY, AT)
    authorization = Authorization.parse(headers["authorization"])

    other = authorization.expected_signature(
        SecretKey("other"), path="/CreateGiftCard", headers=headers, body=BODY
    )

    assert other != authorization.signature


@pytest.mark.parametrize("name", ["accept", "content-type", "host", "x-amz-date", "x-amz-target"])
def test_a_signed_header_that_is_missing_is_named(name: str) -> None:
    headers = a_signer().sign("CreateGiftCard", BODY, AT)
    del headers[name]

    with pytest.raises(InvalidValueError, match=name):
        expected(headers)


@pytest.mark.parametrize("date", ["20240103T030405Z", "20240102", "20240102T030405", "yesterday"])
def test_a_date_that_does_not_fit_the_scope_is_refused(date: str) -> None:
    headers = {**a_signer().sign("CreateGiftCard", BODY, AT), "x-amz-date": date}

    with pytest.raises(InvalidValueError, match="x-amz-date"):
        expected(headers)


def test_a_date_that_is_not_signed_is_refused() -> None:
    headers = a_signer().sign("CreateGiftCard", BODY, AT)
    headers["authorization"] = headers["authorization"].replace("x-amz-date;", "")

    with pytest.raises(InvalidValueError, match="x-amz-date"):
        expected(headers)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA512 "),
        ("AWS4-HMAC-SHA256 ", ""),
        ("/aws4_request", "/aws3_request"),
        ("AKIDEXAMPLE/", ""),
        ("AKIDEXAMPLE/", "/"),
        ("Signature=", "Signature=zz"),
        ("SignedHeaders=", "SignedHeaders=;"),
        ("Credential=", "Cred="),
    ],
)
def test_a_header_that_is_no_signature_is_refused_and_not_quoted(old: str, new: str) -> None:
    headers = a_signer().sign("CreateGiftCard", BODY, AT)
    broken = headers["authorization"].replace(old, new)

    with pytest.raises(InvalidValueError) as caught:
        Authorization.parse(broken)

    assert signature_of(headers) not in str(caught.value)


def test_a_parsed_header_shows_neither_its_signature_nor_the_whole_access_key() -> None:
    headers = a_signer().sign("CreateGiftCard", BODY, AT)
    authorization = Authorization.parse(headers["authorization"])

    assert authorization.scope == Scope("20240102", "us-east-1", "AGCODService")
    assert repr(authorization) == (
        "Authorization('…MPLE', 20240102/us-east-1/AGCODService/aws4_request)"
    )
