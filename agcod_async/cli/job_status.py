"""How a job stands, for people and for scripts. A claim code is in neither."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from agcod_async.batch.job_queries import JobFacts
from agcod_async.batch.job_rows import JobRow, RowState, Totals
from agcod_async.batch.job_view import JobView
from agcod_async.cli.exits import ExitCode
from agcod_async.cli.printing import Shown, plain, print_table
from agcod_async.endpoints import Endpoint

LISTED_MAX: Final = 10_000

_TITLES: Final[Mapping[RowState, str]] = {
    RowState.PLANNED: "planned",
    RowState.UNDER_WAY: "under way, or interrupted",
    RowState.ISSUED: "issued, not delivered",
    RowState.DELIVERED: "delivered",
    RowState.DECLINED: "declined",
    RowState.REVERSED: "reversed",
    RowState.IN_DOUBT: "in doubt",
}


@dataclass(frozen=True, slots=True)
class JobStatus:
    """A job at one moment. `doubts` are the first of the orders that are in doubt."""

    facts: JobFacts
    totals: Totals
    refused: int
    doubts: Sequence[JobRow]

    @classmethod
    def of(cls, view: JobView) -> "JobStatus":
        """Look at a job."""
        doubts = list(islice(view.rows(RowState.IN_DOUBT), LISTED_MAX))
        return cls(view.facts(), view.totals(), view.refused(), doubts)

    def count(self, state: RowState) -> int:
        """Return how many orders are in a state."""
        return sum(one.orders for one in self.totals[state])

    @property
    def exit_code(self) -> ExitCode:
        """What a script may do next."""
        if self.facts.planned_at is None:
            return ExitCode.UNAVAILABLE
        return exit_code_of({state: self.count(state) for state in RowState}, self.refused)

    @property
    def stopped(self) -> str | None:
        """Why the line stands still, and whom to ask; None while it runs."""
        stop, host = self.facts.stop, self.facts.host
        if stop is None:
            return None
        return stop.words(next((one.countries for one in Endpoint if one.host == host), ()))

    @property
    def fields(self) -> Shown:
        """The same for JSON."""
        facts = self.facts
        return {
            "kind": "job",
            "name": facts.name,
            "partner_id": facts.partner_id,
            "host": facts.host,
            "planned": facts.planned_at is not None,
            "states": {state.value: self._sums(state) for state in RowState},
            "rows_refused": self.refused,
            "spend_cap": None if facts.spend_cap is None else str(facts.spend_cap),
            "stopped": self.stopped,
            "stopped_at": None if facts.stopped_at is None else facts.stopped_at.isoformat(),
            "in_doubt": [_doubt(row) for row in self.doubts],
            "exit_code": int(self.exit_code),
        }

    def _sums(self, state: RowState) -> Shown:
        amounts = {one.currency: str(one.amount) for one in self.totals[state]}
        return {"orders": self.count(state), "amounts": amounts}

    def show(self) -> None:
        """Print it on standard output, in less than 80 columns where the names allow it."""
        facts = self.facts
        print(plain(f"job {facts.name}: partner {facts.partner_id} at {facts.host}"))
        if facts.planned_at is None:
            print("  its plan was not completed: plan it again")
        print_table(self._rows())
        for line in self._attention():
            print(plain(line))

    def _rows(self) -> Iterator[tuple[str, str]]:
        for state, title in _TITLES.items():
            amounts = ", ".join(f"{one.amount:,} {one.currency}" for one in self.totals[state])
            yield title, f"{self.count(state)}  {amounts:>16}"
        yield "rows refused", f"{self.refused}  {'':>16}"
        if self.facts.spend_cap is not None:
            cap = self.facts.spend_cap
            yield "spend cap", f"{cap.amount:,} {cap.currency}"

    def _attention(self) -> Iterator[str]:
        if self.stopped is not None:
            yield ""
            yield f"The line stands still: {self.stopped}"
        if self.doubts:
            yield ""
            yield "In doubt. Never send these orders under other IDs; the same IDs settle them:"
            yield from (f"  {row.order.request_id}  {_next_step(row)}" for row in self.doubts)
        more = self.count(RowState.IN_DOUBT) - len(self.doubts)
        if more > 0:
            yield f"  and {more} more"


def exit_code_of(counts: Mapping[RowState, int], refused: int) -> ExitCode:
    """Return the exit code for so many orders by state, and so many rows that are no orders."""
    if counts[RowState.IN_DOUBT] or counts[RowState.UNDER_WAY]:
        return ExitCode.IN_DOUBT
    # Without a sink an issued order is done; where others were delivered it is not.
    undelivered = counts[RowState.DELIVERED] and counts[RowState.ISSUED]
    if counts[RowState.DECLINED] or counts[RowState.REVERSED] or undelivered or refused:
        return ExitCode.DECLINED
    return ExitCode.UNAVAILABLE if counts[RowState.PLANNED] else ExitCode.DONE


def _doubt(row: JobRow) -> Shown:
    outcome = row.outcome
    return {
        "line": row.number,
        "request_id": row.order.request_id,
        "business_key": row.business_key,
        "amount": str(row.order.amount.amount),
        "currency": row.order.amount.currency,
        "code": outcome.error_code,
        "error_type": outcome.error_type,
        "not_before": None if outcome.not_before is None else outcome.not_before.isoformat(),
        "next_safe_action": outcome.next_safe_action,
    }


def _next_step(row: JobRow) -> str:
    not_before, action = row.outcome.not_before, row.outcome.next_safe_action
    if action == "activity_page":
        return "too old to be sent again: look it up in the account's activity"
    when = "" if not_before is None else f" after {not_before:%H:%M:%S} UTC"
    return f"resume the job{when}"
