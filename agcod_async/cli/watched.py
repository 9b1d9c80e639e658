"""A batch that somebody watches: it is counted, shown, told of, and interrupted.

Rules of this file:

1. Nothing that happens to a display or a listener stops an order that is under way.
2. When something asks to stop, no more orders are taken; those under way get their verdicts.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field

from agcod_async.batch import Funds
from agcod_async.batch.alongside import alongside
from agcod_async.cli.display import TICK_SECONDS, Display, Glance
from agcod_async.cli.interrupts import DRAIN_SECONDS, interrupts
from agcod_async.cli.line import Line
from agcod_async.cli.report import Report
from agcod_async.cli.run_figures import figures_of
from agcod_async.cli.tally import Tally
from agcod_async.figures import Figures


@dataclass(slots=True)
class Watched(ABC):
    """One batch. `total` is the number of rows to expect, for the display alone."""

    line: Line
    _: KW_ONLY
    total: int
    display: Display
    report: Report
    tally: Tally = field(default_factory=Tally)
    elapsed_seconds: float = 0.0
    figures: Figures | None = None
    """What it came to, once it has ended; None if that could not be put together."""
    _report_is_open: bool = True
    _leaving: asyncio.Task[None] | None = None

    async def issue(self) -> None:
        """Issue the orders. What has come of them is in `tally`."""
        started_at = asyncio.get_running_loop().time()
        try:
            async with alongside(self._tick(started_at)):
                with interrupts(drain=self._drain, leave=self._leave) as steps:
                    try:
                        await self._issue()
                    except asyncio.CancelledError:
                        if not steps.took_last():
                            raise
        finally:
            if self._leaving is not None:
                await self._leaving
            self.elapsed_seconds = asyncio.get_running_loop().time() - started_at
            self.display.show(self._glance())
            self._keep_figures()

    # --- what each kind of batch does in its own way ----------------------------------------------

    @abstractmethod
    async def _issue(self) -> None:
        """Issue the orders, count them, tell of them, and close what takes their codes."""

    @abstractmethod
    def _stop(self, reason: str) -> None:
        """Take no more orders."""

    @abstractmethod
    def _hurry(self) -> None:
        """Give the deliveries little more time."""

    @property
    @abstractmethod
    def _has_sink(self) -> bool:
        """Whether codes are handed to anybody."""

    def _look(self) -> Funds | None:
        """Bring the tally up to now, and return the account's funds if they are watched."""
        return None

    # --- stopping ---------------------------------------------------------------------------------

    def _drain(self) -> None:
        self._stop("it was interrupted")
        self._look()
        self.display.note(
            f"interrupted: waiting for {len(self.tally.open_ids)} orders under way, "
            f"{DRAIN_SECONDS:.0f} s at most; once more to wait no longer"
        )

    def _leave(self) -> None:
        if self._leaving is None:
            self._leaving = asyncio.create_task(self.line.session.aclose(drain_seconds=0.0))
            self._hurry()

    # --- telling ----------------------------------------------------------------------------------

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
        funds = self._look()
        return Glance(
            elapsed_seconds=self.elapsed_seconds,
            total=self.total,
            tally=self.tally,
            traffic=self.line.traffic,
            pacer=self.line.pacer.stats(),
            funds=funds,
        )

    def _keep_figures(self) -> None:
        try:
            self.figures = figures_of(
                self.tally, self.line.traffic, self.line.pace.pace(), has_sink=self._has_sink
            )
        except Exception as error:  # noqa: BLE001  the result of the batch must not be lost with it
            self.display.note(f"there will be no report: {type(error).__name__}: {error}")
