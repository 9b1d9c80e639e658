"""The table of a SQLite journal, and how a file of an older version becomes one of the newest.

What must never be written is refused by the file itself, whoever writes: the constraints and
triggers below hold for this package, for its next version and for somebody with a SQL prompt.
There is no column for a claim code, and none that one could get into by mistake.

The steps only ever grow: a step that has been released is not changed, the next one changes what
it made.
"""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from agcod_async.journal.base import JournalError

APPLICATION_ID: Final = 0x41474A4C
"""Marks the file as ours ("AGJL"), in the header field that SQLite keeps for that."""

STEPS: tuple[tuple[str, ...], ...] = (
    (
        f"PRAGMA application_id = {APPLICATION_ID}",
        # `number` is the order of opening: a wall clock may be set back, a number may not.
        """
        CREATE TABLE entry (
            number         INTEGER PRIMARY KEY,
            operation      TEXT    NOT NULL,
            request_id     TEXT    NOT NULL,
            partner_id     TEXT    NOT NULL,
            amount         TEXT    NOT NULL,
            body           BLOB    NOT NULL,
            created_at     REAL    NOT NULL,
            live_id        TEXT    NOT NULL,
            leg            TEXT    NOT NULL,
            epoch          INTEGER NOT NULL,
            doubtful       INTEGER NOT NULL,
            undone         INTEGER NOT NULL,
            tainted        INTEGER NOT NULL,
            confirmed      INTEGER NOT NULL,
            sends          INTEGER NOT NULL,
            first_sent_at  REAL,
            last_sent_at   REAL,
            effects_until  REAL,
            gc_id          TEXT,
            error_code     TEXT,
            error_type     TEXT,
            verdict        TEXT    NOT NULL,
            updated_at     REAL    NOT NULL,
            version        INTEGER NOT NULL,
            CONSTRAINT one_entry_for_each_call UNIQUE (operation, request_id),
            CONSTRAINT leg_is_known CHECK (leg IN ('forward', 'undo', 'lookup')),
            CONSTRAINT verdict_is_known
                CHECK (verdict IN ('', 'Issued', 'Declined', 'Unavailable', 'Reversed')),
            CONSTRAINT confirmed_is_never_undone CHECK (NOT (confirmed AND leg = 'undo')),
            CONSTRAINT issued_is_confirmed CHECK (verdict <> 'Issued' OR confirmed)
        )
        """,
        "CREATE INDEX open_entries ON entry (number) WHERE verdict = ''",
        """
        CREATE TRIGGER version_goes_up_by_one BEFORE UPDATE ON entry
            WHEN NEW.version <> OLD.version + 1
            BEGIN SELECT RAISE(ABORT, 'a transition raises the version by one'); END
        """,
        """
        CREATE TRIGGER confirmed_stays BEFORE UPDATE ON entry
            WHEN OLD.confirmed AND NOT NEW.confirmed
            BEGIN SELECT RAISE(ABORT, 'what was confirmed stays confirmed'); END
        """,
        """
        CREATE TRIGGER successors_only_follow BEFORE UPDATE ON entry
            WHEN NEW.epoch < OLD.epoch
            BEGIN SELECT RAISE(ABORT, 'no ID is used again after its successor'); END
        """,
        """
        CREATE TRIGGER an_order_stays_the_same BEFORE UPDATE ON entry
            WHEN (NEW.operation, NEW.request_id, NEW.partner_id, NEW.amount, NEW.body)
                IS NOT (OLD.operation, OLD.request_id, OLD.partner_id, OLD.amount, OLD.body)
            BEGIN SELECT RAISE(ABORT, 'what was ordered never changes'); END
        """,
        """
        CREATE TRIGGER open_entries_stay BEFORE DELETE ON entry
            WHEN OLD.verdict = ''
            BEGIN SELECT RAISE(ABORT, 'an open entry is never removed'); END
        """,
    ),
    (
        "ALTER TABLE entry ADD COLUMN last_undo_at REAL",
        """
        ALTER TABLE entry ADD COLUMN audited_at REAL
            CONSTRAINT what_is_audited_is_confirmed CHECK (audited_at IS NULL OR confirmed)
        """,
        # What shows in an older file that the order may have sent an undo. Its time is not on
        # record, but it is not after what was sent last.
        """
        UPDATE entry SET last_undo_at = coalesce(last_sent_at, updated_at), version = version + 1
            WHERE undone OR tainted OR epoch > 0 OR leg = 'undo'
        """,
        """
        CREATE INDEX unaudited_entries ON entry (number)
            WHERE confirmed AND last_undo_at IS NOT NULL AND audited_at IS NULL
        """,
        """
        CREATE TRIGGER an_undo_is_not_forgotten BEFORE UPDATE ON entry
            WHEN OLD.last_undo_at IS NOT NULL AND NEW.last_undo_at IS NULL
            BEGIN SELECT RAISE(ABORT, 'an undo that was sent is not forgotten'); END
        """,
    ),
)
"""Step n, counting from 1, brings a file of version n - 1 to version n."""


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


def check_is_journal(connection: sqlite3.Connection) -> None:
    """Raise `JournalError` for a file that is not ours, or that is newer than this package."""
    is_empty = not _number(connection, "SELECT count(*) FROM sqlite_master")
    version = _number(connection, "PRAGMA user_version")
    marked = _number(connection, "PRAGMA application_id")
    if marked != APPLICATION_ID and not (is_empty and version == marked == 0):
        raise JournalError("the file is a database of something else")
    if version > len(STEPS):
        raise JournalError(
            f"its version is {version}, and this release of agcod-async knows up to {len(STEPS)}: "
            "a newer release has written it"
        )


def keep_durable(connection: sqlite3.Connection) -> None:
    """Let a commit that has returned survive a power cut."""
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise JournalError(f"a write-ahead log cannot be kept there (SQLite offers {mode!r})")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA fullfsync = ON")  # macOS: through the drive's own cache too
    connection.execute("PRAGMA mmap_size = 0")  # an I/O error is to be an error, not a signal


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the file to the newest version, step by step: a step happens entirely or not at all."""
    version = _number(connection, "PRAGMA user_version")
    for number, step in enumerate(STEPS[version:], start=version + 1):
        with transaction(connection):
            for statement in step:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")


def _number(connection: sqlite3.Connection, statement: str) -> int:
    (number,) = connection.execute(statement).fetchone()
    return int(number)
