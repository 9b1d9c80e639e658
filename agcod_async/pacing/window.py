"""The confirmed window: no sliding window at the server ever holds more than the cap.

The cap is a number of slots. A permit occupies one, and the slot is free again one window after
the latest moment at which the permit's request can have reached the server. Two requests in one
slot therefore arrive at least one window apart, whatever the network does to either, and as many
slots as the cap allows cannot bring more arrivals than the cap into one window.

Pure: time is an argument. docs/explanation/pacing.md has the proof and what it rests on.
"""

import math
from bisect import insort
from heapq import heappop, heappush
from itertools import count

GUARD_SECONDS = 0.001
"""Added to each window: for the rounding of clocks, and for clocks that run differently fast."""

SAMPLES = 8
"""So many of the smallest round trips are looked at, and so many are needed."""

FLOOR_MEMORY_SECONDS = 300.0
"""A round trip is remembered for one to two times this long."""


class RoundTripFloor:
    """The time that every request surely spends on the way and at the server together.

    The smallest round trip seen is never below the true floor, so taking it as it is could claim
    too much. The distance from the smallest to the eighth smallest shows how thinly the lower end
    is sampled, and is taken off: with few or scattered round trips the floor is 0, which is always
    safe, and it comes closer to the truth the more round trips gather there.
    """

    __slots__ = ("_earlier", "_recent", "_turned_at", "seconds")

    def __init__(self) -> None:
        self.seconds = 0.0
        self._recent: list[float] = []
        self._earlier: list[float] = []
        self._turned_at = -math.inf

    def observe(self, round_trip_seconds: float, now: float) -> None:
        """Take one round trip in; afterwards the floor is not above it."""
        if now - self._turned_at >= FLOOR_MEMORY_SECONDS:
            # What is forgotten is a floor that was once lower: it is safe, but it costs rate.
            self._earlier, self._recent, self._turned_at = self._recent, [], now
        if len(self._recent) == SAMPLES and round_trip_seconds >= self._recent[-1]:
            return
        insort(self._recent, round_trip_seconds)
        del self._recent[SAMPLES:]
        smallest = sorted(self._recent + self._earlier)[:SAMPLES]
        scatter = smallest[-1] - smallest[0]
        is_known = len(smallest) == SAMPLES
        self.seconds = max(0.0, smallest[0] - scatter) if is_known else 0.0


class ConfirmedWindow:
    """The slots of one cap: `slots` requests in any `seconds`."""

    __slots__ = ("_arrival_bound_seconds", "_due", "_free", "_hold_seconds", "_order", "seconds")

    def __init__(self, *, requests_per_second: float, arrival_bound_seconds: float) -> None:
        slots = max(1, math.floor(requests_per_second))
        self.seconds = slots / requests_per_second
        self._arrival_bound_seconds = arrival_bound_seconds
        self._hold_seconds = self.seconds + GUARD_SECONDS
        self._free = slots
        self._due: list[tuple[float, int, Lease]] = []
        self._order = count()

    def free_at(self) -> float:
        """Return when the next slot is free: -inf if one is, inf if only `Lease` can tell."""
        if self._free:
            return -math.inf
        while self._due and self._due[0][0] != self._due[0][2].due_at:
            heappop(self._due)
        return self._due[0][0] if self._due else math.inf

    def expected_free_at(self) -> float:
        """Return `free_at()`, but count on a reply at once where none has come yet."""
        free_at = self.free_at()
        if math.isfinite(free_at) and self._due[0][2].is_unanswered:
            return free_at - self._arrival_bound_seconds
        return free_at

    def take(self) -> "Lease":
        """Occupy a slot. To be called only when `free_at()` is not in the future."""
        if self._free:
            self._free -= 1
        else:
            _, _, before = heappop(self._due)
            before.due_at = math.nan  # whatever is still heard of that request: the slot is gone
        return Lease(self)

    def hold(self, lease: "Lease", sent_at: float) -> None:
        """Keep the slot until the request has surely arrived, and a window longer."""
        lease.is_unanswered = True
        self._set_due(lease, sent_at + self._arrival_bound_seconds + self._hold_seconds)

    def confirm(self, lease: "Lease", arrived_by: float) -> None:
        """Free the slot sooner, because the request is known to have arrived by then."""
        lease.is_unanswered = False
        due_at = arrived_by + self._hold_seconds
        if due_at < lease.due_at:  # false also for a lease whose slot has been taken (nan)
            self._set_due(lease, due_at)

    def give_back(self) -> None:
        """Free a slot at once: nothing has arrived and nothing will."""
        self._free += 1

    def _set_due(self, lease: "Lease", due_at: float) -> None:
        lease.due_at = due_at  # an older entry of the lease no longer matches and is dropped
        heappush(self._due, (due_at, next(self._order), lease))


class Lease:
    """One permit's hold on a slot. Until `sent` or `unused` is called the slot is blocked."""

    __slots__ = ("_window", "due_at", "is_unanswered")

    def __init__(self, window: ConfirmedWindow) -> None:
        self._window = window
        self.due_at = math.inf
        self.is_unanswered = False

    def sent(self, now: float) -> None:
        """Say that the request leaves now."""
        self._window.hold(self, now)

    def arrived_by(self, moment: float) -> None:
        """Say that a sent request cannot have reached the server later than `moment`."""
        self._window.confirm(self, moment)

    def unused(self) -> None:
        """Say that the request was not sent and will not be."""
        self._window.give_back()
