"""A journal that writes down what is written, and fails or dawdles on demand."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from msgspec.structs import replace

from agcod_async.core.outcomes import Leg
from agcod_async.journal.base import Journal, JournalError, Which
from agcod_async.journal.memory import MemoryJournal
from agcod_async.journal.records import Entry


def facts_line(entry: Entry) -> str:
    """Return the facts of an entry that are not as at the beginning, such as "doubtful undone"."""
    facts = entry.facts
    named = [
        name for name in ("doubtful", "undone", "tainted", "confirmed") if getattr(facts, name)
    ]
    if facts.epoch:
        named.append(f"epoch={facts.epoch}")
    return " ".join(named) or "plain"


async def open_entries(journal: Journal) -> list[Entry]:
    """Return the entries that are open, in the order of their opening."""
    return [entry async for entry in journal.entries(Which.OPEN)]


@dataclass(slots=True)
class JournalSpy:
    """A MemoryJournal behind a glass.

    `log` gets "open Toy1" and "advance Toy1 forward doubtful Issued" and so on, once the write is
    done. The n-th write (counting from 1, `open` included) fails if n is in `fail`, fails although
    it has been done if n is in `fail_after`, and meets another writer if n is in `stale`; each
    write takes `seconds`.
    """

    log: list[str] = field(default_factory=list)
    fail: frozenset[int] = frozenset()
    fail_after: frozenset[int] = frozenset()
    stale: frozenset[int] = frozenset()
    error: Exception = field(default_factory=lambda: JournalError("the disk is full"))
    seconds: float = 0.0
    writes: int = 0
    closed: int = 0
    inner: MemoryJournal = field(default_factory=MemoryJournal)

    async def open(self, entry: Entry) -> Entry:
        await self._before()
        opened = await self.inner.open(entry)
        self.log.append(f"open {entry.request_id}")
        self._after()
        return opened

    async def advance(self, entry: Entry) -> Entry:
        await self._before()
        if self.writes in self.stale:
            held = await self.inner.open(entry)
            await self.inner.advance(replace(held, updated_at=held.updated_at + 1))
        moved = await self.inner.advance(entry)
        leg = "" if entry.leg is Leg.FORWARD else f" {entry.leg.value}"
        verdict = f" {entry.verdict}" if entry.verdict else ""
        self.log.append(f"advance {entry.live_id}{leg} {facts_line(entry)}{verdict}")
        self._after()
        return moved

    async def _before(self) -> None:
        self.writes += 1
        await asyncio.sleep(self.seconds)
        if self.writes in self.fail:
            raise self.error

    def _after(self) -> None:
        if self.writes in self.fail_after:
            raise self.error

    async def find(self, operation: str, request_id: str) -> Entry | None:
        return await self.inner.find(operation, request_id)

    def entries(self, which: Which = Which.ALL) -> AsyncIterator[Entry]:
        return self.inner.entries(which)

    def entry(self, request_id: str = "Toy1", operation: str = "Issue") -> Entry:
        return self.inner._entries[operation, request_id]

    async def aclose(self) -> None:
        self.closed += 1
