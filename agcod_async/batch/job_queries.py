"""What may be asked of a plan without changing it: the same for its owner and for an onlooker."""

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime

from agcod_async.batch.job_rows import (
    COLUMNS,
    Cells,
    JobRow,
    RowState,
    Sum,
    Totals,
    amount_of,
    row_of,
)
from agcod_async.batch.stop_line import Cause, Stop
from agcod_async.values import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFacts:
    """A job itself. `planned_at` is None until its plan is complete; times are UTC.

    `source_digest` is the SHA-256 of the file that the orders came from, None where they came from
    a program. `stop` says why the line stands still, since `stopped_at`.
    """

    name: str
    partner_id: str
    host: str
    source_digest: str | None
    created_at: datetime
    planned_at: datetime | None = None
    spend_cap: Money | None = None
    stop: Stop | None = None
    stopped_at: datetime | None = None


def facts(connection: sqlite3.Connection) -> JobFacts | None:
    """Return the job itself, or None where there is none yet."""
    cells = connection.execute(
        "SELECT name, partner_id, host, source_digest, created_at, planned_at, spend_cap,"
        " spend_currency, stopped_by, stopped_code, stopped_type, stopped_at FROM job"
    ).fetchone()
    if cells is None:
        return None
    cap, currency, cause, code, error_type = cells[6:11]
    return JobFacts(
        name=cells[0],
        partner_id=cells[1],
        host=cells[2],
        source_digest=cells[3],
        created_at=datetime.fromtimestamp(cells[4], UTC),
        planned_at=_time(cells[5]),
        spend_cap=None if cap is None else Money(amount_of(cap, currency), currency),
        stop=None if cause is None else Stop(Cause(cause), code, error_type),
        stopped_at=_time(cells[11]),
    )


def totals(connection: sqlite3.Connection) -> Totals:
    """Return what the plan comes to, by state."""
    sums: dict[RowState, list[Sum]] = {state: [] for state in RowState}
    for state, currency, orders, units in connection.execute(
        "SELECT state, currency, orders, amount FROM total WHERE orders > 0"
    ):
        sums[RowState(state)].append(Sum(orders, amount_of(units, currency), currency))
    return sums


def refused(connection: sqlite3.Connection) -> int:
    """Return how many rows of the source are no orders."""
    (count,) = connection.execute("SELECT count(*) FROM refused").fetchone()
    return int(count)


def rows(
    connection: sqlite3.Connection, state: RowState | None, after: int, limit: int
) -> list[JobRow]:
    """Return the next rows with a number above `after`, in this state or in any."""
    # One state at a time: so the index gives them in their order, however many there are.
    where, values = ("", ()) if state is None else ("state = ? AND ", (state.value,))
    cells: list[Cells] = connection.execute(
        f"SELECT {COLUMNS} FROM orders WHERE {where}number > ? ORDER BY number LIMIT ?",  # noqa: S608  ours
        (*values, after, limit),
    ).fetchall()
    return [row_of(one) for one in cells]


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
