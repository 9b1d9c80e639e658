"""The journal's port: a few verbs, and compare-and-set on every transition."""

from collections.abc import AsyncIterator
from enum import Enum
from pathlib import Path
from typing import Protocol, runtime_checkable

from agcod_async.journal.records import Entry


class JournalError(Exception):
    """The journal could not write. Whoever gets this must not send anything."""


class StaleEntryError(JournalError):
    """Somebody else has moved this entry on."""


class Which(Enum):
    """Which entries to go through."""

    ALL = "all"
    OPEN = "open"
    """Those whose calls are still to be finished."""
    UNAUDITED = "unaudited"
    """Those whose card was handed out after an undo, and has not been looked at since."""


class OtherAccountError(JournalError):
    """The journal keeps the calls of another partner account, or of another endpoint."""

    def __init__(self, path: Path, bound: tuple[str, str], asked: tuple[str, str]) -> None:
        """Both accounts are a partner ID and a host."""
        super().__init__(path, bound, asked)
        self.path = path
        self.bound = bound
        self.asked = asked

    def __str__(self) -> str:
        has, wants = (f"partner {partner} at {host}" for partner, host in (self.bound, self.asked))
        return f"{self.path} is of {has}, not of {wants}: give each account its own file"


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

    async def find(self, operation: str, request_id: str) -> Entry | None:
        """Return the entry of an operation under an ID as it stands now, or None."""
        ...

    def entries(self, which: Which = Which.ALL) -> AsyncIterator[Entry]:
        """Iterate over entries in the order of their opening, in memory that does not grow.

        Each comes once, as it stood not long before: whoever wants to move it on looks at it again
        with `find`. What is opened meanwhile may come or not.
        """
        ...

    async def aclose(self) -> None:
        """Release the storage."""
        ...


@runtime_checkable
class Bindable(Protocol):
    """A journal that can be kept for one account alone: its entries mean nothing at another."""

    async def bind(self, partner_id: str, host: str) -> None:
        """Keep the journal for this partner at this host from now on.

        Raises `OtherAccountError` if it is kept for another.
        """
        ...
