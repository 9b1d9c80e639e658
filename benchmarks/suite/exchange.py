"""A transport of the SDK posting what bare aiohttp posts: the exchange, and nothing around it."""

from contextlib import AsyncExitStack

from agcod_async.core.outcomes import Reply
from agcod_async.wire.usual import usual_transport
from benchmarks.suite import request
from benchmarks.suite.sdk import opened


class Exchange:
    """One transport, by the name that it has in `sdk`."""

    def __init__(self, kind: str, url: str) -> None:
        self._kind = kind
        self._url = f"{url}/{request.OPERATION}"
        self._stack = AsyncExitStack()

    async def open(self) -> None:
        """Open the transport."""
        transport = await opened(self._kind, self._stack)
        if transport is None:
            transport = usual_transport()
            self._stack.push_async_callback(transport.aclose)
        self._transport = transport

    async def issue(self, number: int) -> None:
        """Exchange once."""
        del number
        answer = await self._transport.send(self._url, request.CANNED_HEADERS, request.CANNED_BODY)
        request.check(isinstance(answer, Reply) and b"SUCCESS" in answer.body)

    async def close(self) -> None:
        """Close the transport."""
        await self._stack.aclose()
