"""The limiters, each as its own documents say it is used, behind one coroutine: wait for a permit.

A permit is something that is told, once the reply is there, whether it was a throttle. Most
limiters do not want to know.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Answered = Callable[[bool], None]
Acquire = Callable[[], Awaitable[Answered]]


def _not_interested(was_throttled: bool) -> None:  # noqa: FBT001  the form of `Answered`
    """Do nothing with the answer."""


def local_pacer(rate: float) -> Acquire:
    """Return this package's own pacer."""
    from agcod_async.pacing.pacer import LocalPacer  # noqa: PLC0415  one limiter a process
    from agcod_async.pacing.port import Lane  # noqa: PLC0415

    pacer = LocalPacer(requests_per_second=rate)

    async def acquire() -> Answered:
        permit = await pacer.admit(Lane.BATCH, "CreateGiftCard", within_seconds=None)
        permit.sending()
        return lambda was_throttled: permit.answered(throttled=was_throttled)

    return acquire


def aiolimiter_bucket(rate: float) -> Acquire:
    """Return aiolimiter as its documents show it: so many in a second."""
    from aiolimiter import AsyncLimiter  # noqa: PLC0415

    return _deaf(AsyncLimiter(rate, 1).acquire)


def aiolimiter_single(rate: float) -> Acquire:
    """Return aiolimiter as it must be used where bursts are punished: one at a time."""
    from aiolimiter import AsyncLimiter  # noqa: PLC0415

    return _deaf(AsyncLimiter(1, 1 / rate).acquire)


def pyrate_limiter(rate: float) -> Acquire:
    """Return pyrate-limiter's bucket in memory."""
    from pyrate_limiter import Duration, Limiter, Rate  # noqa: PLC0415

    limiter = Limiter(Rate(round(rate), Duration.SECOND))
    return _deaf(lambda: limiter.try_acquire_async("account"))


def limits_window(rate: float) -> Acquire:
    """Return limits' moving window. It does not wait by itself, so its user does."""
    from limits import RateLimitItemPerSecond  # noqa: PLC0415
    from limits.aio.storage import MemoryStorage  # noqa: PLC0415
    from limits.aio.strategies import MovingWindowRateLimiter  # noqa: PLC0415

    limiter = MovingWindowRateLimiter(MemoryStorage())
    item = RateLimitItemPerSecond(round(rate))

    async def acquire() -> None:
        while not await limiter.hit(item, "account"):
            stats = await limiter.get_window_stats(item, "account")
            await asyncio.sleep(max(stats.reset_time - time.time(), 0.001))

    return _deaf(acquire)


def throttled_bucket(rate: float) -> Acquire:
    """Return throttled-py with its defaults, which are a token bucket and a burst of one second."""
    from throttled.asyncio import per_sec  # noqa: PLC0415

    return _throttled("token_bucket", per_sec(round(rate)))


def throttled_gcra(rate: float) -> Acquire:
    """Return throttled-py's GCRA, without bursts."""
    from throttled.asyncio import per_sec  # noqa: PLC0415

    return _throttled("gcra", per_sec(round(rate), burst=1))


def _throttled(algorithm: str, quota: Any) -> Acquire:  # noqa: ANN401  a class of throttled-py
    from throttled.asyncio import MemoryStore, Throttled  # noqa: PLC0415

    # With a timeout it waits by itself; a caller that it sends away all the same asks again.
    throttle = Throttled(key="N", using=algorithm, quota=quota, store=MemoryStore(), timeout=60)

    async def acquire() -> None:
        result = await throttle.limit()
        while result.limited:
            result = await throttle.limit()

    return _deaf(acquire)


def asynciolimiter_limiter(rate: float) -> Acquire:
    """Return asynciolimiter's regular limiter."""
    from asynciolimiter import Limiter  # noqa: PLC0415

    return _deaf(Limiter(rate).wait)


def _deaf(wait: Callable[[], Awaitable[object]]) -> Acquire:
    async def acquire() -> Answered:
        await wait()
        return _not_interested

    return acquire


LIMITERS: Mapping[str, Callable[[float], Acquire]] = {
    "LocalPacer": local_pacer,
    "aiolimiter (N, 1)": aiolimiter_bucket,
    "aiolimiter (1, 1/N)": aiolimiter_single,
    "pyrate-limiter": pyrate_limiter,
    "limits, moving window": limits_window,
    "throttled-py, token bucket": throttled_bucket,
    "throttled-py, GCRA": throttled_gcra,
    "asynciolimiter": asynciolimiter_limiter,
}
