"""The loop of a simulated process: virtual time, counted turns, and an end at any instruction.

One loop serves a whole run, and run after run: making one takes longer than an order does. Each
process begins at time 0, as `reset` leaves it.
"""

import asyncio
import heapq
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import TypeVar

from agcod_async.testing.clock import DeadlockError, VirtualLoop

T = TypeVar("T")
FINISH_SECONDS = 60.0
ROUNDING_SECONDS = 1e-9
"""A timer that is due so soon is due now, as asyncio has it."""
TIMERS_MAX = 100
"""From so many on those that are cancelled are thrown out once they are half of all."""


class SimLoop(VirtualLoop):
    """A virtual-time loop that can be frozen, killed, and begun anew."""

    def __init__(self) -> None:
        super().__init__()
        self.turns = 0
        self.at_turn = -1
        self.then: Callable[[], object] = lambda: None
        self.faults: list[str] = []
        self.was_killed = False
        self.set_exception_handler(lambda _, fault: self.faults.append(str(fault["message"])))

    def do(self, at_turn: int, then: Callable[[], object]) -> None:
        """Call `then` so many turns from now."""
        self.at_turn, self.then = self.turns + at_turn, then

    def _run_once(self) -> None:
        """Make one turn, as asyncio's own loop does: there is no socket here to be asked first.

        A turn is made ten times for every request, so what a loop with sockets and threads needs
        besides would cost more than the package's own steps.
        """
        if self.turns == self.at_turn:
            self.then()
        self.turns += 1
        ready, timers = self._ready, self._without_cancelled()
        if ready or self._stopping:
            self.advance(0.0)
        elif timers:
            self.advance(timers[0]._when - self._now)
        else:
            raise DeadlockError("nothing is ready and no timer is set")
        due_before = self._now + ROUNDING_SECONDS
        while timers and timers[0]._when < due_before:
            timer = heapq.heappop(timers)
            timer._scheduled = False
            ready.append(timer)
        for _ in range(len(ready)):  # what they add has its turn in the next one
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()

    def _without_cancelled(self) -> list[asyncio.TimerHandle]:
        """Return the heap of timers, with a live one at its top; most of them are cancelled."""
        timers: list[asyncio.TimerHandle] = self._scheduled
        if len(timers) > TIMERS_MAX and 2 * self._timer_cancelled_count > len(timers):
            for timer in timers:
                timer._scheduled = not timer._cancelled
            timers[:] = [timer for timer in timers if not timer._cancelled]
            heapq.heapify(timers)
            self._timer_cancelled_count = 0
        while timers and timers[0]._cancelled:
            heapq.heappop(timers)._scheduled = False
            self._timer_cancelled_count -= 1
        return timers

    def freeze(self, seconds: float) -> None:
        """Let the whole process stand still: all its timers come late, and at once."""
        self._now += seconds

    def kill(self) -> None:
        """End the process where it stands."""
        self.was_killed = True
        self.stop()

    def end(self) -> None:
        """Cancel everything, as `asyncio.run()` does when it is told to end."""
        self.was_killed = True
        for task in self._in_order():
            task.cancel()

    def live(self, main: Coroutine[object, object, T]) -> T | None:
        """Run `main` as a process of its own; None if it was killed."""
        self.was_killed, self.turns, self._now = False, 0, 0.0
        self.faults.clear()
        try:
            return self.run_until_complete(main)
        except (RuntimeError, asyncio.CancelledError):
            if not self.was_killed:
                raise
            self._let_the_cancelled_finish()
            return None
        finally:
            self._discard()

    def _asyncgen_finalizer_hook(self, agen: AsyncGenerator[object, object]) -> None:
        if agen in self._asyncgens:  # else it was of a process that is dead, and ends as that did
            super()._asyncgen_finalizer_hook(agen)  # type: ignore[misc]  # asyncio's own

    def _let_the_cancelled_finish(self) -> None:
        cancelled = [task for task in self._in_order() if task.cancelling()]
        if not cancelled:
            return
        try:
            self.run_until_complete(asyncio.wait(cancelled, timeout=FINISH_SECONDS))
        except RuntimeError as error:
            if "stopped before" not in str(error):
                raise  # else it was killed while it ended

    def _in_order(self) -> list[asyncio.Task[object]]:
        """Return all tasks, the oldest first: the set of them has another order every time."""
        return sorted(
            asyncio.all_tasks(self), key=lambda task: (len(task.get_name()), task.get_name())
        )

    def left(self) -> list[str]:
        """Return the names of the tasks that run beside the one that asks."""
        tasks = asyncio.all_tasks(self) - {asyncio.current_task(self)}
        return sorted(repr(task.get_coro()) for task in tasks)

    def _discard(self) -> None:
        """Drop what the process has left behind, unfinished, as its death does."""
        self._asyncgens.clear()
        for task in self._in_order():
            task._log_destroy_pending = False  # it is what we want
            coroutine = task.get_coro()
            assert coroutine is not None
            coroutine.close()
            asyncio._unregister_task(task)  # a cycle may keep it for longer than the process
        self._ready.clear()
        self._scheduled.clear()
        self._timer_cancelled_count = 0
