"""Who gets a permit, who does not, and what a waiter who goes away leaves behind."""

import asyncio
import math
from collections.abc import Coroutine
from dataclasses import replace
from itertools import pairwise

import pytest

from agcod_async.clock import Clock
from agcod_async.pacing.pacer import LocalPacer
from agcod_async.pacing.port import Lane, NotInTimeError, Permit
from agcod_async.testing.clock import VirtualLoop, run, virtual_clock

CREATE, FUNDS = "CreateGiftCard", "GetAvailableFunds"


def new_pacer(rate: float = 10.0, **sub_limits: float) -> LocalPacer:
    return LocalPacer(requests_per_second=rate, sub_limits=sub_limits, clock=virtual_clock())


def now() -> float:
    return asyncio.get_running_loop().time()


async def admit(
    pacer: LocalPacer,
    lane: Lane = Lane.BATCH,
    operation: str = CREATE,
    within_seconds: float | None = None,
) -> Permit:
    return await pacer.admit(lane, operation, within_seconds=within_seconds)


async def use(pacer: LocalPacer, lane: Lane = Lane.BATCH, operation: str = CREATE) -> float:
    """Take a permit, send, get the answer, and return the time of the permit."""
    permit = await admit(pacer, lane, operation)
    given_at = now()
    permit.sending()
    permit.answered(throttled=False)
    return given_at


def pumps() -> list[asyncio.Task[object]]:
    return [task for task in asyncio.all_tasks() if task.get_name() == "agcod pacer"]


def run_alone(main: Coroutine[object, object, None]) -> None:
    """Run, and see that nothing is left: no task, and no complaint at the loop."""
    complaints: list[dict[str, object]] = []

    async def watched() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, context: complaints.append(context))
        await main
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(watched())
    assert complaints == []


# --- where permits are plenty


def is_given_at_once(pacer: LocalPacer, lane: Lane = Lane.BATCH) -> bool:
    asked = pacer.admit(lane, CREATE, within_seconds=5.0)
    try:
        asked.send(None)
    except StopIteration:
        return True
    asked.close()
    return False


def test_where_permits_are_plenty_nobody_waits_for_a_pump() -> None:
    async def main() -> None:
        pacer = new_pacer(1000.0)

        assert is_given_at_once(pacer)
        assert pumps() == []
        assert pacer.stats().permits_given == 1

    run_alone(main())


def test_the_last_permits_of_a_moment_are_left_to_the_better_lanes() -> None:
    async def main() -> None:
        pacer = new_pacer(100.0)  # two in a moment

        assert is_given_at_once(pacer, Lane.PROBE)
        assert not is_given_at_once(pacer, Lane.PROBE)

    run_alone(main())


def test_whoever_comes_while_somebody_waits_is_not_served_past_him() -> None:
    async def main() -> None:
        pacer = new_pacer(1000.0, **{FUNDS: 1.0})
        await use(pacer, operation=FUNDS)
        waiting = asyncio.create_task(use(pacer, operation=FUNDS))
        await asyncio.sleep(0)

        assert not is_given_at_once(pacer)
        await waiting

    run_alone(main())


def test_a_closed_gate_gives_nothing_at_once() -> None:
    async def main() -> None:
        pacer = new_pacer(1000.0)
        permit = await admit(pacer)
        permit.sending()
        permit.answered(throttled=True)

        assert not is_given_at_once(pacer, Lane.RECOVERY)

    run_alone(main())


def test_an_operation_at_its_own_limit_is_not_given_at_once() -> None:
    async def main() -> None:
        pacer = new_pacer(1000.0, **{CREATE: 1.0})
        await use(pacer)

        assert not is_given_at_once(pacer)

    run_alone(main())


# --- who goes first


def test_the_waiter_is_chosen_only_when_the_permit_is_there() -> None:
    async def main() -> None:
        pacer = new_pacer(1.0)
        await use(pacer)
        batch = asyncio.create_task(use(pacer, Lane.BATCH))
        await asyncio.sleep(0.99)
        recovery = asyncio.create_task(use(pacer, Lane.RECOVERY))
        assert await recovery == pytest.approx(1.0, abs=0.01)
        assert await batch == pytest.approx(2.0, abs=0.01)

    run_alone(main())


