"""The limiters, each as its own documents say it is used, behind one coroutine: wait for a permit.

What is sent under a permit is not of interest here, so it is answered at once.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

Acquire = Callable[[], Awaitable[object]]


def local_pacer(rate: float) -> Acquire:
    """Return this package's own pacer."""
    from agcod_async.pacing.pacer import LocalPacer  # noqa: PLC0415  one limiter a process
    from agcod_async.pacing.port import Lane  # noqa: PLC0415

    pacer = LocalPacer(requests_per_second=rate)

    async def acquire() -> None:
        permit = await pacer.admit(Lane.BATCH, "CreateGiftCard", within_seconds=None)
        permit.sending()
        permit.answered(throttled=False)

    return acquire


def aiolimiter_bucket(rate: float) -> Acquire:
    """Return aiolimiter as its documents show it: so many in a second."""
    from aiolimiter import AsyncLimiter  # noqa: PLC0415

    return AsyncLimiter(rate, 1).acquire


def aiolimiter_single(rate: float) -> Acquire:
    """Return aiolimiter as it must be used where bursts are punished: one at a time."""
    from aiolimiter import AsyncLimiter  # noqa: PLC0415

    return AsyncLimiter(1, 1 / rate).acquire


def pyrate_limiter(rate: float) -> Acquire:
    """Return pyrate-limiter's bucket in memory."""
    from pyrate_limiter import Duration, Limiter, Rate  # noqa: PLC0415

    limiter = Limiter(Rate(round(rate), Duration.SECOND))
    return lambda: limiter.try_acquire_async("account")


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

    return acquire


def throttled_gcra(rate: float) -> Acquire:
    """Return throttled-py's GCRA without bursts."""
    from throttled.asyncio import MemoryStore, RateLimiterType, Throttled, per_sec  # noqa: PLC0415

    throttle = Throttled(
        key="account",
        using=RateLimiterType.GCRA.value,
        quota=per_sec(round(rate), burst=1),
        store=MemoryStore(),
        timeout=60,
    )

    async def acquire() -> None:
        while (await throttle.limit()).limited:
            await asyncio.sleep(0)

    return acquire


def asynciolimiter_limiter(rate: float) -> Acquire:
    """Return asynciolimiter's regular limiter."""
    from asynciolimiter import Limiter  # noqa: PLC0415

    return Limiter(rate).wait


LIMITERS: Mapping[str, Callable[[float], Acquire]] = {
    "LocalPacer": local_pacer,
    "aiolimiter (N, 1)": aiolimiter_bucket,
    "aiolimiter (1, 1/N)": aiolimiter_single,
    "pyrate-limiter": pyrate_limiter,
    "limits, moving window": limits_window,
    "throttled-py, GCRA": throttled_gcra,
    "asynciolimiter": asynciolimiter_limiter,
}
