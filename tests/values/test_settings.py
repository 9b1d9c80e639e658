from datetime import UTC, datetime

import pytest

from agcod_async.credentials import RotatingCredentials
from agcod_async.endpoints import PRODUCTION_HOSTS, Endpoint
from agcod_async.errors import UsageError
from agcod_async.settings import Settings, key_from_env
from agcod_async.values import Credentials

CREDENTIALS = Credentials(access_key_id="AKIDEXAMPLE", secret_access_key="kept-to-ourselves")
ENVIRON = {
    "AGCOD_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AGCOD_SECRET_ACCESS_KEY": "kept-to-ourselves",
    "AGCOD_PARTNER_ID": "Toy",
}


def settings(**fields: object) -> Settings:
    known: dict[str, object] = {"credentials": CREDENTIALS, "partner_id": "Toy"}
    return Settings(**{**known, **fields})


def test_production_is_never_the_default() -> None:
    assert settings().endpoint is Endpoint.NA_SANDBOX
    assert Settings.from_env(ENVIRON).endpoint is Endpoint.NA_SANDBOX
    assert settings().mock_ids_allowed
    assert not settings(endpoint=Endpoint.NA).mock_ids_allowed


@pytest.mark.parametrize("host", sorted(PRODUCTION_HOSTS))
@pytest.mark.parametrize("form", ["https://{}", "https://{}:443/", "https://{}./api"])
def test_a_production_host_is_production_whatever_the_endpoint_says(host: str, form: str) -> None:
    assert not settings(base_url=form.format(host)).mock_ids_allowed
    assert not settings(base_url=form.format(host.upper())).mock_ids_allowed


def test_a_proxy_or_an_emulator_is_what_its_endpoint_says() -> None:
    proxy = "https://proxy.example/agcod-v2.amazon.com"

    assert settings(base_url=proxy).mock_ids_allowed
    assert settings(base_url="http://127.0.0.1:8080").mock_ids_allowed
    assert not settings(base_url=proxy, endpoint=Endpoint.NA).mock_ids_allowed


def test_the_country_is_one_of_the_endpoints() -> None:
    assert settings().country is None
    assert Settings.from_env({**ENVIRON, "AGCOD_COUNTRY": "CA"}).country == "CA"
    with pytest.raises(UsageError, match="country: 'JP' is unknown \\(US or CA or MX\\)"):
        settings(country="JP")


def test_the_defaults_are_amazons_own_figures() -> None:
    made = settings()

    assert made.requests_per_second == 10
    assert made.attempt_timeout_seconds == 6
    assert made.wire_format == "json"
    assert made.activity_pages_per_minute == 1
    assert made.activity_index_counts == "pages"


def test_either_form_of_the_wire_and_either_way_of_counting_may_be_chosen() -> None:
    made = settings(wire_format="xml", activity_index_counts="rows", activity_pages_per_minute=30)

    assert (made.wire_format, made.activity_index_counts) == ("xml", "rows")


BAD = [
    ("partner_id", ""),
    ("partner_id", "To-y"),
    ("partner_id", "P" * 21),
    ("requests_per_second", 0),
    ("requests_per_second", -1),
    ("requests_per_second", float("nan")),
    ("requests_per_second", float("inf")),
    ("attempt_timeout_seconds", 0),
    ("attempt_timeout_seconds", 61),
    ("attempt_timeout_seconds", float("nan")),
    ("deadline_seconds", 0),
    ("deadline_seconds", float("inf")),
    ("wire_format", "yaml"),
    ("activity_pages_per_minute", 0),
    ("activity_pages_per_minute", float("nan")),
    ("activity_index_counts", "cards"),
    ("region", "us east"),
    ("region", ""),
    ("region", "us-east-1\n"),
    ("base_url", ""),
    ("base_url", "agcod-v2-gamma.amazon.com"),
    ("base_url", "ftp://localhost"),
    ("base_url", "http://agcod-v2-gamma.amazon.com"),
    ("base_url", "http://127.0.0.1.example.com"),
    ("base_url", "http://127.0.0.1@example.com"),
    ("base_url", "http://127.0.0.2"),
    ("base_url", "https://user:word@example.com"),
    ("base_url", "https://example.com/?a=b"),
    ("base_url", "https://example.com/#a"),
    ("base_url", "https://exa mple.com"),
    ("base_url", "https://example.com\n"),
    ("base_url", "https://example.com/a b"),
    ("base_url", "https://example.com:port"),
    ("base_url", "https://example.com:99999"),
    ("base_url", "http://[::1"),
    ("base_url", "https://"),
]


@pytest.mark.parametrize(("field", "value"), BAD)
def test_a_bad_value_is_refused_by_its_name(field: str, value: object) -> None:
    with pytest.raises(UsageError, match=f"^{field}: "):
        settings(**{field: value})


