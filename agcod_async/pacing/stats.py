"""How the pacer is doing, for a progress display."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from agcod_async.pacing.port import Lane


@dataclass(frozen=True, slots=True, kw_only=True)
class PacerStats:
    """The pacer at one moment.

    `requests_per_second` is the cap. `achieved_per_second` is what was sent over the last window,
    a second as a rule. `closed_for_seconds` is how long nothing may leave after a throttle.
    """

    requests_per_second: float
    permits_given: int
    waiting: Mapping[Lane, int]
    throttles_seen: int
    closed_for_seconds: float
    achieved_per_second: float


class RateMeter:
    """Counts sends: all of this period, and of the last one as much as is still in sight."""

    __slots__ = ("_before", "_now", "_period", "_seconds")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._period = -math.inf
        self._now = 0
        self._before = 0

    def count(self, now: float) -> None:
        """Count one send."""
        self._turn(now)
        self._now += 1

    def per_second(self, now: float) -> float:
        """Return the rate over the last period, up to now."""
        self._turn(now)
        in_sight = 1.0 - (now / self._seconds - self._period)
        return (self._before * in_sight + self._now) / self._seconds

    def _turn(self, now: float) -> None:
        period = math.floor(now / self._seconds)
        if period != self._period:
            self._before = self._now if period == self._period + 1 else 0
            self._now = 0
            self._period = period
