"""The connection of a SQLite journal: how it is opened, and what is said over it.

Rules of this file:

1. One connection, used by one thread at a time, and one process at a time. Two connections that
   write to one write-ahead log can destroy it in SQLite before 3.51.3, and the SQLite that comes
   with Python is mostly older.
2. `synchronous = FULL`: a commit that has returned survives a power cut.
3. Whatever SQLite or the file system raises leaves as `JournalError`, in words that quote nothing
   of what was to be written.
"""

import errno
import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

from agcod_async.journal.base import JournalError, StaleEntryError, Which
from agcod_async.journal.lock_file import HAS_FLOCK, PRIVATE, JournalInUseError, LockFile
from agcod_async.journal.records import Entry, replace
from agcod_async.journal.sqlite_rows import (
    ADVANCE,
    FIND,
    INSERT,
    PAGES,
    UNFINISHED,
    NumberedRow,
    entry_of,
    row_of,
)
from agcod_async.journal.sqlite_schema import check_is_journal, keep_durable, migrate, transaction

BUSY_SECONDS_MAX: Final = 2.0
"""How long a transaction waits for somebody with a SQL prompt who writes to the same file."""

PRUNED_AT_ONCE: Final = 1_000
"""How many rows a step of pruning looks at, so that the calls that run wait for little."""

READ_AT_ONCE: Final = 256
"""How many entries a page has, for the same reason."""

_REFUSALS = (
    sqlite3.IntegrityError,  # a constraint
    sqlite3.ProgrammingError,  # a value of a type that SQLite does not know
    sqlite3.DataError,  # one that is too long
    OverflowError,  # too large
    ValueError,  # not text, or a row that makes no entry
)
"""What concerns one write alone: SQLite has taken back that one, and the transaction goes on."""


class SqliteStore:
    """An open journal file. Nothing in here waits for another task: that is the thread's part."""

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: LockFile | None) -> None:
        """Take over a connection that is ready, and the lock that protects it."""
        self.path = path
        self._connection = connection
        self._lock = lock

    @classmethod
    def at(cls, path: Path) -> "SqliteStore":
        """Open the journal at `path`, and make it if there is none.

        Raises `JournalInUseError` if another process has it, and `JournalError` otherwise.
        """
        path = Path(os.path.realpath(path))  # the lock is for the file, whatever it is called
        try:
            return _opened(path)
        except JournalInUseError:
            raise
        except (OSError, sqlite3.Error, JournalError) as error:
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
                raise JournalInUseError(path, None) from error
            text = f"the journal {path} cannot be opened: {_in_words(error)}"
            raise JournalError(text) from error

    # --- what the thread asks for -----------------------------------------------------------------

    def transact(self, works: Sequence[Callable[[], None]]) -> Sequence[JournalError | None]:
        """Do all of `works` in one transaction; return for each what went wrong with it.

        Work that is refused fails alone. If the storage fails, or the commit, all of it fails: what
        SQLite may have rolled back on the way is nobody's success.
        """
        errors: list[JournalError | None] = []
        try:
            with transaction(self._connection):
                errors.extend(self._attempt(work) for work in works)
        except Exception as error:  # noqa: BLE001  whoever waits must hear of it, whatever it is
            return [self._failure(error) for _ in works]
        return errors

    def close(self) -> None:
        """Write the log back into the database, and let the next process in."""
        with suppress(sqlite3.Error):  # what was acknowledged is in the log, and stays there
            self._connection.close()
        if self._lock is not None:
            self._lock.release()

    # --- what is asked for, inside a transaction --------------------------------------------------

    def open_entry(self, entry: Entry) -> Entry:
        """Insert `entry`, or return the one that is there."""
        if self._connection.execute(INSERT, row_of(entry)).rowcount:
            return entry
        row: NumberedRow = self._connection.execute(FIND, entry.key).fetchone()
        return entry_of(row)

    def find(self, operation: str, request_id: str) -> Entry | None:
        """Return the entry of an operation under an ID, or None."""
        found = self._connection.execute(FIND, (operation, request_id))
        row: NumberedRow | None = found.fetchone()
        return None if row is None else entry_of(row)

    def advance(self, entry: Entry) -> Entry:
        """Write the next version of `entry`, from the one that it carries."""
        if not self._connection.execute(ADVANCE, row_of(entry)).rowcount:
            raise StaleEntryError(f"{entry.operation} {entry.request_id} has moved on")
        return replace(entry, version=entry.version + 1)

    def unfinished(self) -> list[Entry]:
        """Return the open entries in the order of their opening."""
        rows: list[NumberedRow] = self._connection.execute(UNFINISHED).fetchall()
        return [entry_of(row) for row in rows]

    def page(self, which: Which, *, after: int) -> tuple[list[Entry], int | None]:
        """Return the next entries after a number, and the number of the last of them, if any."""
        read = self._connection.execute(PAGES[which], (after, READ_AT_ONCE))
        rows: list[NumberedRow] = read.fetchall()
        return [entry_of(row) for row in rows], rows[-1][-1] if rows else None

    def prune_some(self, *, after: int, updated_before: float) -> tuple[int, int | None]:
        """Remove what is closed and old among the next rows.

        Return how many were removed, and the number of the last one looked at, if any.
        """
        (last,) = self._connection.execute(
            "SELECT max(number) FROM"
            " (SELECT number FROM entry WHERE number > ? ORDER BY number LIMIT ?)",
            (after, PRUNED_AT_ONCE),
        ).fetchone()
        removed = self._connection.execute(
            "DELETE FROM entry"
            " WHERE number > ? AND number <= ? AND verdict <> '' AND updated_at < ?",
            (after, last, updated_before),
        )
        return removed.rowcount, last

    # --- how it goes wrong ------------------------------------------------------------------------

    def _attempt(self, work: Callable[[], None]) -> JournalError | None:
        try:
            work()
        except JournalError as error:
            return error
        except _REFUSALS as error:
            return self._failure(error)
        return None

    def _failure(self, error: Exception) -> JournalError:
        failure = JournalError(f"{self.path}: {_in_words(error)}")
        if isinstance(error, sqlite3.Error):
            failure.__cause__ = error
        return failure


def _opened(path: Path) -> SqliteStore:
    """Lock the file first: whatever comes then is done by one process alone."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    with ExitStack() as undo:
        lock = LockFile.take(path) if HAS_FLOCK else None
        if lock is not None:
            undo.callback(lock.release)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE))
        connection = sqlite3.connect(
            path,
            timeout=BUSY_SECONDS_MAX,
            isolation_level=None,  # transactions begin and end where this package says so
            check_same_thread=False,  # made here, then handed over to its thread
        )
        undo.callback(connection.close)
        if lock is None:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        check_is_journal(connection)
        keep_durable(connection)
        migrate(connection)
        undo.pop_all()
        return SqliteStore(path, connection, lock)


def _in_words(error: Exception) -> str:
    """Return what `error` says where that is safe to show: the names of others may quote values."""
    match error:
        case OSError(strerror=str(text)):
            return text
        case sqlite3.Error() | JournalError():
            return str(error)
        case _:
            return type(error).__name__
