"""The floor of asyncio: canned bytes over a bare protocol. No Python client can cost less."""

import asyncio
import ssl
from typing import cast
from urllib.parse import urlsplit

from benchmarks.suite import request


class _Wire(asyncio.Protocol):
    """A connection that takes whatever ends in a brace for a reply."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[bytes] | None = None
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
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


class Floor:
    """As many connections as there are workers."""

    def __init__(self, url: str) -> None:
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
        _, wire = await loop.create_connection(_Wire, self._host, self._port, ssl=self._tls)
        self._wires.append(wire)
        return wire

    async def close(self) -> None:
        """Drop the connections."""
        for wire in self._wires:
            wire.close()
