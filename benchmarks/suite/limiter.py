"""One limiter in a process of its own, under 64 workers or under a crowd that waits.

    python -m benchmarks.suite.limiter pace NAME RATE SECONDS JITTER_SECONDS
    python -m benchmarks.suite.limiter crowd NAME RATE WAITERS

With jitter every request spends a random time on its way to a server that counts strictly: what
would be more than the cap in any sliding second is throttled there.
"""

import asyncio
import json
import math
import random
import sys
import time
from collections import deque
from collections.abc import Sequence

from benchmarks.suite.limiters import LIMITERS
from benchmarks.suite.machine import pin_client

WORKERS = 64
SETTLING_SECONDS = 1.0
"""The first second is left out of the used share: there a bucket that is full lends some."""

CROWD_SECONDS_MAX = 30.0


def busiest_second(moments: Sequence[float]) -> int:
    """Return the most that lie in any half-open second. `moments` are sorted."""
    most = first = 0
    for last, moment in enumerate(moments):
        while moment - moments[first] >= 1.0:
            first += 1
        most = max(most, last - first + 1)
    return most


def used_share(moments: Sequence[float], rate: float, seconds: float) -> float:
    """Return the share of the cap that was used once the first second was over.

    It is taken over a whole number of caps, from a permit to the one that comes so many later: who
    counts what lies in an interval counts one burst too many for a limiter that works in bursts.
    """
    settled = [moment for moment in moments if moment >= moments[0] + SETTLING_SECONDS]
    cap = round(rate)
    caps = (len(settled) - 1) // cap
    if caps < 1:
        return len(settled) / (rate * seconds)
    return caps * cap / (settled[caps * cap] - settled[0]) / rate


class StrictServer:
    """A server that lets no sliding second hold more than the cap. What it refuses is free."""

    def __init__(self, rate: float) -> None:
        self._accepted: deque[float] = deque(maxlen=round(rate))
        self.throttled = 0

    def throttles(self, now: float) -> bool:
        """Take a request in."""
        accepted = self._accepted
        if len(accepted) == accepted.maxlen and now - accepted[0] < 1.0:
            self.throttled += 1
            return True
        accepted.append(now)
        return False


async def pace(name: str, rate: float, seconds: float, jitter: float) -> dict[str, float]:
    """Let 64 workers take permits, one after the other, for so long."""
    acquire, chance, server = LIMITERS[name](rate), random.Random(1), StrictServer(rate)
    moments: list[float] = []
    cpu = time.process_time()
    ends_at = time.monotonic() + SETTLING_SECONDS + seconds

    async def worker() -> None:
        while True:
            answered = await acquire()
            moments.append(time.monotonic())
            if jitter:
                await asyncio.sleep(chance.uniform(0.0, jitter))
                answered(server.throttles(time.monotonic()))
            else:
                answered(False)

    workers = [asyncio.create_task(worker()) for _ in range(WORKERS)]
    await asyncio.sleep(ends_at - time.monotonic())
    for one in workers:
        one.cancel()
    await asyncio.gather(*workers, return_exceptions=True)
    cpu = time.process_time() - cpu
    return {
        "share": used_share(moments, rate, seconds),
        "busiest": busiest_second(moments) / rate,
        "throttled": server.throttled / len(moments),
        "cpu_share": cpu / (seconds + SETTLING_SECONDS),
    }


async def crowd(name: str, rate: float, waiters: int) -> dict[str, float]:
    """Let so many tasks wait for one permit each, and beside them as many for nothing."""
    bare = time.process_time()
    futures = [asyncio.get_running_loop().create_future() for _ in range(waiters)]

    async def nothing(future: asyncio.Future[None]) -> None:
        await future

    tasks = [asyncio.create_task(nothing(future)) for future in futures]
    await asyncio.sleep(0)
    for future in futures:
        future.set_result(None)
    await asyncio.gather(*tasks)
    bare = time.process_time() - bare

    acquire = LIMITERS[name](rate)
    served = 0

    async def one() -> None:
        nonlocal served
        answered = await acquire()
        answered(False)
        served += 1

    cpu, wall = time.process_time(), time.monotonic()
    waiting = [asyncio.create_task(one()) for _ in range(waiters)]
    _, late = await asyncio.wait(waiting, timeout=CROWD_SECONDS_MAX)
    for task in late:
        task.cancel()
    cpu, wall = time.process_time() - cpu, time.monotonic() - wall
    return {
        "served": served,
        "seconds": wall,
        "micros": cpu / served * 1e6 if served else math.inf,
        "bare_micros": bare / waiters * 1e6,
    }


def main() -> None:
    kind, name, *figures = sys.argv[1:]
    if kind == "pace":
        run = pace(name, *map(float, figures))
    else:
        pin_client()
        run = crowd(name, float(figures[0]), int(figures[1]))
    print(json.dumps(asyncio.run(run)), flush=True)


if __name__ == "__main__":
    main()
