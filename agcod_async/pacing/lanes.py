"""Who gets the next permit: the better lane, the earlier waiter, and nobody is forgotten.

A queue is kept for each lane and each sub-limited operation, so that waiters whose operation is
at its own limit stand aside without being searched through. Everything here is O(1) in the number
of waiters: they come, go and are cancelled by the hundred thousand.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterator
from itertools import count
from typing import Final

from agcod_async.pacing.limits import Group
from agcod_async.pacing.port import Lane, Permit

LANES: Final = tuple(Lane)  # an Enum is slow to go through
_UP_TO: Final = {lane: LANES[: LANES.index(lane) + 1] for lane in LANES}

PASSED_OVER_MAX = 16
"""A lane that so many permits in a row have passed over gets the next one."""


class Waiter:
    """Somebody who waits for a permit."""

    __slots__ = ("future", "group", "lane", "number", "operation")

    def __init__(
        self, lane: Lane, operation: str, group: Group, future: asyncio.Future[Permit]
    ) -> None:
        self.lane = lane
        self.operation = operation
        self.group = group
        self.future = future
        self.number = -1


class Lanes:
    """Everybody who waits, by lane."""

    def __init__(self) -> None:
        self._queues: dict[Lane, dict[Group, OrderedDict[int, Waiter]]] = {
            lane: {} for lane in Lane
        }
        self._passed_over = dict.fromkeys(Lane, 0)
        self._numbers = count()

    def join(self, waiter: Waiter) -> None:
        """Put a waiter at the end of its queue."""
        waiter.number = next(self._numbers)
        queues = self._queues[waiter.lane]
        queues.setdefault(waiter.group, OrderedDict())[waiter.number] = waiter

    def leave(self, waiter: Waiter) -> None:
        """Take a waiter out, if it is still there."""
        queues = self._queues[waiter.lane]
        queue = queues.get(waiter.group)
        if queue is not None:
            queue.pop(waiter.number, None)
            if not queue:
                del queues[waiter.group]

    def take(self, is_ready: Callable[[Group], bool]) -> Waiter | None:
        """Take out the best waiter of the groups that are ready, or None.

        Waiters that have been cancelled are dropped on the way.
        """
        heads = {lane: head for lane in LANES if (head := self._head(lane, is_ready)) is not None}
        if not heads:
            return None
        # The longest passed over goes first once it is due; `max` prefers the better lane.
        overdue = [lane for lane in heads if self._passed_over[lane] >= PASSED_OVER_MAX]
        chosen = max(overdue, key=self._passed_over.__getitem__) if overdue else min(heads)
        for lane in LANES:
            is_passed_over = lane in heads and lane is not chosen
            self._passed_over[lane] = self._passed_over[lane] + 1 if is_passed_over else 0
        self.leave(heads[chosen])
        return heads[chosen]

    def groups(self) -> set[Group]:
        """Return the groups that anybody waits in."""
        return {group for queues in self._queues.values() for group in queues}

    def ahead(self, lane: Lane, group: Group) -> int:
        """Count the waiters of this group in this and the better lanes."""
        return sum(len(self._queues[better].get(group, ())) for better in _UP_TO[lane])

    def counts(self) -> dict[Lane, int]:
        """Count the waiters of each lane."""
        return {lane: sum(map(len, queues.values())) for lane, queues in self._queues.items()}

    def drain(self) -> Iterator[Waiter]:
        """Take everybody out, best lane first."""
        while (waiter := self.take(lambda _group: True)) is not None:
            yield waiter

    def __bool__(self) -> bool:
        """Return whether anybody waits."""
        return any(self._queues.values())

    def _head(self, lane: Lane, is_ready: Callable[[Group], bool]) -> Waiter | None:
        heads = [
            head
            for group in tuple(self._queues[lane])
            if is_ready(group) and (head := self._first(lane, group)) is not None
        ]
        return min(heads, key=lambda waiter: waiter.number, default=None)

    def _first(self, lane: Lane, group: Group) -> Waiter | None:
        queue = self._queues[lane][group]
        while queue:
            waiter = next(iter(queue.values()))
            if not waiter.future.done():
                return waiter
            self.leave(waiter)
        return None
