"""Looking at a job without touching it, while another process runs it or while nobody does."""

import sqlite3
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from agcod_async.batch import job_queries, job_schema
from agcod_async.batch.job import PLAN_NAME, READ_AT_ONCE
from agcod_async.batch.job_queries import JobFacts
from agcod_async.batch.job_rows import JobRow, RowState, Totals
from agcod_async.core.outcomes import Reason
from agcod_async.errors import UsageError
from agcod_async.journal.base import JournalError
from agcod_async.journal.sqlite_form import check_is_ours


class JobView:
    """A job, read only. Every look shows one moment; what runs it does not wait."""

    def __init__(self, directory: Path, connection: sqlite3.Connection) -> None:
        """Look over this connection."""
        self.directory = directory
        self._connection = connection

    def facts(self) -> JobFacts:
        """Return what is known of the job itself."""
        facts = job_queries.facts(self._connection)
        if facts is None:
            raise UsageError(Reason(f"{self.directory}: there is no job here"))
        return facts

    def totals(self) -> Totals:
        """Return what the plan comes to, by state."""
        return job_queries.totals(self._connection)

    def refused(self) -> int:
        """Return how many rows of the source are no orders."""
        return job_queries.refused(self._connection)

    def rows(self, state: RowState | None = None) -> Iterator[JobRow]:
        """Iterate over the rows in a state, or over all, by their number."""
        after = 0
        while rows := job_queries.rows(self._connection, state, after, READ_AT_ONCE):
            yield from rows
            after = rows[-1].number


@contextmanager
def view_job(directory: Path) -> Generator[JobView, None, None]:
    """Look at the job in `directory`; raises `UsageError` where there is none to look at."""
    path = directory.resolve() / PLAN_NAME
    if not path.exists():
        raise UsageError(Reason(f"{directory}: there is no job here"))
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            check_is_ours(connection, job_schema.form())
            yield JobView(directory, connection)
    except (sqlite3.Error, JournalError) as error:
        raise UsageError(Reason(f"{path} cannot be read: {error}")) from error
