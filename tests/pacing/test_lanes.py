"""The lanes alone: who is taken out next."""

import asyncio
import random
from collections.abc import Callable, Iterator
from time import process_time

import pytest

from agcod_async.pacing.lanes import PASSED_OVER_MAX, Lanes, Waiter
from agcod_async.pacing.port import Lane, Permit

Join = Callable[..., Waiter]


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@pytest.fixture
def lanes() -> Lanes:
    return Lanes()


@pytest.fixture
def join(lanes: Lanes, loop: asyncio.AbstractEventLoop) -> Join:
    def join(lane: Lane, group: str | None = None) -> Waiter:
        future: asyncio.Future[Permit] = loop.create_future()
        waiter = Waiter(lane, group or "CreateGiftCard", group, future)
        lanes.join(waiter)
        return waiter

    return join


def everybody(_group: str | None) -> bool:
    return True


def common(group: str | None) -> bool:
    return group is None


def test_the_better_lane_goes_first_and_inside_a_lane_the_earlier_waiter(
    lanes: Lanes, join: Join
) -> None:
    joined = [join(lane) for lane in (*reversed(Lane), *Lane, *reversed(Lane))]
    taken = [lanes.take(everybody) for _ in joined]
    assert taken == sorted(joined, key=lambda waiter: (waiter.lane, waiter.number))
    assert lanes.take(everybody) is None
    assert not lanes


def test_inside_a_lane_the_earlier_waiter_goes_first_across_operations(
    lanes: Lanes, join: Join
) -> None:
    joined = [join(Lane.BATCH, group) for group in ("a", None, "b", "a", None)]
    assert [lanes.take(everybody) for _ in joined] == joined


def test_a_group_that_is_not_ready_stands_aside(lanes: Lanes, join: Join) -> None:
    blocked = join(Lane.RECOVERY, "GetAvailableFunds")
    other = join(Lane.BATCH)
    assert lanes.take(common) is other
    assert lanes.take(common) is None
    assert lanes.take(everybody) is blocked


def test_cancelled_waiters_are_dropped_on_the_way(lanes: Lanes, join: Join) -> None:
    waiters = [join(Lane.BATCH) for _ in range(5)]
    for cancelled in (0, 1, 3):
        waiters[cancelled].future.cancel()
    assert lanes.take(everybody) is waiters[2]
    assert lanes.take(everybody) is waiters[4]
    assert not lanes


def test_nobody_is_found_where_all_are_cancelled(lanes: Lanes, join: Join) -> None:
    join(Lane.BATCH).future.cancel()
    assert lanes.take(everybody) is None
    assert not lanes


def test_leaving_twice_does_no_harm(lanes: Lanes, join: Join) -> None:
    first, second = join(Lane.BATCH), join(Lane.BATCH)
    lanes.leave(first)
    lanes.leave(first)
    assert lanes.take(everybody) is second
    lanes.leave(second)
    assert not lanes


def test_a_lane_that_was_passed_over_often_enough_gets_the_next_permit(
    lanes: Lanes, join: Join
) -> None:
    for _ in range(100):
        join(Lane.RECOVERY)
        join(Lane.BATCH)
    taken = [waiter.lane for _ in range(100) if (waiter := lanes.take(everybody)) is not None]
    turn = [Lane.RECOVERY] * PASSED_OVER_MAX + [Lane.BATCH]
    assert taken == (turn * 6)[:100]


def test_every_lane_gets_its_turn_while_better_ones_never_run_dry(lanes: Lanes, join: Join) -> None:
    for lane in Lane:
        for _ in range(200):
            join(lane)
    taken = [waiter.lane for _ in range(190) if (waiter := lanes.take(everybody)) is not None]
    for lane in (Lane.INTERACTIVE, Lane.BATCH, Lane.PROBE):
        turns = [number for number, taken_lane in enumerate(taken) if taken_lane is lane]
        gaps = [after - before for before, after in zip([-1, *turns], turns, strict=False)]
        assert len(turns) >= 9
        # The other two that starve may be served in between.
        assert max(gaps) <= PASSED_OVER_MAX + 3


def test_an_empty_lane_does_not_save_up_turns(lanes: Lanes, join: Join) -> None:
    join(Lane.RECOVERY)
    batch = join(Lane.BATCH)
    for _ in range(PASSED_OVER_MAX):
        lanes.take(everybody)
        join(Lane.RECOVERY)
    lanes.leave(batch)
    lanes.take(everybody)
    join(Lane.RECOVERY)
    join(Lane.BATCH)
    waiter = lanes.take(everybody)
    assert waiter is not None
    assert waiter.lane is Lane.RECOVERY


def test_the_count_ahead_is_of_the_same_and_the_better_lanes(lanes: Lanes, join: Join) -> None:
    for lane in (Lane.RECOVERY, Lane.BATCH, Lane.BATCH, Lane.PROBE):
        join(lane)
    join(Lane.RECOVERY, "GetAvailableFunds")
    assert lanes.ahead(Lane.RECOVERY, None) == 1
    assert lanes.ahead(Lane.INTERACTIVE, None) == 1
    assert lanes.ahead(Lane.BATCH, None) == 3
    assert lanes.ahead(Lane.PROBE, None) == 4
    assert lanes.ahead(Lane.PROBE, "GetAvailableFunds") == 1
    assert lanes.groups() == {None, "GetAvailableFunds"}
    assert lanes.counts() == {
        Lane.RECOVERY: 2,
        Lane.INTERACTIVE: 0,
        Lane.BATCH: 2,
        Lane.PROBE: 1,
    }


def test_draining_takes_everybody_out(lanes: Lanes, join: Join) -> None:
    joined = [join(random.Random(1).choice(list(Lane)), group) for group in (None, "a") * 20]
    assert sorted(map(id, lanes.drain())) == sorted(map(id, joined))
    assert not lanes


def test_a_hundred_thousand_waiters_cost_no_more_each_than_a_few(lanes: Lanes, join: Join) -> None:
    def seconds_for(turns: int) -> float:
        start = process_time()
        for _ in range(turns):
            lanes.take(everybody)
            join(Lane.BATCH)
        return process_time() - start

    join(Lane.BATCH)
    few = min(seconds_for(1_000) for _ in range(3))
    waiters = [join(Lane.BATCH) for _ in range(100_000)]
    many = min(seconds_for(1_000) for _ in range(3))
    # Searching through them, or shifting them, would be a thousand times as much.
    assert many < 10 * few
    start = process_time()
    for waiter in reversed(waiters[5_000:]):
        lanes.leave(waiter)
    assert process_time() - start < 200 * few