def test_the_lanes_go_in_order_and_each_first_in_first_out() -> None:
    async def main() -> None:
        pacer = new_pacer(10.0)
        order: list[tuple[Lane, int]] = []

        async def go(lane: Lane, number: int) -> None:
            await use(pacer, lane)
            order.append((lane, number))

        async with asyncio.TaskGroup() as group:
            for number in range(3):
                for lane in reversed(Lane):
                    group.create_task(go(lane, number))
        assert order == sorted(order)

    run_alone(main())


def test_a_batch_goes_on_while_recovery_never_runs_dry() -> None:
    async def main() -> None:
        pacer = new_pacer(100.0)
        batch = asyncio.create_task(use(pacer, Lane.BATCH))

        async def recover() -> None:
            while not batch.done():
                await use(pacer, Lane.RECOVERY)

        async with asyncio.TaskGroup() as group:
            for _ in range(30):
                group.create_task(recover())
        assert await batch <= 0.2

    run_alone(main())


def test_many_thousand_waiters_are_served_in_order() -> None:
    async def main() -> None:
        pacer = new_pacer(100_000.0)
        waiters = [asyncio.create_task(use(pacer)) for _ in range(10_000)]
        given = await asyncio.gather(*waiters)
        assert given == sorted(given)
        assert 0.07 <= given[-1] <= 0.2

    run_alone(main())


# --- sub-limits


def test_an_operation_keeps_to_its_own_limit_and_holds_up_nobody() -> None:
    async def main() -> None:
        pacer = new_pacer(10.0, GetAvailableFunds=1.0)
        funds = [asyncio.create_task(use(pacer, Lane.RECOVERY, operation=FUNDS)) for _ in range(3)]
        creates = [asyncio.create_task(use(pacer)) for _ in range(17)]
        funds_at = await asyncio.gather(*funds)
        creates_at = await asyncio.gather(*creates)
        assert all(after - before >= 1.0 for before, after in pairwise(funds_at))
        assert funds_at[2] == pytest.approx(2.0, abs=0.05)
        # Both count towards the account's cap.
        everything = sorted([*funds_at, *creates_at])
        assert all(b - a >= 1.0 for a, b in zip(everything, everything[10:], strict=False))
        assert creates_at[-1] == pytest.approx(1.8, abs=0.05)

    run_alone(main())


def test_a_new_waiter_wakes_the_pump_that_sleeps_for_a_blocked_operation() -> None:
    async def main() -> None:
        pacer = new_pacer(10.0, GetAvailableFunds=0.1)
        await use(pacer, operation=FUNDS)
        blocked = asyncio.create_task(use(pacer, Lane.RECOVERY, operation=FUNDS))
        await asyncio.sleep(1.0)
        assert await use(pacer, Lane.PROBE) == pytest.approx(1.0, abs=0.01)
        assert await blocked == pytest.approx(10.0, abs=0.05)

    run_alone(main())


def test_a_permit_that_is_given_back_is_free_for_its_operation_too() -> None:
    async def main() -> None:
        pacer = new_pacer(10.0, GetAvailableFunds=1.0)
        permit = await admit(pacer, operation=FUNDS)
        permit.unused()
        assert await use(pacer, operation=FUNDS) < 0.01

    run_alone(main())


# --- waiters who go away


@pytest.mark.parametrize("ticks", range(12))
def test_a_waiter_cancelled_at_any_moment_wastes_neither_permit_nor_turn(ticks: int) -> None:
    async def main() -> None:
        pacer = new_pacer(0.5)
        waiter = asyncio.create_task(admit(pacer))
        for _ in range(ticks):
            await asyncio.sleep(0)
        if not waiter.done():
            waiter.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiter
            assert await use(pacer) < 0.01
        else:
            assert ticks >= 3

    run_alone(main())


