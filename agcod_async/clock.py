"""The one place where time and chance enter the package."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


@dataclass(frozen=True, slots=True)
class Clock:
    """Where the session reads time and chance from. Tests put virtual ones in.

    `monotonic` measures waits and deadlines, in seconds; it is the event loop's own clock. `wall`
    is the time that Amazon and other processes see, in seconds since 1970. `chance` draws a
    number of at least 0 and below 1.
    """

    monotonic: Callable[[], float] = _loop_time
    wall: Callable[[], float] = time.time
    chance: Callable[[], float] = random.random
