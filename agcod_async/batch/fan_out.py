"""Many orders through one session: a bounded number at a time, a receipt for each.

One bad order never stops the others, and memory does not grow with the number of orders: a fixed
number of workers share one iterator, and a slow reader of the receipts slows them down.
"""

import asyncio
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
)
from contextlib import aclosing
from typing import Generic, Self, TypeVar

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from agcod_async.agcod import AgcodSession
from agcod_async.batch.orders import Order
from agcod_async.batch.verdicts import Receipt, receipt_of
from agcod_async.core.outcomes import Reason
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.errors import AgcodError, InDoubtError, UsageError
from agcod_async.pacing.port import Lane

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

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

    async def issued(order: Order) -> Receipt:
        return await issue(session, order, lane, deadline_seconds, policy)

    async with aclosing(fan_out(orders, issued, concurrency=concurrency)) as receipts:
        async for receipt in receipts:
            yield receipt


async def fan_out(
    items: Iterable[ItemT] | AsyncIterable[ItemT],
    work: Callable[[ItemT], Awaitable[ResultT]],
    *,
    concurrency: int,
) -> AsyncGenerator[ResultT, None]:
    """Do `work` for `items`, so many at a time, and yield the results as they come."""
    if concurrency < 1:
        raise UsageError(Reason(f"concurrency: {concurrency} is too small (at least 1)"))
    source = _Source(items)
    # There is room for all results, so nobody waits in the stream, which would cost more than the
    # work. A worker that has sent a result waits for it to be taken instead.
    send, receive = anyio.create_memory_object_stream[_Result[ResultT]](concurrency)

    async def worker(results: MemoryObjectSendStream[_Result[ResultT]]) -> None:
        with results:
            async for item in source:
                result = _Result(await work(item))
                results.send_nowait(result)
                await result.taken

    # Plain tasks: a task group may not be left open while a generator hands out its items.
    with send, receive:
        ends = [send.clone() for _ in range(concurrency)]
        workers = [asyncio.create_task(worker(end)) for end in ends]
        send.close()  # the workers' ends are left: the stream ends with the last of them
        try:
            while (result := await _next(receive)) is not None:
                yield result.take()
            await asyncio.gather(*workers)
        finally:
            for one in workers:
                one.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            for end in ends:
                end.close()  # also of a worker that was cancelled before it began


async def issue(
    session: AgcodSession,
    order: Order,
    lane: Lane,
    deadline_seconds: float,
    policy: RecoveryPolicy | None,
) -> Receipt:
    """Issue one order; whatever goes wrong is in the receipt."""
    try:
        card = await session.create_gift_card(
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
        return receipt_of(order, error)
    except Exception as error:  # noqa: BLE001  a fault in here must not take the batch with it
        reason = Reason(f"the SDK failed with {type(error).__name__}")
        unknown = InDoubtError(reason, request_id=order.request_id, operation="CreateGiftCard")
        return receipt_of(order, unknown)
    return receipt_of(order, card)


class _Result(Generic[ResultT]):
    """A result on its way to the reader."""

    def __init__(self, value: ResultT) -> None:
        self._value = value
        self.taken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def take(self) -> ResultT:
        """Let the worker go on with its next item."""
        if not self.taken.done():  # it may have been cancelled
            self.taken.set_result(None)
        return self._value


async def _next(
    results: MemoryObjectReceiveStream[_Result[ResultT]],
) -> _Result[ResultT] | None:
    """Return the next result, without a turn of the event loop if it is there; None at the end."""
    try:
        return results.receive_nowait()
    except anyio.WouldBlock:
        pass
    except anyio.EndOfStream:
        return None
    try:
        return await results.receive()
    except anyio.EndOfStream:
        return None


class _Source(Generic[ItemT]):
    """One iterator for all workers; the first end or error of it is the end for all."""

    def __init__(self, items: Iterable[ItemT] | AsyncIterable[ItemT]) -> None:
        self._items = stream(items)
        self._turn = asyncio.Lock()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ItemT:
        async with self._turn:
            return await anext(self._items)


async def stream(items: Iterable[ItemT] | AsyncIterable[ItemT]) -> AsyncIterator[ItemT]:
    """Yield what is in `items`, whichever kind of iterable it is."""
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield item
    else:
        for item in items:
            yield item
