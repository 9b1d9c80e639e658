"""Whether the funds will do: what a plan still needs, beside what the account has.

Amazon's sandbox always says that there is nothing, so this is for production, and for emulators.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import KW_ONLY, dataclass
from decimal import Decimal
from typing import Final

from agcod_async.agcod import AgcodSession
from agcod_async.batch.alongside import alongside
from agcod_async.batch.job import Job
from agcod_async.batch.job_rows import RowState, Totals
from agcod_async.batch.stop_line import Cause, StopLine
from agcod_async.clock import Clock
from agcod_async.core.outcomes import Reason
from agcod_async.errors import AgcodError, UsageError
from agcod_async.journal.base import JournalError
from agcod_async.pacing.port import Lane
from agcod_async.values import Money

EVERY_SECONDS_MIN: Final = 1.0
"""Amazon answers GetAvailableFunds once a second at most."""
ANSWER_SECONDS_MAX: Final = 60.0
"""How long one question for the funds may take."""

_log = logging.getLogger("agcod_async")


@dataclass(frozen=True, slots=True)
class FundsWatch:
    """How the funds are watched: how often, and below which marks to warn or to stop the line.

    Without `warn_below` the mark is what the plan still needs.
    """

    _: KW_ONLY
    every_seconds: float = 60.0
    warn_below: Money | None = None
    stop_below: Money | None = None

    def __post_init__(self) -> None:
        """Raise `UsageError` for a rate that Amazon does not allow."""
        if not self.every_seconds >= EVERY_SECONDS_MIN:
            problem = f"every_seconds: {self.every_seconds} is too often"
            raise UsageError(Reason(f"{problem} (at least {EVERY_SECONDS_MIN:g})"))


@dataclass(frozen=True, slots=True)
class Funds:
    """The funds at one moment, and what the plan still needs of their currency."""

    available: Money
    needed: Decimal
    is_short: bool
    is_low: bool


def judged(available: Money, totals: Totals, watch: FundsWatch) -> Funds:
    """Hold what is available against the plan and the marks.

    Raises `UsageError` for a mark in another currency than the account's: it would mean nothing.
    """
    needed = sum(
        (
            one.amount
            for state in (RowState.PLANNED, RowState.UNDER_WAY)
            for one in totals[state]
            if one.currency == available.currency
        ),
        Decimal(0),
    )
    for mark in (watch.warn_below, watch.stop_below):
        if mark is not None and mark.currency != available.currency:
            problem = f"the account's funds are in {available.currency}, the mark in"
            raise UsageError(Reason(f"{problem} {mark.currency}"))
    return Funds(
        available,
        needed,
        is_short=available.amount < (watch.warn_below.amount if watch.warn_below else needed),
        is_low=watch.stop_below is not None and available.amount < watch.stop_below.amount,
    )


class FundsGuard:
    """Watches the funds for one run: says when they run short, stops the line when they are low."""

    def __init__(
        self,
        session: AgcodSession,
        job: Job,
        line: StopLine,
        watch: FundsWatch,
        clock: Clock,
        *,
        say: Callable[[str], None],
    ) -> None:
        """Look at nothing yet."""
        self._session = session
        self._job = job
        self._line = line
        self._watch = watch
        self._clock = clock
        self._say = say
        self.latest: Funds | None = None

    @asynccontextmanager
    async def watching(self, on_look: Callable[[], Awaitable[None]]) -> AsyncGenerator[None, None]:
        """Look once before the block, and again and again while it runs.

        Raises `UsageError` for a mark in another currency than the account's. `on_look` is
        awaited after each look.
        """
        await self._look()
        await on_look()
        async with alongside(self._keep_looking(on_look)):
            yield

    async def _keep_looking(self, on_look: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(self._watch.every_seconds)
            try:
                await self._look()
                await on_look()
            except (JournalError, UsageError) as error:
                # Who stops watching lets the funds run out, or leaves a line that stands for ever.
                self._say(f"the funds could not be watched: {error}")

    async def _look(self) -> None:
        try:
            answer = await self._session.get_available_funds(
                lane=Lane.BATCH, deadline_seconds=ANSWER_SECONDS_MAX
            )
        except AgcodError as error:
            _log.warning("the funds could not be asked for: %s", error.reason)
            return
        before, now = self.latest, judged(answer.amount, await self._job.totals(), self._watch)
        self.latest = now
        if now.is_short and (before is None or not before.is_short):
            self._say(f"the funds run short: {now.available}, and {now.needed} is still to issue")
        if now.is_low:
            self._line.run_low(self._clock.monotonic())
        elif self._line.stop is not None and self._line.stop.cause is Cause.FUNDS:
            self._line.resume()
