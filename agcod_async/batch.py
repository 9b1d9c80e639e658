"""Many orders through one session: a bounded number at a time, a receipt for each.

One bad order never stops the others, and memory does not grow with the number of orders: a fixed
number of workers share one iterator, and a slow reader of the receipts slows them down.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable
from dataclasses import dataclass

import anyio
from anyio.streams.memory import MemoryObjectSendStream

from agcod_async.agcod import AgcodSession
from agcod_async.core.outcomes import Reason
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.errors import (
    AgcodError,
    DeclinedError,
    InDoubtError,
    ReversedError,
    UnavailableError,
    UsageError,
)
from agcod_async.pacing.port import Lane
from agcod_async.providers.agcod.messages import GiftCard, TransactionSource
from agcod_async.values import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One gift card to be created. The fields are those of `create_gift_card`."""

    request_id: str
    amount: Money
    program_id: str | None = None
    product_type: str | None = None
    external_reference: str | None = None
    transaction_source: TransactionSource | None = None


@dataclass(frozen=True, slots=True)
class Issued:
    """The card is live. `card.replayed` tells that it had been handed out before."""

    card: GiftCard


@dataclass(frozen=True, slots=True)
class Declined:
    """Nothing was issued, and somebody must change something first."""

    error: DeclinedError | UsageError


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Nothing was issued; the same order may be sent again later."""

    error: UnavailableError


@dataclass(frozen=True, slots=True)
class Reversed:
    """What may have been issued is dead."""

    error: ReversedError


@dataclass(frozen=True, slots=True)
class InDoubt:
    """Unknown. Never send this order under another request ID; `reconcile()` settles it."""

    error: InDoubtError


Verdict = Issued | Declined | Unavailable | Reversed | InDoubt


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one order. `request_id` is the live card's where one was issued."""

    order: Order
    request_id: str
    verdict: Verdict


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
                await receipts.send(_receipt(order, card_or_error))

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


def _receipt(order: Order, card_or_error: GiftCard | AgcodError) -> Receipt:
    if isinstance(card_or_error, GiftCard):
        return Receipt(order, card_or_error.request_id, Issued(card_or_error))
    return Receipt(order, order.request_id, _verdict(card_or_error))


def _verdict(error: AgcodError) -> Verdict:
    match error:
        case DeclinedError() | UsageError():
            return Declined(error)
        case UnavailableError():
            return Unavailable(error)
        case ReversedError():
            return Reversed(error)
        case InDoubtError():
            return InDoubt(error)
        case _:
            return InDoubt(InDoubtError(error.reason, request_id=error.request_id))


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