@pytest.mark.parametrize(
    "base_url",
    [
        "http://127.0.0.1:8080",
        "http://localhost",
        "http://LOCALHOST:1",
        "http://[::1]:8080/agcod",
        "https://example.com:8443/agcod",
    ],
)
def test_plain_http_is_for_loopback_only(base_url: str) -> None:
    assert settings(base_url=base_url + "/").url == base_url


def test_a_base_url_replaces_the_host_and_a_region_the_endpoints() -> None:
    made = settings(endpoint=Endpoint.EU_SANDBOX)
    moved = settings(endpoint=Endpoint.EU_SANDBOX, base_url="http://localhost:1", region="x-1")

    assert (made.url, made.signing_region) == (
        "https://agcod-v2-eu-gamma.amazon.com",
        "eu-west-1",
    )
    assert (moved.url, moved.signing_region) == ("http://localhost:1", "x-1")


@pytest.mark.parametrize("name", sorted(ENVIRON))
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_variable_is_named(name: str, value: str | None) -> None:
    environ = {**ENVIRON, name: value} if value is not None else {**ENVIRON}
    if value is None:
        del environ[name]

    with pytest.raises(UsageError, match=f"{name}: is not set"):
        Settings.from_env(environ)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("AGCOD_ENDPOINT", "prod", "AGCOD_ENDPOINT: 'prod' is unknown .*na-sandbox, na, eu"),
        ("AGCOD_TPS", "many", "AGCOD_TPS: 'many' is not a number"),
        ("AGCOD_TPS", "0", "requests_per_second: 0.0 is out of range"),
        ("AGCOD_BASE_URL", "http://example.com", "base_url: 'http://example.com' is not protected"),
        ("AGCOD_REGION", "us east", "region: 'us east'"),
        ("AGCOD_PARTNER_ID", "To y", "partner_id"),
        ("AGCOD_ACCESS_KEY_ID", "A B", "access_key_id: is empty or has a blank"),
    ],
)
def test_a_variable_that_does_not_fit_is_named(name: str, value: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Settings.from_env({**ENVIRON, name: value})


def test_every_variable_is_read() -> None:
    made = Settings.from_env(
        {
            **ENVIRON,
            "AGCOD_ENDPOINT": "fe",
            "AGCOD_BASE_URL": "https://example.com/",
            "AGCOD_REGION": "eu-central-1",
            "AGCOD_TPS": "2.5",
        }
    )

    assert made.endpoint is Endpoint.FE
    assert made.url == "https://example.com"
    assert made.signing_region == "eu-central-1"
    assert made.requests_per_second == 2.5
    assert made.credentials == CREDENTIALS
    assert made.partner_id == "Toy"


def test_an_empty_variable_is_as_good_as_none() -> None:
    empty = dict.fromkeys(("AGCOD_ENDPOINT", "AGCOD_BASE_URL", "AGCOD_REGION", "AGCOD_TPS"), "")

    assert Settings.from_env({**ENVIRON, **empty}) == Settings.from_env(ENVIRON)


def test_the_environment_of_the_process_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AGCOD_ENDPOINT", "eu-sandbox")

    assert Settings.from_env().endpoint is Endpoint.EU_SANDBOX


def test_a_bad_value_from_the_environment_keeps_its_exception_simple() -> None:
    with pytest.raises(UsageError) as caught:
        Settings.from_env({**ENVIRON, "AGCOD_TPS": "many"})

    assert isinstance(caught.value, ValueError)
    assert caught.value.request_id is None


# --- keys ----------------------------------------------------------------------------------------


def test_a_provider_of_credentials_stands_in_for_the_key_in_the_environment() -> None:
    keys = RotatingCredentials(CREDENTIALS)

    made = Settings.from_env({"AGCOD_PARTNER_ID": "Toy"}, credentials=keys)

    assert made.credentials is keys


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2031-02-03", datetime(2031, 2, 3, tzinfo=UTC)),
        ("2031-02-03T04:05:06+00:00", datetime(2031, 2, 3, 4, 5, 6, tzinfo=UTC)),
        ("", None),
    ],
)
def test_a_key_is_read_with_the_time_when_it_was_made(text: str, expected: datetime | None) -> None:
    environ = {
        "OTHER_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "OTHER_SECRET_ACCESS_KEY": "kept-to-ourselves",
        "OTHER_KEY_CREATED_AT": text,
    }

    made = key_from_env(environ, prefix="OTHER_")

    assert made == CREDENTIALS
    assert made.created_at == expected


def test_a_key_that_cannot_be_read_names_the_variable() -> None:
    environ = {**ENVIRON, "AGCOD_KEY_CREATED_AT": "last week"}

    for read in (Settings.from_env, key_from_env):
        with pytest.raises(UsageError, match="AGCOD_KEY_CREATED_AT: 'last week'"):
            read(environ)
