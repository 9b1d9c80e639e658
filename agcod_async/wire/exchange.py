"""What both transports promise alike: protection on the way out, limits on the way back."""

import ssl
import zlib
from collections.abc import AsyncIterator, Mapping
from functools import lru_cache
from importlib import import_module
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

import certifi

from agcod_async._version import __version__
from agcod_async.core.outcomes import Lost, Reason, Reply, Unclear, Untouched
from agcod_async.values import InvalidValueError
from agcod_async.wire import date_header
from agcod_async.wire.port import REPLY_SIZE_MAX

CONNECTIONS_MAX: Final = 100
"""Connections that are open at one time. Whoever waits for one has sent nothing: `Untouched`."""

CONNECT_TIMEOUT_SECONDS: Final = 3.0
"""The longest wait for a connection: for a free one, the name, TCP and TLS together."""

OWN_HEADERS: Final[Mapping[str, str]] = {
    "accept-encoding": "identity",  # a reply is short, and then there is nothing to decode
    "user-agent": f"agcod-async/{__version__}",
}
"""Sent beside the signed headers, unsigned."""

# Names are resolved with these. Python would import them within the first call, on its way.
for _name in ("concurrent.futures.thread", "encodings.idna"):
    import_module(_name)

_ENCODING_GZIP = frozenset({"gzip", "x-gzip"})
_ENCODING_NONE = frozenset({"", "identity"})
_ZLIB_GZIP_ONLY = 31


def tls_context() -> ssl.SSLContext:
    """Return TLS 1.2 or newer, with host names and certificates checked against certifi's list.

    Made here and not by `ssl.create_default_context`, which would write the session keys to
    whatever file the environment names in SSLKEYLOGFILE.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    context.load_verify_locations(cafile=certifi.where())
    return context


def check_limits(connections_max: int, connect_timeout_seconds: float) -> None:
    """Raise `InvalidValueError` unless both are positive: 0 would mean "no limit" below."""
    if connections_max < 1:
        raise InvalidValueError("connections_max", f"{connections_max} is too few", "at least 1")
    check_connect_timeout(connect_timeout_seconds)


def check_connect_timeout(seconds: float) -> None:
    """Raise `InvalidValueError` unless it is positive: 0 would mean "no limit" below."""
    if not seconds > 0:
        raise InvalidValueError("connect_timeout_seconds", f"{seconds} is too short", "more than 0")


@lru_cache(maxsize=256)
def refusal(url: str) -> Untouched | None:
    """Return why nothing may be sent to this URL, or None where it may.

    A signed request is worth money to whoever reads it, so plain HTTP stays on this machine.
    """
    if _is_protected(url):
        return None
    return Untouched(Reason("not sent: the URL must be https, or http on loopback"))


def _is_protected(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port  # which may be no number
    except ValueError:
        return False
    if parts.scheme == "https":
        return bool(host)
    return parts.scheme == "http" and _is_loopback(host or "")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def closed() -> Untouched:
    """Return the answer of a transport that has been closed."""
    return Untouched(Reason("not sent: the transport is closed"))


def failure(error: BaseException, *, never_left: bool) -> Untouched | Lost:
    """Return what a driver's exception proves.

    Only its class is named: its text may quote a URL, a header or a body.
    """
    name = type(error).__name__
    if never_left:
        return Untouched(Reason(f"not sent, no connection was had: {name}"))
    return Lost(Reason(f"sent, but no whole answer came: {name}"))


async def read_reply(
    status: int, headers: Mapping[str, str], chunks: AsyncIterator[bytes]
) -> Reply | Unclear:
    """Read a reply up to `REPLY_SIZE_MAX` bytes; the caller then closes the connection.

    `headers` ignores case. Somebody has answered, so a reply that is too large or cannot be
    decoded is Unclear, not Lost.
    """
    if announces_too_much(headers):
        return too_large(status)
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > REPLY_SIZE_MAX:
            return too_large(status)
    return reply_of(status, headers, bytes(body))


def announces_too_much(headers: Mapping[str, str]) -> bool:
    """Tell whether the body will be longer than `REPLY_SIZE_MAX` bytes."""
    announced = headers.get("content-length", "")
    return announced.isdecimal() and int(announced[:20]) > REPLY_SIZE_MAX


def too_large(status: int) -> Unclear:
    """Return the answer for a reply that is dropped unread."""
    return _unclear(status, f"is larger than {REPLY_SIZE_MAX} bytes")


def reply_of(status: int, headers: Mapping[str, str], body: bytes) -> Reply | Unclear:
    """Return a reply that has been read to its end, unpacked."""
    encoding = headers.get("content-encoding", "").strip().lower()
    plain = _decoded(body, encoding)
    if plain is None:
        return _unclear(status, "is encoded in a way that cannot be undone")
    date = date_header.seconds_of(headers.get("date", ""))
    return Reply(status, headers.get("content-type", ""), plain, date)


def _decoded(body: bytes, encoding: str) -> bytes | None:
    """Undo gzip, should a server use it unasked; None for what cannot or must not be undone."""
    if encoding in _ENCODING_NONE:
        return body
    if encoding not in _ENCODING_GZIP:
        return None
    unpacker = zlib.decompressobj(_ZLIB_GZIP_ONLY)
    try:
        plain = unpacker.decompress(body, REPLY_SIZE_MAX)
    except zlib.error:
        return None
    return plain if unpacker.eof and not unpacker.unused_data else None


def _unclear(status: int, problem: str) -> Unclear:
    return Unclear(Reason(f"the reply (status {status}) {problem}"))
