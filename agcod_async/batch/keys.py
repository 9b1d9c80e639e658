"""A line without an access key: it stands while none is accepted, and goes on with one that is.

A session whose credentials come from a provider waits for another key and declines nothing. The job
must not be silent about that, nor hand it one order after the other to wait in.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from typing import Final

from agcod_async.agcod import AgcodSession
from agcod_async.batch.alongside import alongside
from agcod_async.batch.stop_line import Cause, StopLine
from agcod_async.clock import Clock
from agcod_async.journal.base import JournalError

EVERY_SECONDS: Final = 1.0
"""How often the session is asked. It sends nothing for it."""


class KeyGuard:
    """Stops the line of one run while its session waits for an access key."""

    def __init__(self, session: AgcodSession, line: StopLine, clock: Clock) -> None:
        """Look at nothing yet."""
        self._session = session
        self._line = line
        self._clock = clock

    def watching(self, on_look: Callable[[], Awaitable[None]]) -> AbstractAsyncContextManager[None]:
        """Look again and again while the block runs; `on_look` is awaited after each look."""
        return alongside(self._keep_looking(on_look))

    async def _keep_looking(self, on_look: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            self._look()
            with suppress(JournalError):  # the run itself finds out that its plan cannot be written
                await on_look()

    def _look(self) -> None:
        reason, stop = self._session.held_up, self._line.stop
        if reason is not None:
            self._line.lack_key(reason, self._clock.monotonic())
        elif stop is not None and stop.cause is Cause.KEY:
            self._line.resume()
