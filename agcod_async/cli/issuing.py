"""One batch from its rows to its receipts: issue, hand over, count, tell, show.

Rules of this file:

1. Nothing that happens to a display, a sink or a listener stops an order that is under way.
2. When something asks to stop, no more orders are taken; those under way get their verdicts.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import KW_ONLY, dataclass, field
from functools import partial

from agcod_async.agcod import AgcodSession
from agcod_async.batch import CONCURRENCY, DEADLINE_SECONDS, Issued, Order, Receipt, issue_many
from agcod_async.cli.delivery import FAILURES_MAX, Delivery
from agcod_async.cli.display import TICK_SECONDS, Display, Glance
from agcod_async.cli.interrupts import DRAIN_SECONDS, interrupts
from agcod_async.cli.orders_file import RefusedRow, Row
from agcod_async.cli.report import Report
from agcod_async.cli.sinks import DeliveryError
from agcod_async.cli.tally import Delivered, Tally
from agcod_async.cli.traffic import Traffic
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.journal.base import Journal
from agcod_async.pacing.pacer import LocalPacer
from agcod_async.providers.agcod.operations import AGCOD
from agcod_async.settings import Settings
from agcod_async.wire.port import Transport


@dataclass(frozen=True, slots=True)
class Line:
    """A session, and what can be seen of it while it works."""

    session: AgcodSession
    pacer: LocalPacer
    traffic: Traffic


@asynccontextmanager
async def open_line(
    settings: Settings,
    *,
    policy: RecoveryPolicy = RecoveryPolicy(),  # noqa: B008  immutable
    transport: Transport | None = None,
    journal: Journal | None = None,
) -> AsyncGenerator[Line, None]:
    """Open a session whose pacer and traffic can be watched, and close everything with it."""
    traffic = Traffic()
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
            observers=(traffic.observe,),
            policy=policy,
        ) as session:
            yield Line(session, pacer, traffic)
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
    delivery: Delivery
    concurrency: int = CONCURRENCY
    deadline_seconds: float = DEADLINE_SECONDS
    tally: Tally = field(default_factory=Tally)
    elapsed_seconds: float = 0.0
    _report_is_open: bool = True
    _leaving: asyncio.Task[None] | None = None

    async def issue(self) -> None:
        """Issue the orders. What has come of them is in `tally`."""
        started_at = asyncio.get_running_loop().time()
        ticker = asyncio.create_task(self._tick(started_at))
        try:
            with interrupts(drain=self._drain, leave=self._leave) as steps:
                try:
                    await self._issue()
                    await self._finish_delivery()
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

    async def _issue(self) -> None:
        receipts = issue_many(
            self.line.session,
            self._orders(),
            concurrency=self.concurrency,
            deadline_seconds=self.deadline_seconds,
        )
        async for receipt in receipts:
            await self._end(receipt)

    def _orders(self) -> Iterator[Order]:
        rows = iter(self.rows)
        while self.tally.stopped is None:
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
                self.tally.open_ids[row.request_id] = None
                yield row

    async def _end(self, receipt: Receipt) -> None:
        delivered: Delivered = "none"
        if isinstance(receipt.verdict, Issued):
            delivered = await self.delivery.hand_over(receipt.verdict.card, receipt.order)
        self.tally.add(receipt, delivered)
        problem = self.delivery.problem
        self._tell(partial(self.report.ended, receipt, delivered, problem))
        if self.delivery.is_hopeless:
            self._stop(f"{FAILURES_MAX} deliveries in a row have failed")

    async def _finish_delivery(self) -> None:
        try:
            await self.delivery.finish()
        except DeliveryError as error:
            self.tally.take_back_deliveries(error.request_ids)
            self.display.note(f"undelivered  {error}")

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
            self.delivery.hurry()

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
