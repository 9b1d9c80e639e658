"""Where the storage fails, a `JournalError` says so, nothing is half written, and life goes on."""

import asyncio
import os
import resource
import shutil
import sqlite3
import stat
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from agcod_async.journal import sqlite_file
from agcod_async.journal.base import Journal, JournalError, StaleEntryError, Which
from agcod_async.journal.records import Entry
from agcod_async.journal.sqlite import SqliteJournal
from agcod_async.journal.sqlite_store import SqliteStore
from tests.journal.entries import fresh, issued, sending
from tests.support.journals import open_entries

MARK = "MARKED-BODY"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def execute(journal: SqliteJournal, statement: str) -> None:
    """Say something over the journal's own connection, while nothing is under way."""
    journal._store._connection.execute(statement)


def heavy(n: int) -> Entry:
    return replace(fresh(f"Toy{n}"), body=MARK.encode() * 1_000)


async def fail(writes: Sequence[asyncio.Task[Entry]], text: str) -> None:
    """See all of them fail for this reason, each with an exception of its own."""
    ended = await asyncio.gather(*writes, return_exceptions=True)
    assert [type(end) for end in ended] == [JournalError] * len(writes)
    assert len({id(end) for end in ended}) == len(writes)
    for end in ended:
        assert text in str(end)
        assert "journal.db" in str(end)
        assert MARK not in repr(end)
        assert MARK not in f"{end!s} {end.__cause__!r}"


def at_once(journal: Journal, first: int, count: int) -> list[asyncio.Task[Entry]]:
    return [asyncio.create_task(journal.open(heavy(n))) for n in range(first, first + count)]


# --- a storage that fails while it is in use ------------------------------------------------------


@contextmanager
def full_disk(journal: SqliteJournal) -> Iterator[None]:
    """SQLite may have no more pages than it has now, nearly."""
    count = journal._store._connection.execute("PRAGMA page_count").fetchone()[0]
    execute(journal, f"PRAGMA max_page_count = {count + 3}")
    yield
    execute(journal, "PRAGMA max_page_count = 1000000")


