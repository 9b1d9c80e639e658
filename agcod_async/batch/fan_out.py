"""Many orders through one session: a bounded number at a time, a receipt for each.

One bad order never stops the others, and memory does not grow with the number of orders: a fixed
number of workers share one iterator, and a slow reader of the receipts slows them down.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable

import anyio
from anyio.streams.memory import MemoryObjectSendStream

from agcod_async.agcod import AgcodSession
from agcod_async.batch.orders import Order
from agcod_async.batch.verdicts import Receipt, receipt_of
from agcod_async.core.outcomes import Reason
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.errors import AgcodError, InDoubtError, UsageError
from agcod_async.pacing.port import Lane
from agcod_async.providers.agcod.messages import GiftCard

CONCURRENCY = 64
"""Enough to use 1,000 permits a second with replies that take 50 ms."""

DEADLINE_SECONDS = 3600.0
"""A batch waits: through cooldowns, and until an undo that got no answer can no longer land."""


async def issue_many(
    session: AgcodSession,
    orders: Iterable[Order] | AsyncIterable[Order],
    *,
    concurrency: int = CONCURRENCY,
    deadline_seconds: float = DEADLINE_SECONDS,
    lane: Lane = Lane.BATCH,
    policy: RecoveryPolicy | None = None,
) -> AsyncGenerator[Receipt, None]:
    """Issue `orders` and yield their receipts as they finish, in no particular order.

    `concurrency` is the number of orders under way at a time (at least 1), `deadline_seconds` the
    time allowed for each. Closing the generator early stops the intake and leaves what is under
    way to the journal. If `orders` itself raises, its exception is raised after the receipts of
    the orders that had been taken.
    """
    if concurrency < 1:
        raise UsageError(Reason(f"concurrency: {concurrency} is too small (at least 1)"))
    source = _Source(orders)
    send, receive = anyio.create_memory_object_stream[Receipt](0)

    async def work(receipts: MemoryObjectSendStream[Receipt]) -> None:
        with receipts:
            while (order := await source.next()) is not None:
                card_or_error = await _issue(session, order, lane, deadline_seconds, policy)
                await receipts.send(receipt_of(order, card_or_error))

    # Plain tasks: a task group may not be left open while a generator hands out its items.
    with send, receive:
        ends = [send.clone() for _ in range(concurrency)]
        workers = [asyncio.create_task(work(end)) for end in ends]
        send.close()  # the workers' ends are left: the stream ends with the last of them
        try:
            async for receipt in receive:
                yield receipt
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            for end in ends:
                end.close()  # also of a worker that was cancelled before it began


async def _issue(
    session: AgcodSession,
    order: Order,
    lane: Lane,
    deadline_seconds: float,
    policy: RecoveryPolicy | None,
) -> GiftCard | AgcodError:
    try:
        return await session.create_gift_card(
            request_id=order.request_id,
            amount=order.amount,
            program_id=order.program_id,
            product_type=order.product_type,
            external_reference=order.external_reference,
            transaction_source=order.transaction_source,
            lane=lane,
            deadline_seconds=deadline_seconds,
            policy=policy,
        )
    except AgcodError as error:
        return error
    except Exception as error:  # noqa: BLE001  a fault in here must not take the batch with it
        reason = Reason(f"the SDK failed with {type(error).__name__}")
        return InDoubtError(reason, request_id=order.request_id, operation="CreateGiftCard")


class _Source:
    """One iterator for all workers; the first end or error of it is the end for all."""

    def __init__(self, orders: Iterable[Order] | AsyncIterable[Order]) -> None:
        self._orders = _stream(orders)
        self._turn = asyncio.Lock()

    async def next(self) -> Order | None:
        async with self._turn:
            return await anext(self._orders, None)


async def _stream(orders: Iterable[Order] | AsyncIterable[Order]) -> AsyncIterator[Order]:
    if isinstance(orders, AsyncIterable):
        async for order in orders:
            yield order
    else:
        for order in orders:
            yield order
