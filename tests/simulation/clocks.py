"""How far the clock of a simulated machine is from Amazon's. The time of a world is Amazon's own.

What is promised ends at 240 s (docs/explanation/clock.md): beyond it nothing is sent that moves
value. A machine whose clock is further off is refused only once two replies have shown it, so what
it sends before may land later than it believes. That is out of the range here, and is not promised.
"""

from calendar import timegm
from dataclasses import dataclass
from functools import lru_cache
from time import gmtime, strftime

from agcod_async.testing.clock import WALL_AT_START

SKEW_MAX_SECONDS = 230.0
"""The 240 s of the promise, less what a Date leaves open: a second of its own, and its slack."""
DRIFT_MAX = 5e-4
"""What NTP slews a clock by, in seconds for each second."""
DATE_ERROR_SECONDS = 10.0
"""So far from Amazon's time a signature may be that follows Dates: each is good to about 3 s, and
what is known grows wider with a thousandth of the time since."""


@dataclass(frozen=True, slots=True)
class Skew:
    """How many seconds a machine's clock is ahead, at the beginning, and how it drifts."""

    seconds: float = 0.0
    drift: float = 0.0

    def ahead(self, now: float) -> float:
        """Return how far it is ahead at that time of the world; below 0: behind."""
        ahead = self.seconds + self.drift * now
        return max(-SKEW_MAX_SECONDS, min(SKEW_MAX_SECONDS, ahead))

    def wall(self, now: float) -> float:
        """Return what the machine takes for the time, in seconds since 1970."""
        return WALL_AT_START + now + self.ahead(now)


EXACT = Skew()
"""A clock that is right, and stays so."""


@lru_cache(maxsize=64)  # most of what leaves is signed in a second that something was before
def amz_date(second: int) -> str:
    """Return a time as a signature has it."""
    return strftime("%Y%m%dT%H%M%SZ", gmtime(second))


@lru_cache(maxsize=64)
def second_of(date: str) -> int:
    """Return the time that a signature names, in seconds since 1970."""
    parts = (int(date[at : at + size]) for at, size in _PLACES)
    return timegm((*parts, 0, 0, 0))


_PLACES = ((0, 4), (4, 2), (6, 2), (9, 2), (11, 2), (13, 2))
