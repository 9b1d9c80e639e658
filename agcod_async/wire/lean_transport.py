"""The lean transport: HTTP/1.1 on asyncio's own connections, and nothing above it.

It does what this package needs of HTTP and no more: POST, keep-alive, TLS. No proxy, no HTTP/2.
"""

import asyncio
import socket
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from agcod_async.core.outcomes import Reason, Untouched
from agcod_async.wire import exchange
from agcod_async.wire.http_connection import HttpConnection
from agcod_async.wire.port import Exchanged

KEEP_ALIVE_SECONDS: Final = 15.0
"""A connection that was idle for longer is not used again: the server may be about to close it,
and a request that crosses the closing on its way is Lost."""

_ADDRESSES_MAX = 3
"""So many addresses of one name are tried for one request."""

_PORTS = {"http": 80, "https": 443}
_OWN_LINES = [f"{name}: {value}" for name, value in exchange.OWN_HEADERS.items()]


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where a connection leads."""

    host: str
    port: int
    is_tls: bool


class LeanTransport:
    """Exchanges requests over connections of its own, the most recently used one first.

    Names are resolved anew for each new connection, because the addresses behind Amazon's names
    change. Waiting for a free connection counts as connecting: after `connect_timeout_seconds`
    it is `Untouched`. It belongs to the event loop of its first request: in another one its
    connections would send and never hear, so nothing is sent there.
    """

    def __init__(
        self,
        *,
        connections_max: int = exchange.CONNECTIONS_MAX,
        connect_timeout_seconds: float = exchange.CONNECT_TIMEOUT_SECONDS,
    ) -> None:
        exchange.check_limits(connections_max, connect_timeout_seconds)
        self._connect_timeout_seconds = connect_timeout_seconds
        self._connections_max = connections_max
        self._free = asyncio.Semaphore(connections_max)
        self._in_use = 0
        self._idle: defaultdict[_Origin, deque[HttpConnection]] = defaultdict(deque)
        self._tls = exchange.tls_context()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Exchanged:
        """POST `body` to `url`, once; see `Transport.send`."""
        refused = exchange.refusal(url)
        if refused is not None:
            return refused
        if self._closed:
            return exchange.closed()
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            if self._loop is not None:
                return Untouched(Reason("not sent: the transport belongs to another event loop"))
            self._loop = loop
        try:
            origin, path = _parts(url)
            request = _request(path, headers, body)
            if self._free.locked():
                async with asyncio.timeout(self._connect_timeout_seconds):
                    await self._free.acquire()
            else:
                await self._free.acquire()
        except Exception as error:  # noqa: BLE001 - every failure is an answer
            return exchange.failure(error, never_left=True)
        self._in_use += 1
        try:
            return await self._exchange(loop, origin, request)
        finally:
            self._in_use -= 1
            self._free.release()

    async def aclose(self) -> None:
        """Close the connections. Call it when nothing is in flight."""
        self._closed = True
        for idle in self._idle.values():
            for connection in idle:
                connection.close()
        self._idle.clear()
        await asyncio.sleep(0)  # asyncio closes the sockets in its next step

    async def _exchange(
        self, loop: asyncio.AbstractEventLoop, origin: _Origin, request: bytes
    ) -> Exchanged:
        connection = self._idle_one(origin, loop.time())
        if connection is None:
            self._make_room()
            try:
                connection = await self._connect(loop, origin)
            except Exception as error:  # noqa: BLE001 - every failure is an answer
                return exchange.failure(error, never_left=True)
        answer = await connection.exchange(request)
        if self._closed:
            connection.close()
        if connection.is_open:
            connection.idle_since = loop.time()
            self._idle[origin].append(connection)
        return answer

    def _idle_one(self, origin: _Origin, now: float) -> HttpConnection | None:
        idle = self._idle[origin]
        while idle and now - idle[0].idle_since > KEEP_ALIVE_SECONDS:
            idle.popleft().close()
        while idle:
            connection = idle.pop()
            if connection.is_quiet:
                return connection
            connection.close()
        return None

    def _make_room(self) -> None:
        """Close idle connections, which lead elsewhere, until one more may be open."""
        while self._in_use + sum(map(len, self._idle.values())) > self._connections_max:
            unused = min(filter(None, self._idle.values()), key=lambda idle: idle[0].idle_since)
            unused.popleft().close()

    async def _connect(self, loop: asyncio.AbstractEventLoop, origin: _Origin) -> HttpConnection:
        """Connect to the first address that lets us; each has its share of the time.

        One after the other: asyncio's race between addresses (`happy_eyeballs_delay`) forgets a
        socket that is connected already when it is cancelled in the wrong moment, and uvloop has
        no such race.
        """
        failed = OSError("no address")
        async with asyncio.timeout(self._connect_timeout_seconds):
            found = await loop.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
            addresses = list(dict.fromkeys((family, at[0]) for family, _, _, _, at in found))
            for family, address in addresses[:_ADDRESSES_MAX]:
                share = self._connect_timeout_seconds / min(len(addresses), _ADDRESSES_MAX)
                try:
                    async with asyncio.timeout(share):
                        return await self._connect_to(loop, origin, family, str(address))
                except OSError as error:  # the next one may be better; a TimeoutError is one, too
                    failed = error
        raise failed

    async def _connect_to(
        self, loop: asyncio.AbstractEventLoop, origin: _Origin, family: int, address: str
    ) -> HttpConnection:
        _, connection = await loop.create_connection(
            HttpConnection,
            address,
            origin.port,
            family=family,
            ssl=self._tls if origin.is_tls else None,
            server_hostname=origin.host if origin.is_tls else None,
        )
        return connection


@lru_cache(maxsize=64)
def _parts(url: str) -> tuple[_Origin, str]:
    parts = urlsplit(url)
    port = _PORTS[parts.scheme] if parts.port is None else parts.port
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    return _Origin(parts.hostname or "", port, parts.scheme == "https"), path


def _request(path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """Return the request as it goes out. Raises `ValueError` for a header that would break it."""
    lines = [f"{name}: {value}" for name, value in headers.items()]
    lines += _OWN_LINES
    head = "\r\n".join((f"POST {path} HTTP/1.1", *lines, f"content-length: {len(body)}\r\n\r\n"))
    if head.count("\r") != len(lines) + 3 or head.count("\n") != len(lines) + 3:
        raise ValueError("a line break in a header")
    return head.encode("ascii") + body
