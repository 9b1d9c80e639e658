"""The floor of asyncio: canned bytes over a bare protocol. No Python client can cost less.

The plain one is what the aims are about; the buffered one is cheaper still.
"""

import asyncio
import ssl
from collections.abc import Mapping
from typing import cast
from urllib.parse import urlsplit

from benchmarks.suite import request


class _Wire(asyncio.BaseProtocol):
    """A connection that takes whatever ends in a brace for a reply."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[bytes] | None = None
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)

    def take(self, data: bytes | memoryview) -> None:
        """Read on."""
        self._read += data
        if self._read.endswith(b"}") and self._answer is not None:
            self._answer.set_result(self._read)
            self._read = b""

    async def exchange(self, message: bytes) -> bytes:
        """Write, and wait."""
        assert self._transport is not None  # noqa: S101  the connection was made
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(message)
        return await self._answer

    def close(self) -> None:
        """Drop the connection."""
        if self._transport is not None:
            self._transport.abort()


class _PlainWire(_Wire, asyncio.Protocol):
    """One that asyncio brings what it has read, as a client is usually written."""

    def data_received(self, data: bytes) -> None:
        """Read on."""
        self.take(data)


class _BufferedWire(_Wire, asyncio.BufferedProtocol):
    """One that asyncio reads into: it takes no memory from the system for each reply."""

    def __init__(self) -> None:
        super().__init__()
        self._room = memoryview(bytearray(16 * 1024))

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return where to read to."""
        del sizehint
        return self._room

    def buffer_updated(self, nbytes: int) -> None:
        """Read on."""
        self.take(self._room[:nbytes])


KINDS: Mapping[str, type[_Wire]] = {"plain": _PlainWire, "buffered": _BufferedWire}


class Floor:
    """As many connections as there are workers."""

    def __init__(self, kind: str, url: str) -> None:
        self._kind = KINDS[kind]
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        lines = [f"POST /{request.OPERATION} HTTP/1.1", f"host: {parts.netloc}"]
        lines += [f"{name}: {value}" for name, value in request.CANNED_HEADERS.items()]
        lines.append(f"content-length: {len(request.CANNED_BODY)}\r\n\r\n")
        self._message = "\r\n".join(lines).encode() + request.CANNED_BODY
        self._idle: list[_Wire] = []
        self._wires: list[_Wire] = []

    async def open(self) -> None:
        """Nothing: connections are opened as they are needed."""

    async def issue(self, number: int) -> None:
        """Exchange once."""
        del number
        wire = self._idle.pop() if self._idle else await self._connect()
        request.check(b"SUCCESS" in await wire.exchange(self._message))
        self._idle.append(wire)

    async def _connect(self) -> _Wire:
        loop = asyncio.get_running_loop()
        _, wire = await loop.create_connection(self._kind, self._host, self._port, ssl=self._tls)
        self._wires.append(wire)
        return wire

    async def close(self) -> None:
        """Drop the connections."""
        for wire in self._wires:
            wire.close()
