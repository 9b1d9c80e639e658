"""The journal's port: three verbs, and compare-and-set on every transition."""

from collections.abc import Sequence
from typing import Protocol

from agcod_async.journal.records import Entry


class JournalError(Exception):
    """The journal could not write. Whoever gets this must not send anything."""


class StaleEntryError(JournalError):
    """Somebody else has moved this entry on."""


class Journal(Protocol):
    """Keeps entries. When a method has returned, what it wrote survives what the journal promises.

    Every method raises `JournalError`, and nothing else, where the storage fails.
    """

    async def open(self, entry: Entry) -> Entry:
        """Record `entry`, or return the one that is already there under its operation and ID."""
        ...

    async def advance(self, entry: Entry) -> Entry:
        """Replace version n by `entry`, which carries version n, and return it as n + 1.

        Raises `StaleEntryError` unless the journal holds exactly version n.
        """
        ...

    async def unfinished(self) -> Sequence[Entry]:
        """Return the entries that are open, oldest first."""
        ...

    async def aclose(self) -> None:
        """Release the storage."""
        ...
