"""A permit's life, its misuse, and what the display is told."""

import ast
import asyncio
from itertools import pairwise
from pathlib import Path

import pytest

import agcod_async.pacing
from agcod_async.pacing.pacer import ARRIVAL_BOUND_SECONDS, LocalPacer
from agcod_async.pacing.port import Lane, Permit
from agcod_async.pacing.stats import RateMeter
from agcod_async.pacing.window import SAMPLES
from agcod_async.testing.clock import run, virtual_clock


def new_pacer(rate: float = 1.0) -> LocalPacer:
    return LocalPacer(requests_per_second=rate, clock=virtual_clock())


async def admit(pacer: LocalPacer) -> Permit:
    return await pacer.admit(Lane.BATCH, "CreateGiftCard", within_seconds=None)


async def given_at(pacer: LocalPacer) -> float:
    (await admit(pacer)).sending()
    return asyncio.get_running_loop().time()


def test_a_permit_that_is_answered_twice_counts_once() -> None:
    async def main() -> None:
        pacer = new_pacer()
        permit = await admit(pacer)
        permit.sending()
        permit.sending()
        permit.answered(throttled=False)
        permit.answered(throttled=True)
        permit.lost()
        permit.unused()
        permit.sending()
        assert pacer.stats().throttles_seen == 0
        assert await given_at(pacer) == pytest.approx(1.0, abs=0.01)

    run(main())


def test_a_permit_that_was_not_used_is_free_at_once_and_only_once() -> None:
    async def main() -> None:
        pacer = new_pacer()
        permit = await admit(pacer)
        permit.unused()
        permit.unused()
        times = [await given_at(pacer) for _ in range(3)]
        assert times[0] < 0.01
        assert all(after - before >= 1.0 for before, after in pairwise(times))

    run(main())


def test_a_permit_called_unused_after_its_send_keeps_its_slot() -> None:
    async def main() -> None:
        pacer = new_pacer()
        permit = await admit(pacer)
        permit.sending()
        permit.unused()
        assert await given_at(pacer) == pytest.approx(1.0 + ARRIVAL_BOUND_SECONDS, abs=0.01)

    run(main())


def test_a_lost_request_keeps_its_slot_until_it_must_have_arrived() -> None:
    async def main() -> None:
        pacer = new_pacer()
        permit = await admit(pacer)
        permit.sending()
        await asyncio.sleep(0.2)
        permit.lost()
        assert await given_at(pacer) == pytest.approx(1.0 + ARRIVAL_BOUND_SECONDS, abs=0.01)

    run(main())


def test_a_reply_without_a_send_counts_as_sent_at_that_moment() -> None:
    async def main() -> None:
        pacer = new_pacer()
        permit = await admit(pacer)
        await asyncio.sleep(0.5)
        permit.answered(throttled=False)
        assert await given_at(pacer) == pytest.approx(1.5, abs=0.01)

    run(main())


def test_a_loss_without_a_send_counts_as_sent_at_that_moment() -> None:
    async def main() -> None:
        pacer = new_pacer()
        permit = await admit(pacer)
        await asyncio.sleep(0.5)
        permit.lost()
        assert await given_at(pacer) == pytest.approx(1.5 + ARRIVAL_BOUND_SECONDS, abs=0.01)

    run(main())


def test_a_permit_blocks_its_slot_until_it_is_sent() -> None:
    async def main() -> None:
        pacer = new_pacer()
        permit = await admit(pacer)
        waiter = asyncio.create_task(given_at(pacer))
        await asyncio.sleep(50.0)
        assert not waiter.done()
        permit.sending()
        assert await waiter == pytest.approx(51.0 + ARRIVAL_BOUND_SECONDS, abs=0.01)

    run(main())


def test_a_sudden_quick_reply_frees_its_slot_no_sooner_than_a_window_after_its_send() -> None:
    async def main() -> None:
        pacer = new_pacer()
        for seconds in [0.5] * 10 + [0.01]:
            permit = await admit(pacer)
            await asyncio.sleep(0.6)  # the journal: the spacing's turn does not hide the window
            permit.sending()
            sent_at = asyncio.get_running_loop().time()
            await asyncio.sleep(seconds)
            permit.answered(throttled=False)
        assert await given_at(pacer) - sent_at >= 1.0

    run(main())


def test_each_operation_has_its_own_floor() -> None:
    async def main() -> None:
        pacer = new_pacer(10.0)
        for operation, seconds in (("CreateGiftCard", 0.3), ("GetAvailableFunds", 0.02)):
            for _ in range(SAMPLES + 2):
                permit = await pacer.admit(Lane.BATCH, operation, within_seconds=None)
                permit.sending()
                await asyncio.sleep(seconds)
                permit.answered(throttled=False)
            assert pacer._floors[operation].seconds == pytest.approx(seconds, abs=0.001)
        assert pacer._floors["CreateGiftCard"].seconds == pytest.approx(0.3, abs=0.001)

    run(main())


def test_the_stats_say_how_things_are() -> None:
    async def main() -> None:
        pacer = new_pacer(10.0)
        empty = dict.fromkeys(Lane, 0)
        assert pacer.stats().waiting == empty
        assert pacer.stats().permits_given == 0

        async def use() -> None:
            permit = await admit(pacer)
            permit.sending()
            permit.answered(throttled=False)

        waiters = [asyncio.create_task(use()) for _ in range(50)]
        await asyncio.sleep(3.05)
        stats = pacer.stats()
        assert stats.requests_per_second == 10.0
        assert stats.permits_given == 31
        assert stats.waiting == {**empty, Lane.BATCH: 19}
        assert stats.throttles_seen == 0
        assert stats.closed_for_seconds == 0.0
        assert stats.achieved_per_second == pytest.approx(10.0, abs=0.6)
        await asyncio.gather(*waiters)
        await asyncio.sleep(2.5)
        assert pacer.stats().achieved_per_second == 0.0

    run(main())


def test_the_meter_fades_from_one_period_into_the_next() -> None:
    meter = RateMeter(2.0)
    assert meter.per_second(0.0) == 0.0
    for tenths in range(40, 60):
        meter.count(tenths / 10)
    assert meter.per_second(5.999) == pytest.approx(10.0)
    assert meter.per_second(6.0) == pytest.approx(10.0)
    assert meter.per_second(7.0) == pytest.approx(5.0)
    assert meter.per_second(8.0) == 0.0


def test_aiolimiter_enters_through_one_file() -> None:
    folder = Path(agcod_async.pacing.__path__[0])
    importing = {
        path.name
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.ImportFrom) and node.module == "aiolimiter")
        or (isinstance(node, ast.Import) and any(a.name == "aiolimiter" for a in node.names))
    }
    assert importing == {"local.py"}


def test_time_and_chance_enter_the_pure_files_as_arguments_only() -> None:
    folder = Path(agcod_async.pacing.__path__[0])
    for name in ("window.py", "gate.py"):
        modules = {
            alias.name
            for node in ast.walk(ast.parse((folder / name).read_text()))
            if isinstance(node, ast.Import)
            for alias in node.names
        } | {
            node.module or ""
            for node in ast.walk(ast.parse((folder / name).read_text()))
            if isinstance(node, ast.ImportFrom)
        }
        assert not modules & {"asyncio", "random", "time", "datetime", "agcod_async.clock"}