@pytest.mark.parametrize("ticks", range(40))
def test_a_waiter_cancelled_around_its_turn_wastes_nothing(ticks: int) -> None:
    async def main() -> None:
        pacer = new_pacer(0.5)
        await use(pacer)
        waiter = asyncio.create_task(admit(pacer))
        second = asyncio.create_task(use(pacer))
        # The window is over at 2.001 (and some clock ticks), the spacing's turn comes before.
        await asyncio.sleep(2.0009990 - now())
        for _ in range(ticks):
            await asyncio.sleep(0)
        if waiter.done():
            waiter.result().unused()
        else:
            waiter.cancel()
        assert await second == pytest.approx(2.001, abs=0.002)

    run_alone(main())


def test_a_waiter_cancelled_in_the_tick_of_its_permit_gives_it_back() -> None:
    async def main() -> None:
        pacer = new_pacer(0.5)
        waiter = asyncio.create_task(admit(pacer))
        for _ in range(2):  # the first lets the waiter join, the second the pump give
            assert pacer.stats().permits_given == 0
            await asyncio.sleep(0)
        assert pacer.stats().permits_given == 1
        assert not waiter.done()
        waiter.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiter
        assert await use(pacer) < 0.01
        assert pacer.stats().permits_given == 2

    run_alone(main())


def test_cancelled_waiters_do_not_slow_the_others_down() -> None:
    async def main() -> None:
        pacer = new_pacer(10.0)
        waiters = [asyncio.create_task(admit(pacer)) for _ in range(500)]
        await asyncio.sleep(0.05)
        for waiter in waiters[1:]:
            waiter.cancel()
        given = await asyncio.gather(*(use(pacer) for _ in range(5)))
        assert given == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5], abs=0.01)
        await asyncio.gather(*waiters, return_exceptions=True)

    run_alone(main())


def test_a_turn_that_nobody_used_for_long_does_not_come_on_top() -> None:
    async def main() -> None:
        pacer = new_pacer(10.0)
        permit = await admit(pacer)
        permit.unused()  # its turn is in hand again
        await asyncio.sleep(5.0)
        given = await asyncio.gather(use(pacer), use(pacer), use(pacer))
        assert given == pytest.approx([5.0, 5.1, 5.2], abs=0.01)

    run_alone(main())


def test_a_closed_coroutine_leaves_its_queue() -> None:
    async def main() -> None:
        pacer = new_pacer(1.0)
        await use(pacer)
        waiter = pacer.admit(Lane.BATCH, CREATE, within_seconds=None)
        waiter.send(None)
        assert pacer.stats().waiting[Lane.BATCH] == 1
        waiter.close()
        assert pacer.stats().waiting[Lane.BATCH] == 0

    run_alone(main())


# --- the pump


def test_no_task_is_left_when_nobody_waits() -> None:
    async def main() -> None:
        pacer = new_pacer(1.0)
        await use(pacer)
        assert pumps() == []
        waiter = asyncio.create_task(admit(pacer))
        await asyncio.sleep(0.1)
        assert len(pumps()) == 1
        waiter.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert pumps() == []

    run_alone(main())


@pytest.mark.parametrize("ticks", range(6))
def test_a_waiter_who_comes_as_the_pump_is_stopped_is_served(ticks: int) -> None:
    async def main() -> None:
        pacer = new_pacer(1.0)
        await use(pacer)
        waiter = asyncio.create_task(admit(pacer))
        await asyncio.sleep(0.5)
        waiter.cancel()
        for _ in range(ticks):
            await asyncio.sleep(0)
        assert await use(pacer) == pytest.approx(1.0, abs=0.01)
        assert pumps() == []

    run_alone(main())


def test_nobody_waits_for_ever_when_the_pump_fails() -> None:
    async def main() -> None:
        broken = False

        def monotonic() -> float:
            if broken:
                raise ZeroDivisionError
            return now()

        clock = replace(virtual_clock(), monotonic=monotonic)
        pacer = LocalPacer(requests_per_second=1.0, clock=clock)
        await use(pacer)
        waiters = [asyncio.create_task(admit(pacer, lane)) for lane in Lane]
        await asyncio.sleep(0.5)
        broken = True
        results = await asyncio.gather(*waiters, return_exceptions=True)
        assert [type(result) for result in results] == [RuntimeError] * 4
        assert all(type(error.__cause__) is ZeroDivisionError for error in results)
        broken = False
        assert await use(pacer) >= 1.0

    run(main())


