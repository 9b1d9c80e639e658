"""The pump's sleep: until a moment, or until something better turns up."""

import asyncio
import math

TIMER_STEP_SECONDS = 0.001
"""Loops keep time in milliseconds at best; a shorter wait would only spin."""


class Alarm:
    """Wakes one sleeper. `rings_at` is -inf while nobody sleeps."""

    def __init__(self) -> None:
        self.rings_at = -math.inf
        self._bell: asyncio.Future[None] | None = None

    async def sleep_until(self, moment: float, now: float) -> None:
        """Sleep until `moment` (for ever if it is inf), or until `ring` is called."""
        loop = asyncio.get_running_loop()
        bell: asyncio.Future[None] = loop.create_future()
        timer = None
        if moment < math.inf:
            timer = loop.call_later(max(moment - now, TIMER_STEP_SECONDS), _ring, bell)
        self._bell, self.rings_at = bell, moment
        try:
            await bell
        finally:
            if timer is not None:
                timer.cancel()
            if self._bell is bell:  # another pump may sleep here by now
                self._bell, self.rings_at = None, -math.inf

    def ring(self) -> None:
        """Wake the sleeper, if there is one."""
        if self._bell is not None:
            _ring(self._bell)


def _ring(bell: asyncio.Future[None]) -> None:
    if not bell.done():
        bell.set_result(None)
