"""What a job's plan is asked for, inside a transaction of its thread."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

from agcod_async.batch import job_queries, job_schema
from agcod_async.batch.job_queries import JobFacts
from agcod_async.batch.job_rows import (
    INSERT,
    MOVE,
    PERHAPS_SPENT,
    JobRow,
    Outcome,
    RowState,
    Totals,
    move_cells,
    new_cells,
    units_of,
)
from agcod_async.batch.orders import PlannedOrder, RefusedRow
from agcod_async.batch.stop_line import Stop
from agcod_async.journal.base import StaleEntryError
from agcod_async.journal.sqlite_file import SqliteFile
from agcod_async.values import Money

PLANNING_CACHE_KIBIBYTES: Final = 8_192
"""Request IDs come in no order, so the index of a large plan is written all over. Four times as
much makes a plan of 200,000 orders no quicker."""
CACHE_KIBIBYTES: Final = 2_000  # SQLite's own choice


_SPENT: Final = ", ".join(f"'{state.value}'" for state in PERHAPS_SPENT)


@dataclass(frozen=True, slots=True)
class Claimed:
    """Orders that are under way from now on; `cap_is_reached` says why there are no more."""

    rows: Sequence[JobRow]
    cap_is_reached: bool


class JobStore(SqliteFile):
    """An open plan."""

    @classmethod
    def at(cls, path: Path) -> Self:
        """Open the plan at `path`, and make it if there is none. Raises `JournalError`."""
        return cls.opened(path, job_schema.form())

    # --- the job ----------------------------------------------------------------------------------

    def create(self, facts: JobFacts) -> None:
        """Put the job itself on record, unless there is one; its plan is still to be made.

        One whose plan was not completed gives way: nothing of it can have been sent.
        """
        self._connection.execute("DELETE FROM job WHERE planned_at IS NULL")
        self._connection.execute(
            "INSERT INTO job (one, name, partner_id, host, source_digest, created_at)"
            " VALUES (1, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (
                facts.name,
                facts.partner_id,
                facts.host,
                facts.source_digest,
                facts.created_at.timestamp(),
            ),
        )

    def facts(self) -> JobFacts | None:
        """Return what is known of the job itself."""
        return job_queries.facts(self._connection)

    def totals(self) -> Totals:
        """Return what the plan comes to, by state."""
        return job_queries.totals(self._connection)

    def refused(self) -> int:
        """Return how many rows of the source are no orders."""
        return job_queries.refused(self._connection)

    def rows(self, state: RowState | None, after: int, limit: int) -> list[JobRow]:
        """Return the next rows with a number above `after`, in this state or in any."""
        return job_queries.rows(self._connection, state, after, limit)

    def set_spend_cap(self, cap: Money | None) -> None:
        """Let no more than this be spent by the job as a whole, what is in doubt included."""
        units, currency = (None, None) if cap is None else (units_of(cap), cap.currency)
        self._connection.execute(
            "UPDATE job SET spend_cap = ?, spend_currency = ?", (units, currency)
        )

    def set_stopped(self, stop: Stop | None, now: float) -> None:
        """Put on record why the line stands still, or that it runs."""
        cells = (
            (None, None, None, None)
            if stop is None
            else (now, stop.cause.value, stop.code, stop.error_type)
        )
        self._connection.execute(
            "UPDATE job SET stopped_at = ?, stopped_by = ?, stopped_code = ?, stopped_type = ?",
            cells,
        )

    # --- planning ---------------------------------------------------------------------------------

    def begin_plan(self) -> None:
        """Forget a plan that was not completed: nothing of it can have been sent."""
        self._connection.execute(f"PRAGMA cache_size = -{PLANNING_CACHE_KIBIBYTES}")
        for table in ("orders", "refused", "total"):
            self._connection.execute(f"DELETE FROM {table}")  # noqa: S608  our own words

    def plan(self, some: Sequence[PlannedOrder]) -> list[RefusedRow]:
        """Add orders to the plan; return those that repeat an ID or a key, which are left out."""
        added = self._connection.executemany(
            INSERT, (new_cells(one.number, one.order, one.business_key) for one in some)
        )
        if added.rowcount == len(some):
            return []
        repeated = [refused for one in some if (refused := self._repeated(one)) is not None]
        self.refuse(repeated)
        return repeated

    def refuse(self, some: Iterable[RefusedRow]) -> None:
        """Put rows on record that are no orders, without their text: it may name a recipient."""
        self._connection.executemany(
            "INSERT INTO refused VALUES (?, ?, ?, ?, ?)",
            ((one.line, one.last_line, one.field, one.limit, one.first_line) for one in some),
        )

    def complete_plan(self, now: float, spend_cap: Money | None) -> None:
        """Say that the plan is complete: from now on it is kept, and orders may be sent."""
        # First, because the rows are sorted for the totals in as much memory as the cache may have.
        self._connection.execute(f"PRAGMA cache_size = -{CACHE_KIBIBYTES}")
        self._connection.execute(
            "INSERT INTO total SELECT state, currency, count(*), sum(amount) FROM orders"
            " GROUP BY state, currency"
        )
        self._connection.execute("UPDATE job SET planned_at = ?", (now,))
        self.set_spend_cap(spend_cap)

    def _repeated(self, one: PlannedOrder) -> RefusedRow | None:
        for field, text in (
            ("business_key", one.business_key),
            ("request_id", str(one.order.request_id)),
        ):
            held: tuple[int] | None = self._connection.execute(
                f"SELECT number FROM orders WHERE {field} = ?",  # noqa: S608  our own words
                (text,),
            ).fetchone()
            if held is not None and held[0] != one.number:
                return RefusedRow(
                    one.number,
                    one.number,
                    field=field,
                    problem=f"{text!r} stands on line {held[0]} already",
                    limit="every order has one of its own",
                    first_line=held[0],
                )
        return None

    # --- issuing ----------------------------------------------------------------------------------

    def claim(self, *, after: int, limit: int, now: float) -> Claimed:
        """Take the next planned orders, as many as the spend cap leaves room for."""
        rows = self.rows(RowState.PLANNED, after, limit)
        fitting, cap_is_reached = self._within_cap(rows)
        claimed = [self.move(row, RowState.UNDER_WAY, Outcome(), now) for row in fitting]
        return Claimed(claimed, cap_is_reached)

    def move(self, row: JobRow, after: RowState, outcome: Outcome, now: float) -> JobRow:
        """Bring an order from the state that `row` says to the next one, and return it there.

        Raises `StaleEntryError` if somebody else has moved it on.
        """
        cells = move_cells(row.number, row.state, after, outcome, now)
        if not self._connection.execute(MOVE, cells).rowcount:
            raise StaleEntryError(f"order {row.number} of the plan has moved on")
        return replace(row, state=after, outcome=outcome)

    def _within_cap(self, rows: Sequence[JobRow]) -> tuple[Sequence[JobRow], bool]:
        cap: int | None
        (cap,) = self._connection.execute("SELECT spend_cap FROM job").fetchone()
        if cap is None:
            return rows, False
        (spent,) = self._connection.execute(
            f"SELECT coalesce(sum(amount), 0) FROM total WHERE state IN ({_SPENT})"  # noqa: S608  ours
        ).fetchone()
        for place, row in enumerate(rows):
            spent += units_of(row.order.amount)
            if spent > cap:
                return rows[:place], True
        return rows, False
