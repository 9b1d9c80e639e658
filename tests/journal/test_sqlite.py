"""A journal in a file: what it keeps, how it shares commits, and how it ends."""

import asyncio
import gc
import sqlite3
import stat
import subprocess
import sys
import threading
import tracemalloc
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from agcod_async.journal.base import JournalError
from agcod_async.journal.group_commit import GROUP_MAX
from agcod_async.journal.sqlite import PRUNE_AGE_SECONDS_MIN, SqliteJournal
from agcod_async.journal.sqlite_store import PRUNED_AT_ONCE
from tests.journal.entries import fresh, issued, sending
from tests.support.journals import open_entries
from tests.tidy import tree


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def statements_of(journal: SqliteJournal) -> list[str]:
    """Return a list to which every statement is added from now on."""
    statements: list[str] = []
    journal._store._connection.set_trace_callback(statements.append)
    return statements


def pragma(journal: SqliteJournal, name: str) -> object:
    return journal._store._connection.execute(f"PRAGMA {name}").fetchone()[0]


async def write(journal: SqliteJournal, count: int, first: int = 0) -> None:
    await asyncio.gather(*(journal.open(fresh(f"Toy{n}")) for n in range(first, first + count)))


# --- what it keeps --------------------------------------------------------------------------------


def test_what_was_written_is_there_when_the_file_is_opened_again(path: Path) -> None:
    async def before() -> None:
        async with SqliteJournal(path) as journal:
            await journal.advance(sending(await journal.open(fresh("Toy1"))))
            await journal.advance(issued(await journal.open(fresh("Toy2"))))

    async def after() -> None:
        async with SqliteJournal(path) as journal:
            assert await open_entries(journal) == [replace(sending(fresh("Toy1")), version=1)]
            assert await journal.open(fresh("Toy2")) == replace(issued(fresh("Toy2")), version=1)

    asyncio.run(before())
    asyncio.run(after())


def test_a_commit_waits_for_the_disk(path: Path) -> None:
    async def main() -> None:
        async with SqliteJournal(path) as journal:
            full = 2
            assert pragma(journal, "journal_mode") == "wal"
            assert pragma(journal, "synchronous") == full
            assert pragma(journal, "fullfsync") == 1
            assert pragma(journal, "mmap_size") == 0

    asyncio.run(main())


def test_the_file_alone_holds_everything_once_the_journal_is_closed(path: Path) -> None:
    async def main() -> None:
        async with SqliteJournal(path) as journal:
            await write(journal, 10)
            assert path.with_name("journal.db-wal").stat().st_size > 0

    asyncio.run(main())

    assert {file.name for file in path.parent.iterdir()} == {"journal.db", "journal.db.lock"}
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM entry").fetchone() == (10,)


def test_only_its_owner_may_read_what_a_journal_creates(path: Path) -> None:
    async def main() -> None:
        async with SqliteJournal(path) as journal:
            await journal.open(fresh())

            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
            names = ("journal.db", "journal.db-shm", "journal.db-wal", "journal.db.lock")
            assert modes == dict.fromkeys(names, 0o600)

    asyncio.run(main())


def test_the_memory_in_use_does_not_grow_with_the_number_of_finished_calls(path: Path) -> None:
    async def main() -> None:
        async def call(n: int) -> None:
            await journal.advance(issued(await journal.open(fresh(f"Toy{n}"))))

        async def calls(first: int) -> int:
            for n in range(first, first + 600, 200):
                await asyncio.gather(*(call(number) for number in range(n, n + 200)))
            gc.collect()
            return tracemalloc.get_traced_memory()[0]

        async with SqliteJournal(path) as journal:
            await calls(0)
            before = await calls(600)
            after = await calls(1_200)

            assert after - before < 600 * 50  # an entry is ten times as large
            assert await open_entries(journal) == []

    tracemalloc.start()
    try:
        asyncio.run(main())
    finally:
        tracemalloc.stop()


# --- one commit for all that wait -----------------------------------------------------------------


def test_writes_that_wait_together_share_one_commit(path: Path) -> None:
    async def main() -> None:
        async with SqliteJournal(path) as journal:
            statements = statements_of(journal)
            await write(journal, 200)

            # The first may be on their way before the others are queued.
            assert statements.count("COMMIT") <= 20
            assert sum("INSERT" in statement for statement in statements) == 200

    asyncio.run(main())