def test_a_pump_that_somebody_else_cancels_fails_its_waiters() -> None:
    async def main() -> None:
        pacer = new_pacer(1.0)
        await use(pacer)
        waiter = asyncio.create_task(admit(pacer))
        await asyncio.sleep(0.5)
        (pump,) = pumps()
        pump.cancel()
        with pytest.raises(RuntimeError, match="stopped"):
            await waiter

    run_alone(main())


# --- admission


def test_a_wait_that_is_too_long_is_refused_at_once() -> None:
    async def main() -> None:
        pacer = new_pacer(10.0)
        waiters = [asyncio.create_task(use(pacer)) for _ in range(100)]
        await asyncio.sleep(0)
        with pytest.raises(NotInTimeError) as refused:
            await admit(pacer, within_seconds=5.0)
        assert now() < 0.01
        assert refused.value.wait_seconds == pytest.approx(10.0, abs=0.2)
        # A better lane does not stand behind them.
        await admit(pacer, Lane.INTERACTIVE, within_seconds=5.0)
        assert now() < 1.0
        await asyncio.gather(*waiters)

    run_alone(main())


def test_the_time_until_the_window_has_a_slot_counts() -> None:
    async def main() -> None:
        pacer = new_pacer(0.1)
        await use(pacer)
        with pytest.raises(NotInTimeError) as refused:
            await admit(pacer, within_seconds=9.0)
        assert refused.value.wait_seconds == pytest.approx(10.0, abs=0.1)

    run_alone(main())


def test_a_wait_is_not_refused_for_a_reply_that_is_still_to_come() -> None:
    async def main() -> None:
        pacer = new_pacer(1.0)
        permit = await admit(pacer)
        permit.sending()
        waiter = asyncio.create_task(admit(pacer, within_seconds=1.5))
        await asyncio.sleep(0.1)
        permit.answered(throttled=False)
        (await waiter).unused()
        assert now() == pytest.approx(1.1, abs=0.01)

    run_alone(main())


def test_an_operation_with_a_limit_of_its_own_waits_for_the_account_as_well() -> None:
    async def main() -> None:
        pacer = new_pacer(0.1, GetAvailableFunds=10.0)
        await use(pacer)
        with pytest.raises(NotInTimeError) as refused:
            await admit(pacer, operation=FUNDS, within_seconds=9.0)
        assert refused.value.wait_seconds == pytest.approx(10.0, abs=0.1)
        ahead = asyncio.create_task(use(pacer))
        await asyncio.sleep(0)
        with pytest.raises(NotInTimeError) as refused:
            await admit(pacer, operation=FUNDS, within_seconds=15.0)
        assert refused.value.wait_seconds == pytest.approx(20.0, abs=0.1)
        await ahead

    run_alone(main())


def test_the_closed_time_counts() -> None:
    async def main() -> None:
        pacer = new_pacer(10.0)
        permit = await admit(pacer)
        permit.sending()
        permit.answered(throttled=True)
        with pytest.raises(NotInTimeError) as refused:
            await admit(pacer, Lane.RECOVERY, within_seconds=0.5)
        assert 1.0 <= refused.value.wait_seconds <= 1.25

    run_alone(main())


def test_an_operation_at_its_own_limit_is_refused_by_that() -> None:
    async def main() -> None:
        pacer = new_pacer(10.0, GetAvailableFunds=1.0)
        funds = [asyncio.create_task(use(pacer, operation=FUNDS)) for _ in range(5)]
        await asyncio.sleep(0)
        with pytest.raises(NotInTimeError) as refused:
            await admit(pacer, operation=FUNDS, within_seconds=3.0)
        assert refused.value.wait_seconds >= 4.0
        await admit(pacer, within_seconds=0.5)  # others do not wait behind them
        await asyncio.gather(*funds)

    run_alone(main())


