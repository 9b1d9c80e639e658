"""Real sockets of this process, each transport, and whoever leaves at a turn of the loop."""

import asyncio
import os
import time
from collections.abc import Callable, Coroutine
from itertools import count
from pathlib import Path

import httpx
from httpx_aiohttp import AiohttpTransport as AiohttpEngine

from agcod_async.wire.aiohttp_transport import AiohttpTransport
from agcod_async.wire.httpx_transport import HttpxTransport
from agcod_async.wire.lean_transport import LeanTransport
from agcod_async.wire.port import Transport

CONNECTIONS = 2


def client_on_aiohttp(connections_max: int) -> httpx.AsyncClient:
    """Return a client as somebody brings it whose callers leave.

    On httpx-aiohttp, because httpx's own pool loses a slot for ever when a connect is cancelled
    (encode/httpcore#1093): with it nobody could promise that what is cancelled leaves nothing.
    """
    limits = httpx.Limits(max_connections=connections_max)
    return httpx.AsyncClient(transport=AiohttpEngine(limits=limits), trust_env=False)


class HttpxWithItsClient(HttpxTransport):
    """Closes the client, too: here it belongs to whoever closes the transport."""

    def __init__(self) -> None:
        self._brought = client_on_aiohttp(CONNECTIONS)
        super().__init__(self._brought)

    async def aclose(self) -> None:
        await super().aclose()
        await self._brought.aclose()


TRANSPORTS: dict[str, Callable[[], Transport]] = {
    "httpx, brought": HttpxWithItsClient,
    "aiohttp": lambda: AiohttpTransport(connections_max=CONNECTIONS),
    "lean": lambda: LeanTransport(connections_max=CONNECTIONS),
}


def sockets() -> int:
    """Count the sockets that this process has open."""
    open_now = 0
    for entry in Path("/proc/self/fd").iterdir():
        try:
            open_now += os.readlink(entry).startswith("socket:")  # noqa: PTH115  it is no path
        except FileNotFoundError:  # that of the listing itself
            continue
    return open_now


async def turns(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def settled(is_so: Callable[[], bool]) -> None:
    """Wait for what the loop is about to do; at most for a second."""
    deadline = time.monotonic() + 1.0
    while not is_so() and time.monotonic() < deadline:  # noqa: ASYNC110  nobody tells of sockets
        await asyncio.sleep(0.001)
    assert is_so()


async def left_at(turn: int, work: Coroutine[object, object, object]) -> bool:
    """Begin some work and cancel it after so many turns; return whether it was still going on."""
    leaving = asyncio.create_task(work)
    await turns(turn)
    leaving.cancel()
    await asyncio.wait([leaving])
    if not leaving.cancelled():
        leaving.result()  # raises what it has raised
    return leaving.cancelled()


async def left_at_every_turn(begun: Callable[[int], Coroutine[object, object, object]]) -> int:
    """Leave the work of each turn at that turn, up to the first that ends before; return which.

    How many turns there are is found out by it, so none is missed when the package takes more of
    them or fewer.
    """
    for turn in count():
        if not await left_at(turn, begun(turn)):
            return turn
    raise AssertionError("turns do not end")
