"""The activity report: one page of it, or all rows of a time frame, page by page."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Final

from agcod_async.agcod.facade import SECONDS_PER_MINUTE, Facade, checked
from agcod_async.core.outcomes import Reason
from agcod_async.errors import AgcodError
from agcod_async.pacing.port import Lane
from agcod_async.providers.agcod.activity_messages import Activity, ActivityPage
from agcod_async.providers.agcod.activity_requests import (
    PAGE_SIZE_MAX,
    get_gift_card_activity_page_request,
)
from agcod_async.providers.agcod.operations import GET_GIFT_CARD_ACTIVITY_PAGE

PAGE_DEADLINE_SECONDS: Final = 900.0
PAGE_TURNS: Final = 10
"""How long the iterator waits for a page, unless told otherwise: for this many turns of the pace,
and not less than the time above. Throttles take up some of them.
"""


class ActivityCalls(Facade):
    """The part of the session that reads what the account has done.

    Amazon can switch the report off for a partner: `AccountError` (F3008).
    """

    async def get_gift_card_activity_page(
        self,
        *,
        start: datetime,
        end: datetime,
        page_index: int,
        page_size: int,
        show_no_ops: bool = False,
        lane: Lane | None = None,
        deadline_seconds: float | None = None,
    ) -> ActivityPage:
        """Return one page of what happened from `start` on and before `end`.

        Both need a time zone and are cut to whole seconds. A page has up to 1,000 rows. With
        `show_no_ops` it also has what only repeated an earlier request. `page_index` is sent as it
        is, 0 for the first page; see `Settings.activity_index_counts` for what it counts.
        """
        request = checked(
            get_gift_card_activity_page_request,
            start=start,
            end=end,
            page_index=page_index,
            page_size=page_size,
            partner_id=self.settings.partner_id,
            mock_ids_allowed=self.settings.mock_ids_allowed,
            show_no_ops=show_no_ops,
        )
        done = await self.call(
            GET_GIFT_CARD_ACTIVITY_PAGE, request, lane=lane, deadline_seconds=deadline_seconds
        )
        return done.answer

    async def activity(
        self,
        *,
        start: datetime,
        end: datetime,
        page_size: int = PAGE_SIZE_MAX,
        show_no_ops: bool = False,
        first_page: int = 0,
        lane: Lane | None = None,
        deadline_seconds: float | None = None,
    ) -> AsyncIterator[Activity]:
        """Iterate over the rows of all pages from the `first_page` on, counted from 0.

        Pages come at `Settings.activity_pages_per_minute`; one that is throttled is asked for
        again. `deadline_seconds` is for each page. Choose an `end` in the past, or rows move while
        the pages are read. Raises `AgcodError` where the pages do not add up to what Amazon says
        that there is, which means as a rule that `Settings.activity_index_counts` is not right.
        """
        seconds = self._page_seconds() if deadline_seconds is None else deadline_seconds
        counts_rows = self.settings.activity_index_counts == "rows"
        page, seen = first_page, first_page * page_size
        before: ActivityPage | None = None
        while True:
            told = await self.get_gift_card_activity_page(
                start=start,
                end=end,
                page_index=page * page_size if counts_rows else page,
                page_size=page_size,
                show_no_ops=show_no_ops,
                lane=lane,
                deadline_seconds=seconds,
            )
            _check_goes_on(before, told, seen)
            for row in told.rows:
                yield row
            page, seen, before = page + 1, seen + len(told.rows), told
            if not told.rows or (told.total is None and len(told.rows) < page_size):
                return
            if told.total is not None and seen >= told.total:
                return

    def _page_seconds(self) -> float:
        turn_seconds = SECONDS_PER_MINUTE / self.settings.activity_pages_per_minute
        return max(PAGE_DEADLINE_SECONDS, PAGE_TURNS * turn_seconds)


def _check_goes_on(before: ActivityPage | None, told: ActivityPage, seen: int) -> None:
    """Raise `AgcodError` unless a page follows on the one `before` it, after `seen` rows."""
    if before is not None and told.rows:
        repeats = told.rows == before.rows
        overlaps = len(told.rows) > 1 and told.rows[0:-1] == before.rows[1 : len(told.rows)]
        if repeats or overlaps:
            raise AgcodError(Reason(f"the activity report repeats rows: {_INDEX}"))
    if not told.rows and told.total is not None and seen < told.total:
        missing = f"the activity report ends after {seen} of {told.total} rows"
        raise AgcodError(Reason(f"{missing}: {_INDEX}"))


_INDEX = "see Settings.activity_index_counts"
