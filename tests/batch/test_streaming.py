"""A batch as a stream: from the source to the reader, and what is left when one of them stops."""

import asyncio
import gc
import tracemalloc
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing

import pytest

from agcod_async.batch import Order, Receipt, issue_many
from agcod_async.testing.clock import run
from tests.support.counter import AMOUNT, Counter, Forgetful, collect, orders, receipts_of

# --- the source ----------------------------------------------------------------------------------


@pytest.mark.parametrize("concurrency", [1, 8])
def test_the_source_is_never_read_ahead_of_the_reader(concurrency: int) -> None:
    async def main() -> None:
        taken, read, furthest = 0, 0, 0

        def source() -> Iterator[Order]:
            nonlocal taken
            for order in orders(200):
                taken += 1
                yield order

        async for _ in issue_many(Counter(), source(), concurrency=concurrency):
            read += 1
            furthest = max(furthest, taken - read)
            await asyncio.sleep(5)

        assert read == 200
        assert furthest <= concurrency

    run(main())


@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_source_that_raises_is_heard_after_the_receipts_of_what_it_gave(concurrency: int) -> None:
    def source() -> Iterator[Order]:
        yield from orders(10)
        raise OSError("the file is gone")

    async def main() -> None:
        seen: list[Receipt] = []
        receipts = issue_many(Counter(), source(), concurrency=concurrency)
        with pytest.raises(OSError, match="the file is gone"):
            await collect(receipts, seen)
        assert len(seen) == 10

    run(main())


def test_an_asynchronous_source_that_raises_is_heard_too() -> None:
    async def source() -> AsyncIterator[Order]:
        for order in orders(3):
            yield order
        raise OSError("the line is dead")

    async def main() -> None:
        seen: list[Receipt] = []
        receipts = issue_many(Counter(), source(), concurrency=2)
        with pytest.raises(OSError, match="the line is dead"):
            await collect(receipts, seen)
        assert len(seen) == 3

    run(main())


def test_something_else_than_an_order_is_a_fault_of_the_caller() -> None:
    async def main() -> None:
        with pytest.raises(AttributeError):
            await receipts_of(Counter(), ["Toy1"])

    run(main())


# --- the end before the end ----------------------------------------------------------------------


@pytest.mark.parametrize("read", [0, 1, 7])
def test_closing_early_leaves_no_task_and_takes_no_more_orders(read: int) -> None:
    async def main() -> None:
        before, counter = asyncio.all_tasks(), Counter()
        closed = False

        async def source() -> AsyncIterator[Order]:
            nonlocal closed
            try:
                for order in orders(1000):
                    yield order
            finally:
                closed = True

        receipts = issue_many(counter, source(), concurrency=5)
        for _ in range(read):
            await anext(receipts)
        await receipts.aclose()
        asked = len(counter.asked)
        await asyncio.sleep(100)

        assert asyncio.all_tasks() == before
        assert counter.under_way == 0
        assert len(counter.asked) == asked <= read + 5
        assert closed == (read > 0)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(main())
        gc.collect()


def test_closing_while_the_source_dawdles_leaves_no_task() -> None:
    async def source() -> AsyncIterator[Order]:
        yield Order(request_id="Toy1", amount=AMOUNT)
        await asyncio.Event().wait()

    async def main() -> None:
        before = asyncio.all_tasks()
        receipts = issue_many(Counter(), source(), concurrency=3)
        await anext(receipts)
        await receipts.aclose()

        assert asyncio.all_tasks() == before

    run(main())


def test_a_reader_who_is_cancelled_leaves_no_task() -> None:
    async def main() -> None:
        before, counter = asyncio.all_tasks(), Counter()
        reader = asyncio.create_task(receipts_of(counter, orders(1000), concurrency=5))
        await asyncio.sleep(2.5)
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader

        assert asyncio.all_tasks() == before
        assert counter.under_way == 0

    run(main())


@pytest.mark.parametrize("turn", range(8))
def test_a_reader_who_is_cancelled_at_once_leaves_no_task_and_no_warning(turn: int) -> None:
    async def main() -> None:
        before, counter = asyncio.all_tasks(), Counter()
        reader = asyncio.create_task(receipts_of(counter, orders(10), concurrency=5))
        for _ in range(turn):
            await asyncio.sleep(0)
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader

        assert asyncio.all_tasks() == before
        assert counter.under_way == 0

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(main())
        gc.collect()


def test_a_reader_who_raises_leaves_no_task() -> None:
    async def main() -> None:
        before = asyncio.all_tasks()

        async def read() -> None:
            async with aclosing(issue_many(Counter(), orders(1000), concurrency=5)) as receipts:
                async for _ in receipts:
                    raise KeyError

        with pytest.raises(KeyError):
            await read()

        assert asyncio.all_tasks() == before

    run(main())


# --- the size ------------------------------------------------------------------------------------


def test_memory_does_not_grow_with_the_number_of_orders() -> None:
    async def peak(count: int) -> int:
        tracemalloc.start()
        counter = Counter(seconds=0)
        counter.asked = Forgetful()
        seen = 0
        async for _ in issue_many(counter, orders(count), concurrency=16):
            seen += 1
        assert seen == count
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    small, large = run(peak(200)), run(peak(4000))

    assert large < small + 100_000


def test_many_orders_cost_little_each() -> None:
    async def main() -> int:
        counter = Counter(seconds=0)
        counter.asked = Forgetful()
        seen = 0
        async for _ in issue_many(counter, orders(20_000)):
            seen += 1
        return seen

    assert run(main()) == 20_000
