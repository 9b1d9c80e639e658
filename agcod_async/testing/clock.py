"""Virtual time for asyncio: waits take no time, and a run repeats itself exactly.

`run(main())` runs a coroutine on a loop whose clock jumps to the next timer whenever nothing is
ready. Everything that reads the loop's clock works as it is: asyncio, anyio, aiolimiter, and the
session with `virtual_clock()`. Real sockets and threads do not belong on this loop.
"""

import asyncio
import random
import selectors
from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Final, TypeVar

from agcod_async.clock import Clock

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

T = TypeVar("T")

WALL_AT_START: Final = 1_767_225_600.0
"""The wall clock when the loop's clock is 0: 2026-01-01 00:00:00 UTC."""

_TICK_SECONDS = 1e-7  # a clock that never moves would keep rounding remainders waiting for ever


class DeadlockError(RuntimeError):
    """Nothing is ready and no timer is set: the run would wait for ever."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop on virtual time."""

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__(_Jump(self))

    def time(self) -> float:
        """Return the virtual time, in seconds since the loop was made."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move the clock on."""
        self._now += max(seconds, 0.0) + _TICK_SECONDS


class _Jump(selectors.BaseSelector):
    """A selector that waits for nothing: it moves the clock instead."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self._real = selectors.DefaultSelector()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise DeadlockError("nothing is ready and no timer is set")
        self._loop.advance(timeout)
        return []

    def register(
        self, fileobj: "FileDescriptorLike", events: int, data: object = None
    ) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: "FileDescriptorLike") -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def get_map(self) -> "Mapping[FileDescriptorLike, selectors.SelectorKey]":
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()


def run(main: Coroutine[object, object, T]) -> T:
    """Run `main` to its end on a fresh virtual-time loop and return its result."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


def virtual_clock(seed: int = 0) -> Clock:
    """Return the clock of a virtual run: the loop's time, a wall that follows it, seeded chance."""
    return Clock(
        wall=lambda: WALL_AT_START + asyncio.get_running_loop().time(),
        chance=random.Random(seed).random,
    )
