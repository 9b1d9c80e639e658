"""Waits that end after the same time, all of them on one timer of the event loop.

A timer for each wait is dear: nearly all are cancelled, and the loop keeps its heap of them in
order by Python code. Waits of one length end in the order in which they began, so a queue does.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

WaitT = TypeVar("WaitT")


class Deadlines(Generic[WaitT]):
    """Calls `expire` with every wait that has not ended `seconds` after it began."""

    __slots__ = ("_due", "_expire", "_expired", "_loop", "_seconds", "_timer")

    def __init__(self, seconds: float, expire: Callable[[WaitT], object]) -> None:
        """Watch no wait yet."""
        self._seconds = seconds
        self._expire = expire
        # By the loop's clock, and in its order. The first of a plain dict is searched for.
        self._due: OrderedDict[WaitT, float] = OrderedDict()
        self._expired = set[WaitT]()  # and not ended since
        self._loop: asyncio.AbstractEventLoop | None = None  # the one whose timer is set
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, wait: WaitT) -> None:
        """Watch `wait` from now on."""
        loop = asyncio.get_running_loop()
        due_at = loop.time() + self._seconds
        if self._loop is not loop:
            self._due.clear()  # of a loop that is dead, if anything is left
            self._set_timer(loop, due_at)
        self._due[wait] = due_at

    def end(self, wait: WaitT) -> None:
        """Watch `wait` no more. The timer stays, for the next one."""
        if self._due.pop(wait, None) is None:
            self._expired.discard(wait)

    def has_expired(self, wait: WaitT) -> bool:
        """Whether `expire` was called with `wait`, which has begun and not ended."""
        return wait in self._expired

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to watch."""
        return not self._due and not self._expired

    def close(self) -> None:
        """Take the timer back."""
        if self._timer is not None:
            self._timer.cancel()
        self._loop = self._timer = None

    def _set_timer(self, loop: asyncio.AbstractEventLoop, rings_at: float) -> None:
        self._loop, self._timer = loop, loop.call_at(rings_at, self._ring, rings_at)

    def _ring(self, rings_at: float) -> None:
        """Expire what is due by now, and set the timer for what is due next."""
        loop = asyncio.get_running_loop()
        now = max(rings_at, loop.time())  # a loop may ring a little early
        while self._due:
            wait, due_at = next(iter(self._due.items()))
            if due_at > now:
                self._set_timer(loop, due_at)
                return
            del self._due[wait]
            self._expired.add(wait)
            self._expire(wait)
        self._loop = self._timer = None