def test_a_wait_that_was_estimated_too_short_ends_in_time_and_loses_nothing() -> None:
    async def main() -> None:
        pacer = new_pacer(1.0)
        held = await admit(pacer)  # it blocks the only slot, and nobody can tell for how long
        started_at = now()
        with pytest.raises(NotInTimeError):
            await admit(pacer, within_seconds=3.0)
        assert now() - started_at == pytest.approx(3.0, abs=0.01)
        assert pumps() == []
        held.unused()
        assert await use(pacer) == pytest.approx(3.0, abs=0.01)

    run_alone(main())


@pytest.mark.parametrize("ticks", range(8))
def test_a_waiter_that_expires_and_is_cancelled_at_once_does_no_harm(ticks: int) -> None:
    async def main() -> None:
        pacer = new_pacer(1.0)
        held = await admit(pacer)
        waiter = asyncio.create_task(admit(pacer, within_seconds=1.0))
        await asyncio.sleep(1.0)
        for _ in range(ticks):
            await asyncio.sleep(0)
        waiter.cancel()
        await asyncio.wait([waiter])
        held.unused()
        await use(pacer)

    run_alone(main())


def test_a_cancelled_waiter_is_not_expired_as_well() -> None:
    async def main() -> None:
        pacer = new_pacer(1.0)
        held = await admit(pacer)
        waiter = asyncio.create_task(admit(pacer, within_seconds=1.0))
        await asyncio.sleep(0)
        now_ = asyncio.get_running_loop()
        now_.call_at(1.0 - 1e-9, waiter.cancel)  # the same moment as the timer
        await asyncio.wait([waiter])
        held.unused()

    run_alone(main())


def test_within_no_time_a_permit_that_is_there_is_given() -> None:
    async def main() -> None:
        pacer = new_pacer(1.0)
        (await admit(pacer, within_seconds=0.0)).unused()

    run_alone(main())


@pytest.mark.parametrize("within_seconds", [-1.0, math.nan])
def test_a_time_that_cannot_be_kept_is_refused(within_seconds: float) -> None:
    async def main() -> None:
        pacer = new_pacer(1.0)
        with pytest.raises(NotInTimeError):
            await admit(pacer, within_seconds=within_seconds)

    run_alone(main())


def test_a_permit_in_time_leaves_no_timer_behind() -> None:
    async def main() -> None:
        pacer = new_pacer(1.0)
        permit = await admit(pacer, within_seconds=5.0)
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        assert [timer for timer in loop._scheduled if not timer.cancelled()] == []
        permit.unused()

    run_alone(main())


# --- the end


def test_closing_cancels_the_waiters_and_refuses_new_ones() -> None:
    async def main() -> None:
        pacer = new_pacer(1.0)
        out = await admit(pacer)
        waiters = [asyncio.create_task(admit(pacer, lane)) for lane in Lane]
        await asyncio.sleep(0.1)
        await pacer.aclose()
        assert pumps() == []
        results = await asyncio.gather(*waiters, return_exceptions=True)
        assert [type(result) for result in results] == [asyncio.CancelledError] * 4
        with pytest.raises(RuntimeError, match="closed"):
            await admit(pacer)
        out.sending()
        out.answered(throttled=False)
        await pacer.aclose()

    run_alone(main())


def test_closing_a_pacer_that_was_never_used_is_fine() -> None:
    run_alone(new_pacer().aclose())


def test_a_pacer_may_be_made_before_the_loop_runs() -> None:
    pacer = LocalPacer(requests_per_second=10, clock=Clock())
    run_alone(_use(pacer))


async def _use(pacer: LocalPacer) -> None:
    await use(pacer)


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_a_number_that_cannot_be_kept_is_named(value: float) -> None:
    with pytest.raises(ValueError, match="requests_per_second"):
        LocalPacer(requests_per_second=value)
    with pytest.raises(ValueError, match="GetAvailableFunds"):
        LocalPacer(requests_per_second=10, sub_limits={FUNDS: value})
    with pytest.raises(ValueError, match="arrival_bound_seconds"):
        LocalPacer(requests_per_second=10, arrival_bound_seconds=value)
