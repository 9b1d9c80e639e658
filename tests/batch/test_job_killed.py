"""A job that dies at any turn of its event loop, at every await that is, and is run again."""

import asyncio
import gc
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from agcod_async.batch.job import Job
from agcod_async.batch.job_rows import RowState
from agcod_async.batch.job_run import JobRun
from agcod_async.testing import Emulator, FaultKind, FaultRule, FaultScript
from agcod_async.testing.clock import virtual_clock
from agcod_async.testing.config import EmulatorConfig
from tests.simulation.loop import SimLoop
from tests.support.fair import LATE_SECONDS_MAX, order
from tests.support.jobs import JournalAtOnce, Taker, planned, reopened, run_once, session_for

ORDERS = [order(number) for number in range(6)]
FAULTS = FaultScript(
    rules=(
        FaultRule(fault=FaultKind.F400_AFTER, request_id=ORDERS[0].request_id),
        FaultRule(fault=FaultKind.LOSE_REPLY, request_id=ORDERS[1].request_id),
    )
)
TURNS_MIN = 80
PARTS = 4
"""The turns are dealt out to so many tests, so that several processes share them."""


@contextmanager
def process(loop: SimLoop, job: list[Job]) -> Iterator[None]:
    """Live on `loop`; in the end nothing goes on, and the files are as they were."""
    try:
        yield
    finally:
        asyncio._set_running_loop(loop)  # what is dropped may still look at the clock
        try:
            loop._discard()
        finally:
            asyncio._set_running_loop(None)
        for one in job:
            assert isinstance(one.journal, JournalAtOnce)
            for file in (one._store, one.journal.store):
                file._connection.close()
                if file._lock is not None:
                    file._lock.forget()


async def run_job(directory: Path, server: Emulator, sink: Taker, opened: list[Job]) -> None:
    job = await reopened(directory)
    opened.append(job)
    session = session_for(job, server, seed=1)
    run = JobRun(session, job, sink=sink, concurrency=2, clock=virtual_clock(1))
    async for _ in run.settled():
        pass


def killed_at(turn: int, directory: Path) -> bool:
    """Kill a job at this turn, run it again and check; return whether it lived so long."""
    loop = SimLoop()
    server = Emulator(EmulatorConfig(faults=FAULTS), clock=virtual_clock(1))
    sink, opened = Taker(), list[Job]()
    loop.run_until_complete(_plan(directory))
    with process(loop, opened):
        loop.do(turn, loop.kill)
        with suppress(RuntimeError):  # stopped before it was complete
            loop.run_until_complete(run_job(directory, server, sink, opened))
        loop.at_turn = -1
    loop._now += LATE_SECONDS_MAX + 60  # somebody starts it again, a while later
    loop.run_until_complete(_finish(directory, server, sink))
    loop.close()
    return loop.was_killed


async def _plan(directory: Path) -> None:
    await (await planned(directory, ORDERS)).aclose()


async def _finish(directory: Path, server: Emulator, sink: Taker) -> None:
    await run_once(await reopened(directory), server, sink, seed=2)
    job = await reopened(directory)
    states = {row.order.request_id: row.state async for row in job.rows()}
    await job.aclose()
    server.land_everything()
    (balance,) = server.ledger.balances()

    assert states == dict.fromkeys((one.request_id for one in ORDERS), RowState.DELIVERED)
    assert balance.live == balance.debited == sum(one.amount.amount for one in ORDERS)
    assert sink.ids == states.keys()
    assert len(set(sink.cards)) == len(ORDERS), "every order has one code"


@pytest.mark.parametrize("part", range(PARTS))
def test_a_job_that_is_killed_at_any_turn_ends_as_if_it_had_not(tmp_path: Path, part: int) -> None:
    turn = part
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # what is killed closes nothing
        while killed_at(turn, tmp_path / f"job {turn}"):
            turn += PARTS
        gc.collect()
    assert turn >= TURNS_MIN, "a whole run has more turns than that"
