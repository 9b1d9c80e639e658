"""Where a server's clock stands, as far as its replies tell. Pure: time is an argument.

Rules of this file:

1. Measured is an interval, never a point: between sending and hearing, the server's clock showed
   the second that its Date names. The true value is inside whatever the latency was, and however
   unevenly it was spread over the way there and the way back.
2. Measured against our monotonic clock. The wall clock is what is suspected; it has no say.
3. One Date alone changes nothing. Two in a row that agree are believed, and every further Date that
   agrees narrows them; two in a row that agree with each other replace what was believed before.
   (A refused signature is a second witness, see `Belief.confirmed`.)
4. Clocks drift and are set: what is believed grows wider with time, and is forgotten in the end.
"""

from dataclasses import dataclass
from typing import Final, Self

DATE_RESOLUTION_SECONDS: Final = 1.0
"""A Date header names the second that has begun (RFC 9110, section 5.6.7)."""

DATE_SLACK_SECONDS: Final = 1.0
"""What a Date may be off beside that: some servers write it anew only once a second, and those
behind one name do not agree to the millisecond."""

DRIFT: Final = 0.001
"""Seconds by which two clocks may drift apart in one second: twice what NTP slews."""

BELIEVED_SECONDS: Final = 600.0
"""What no Date has agreed with for so long is forgotten."""


@dataclass(frozen=True, slots=True)
class Offset:
    """The server's time less our monotonic one: between `low` and `high`, as seen at `seen_at`."""

    low: float
    high: float
    seen_at: float

    @classmethod
    def of_exchange(cls, date: float, *, sent_at: float, heard_at: float) -> Self:
        """Return what a Date proves that was written between `sent_at` and `heard_at`."""
        slack = DATE_SLACK_SECONDS + (heard_at - sent_at) * DRIFT
        return cls(
            low=date - slack - heard_at,
            high=date + DATE_RESOLUTION_SECONDS + slack - sent_at,
            seen_at=heard_at,
        )

    @property
    def middle(self) -> float:
        """The likeliest value: the Date against the midpoint of the exchange."""
        return (self.low + self.high) / 2

    def at(self, now: float) -> "Offset | None":
        """Return what is left of it at a later time, if anything."""
        if now <= self.seen_at:
            return self
        age = now - self.seen_at
        if age > BELIEVED_SECONDS:
            return None
        return Offset(self.low - age * DRIFT, self.high + age * DRIFT, self.seen_at)

    def narrowed(self, newer: "Offset") -> "Offset | None":
        """Return what a newer one leaves of this one: None if they contradict each other."""
        known = self.at(newer.seen_at)
        if known is None or known.low > newer.high or newer.low > known.high:
            return None
        return Offset(max(known.low, newer.low), min(known.high, newer.high), newer.seen_at)

    def distance(self, value: float) -> float:
        """Return how far outside of the interval `value` lies; 0 inside."""
        return max(0.0, self.low - value, value - self.high)


@dataclass(frozen=True, slots=True)
class Belief:
    """What is believed of the server's clock, and the last Date if it was not of that opinion."""

    believed: Offset | None = None
    rumour: Offset | None = None

    def heard(self, offset: Offset) -> "Belief":
        """Return what is believed after one more Date."""
        for known in (self.believed, self.rumour):
            both = None if known is None else known.narrowed(offset)
            if both is not None:
                return Belief(both)
        return Belief(self.believed, offset)

    def confirmed(self) -> "Belief":
        """Return what is believed once there is a second witness for the last Date."""
        return self if self.rumour is None else Belief(self.rumour)


NOTHING_HEARD: Final = Belief()
"""What is believed before the first reply."""
