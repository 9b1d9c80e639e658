"""One run of a job on the command line: its plan says what, this counts and tells."""

import asyncio
import signal
from collections.abc import Generator, Mapping
from contextlib import aclosing, contextmanager, suppress
from dataclasses import KW_ONLY, dataclass
from functools import partial
from typing import Final

from agcod_async.batch import Funds
from agcod_async.batch.job_rows import JobRow, RowState
from agcod_async.batch.job_run import JobRun
from agcod_async.batch.settled import Settled
from agcod_async.cli.watched import Watched
from agcod_async.figures.figures import Standing
from agcod_async.journal.base import JournalError

_STANDINGS: Final[Mapping[RowState, Standing]] = {
    RowState.ISSUED: "issued",
    RowState.IN_DOUBT: "in_doubt",
    RowState.UNDER_WAY: "open",
}
"""Where the figures of an earlier run have an order that this run takes up again."""


@dataclass(slots=True)
class JobBatch(Watched):
    """One run: what the job has left."""

    run: JobRun
    _: KW_ONLY
    refused: int
    """How many rows of its file are no orders."""
    failure: JournalError | None = None
    """Why the plan could not be written, if it could not: the disk is full, say."""

    async def _issue(self) -> None:
        try:
            with resumed_by_signal(self.run):
                async with aclosing(self.run.settled()) as all_settled:
                    async for settled in all_settled:
                        self._end(settled)
        except JournalError as error:
            self.failure = error
        finally:
            for row in self.run.open_rows:
                self._take(row, row.state)

    def _end(self, settled: Settled) -> None:
        row, standing = settled.row, _STANDINGS.get(settled.left)
        if settled.again:
            # It has no verdict: why the line stands is told once, and it counts when it ends.
            if row.state is RowState.PLANNED:
                self.tally.forget(row.order, standing)
            return
        if row.state is RowState.PLANNED:
            self.tally.put_back(row.order, standing)
        else:
            self._take(row, settled.left)
            if row.state is RowState.ISSUED:
                self.tally.add_issued(settled.receipt, settled.delivered)
            else:
                self.tally.add(settled.receipt, settled.delivered)
        self._tell(partial(self.report.ended, settled.receipt, settled.delivered, settled.problem))

    def _take(self, row: JobRow, left: RowState) -> None:
        self.tally.take(row.order, _STANDINGS.get(left))

    @property
    def _has_sink(self) -> bool:
        return self.run.has_sink

    def _stop(self, reason: str) -> None:
        self.run.stop(reason)

    def _hurry(self) -> None:
        self.run.hurry()

    def _look(self) -> Funds | None:
        self.tally.open_ids = dict.fromkeys(row.order.request_id for row in self.run.open_rows)
        self.tally.stopped = self.run.stopped
        return self.run.funds


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
