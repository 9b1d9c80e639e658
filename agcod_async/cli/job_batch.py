"""One run of a job on the command line: count, tell, show, and take interrupts.

Rules of this file:

1. Nothing that happens to a display or a listener stops an order that is under way.
2. When something asks to stop, no more orders are taken; those under way get their verdicts.
"""

import asyncio
import signal
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import KW_ONLY, dataclass, field

from agcod_async.batch.job_run import JobRun, Settled
from agcod_async.cli.display import TICK_SECONDS, Display, Glance
from agcod_async.cli.interrupts import DRAIN_SECONDS, interrupts
from agcod_async.cli.issuing import Line
from agcod_async.cli.report import Report
from agcod_async.cli.tally import Tally
from agcod_async.journal.base import JournalError


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

    def _end(self, settled: Settled) -> None:
        self.tally.add(settled.receipt, settled.delivered)
        if not self._report_is_open:
            return
        try:
            self.report.ended(settled.receipt, settled.delivered, settled.problem)
        except OSError:
            self._report_is_open = False
            self.run.stop("nobody reads the receipts any more")

    def _drain(self) -> None:
        self.run.stop("it was interrupted")
        self.display.note(
            f"interrupted: waiting for {len(self.run.open_ids)} orders under way, "
            f"{DRAIN_SECONDS:.0f} s at most; once more to wait no longer"
        )

    def _leave(self) -> None:
        if self._leaving is None:
            self._leaving = asyncio.create_task(self.line.session.aclose(drain_seconds=0.0))

    async def _tick(self, started_at: float) -> None:
        while True:
            self.elapsed_seconds = asyncio.get_running_loop().time() - started_at
            self.display.show(self._glance())
            await asyncio.sleep(TICK_SECONDS)

    def _glance(self) -> Glance:
        self.tally.open_ids = dict.fromkeys(self.run.open_ids)
        self.tally.stopped = self.run.stopped
        return Glance(
            elapsed_seconds=self.elapsed_seconds,
            total=self.total,
            tally=self.tally,
            traffic=self.line.traffic,
            pacer=self.line.pacer.stats(),
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
