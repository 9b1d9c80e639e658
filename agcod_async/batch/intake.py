"""Which order of a job comes next: what an earlier run left behind, then the plan in its order.

Rules of this file:

1. An order is claimed, durably, before anybody may send it. What was claimed and not sent goes
   back into the plan when the line stops or the run ends; after a crash it counts as perhaps sent.
2. An order that met what stopped the line is the next to be taken, from the plan or as it stands.
   One that was unavailable for another reason is left to another run.
3. The plan has ended only when nothing is under way any more that could come back.
"""

import asyncio
import math
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from typing import Final

from agcod_async.batch.job import Job
from agcod_async.batch.job_rows import JobRow, RowState
from agcod_async.batch.stop_line import StopLine, Ticket
from agcod_async.clock import Clock
from agcod_async.journal.base import JournalError

CLAIMED_AT_ONCE: Final = 64
"""How many orders share a commit when they are claimed, if so many are to be under way."""


@dataclass(frozen=True, slots=True)
class Taken:
    """An order that is to be sent now. `is_fresh`: nothing can have come of it before.

    `left` is the state in which this run has found it the first time.
    """

    row: JobRow
    ticket: Ticket
    left: RowState
    is_fresh: bool


class Intake:
    """Hands out the orders of one run, one at a time. `stopped` says why there are no more."""

    def __init__(
        self,
        job: Job,
        line: StopLine,
        clock: Clock,
        *,
        left_behind: tuple[RowState, ...],
        patience_seconds: float,
        concurrency: int,
        on_move: Callable[[RowState, RowState], None],
    ) -> None:
        """Take up `left_behind` before the plan; wait `patience_seconds` for a line that stands.

        `on_move` is told of every order that goes from one state to another.
        """
        self._job = job
        self._line = line
        self._clock = clock
        self._patience_seconds = patience_seconds
        self._at_once = min(concurrency, CLAIMED_AT_ONCE)
        self._on_move = on_move
        self._standing_since: float | None = None
        self._behind = job.rows(*left_behind)
        self._behind_rows: deque[tuple[JobRow, RowState]] = deque()
        self._behind_is_over = False
        self._claimed: deque[JobRow] = deque()
        self._again: deque[int] = deque()
        self._after = 0
        self._cap_is_reached = False
        self._is_over = False
        self._changed = asyncio.Event()
        self._under_way: dict[int, JobRow] = {}
        self.stopped: str | None = None

    def stop(self, why: str) -> None:
        """Hand out no more."""
        if self.stopped is None:
            self.stopped = why
        self.changed()

    def changed(self) -> None:
        """Look again: the line has stopped, or goes on."""
        self._changed.set()

    def ended(self, taken: Taken, *, again: JobRow | None) -> None:
        """Say that an order is under way no more; `again` is as it stands if it is taken again."""
        del self._under_way[taken.row.number]
        if again is not None and again.state is RowState.PLANNED:
            self._again.append(again.number)
        elif again is not None:
            self._behind_rows.append((again, taken.left))
        self.changed()

    @property
    def open_rows(self) -> tuple[JobRow, ...]:
        """The orders under way, and those that wait to be taken again, as this run found them."""
        waiting = (replace(row, state=left) for row, left in self._behind_rows)
        return (*self._under_way.values(), *waiting)

    async def orders(self) -> AsyncGenerator[Taken, None]:
        """Yield what is to be sent, until the plan ends or somebody says stop."""
        try:
            while self.stopped is None and not self._is_over:
                self._changed.clear()
                if not await self._may_send():
                    continue
                if not (self._behind_rows or self._claimed):
                    await self._fetch()
                if self._wait_seconds() != 0:
                    continue  # the line has stopped meanwhile
                if self._behind_rows:
                    yield self._taken(*self._behind_rows.popleft(), is_fresh=False)
                elif self._claimed:
                    yield self._taken(self._claimed.popleft(), RowState.PLANNED, is_fresh=True)
                elif self._under_way:
                    await self._wait(math.inf)
                elif self._cap_is_reached:
                    self.stop("the spend cap leaves no room for the next order")
                else:
                    self._is_over = not self._again
        finally:
            with suppress(JournalError):  # what cannot be put back counts as perhaps sent
                await self._release()
            await self._behind.aclose()

    def _taken(self, row: JobRow, left: RowState, *, is_fresh: bool) -> Taken:
        self._under_way[row.number] = replace(row, state=left)
        return Taken(row, self._line.take(), left, is_fresh)

    # --- the next ones ----------------------------------------------------------------------------

    async def _fetch(self) -> None:
        """Get the next orders, if there are any."""
        if not self._behind_is_over:
            row = await anext(self._behind, None)
            self._behind_is_over = row is None
            if row is not None:
                self._behind_rows.append((row, row.state))
                return
        if self._again:
            number = self._again.popleft()
            claimed = await self._job.claim(after=number - 1, limit=1)
            if not claimed.rows and claimed.cap_is_reached:
                self._again.appendleft(number)
        else:
            claimed = await self._job.claim(after=self._after, limit=self._at_once)
            if claimed.rows:
                self._after = claimed.rows[-1].number
        self._claimed.extend(claimed.rows)
        for row in claimed.rows:
            self._on_move(RowState.PLANNED, row.state)
        self._cap_is_reached = claimed.cap_is_reached

    async def _release(self) -> None:
        """Put back into the plan what was claimed and has not been handed out."""
        claimed, self._claimed = self._claimed, deque()
        self._again.extend(row.number for row in claimed)
        for row in await asyncio.gather(
            *(self._job.move(one, RowState.PLANNED) for one in claimed)
        ):
            self._on_move(RowState.UNDER_WAY, row.state)

    # --- a line that stands -----------------------------------------------------------------------

    async def _may_send(self) -> bool:
        """Whether an order may go now; if not, wait for a change first."""
        wait_seconds = self._wait_seconds()
        if self._line.stop is None:
            self._standing_since = None
            return True
        now = self._clock.monotonic()
        if self._standing_since is None:
            self._standing_since = now
        left_seconds = self._standing_since + self._patience_seconds - now
        if wait_seconds == 0:
            return True
        await self._release()
        if not self._under_way and not await self._is_anything_left():
            self._is_over = True
        elif left_seconds <= 0:
            self.stop("the line stands still")
        else:
            await self._wait(min(math.inf if wait_seconds is None else wait_seconds, left_seconds))
        return False

    async def _is_anything_left(self) -> bool:
        if self._behind_rows or self._again or not self._behind_is_over:
            return True
        async with aclosing(self._job.rows(RowState.PLANNED, after=self._after)) as planned:
            return await anext(planned, None) is not None

    def _wait_seconds(self) -> float | None:
        return self._line.wait_seconds(self._clock.monotonic())

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(None if seconds == math.inf else seconds):
                await self._changed.wait()
