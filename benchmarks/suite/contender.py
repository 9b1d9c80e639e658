"""One contender in a process of its own: it issues so many cards, 64 at a time, when it is told to.

    python -m benchmarks.suite.contender NAME[@uvloop] URL [PATH …]

Reads {"count": …} and writes {"cpu": …, "wall": …, "count": …}, in seconds, until its input ends.
A PATH is put in front of where packages are looked for. Where the URL is https, the environment's
SSL_CERT_FILE names whom to trust. Before each turn the contender issues a few
cards that do not count, so that its connections stand and its caches are warm; then garbage is
collected, and the collector stays on, as it is for a user.
"""

import asyncio
import gc
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path
from typing import Protocol

import certifi

from benchmarks.suite.machine import pin_client

CONCURRENCY = 64
WARM_UP = 2 * CONCURRENCY


class Contender(Protocol):
    """Something that can issue cards."""

    async def open(self) -> None:
        """Make everything that is made once."""

    async def issue(self, number: int) -> None:
        """Issue one card, and raise unless it was issued."""

    async def close(self) -> None:
        """End what was opened."""


async def spread(work: Callable[[int], Awaitable[None]], numbers: range) -> None:
    """Do `work` for all numbers, 64 at a time, from one iterator."""
    ahead = iter(numbers)

    async def worker() -> None:
        for number in ahead:
            await work(number)

    await asyncio.gather(*(worker() for _ in range(CONCURRENCY)))


async def turn(contender: Contender, first: int, cards: int) -> dict[str, float]:
    """Issue so many cards and return what it took."""
    await spread(contender.issue, range(first, first + WARM_UP))
    first += WARM_UP
    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    await spread(contender.issue, range(first, first + cards))
    return {
        "cpu": time.process_time() - cpu,
        "wall": time.perf_counter() - wall,
        "count": cards,
    }


async def serve(contender: Contender) -> None:
    """Take turns until there is nobody to ask for another one."""
    await contender.open()
    try:
        package = sys.modules.get("agcod_async")
        print(json.dumps({"package": package and package.__file__}), flush=True)
        used = count(step=1_000_000)
        # Reading blocks the loop: between its turns a contender shall do nothing.
        while line := sys.stdin.readline():
            print(
                json.dumps(await turn(contender, next(used), json.loads(line)["count"])), flush=True
            )
    finally:
        await contender.close()


def made(name: str, url: str) -> Contender:
    """Make a contender by its name. What it needs is imported here, so others do not pay for it."""
    family, _, kind = name.partition(":")
    match family:
        case "sdk":
            from benchmarks.suite.sdk import Sdk  # noqa: PLC0415

            return Sdk(kind, url)
        case "exchange":
            from benchmarks.suite.exchange import Exchange  # noqa: PLC0415

            return Exchange(kind, url)
        case "by-hand":
            from benchmarks.suite.by_hand import KINDS  # noqa: PLC0415

            return KINDS[kind](url)
        case "bare":
            from benchmarks.suite.bare import BareAiohttp  # noqa: PLC0415

            return BareAiohttp(url)
        case "floor":
            from benchmarks.suite.floor import Floor  # noqa: PLC0415

            return Floor(url)
        case _:
            raise SystemExit(f"no contender is called {name}")


def main() -> None:
    name, url, *paths = sys.argv[1:]
    if missing := [path for path in paths if not Path(path).is_dir()]:
        raise SystemExit(f"{missing[0]} is not there: `make bench` makes it")
    sys.path[:0] = paths
    pin_client()
    if authority := os.environ.get("SSL_CERT_FILE"):
        certifi.where = lambda: authority  # the rest of the world's trust in it is not measured
    name, _, loop = name.partition("@")
    serving = serve(made(name, url))
    if loop == "uvloop":
        import uvloop  # noqa: PLC0415

        uvloop.run(serving)
    else:
        asyncio.run(serving)


if __name__ == "__main__":
    main()
