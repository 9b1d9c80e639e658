"""One batch from its rows to its receipts: issue, hand over, count, tell, show.

Rules of this file:

1. Nothing that happens to a display, a sink or a listener stops an order that is under way.
2. When something asks to stop, no more orders are taken; those under way get their verdicts.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import KW_ONLY, dataclass, field
from functools import partial
from typing import assert_never

from agcod_async.agcod import AgcodSession
from agcod_async.batch import CONCURRENCY, DEADLINE_SECONDS, Issued, Order, Receipt, issue_many
from agcod_async.batch.job_run import Handed
from agcod_async.cli.display import TICK_SECONDS, Display, Glance
from agcod_async.cli.interrupts import DRAIN_SECONDS, interrupts
from agcod_async.cli.orders_file import RefusedRow, Row
from agcod_async.cli.report import Report
from agcod_async.cli.run_figures import figures_of
from agcod_async.cli.tally import Tally
from agcod_async.cli.traffic import Traffic
from agcod_async.clock import Clock
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.delivery import DeliveryLine, DeliveryPolicy, LineState, Sink, Undelivered
from agcod_async.figures import Figures
from agcod_async.figures.pace import PaceMeter
from agcod_async.journal.base import Journal
from agcod_async.pacing.pacer import LocalPacer
from agcod_async.providers.agcod.messages import GiftCard
from agcod_async.providers.agcod.operations import AGCOD
from agcod_async.settings import Settings
from agcod_async.wire.port import Transport


@dataclass(frozen=True, slots=True)
class Line:
    """A session, and what can be seen of it while it works."""

    session: AgcodSession
    pacer: LocalPacer
    traffic: Traffic
    pace: PaceMeter


@asynccontextmanager
async def open_line(
    settings: Settings,
    *,
    policy: RecoveryPolicy = RecoveryPolicy(),  # noqa: B008  immutable
    transport: Transport | None = None,
    journal: Journal | None = None,
) -> AsyncGenerator[Line, None]:
    """Open a session whose pacer and traffic can be watched, and close everything with it."""
    traffic, pace = Traffic(), PaceMeter(settings.requests_per_second, Clock())
    observers = (traffic.observe, pace.observe)
    pacer = LocalPacer(
        requests_per_second=settings.requests_per_second,
        sub_limits=AGCOD.sub_limits,
        policy=policy,
    )
    try:
        async with AgcodSession(
            settings,
            transport=transport,
            journal=journal,
            pacer=pacer,
            observers=observers,
            policy=policy,
        ) as session:
            yield Line(session, pacer, traffic, pace)
    finally:
        await pacer.aclose()
        if transport is not None:
            await transport.aclose()


@dataclass(slots=True)
class Batch:
    """One batch. `total` is the number of rows to expect, for the display alone."""

    line: Line
    rows: Iterable[Row]
    total: int
    _: KW_ONLY
    display: Display
    report: Report
    sink: Sink | None
    delivery_policy: DeliveryPolicy = field(default_factory=DeliveryPolicy)
    concurrency: int = CONCURRENCY
    deadline_seconds: float = DEADLINE_SECONDS
    tally: Tally = field(default_factory=Tally)
    elapsed_seconds: float = 0.0
    figures: Figures | None = None
    """What it came to, once it has been issued; None if that could not be put together."""
    _report_is_open: bool = True
    _leaving: asyncio.Task[None] | None = None
    _delivery: DeliveryLine | None = field(init=False)
    _places: asyncio.Semaphore = field(init=False)
    """A card that has none waits, and so does whoever would issue the next one."""

    def __post_init__(self) -> None:
        """Put a line in front of the sink."""
        policy = self.delivery_policy
        self._places = asyncio.Semaphore(policy.at_a_time_max)
        self._delivery = None
        if self.sink is not None:
            watch = self._watch_delivery
            self._delivery = DeliveryLine(self.sink, policy=policy, on_change=watch)

    async def issue(self) -> None:
        """Issue the orders. What has come of them is in `tally`."""
        started_at = asyncio.get_running_loop().time()
        ticker = asyncio.create_task(self._tick(started_at))
        try:
            with interrupts(drain=self._drain, leave=self._leave) as steps:
                try:
                    try:
                        await self._issue()
                    finally:
                        await self._close_delivery()
                except asyncio.CancelledError:
                    if not steps.took_last():
                        raise
        finally:
            ticker.cancel()
            await asyncio.gather(ticker, return_exceptions=True)
            if self._leaving is not None:
                await self._leaving
            self.elapsed_seconds = asyncio.get_running_loop().time() - started_at
            self.display.show(self._glance())
            self._keep_figures()

    def _keep_figures(self) -> None:
        try:
            self.figures = figures_of(self.tally, self.line.traffic, self.line.pace.pace())
        except Exception as error:  # noqa: BLE001  the result of the batch must not be lost with it
            self.display.note(f"there will be no report: {type(error).__name__}: {error}")

    async def _issue(self) -> None:
        receipts = issue_many(
            self.line.session,
            self._orders(),
            concurrency=self.concurrency,
            deadline_seconds=self.deadline_seconds,
        )
        async with asyncio.TaskGroup() as handing_over:
            async for receipt in receipts:
                await self._take(receipt, handing_over)

    async def _orders(self) -> AsyncGenerator[Order, None]:
        rows = iter(self.rows)
        while await self._is_wanted():
            try:
                row = next(rows, None)
            except Exception as error:  # noqa: BLE001  what was taken must get its verdict
                self._stop(f"it could not be read further, {type(error).__name__}: {error}")
                return
            if row is None:
                return
            if isinstance(row, RefusedRow):
                self.tally.rows_refused += 1
                self._tell(partial(self.report.refused, row))
            else:
                self.tally.take(row)
                yield row

    async def _is_wanted(self) -> bool:
        """Whether another order should be taken; waits while its code would go nowhere."""
        if self._delivery is not None and self.tally.stopped is None:
            await self._delivery.ready()
        return self.tally.stopped is None

    async def _take(self, receipt: Receipt, handing_over: asyncio.TaskGroup) -> None:
        """Take a receipt in; wait while the sink has as many cards as it may have."""
        verdict = receipt.verdict
        if self._delivery is None or not isinstance(verdict, Issued):
            self._end(receipt, "none", "")
        else:
            await self._places.acquire()
            handing_over.create_task(self._hand_over(self._delivery, verdict.card, receipt))

    async def _hand_over(self, line: DeliveryLine, card: GiftCard, receipt: Receipt) -> None:
        handover = await line.hand_over(card, receipt.order)
        self._places.release()
        if isinstance(handover, Undelivered):
            self._end(receipt, "failed", handover.problem)
        else:
            self._end(receipt, "done", "")

    def _end(self, receipt: Receipt, delivered: Handed, problem: str) -> None:
        self.tally.add(receipt, delivered)
        self._tell(partial(self.report.ended, receipt, delivered, problem))

    def _watch_delivery(self, line: DeliveryLine) -> None:
        match line.state:
            case LineState.STOPPED:
                self.display.note(
                    f"delivery     has failed {line.failures_in_row} times in a row, the last "
                    f"time: {line.last_problem}; no order is taken until a card is"
                )
            case LineState.GIVEN_UP:
                self._stop(f"{line.failures_in_row} deliveries in a row have failed")
            case LineState.OPEN:
                self.display.note("delivery     goes on")
            case _:
                assert_never(line.state)

    async def _close_delivery(self) -> None:
        if self._delivery is not None:
            await self._delivery.aclose()

    # --- stopping ------------------------------------------------------------------------------

    def _stop(self, reason: str) -> None:
        if self.tally.stopped is None:
            self.tally.stopped = reason

    def _drain(self) -> None:
        self._stop("it was interrupted")
        self.display.note(
            f"interrupted: waiting for {len(self.tally.open_ids)} orders under way, "
            f"{DRAIN_SECONDS:.0f} s at most; once more to wait no longer"
        )

    def _leave(self) -> None:
        if self._leaving is None:
            self._leaving = asyncio.create_task(self.line.session.aclose(drain_seconds=0.0))
            if self._delivery is not None:
                self._delivery.hurry()

    # --- telling -------------------------------------------------------------------------------

    def _tell(self, tell: Callable[[], None]) -> None:
        if not self._report_is_open:
            return
        try:
            tell()
        except OSError:
            self._report_is_open = False
            self._stop("nobody reads the receipts any more")

    async def _tick(self, started_at: float) -> None:
        while True:
            self.elapsed_seconds = asyncio.get_running_loop().time() - started_at
            self.display.show(self._glance())
            await asyncio.sleep(TICK_SECONDS)

    def _glance(self) -> Glance:
        return Glance(
            elapsed_seconds=self.elapsed_seconds,
            total=self.total,
            tally=self.tally,
            traffic=self.line.traffic,
            pacer=self.line.pacer.stats(),
        )