def test_a_group_is_bounded(path: Path) -> None:
    async def main() -> None:
        async with SqliteJournal(path) as journal:
            statements = statements_of(journal)
            await write(journal, 2 * GROUP_MAX + 10)

            groups = "".join("I" if "INSERT" in s else s[0] for s in statements).split("C")
            sizes = [group.count("I") for group in groups]
            assert max(sizes) <= GROUP_MAX
            assert sum(sizes) == 2 * GROUP_MAX + 10

    asyncio.run(main())


def test_a_write_returns_only_after_its_commit(path: Path) -> None:
    async def main() -> None:
        async with SqliteJournal(path) as journal:
            with closing(sqlite3.connect(path)) as other:
                for n in range(10):
                    await journal.open(fresh(f"Toy{n}"))

                    # What another connection sees has been committed.
                    assert other.execute("SELECT count(*) FROM entry").fetchone() == (n + 1,)

    asyncio.run(main())


# --- event loops, waiters -------------------------------------------------------------------------


def test_one_journal_serves_one_event_loop_after_the_other(path: Path) -> None:
    journal = SqliteJournal(path)
    for n in range(3):
        asyncio.run(write(journal, 5, 5 * n))
    assert len(asyncio.run(open_entries(journal))) == 15
    asyncio.run(journal.aclose())


def test_one_journal_serves_event_loops_side_by_side(path: Path) -> None:
    journal = SqliteJournal(path)
    threads = [
        threading.Thread(target=lambda n=n: asyncio.run(write(journal, 50, 50 * n)))
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(asyncio.run(open_entries(journal))) == 200
    asyncio.run(journal.aclose())


def test_cancelled_waiters_lose_no_write_and_harm_nobody(path: Path) -> None:
    async def main() -> None:
        async with SqliteJournal(path) as journal:
            tasks = [asyncio.create_task(journal.open(fresh(f"Toy{n}"))) for n in range(300)]
            await asyncio.sleep(0)
            for task in tasks[::2]:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)

            assert sum(isinstance(end, asyncio.CancelledError) for end in ended) == 150
            assert ended[1::2] == [fresh(f"Toy{n}") for n in range(1, 300, 2)]
            assert len(await open_entries(journal)) == 300

    asyncio.run(main())


def test_a_loop_that_has_closed_leaves_its_writes_behind(path: Path) -> None:
    journal = SqliteJournal(path)

    async def in_a_hurry() -> None:
        for n in range(300):
            asyncio.create_task(journal.open(fresh(f"Toy{n}")))  # noqa: RUF006  left on purpose
        await asyncio.sleep(0)

    asyncio.run(in_a_hurry())

    assert len(asyncio.run(open_entries(journal))) == 300
    asyncio.run(journal.aclose())


# --- the end --------------------------------------------------------------------------------------


def test_closing_finishes_what_is_queued(path: Path) -> None:
    async def main() -> None:
        journal = SqliteJournal(path)
        writes = [asyncio.create_task(journal.open(fresh(f"Toy{n}"))) for n in range(200)]
        await asyncio.sleep(0)
        await journal.aclose()

        assert [write.result() for write in writes] == [fresh(f"Toy{n}") for n in range(200)]

    asyncio.run(main())
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM entry").fetchone() == (200,)


def test_a_closed_journal_says_that_it_is_closed(path: Path) -> None:
    async def main() -> None:
        journal = SqliteJournal(path)
        entry = await journal.open(fresh())
        await journal.aclose()
        await journal.aclose()

        for asking in (
            journal.open(fresh()),
            journal.advance(entry),
            open_entries(journal),
            journal.prune(older_than_seconds=PRUNE_AGE_SECONDS_MIN, now=0.0),
        ):
            with pytest.raises(JournalError, match=r"the journal .*journal\.db is closed"):
                await asking

    asyncio.run(main())


def test_whoever_closes_at_the_same_time_waits_for_the_same_end(path: Path) -> None:
    async def main() -> None:
        journal = SqliteJournal(path)
        await asyncio.gather(*(journal.aclose() for _ in range(5)))

        assert not path.with_name("journal.db-wal").exists()

    asyncio.run(main())


def test_a_closing_that_is_cancelled_goes_on(path: Path) -> None:
    async def main() -> None:
        journal = SqliteJournal(path)
        closing_it = asyncio.create_task(journal.aclose())
        await asyncio.sleep(0)
        closing_it.cancel()
        await asyncio.wait([closing_it])
        await journal.aclose()
        async with SqliteJournal(path) as again:
            assert await open_entries(again) == []

    asyncio.run(main())


