"""A job: a directory that remembers what is to be issued, and how far each order has come.

`journal.sqlite` knows the truth about the money, `job.sqlite` the plan and what is delivered. Both
belong to one process at a time, to one partner account and to one endpoint. Neither has a place
for a claim code: a code that is needed again is read back by the same order under the same ID.

Any number of others may look at a job meanwhile (`agcod_async.batch.job_view`).
"""

import os
from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self, TypeVar

from agcod_async.batch.job_queries import JobFacts
from agcod_async.batch.job_rows import JobRow, Outcome, RowState, Totals
from agcod_async.batch.job_store import Claimed, JobStore
from agcod_async.batch.orders import PlannedOrder, RefusedRow
from agcod_async.batch.stop_line import Stop
from agcod_async.clock import Clock
from agcod_async.core.outcomes import Reason
from agcod_async.errors import UsageError
from agcod_async.journal.base import Bindable, Journal, OtherAccountError
from agcod_async.journal.group_commit import GroupCommit
from agcod_async.journal.sqlite import SqliteJournal
from agcod_async.settings import Settings
from agcod_async.values import Money

T = TypeVar("T")

JOURNAL_NAME: Final = "journal.sqlite"
PLAN_NAME: Final = "job.sqlite"

READ_AT_ONCE: Final = 500


class JobJournal(Journal, Bindable, Protocol):
    """The journal of a job: the same account's."""


class Worker(Protocol):
    """Does what is asked for, durably, and never in the way of the event loop."""

    async def ask(self, work: Callable[[], T]) -> T:
        """Do `work` in a transaction; return once that is durable. Raises `JournalError`."""
        ...

    async def aclose(self) -> None:
        """Finish what is asked for, and release the storage."""
        ...


