"""The confirmed window: no sliding window at the server ever holds more than the cap.

The cap is a number of slots. A permit occupies one, and the slot is free again one window after
the latest moment at which the permit's request can have reached the server. Two requests in one
slot therefore arrive at least one window apart, whatever the network does to either, and as many
slots as the cap allows cannot bring more arrivals than the cap into one window.

Pure: time is an argument. docs/explanation/pacing.md has the proof and what it rests on.
"""

import math
from bisect import insort
from collections import deque

GUARD_SECONDS = 0.001
"""Added to each window: for the rounding of clocks, and for clocks that run differently fast."""

SAMPLES = 32
"""So many of the smallest round trips are looked at, and so many are needed.

With fewer the lower end can look well explored by luck, and then the floor claims too much.
"""

FLOOR_MEMORY_SECONDS = 300.0
"""A round trip is remembered for one to two times this long."""


class RoundTripFloor:
    """The time that every request surely spends on the way and at the server together.

    The smallest round trip seen is never below the true floor, so taking it as it is could claim
    too much. The distance from the first to the last of the smallest shows how thinly the lower end
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
    """The slots of one cap: `slots` requests in any `seconds`.

    Sends and replies are told in the order of time, so what is due first stands first in its
    queue: one queue for the sends, and one for the replies of each floor. The floor is looked up
    when a slot is wanted, not when the reply comes: a floor that has fallen since (the first round
    trips are long, because connections are opened) then holds back the slots that were answered
    under the higher one.
    """

    __slots__ = (
        "_arrival_bound_seconds",
        "_free",
        "_hold_seconds",
        "_replies",
        "_sends",
        "seconds",
    )

    def __init__(self, *, requests_per_second: float, arrival_bound_seconds: float) -> None:
        slots = max(1, math.floor(requests_per_second))
        self.seconds = slots / requests_per_second
        self._arrival_bound_seconds = arrival_bound_seconds
        self._hold_seconds = self.seconds + GUARD_SECONDS
        self._free = slots
        self._sends: _Queue = deque()
        self._replies: dict[RoundTripFloor | None, _Queue] = {}

    def free_at(self) -> float:
        """Return when the next slot is free: -inf if one is, inf if only `Lease` can tell."""
        return -math.inf if self._free else self._earliest()[0]

    def expected_free_at(self) -> float:
        """Return `free_at()`, but count on a reply at once where none has come yet."""
        if self._free:
            return -math.inf
        free_at, queue = self._earliest()
        is_unanswered = queue is self._sends and queue and queue[0].is_unanswered
        return free_at - self._arrival_bound_seconds if is_unanswered else free_at

    def take(self) -> "Lease":
        """Occupy a slot. To be called only when `free_at()` is not in the future."""
        if self._free:
            self._free -= 1
        else:
            _, queue = self._earliest()
            queue.popleft().has_slot = False
        return Lease(self)

    def hold(self, lease: "Lease") -> None:
        """Keep the slot until the request has surely arrived, and a window longer."""
        self._sends.append(lease)

    def confirm(self, lease: "Lease", floor: RoundTripFloor | None) -> None:
        """Free the slot sooner, because the request arrived at least the floor before its reply."""
        if lease.has_slot:
            replies = self._replies.get(floor)
            if replies is None:
                replies = self._replies[floor] = deque()
            replies.append(lease)

    def give_back(self) -> None:
        """Free a slot at once: nothing has arrived and nothing will."""
        self._free += 1

    def _earliest(self) -> "tuple[float, _Queue]":
        """Return when a held slot is free at the earliest (or inf), and the queue that says so."""
        queue = self._sends
        head = _head(queue)
        free_at = head.sent_at + self._arrival_bound_seconds if head else math.inf
        for floor, replies in self._replies.items():
            head = _head(replies)
            arrived_by = head.replied_at - (floor.seconds if floor else 0.0) if head else math.inf
            if arrived_by < free_at:
                free_at, queue = arrived_by, replies
        return free_at + self._hold_seconds, queue


class Lease:
    """One permit's hold on a slot. Until `sent` or `unused` is called the slot is blocked."""

    __slots__ = ("_window", "has_slot", "replied_at", "sent_at")

    def __init__(self, window: ConfirmedWindow) -> None:
        self._window = window
        self.has_slot = True
        self.sent_at = math.inf
        self.replied_at = math.inf

    @property
    def is_unanswered(self) -> bool:
        """Whether no reply has come yet."""
        return self.replied_at == math.inf

    def sent(self, now: float) -> None:
        """Say that the request leaves now."""
        self.sent_at = now
        self._window.hold(self)

    def answered(self, now: float, floor: RoundTripFloor | None) -> None:
        """Say that the reply to a sent request has come now, and which floor it is subject to."""
        if self.is_unanswered:
            self.replied_at = now
            self._window.confirm(self, floor)

    def unused(self) -> None:
        """Say that the request was not sent and will not be."""
        self._window.give_back()


_Queue = deque[Lease]


def _head(queue: _Queue) -> Lease | None:
    """Return the first lease that still has its slot."""
    while queue and not queue[0].has_slot:
        queue.popleft()
    return queue[0] if queue else None
