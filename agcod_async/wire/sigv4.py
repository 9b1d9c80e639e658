"""AWS Signature Version 4, as far as a POST with a short body and no query needs it.

Rules of this file:

1. There is one canonical form, `CanonicalForm`. The signer, the check of a received signature
   in `authorization.py` and AWS's published examples all go through it.
2. What is known beforehand is hashed beforehand: everything up to the date once per operation,
   the signing key once per day, the string to sign up to its last line once per second.
3. Nothing is signed that a driver would change on its way out: a path is made of unreserved
   characters, a header value is printable ASCII without blanks at its ends or in a row.
4. The secret key is held by `Credentials`; no repr, exception or header shows it.

Source: "Signature Version 4 signing process" in AWS's general reference; the headers and the
scope are those of Amazon's Incentives API guide, section "Security".
"""

import hashlib
import hmac
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from agcod_async.values import Credentials, InvalidValueError, SecretKey

ALGORITHM: Final = "AWS4-HMAC-SHA256"

_HOST = re.compile(r"[A-Za-z0-9.-]+(?::[0-9]+)?|\[[0-9a-f:]+\](?::[0-9]+)?")
_PATH = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9_.~-]*)*/?")
_HEADER_VALUE = re.compile(r"[!-~]+(?: [!-~]+)*")
_SCOPE_PART = re.compile(r"[A-Za-z0-9-]+")
_OPERATION = re.compile(r"[A-Za-z0-9]+")

_FORMS_MAX = 64  # operations whose form is kept; Amazon has about ten


class CanonicalForm:
    """One request's canonical form, ready for any date and any body.

    `path` and `query` are taken as they are: encoded, sorted, as they stand on the wire. Header
    names may be in any case; values are trimmed, and blanks in a row become one. `x-amz-date`
    is always part of it, whether it is in `headers` or not.
    """

    __slots__ = ("_from_date", "_up_to_date", "signed_headers")

    def __init__(self, method: str, path: str, query: str, headers: Mapping[str, str]) -> None:
        """Put the form together from the headers that are to be signed."""
        values = {name.lower(): " ".join(value.split()) for name, value in headers.items()}
        names = sorted({*values, "x-amz-date"})
        split_at = names.index("x-amz-date")
        before = "".join(f"{name}:{values[name]}\n" for name in names[:split_at])
        after = "".join(f"{name}:{values[name]}\n" for name in names[split_at + 1 :])
        self.signed_headers = ";".join(names)
        self._up_to_date = hashlib.sha256(
            f"{method}\n{path}\n{query}\n{before}x-amz-date:".encode()
        )
        self._from_date = f"\n{after}\n{self.signed_headers}\n"

    def digest(self, amz_date: str, body: bytes) -> str:
        """Return the hex SHA-256 of the canonical request with this date and this body."""
        canonical = self._up_to_date.copy()
        canonical.update(f"{amz_date}{self._from_date}{hashlib.sha256(body).hexdigest()}".encode())
        return canonical.hexdigest()


