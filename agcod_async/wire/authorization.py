"""The server's side of a signature: take the header apart, compute what it should have said."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from agcod_async.values import InvalidValueError, SecretKey
from agcod_async.wire.sigv4 import ALGORITHM, CanonicalForm, Scope, string_to_sign

_AMZ_DATE = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_SIGNATURE = re.compile(r"[0-9a-f]{64}")
_CREDENTIAL_PARTS: Final = 5  # the access key ID and the four parts of a scope


@dataclass(frozen=True, slots=True, repr=False)
class Authorization:
    """A received `authorization` header, taken apart."""

    access_key_id: str
    scope: Scope
    signed_headers: tuple[str, ...]
    signature: str

    @classmethod
    def parse(cls, header: str) -> Self:
        """Take the header apart; raises `InvalidValueError` where it is not of this algorithm."""
        algorithm, _, rest = header.strip().partition(" ")
        pairs = (part.strip().partition("=") for part in rest.split(","))
        parts = {name: value for name, _, value in pairs}
        credential = parts.get("Credential", "").split("/")
        names = tuple(parts.get("SignedHeaders", "").split(";"))
        signature = parts.get("Signature", "")
        if (
            algorithm != ALGORITHM
            or len(credential) != _CREDENTIAL_PARTS
            or credential[4] != "aws4_request"
            or not all((*credential, *names))
            or not _SIGNATURE.fullmatch(signature)
        ):
            # The header is not quoted: it holds a signature.
            raise InvalidValueError("authorization", "is not a signature", f"{ALGORITHM} …")
        access_key_id, day, region, service, _ = credential
        return cls(access_key_id, Scope(day, region, service), names, signature)

    def __repr__(self) -> str:
        return f"Authorization('…{self.access_key_id[-4:]}', {self.scope})"

    def expected_signature(
        self,
        secret: SecretKey,
        *,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        method: str = "POST",
        query: str = "",
    ) -> str:
        """Return the signature that the holder of `secret` would have made of this request.

        Only headers named in SignedHeaders are read. Compare with `hmac.compare_digest`. Raises
        `InvalidValueError` where a signed header is missing, or the date is not signed, is not
        a date, or is of another day than the scope.
        """
        received = {name.lower(): value.strip() for name, value in headers.items()}
        missing = [name for name in self.signed_headers if name not in received]
        if missing:
            raise InvalidValueError("headers", f"{missing[0]!r} is missing", "all signed headers")
        amz_date = received.get("x-amz-date", "") if "x-amz-date" in self.signed_headers else ""
        if not _AMZ_DATE.fullmatch(amz_date) or not amz_date.startswith(self.scope.day):
            raise InvalidValueError("x-amz-date", "does not fit the scope", "signed, of its day")
        signed = {name: received[name] for name in self.signed_headers}
        digest = CanonicalForm(method, path, query, signed).digest(amz_date, body)
        state = string_to_sign(self.scope.key_state(secret), amz_date, self.scope)
        state.update(digest.encode())
        return state.hexdigest()
