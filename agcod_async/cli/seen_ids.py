"""Which request IDs a file has had so far, without keeping them in memory."""

import sqlite3
from types import TracebackType
from typing import Self


class SeenIds:
    """Remembers on which line an ID stood first; use it as a context manager.

    One ID in two rows would give one card to two people. SQLite keeps the IDs in a private
    temporary file, which it makes when there are many and deletes in the end: ten million IDs in
    a set would take more than a gigabyte.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute(
            "CREATE TABLE seen (id TEXT PRIMARY KEY, line INTEGER) WITHOUT ROWID"
        )
        self._database.execute("BEGIN")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._database.close()

    def line_of(self, request_id: str, line: int) -> int | None:
        """Return the line on which this ID stood before, or None, and remember that it is here."""
        added = self._database.execute(
            "INSERT INTO seen VALUES (?, ?) ON CONFLICT DO NOTHING", (request_id, line)
        )
        if added.rowcount:
            return None
        row: tuple[int] = self._database.execute(
            "SELECT line FROM seen WHERE id = ?", (request_id,)
        ).fetchone()
        return row[0]