@contextmanager
def no_larger_files(journal: SqliteJournal) -> Iterator[None]:
    """The operating system refuses to write: files may not grow, whoever writes them."""
    wal = journal._store.path.with_name("journal.db-wal")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (wal.stat().st_size + 5_000, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@contextmanager
def read_only(journal: SqliteJournal) -> Iterator[None]:
    execute(journal, "PRAGMA query_only = ON")
    yield
    execute(journal, "PRAGMA query_only = OFF")


@contextmanager
def locked_by_somebody(journal: SqliteJournal) -> Iterator[None]:
    """Somebody has a SQL prompt, and goes for lunch in the middle of a transaction."""
    execute(journal, "PRAGMA busy_timeout = 20")
    with closing(sqlite3.connect(journal._store.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def commits_fail(journal: SqliteJournal) -> Iterator[None]:
    """Every statement works, and the commit does not."""
    execute(journal, "CREATE TABLE parent (name TEXT PRIMARY KEY)")
    execute(journal, "CREATE TABLE child (name REFERENCES parent DEFERRABLE INITIALLY DEFERRED)")
    orphan = "ON entry BEGIN INSERT INTO child VALUES ('orphan'); END"
    execute(journal, f"CREATE TRIGGER orphaned_by_insert AFTER INSERT {orphan}")
    execute(journal, f"CREATE TRIGGER orphaned_by_update AFTER UPDATE {orphan}")
    execute(journal, "PRAGMA foreign_keys = ON")
    yield
    execute(journal, "PRAGMA foreign_keys = OFF")


Trouble = Callable[[SqliteJournal], AbstractContextManager[None]]

TROUBLES: dict[str, tuple[Trouble, str]] = {
    "the disk is full": (full_disk, "database or disk is full"),
    "the system refuses": (no_larger_files, "disk I/O error"),
    "read-only": (read_only, "attempt to write a readonly database"),
    "locked": (locked_by_somebody, "database is locked"),
    "the commit fails": (commits_fail, "FOREIGN KEY constraint failed"),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_group_fails_as_a_whole_and_the_next_one_is_written(path: Path, trouble: str) -> None:
    break_it, text = TROUBLES[trouble]

    async def main() -> None:
        async with SqliteJournal(path) as journal:
            kept = await journal.advance(sending(await journal.open(fresh("Toy0"))))
            with break_it(journal):
                await fail(at_once(journal, 1, 20), text)

            await asyncio.gather(*at_once(journal, 11, 20))
            unfinished = await open_entries(journal)
            assert unfinished[0] == kept
            assert {entry.request_id for entry in unfinished[1:]} == {
                f"Toy{n}" for n in range(11, 31)
            }
            assert not journal._store._connection.in_transaction

    asyncio.run(main())
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_transition_that_failed_can_be_made_again(path: Path, trouble: str) -> None:
    break_it, text = TROUBLES[trouble]

    async def main() -> None:
        async with SqliteJournal(path) as journal:
            entry = await journal.open(fresh())
            with break_it(journal), pytest.raises(JournalError, match=text):
                await journal.advance(replace(sending(entry), error_type="x" * 20_000))
            moved = await journal.advance(sending(entry))

            assert moved.version == 1

    asyncio.run(main())


def test_a_transaction_waits_for_somebody_who_writes_for_a_moment(path: Path) -> None:
    asyncio.run(SqliteJournal(path).aclose())
    store = SqliteStore.at(path)
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as somebody:
        somebody.execute("BEGIN IMMEDIATE")
        somebody.execute("CREATE TABLE note (name TEXT)")
        done = threading.Timer(0.05, somebody.execute, ["COMMIT"])
        done.start()
        # It reads first: what it has read must still be so when it writes.
        works = (
            lambda: str(store.page(Which.OPEN, after=0)),
            lambda: str(store.open_entry(fresh())),
        )
        assert store.transact(works) == [None, None]
        done.join()
    store.close()


def test_a_table_that_somebody_has_dropped_is_reported(path: Path) -> None:
    async def main() -> None:
        async with SqliteJournal(path) as journal:
            entry = await journal.open(fresh())
            execute(journal, "ALTER TABLE entry RENAME TO other")
            for asking in (journal.open(entry), journal.advance(entry), open_entries(journal)):
                with pytest.raises(JournalError, match="no such table: entry"):
                    await asking

    asyncio.run(main())


def overwrite_all_but_the_first_page(path: Path) -> None:
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))


def test_a_file_that_is_overwritten_while_it_is_open_is_reported(path: Path) -> None:
    async def main() -> None:
        journal = SqliteJournal(path)
        for n in range(50):
            await journal.open(heavy(n))
        execute(journal, "PRAGMA wal_checkpoint(TRUNCATE)")
        execute(journal, "PRAGMA cache_size = 0")
        overwrite_all_but_the_first_page(path)
        with pytest.raises(JournalError, match="database disk image is malformed"):
            await open_entries(journal)
        await journal.aclose()

    asyncio.run(main())


# --- writes that are refused ----------------------------------------------------------------------


def test_a_write_that_is_refused_fails_alone(path: Path) -> None:
    async def main() -> None:
        async with SqliteJournal(path) as journal:
            one, other, third = [await journal.open(fresh(f"Toy{n}")) for n in range(3)]
            confirmed = await journal.advance(issued(third))
            too_large = 2**70
            ended = await asyncio.gather(
                journal.advance(sending(one)),
                journal.advance(replace(other, verdict="Perhaps")),
                journal.advance(replace(other, version=7)),
                journal.advance(replace(other, sends=too_large)),
                journal.advance(replace(other, gc_id="\udcff" + MARK)),
                journal.advance(replace(confirmed, facts=one.facts, verdict="Declined")),
                journal.advance(replace(other, amount={MARK: MARK})),
                journal.advance(sending(other)),
                return_exceptions=True,
            )
            refused = ended[1:-1]

            assert ended[0] == replace(sending(one), version=1)
            assert ended[-1] == replace(sending(other), version=1)
            assert [type(end) for end in refused].count(StaleEntryError) == 1
            assert all(isinstance(end, JournalError) for end in refused)
            assert [str(end).removeprefix(f"{path}: ") for end in refused] == [
                "CHECK constraint failed: verdict_is_known",
                "Issue Toy1 has moved on",
                "OverflowError",
                "UnicodeEncodeError",
                "what was confirmed stays confirmed",
                "Error binding parameter 2: type 'dict' is not supported",
            ]
            assert MARK not in repr([(end, end.__cause__, end.__context__) for end in refused])

    asyncio.run(main())


def test_a_row_that_cannot_be_understood_harms_no_other_call(path: Path) -> None:
    async def main() -> None:
        async with SqliteJournal(path) as journal:
            entry = await journal.open(fresh())
            execute(journal, "PRAGMA ignore_check_constraints = ON")
            execute(journal, "UPDATE entry SET leg = 'sideways', version = 1")
            ended = await asyncio.gather(
                journal.open(entry), journal.open(fresh("Toy2")), return_exceptions=True
            )

            assert str(ended[0]) == f"{path}: ValueError"
            assert ended[1] == fresh("Toy2")

    asyncio.run(main())


# --- a storage that cannot be opened --------------------------------------------------------------


def refused(path: Path) -> str:
    with pytest.raises(JournalError) as caught:
        SqliteJournal(path)
    assert str(path) in str(caught.value)
    assert "cannot be opened" in str(caught.value)
    return str(caught.value)


def test_a_directory_is_no_journal(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()

    assert "directory" in refused(folder)
    assert list(tmp_path.iterdir()) == [folder]


def test_a_journal_needs_its_directory(tmp_path: Path) -> None:
    assert "No such file or directory" in refused(tmp_path / "nowhere" / "journal.db")


@pytest.mark.parametrize(
    "junk", [b"request_id,amount\n" * 100, b"SQLite format 3\0" + b"\xff" * 5000]
)
def test_what_is_no_database_is_left_as_it_is(path: Path, junk: bytes) -> None:
    path.write_bytes(junk)

    assert "file is not a database" in refused(path)
    assert path.read_bytes() == junk


def test_a_database_that_is_damaged_is_not_opened(path: Path) -> None:
    asyncio.run(SqliteJournal(path).aclose())
    whole = path.read_bytes()
    path.write_bytes(whole[:100] + b"\xff" * (len(whole) - 100))

    assert "malformed" in refused(path)


@pytest.fixture
def nobody() -> Iterator[Path]:
    """Return a directory of an ordinary user, and be that user: root may write anywhere."""
    folder = Path(tempfile.mkdtemp())
    ordinary = 65_534 if os.geteuid() == 0 else os.geteuid()
    os.chown(folder, ordinary, -1)
    was = os.geteuid()
    os.seteuid(ordinary)
    yield folder
    os.seteuid(was)
    folder.chmod(stat.S_IRWXU)
    shutil.rmtree(folder)


def test_a_file_that_is_read_only_is_not_opened(nobody: Path) -> None:
    path = nobody / "journal.db"
    asyncio.run(SqliteJournal(path).aclose())
    path.chmod(stat.S_IRUSR)

    assert "Permission denied" in refused(path)


def test_a_directory_that_is_read_only_gets_no_journal(nobody: Path) -> None:
    nobody.chmod(stat.S_IRUSR | stat.S_IXUSR)

    assert "Permission denied" in refused(nobody / "journal.db")


def test_what_could_not_be_opened_is_left_to_others(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[Path] = []

    class Watched(sqlite3.Connection):
        def close(self) -> None:
            closed.append(path)
            super().close()

    def broken(_: sqlite3.Connection, _form: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Watched))
        patch.setattr(sqlite_file, "migrate", broken)
        with pytest.raises(MemoryError):
            SqliteJournal(path)
    assert closed == [path]
    asyncio.run(SqliteJournal(path).aclose())
