"""One batch from its rows to its receipts: issue, hand over, count, tell."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from dataclasses import KW_ONLY, dataclass, field
from functools import partial

from agcod_async.batch import CONCURRENCY, DEADLINE_SECONDS, Issued, Order, Receipt, issue_many
from agcod_async.batch.settled import Handed
from agcod_async.cli.orders_file import RefusedRow, Row
from agcod_async.cli.watched import Watched
from agcod_async.delivery import DeliveryLine, DeliveryPolicy, LineState, Sink, Undelivered
from agcod_async.providers.agcod.messages import GiftCard


@dataclass(slots=True)
class Batch(Watched):
    """The rows of a file, issued one by one with a plan nowhere."""

    rows: Iterable[Row]
    _: KW_ONLY
    sink: Sink | None
    delivery_policy: DeliveryPolicy = field(default_factory=DeliveryPolicy)
    concurrency: int = CONCURRENCY
    deadline_seconds: float = DEADLINE_SECONDS
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

    async def _issue(self) -> None:
        receipts = issue_many(
            self.line.session,
            self._orders(),
            concurrency=self.concurrency,
            deadline_seconds=self.deadline_seconds,
        )
        try:
            async with asyncio.TaskGroup() as handing_over:
                async for receipt in receipts:
                    await self._take(receipt, handing_over)
        finally:
            if self._delivery is not None:
                await self._delivery.aclose()

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
        if line.state is LineState.GIVEN_UP:
            self._stop(line.words)
        else:
            self.display.note(f"delivery     {line.words}")

    @property
    def _has_sink(self) -> bool:
        return self.sink is not None

    def _stop(self, reason: str) -> None:
        if self.tally.stopped is None:
            self.tally.stopped = reason

    def _hurry(self) -> None:
        if self._delivery is not None:
            self._delivery.hurry()
