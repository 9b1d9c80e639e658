"""What is left when something from outside ends a call, or fails beside it."""

import asyncio

import pytest

from agcod_async.errors import InDoubtError, UsageError
from agcod_async.events import CallEnded, Event
from agcod_async.testing.clock import run
from tests.support.scripted import HANG
from tests.support.stage import stage


def test_an_observer_that_fails_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[Event] = []

    def fails(_: Event) -> None:
        raise RuntimeError("what an observer knows may be secret")

    async def main() -> None:
        async with stage(["live"], observers=(fails, seen.append)) as s:
            await s.issue()

    run(main())
    assert isinstance(seen[-1], CallEnded)
    assert "RuntimeError" in caplog.text
    assert "secret" not in caplog.text


def test_a_closed_session_takes_no_call() -> None:
    async def main() -> None:
        async with stage() as s:
            await s.session.aclose()
            with pytest.raises(UsageError, match="closed"):
                await s.issue()

            assert s.journal.writes == 0

    run(main())


def test_a_call_that_is_killed_during_an_exchange_leaves_the_record_as_it_is() -> None:
    async def main() -> None:
        async with stage([HANG]) as s:
            caller = asyncio.create_task(s.issue())
            await asyncio.sleep(1)
            written = s.journal.writes
            (task,) = s.session._inflight._running
            task.cancel()
            with pytest.raises(InDoubtError):
                await caller

            assert s.journal.writes == written
            assert s.entry().facts.doubtful
            assert s.pacer.ends == ["lost"]

    run(main())
