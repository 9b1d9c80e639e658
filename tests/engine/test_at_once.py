"""Any number of things, a bounded number at a time."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from agcod_async.engine.at_once import at_once
from agcod_async.testing.clock import run


class Work:
    """Numbers that take a second each, and what is known of them."""

    def __init__(self) -> None:
        self.taken = 0
        self.under_way = 0
        self.most = 0

    async def numbers(self, count: int) -> AsyncIterator[int]:
        for number in range(count):
            self.taken += 1
            yield number

    async def double(self, number: int) -> int:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await asyncio.sleep(10 if number == 0 else 1)
        finally:
            self.under_way -= 1
        if number == 13:
            raise LookupError("unlucky")
        return 2 * number


def test_results_come_as_they_are_made_and_a_slow_one_holds_nobody_up() -> None:
    async def main() -> None:
        work = Work()
        came = [one async for one in at_once(4, work.numbers(12), work.double)]

        assert sorted(came) == [2 * n for n in range(12)]
        assert came[-1] == 0
        assert work.most == 4
        assert asyncio.get_running_loop().time() == pytest.approx(10, abs=0.1)

    run(main())


def test_nothing_is_taken_before_there_is_room_for_it() -> None:
    async def main() -> None:
        work = Work()
        results = at_once(4, work.numbers(1000), work.double)
        await anext(results)

        assert work.taken <= 8
        await results.aclose()
        assert work.under_way == 0

    run(main())


def test_without_anything_to_do_nothing_comes() -> None:
    async def main() -> None:
        work = Work()
        assert [one async for one in at_once(4, work.numbers(0), work.double)] == []

    run(main())


def test_what_goes_wrong_is_raised_and_stops_the_rest() -> None:
    async def main() -> None:
        work, before = Work(), asyncio.all_tasks()
        with pytest.raises(LookupError):
            async for _ in at_once(4, work.numbers(100), work.double):
                pass

        assert work.under_way == 0
        assert asyncio.all_tasks() == before

    run(main())