@dataclass(frozen=True, slots=True)
class Scope:
    """What a signing key is good for: one day, one region, one service."""

    day: str
    region: str
    service: str

    def __str__(self) -> str:
        return f"{self.day}/{self.region}/{self.service}/aws4_request"

    def key_state(self, secret: SecretKey) -> hmac.HMAC:
        """Derive the signing key and return the HMAC that is keyed with it, still empty."""
        key = f"AWS4{secret.reveal()}".encode()
        for part in (self.day, self.region, self.service, "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        return hmac.new(key, digestmod="sha256")


def string_to_sign(key_state: hmac.HMAC, amz_date: str, scope: Scope) -> hmac.HMAC:
    """Return the keyed HMAC of the string to sign up to its last line, the canonical digest."""
    state = key_state.copy()
    state.update(f"{ALGORITHM}\n{amz_date}\n{scope}\n".encode())
    return state


@dataclass(frozen=True, slots=True)
class _Second:
    """Everything that stays the same within one second."""

    epoch: int
    amz_date: str
    scope: Scope
    key_state: hmac.HMAC
    string_to_sign: hmac.HMAC


@dataclass(frozen=True, slots=True)
class _Operation:
    """Everything that stays the same for one operation."""

    form: CanonicalForm
    headers: Mapping[str, str]


class Signer:
    """Signs requests to one service at one URL with one access key.

    A request goes to `url`, a slash and the operation: its host and port are the signed host,
    its path (none at Amazon) and the operation are the signed path. The target header is
    `target_prefix`, a dot and the operation. `accept` is the `content_type`, unless given.
    Raises `InvalidValueError` for text that could not be sent unchanged.
    """

    __slots__ = ("_credentials", "_fixed", "_operations", "_path", "_scope", "_second")

    def __init__(
        self,
        credentials: Credentials,
        *,
        region: str,
        service: str,
        url: str,
        target_prefix: str,
        content_type: str = "application/json",
        accept: str | None = None,
    ) -> None:
        parts = urlsplit(url)
        _check("region", region, _SCOPE_PART, "letters, digits and hyphens")
        _check("service", service, _SCOPE_PART, "letters, digits and hyphens")
        _check("host", parts.netloc, _HOST, "a host name or address, with a port if need be")
        _check("path", parts.path, _PATH, "/segments of letters, digits and _.~-")
        self._credentials = credentials
        self._path = parts.path.rstrip("/")
        self._scope = (region, service)
        self._fixed = {
            "accept": content_type if accept is None else accept,
            "content-type": content_type,
            "host": parts.netloc,
            "x-amz-target": target_prefix,
        }
        for name, value in self._fixed.items():
            _check(name, value, _HEADER_VALUE, "printable ASCII, single blanks inside only")
        self._operations: dict[str, _Operation] = {}
        self._second: _Second | None = None

    def __repr__(self) -> str:
        region, service = self._scope
        return f"Signer({self._credentials!r}, region={region!r}, service={service!r})"

    def sign(self, operation: str, body: bytes, at: float) -> dict[str, str]:
        """Return all headers to send with `body`; `at` is in seconds since 1970, UTC.

        Amazon refuses a request whose date is more than minutes away from its own, so `at` also
        says until when this request can take effect. Raises `InvalidValueError` for an
        operation that is not made of letters and digits.
        """
        prepared = self._operations.get(operation) or self._prepare(operation)
        second = self._second
        if second is None or second.epoch != int(at):
            second = self._enter(int(at))
        signature = second.string_to_sign.copy()
        signature.update(prepared.form.digest(second.amz_date, body).encode())
        return {
            **prepared.headers,
            "x-amz-date": second.amz_date,
            "authorization": (
                f"{ALGORITHM} Credential={self._credentials.access_key_id}/{second.scope}, "
                f"SignedHeaders={prepared.form.signed_headers}, Signature={signature.hexdigest()}"
            ),
        }

    def _prepare(self, operation: str) -> _Operation:
        _check("operation", operation, _OPERATION, "letters and digits")
        headers = {**self._fixed, "x-amz-target": f"{self._fixed['x-amz-target']}.{operation}"}
        form = CanonicalForm("POST", f"{self._path}/{operation}", "", headers)
        prepared = _Operation(form, headers)
        if len(self._operations) < _FORMS_MAX:
            self._operations[operation] = prepared
        return prepared

    def _enter(self, epoch: int) -> _Second:
        # One slot is enough: time that jumps back, at midnight too, only costs a new derivation.
        amz_date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(epoch))
        scope = Scope(amz_date[:8], *self._scope)
        known = self._second
        key_state = (
            known.key_state
            if known is not None and known.scope == scope
            else scope.key_state(self._credentials.secret_access_key)
        )
        prefix = string_to_sign(key_state, amz_date, scope)
        self._second = _Second(epoch, amz_date, scope, key_state, prefix)
        return self._second


def _check(field: str, text: str, form: re.Pattern[str], limit: str) -> None:
    if not form.fullmatch(text):
        raise InvalidValueError(field, f"{text!r} cannot be signed", limit)
