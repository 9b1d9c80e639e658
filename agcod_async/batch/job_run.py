"""One run of a job: issue, put on record, hand over, put on record; stop the line when it must.

Rules of this file:

1. An order moves on in the plan only after the session has said what became of it, and a card is
   `delivered` only after the sink has acknowledged it.
2. What an earlier run left behind goes first, under the same IDs. A code that was issued and not
   delivered is read back only where the journal proves that it was issued.
3. What any order would be refused for stops the line and not the orders (`stop_line`).
4. Nothing that happens to the display, the sink or the funds' figures stops what is under way.
"""

import asyncio
import logging
import math
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from typing import Final, assert_never

from agcod_async.agcod import AgcodSession
from agcod_async.batch.fan_out import CONCURRENCY, DEADLINE_SECONDS, fan_out, issue
from agcod_async.batch.funds import Funds, FundsGuard, FundsWatch
from agcod_async.batch.intake import Intake, Taken
from agcod_async.batch.job import Job
from agcod_async.batch.job_rows import JobRow, Outcome, RowState, Totals
from agcod_async.batch.keys import KeyGuard
from agcod_async.batch.rulings import (
    by_journal,
    corrected,
    following,
    goes_back,
    was_not_called,
)
from agcod_async.batch.settled import Handed, Settled
from agcod_async.batch.stop_line import Stop, StopLine
from agcod_async.batch.verdicts import (
    Declined,
    InDoubt,
    Issued,
    Receipt,
    Reversed,
    Unavailable,
    Verdict,
)
from agcod_async.clock import Clock
from agcod_async.core.outcomes import Reason
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.delivery import DeliveryLine, DeliveryPolicy, LineState, Sink, Undelivered
from agcod_async.errors import InDoubtError, UsageError
from agcod_async.journal.records import Entry
from agcod_async.pacing.port import Lane
from agcod_async.providers.agcod.operations import CREATE_GIFT_CARD

_LEFT_BEHIND: Final = (RowState.ISSUED, RowState.IN_DOUBT, RowState.UNDER_WAY)
# In this order an order that moves on never comes into a state that is still to be read.

_NOT_PROVED: Final = Reason("the journal does not prove that it was issued: look it up at Amazon")

_log = logging.getLogger("agcod_async")


