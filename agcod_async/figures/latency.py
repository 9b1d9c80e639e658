"""How long replies take, in buckets that grow by a ninth: the same few numbers for any run.

The first bucket ends at `FLOOR_SECONDS` and each further one at `2 ** (1 / 8)` times the end of the
one before, so a percentile is at most 9.1 % above the truth, from a millisecond to two minutes.
"""

import math
from dataclasses import dataclass, field
from typing import Final

from agcod_async.figures.checks import check_counts

FLOOR_SECONDS: Final = 0.001
BUCKETS_PER_DOUBLING: Final = 8
BUCKETS_MAX: Final = 17 * BUCKETS_PER_DOUBLING + 1
"""The last one ends at 131 seconds and takes whatever took longer."""


@dataclass(frozen=True, slots=True)
class Latency:
    """How many replies fell into each bucket; the buckets after the last are empty.

    Raises `ValueError` for a negative count or too many buckets.
    """

    counts: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        check_counts("counts", self.counts, how_many_max=BUCKETS_MAX)

    @property
    def replies(self) -> int:
        """How many replies were measured."""
        return sum(self.counts)

    def percentile_seconds(self, share: float) -> float | None:
        """Return a time in which this share of the replies came (0 to 1); None without any."""
        return percentile_seconds(self.counts, share)

    def plus(self, other: "Latency") -> "Latency":
        """Return the latency of both."""
        longer, shorter = sorted((self.counts, other.counts), key=len, reverse=True)
        padded = shorter + (0,) * (len(longer) - len(shorter))
        return Latency(tuple(a + b for a, b in zip(longer, padded, strict=True)))


@dataclass(slots=True)
class LatencyMeter:
    """Counts replies while a run goes on."""

    _counts: list[int] = field(default_factory=lambda: [0] * BUCKETS_MAX)

    def count(self, seconds: float) -> None:
        """Count one reply."""
        self._counts[_bucket(seconds)] += 1

    def percentile_seconds(self, share: float) -> float | None:
        """Return a time in which this share of the replies came (0 to 1); None without any."""
        return percentile_seconds(self._counts, share)

    def latency(self) -> Latency:
        """Return what has been counted."""
        used = max((number for number, count in enumerate(self._counts, 1) if count), default=0)
        return Latency(tuple(self._counts[:used]))


def bucket_end_seconds(number: int) -> float:
    """Return the longest time that bucket `number` (from 0) takes."""
    return float(FLOOR_SECONDS * 2.0 ** (number / BUCKETS_PER_DOUBLING))


def percentile_seconds(counts: tuple[int, ...] | list[int], share: float) -> float | None:
    """Return the end of the bucket in which this share (0 to 1) of the counts is reached."""
    wanted = max(1, math.ceil(share * sum(counts)))
    reached = 0
    for number, count in enumerate(counts):
        reached += count
        if reached >= wanted:
            return bucket_end_seconds(number)
    return None


def _bucket(seconds: float) -> int:
    if seconds <= FLOOR_SECONDS:
        return 0
    return min(
        math.ceil(math.log2(seconds / FLOOR_SECONDS) * BUCKETS_PER_DOUBLING), BUCKETS_MAX - 1
    )
