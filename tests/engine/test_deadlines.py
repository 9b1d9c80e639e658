"""Waits of one length on one timer: each ends when its own would have ended it."""

import asyncio
from contextlib import suppress

import pytest

from agcod_async.engine.attempt import Line, exchange
from agcod_async.engine.deadlines import Deadlines
from agcod_async.pacing.port import Lane
from agcod_async.testing.clock import VirtualLoop, run
from tests.engine.test_attempt import TIMEOUT_SECONDS, forward, nothing_known
from tests.support.permits import CountedPermit
from tests.support.scripted import HANG, ScriptedTransport

SECONDS = 5.0


def timers() -> list[asyncio.TimerHandle]:
    loop = asyncio.get_running_loop()
    return [timer for timer in loop._scheduled if not timer.cancelled()]  # type: ignore[attr-defined]


def test_each_wait_expires_after_its_own_time() -> None:
    async def main() -> list[tuple[str, float]]:
        expired: list[tuple[str, float]] = []
        loop = asyncio.get_running_loop()
        deadlines = Deadlines[str](SECONDS, lambda wait: expired.append((wait, loop.time())))
        for wait in ("a", "b", "c", "d"):
            deadlines.begin(wait)
            await asyncio.sleep(1)
        deadlines.end("a")
        deadlines.end("c")
        assert len(timers()) == 1
        await asyncio.sleep(SECONDS)
        return expired

    assert run(main()) == [
        ("b", pytest.approx(SECONDS + 1, abs=1e-3)),
        ("d", pytest.approx(SECONDS + 3, abs=1e-3)),
    ]


def test_what_has_ended_in_time_has_not_expired() -> None:
    async def main() -> None:
        deadlines = Deadlines[str](SECONDS, lambda _: None)
        deadlines.begin("late")
        await asyncio.sleep(SECONDS - 1)
        deadlines.begin("early")
        await asyncio.sleep(2)
        assert deadlines.has_expired("late")
        assert not deadlines.has_expired("early")
        assert not deadlines.is_idle
        deadlines.end("late")
        deadlines.end("early")
        assert deadlines.is_idle

    run(main())


def test_waits_that_are_due_at_once_expire_at_once() -> None:
    async def main() -> None:
        expired: list[int] = []
        deadlines = Deadlines[int](SECONDS, expired.append)
        for wait in range(100):
            deadlines.begin(wait)
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.advance(2 * SECONDS)  # it stood still, as a machine that slept
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert expired == list(range(100))
        assert timers() == []

    run(main())


def test_a_wait_begins_anew_after_all_have_ended() -> None:
    async def main() -> None:
        expired: list[str] = []
        deadlines = Deadlines[str](SECONDS, expired.append)
        deadlines.begin("first")
        deadlines.end("first")
        await asyncio.sleep(SECONDS - 1)
        deadlines.begin("second")
        await asyncio.sleep(SECONDS - 0.5)
        assert expired == []
        await asyncio.sleep(1)
        assert expired == ["second"]

    run(main())


def test_a_closed_one_has_no_timer_and_may_be_used_again() -> None:
    async def main() -> None:
        expired: list[str] = []
        deadlines = Deadlines[str](SECONDS, expired.append)
        deadlines.close()
        deadlines.begin("one")
        deadlines.end("one")
        deadlines.close()
        assert timers() == []
        deadlines.begin("two")
        await asyncio.sleep(SECONDS + 1)
        assert expired == ["two"]

    run(main())


def test_what_a_dead_loop_has_left_behind_is_forgotten() -> None:
    expired: list[str] = []
    deadlines = Deadlines[str](SECONDS, expired.append)

    async def leave() -> None:
        deadlines.begin("of the dead")

    async def go_on() -> None:
        deadlines.begin("of the living")
        await asyncio.sleep(SECONDS + 1)

    run(leave())
    run(go_on())
    assert expired == ["of the living"]
    assert not deadlines.has_expired("of the dead")  # nobody was told so


# --- as the bound of an attempt -------------------------------------------------------------------


async def cut_short(line: Line) -> object:
    permit = CountedPermit("Issue", Lane.BATCH)
    return await exchange(line, forward(), {}, permit, nothing_known())


def hanging(transport: ScriptedTransport | None = None) -> Line:
    return Line(
        url="https://toy.test",
        transport=transport or ScriptedTransport([HANG]),
        attempt_timeout_seconds=TIMEOUT_SECONDS,
    )


@pytest.mark.parametrize("seconds", [0.0, 1.0, TIMEOUT_SECONDS - 1e-3])
def test_a_cancellation_is_not_taken_for_the_timeout(seconds: float) -> None:
    async def main() -> None:
        task = asyncio.create_task(cut_short(hanging()))
        await asyncio.sleep(seconds)
        task.cancel()
        await asyncio.wait((task,))
        assert task.cancelled()
        assert task.cancelling() == 1

    run(main())


@pytest.mark.parametrize("is_first", [True, False])
def test_a_cancellation_in_the_moment_of_the_timeout_is_not_lost(is_first: bool) -> None:  # noqa: FBT001  parametrized
    async def main() -> None:
        loop = asyncio.get_running_loop()
        task: asyncio.Task[object] = loop.create_task(cut_short(hanging()))
        if is_first:
            loop.call_at(loop.time() + TIMEOUT_SECONDS, task.cancel)
        await asyncio.sleep(0)
        if not is_first:
            (timer,) = timers()
            loop.call_at(timer.when() + 1e-9, task.cancel)
        await asyncio.wait((task,))
        assert task.cancelled()
        assert task.cancelling() == 1

    run(main())


def test_after_a_timeout_the_task_counts_as_not_cancelled() -> None:
    async def main() -> None:
        async def twice() -> int:
            line = hanging(ScriptedTransport([HANG, HANG]))
            await cut_short(line)
            await cut_short(line)
            task = asyncio.current_task()
            assert task is not None
            return task.cancelling()

        assert await asyncio.create_task(twice()) == 0

    run(main())


def test_a_transport_that_swallows_the_timeout_leaves_the_task_as_it_was() -> None:
    class Stubborn(ScriptedTransport):
        async def send(self, url, headers, body):  # noqa: ANN001, ANN202  as the port's
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(2 * TIMEOUT_SECONDS)
            return await super().send(url, headers, body)

    async def main() -> None:
        task = asyncio.current_task()
        assert task is not None
        outcome = await cut_short(hanging(Stubborn(["live"])))
        assert type(outcome).__name__ == "Applied"
        assert task.cancelling() == 0

    run(main())


def test_an_exchange_outside_of_a_task_is_a_bug() -> None:
    async def main() -> None:
        raised: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def step() -> None:
            try:
                cut_short(hanging()).send(None)
            except AssertionError as error:
                raised.set_result(str(error))

        asyncio.get_running_loop().call_soon(step)
        assert await raised == "calls run in tasks"

    run(main())
