"""A SQLite file of this package: how it is opened, how it fails, and who may write to it.

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
from typing import Final, Self

from agcod_async.journal.base import JournalError
from agcod_async.journal.lock_file import HAS_FLOCK, PRIVATE, JournalInUseError, LockFile
from agcod_async.journal.sqlite_form import Form, check_is_ours, keep_durable, migrate, transaction

BUSY_SECONDS_MAX: Final = 2.0
"""How long a transaction waits for somebody with a SQL prompt who writes to the same file."""

_REFUSALS = (
    sqlite3.IntegrityError,  # a constraint
    sqlite3.ProgrammingError,  # a value of a type that SQLite does not know
    sqlite3.DataError,  # one that is too long
    OverflowError,  # too large
    ValueError,  # not text, or a row that makes no entry
)
"""What concerns one write alone: SQLite has taken back that one, and the transaction goes on."""


class SqliteFile:
    """An open file. Nothing in here waits for another task: that is the thread's part."""

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: LockFile | None) -> None:
        """Take over a connection that is ready, and the lock that protects it."""
        self.path = path
        self._connection = connection
        self._lock = lock

    @classmethod
    def opened(cls, path: Path, form: Form) -> Self:
        """Open the file at `path`, and make it if there is none.

        Raises `JournalInUseError` if another process has it, and `JournalError` otherwise.
        """
        path = Path(os.path.realpath(path))  # the lock is for the file, whatever it is called
        try:
            return cls(path, *_connected(path, form))
        except JournalInUseError:
            raise
        except (OSError, sqlite3.Error, JournalError) as error:
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
                raise JournalInUseError(path, None) from error
            text = f"the {form.name} {path} cannot be opened: {_in_words(error)}"
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


def _connected(path: Path, form: Form) -> tuple[sqlite3.Connection, LockFile | None]:
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
        check_is_ours(connection, form)
        keep_durable(connection)
        migrate(connection, form)
        undo.pop_all()
        return connection, lock


def _in_words(error: Exception) -> str:
    """Return what `error` says where that is safe to show: the names of others may quote values."""
    match error:
        case OSError(strerror=str(text)):
            return text
        case sqlite3.Error() | JournalError():
            return str(error)
        case _:
            return type(error).__name__
