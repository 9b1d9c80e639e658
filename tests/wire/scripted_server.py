"""A server on 127.0.0.1 that misbehaves as it is told."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from agcod_async.wire.port import Exchanged, Transport

HEADERS = {"host": "agcod.example", "authorization": "AWS4-HMAC-SHA256 Signature=cafe"}
BODY = b'{"creationRequestId":"Test001"}'


@dataclass(slots=True)
class Connection:
    """One accepted connection. `number` counts from 0, in the order of arrival."""

    number: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    served: "Served"

    async def request(self) -> bytes:
        """Read one whole request, head and body, and keep it; raises EOFError where none came."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        length = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
        request = head + await self.reader.readexactly(length)
        self.served.requests.append(request)
        return request

    async def reply(self, raw: bytes) -> None:
        self.writer.write(raw)
        await self.writer.drain()

    def reset(self) -> None:
        """Drop the connection the hard way: the peer's next read fails with ECONNRESET."""
        self.writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self.writer.transport.abort()


Script = Callable[[Connection], Awaitable[None]]


@dataclass(slots=True)
class Served:
    """What a scripted server has seen so far."""

    url: str = ""
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)
    dropped: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a script has ended because its client went away."""


@asynccontextmanager
async def serving(script: Script, tls: ssl.SSLContext | None = None) -> AsyncIterator[Served]:
    """Run `script` for each connection; on leaving, whatever still runs is cancelled."""
    served = Served()
    running: set[asyncio.Task[None]] = set()

    async def on_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(served.connections, reader, writer, served)
        served.connections += 1
        try:
            await script(connection)
        except (OSError, EOFError):
            served.dropped.set()
        finally:
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(on_connection(reader, writer))
        running.add(task)
        task.add_done_callback(running.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    scheme = "http" if tls is None else "https"
    served.url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/CreateGiftCard"
    try:
        yield served
    finally:
        server.close()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def one_after_the_other(
    transport: Transport, script: Script, times: int, tls: ssl.SSLContext | None = None
) -> tuple[list[Exchanged], int]:
    """Send so many requests; return the answers and the number of connections."""
    async with asyncio.timeout(20), serving(script, tls) as served:
        answers = [await transport.send(served.url, HEADERS, BODY) for _ in range(times)]
        await transport.aclose()
        return answers, served.connections


def http(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """Return a well-formed reply."""
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def answering(*replies: bytes) -> Script:
    """Answer with these replies, one after the other, over all connections; then stay silent."""
    left = list(replies)

    async def script(connection: Connection) -> None:
        while True:
            await connection.request()
            if not left:
                await silence(connection)
            await connection.reply(left.pop(0))

    return script


async def silence(connection: Connection) -> None:
    """Say nothing until the client goes away."""
    while await connection.reader.read(65536):
        pass
    raise EOFError
