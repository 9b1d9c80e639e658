"""The journal held against Amazon's books: the activity report, or exports of the portal."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from agcod_async.agcod.activity import ActivityCalls
from agcod_async.core.outcomes import Reason
from agcod_async.core.verdicts import Issued, Reversed, Unavailable, Verdict
from agcod_async.engine.record import proved
from agcod_async.errors import UsageError
from agcod_async.journal.base import StaleEntryError
from agcod_async.pacing.port import Lane
from agcod_async.providers.agcod.activity_requests import PAGE_SIZE_MAX
from agcod_async.reconciliation.books import Scan
from agcod_async.reconciliation.comparison import Comparison, Selection, Survey
from agcod_async.reconciliation.findings import Finding, Kind

SCANS: Final = 2
SCAN_PAUSE_SECONDS: Final = 900.0
"""The report lags, by how much is documented nowhere: so it is read twice, with this between."""

_PROVED_BY_BOOKS = Reason("Amazon's books show nothing that lives")


class ComparisonCalls(ActivityCalls):
    """The part of the session that compares."""

    async def compare(
        self,
        *,
        since: datetime,
        until: datetime | None = None,
        prefix: str | None = None,
        pause_seconds: float = SCAN_PAUSE_SECONDS,
        lane: Lane = Lane.PROBE,
        on_page: Callable[[int, int], None] | None = None,
    ) -> AsyncIterator[Finding]:
        """Compare the orders first sent from `since` on and before `until` with Amazon's report.

        The report is read twice, `pause_seconds` apart, with the rows that only repeat others. A
        page has 1,000 rows and takes a minute (`Settings.activity_pages_per_minute`); `on_page` is
        told the scan and the rows so far. An issue under `prefix` (the partner ID) that the journal
        does not know is a finding too: give yours where other systems send under the account.

        Nothing is written, and nothing but the report is asked for. Raises `AccountError` where
        Amazon has switched the report off (F3008), and `JournalError`.
        """
        survey = await self._surveyed(since, until)
        frame = survey.frame(self._clock.wall())
        if not frame.start < frame.end:
            raise UsageError(Reason("since: is not in the past"))
        scans: list[Scan] = []
        for number in range(SCANS):
            if number:
                await asyncio.sleep(pause_seconds)
            scan = Scan(frame)
            rows = self.activity(
                start=datetime.fromtimestamp(frame.start, UTC),
                end=datetime.fromtimestamp(frame.end, UTC),
                show_no_ops=True,
                lane=lane,
            )
            async for row in rows:
                scan.add(row)
                if on_page is not None and scan.rows % PAGE_SIZE_MAX == 1:
                    on_page(number + 1, scan.rows)
            scans.append(scan)
        async for finding in self._compared(survey, scans, prefix):
            yield finding

    async def compare_with(
        self,
        scans: Sequence[Scan],
        *,
        since: datetime,
        until: datetime | None = None,
        prefix: str | None = None,
    ) -> AsyncIterator[Finding]:
        """Compare with books that were read elsewhere, such as by `read_portal`, the latest last.

        Sends nothing. One scan never proves that something was not issued.
        """
        if not scans:
            raise UsageError(Reason("scans: there is none (at least 1)"))
        survey = await self._surveyed(since, until)
        async for finding in self._compared(survey, scans, prefix):
            yield finding

    async def settle(self, finding: Finding) -> bool:
        """Put on record what Amazon's books have proved of an order in doubt; whether it was.

        It is not where the order has moved on since it was compared. Raises `JournalError`.
        """
        if not finding.kind.is_proof:
            raise UsageError(Reason(f"finding: {finding.kind.value} proves nothing"))
        entry = await self._journal.find(finding.operation, finding.request_id)
        if entry is None or not entry.is_open or entry.version != finding.version:
            return False
        if self._inflight.runs(finding.request_id):
            return False
        gc_id: str | None = None
        was_undone = entry.facts.perhaps_undone or (finding.was_undone and not entry.facts.epoch)
        verdict: Verdict
        if finding.kind is Kind.PROVEN_ISSUED:
            verdict, gc_id = Issued(finding), next(iter(finding.gc_ids), None)
        else:
            verdict = (Reversed if was_undone else Unavailable)(_PROVED_BY_BOOKS)
        try:
            await proved(self._journal, entry, verdict, gc_id=gc_id, now=self._clock.wall())
        except StaleEntryError:
            return False
        return True

    async def _surveyed(self, since: datetime, until: datetime | None) -> Survey:
        for name, moment in (("since", since), ("until", until)):
            if moment is not None and moment.tzinfo is None:
                raise UsageError(Reason(f"{name}: has no time zone (such as UTC)"))
        now = self._clock.wall()
        selection = Selection(
            since=since.timestamp(),
            until=now if until is None else until.timestamp(),
            late_horizon_seconds=self._options.policy.late_horizon_seconds,
        )
        survey = Survey(selection)
        async for entry in self._journal.entries():
            if entry.partner_id == self.settings.partner_id:
                survey.add(entry)
        return survey

    async def _compared(
        self, survey: Survey, scans: Sequence[Scan], prefix: str | None
    ) -> AsyncIterator[Finding]:
        comparison = Comparison(survey.selection, survey.asked, scans)
        async for entry in self._journal.entries():
            if entry.partner_id == self.settings.partner_id:
                finding = comparison.compare(entry)
                if finding is not None:
                    yield finding
        for finding in comparison.unknown(prefix or self.settings.partner_id):
            yield finding
