"""One session's settings: frozen, checked once, and never pointing at production by default."""

import os
import re
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from datetime import UTC, datetime
from typing import Literal, Self
from urllib.parse import urlsplit

from agcod_async.core.outcomes import Reason
from agcod_async.credentials import CredentialsProvider
from agcod_async.endpoints import PRODUCTION_HOSTS, Endpoint
from agcod_async.errors import UsageError
from agcod_async.values import Credentials, InvalidValueError, check_partner_id

_LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
_PORT_MAX = 65_535
_REGION = re.compile(r"[A-Za-z0-9-]+")
# What is signed must be sent unchanged, so there is nothing in it that a driver would encode.
_BASE_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9.-]+|\[[0-9a-f:]+\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?:/[A-Za-z0-9_~-][A-Za-z0-9_.~-]*)*/?"
)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a session must know beforehand.

    `credentials` is the one access key, or a provider of keys that can be replaced while the
    session works (`RotatingCredentials`): then a key that Amazon refuses makes orders wait for
    another one instead of failing.

    `base_url` replaces the endpoint's host (the emulator, a recording proxy); it must be https,
    except on loopback. `region` replaces the endpoint's signing region. `requests_per_second` is
    the rate that Amazon allows this partner account (10 unless your contract says otherwise);
    every request counts, undos and replays too. `attempt_timeout_seconds` bounds one exchange
    (Amazon recommends 6), `deadline_seconds` a whole call: queueing, attempts, pauses and undos.

    `wire_format` is the form in which requests are written and answers asked for; an answer is
    read in whatever form it comes. `activity_pages_per_minute` paces the activity report below
    the account's rate (Amazon documents no rate for it). `activity_index_counts` says whether its
    page index counts pages or rows, for its clients disagree.

    `country` is the account's, one of the endpoint's. On it depends which amounts are warned of
    and which team at Amazon an error names, and nothing else.
    """

    _: KW_ONLY
    credentials: Credentials | CredentialsProvider
    partner_id: str
    endpoint: Endpoint = Endpoint.NA_SANDBOX
    base_url: str | None = None
    region: str | None = None
    country: str | None = None
    requests_per_second: float = 10.0
    attempt_timeout_seconds: float = 6.0
    deadline_seconds: float = 60.0
    wire_format: Literal["json", "xml"] = "json"
    activity_pages_per_minute: float = 1.0
    activity_index_counts: Literal["pages", "rows"] = "pages"

    def __post_init__(self) -> None:
        """Check every field; raises `UsageError` naming the first that does not fit."""
        try:
            check_partner_id(self.partner_id)
            _check_range("requests_per_second", self.requests_per_second, 0.001, 100_000)
            _check_range("attempt_timeout_seconds", self.attempt_timeout_seconds, 0.1, 60)
            _check_range("deadline_seconds", self.deadline_seconds, 0.1, 31_536_000)
            _check_range(
                "activity_pages_per_minute", self.activity_pages_per_minute, 0.001, 100_000
            )
            _check_choice("wire_format", self.wire_format, ("json", "xml"))
            _check_choice("activity_index_counts", self.activity_index_counts, ("pages", "rows"))
            if self.country is not None:
                _check_choice("country", self.country, self.endpoint.countries)
            if self.base_url is not None:
                _check_base_url(self.base_url)
            if self.region is not None:
                _check_region(self.region)
        except InvalidValueError as error:
            raise UsageError(Reason(str(error))) from error

    @property
    def url(self) -> str:
        """Where requests go, without a trailing slash."""
        return (self.base_url or f"https://{self.endpoint.host}").rstrip("/")

    @property
    def host(self) -> str:
        """The name of the host that requests go to, without a port."""
        return urlsplit(self.url).hostname or ""

    @property
    def signing_region(self) -> str:
        """The region in the signature's scope."""
        return self.region or self.endpoint.region

    @property
    def mock_ids_allowed(self) -> bool:
        """Whether request IDs F0000 to F9999 may be sent: never to production.

        Production it is by the endpoint or by the host of `base_url`, whichever names it.
        """
        parts = _BASE_URL.fullmatch(self.url)
        host = "" if parts is None else parts["host"].lower().rstrip(".")
        return self.endpoint.is_sandbox and host not in PRODUCTION_HOSTS

    @classmethod
    def from_env(
        cls,
        environ: Mapping[str, str] | None = None,
        *,
        credentials: Credentials | CredentialsProvider | None = None,
    ) -> Self:
        """Read the settings from `environ` (the process's own by default).

        AGCOD_PARTNER_ID is required, and so are AGCOD_ACCESS_KEY_ID and AGCOD_SECRET_ACCESS_KEY
        where no `credentials` are given; AGCOD_KEY_CREATED_AT, AGCOD_ENDPOINT (na-sandbox, na,
        eu-sandbox, eu, fe-sandbox, fe), AGCOD_BASE_URL, AGCOD_REGION, AGCOD_COUNTRY and AGCOD_TPS
        are optional. Raises `UsageError` naming the variable.
        """
        made = cls._read(os.environ if environ is None else environ, credentials)
        del environ  # it holds the secret key, and a traceback may be shown with its locals
        if isinstance(made, UsageError):
            raise made
        return made

    @classmethod
    def _read(
        cls, env: Mapping[str, str], credentials: Credentials | CredentialsProvider | None
    ) -> Self | UsageError:
        rate = env.get("AGCOD_TPS") or "10"
        try:
            return cls(
                credentials=_key(env, "AGCOD_") if credentials is None else credentials,
                partner_id=_required(env, "AGCOD_PARTNER_ID"),
                endpoint=_endpoint(env.get("AGCOD_ENDPOINT") or Endpoint.NA_SANDBOX.value),
                base_url=env.get("AGCOD_BASE_URL") or None,
                region=env.get("AGCOD_REGION") or None,
                country=env.get("AGCOD_COUNTRY") or None,
                requests_per_second=_number("AGCOD_TPS", rate),
            )
        except UsageError as error:
            return UsageError(error.reason)
        except InvalidValueError as error:
            return UsageError(Reason(str(error)))


