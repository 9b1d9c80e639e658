"""A job that dies anywhere and is resumed: every order once, and every card delivered."""

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest

from agcod_async.batch.job_rows import RowState
from agcod_async.batch.job_run import JobRun
from agcod_async.testing import Emulator, FaultKind
from agcod_async.testing.clock import run, virtual_clock
from tests.support.fair import LATE_SECONDS_MAX, Fair, emulator, order
from tests.support.jobs import (
    AtOnce,
    CrashError,
    JournalAtOnce,
    Taker,
    counts,
    planned,
    reopened,
    run_once,
    session_for,
)

ORDERS = 6
LOSSES = (FaultKind.LOSE_REPLY, FaultKind.F400_AFTER, FaultKind.F400_BEFORE, FaultKind.THROTTLE)


async def crash(directory: Path, server: Emulator, sink: Taker, *, seed: int, **at: int) -> bool:
    """Run until the n-th write of the plan or of the journal; whether it got so far."""
    job = await reopened(directory)
    assert isinstance(job._worker, AtOnce)
    assert isinstance(job.journal, JournalAtOnce)
    job._worker.fail_at = at.get("plan")
    job.journal.worker.fail_at = at.get("journal")
    session = session_for(job, server, seed)
    before = asyncio.all_tasks()
    job_run = JobRun(session, job, sink=sink, concurrency=3, clock=virtual_clock(seed))
    has_crashed = False
    try:
        async for _ in job_run.settled():
            pass
    except CrashError:
        has_crashed = True
    # Nothing of the dead process goes on, and its files are as they were.
    while left := asyncio.all_tasks() - before:
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
    for file in (job._store, job.journal.store):
        file._connection.close()
        assert file._lock is not None
        file._lock.forget()
    return has_crashed


def live_sum(server: Emulator) -> Decimal:
    server.land_everything()
    (balance,) = server.ledger.balances()
    assert balance.live == balance.debited
    return balance.live


@pytest.mark.parametrize("what", ["plan", "journal"])
@pytest.mark.parametrize("at", range(1, 40, 3))
def test_a_crash_at_any_write_costs_and_doubles_nothing(tmp_path: Path, what: str, at: int) -> None:
    async def main() -> None:
        given = {one.request_id: one for one in map(order, range(ORDERS))}
        server, sink = emulator(0.25, at, kinds=LOSSES), Taker()
        await (await planned(tmp_path / "job", list(given.values()))).aclose()
        assert await crash(tmp_path / "job", server, sink, seed=at, **{what: at}) or at > ORDERS
        await asyncio.sleep(LATE_SECONDS_MAX + 60)
        await crash(tmp_path / "job", server, sink, seed=at + 1, **{what: at + 5})
        await asyncio.sleep(LATE_SECONDS_MAX + 60)
        job = await reopened(tmp_path / "job")
        await run_once(job, server, sink, seed=at + 2)

        job = await reopened(tmp_path / "job")
        ended = {row.order.request_id: row.state async for row in job.rows()}
        await job.aclose()
        alive = {one for one, state in ended.items() if state is RowState.DELIVERED}
        assert set(ended.values()) <= {RowState.DELIVERED, RowState.REVERSED}
        assert len(alive) >= ORDERS - 1, "a reversed order has had all its successors undone"
        assert live_sum(server) == sum(given[one].amount.amount for one in alive)
        assert sink.ids == alive
        assert len(set(sink.cards)) == len(alive), "every order has one code"
        assert all(len(Fair(server).cards_of(given[one])) == 1 for one in alive)

    run(main())


def test_the_writes_that_are_failed_here_are_those_of_a_whole_run(tmp_path: Path) -> None:
    async def main() -> None:
        server = emulator(0.25, 1, kinds=LOSSES)
        await (await planned(tmp_path / "job", [order(n) for n in range(ORDERS)])).aclose()

        assert not await crash(tmp_path / "job", server, Taker(), seed=1)
        job = await reopened(tmp_path / "job")
        assert await counts(job) == {"delivered": ORDERS}
        await job.aclose()

    run(main())
