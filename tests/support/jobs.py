"""A job on a loop with virtual time, which cannot wait for threads: all is written at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from agcod_async.agcod import AgcodSession
from agcod_async.batch.job import JOURNAL_NAME, PLAN_NAME, Job
from agcod_async.batch.job_rows import RowState
from agcod_async.batch.job_run import JobRun
from agcod_async.batch.job_store import JobStore
from agcod_async.batch.orders import Order
from agcod_async.batch.planning import plan_job
from agcod_async.batch.settled import Settled
from agcod_async.journal.base import JournalError
from agcod_async.journal.records import Entry
from agcod_async.journal.sqlite_file import SqliteFile
from agcod_async.journal.sqlite_store import SqliteStore
from agcod_async.providers.agcod.messages import GiftCard
from agcod_async.settings import Settings
from agcod_async.testing import Emulator
from agcod_async.testing.clock import virtual_clock
from tests.support.fair import SETTINGS

T = TypeVar("T")


@dataclass(slots=True)
class AtOnce:
    """Does what is asked for in a transaction of its own, there and then."""

    store: SqliteFile
    asked: int = 0
    fail_at: int | None = None

    async def ask(self, work: Callable[[], T]) -> T:
        self.asked += 1
        if self.fail_at is not None and self.asked >= self.fail_at:
            raise CrashError
        values: list[T] = []
        (error,) = self.store.transact([lambda: values.append(work())])
        if error is not None:
            raise error
        return values[0]

    async def aclose(self) -> None:
        self.store.close()


class Busy:
    """A plan that somebody else writes to for a while."""

    async def ask(self, _: object) -> object:
        raise JournalError("database is locked")


class CrashError(BaseException):
    """The process dies here."""


@dataclass(slots=True)
class JournalAtOnce:
    """A journal file without its thread."""

    store: SqliteStore
    worker: AtOnce

    @classmethod
    def at(cls, path: Path) -> "JournalAtOnce":
        store = SqliteStore.at(path)
        return cls(store, AtOnce(store))

    async def bind(self, partner_id: str, host: str) -> None:
        await self.worker.ask(lambda: self.store.bind(partner_id, host))

    async def find(self, operation: str, request_id: str) -> Entry | None:
        return await self.worker.ask(lambda: self.store.find(operation, request_id))

    async def open(self, entry: Entry) -> Entry:
        return await self.worker.ask(lambda: self.store.open_entry(entry))

    async def advance(self, entry: Entry) -> Entry:
        return await self.worker.ask(lambda: self.store.advance(entry))

    async def aclose(self) -> None:
        await self.worker.aclose()


def files(directory: Path, settings: Settings = SETTINGS, seed: int = 0) -> Job:
    """Open the files of a job, durable enough for a test."""
    directory.mkdir(exist_ok=True)
    store, journal = JobStore.at(directory / PLAN_NAME), JournalAtOnce.at(directory / JOURNAL_NAME)
    for file in (store, journal.store):
        file._connection.execute("PRAGMA synchronous = OFF")
    return Job(
        directory,
        settings=settings,
        journal=journal,
        store=store,
        worker=AtOnce(store),
        clock=virtual_clock(seed),
    )


async def planned(directory: Path, orders: Sequence[Order], **options: object) -> Job:
    """Make a job of these orders."""
    job = await files(directory).begun(name=None, source_digest=None)
    await plan_job(job, orders, **options)
    return job


async def reopened(directory: Path) -> Job:
    """Open a job that has a plan."""
    return await files(directory).begun(name=None, source_digest=None, is_planned=True)


@dataclass(slots=True)
class Taker:
    """A sink that keeps what it was given, and refuses on demand."""

    cards: list[tuple[str, str]] = field(default_factory=list)
    refuse: Callable[[str], bool] = lambda _: False
    closed: int = 0

    async def deliver(self, card: GiftCard, order: Order) -> None:
        if self.refuse(order.request_id):
            raise ConnectionError(card.claim_code.reveal())
        self.cards.append((order.request_id, card.claim_code.reveal()))

    async def aclose(self) -> None:
        self.closed += 1

    @property
    def ids(self) -> set[str]:
        return {request_id for request_id, _ in self.cards}


def session_for(job: Job, emulator: Emulator, seed: int = 0) -> AgcodSession:
    return AgcodSession(
        job.settings,
        transport=emulator.transport(),
        journal=job.journal,
        clock=virtual_clock(seed),
    )


async def run_once(
    job: Job, emulator: Emulator, sink: Taker | None = None, seed: int = 0, **options: object
) -> list[Settled]:
    """Run a job to the end of one run, and close it."""
    async with session_for(job, emulator, seed) as session:
        run = JobRun(session, job, sink=sink, clock=virtual_clock(seed), **options)
        settled = [one async for one in run.settled()]
    await job.aclose()
    return settled


async def counts(job: Job) -> dict[str, int]:
    """Return the orders of a job by state, without the zeros."""
    totals = await job.totals()
    return {
        state.value: sum(one.orders for one in totals[state]) for state in RowState if totals[state]
    }
