"""The loop of a simulated process: virtual time, counted turns, and an end at any instruction.

One loop serves a whole run, and run after run: making one takes longer than an order does. Each
process begins at time 0, as `reset` leaves it.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import TypeVar

from agcod_async.testing.clock import VirtualLoop

T = TypeVar("T")
FINISH_SECONDS = 60.0


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
        if self.turns == self.at_turn:
            self.then()
        self.turns += 1
        super()._run_once()  # asyncio keeps it to itself

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
