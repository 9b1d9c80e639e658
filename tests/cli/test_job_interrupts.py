"""Ctrl-C while a job runs: no more orders are taken, and nothing is lost of those under way."""

import asyncio
import signal
from pathlib import Path

import pytest

from agcod_async.agcod import AgcodSession
from agcod_async.batch import JobRun, Order
from agcod_async.cli.exits import ExitCode
from agcod_async.cli.interrupts import DRAIN_SECONDS
from agcod_async.cli.job_batch import JobBatch
from agcod_async.cli.line import Line
from agcod_async.cli.report import NoteReport
from agcod_async.cli.traffic import Traffic
from agcod_async.delivery.line import HURRIED_CLOSE_SECONDS_MIN, HURRIED_SECONDS_MAX
from agcod_async.figures.pace import PaceMeter
from agcod_async.pacing.pacer import LocalPacer
from agcod_async.providers.agcod.messages import GiftCard
from agcod_async.testing import Emulator, EmulatorConfig, FaultKind, FaultRule, FaultScript
from agcod_async.testing.clock import run, virtual_clock
from agcod_async.values import Money
from tests.cli.test_interrupts import Notes
from tests.support.jobs import Taker, counts, planned, reopened, run_once

ORDERS = [Order(request_id=f"Emula{n:03}", amount=Money(1, "USD")) for n in range(100)]
SILENT = tuple(
    FaultRule(request_id=order.request_id, fault=FaultKind.LOSE_REPLY, times=1000)
    for order in ORDERS
)


class Deaf(NoteReport):
    """A report that nobody reads any more."""

    def ended(self, *_: object) -> None:
        raise BrokenPipeError


def interrupted(
    directory: Path,
    *interrupts_at: float,
    silent: bool = False,
    deaf: bool = False,
    sink: Taker | None = None,
) -> tuple[JobBatch, Notes, Emulator, dict[str, int], float]:
    """Run the job in virtual time, with an interrupt at each of these seconds."""
    clock, display = virtual_clock(), Notes()
    config = EmulatorConfig(faults=FaultScript(rules=SILENT if silent else ()))
    emulator = Emulator(config, clock=clock)

    async def main() -> tuple[JobBatch, dict[str, int], float]:
        loop = asyncio.get_running_loop()
        for at in interrupts_at:
            loop.call_at(at, loop._handle_signal, signal.SIGINT)  # type: ignore[attr-defined]
        pacer, traffic = LocalPacer(requests_per_second=10, clock=clock), Traffic()
        async with await planned(directory, ORDERS) as job:
            async with AgcodSession(
                job.settings,
                transport=emulator.transport(),
                pacer=pacer,
                journal=job.journal,
                observers=(traffic.observe,),
                clock=clock,
            ) as session:
                batch = JobBatch(
                    Line(session, pacer, traffic, PaceMeter(10, clock)),
                    JobRun(session, job, sink=sink, concurrency=8, clock=clock),
                    total=len(ORDERS),
                    refused=0,
                    display=display,
                    report=Deaf(display) if deaf else NoteReport(display),
                )
                await batch.issue()
            ended_at = loop.time()
            left = await counts(job)
        await pacer.aclose()
        return batch, left, ended_at

    batch, left, ended_at = run(main())
    return batch, display, emulator, left, ended_at


def test_the_first_interrupt_finishes_what_is_under_way(tmp_path: Path) -> None:
    batch, display, emulator, left, _ = interrupted(tmp_path / "job", 3.05)

    assert batch.run.stopped == "it was interrupted"
    assert set(left) == {"issued", "planned"}
    assert left["issued"] == len(list(emulator.ledger.cards())) < 50
    assert "interrupted: waiting for" in display.notes[0]


def test_the_draining_ends_by_itself(tmp_path: Path) -> None:
    _, _, _, left, ended_at = interrupted(tmp_path / "job", 3.0, silent=True)

    assert ended_at == pytest.approx(3.0 + DRAIN_SECONDS, abs=7.0)
    assert left == {"in_doubt": 8, "planned": 92}


def test_the_second_interrupt_waits_no_longer(tmp_path: Path) -> None:
    _, _, _, left, ended_at = interrupted(tmp_path / "job", 3.0, 4.0, silent=True)

    assert ended_at < 4.0 + 7.0
    assert left == {"in_doubt": 8, "planned": 92}


def test_the_third_stops_at_once_and_the_job_can_be_resumed(tmp_path: Path) -> None:
    batch, _, emulator, left, ended_at = interrupted(tmp_path / "job", 3.0, 3.2, 3.4, silent=True)
    assert ended_at < 11.0
    assert left["planned"] == 92
    assert left.get("under_way", 0) + left.get("in_doubt", 0) == 8
    figures = batch.figures
    assert figures is not None
    assert (figures.taken.orders, figures.open.orders) == (8, left.get("under_way", 0))
    assert batch.tally.exit_code is ExitCode.IN_DOUBT
    emulator.play(FaultScript())

    async def again() -> dict[str, int]:
        await run_once(await reopened(tmp_path / "job"), emulator)
        async with await reopened(tmp_path / "job") as job:
            return await counts(job)

    assert run(again()) == {"issued": 100}
    assert emulator.ledger.balances()[0].live == 100


class Hanging(Taker):
    """Takes cards and acknowledges none of them in time, nor closes."""

    async def deliver(self, card: GiftCard, order: Order) -> None:
        await super().deliver(card, order)
        await asyncio.sleep(50.0)

    async def aclose(self) -> None:
        await super().aclose()
        await asyncio.sleep(80.0)


def test_a_hurried_stop_does_not_wait_for_the_sink_and_nothing_is_lost(tmp_path: Path) -> None:
    sink = Hanging()
    batch, _, emulator, left, ended_at = interrupted(tmp_path / "job", 3.0, 4.0, sink=sink)

    assert ended_at < 4.0 + HURRIED_SECONDS_MAX + HURRIED_CLOSE_SECONDS_MIN + 1.0
    assert sink.closed == 1
    assert set(left) == {"issued", "planned"}
    assert left["issued"] == batch.tally.undelivered == len(list(emulator.ledger.cards()))

    async def again() -> Taker:
        taker = Taker()
        await run_once(await reopened(tmp_path / "job"), emulator, taker)
        return taker

    taker = run(again())
    assert len(taker.cards) == len(ORDERS)
    assert set(sink.cards) <= set(taker.cards), "not acknowledged, so delivered once more"


def test_an_interrupt_also_hurries_a_sink_that_is_closing(tmp_path: Path) -> None:
    class Slow(Taker):
        async def aclose(self) -> None:
            await asyncio.sleep(80.0)

    _, _, _, left, ended_at = interrupted(tmp_path / "job", 30.0, 31.0, sink=Slow())

    assert left == {"delivered": 100}
    assert ended_at == pytest.approx(31.0 + HURRIED_SECONDS_MAX, abs=0.1)


def test_when_nobody_reads_the_receipts_no_more_orders_are_taken(tmp_path: Path) -> None:
    batch, _, _, left, _ = interrupted(tmp_path / "job", deaf=True)

    assert batch.run.stopped == "nobody reads the receipts any more"
    assert left["planned"] > 80
