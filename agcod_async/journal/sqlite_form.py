"""What every SQLite file of this package has in common: its mark, its versions, its durability.

A file is of one form. The steps of a form only ever grow: a step that has been released is not
changed, the next one changes what it made.
"""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from agcod_async.journal.base import JournalError


@dataclass(frozen=True, slots=True)
class Form:
    """One kind of file. `application_id` marks it, in the header field that SQLite keeps for that.

    `name` is what error texts call it. Step n, counting from 1, brings a file of version n - 1 to
    version n.
    """

    name: str
    application_id: int
    steps: tuple[tuple[str, ...], ...]


@contextmanager
def transaction(connection: sqlite3.Connection) -> Generator[None]:
    """Make what is done inside durable, all of it or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # A full disk makes SQLite roll back by itself, most other failures do not.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def check_is_ours(connection: sqlite3.Connection, form: Form) -> None:
    """Raise `JournalError` for a file of another form, or one newer than this package."""
    is_empty = not _number(connection, "SELECT count(*) FROM sqlite_master")
    version = _number(connection, "PRAGMA user_version")
    marked = _number(connection, "PRAGMA application_id")
    if marked != form.application_id and not (is_empty and version == marked == 0):
        raise JournalError("the file is a database of something else")
    if version > len(form.steps):
        raise JournalError(
            f"its version is {version}, and this release of agcod-async knows up to"
            f" {len(form.steps)}: a newer release has written it"
        )


def keep_durable(connection: sqlite3.Connection) -> None:
    """Let a commit that has returned survive a power cut."""
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise JournalError(f"a write-ahead log cannot be kept there (SQLite offers {mode!r})")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA fullfsync = ON")  # macOS: through the drive's own cache too
    connection.execute("PRAGMA mmap_size = 0")  # an I/O error is to be an error, not a signal


def migrate(connection: sqlite3.Connection, form: Form) -> None:
    """Bring the file to the newest version, step by step: a step happens entirely or not at all."""
    version = _number(connection, "PRAGMA user_version")
    for number, step in enumerate(form.steps[version:], start=version + 1):
        with transaction(connection):
            for statement in step:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")


def _number(connection: sqlite3.Connection, statement: str) -> int:
    (number,) = connection.execute(statement).fetchone()
    return int(number)
