"""A function as a sink, asynchronous or plain."""

import asyncio
import threading

import pytest

from agcod_async.batch import Order
from agcod_async.delivery import FunctionSink
from agcod_async.providers.agcod.messages import GiftCard
from agcod_async.testing.clock import run
from tests.delivery.cards import card_of, order_of


def test_an_async_function_is_awaited_on_the_loop() -> None:
    taken: list[tuple[GiftCard, Order]] = []

    async def deliver(card: GiftCard, order: Order) -> None:
        await asyncio.sleep(5)
        taken.append((card, order))

    async def main() -> float:
        sink = FunctionSink(deliver)
        await sink.deliver(card_of(1), order_of(1))
        await sink.aclose()
        return asyncio.get_running_loop().time()

    assert run(main()) == pytest.approx(5, abs=0.01)
    assert taken == [(card_of(1), order_of(1))]


def test_a_plain_function_always_runs_in_the_same_thread_and_never_on_the_loop() -> None:
    threads: set[int] = set()
    all_are_there = threading.Event()

    def deliver(_card: GiftCard, _order: Order) -> None:
        assert all_are_there.wait(5)
        threads.add(threading.get_ident())

    async def main() -> None:
        sink = FunctionSink(deliver)
        asyncio.get_running_loop().call_later(0.02, all_are_there.set)
        await asyncio.gather(*(sink.deliver(card_of(n), order_of(n)) for n in range(5)))
        await sink.aclose()

    asyncio.run(main())

    assert len(threads) == 1
    assert threads != {threading.get_ident()}


def test_a_plain_function_may_return_something_to_await() -> None:
    taken: list[str] = []

    async def store(order: Order) -> None:
        taken.append(order.request_id)

    async def main() -> None:
        sink = FunctionSink(lambda _card, order: store(order))
        await sink.deliver(card_of(1), order_of(1))
        await sink.aclose()

    asyncio.run(main())

    assert taken == ["Toy1"]


@pytest.mark.parametrize("kind", ["async", "plain"])
def test_what_a_function_raises_is_what_the_sink_raises(kind: str) -> None:
    def plain(_card: GiftCard, _order: Order) -> None:
        raise LookupError("no such order")

    async def asynchronous(card: GiftCard, order: Order) -> None:
        plain(card, order)

    async def main() -> None:
        sink = FunctionSink(plain if kind == "plain" else asynchronous)
        with pytest.raises(LookupError):
            await sink.deliver(card_of(1), order_of(1))
        await sink.aclose()

    asyncio.run(main())
