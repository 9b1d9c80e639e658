"""A job that is killed, or refused by its disk, at any system call, and is run again."""

import asyncio
import os
import random
from collections import Counter
from collections.abc import Sequence
from itertools import islice

import pytest

from tests.crash.rig import KILL, STRACE, Point, Scene, Tried, Zygote, points, tried

pytestmark = [
    pytest.mark.timeout(900),
    # Where the gate installs strace it says so, and then these tests may not be left out.
    pytest.mark.skipif(
        STRACE is None and "AGCOD_TESTS_NEED_STRACE" not in os.environ,
        reason="strace is not installed",
    ),
]

PARTS = 4
"""The points are dealt out to so many tests, so that several processes share them."""

AT_ONCE = 3
SHARE_OF_PLANNED = 2
"""Every second point of a job that has its plan already."""

TRIED_MIN = 1_000
REACHED_MIN = 0.8
"""Threads take turns as they like, so a late call may come in one run and not in another."""


async def all_points() -> list[Point]:
    """Return the points of a whole run, and some of a run that finds its plan."""
    chosen: list[Point] = []
    async with Zygote.started() as zygote:
        for is_planned in (False, True):
            async with Scene.opened(zygote) as scene:
                if is_planned:
                    await scene.crash(Point("openat", "deliveries", 1, KILL))
                found = list(points(await scene.counted(), is_planned=is_planned))
            chosen += found[:: SHARE_OF_PLANNED if is_planned else 1]
    return chosen


async def tried_all(
    cases: Sequence[tuple[Point, ...]], semantics: str = "tombstone"
) -> list[Tried]:
    """Try all cases, several at a time."""
    left, found = iter(cases), list[Tried]()

    async def lane() -> None:
        async with Zygote.started() as zygote:
            for case in left:
                try:
                    found.extend(await tried(zygote, *case, semantics=semantics))
                except AssertionError as error:
                    raise AssertionError(f"at {' then '.join(map(str, case))}: {error}") from error

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(lane())
    return found


@pytest.mark.parametrize("part", range(PARTS))
def test_a_job_that_dies_at_any_system_call_ends_as_if_it_had_not(part: int) -> None:
    async def main() -> None:
        every = await all_points()
        assert len(every) >= TRIED_MIN
        found = await tried_all([(point,) for point in every[part::PARTS]])
        reached = Counter(one.was_reached for one in found)
        assert reached[True] >= REACHED_MIN * len(found)

    asyncio.run(main())


@pytest.mark.parametrize("semantics", ["tombstone", "reissue", "fence"])
def test_a_job_that_dies_again_and_again_ends_as_if_it_had_not(semantics: str) -> None:
    async def main() -> None:
        every = await all_points()
        chance = random.Random(semantics)
        cases = [tuple(chance.sample(every, k=chance.randrange(2, 5))) for _ in range(20)]
        await tried_all(cases, semantics)

    asyncio.run(main())


@pytest.mark.parametrize("error", ["ENOSPC", "EROFS"])
def test_a_disk_that_takes_nothing_is_said_clearly_and_nothing_is_sent(error: str) -> None:
    """From the first write of the plan, of its completion, and of the journal: full, read-only."""

    async def main() -> None:
        async with Zygote.started() as zygote:
            for file in ("job.sqlite-wal", "job.sqlite", "journal.sqlite"):
                async with Scene.opened(zygote) as scene:
                    full = await scene.crash(
                        Point("pwrite64", file, 1, f"error={error}", lasts=True)
                    )
                    assert full.was_reached
                    assert not scene.emulator.arrivals.total
                    (said,) = islice(scene.errors().splitlines(), 1)
                    assert said.startswith("JournalError: ")
                    assert file.partition("-")[0] in said

    asyncio.run(main())
