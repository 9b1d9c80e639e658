"""The spacing of one process: it keeps the traffic smooth; the confirmed window keeps the promise.

The only file that knows aiolimiter. A limiter with a bucket of one would lose a fifth of the cap
at 1,000/s, because a timer that is late can then never be made up for; so the bucket holds what
belongs into a few timer steps.
"""

import asyncio
import math

from aiolimiter import AsyncLimiter

BUCKET_SECONDS = 0.02
"""So much of the rate may leave at once, but at least one request."""

HEADROOM = 1.02
"""The spacing runs this much faster than the rate, so that what a late timer or a slow reply has
cost can be made up for; the confirmed window keeps the rate itself."""


class Spacing:
    """Turns at an even pace, for one user at a time."""

    def __init__(self, requests_per_second: float) -> None:
        bucket = max(1, math.ceil(requests_per_second * BUCKET_SECONDS))
        self._refill_seconds = bucket / (requests_per_second * HEADROOM)
        self._limiter = AsyncLimiter(bucket, self._refill_seconds)
        self._in_hand_since = -math.inf

    @property
    def has_plenty(self) -> bool:
        """Whether whoever takes a turn now does not wait, and leaves one for the next."""
        return self._limiter.has_capacity(2)

    async def turn(self) -> None:
        """Wait for a turn and keep it in hand until it is used.

        A turn that nobody could use is still there for the next one, so nothing is wasted. Once it
        is so old that the limiter's bucket is full again it is forgotten: it would come on top.
        """
        loop = asyncio.get_running_loop()
        if loop.time() - self._in_hand_since >= self._refill_seconds:
            await self._limiter.acquire()
            self._in_hand_since = loop.time()

    def use(self) -> None:
        """Use up the turn in hand."""
        self._in_hand_since = -math.inf

    def take_back(self, used_at: float) -> None:
        """Have a turn in hand again, because what was let through then has not been sent."""
        self._in_hand_since = max(self._in_hand_since, used_at)
