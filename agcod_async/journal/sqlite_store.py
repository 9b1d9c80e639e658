"""What a SQLite journal is asked for, inside a transaction of its thread."""

from pathlib import Path
from typing import Final, Self

from agcod_async.journal import sqlite_schema
from agcod_async.journal.base import OtherAccountError, StaleEntryError, Which
from agcod_async.journal.records import Entry, replace
from agcod_async.journal.sqlite_file import SqliteFile
from agcod_async.journal.sqlite_rows import (
    ADVANCE,
    FIND,
    INSERT,
    PAGES,
    NumberedRow,
    entry_of,
    row_of,
)

PRUNED_AT_ONCE: Final = 1_000
"""How many rows a step of pruning looks at, so that the calls that run wait for little."""

READ_AT_ONCE: Final = 256
"""How many entries a page has, for the same reason."""


class SqliteStore(SqliteFile):
    """An open journal file."""

    @classmethod
    def at(cls, path: Path) -> Self:
        """Open the journal at `path`, and make it if there is none.

        Raises `JournalInUseError` if another process has it, and `JournalError` otherwise.
        """
        return cls.opened(path, sqlite_schema.form())

    def bind(self, partner_id: str, host: str) -> None:
        """Keep this journal for one account; raises `OtherAccountError` if it is another's."""
        self._connection.execute(
            "INSERT INTO account VALUES (1, ?, ?) ON CONFLICT DO NOTHING", (partner_id, host)
        )
        bound: tuple[str, str] = self._connection.execute(
            "SELECT partner_id, host FROM account"
        ).fetchone()
        if bound != (partner_id, host):
            raise OtherAccountError(self.path, bound, (partner_id, host))

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
