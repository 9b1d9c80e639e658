"""The requests sent over time, in so many intervals however long a run takes.

When the intervals run out, each two neighbours become one, of twice the length.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from agcod_async.clock import Clock
from agcod_async.events import AttemptEnded, Event
from agcod_async.figures.checks import (
    COUNT_MAX,
    SECONDS_MAX,
    check_counts,
    check_measure,
    check_time,
)

INTERVALS_MAX: Final = 240
FIRST_INTERVAL_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The requests of one run, by the interval in which they left.

    `started_at` is in UTC, `seconds` how long the run took, `requests_per_second` the cap. Raises
    `ValueError` for what cannot be.
    """

    started_at: datetime
    seconds: float
    requests_per_second: float
    interval_seconds: float
    requests: tuple[int, ...]

    def __post_init__(self) -> None:
        check_time("started_at", self.started_at)
        check_measure("seconds", self.seconds, above=-1, at_most=SECONDS_MAX)
        check_measure("interval_seconds", self.interval_seconds, above=0, at_most=SECONDS_MAX)
        check_measure("requests_per_second", self.requests_per_second, above=0, at_most=COUNT_MAX)
        check_counts("requests", self.requests, how_many_max=INTERVALS_MAX)

    @property
    def rates(self) -> tuple[float, ...]:
        """Requests a second, interval by interval; the last one may be shorter than the others."""
        last = len(self.requests) - 1
        rest = min(self.interval_seconds, self.seconds - last * self.interval_seconds)
        # The first instant of an interval is no measure of a rate.
        length = self.interval_seconds if rest < self.interval_seconds / 2 else rest
        return tuple(
            count / (length if number == last else self.interval_seconds)
            for number, count in enumerate(self.requests)
        )


class PaceMeter:
    """Counts requests while a run goes on. Give `observe` to the session as an observer."""

    def __init__(self, requests_per_second: float, clock: Clock) -> None:
        """Begin now. `requests_per_second` is the cap."""
        self._cap = requests_per_second
        self._clock = clock
        self._started_at = datetime.fromtimestamp(clock.wall(), UTC)
        self._from = clock.monotonic()
        self._interval_seconds = FIRST_INTERVAL_SECONDS
        self._requests: list[int] = []

    def observe(self, event: Event) -> None:
        """Count an attempt at the time at which it left."""
        if isinstance(event, AttemptEnded):
            self._count(self._clock.monotonic() - event.attempt.seconds - self._from)

    def pace(self) -> Pace:
        """Return what has been counted, up to now."""
        return Pace(
            started_at=self._started_at,
            seconds=self._clock.monotonic() - self._from,
            requests_per_second=self._cap,
            interval_seconds=self._interval_seconds,
            requests=tuple(self._requests),
        )

    def _count(self, after_seconds: float) -> None:
        while (number := int(max(0.0, after_seconds) / self._interval_seconds)) >= INTERVALS_MAX:
            self._halve()
        if number >= len(self._requests):
            self._requests.extend([0] * (number + 1 - len(self._requests)))
        self._requests[number] += 1

    def _halve(self) -> None:
        pairs = range(0, len(self._requests), 2)
        self._requests = [sum(self._requests[first : first + 2]) for first in pairs]
        self._interval_seconds *= 2