class Job:
    """An open job. Use it as an async context manager; `create` and `open` make one.

    Every method may raise `JournalError`, where the storage fails.
    """

    def __init__(
        self,
        directory: Path,
        *,
        settings: Settings,
        journal: JobJournal,
        store: JobStore,
        worker: Worker,
        clock: Clock = Clock(),  # noqa: B008  immutable
    ) -> None:
        """Take over files that are open; `worker` is who works on `store`."""
        self.directory = directory
        self.settings = settings
        self.journal = journal
        self._store = store
        self._worker = worker
        self._clock = clock

    @classmethod
    async def create(
        cls,
        directory: str | os.PathLike[str],
        settings: Settings,
        *,
        name: str | None = None,
        source_digest: str | None = None,
    ) -> Self:
        """Make a job, or open the one that is there already if it is the same.

        `name` is the directory's unless you say otherwise. `source_digest` stands for what the
        orders come from. Raises `UsageError` if the job is another account's, or was made of
        something else, and `JournalError` where its files cannot be used.
        """
        job = cls._of_files(Path(directory), settings)
        return await job.begun(name=name, source_digest=source_digest)

    @classmethod
    async def open(cls, directory: str | os.PathLike[str], settings: Settings) -> Self:
        """Open a job that has a complete plan; raises as `create` does."""
        job = cls._of_files(_with_job(Path(directory)), settings)
        return await job.begun(name=None, source_digest=None, is_planned=True)

    @classmethod
    def _of_files(cls, path: Path, settings: Settings) -> Self:
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise _unusable(path, str(error.strerror)) from error
        path = path.resolve()
        if (path / PLAN_NAME).exists() and not (path / JOURNAL_NAME).exists():
            # Without it a late refusal would pass for a verdict, and a late undo for nothing.
            raise _unusable(path, f"{JOURNAL_NAME} is missing, which knows what was sent")
        journal = SqliteJournal(path / JOURNAL_NAME)  # its lock is the job's
        store = JobStore.at(path / PLAN_NAME)
        worker = GroupCommit(store, name=f"the plan {store.path}")
        return cls(path, settings=settings, journal=journal, store=store, worker=worker)

    async def begun(
        self, *, name: str | None, source_digest: str | None, is_planned: bool = False
    ) -> Self:
        """Put the job on record, or make sure that it is the one on record.

        With `is_planned` it is whatever job there is, with a plan. Raises `UsageError`.
        """
        mine = JobFacts(
            name=self.directory.name if name is None else name,
            partner_id=self.settings.partner_id,
            host=self.settings.host,
            source_digest=source_digest,
            created_at=datetime.fromtimestamp(self._clock.wall(), UTC),
        )
        try:
            if not is_planned:
                await self._worker.ask(partial(self._store.create, mine))
            self._check(await self.facts(), mine, name=name, is_planned=is_planned)
            await self.journal.bind(mine.partner_id, mine.host)
        except OtherAccountError as error:
            await self.aclose()
            raise UsageError(Reason(f"the journal {error}")) from error
        except BaseException:
            await self.aclose()
            raise
        return self

    def _check(self, held: JobFacts, mine: JobFacts, *, name: str | None, is_planned: bool) -> None:
        problem = None
        if (held.partner_id, held.host) != (mine.partner_id, mine.host):
            problem = (
                f"the job is of partner {held.partner_id} at {held.host},"
                f" not of {mine.partner_id} at {mine.host}"
            )
        elif is_planned:
            if held.planned_at is None:
                problem = "its plan was not completed: plan it again"
        elif name not in (None, held.name):
            problem = f"the job is {held.name!r}, not {name!r}"
        elif held.source_digest != mine.source_digest:
            problem = (
                "the job was made of other orders: the file has changed since, or is another one."
                " Put it back, or make a new job for what is new"
            )
        if problem is not None:
            raise _unusable(self.directory, problem)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Finish what is being written and let go of the files."""
        await self._worker.aclose()
        await self.journal.aclose()

    # --- planning: `agcod_async.batch.planning` does it ------------------------------------------

    async def begin_plan(self) -> None:
        """Begin a plan; one that was not completed is forgotten. Raises `UsageError` for others."""
        if (await self.facts()).planned_at is not None:
            raise _unusable(self.directory, "the job has a plan already")
        await self._worker.ask(self._store.begin_plan)

    async def add(
        self, orders: Sequence[PlannedOrder], refused: Sequence[RefusedRow]
    ) -> Sequence[RefusedRow]:
        """Add rows to the plan; return those that repeat an ID or a key, which are refused too."""
        await self._worker.ask(partial(self._store.refuse, refused))
        return await self._worker.ask(partial(self._store.plan, orders))

    async def complete_plan(self, *, spend_cap: Money | None) -> None:
        """Say that the plan is complete: from now on it is kept, and orders may be sent."""
        now = self._clock.wall()
        await self._worker.ask(partial(self._store.complete_plan, now, spend_cap))

    # --- looking ----------------------------------------------------------------------------------

    async def facts(self) -> JobFacts:
        """Return what is known of the job itself."""
        facts = await self._worker.ask(self._store.facts)
        if facts is None:
            raise _unusable(self.directory, "there is no job here")
        return facts

    async def totals(self) -> Totals:
        """Return what the plan comes to, by state. It costs the same for ten orders or millions."""
        return await self._worker.ask(self._store.totals)

    async def refused(self) -> int:
        """Return how many rows of the source are no orders."""
        return await self._worker.ask(self._store.refused)

    async def rows(self, *states: RowState, after: int = 0) -> AsyncGenerator[JobRow, None]:
        """Yield the rows in these states, one state after the other; all of them without any.

        They come by their number, from above `after`, a page at a time: a row that moves on
        meanwhile may come as it was, or twice if it moves into a state that is still to come.
        """
        for state in states or (None,):
            last = after
            while rows := await self._page(state, last):
                for row in rows:
                    yield row
                last = rows[-1].number

    async def _page(self, state: RowState | None, after: int) -> Sequence[JobRow]:
        return await self._worker.ask(partial(self._store.rows, state, after, READ_AT_ONCE))

    # --- issuing ----------------------------------------------------------------------------------

    async def claim(self, *, after: int, limit: int) -> Claimed:
        """Take the next planned orders above `after`: they count as under way from now on."""
        now = self._clock.wall()
        return await self._worker.ask(partial(self._store.claim, after=after, limit=limit, now=now))

    async def move(self, row: JobRow, state: RowState, outcome: Outcome = Outcome()) -> JobRow:  # noqa: B008  immutable
        """Bring one order from the state in which `row` shows it to the next.

        Raises `StaleEntryError` if it is not in that state any more, and `JournalError` if it
        cannot go that way.
        """
        now = self._clock.wall()
        return await self._worker.ask(partial(self._store.move, row, state, outcome, now))

    async def set_stopped(self, stop: Stop | None) -> None:
        """Put on record why the line stands still; None if it runs."""
        await self._worker.ask(partial(self._store.set_stopped, stop, self._clock.wall()))

    async def set_spend_cap(self, amount: Decimal | str | None) -> None:
        """Let the job as a whole spend no more than this, what is in doubt included.

        The amount is in the currency of the orders. Raises `UsageError` where they have several.
        """
        cap = None if amount is None else Money(amount, await self.currency())
        await self._worker.ask(partial(self._store.set_spend_cap, cap))

    async def currency(self) -> str:
        """Return the one currency of the orders; raises `UsageError` where they have several."""
        sums = (await self.totals()).values()
        return one_currency({one.currency for some in sums for one in some})


def one_currency(currencies: set[str]) -> str:
    """Return the only one; raises `UsageError` where there are several, or no order at all."""
    if len(currencies) != 1:
        named = ", ".join(sorted(currencies)) or "none"
        raise UsageError(Reason(f"a limit needs orders in one currency, and theirs are: {named}"))
    return next(iter(currencies))


def _with_job(directory: Path) -> Path:
    if not (directory / PLAN_NAME).exists():
        raise _unusable(directory, "there is no job here")
    return directory


def _unusable(directory: Path, problem: str) -> UsageError:
    return UsageError(Reason(f"{directory}: {problem}"))
