"""The journal that outlives the simulated processes, with a writer that may die or fail."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING

from agcod_async.journal.base import JournalError, Which
from agcod_async.journal.memory import MemoryJournal
from agcod_async.journal.records import Entry
from tests.simulation.network import for_ever

if TYPE_CHECKING:
    from tests.simulation.world import World


class Durable:
    """What is on record, found by the ID in use as well."""

    def __init__(self) -> None:
        self.inner = MemoryJournal(closed_entries_max=1_000_000)
        self.under: dict[str, list[tuple[str, str]]] = {}
        """The keys of the entries that have ever gone by an ID."""

    def note(self, entry: Entry) -> None:
        keys = self.under.setdefault(entry.live_id, [])
        if entry.key not in keys:
            keys.append(entry.key)

    def entries_under(self, live_id: str) -> list[Entry]:
        """Return the entries that go by this ID now."""
        entries = [self.inner._entries[key] for key in self.under.get(live_id, ())]
        return [entry for entry in entries if entry.live_id == live_id]

    def reconcilable(self) -> list[Entry]:
        """Return what is open and can be finished from its record: a load cannot."""
        loads = ("LoadAmazonBalance", "VoidAmazonBalanceLoad")
        return [one for one in self.entries() if one.is_open and one.operation not in loads]

    def entries(self) -> list[Entry]:
        return list(self.inner._entries.values())


class Writer:
    """One process's way to the journal. Each write takes a turn of the loop, or longer."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._life = world.life

    async def open(self, entry: Entry) -> Entry:
        return await self._write(self._world.record.inner.open, entry)

    async def advance(self, entry: Entry) -> Entry:
        return await self._write(self._world.record.inner.advance, entry)

    async def find(self, operation: str, request_id: str) -> Entry | None:
        return await self._world.record.inner.find(operation, request_id)

    def entries(self, which: Which = Which.ALL) -> AsyncIterator[Entry]:
        return self._world.record.inner.entries(which)

    async def aclose(self) -> None:
        pass

    async def _write(self, write: Callable[[Entry], Awaitable[Entry]], entry: Entry) -> Entry:
        world = self._world
        how = world.faults.journal()
        await asyncio.sleep(world.faults.write_seconds())
        if how == "dies before":
            world.die()
        if not world.is_alive(self._life):
            await for_ever()
        if how == "fails":
            world.history.add(world.now, "journal", how)
            raise JournalError("the disk is full")
        written = await write(entry)
        world.record.note(written)
        if how == "dies after":
            world.die()
            await for_ever()
        if how == "fails after":
            world.history.add(world.now, "journal", how)
            raise JournalError("the disk does not answer")
        return written
