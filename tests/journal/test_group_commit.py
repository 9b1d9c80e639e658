"""The thread that owns a storage: who shares a transaction, who is told, and how it ends."""

import asyncio
import gc
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from agcod_async.journal import group_commit
from agcod_async.journal.base import JournalError
from agcod_async.journal.group_commit import GroupCommit


@dataclass(slots=True)
class Shelf:
    """A storage that does as it is told. While `gate` is not set it is busy with the disk."""

    gate: threading.Event = field(default_factory=threading.Event)
    groups: list[int] = field(default_factory=list)
    closed: int = 0
    error: JournalError | None = None

    def transact(self, works: Sequence[Callable[[], None]]) -> Sequence[JournalError | None]:
        self.groups.append(len(works))
        self.gate.wait(10)
        for work in works:
            work()
        return [self.error for _ in works]

    def close(self) -> None:
        self.closed += 1


def busy_shelf() -> tuple[Shelf, GroupCommit]:
    shelf = Shelf()
    return shelf, GroupCommit(shelf, name="the shelf")


async def until(condition: Callable[[], bool]) -> None:
    """Let the other thread go on until something is so: it cannot set an event of this loop."""
    while not condition():  # noqa: ASYNC110  see above
        await asyncio.sleep(0.001)


def test_whoever_waits_during_a_commit_shares_the_next_one() -> None:
    async def main() -> None:
        shelf, commits = busy_shelf()
        first = asyncio.create_task(commits.ask(lambda: 0))
        await until(lambda: shelf.groups == [1])
        others = [asyncio.create_task(commits.ask(lambda n=n: n)) for n in range(1, 30)]
        await asyncio.sleep(0)
        shelf.gate.set()

        assert await asyncio.gather(first, *others) == list(range(30))
        assert shelf.groups == [1, 29]
        await commits.aclose()
        assert shelf.closed == 1

    asyncio.run(main())


def test_whoever_waits_in_one_loop_is_told_in_one_turn_of_it() -> None:
    async def main() -> None:
        shelf, commits = busy_shelf()
        others = [asyncio.create_task(commits.ask(lambda: None)) for _ in range(30)]
        await until(lambda: bool(shelf.groups))
        await asyncio.sleep(0.01)
        woken = 0
        loop = asyncio.get_running_loop()
        plain = loop.call_soon_threadsafe

        def counted(*args: object) -> asyncio.Handle:
            nonlocal woken
            woken += 1
            return plain(*args)

        loop.call_soon_threadsafe = counted
        shelf.gate.set()
        await asyncio.gather(*others)

        assert woken == len(shelf.groups) <= 2
        await commits.aclose()

    asyncio.run(main())


def test_a_failure_reaches_everybody_in_the_group() -> None:
    async def main() -> None:
        shelf, commits = busy_shelf()
        shelf.gate.set()
        shelf.error = JournalError("the shelf fell down")
        ended = await asyncio.gather(
            *(commits.ask(lambda: None) for _ in range(5)), return_exceptions=True
        )

        assert [str(end) for end in ended] == ["the shelf fell down"] * 5
        shelf.error = None
        assert await commits.ask(lambda: 7) == 7
        await commits.aclose()

    asyncio.run(main())


def test_the_thread_may_be_told_to_stop_from_within() -> None:
    # A finalizer runs wherever the last reference is dropped, also there.
    async def main() -> None:
        shelf, commits = busy_shelf()
        shelf.gate.set()
        await commits.ask(commits.stop)
        await until(lambda: shelf.closed == 1)
        await commits.aclose()

    asyncio.run(main())


class ClosedMeanwhile:
    """A queue into which a request is just being put when somebody in another thread closes."""

    def __init__(self, commits: GroupCommit) -> None:
        self.commits = commits
        self.inner = commits._requests
        self.closing = threading.Thread(target=lambda: asyncio.run(commits.aclose()))

    def put(self, request: object) -> None:
        if request is not None:
            self.closing.start()
            self.closing.join(0.05)
        self.inner.put(request)

    def get(self) -> object:
        return self.inner.get()

    def get_nowait(self) -> object:
        return self.inner.get_nowait()


def test_whoever_asks_while_another_closes_is_answered() -> None:
    async def main() -> None:
        shelf, commits = busy_shelf()
        shelf.gate.set()
        commits._requests = meanwhile = ClosedMeanwhile(commits)
        async with asyncio.timeout(5):
            assert await commits.ask(lambda: 7) == 7
        await commits.aclose()
        meanwhile.closing.join(5)

    asyncio.run(main())


def test_closing_waits_for_the_thread_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    deliver = group_commit._deliver

    def dawdle(*args: object) -> None:
        deliver(*args)
        threading.Event().wait(0.05)

    monkeypatch.setattr(group_commit, "_deliver", dawdle)

    async def main() -> None:
        shelf, commits = busy_shelf()
        shelf.gate.set()
        await commits.aclose()

        assert not commits._thread.is_alive()

    asyncio.run(main())


def test_nobody_waits_for_a_thread_that_has_ended() -> None:
    async def main() -> None:
        shelf, commits = busy_shelf()
        shelf.gate.set()
        commits.stop()
        with pytest.raises(JournalError, match="the shelf has no thread here"):
            await commits.ask(lambda: None)
        await commits.aclose()

    asyncio.run(main())


def test_whoever_stops_without_closing_waits_for_a_bounded_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(group_commit, "STOP_SECONDS_MAX", 0.05)

    async def main() -> None:
        shelf, commits = busy_shelf()
        stuck = asyncio.create_task(commits.ask(lambda: None))
        await until(lambda: shelf.groups == [1])
        began = time.monotonic()
        commits.stop()

        assert 0.04 < time.monotonic() - began < 2
        assert not stuck.done()
        shelf.gate.set()
        await stuck
        await until(lambda: shelf.closed == 1)

    asyncio.run(main())


def test_nothing_of_those_who_were_served_is_kept() -> None:
    class Heavy:
        pass

    async def main() -> None:
        shelf, commits = busy_shelf()
        shelf.gate.set()
        heavy = Heavy()
        seen = weakref.ref(heavy)
        assert await commits.ask(lambda kept=heavy: kept) is heavy
        del heavy
        await asyncio.sleep(0.01)
        gc.collect()

        assert seen() is None
        await commits.aclose()

    asyncio.run(main())
