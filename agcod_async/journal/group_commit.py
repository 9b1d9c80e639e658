"""One thread owns the storage; whoever waits together shares one commit.

A commit costs one `fsync`, which takes as long for a hundred writes as for one. While the thread
waits for the disk, other tasks queue their writes, and the next commit takes all of them. So the
rate grows with the load, and no task ever blocks the event loop.

A write that has been queued is written, even if its waiter is cancelled or its event loop has
closed in the meantime. `asyncio` futures are set in their own loops, so any number of loops, one
after the other or side by side, may use one storage.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, Final, Generic, Protocol, TypeVar

from agcod_async.journal.base import JournalError

T = TypeVar("T")

GROUP_MAX: Final = 512
"""How many writes share a commit at most. More wait for the next one; the queue itself is as long
as there are tasks that wait."""

STOP_SECONDS_MAX: Final = 5.0
"""How long whoever forgot `aclose` waits for what is queued, at the interpreter's exit."""


class Storage(Protocol):
    """What the thread owns. Neither method raises anything."""

    def transact(self, works: Sequence[Callable[[], None]]) -> Sequence[JournalError | None]:
        """Do all of `works` in one transaction; return for each whether it is durable now."""
        ...

    def close(self) -> None:
        """Release everything."""
        ...


class GroupCommit:
    """The thread, and the queue of what it is asked for."""

    def __init__(self, storage: Storage, *, name: str) -> None:
        """Start the thread under `name`, which error texts use too."""
        self._storage = storage
        self._name = name
        self._requests: SimpleQueue[_Request[Any] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._is_closed = False
        self._has_ended = False
        self._closers: list[_Request[None]] = []
        # A daemon, because the interpreter waits for other threads before it calls what has been
        # registered for its exit, and this one would wait for ever. `stop` is registered there.
        self._thread = threading.Thread(target=self._own, name=name, daemon=True)
        self._thread.start()

    async def ask(self, work: Callable[[], T]) -> T:
        """Let the thread do `work` in its next transaction; return once that is durable.

        If the waiter is cancelled the work is done all the same. Raises `JournalError`.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        if self._is_orphaned:
            raise JournalError(
                f"{self._name} has no thread here: open it after forking, not before"
            )
        with self._lock:
            if self._is_closed:
                raise JournalError(f"{self._name} is closed")
            self._requests.put(_Request(work, future))
        return await future

    async def aclose(self) -> None:
        """Finish what is queued, close the storage and end the thread. May be called again."""
        if self._is_orphaned:
            return  # there is nobody to wait for, and a parent still needs the storage
        closer = _Request(_nothing, asyncio.get_running_loop().create_future())
        with self._lock:
            self._is_closed = True
            if self._has_ended:
                return
            self._closers.append(closer)
            self._requests.put(None)
        await closer.future
        self._thread.join()  # it has nothing left to do

    def stop(self) -> None:
        """Do as `aclose` does, without an event loop: for an owner who has gone without it.

        It runs at the interpreter's exit, or as a finalizer, in whatever thread and in the middle
        of whatever: so it takes no lock, and waits for a bounded time.
        """
        self._requests.put(None)
        if threading.current_thread() is not self._thread:
            self._thread.join(STOP_SECONDS_MAX)

    @property
    def _is_orphaned(self) -> bool:
        """Whether nobody would answer: a forked child has a copy of this, and no thread."""
        return not (self._is_closed or self._thread.is_alive())

    # --- in the thread --------------------------------------------------------------------------

    def _own(self) -> None:
        while self._serve_group():
            pass
        self._storage.close()
        with self._lock:
            self._has_ended = True
        for closer in self._closers:
            closer.run()
        _deliver(self._closers)

    def _serve_group(self) -> bool:
        """Serve those who wait; whether to go on. Nothing of them is kept during the next wait."""
        group, is_wanted = self._next_group()
        if group:
            errors = self._storage.transact([request.run for request in group])
            for request, error in zip(group, errors, strict=True):
                request.error = error
            _deliver(group)
        return is_wanted

    def _next_group(self) -> "tuple[list[_Request[Any]], bool]":
        """Wait for a request, take those that wait behind it, and tell whether to go on."""
        group: list[_Request[Any]] = []
        request = self._requests.get()
        while request is not None:
            group.append(request)
            if len(group) == GROUP_MAX:
                return group, True
            try:
                request = self._requests.get_nowait()
            except Empty:
                return group, True
        return group, False


@dataclass(slots=True, eq=False)
class _Request(Generic[T]):
    """One piece of work, and whoever waits for it."""

    work: Callable[[], T]
    future: asyncio.Future[T]
    error: JournalError | None = None
    value: T = field(init=False)

    def run(self) -> None:
        """Do the work; its value counts once the transaction is durable."""
        self.value = self.work()

    def resolve(self) -> None:
        """Tell the waiter, in its own event loop."""
        if self.future.done():
            return  # it was cancelled
        if self.error is None:
            self.future.set_result(self.value)
        else:
            self.future.set_exception(self.error)


def _nothing() -> None:
    """Wait for the end and want nothing else."""


def _deliver(requests: Sequence[_Request[Any]]) -> None:
    """Wake each event loop once, however many in it have waited."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Request[Any]]] = {}
    for request in requests:
        by_loop.setdefault(request.future.get_loop(), []).append(request)
    for loop, answered in by_loop.items():
        with suppress(RuntimeError):  # that loop has closed, and nobody waits in it any more
            loop.call_soon_threadsafe(_resolve, answered)


def _resolve(requests: Sequence[_Request[Any]]) -> None:
    for request in requests:
        request.resolve()
