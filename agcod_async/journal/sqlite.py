"""The journal that survives its process: one SQLite file, written by the standard library."""

import os
import weakref
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from agcod_async.journal.base import Which
from agcod_async.journal.group_commit import GroupCommit
from agcod_async.journal.records import Entry
from agcod_async.journal.sqlite_store import SqliteStore

PRUNE_AGE_SECONDS_MIN: Final = 86_400.0
"""Nothing younger is pruned: for a day an entry may still decide how its order is brought to its
end, and keeps a card that was handed out from being undone."""


class SqliteJournal:
    """Keeps entries in one file, for one process at a time.

    When a method has returned, what it wrote survives a crash of the process, of the machine, and
    a power cut. Writes that wait at the same time share one commit. A method that is cancelled
    stops waiting only: the write happens, as it would have if the process had died just after it.
    After a `JournalError` other than `StaleEntryError` it is not known whether the write has
    happened; opening the entry again tells.

    Any number of tasks and event loops may share a journal. A session does not close one that it
    was given: use it as an async context manager around the session, or call `aclose`.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open the file, or make it; beside it lie its log (-wal, -shm) and its `.lock` file.

        This reads the disk, so do it before the work begins. The file must be on a local disk.
        Raises `JournalInUseError` where another process has it open, and `JournalError` where it
        cannot be opened, is not a journal, or was written by a newer release.
        """
        self._store = SqliteStore.at(Path(path))
        self._thread = GroupCommit(self._store, name=f"the journal {self._store.path}")
        # The thread knows nothing of this object. So an owner who forgets to close it can be
        # noticed, when the object or the interpreter ends: what is queued is written first.
        weakref.finalize(self, self._thread.stop)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def bind(self, partner_id: str, host: str) -> None:
        """Keep the journal for this partner at this host; a session does so by itself.

        Raises `OtherAccountError` if it is kept for another.
        """
        await self._thread.ask(partial(self._store.bind, partner_id, host))

    async def open(self, entry: Entry) -> Entry:
        """Record `entry`, or return the one that is already there under its operation and ID."""
        return await self._thread.ask(partial(self._store.open_entry, entry))

    async def advance(self, entry: Entry) -> Entry:
        """Replace version n by `entry`, which carries version n, and return it as n + 1."""
        return await self._thread.ask(partial(self._store.advance, entry))

    async def find(self, operation: str, request_id: str) -> Entry | None:
        """Return the entry of an operation under an ID as it stands now, or None."""
        return await self._thread.ask(partial(self._store.find, operation, request_id))

    async def entries(self, which: Which = Which.ALL) -> AsyncIterator[Entry]:
        """Iterate over entries in the order of their opening, a page at a time."""
        after: int | None = 0
        while after is not None:
            read = partial(self._store.page, which, after=after)
            page, after = await self._thread.ask(read)
            for entry in page:
                yield entry

    async def prune(self, *, older_than_seconds: float, now: float) -> int:
        """Remove finished calls that last changed so long before `now`; return how many.

        Open entries always stay. Prune only what nobody calls again: for the journal, an ID that
        it has forgotten is a new one, and Amazon may have forgotten it too. `now` is UTC seconds
        since 1970. The room in the file is used again, the file does not shrink.
        """
        if not older_than_seconds >= PRUNE_AGE_SECONDS_MIN:
            raise ValueError(
                f"older_than_seconds: {older_than_seconds} is too young"
                f" (at least {PRUNE_AGE_SECONDS_MIN:g})"
            )
        updated_before = now - older_than_seconds
        removed, after = 0, 0
        while True:
            step = partial(self._store.prune_some, after=after, updated_before=updated_before)
            some, last = await self._thread.ask(step)
            if last is None:
                return removed
            removed, after = removed + some, last

    async def aclose(self) -> None:
        """Finish what is queued, write the log back into the file, and let go of it.

        Afterwards every method raises `JournalError`.
        """
        await self._thread.aclose()
