"""One running call for each request ID, however many callers wait for it."""

import asyncio
import gc
import logging

import pytest

from agcod_async.errors import (
    IdempotencyConflictError,
)
from agcod_async.testing.clock import run
from tests.support.journals import JournalSpy
from tests.support.scripted import LOST, After
from tests.support.stage import stage
from tests.support.toy import STAMP, order


def test_a_hundred_callers_of_one_intent_send_it_once() -> None:
    async def main() -> None:
        async with stage([After(1, "live")]) as s:
            done = await asyncio.gather(*(s.issue() for _ in range(100)))

            assert len(s.transport.sent) == 1
            assert len({one.answer.code for one in done}) == 1
            assert [one.replayed for one in done] == [False] + [True] * 99

    run(main())


def test_a_caller_may_join_at_any_time_before_the_end() -> None:
    async def main() -> None:
        async with stage([LOST, After(2, "live")]) as s:
            first = asyncio.create_task(s.issue())
            await asyncio.sleep(1)
            second = await s.issue()

            assert (await first).answer == second.answer
            assert len(s.transport.sent) == 2

    run(main())


def test_all_who_wait_are_told_the_same_error() -> None:
    async def main() -> None:
        async with stage([After(1, "refused:F300")]) as s:
            ended = await asyncio.gather(*(s.issue() for _ in range(3)), return_exceptions=True)

            assert [type(one).__name__ for one in ended] == ["AccountError"] * 3
            assert len(s.transport.sent) == 1

    run(main())


def test_a_fault_of_the_sdk_reaches_all_who_wait(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        journal = JournalSpy(fail=frozenset({2}), error=OSError("unplugged"), seconds=0.1)
        async with stage(journal=journal) as s:
            ended = await asyncio.gather(*(s.issue() for _ in range(3)), return_exceptions=True)

            assert [str(one) for one in ended] == ["unplugged"] * 3

    with caplog.at_level(logging.DEBUG, logger="agcod_async"):
        run(main())

    assert "a call ended with OSError" in caplog.text


@pytest.mark.filterwarnings("error")
def test_a_fault_that_nobody_waits_for_is_not_shouted_about(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        journal = JournalSpy(fail=frozenset({3}), error=OSError("unplugged"))
        async with stage([After(1, "live")], journal=journal) as s:
            task = asyncio.create_task(s.issue())
            await asyncio.sleep(0.5)
            task.cancel()
            await asyncio.wait([task])
            await asyncio.sleep(2)
        gc.collect()

    run(main())

    assert "never retrieved" not in caplog.text


def test_other_content_under_a_running_id_is_a_conflict_before_anything_is_sent() -> None:
    async def main() -> None:
        async with stage([After(1, "live")]) as s:
            running = asyncio.create_task(s.issue("Toy1", "10"))
            await asyncio.sleep(0.5)
            written = s.journal.writes
            with pytest.raises(IdempotencyConflictError, match="another order runs") as caught:
                await s.issue("Toy1", "11")
            with pytest.raises(IdempotencyConflictError):
                await s.session.call(STAMP, order("Toy1", "10"))
            await running

            assert caught.value.request_id == "Toy1"
            assert caught.value.operation == "Issue"
            assert len(s.transport.sent) == 1
            assert s.journal.writes == written + 1

    run(main())


def test_after_its_end_another_operation_may_use_the_id() -> None:
    async def main() -> None:
        async with stage(["live", "live"]) as s:
            await s.issue()
            await s.session.call(STAMP, order())

            assert s.transport.operations == ["Issue", "Stamp"]

    run(main())


def test_orders_of_different_ids_run_at_the_same_time() -> None:
    async def main() -> None:
        async with stage(lambda _: After(1, "live")) as s:
            await asyncio.gather(*(s.issue(f"Toy{n}") for n in range(50)))

            assert s.transport.times == pytest.approx([0] * 50, abs=0.01)

    run(main())
