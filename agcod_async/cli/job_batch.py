"""One run of a job on the command line: count, tell, show, and take interrupts.

Rules of this file:

1. Nothing that happens to a display or a listener stops an order that is under way.
2. When something asks to stop, no more orders are taken; those under way get their verdicts.
"""

import asyncio
import signal
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import KW_ONLY, dataclass, field
from typing import Final

from agcod_async.batch.job_rows import JobRow, RowState
from agcod_async.batch.job_run import JobRun, Settled
from agcod_async.cli.display import TICK_SECONDS, Display, Glance
from agcod_async.cli.interrupts import DRAIN_SECONDS, interrupts
from agcod_async.cli.issuing import Line
from agcod_async.cli.report import Report
from agcod_async.cli.run_figures import figures_of
from agcod_async.cli.tally import Tally
from agcod_async.figures import Figures
from agcod_async.figures.figures import Standing
from agcod_async.journal.base import JournalError

_STANDINGS: Final[Mapping[RowState, Standing]] = {
    RowState.ISSUED: "issued",
    RowState.IN_DOUBT: "in_doubt",
    RowState.UNDER_WAY: "open",
}
"""Where the figures of an earlier run have an order that this run takes up again."""


@dataclass(slots=True)
class JobBatch:
    """One run. `total` is the number of orders that it will take, for the display alone."""

    line: Line
    run: JobRun
    total: int
    _: KW_ONLY
    display: Display
    report: Report
    tally: Tally = field(default_factory=Tally)
    elapsed_seconds: float = 0.0
    figures: Figures | None = None
    """What the run came to, once it has ended; None if that could not be put together."""
    failure: JournalError | None = None
    """Why the plan could not be written, if it could not: the disk is full, say."""
    _report_is_open: bool = True
    _leaving: asyncio.Task[None] | None = None

    async def issue(self) -> None:
        """Issue what the job has left. What has come of it is in `tally`."""
        started_at = asyncio.get_running_loop().time()
        ticker = asyncio.create_task(self._tick(started_at))
        try:
            with (
                interrupts(drain=self._drain, leave=self._leave) as steps,
                resumed_by_signal(self.run),
            ):
                try:
                    async for settled in self.run.settled():
                        self._end(settled)
                except JournalError as error:
                    self.failure = error
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

    def _end(self, settled: Settled) -> None:
        if settled.row.state is RowState.PLANNED:
            self.tally.put_back(settled.row.order, _STANDINGS.get(settled.left))
        else:
            self._take(settled.row, settled.left)
            if settled.row.state is RowState.ISSUED:
                self.tally.add_issued(settled.receipt, settled.delivered)
            else:
                self.tally.add(settled.receipt, settled.delivered)
        if not self._report_is_open:
            return
        try:
            self.report.ended(settled.receipt, settled.delivered, settled.problem)
        except OSError:
            self._report_is_open = False
            self.run.stop("nobody reads the receipts any more")

    def _take(self, row: JobRow, left: RowState) -> None:
        self.tally.take(row.order, _STANDINGS.get(left))

    def _keep_figures(self) -> None:
        for row in self.run.open_rows:
            self._take(row, row.state)
        try:
            self.figures = figures_of(self.tally, self.line.traffic, self.line.pace.pace())
        except Exception as error:  # noqa: BLE001  the result of the run must not be lost with it
            self.display.note(f"there will be no report: {type(error).__name__}: {error}")

    def _drain(self) -> None:
        self.run.stop("it was interrupted")
        self.display.note(
            f"interrupted: waiting for {len(self.run.open_rows)} orders under way, "
            f"{DRAIN_SECONDS:.0f} s at most; once more to wait no longer"
        )

    def _leave(self) -> None:
        self.run.hurry()
        if self._leaving is None:
            self._leaving = asyncio.create_task(self.line.session.aclose(drain_seconds=0.0))

    async def _tick(self, started_at: float) -> None:
        while True:
            self.elapsed_seconds = asyncio.get_running_loop().time() - started_at
            self.display.show(self._glance())
            await asyncio.sleep(TICK_SECONDS)

    def _glance(self) -> Glance:
        self.tally.open_ids = dict.fromkeys(row.order.request_id for row in self.run.open_rows)
        self.tally.stopped = self.run.stopped
        return Glance(
            elapsed_seconds=self.elapsed_seconds,
            total=self.total,
            tally=self.tally,
            traffic=self.line.traffic,
            pacer=self.line.pacer.stats(),
            funds=self.run.funds,
        )


@contextmanager
def resumed_by_signal(run: JobRun) -> Generator[None, None, None]:
    """Set a line going again on SIGUSR1, for as long as the block runs, where there is one."""
    loop = asyncio.get_running_loop()
    # Windows has neither the signal nor handlers on a loop; other threads may not set any.
    missing = (AttributeError, NotImplementedError, RuntimeError, ValueError)
    with suppress(*missing):
        loop.add_signal_handler(signal.SIGUSR1, run.resume)
    try:
        yield
    finally:
        with suppress(*missing):
            loop.remove_signal_handler(signal.SIGUSR1)