def key_from_env(
    environ: Mapping[str, str] | None = None, *, prefix: str = "AGCOD_"
) -> Credentials:
    """Read one access key from `environ` (the process's own by default).

    The variables are ACCESS_KEY_ID, SECRET_ACCESS_KEY and, if you know it, KEY_CREATED_AT (such
    as 2031-02-03, UTC), each after `prefix`. Raises `UsageError` naming the variable.
    """
    made = _key_or_error(os.environ if environ is None else environ, prefix)
    del environ  # as above
    if isinstance(made, UsageError):
        raise made
    return made


def _key_or_error(env: Mapping[str, str], prefix: str) -> Credentials | UsageError:
    try:
        return _key(env, prefix)
    except InvalidValueError as error:
        return UsageError(Reason(str(error)))


def _key(env: Mapping[str, str], prefix: str) -> Credentials:
    return Credentials(
        access_key_id=_required(env, f"{prefix}ACCESS_KEY_ID"),
        secret_access_key=_required(env, f"{prefix}SECRET_ACCESS_KEY"),
        created_at=_time(env, f"{prefix}KEY_CREATED_AT"),
    )


def _time(env: Mapping[str, str], name: str) -> datetime | None:
    text = env.get(name)
    if not text:
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidValueError(name, f"{text!r} is no date", "such as 2031-02-03") from None
    return read if read.tzinfo is not None else read.replace(tzinfo=UTC)


def _required(env: Mapping[str, str], name: str) -> str:
    value = env.get(name)
    if not value:
        raise InvalidValueError(name, "is not set", "an environment variable of this name")
    return value


def _endpoint(name: str) -> Endpoint:
    known = {str(endpoint.value): endpoint for endpoint in Endpoint}
    if name not in known:
        raise InvalidValueError("AGCOD_ENDPOINT", f"{name!r} is unknown", ", ".join(known))
    return known[name]


def _number(field: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InvalidValueError(field, f"{text!r} is not a number", "requests per second") from None


def _check_range(field: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise InvalidValueError(field, f"{value} is out of range", f"{low} to {high}")


def _check_choice(field: str, chosen: str, choices: tuple[str, ...]) -> None:
    if chosen not in choices:
        raise InvalidValueError(field, f"{chosen!r} is unknown", " or ".join(choices))


def _check_base_url(base_url: str) -> None:
    parts = _BASE_URL.fullmatch(base_url)
    if parts is None or int(parts["port"] or 0) > _PORT_MAX:
        raise InvalidValueError("base_url", "is not a plain URL", "https://host[:port][/path]")
    if parts["scheme"] == "http" and parts["host"].lower() not in _LOOPBACK_HOSTS:
        raise InvalidValueError(
            "base_url", f"{base_url!r} is not protected", "https, or http on loopback"
        )


def _check_region(region: str) -> None:
    if not _REGION.fullmatch(region):
        raise InvalidValueError("region", f"{region!r} is none", "such as us-east-1")
