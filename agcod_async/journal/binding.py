"""A journal in the hands of a session: it is that account's, or it is not used at all.

A sandbox's journal opened with production settings would have its orders finished there, as real
cards. So the first session that uses a file binds it to its partner and endpoint, and any other
is refused before it reads or writes an entry.
"""

from collections.abc import AsyncIterator

from agcod_async.core.outcomes import Reason
from agcod_async.errors import UsageError
from agcod_async.journal.base import Bindable, Journal, OtherAccountError, Which
from agcod_async.journal.records import Entry
from agcod_async.settings import Settings


class BoundJournal:
    """A journal that is bound to an account before its first use.

    Raises `UsageError` in the place of whatever is asked if it is another account's.
    """

    def __init__(self, journal: Journal, binding: Bindable, settings: Settings) -> None:
        """`journal` and `binding` are the same object."""
        self._journal = journal
        self._binding = binding
        self._settings = settings
        self._is_bound = False

    async def open(self, entry: Entry) -> Entry:
        """Record `entry`, or return the one that is already there under its operation and ID."""
        await self._bind()
        return await self._journal.open(entry)

    async def advance(self, entry: Entry) -> Entry:
        """Replace version n by `entry`; only what was opened here is ever moved on."""
        return await self._journal.advance(entry)

    async def find(self, operation: str, request_id: str) -> Entry | None:
        """Return the entry of an operation under an ID as it stands now, or None."""
        await self._bind()
        return await self._journal.find(operation, request_id)

    async def entries(self, which: Which = Which.ALL) -> AsyncIterator[Entry]:
        """Iterate over entries in the order of their opening."""
        await self._bind()
        async for entry in self._journal.entries(which):
            yield entry

    async def aclose(self) -> None:
        """Release the storage."""
        await self._journal.aclose()

    async def _bind(self) -> None:
        if self._is_bound:
            return
        try:
            await self._binding.bind(self._settings.partner_id, self._settings.host)
        except OtherAccountError as error:
            raise UsageError(Reason(f"the journal {error}")) from error
        self._is_bound = True


def bound(journal: Journal | None, settings: Settings) -> Journal | None:
    """Return `journal` so that only this account can use it, where it can be bound."""
    if journal is None or not isinstance(journal, Bindable):
        return journal
    return BoundJournal(journal, journal, settings)
