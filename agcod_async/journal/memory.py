"""The journal of a process that may forget: its promises end when the process does.

After a crash nothing is left of it. A web service that can ask its own database for the order and
call again under the same request ID is well served by it, with one gap: it can no longer tell the
first send under an ID from a later one, nor a card that was handed out from one that was not.
"""

from collections import OrderedDict
from collections.abc import AsyncIterator
from typing import Final, assert_never

from agcod_async.journal.base import StaleEntryError, Which
from agcod_async.journal.records import Entry, replace

CLOSED_ENTRIES_MAX: Final = 10_000
"""How many finished calls are remembered; the oldest are forgotten first."""


class MemoryJournal:
    """Keeps entries in memory: all that are open, and the latest that are closed."""

    def __init__(self, *, closed_entries_max: int = CLOSED_ENTRIES_MAX) -> None:
        """Remember at most `closed_entries_max` finished calls."""
        self._closed_entries_max = closed_entries_max
        self._entries: dict[tuple[str, str], Entry] = {}
        # In the order of their closing. The first of a plain dict is searched for, and this one is
        # asked for its first with every card.
        self._closed: OrderedDict[tuple[str, str], None] = OrderedDict()

    async def open(self, entry: Entry) -> Entry:
        """Record `entry`, or return the one that is already there under its operation and ID."""
        return self._entries.setdefault(entry.key, entry)

    async def advance(self, entry: Entry) -> Entry:
        """Replace version n by `entry`, which carries version n, and return it as n + 1."""
        key = entry.key
        held = self._entries.get(key)
        if held is None or held.version != entry.version:
            raise StaleEntryError(f"{entry.operation} {entry.request_id} has moved on")
        moved = replace(entry, version=entry.version + 1)
        self._entries[key] = moved
        if held.verdict:
            self._closed.pop(key, None)
        if moved.verdict:
            self._closed[key] = None
            self._forget()
        return moved

    async def find(self, operation: str, request_id: str) -> Entry | None:
        """Return the entry of an operation under an ID as it stands now, or None."""
        return self._entries.get((operation, request_id))

    async def entries(self, which: Which = Which.ALL) -> AsyncIterator[Entry]:
        """Iterate over entries in the order of their opening."""
        for key in tuple(self._entries):  # it may be written to between two of them
            entry = self._entries.get(key)
            if entry is not None and _is(entry, which):
                yield entry

    async def aclose(self) -> None:
        """Do nothing: a session may be opened again on the same journal."""

    def _forget(self) -> None:
        while len(self._closed) > self._closed_entries_max:
            oldest, _ = self._closed.popitem(last=False)
            del self._entries[oldest]


def _is(entry: Entry, which: Which) -> bool:
    match which:
        case Which.ALL:
            return True
        case Which.OPEN:
            return entry.is_open
        case Which.UNAUDITED:
            return entry.is_unaudited
        case _:
            assert_never(which)
