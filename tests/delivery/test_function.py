"""A function as a sink, asynchronous or plain."""

import asyncio
import gc
import subprocess
import sys
import threading
import weakref

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


HANGS = """
import asyncio, threading
from agcod_async.delivery import FunctionSink
from tests.delivery.cards import card_of, order_of

async def main():
    sink = FunctionSink(lambda card, order: threading.Event().wait())
    try:
        async with asyncio.timeout(0.01):
            await sink.deliver(card_of(1), order_of(1))
    except TimeoutError:
        print("too long")
    await sink.aclose()

asyncio.run(main())
"""


def test_a_function_that_hangs_does_not_keep_the_process_from_its_end() -> None:
    ended = subprocess.run(  # noqa: S603  our own interpreter and words
        (sys.executable, "-c", HANGS), capture_output=True, text=True, timeout=30, check=True
    )

    assert ended.stdout == "too long\n"


def test_a_card_that_was_given_up_before_its_turn_never_reaches_the_function() -> None:
    taken: list[str] = []
    go_on = threading.Event()

    def deliver(_card: GiftCard, order: Order) -> None:
        assert go_on.wait(5)
        taken.append(order.request_id)

    async def main() -> None:
        sink = FunctionSink(deliver)
        first = asyncio.create_task(sink.deliver(card_of(1), order_of(1)))
        second = asyncio.create_task(sink.deliver(card_of(2), order_of(2)))
        await asyncio.sleep(0.01)
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        go_on.set()
        await first
        await sink.deliver(card_of(3), order_of(3))
        await sink.aclose()

    asyncio.run(main())

    assert taken == ["Toy1", "Toy3"]


def test_nothing_is_kept_of_a_card_that_was_handed_over() -> None:
    class Kept:
        """Something that only the card's delivery holds."""

    async def main() -> None:
        sink = FunctionSink(lambda _card, _order: None)
        kept = Kept()
        is_alive = weakref.ref(kept)
        assert sink._thread is not None
        await sink._thread.ask(lambda kept=kept: kept)
        del kept
        await asyncio.sleep(0.01)
        gc.collect()
        assert is_alive() is None
        await sink.aclose()

    asyncio.run(main())
