"""The journal's port: three verbs, and compare-and-set on every transition."""

from collections.abc import Sequence
from typing import Protocol

from agcod_async.journal.records import Entry


class StaleEntryError(Exception):
    """Somebody else has moved this entry on. Whoever gets this must not send anything."""


class Journal(Protocol):
    """Keeps entries. When a method has returned, what it wrote survives what the journal promises.

    Every method may raise `OSError` where the storage fails: nothing is sent then.
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
