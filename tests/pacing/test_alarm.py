"""The pump's sleep."""

import asyncio
import math

import pytest

from agcod_async.pacing.alarm import TIMER_STEP_SECONDS, Alarm
from agcod_async.testing.clock import run


def now() -> float:
    return asyncio.get_running_loop().time()


def test_it_sleeps_until_the_moment_and_not_less_than_a_timer_step() -> None:
    async def main() -> None:
        alarm = Alarm()
        await alarm.sleep_until(2.0, now())
        assert now() == pytest.approx(2.0, abs=0.001)
        before = now()
        await alarm.sleep_until(before + 1e-9, before)
        assert now() >= before + TIMER_STEP_SECONDS

    run(main())


def test_it_wakes_when_it_is_rung_and_only_while_somebody_sleeps() -> None:
    async def main() -> None:
        alarm = Alarm()
        alarm.ring()
        assert alarm.rings_at == -math.inf
        sleeper = asyncio.create_task(alarm.sleep_until(math.inf, now()))
        await asyncio.sleep(1.0)
        assert alarm.rings_at == math.inf
        alarm.ring()
        alarm.ring()
        await sleeper
        assert now() == pytest.approx(1.0, abs=0.001)
        assert alarm.rings_at == -math.inf

    run(main())


def test_a_sleeper_who_leaves_does_not_take_the_bell_of_the_next_one_along() -> None:
    async def main() -> None:
        alarm = Alarm()
        first = asyncio.create_task(alarm.sleep_until(1.0, now()))
        await asyncio.sleep(0)
        second = asyncio.create_task(alarm.sleep_until(math.inf, now()))
        await first
        alarm.ring()
        await second

    run(main())
