import asyncio
import signal
from dataclasses import dataclass, field

import pytest

from agcod_async.agcod import AgcodSession
from agcod_async.batch import Order
from agcod_async.cli.display import Glance
from agcod_async.cli.interrupts import DRAIN_SECONDS
from agcod_async.cli.issuing import Batch
from agcod_async.cli.line import Line
from agcod_async.cli.report import NoteReport
from agcod_async.cli.traffic import Traffic
from agcod_async.delivery import Sink
from agcod_async.figures.pace import PaceMeter
from agcod_async.pacing.pacer import LocalPacer
from agcod_async.providers.agcod.messages import GiftCard
from agcod_async.settings import Settings
from agcod_async.testing import Emulator, EmulatorConfig, FaultKind, FaultRule, FaultScript
from agcod_async.testing.clock import run, virtual_clock
from agcod_async.values import Money
from tests.cli.stage import HEADER, Agcod, FileOf, codes

ORDERS = [Order(request_id=f"Emula{n}", amount=Money(1, "USD")) for n in range(100)]


@dataclass
class Notes:
    """A display that only keeps notes."""

    notes: list[str] = field(default_factory=list)

    def show(self, glance: Glance) -> None:
        assert glance.tally.rows <= glance.total

    def note(self, text: str) -> None:
        self.notes.append(text)


@dataclass
class SlowSink:
    """Takes its time."""

    seconds: float
    taken: list[str] = field(default_factory=list)

    async def deliver(self, card: GiftCard, order: Order) -> None:
        await asyncio.sleep(self.seconds)
        self.taken.append(order.request_id)
        assert card.claim_code

    async def aclose(self) -> None:
        pass


def issued(
    settings: Settings,
    *interrupts_at: float,
    silent: bool = False,
    sink: Sink | None = None,
    cancel_at: float | None = None,
) -> tuple[Batch, Notes, Emulator]:
    """Issue the orders in virtual time, with an interrupt at each of these seconds."""
    rules = tuple(
        FaultRule(request_id=order.request_id, fault=FaultKind.LOSE_REPLY, times=1000)
        for order in ORDERS
    )
    clock, display = virtual_clock(), Notes()
    config = EmulatorConfig(faults=FaultScript(rules=rules if silent else ()))
    emulator = Emulator(config, clock=clock)

    async def main() -> Batch:
        loop = asyncio.get_running_loop()
        for at in interrupts_at:
            loop.call_at(at, loop._handle_signal, signal.SIGINT)  # type: ignore[attr-defined]
        task = asyncio.current_task()
        if cancel_at is not None and task is not None:
            loop.call_at(cancel_at, task.cancel)
        pacer, traffic = LocalPacer(requests_per_second=10, clock=clock), Traffic()
        async with AgcodSession(
            settings,
            transport=emulator.transport(),
            pacer=pacer,
            observers=(traffic.observe,),
            clock=clock,
        ) as session:
            batch = Batch(
                Line(session, pacer, traffic, PaceMeter(10, clock)),
                ORDERS,
                total=len(ORDERS),
                display=display,
                report=NoteReport(display),
                sink=sink,
                concurrency=8,
            )
            await batch.issue()
        await pacer.aclose()
        return batch

    return run(main()), display, emulator


def test_without_an_interrupt_all_orders_are_issued(settings: Settings) -> None:
    batch, display, emulator = issued(settings)

    assert batch.tally.exit_code == 0
    assert batch.tally.rows == len(codes(emulator)) == 100
    assert display.notes == []


def test_the_first_interrupt_takes_no_more_orders_and_finishes_those_under_way(
    settings: Settings,
) -> None:
    batch, display, emulator = issued(settings, 3.0)

    assert batch.tally.stopped == "it was interrupted"
    assert 20 < batch.tally.orders < 50
    assert batch.tally.open_ids == {}
    assert batch.tally.orders == len(codes(emulator))
    assert batch.tally.exit_code == 4
    assert "orders under way" in display.notes[0]


def test_the_second_interrupt_waits_no_longer_and_reports_what_is_open(settings: Settings) -> None:
    batch, display, _ = issued(settings, 3.0, 4.0, silent=True)

    assert batch.elapsed_seconds < 4.0 + settings.attempt_timeout_seconds + 1
    assert batch.tally.exit_code == 3
    assert len(batch.tally.in_doubt) == 8
    assert len([note for note in display.notes if note.startswith("in doubt")]) == 8


def test_without_a_second_interrupt_the_waiting_ends_by_itself(settings: Settings) -> None:
    batch, _, _ = issued(settings, 3.0, silent=True)

    patience = DRAIN_SECONDS + settings.attempt_timeout_seconds
    assert DRAIN_SECONDS < batch.elapsed_seconds < 3.0 + patience + 1
    assert len(batch.tally.in_doubt) == batch.tally.orders


def test_the_second_interrupt_does_not_wait_for_a_slow_sink_but_lists_the_cards(
    settings: Settings,
) -> None:
    sink = SlowSink(seconds=50.0)

    batch, _, emulator = issued(settings, 3.0, 4.0, sink=sink)

    # 8 with the sink, one that waits for a place there, 8 with the workers behind it.
    assert batch.tally.undelivered == len(codes(emulator)) == 8 + 1 + 8
    assert sink.taken == []
    assert batch.tally.exit_code == 1


def test_the_third_interrupt_stops_at_once_and_lists_what_was_under_way(
    settings: Settings,
) -> None:
    batch, _, emulator = issued(settings, 3.0, 3.1, 3.2, sink=SlowSink(seconds=50.0))

    assert batch.tally.exit_code == 3
    assert set(batch.tally.open_ids) >= {card.request_id for card in emulator.ledger.cards()}
    assert batch.elapsed_seconds < 3.2 + settings.attempt_timeout_seconds + 1


def test_a_cancelled_batch_is_not_mistaken_for_an_interrupted_one(settings: Settings) -> None:
    with pytest.raises(asyncio.CancelledError):
        issued(settings, 3.0, cancel_at=3.0)


def test_ctrl_c_on_the_command_drains_and_tells(
    agcod: Agcod,
    emulator: Emulator,
    file_of: FileOf,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path_factory.mktemp("shop")
    folder.joinpath("shop_interrupting.py").write_text(
        "import os, signal\n"
        "interrupts = [signal.SIGINT]\n"
        "async def deliver(card, order):\n"
        "    if interrupts:\n"
        "        os.kill(os.getpid(), interrupts.pop())\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(folder)
    path = file_of(HEADER, *(f"Emula{n},1.00,USD" for n in range(50)))
    before = signal.getsignal(signal.SIGINT)

    run = agcod(
        "batch", "issue", path, "--concurrency", "2", "--deliver-to", "shop_interrupting:deliver"
    )

    assert run.code == 4
    assert "Stopped before the end of the file: it was interrupted." in run.out
    assert 0 < len(codes(emulator)) < 50
    assert signal.getsignal(signal.SIGINT) is before
