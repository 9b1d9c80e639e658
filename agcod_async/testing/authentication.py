"""Who may enter: the signature of a request, checked as AWS checks it.

The messages are AWS's own, because people search for them; one of them repeats the canonical
string as the service does, so that somebody who writes a signer can compare. No message holds a
secret or the expected signature.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple

from agcod_async.values import Credentials, InvalidValueError, SecretKey
from agcod_async.wire.authorization import Authorization
from agcod_async.wire.sigv4 import ALGORITHM

SIGNING_SERVICE: Final = "AGCODService"

SIGNATURE_AGE_MAX_SECONDS: Final = 300.0
"""AWS refuses a request whose date is more than five minutes from its own clock."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """One request as it arrived. Header names are in lower case."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    def __repr__(self) -> str:
        return f"Incoming({self.path!r}, {len(self.body)} bytes)"  # the headers hold a signature


class Denial(NamedTuple):
    """Why a request may not enter, and the exception that AWS reports it as."""

    exception: str
    message: str


class Authenticator:
    """Checks signatures against a set of access keys, any of which is good. It may change."""

    def __init__(
        self,
        credentials: Iterable[Credentials],
        *,
        region: str | None = None,
        age_max_seconds: float = SIGNATURE_AGE_MAX_SECONDS,
    ) -> None:
        """Without a `region`, a signature for any region is good."""
        self._secrets = {key.access_key_id: key.secret_access_key for key in credentials}
        self._region = region
        self._age_max_seconds = age_max_seconds

    def accept(self, key: Credentials) -> None:
        """Let this key in from now on, in place of one with the same ID."""
        self._secrets[key.access_key_id] = key.secret_access_key

    def revoke(self, access_key_id: str) -> bool:
        """Let this key in no more; whether it was let in before."""
        return self._secrets.pop(access_key_id, None) is not None

    def denial(self, request: Incoming, wall: float) -> Denial | None:
        """Return why the request may not enter at `wall` (seconds since 1970), or None."""
        header = request.headers.get("authorization")
        if not header:
            return Denial("MissingAuthenticationTokenException", "Missing Authentication Token")
        try:
            claim = Authorization.parse(header)
        except InvalidValueError:
            return Denial(
                "IncompleteSignatureException",
                "Authorization header is not a well-formed AWS4-HMAC-SHA256 one.",
            )
        secret = self._secrets.get(claim.access_key_id)
        if secret is None:
            return Denial(
                "UnrecognizedClientException",
                "The security token included in the request is invalid.",
            )
        problem = self._scope_refused(claim) or self._signature_refused(
            claim, secret, request, wall
        )
        return None if problem is None else Denial("InvalidSignatureException", problem)

    def _scope_refused(self, claim: Authorization) -> str | None:
        if claim.scope.service != SIGNING_SERVICE:
            return f"Credential should be scoped to correct service: '{SIGNING_SERVICE}'."
        if self._region is not None and claim.scope.region != self._region:
            return f"Credential should be scoped to a valid region, not '{claim.scope.region}'."
        return None

    def _signature_refused(
        self, claim: Authorization, secret: SecretKey, request: Incoming, wall: float
    ) -> str | None:
        try:
            expected = claim.expected_signature(
                secret, path=request.path, headers=request.headers, body=request.body
            )
        except InvalidValueError as error:
            return f"The signature does not cover what it must: {error}"
        stale = self._stale(request.headers["x-amz-date"], wall)
        if stale is not None:
            return stale
        matches = hmac.compare_digest(expected, claim.signature)
        return None if matches else _mismatch(claim, request)

    def _stale(self, amz_date: str, wall: float) -> str | None:
        signed_at = _seconds_of(amz_date)
        if signed_at is None:
            return "Date in X-Amz-Date is not a valid ISO 8601 date."
        if abs(wall - signed_at) <= self._age_max_seconds:
            return None
        now = f"{datetime.fromtimestamp(wall, UTC):%Y%m%dT%H%M%SZ}"
        if signed_at < wall:
            return f"Signature expired: {amz_date} is now earlier than {now}."
        return f"Signature not yet current: {amz_date} is still later than {now}."


@lru_cache(maxsize=16)  # many requests are signed within one second
def _seconds_of(amz_date: str) -> float | None:
    try:
        return datetime.strptime(amz_date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def _mismatch(claim: Authorization, request: Incoming) -> str:
    names = claim.signed_headers
    lines = "".join(f"{name}:{' '.join(request.headers[name].split())}\n" for name in names)
    payload = hashlib.sha256(request.body).hexdigest()
    canonical = f"POST\n{request.path}\n\n{lines}\n{';'.join(names)}\n{payload}"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = f"{ALGORITHM}\n{request.headers['x-amz-date']}\n{claim.scope}\n{digest}"
    return (
        "The request signature we calculated does not match the signature you provided. Check "
        "your AWS Secret Access Key and signing method. Consult the service documentation for "
        f"details.\n\nThe Canonical String for this request should have been\n'{canonical}'\n\n"
        f"The String-to-Sign should have been\n'{to_sign}'\n"
    )