class JobRun:
    """One run. Read `settled` to its end; what is public beside it can be looked at meanwhile."""

    def __init__(
        self,
        session: AgcodSession,
        job: Job,
        *,
        sink: Sink | None = None,
        delivery: DeliveryPolicy = DeliveryPolicy(),  # noqa: B008  immutable
        concurrency: int = CONCURRENCY,
        deadline_seconds: float = DEADLINE_SECONDS,
        lane: Lane = Lane.BATCH,
        policy: RecoveryPolicy | None = None,
        funds: FundsWatch | None = None,
        patience_seconds: float = math.inf,
        tell: Callable[[str], None] | None = None,
        clock: Clock = Clock(),  # noqa: B008  immutable
    ) -> None:
        """Run `job` through `session`, which must have been given `job.journal`.

        `sink` is given each card at least once, as `delivery` says, and closed when the run ends.
        `funds` has the account's funds watched. A line that stands still for `patience_seconds`
        ends the run. `tell` is called with a line of text when the line stops or goes on, and
        when the funds run short. Raises `UsageError` if the session is another's.
        """
        accounts = {(one.partner_id, one.host) for one in (session.settings, job.settings)}
        if not session.records_in(job.journal) or len(accounts) > 1:
            raise UsageError(Reason("the session must be given the job's journal and account"))
        self._session = session
        self._job = job
        self._concurrency = concurrency
        self._issuing = (lane, deadline_seconds, policy)
        self._tell = tell
        self._clock = clock
        self._line = StopLine()
        self._delivery = None
        if sink is not None:
            watch = self._watch_delivery
            self._delivery = DeliveryLine(sink, policy=delivery, clock=clock, on_change=watch)
        self._stop_on_record: Stop | None = None
        self._funds = None
        if funds is not None:
            self._funds = FundsGuard(session, job, self._line, funds, clock, say=self._say)
        behind = _LEFT_BEHIND if self._delivery is not None else _LEFT_BEHIND[1:]
        self._intake = Intake(
            job,
            self._line,
            clock,
            left_behind=behind,
            patience_seconds=patience_seconds,
            concurrency=concurrency,
            on_move=self._count,
        )
        self.counts = dict.fromkeys(RowState, 0)
        """The orders of the whole job, by state, as of now."""

    @property
    def has_sink(self) -> bool:
        """Whether there is anybody to hand the codes to."""
        return self._delivery is not None

    @property
    def funds(self) -> Funds | None:
        """The funds when they were last looked at, if they are watched."""
        return None if self._funds is None else self._funds.latest

    @property
    def stop_of_line(self) -> Stop | None:
        """Why the line stands still; None while it runs."""
        return self._line.stop

    @property
    def stopped(self) -> str | None:
        """Why orders were left in the plan, if some were."""
        return self._intake.stopped

    @property
    def open_rows(self) -> tuple[JobRow, ...]:
        """The orders that are under way or taken again, as this run has found them."""
        return self._intake.open_rows

    def stop(self, why: str) -> None:
        """Take no more orders; those under way get their verdicts."""
        self._intake.stop(why)

    def hurry(self) -> None:
        """Give deliveries little more time, and the sink to close: another run reads codes back."""
        if self._delivery is not None:
            self._delivery.hurry()

    def resume(self) -> None:
        """Set a line going again that stands still."""
        self._line.resume()
        self._intake.changed()

    async def settled(self) -> AsyncGenerator[Settled, None]:
        """Issue what is to be issued, and yield what each order came to.

        Raises `JournalError` where the plan cannot be written, after the orders under way.
        """
        async with AsyncExitStack() as at_the_end:
            if self._delivery is not None:
                at_the_end.push_async_callback(self._delivery.aclose)
            for state, sums in (await self._job.totals()).items():
                self.counts[state] = sum(one.orders for one in sums)
            await self._job.set_stopped(None)
            at_the_end.push_async_callback(self._record_stop)
            keys = KeyGuard(self._session, self._line, self._clock)
            await at_the_end.enter_async_context(keys.watching(self._record_stop))
            if self._funds is not None:
                await at_the_end.enter_async_context(self._funds.watching(self._record_stop))
            orders = self._intake.orders()
            await at_the_end.enter_async_context(aclosing(orders))
            wanted = self._wanted(orders)
            settled = fan_out(wanted, self._settle, concurrency=self._concurrency)
            async for one in await at_the_end.enter_async_context(aclosing(settled)):
                yield one

    async def finish(self) -> Totals:
        """Run to the end, and return what the job has come to. Raises as `settled` does."""
        async with aclosing(self.settled()) as settled:
            async for _ in settled:
                pass
        return await self._job.totals()

    async def _wanted(self, orders: AsyncGenerator[Taken, None]) -> AsyncGenerator[Taken, None]:
        """Yield the orders whose codes somebody would take; wait while the sink takes none."""
        while True:
            if self._delivery is not None and not await self._delivery.ready():
                self.stop(self._delivery.words)
            taken = await anext(orders, None)
            if taken is None:
                return
            yield taken

    # --- one order --------------------------------------------------------------------------------

    async def _settle(self, taken: Taken) -> Settled:
        try:
            settled = await self._settled(taken)
        except asyncio.CancelledError:
            raise  # it stays under way: nothing else is known of it
        except BaseException:
            self.stop("the plan could not be written")
            raise
        self._intake.ended(taken, again=settled.row if settled.again else None)
        return settled

    async def _settled(self, taken: Taken) -> Settled:
        row, left = taken.row, taken.left
        entry = await self._entry(row) if left is RowState.ISSUED else None
        if left is RowState.ISSUED and (entry is None or not entry.facts.confirmed):
            unknown = InDoubtError(_NOT_PROVED, request_id=row.order.request_id)
            self._line.inconclusive(taken.ticket, self._clock.monotonic())
            receipt = Receipt(row.order, row.order.request_id, InDoubt(unknown))
            problem = "a code is read back only where the journal proves the card"
            return Settled(row, left, receipt, "failed", problem)
        receipt = await issue(self._session, row.order, *self._issuing)
        if isinstance(receipt.verdict, InDoubt):
            entry = await self._entry(row)
            receipt = replace(receipt, verdict=corrected(receipt.verdict, entry))
        await self._mind_the_line(taken, receipt.verdict)
        state, outcome = following(row, receipt.verdict, is_fresh=taken.is_fresh)
        if state is RowState.IN_DOUBT:
            state, outcome = by_journal(entry, outcome)
        row = await self._move(row, state, outcome)
        handed: Handed = "none"
        problem = ""
        if isinstance(receipt.verdict, Issued) and self._delivery is not None:
            handover = await self._delivery.hand_over(receipt.verdict.card, row.order)
            if isinstance(handover, Undelivered):
                handed, problem = "failed", handover.problem
            else:
                row, handed = await self._move(row, RowState.DELIVERED, outcome), "done"
        elif row.state is RowState.ISSUED and self._delivery is not None:
            handed, problem = "failed", "the code could not be read back"
        return Settled(row, left, receipt, handed, problem, again=goes_back(receipt.verdict))

    async def _entry(self, row: JobRow) -> Entry | None:
        return await self._job.journal.find(CREATE_GIFT_CARD.name, row.order.request_id)

    async def _move(self, row: JobRow, state: RowState, outcome: Outcome) -> JobRow:
        if state is row.state and outcome == row.outcome:
            return row
        moved = await self._job.move(row, state, outcome)
        self._count(row.state, state)
        return moved

    def _count(self, before: RowState, after: RowState) -> None:
        self.counts[before] -= 1
        self.counts[after] += 1

    def _watch_delivery(self, delivery: DeliveryLine) -> None:
        if delivery.state is not LineState.GIVEN_UP:  # then the run ends, and says why
            self._say(f"delivery {delivery.words}")

    # --- the line ---------------------------------------------------------------------------------

    async def _mind_the_line(self, taken: Taken, verdict: Verdict) -> None:
        now = self._clock.monotonic()
        match verdict:
            case Issued(card) if not card.replayed:
                self._line.issued(taken.ticket)
            case Declined(error):
                self._line.refused(taken.ticket, error, now)
                if was_not_called(error):
                    self.stop(f"the session takes no orders: {error.reason}")
            case Unavailable(error) | InDoubt(error) if goes_back(verdict):
                self._line.refused(taken.ticket, error, now)
            case Issued() | Reversed() | Unavailable() | InDoubt():
                self._line.inconclusive(taken.ticket, now)
            case _:
                assert_never(verdict)
        await self._record_stop()

    async def _record_stop(self) -> None:
        """Put on record, and say, if the line has stopped or goes on."""
        stop = self._line.stop
        if stop == self._stop_on_record:
            return
        self._stop_on_record = stop
        self._intake.changed()
        countries = self._session.settings.endpoint.countries
        why = "" if stop is None else stop.words(countries)
        self._say(f"the line stands still: {why}" if why else "the line goes on")
        await self._job.set_stopped(stop)

    def _say(self, text: str) -> None:
        _log.warning("%s", text)
        if self._tell is not None:
            self._tell(text)