def test_no_thread_is_left_after_the_end(path: Path) -> None:
    before = threading.active_count()
    for _ in range(3):
        journal = SqliteJournal(path)
        assert threading.active_count() == before + 1
        asyncio.run(write(journal, 3))
        asyncio.run(journal.aclose())
        assert threading.active_count() == before


def test_a_journal_that_nobody_closes_ends_with_its_last_reference(path: Path) -> None:
    before = threading.active_count()
    journal = SqliteJournal(path)
    asyncio.run(write(journal, 3))
    del journal
    gc.collect()

    assert threading.active_count() == before
    again = SqliteJournal(path)
    assert len(asyncio.run(open_entries(again))) == 3
    asyncio.run(again.aclose())


FORGETFUL = """
import asyncio, sys
from agcod_async.journal.sqlite import SqliteJournal
from tests.journal.entries import fresh

journal = SqliteJournal(sys.argv[1])

async def main():
    tasks = [asyncio.create_task(journal.open(fresh(f"Toy{n}"))) for n in range(100)]
    await asyncio.sleep(0)

asyncio.run(main())
"""


def test_a_journal_that_nobody_closes_keeps_no_interpreter_alive_and_loses_nothing(
    path: Path,
) -> None:
    ended = subprocess.run(  # noqa: S603  a script of ours
        [sys.executable, "-W", "error", "-c", FORGETFUL, str(path)],
        cwd=tree.ROOT,
        timeout=20,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ended.returncode, ended.stderr) == (0, "")
    assert not path.with_name("journal.db-wal").exists()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM entry").fetchone() == (100,)


# --- pruning --------------------------------------------------------------------------------------

DAY = 86_400.0


def test_pruning_removes_what_is_closed_and_old_and_nothing_else(path: Path) -> None:
    async def main() -> None:
        async with SqliteJournal(path) as journal:
            open_and_old = await journal.open(fresh("Toy1"))
            old = await journal.advance(issued(await journal.open(fresh("Toy2")), at=1 * DAY))
            edge = await journal.advance(issued(await journal.open(fresh("Toy3")), at=2 * DAY))
            young = await journal.advance(issued(await journal.open(fresh("Toy4")), at=3 * DAY))

            assert await journal.prune(older_than_seconds=2 * DAY, now=4 * DAY) == 1
            assert await open_entries(journal) == [open_and_old]
            assert [await journal.open(fresh(f"Toy{n}")) for n in (3, 4)] == [edge, young]
            assert await journal.open(fresh("Toy2")) != old
            assert await journal.prune(older_than_seconds=2 * DAY, now=4 * DAY) == 0

    asyncio.run(main())


def test_pruning_goes_on_until_everything_has_been_looked_at(path: Path) -> None:
    async def main() -> None:
        count = 2 * PRUNED_AT_ONCE + 200

        async def call(n: int) -> None:
            entry = await journal.open(fresh(f"Toy{n}"))
            if n % 2:
                await journal.advance(issued(entry))

        async with SqliteJournal(path) as journal:
            await asyncio.gather(*(call(n) for n in range(count)))
            statements = statements_of(journal)

            assert await journal.prune(older_than_seconds=DAY, now=DAY + 4) == count // 2
            assert len(await open_entries(journal)) == count // 2
            assert sum("DELETE" in statement for statement in statements) >= 3

    asyncio.run(main())


def test_a_journal_that_was_pruned_to_nothing_goes_on(path: Path) -> None:
    async def main() -> None:
        async with SqliteJournal(path) as journal:
            assert await journal.prune(older_than_seconds=DAY, now=0.0) == 0
            await journal.advance(issued(await journal.open(fresh())))
            assert await journal.prune(older_than_seconds=DAY, now=9 * DAY) == 1
            assert await journal.open(fresh()) == fresh()

    asyncio.run(main())


@pytest.mark.parametrize("seconds", [0.0, PRUNE_AGE_SECONDS_MIN - 1, float("nan"), -1.0])
def test_what_is_younger_than_a_day_cannot_be_pruned(path: Path, seconds: float) -> None:
    async def main() -> None:
        async with SqliteJournal(path) as journal:
            with pytest.raises(ValueError, match="older_than_seconds"):
                await journal.prune(older_than_seconds=seconds, now=0.0)

    asyncio.run(main())
