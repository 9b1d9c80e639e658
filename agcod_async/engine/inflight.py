"""The calls that run now: one for each request ID, however many callers wait for it.

A caller that is cancelled, or whose deadline has come, only stops waiting. When the last one has
gone, an exchange under way is finished and recorded, and nothing more is sent in their name.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field

from agcod_async.core.outcomes import Reason
from agcod_async.core.resumption import sending
from agcod_async.core.verdicts import InDoubt, Verdict
from agcod_async.engine.call import Call, Ended
from agcod_async.engine.deadlines import Deadlines
from agcod_async.errors import IdempotencyConflictError, UsageError
from agcod_async.providers.base import Intent

Run = Callable[[Call], Coroutine[object, object, Ended]]

_log = logging.getLogger("agcod_async")

_DEADLINE = Reason("the deadline has come while a reply was awaited")
_CLOSED = Reason("the session was closed")


@dataclass(slots=True, eq=False)
class Running:
    """One running call, who waits for it, and the call that it itself waits for, if any."""

    call: Call
    task: asyncio.Task[Ended]
    before: "Running | None" = None
    waiters: set[asyncio.Future[None]] = field(default_factory=set[asyncio.Future[None]])

    def abandon(self) -> None:
        """Stop as soon as nothing is under way."""
        self.call.abandoned = True
        if not self.call.exchanging:
            self.task.cancel()


class Inflight:
    """Owns the tasks of the running calls."""

    def __init__(self) -> None:
        """Begin with none."""
        self._running: dict[asyncio.Task[Ended], Running] = {}
        self._by_id: dict[str, Running] = {}
        self._deadlines: dict[float, Deadlines[asyncio.Future[None]]] = {}  # by their seconds
        self._closed = False

    def runs(self, request_id: str) -> bool:
        """Whether a call under this ID runs now."""
        return request_id in self._by_id

    def close(self) -> None:
        """Take no more calls."""
        self._closed = True

    def join(self, intent: Intent) -> Running | None:
        """Return the call that runs for the same intent, or None if none does.

        Raises `IdempotencyConflictError` if something else runs under the ID, and `UsageError`
        once no more calls are taken.
        """
        if self._closed:
            raise UsageError(Reason("the session is closed"), operation=intent.operation)
        if intent.request_id is None:
            return None
        running = self._by_id.get(intent.request_id)
        if running is None or running.call.abandoned:
            return None
        theirs = running.call.intent
        if (theirs.operation, theirs.body) != (intent.operation, intent.body):
            raise IdempotencyConflictError(
                Reason(f"a {theirs.operation} of another order runs under this request ID"),
                request_id=intent.request_id,
                operation=intent.operation,
            )
        return running

    def start(self, call: Call, run: Run) -> Running:
        """Run `call` in a task of its own."""
        request_id = call.intent.request_id
        before = None if request_id is None else self._by_id.get(request_id)
        following = run(call) if before is None else _after(before, run, call)
        task = asyncio.get_running_loop().create_task(following)
        running = self._running[task] = Running(call, task, before)
        if request_id is not None:
            self._by_id[request_id] = running
        running.task.add_done_callback(self._ended)
        return running

    async def wait(self, running: Running, seconds: float) -> Ended:
        """Wait for the end of `running`, but not longer than `seconds`."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        deadlines = self._deadlines.get(seconds)
        if deadlines is None:
            deadlines = self._deadlines[seconds] = Deadlines(seconds, _wake)
        deadlines.begin(waiter)
        running.waiters.add(waiter)
        try:
            await waiter
        finally:
            deadlines.end(waiter)
            if deadlines.is_idle and self._deadlines.get(seconds) is deadlines:
                deadlines.close()
                del self._deadlines[seconds]
            running.waiters.discard(waiter)
            if not running.waiters and not running.task.done():
                running.abandon()
        if running.task.done() and not running.task.cancelled():
            return running.task.result()
        return Ended(_verdict_now(running), running.call)

    async def drain(self, seconds: float) -> None:
        """Wait up to `seconds` for the calls to end, then stop the rest where they stand."""
        await self._all_ended(seconds)
        for running in self._running.values():
            running.abandon()
        await self._all_ended(None)

    async def _all_ended(self, seconds: float | None) -> None:
        tasks = tuple(self._running)
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)

    def _ended(self, task: asyncio.Task[Ended]) -> None:
        running = self._running.pop(task)
        for waiter in running.waiters:
            _wake(waiter)
        request_id = running.call.intent.request_id
        running.before = _still_running(running.before)
        if request_id is not None and self._by_id.get(request_id) is running:
            if running.before is None:
                del self._by_id[request_id]
            else:
                self._by_id[request_id] = running.before  # this one was left before its turn came
        if not running.task.cancelled() and running.task.exception() is not None:
            _log.debug("a call ended with %s", type(running.task.exception()).__name__)


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


async def _after(before: Running | None, run: Run, call: Call) -> Ended:
    """Run `call` once an abandoned call under the same ID has finished its exchange."""
    while (before := _still_running(before)) is not None:
        await asyncio.wait((before.task,))
    return await run(call)


def _still_running(running: Running | None) -> Running | None:
    """Return the latest of `running` and those before it that has not ended."""
    while running is not None and running.task.done():
        running = running.before
    return running


def _verdict_now(running: Running) -> Verdict:
    """Return what can be said of a call that a caller leaves before its end."""
    call, has_ended = running.call, running.task.done()
    reason = _CLOSED if has_ended else (call.held_up or _DEADLINE)
    if call.intent.read_only:
        return call.state.out_of_time(reason)
    if call.record is None:
        return InDoubt(reason)  # what is on record about the ID is not known yet
    if running.waiters and not has_ended:
        return InDoubt(reason)  # it goes on for the others
    return (sending(call.state) if call.exchanging else call.state).out_of_time(reason)
