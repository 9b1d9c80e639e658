import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from agcod_async.core.outcomes import AttemptRecord, Leg
from agcod_async.events import AttemptEnded, CallEnded
from agcod_async.figures.pace import INTERVALS_MAX, Pace, PaceMeter
from agcod_async.testing.clock import run, virtual_clock
from tests.figures.samples import pace


def attempt(seconds: float) -> AttemptEnded:
    return AttemptEnded("CreateGiftCard", AttemptRecord("Emula1", Leg.FORWARD, "X", None, seconds))


def counted(*pauses_and_seconds: tuple[float, float]) -> Pace:
    """Count attempts: after a pause each, and having taken so many seconds."""
    clock = virtual_clock()

    async def main() -> Pace:
        meter = PaceMeter(20.0, clock)
        for pause, seconds in pauses_and_seconds:
            await asyncio.sleep(pause)
            meter.observe(attempt(seconds))
        return meter.pace()

    return run(main())


def test_a_request_counts_when_it_left_and_not_when_it_was_answered() -> None:
    assert counted((0.5, 0.1), (2.0, 1.9), (0.0, 0.1)).requests == (2, 0, 1)


def test_only_attempts_are_requests() -> None:
    async def main() -> Pace:
        meter = PaceMeter(20.0, virtual_clock())
        meter.observe(CallEnded("CreateGiftCard", "Emula1", "Issued", 1, 1.0))
        return meter.pace()

    assert run(main()).requests == ()


def test_a_long_run_has_no_more_intervals_and_loses_no_request() -> None:
    long = counted(*[(1.0, 0.0)] * 5000)

    assert sum(long.requests) == 5000
    assert len(long.requests) <= INTERVALS_MAX
    assert long.interval_seconds == 32.0
    assert set(long.requests[1:-1]) == {32}
    assert long.seconds == pytest.approx(5000.0)


def test_a_day_of_silence_is_no_trouble() -> None:
    assert sum(counted((1.0, 0.0), (86_400.0, 0.0)).requests) == 2


def test_the_last_interval_is_measured_by_its_own_length() -> None:
    assert pace((20, 20, 15), 2.75).rates == (20.0, 20.0, 20.0)
    assert pace((20, 20, 1), 2.01).rates == (20.0, 20.0, 1.0), "too short to be a rate"
    assert pace((), 0.0).rates == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"started_at": datetime(2026, 1, 1)},  # noqa: DTZ001  that is what is wrong with it
        {"started_at": datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=2)))},
        {"started_at": datetime(9999, 1, 1, tzinfo=UTC)},
        {"seconds": -1.0},
        {"seconds": float("nan")},
        {"seconds": float("inf")},
        {"interval_seconds": 0.0},
        {"requests_per_second": 0.0},
        {"requests": (-1,)},
        {"requests": (1,) * (INTERVALS_MAX + 1)},
    ],
)
def test_what_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        replace(pace(), **wrong)
