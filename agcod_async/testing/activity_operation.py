"""The activity report, page by page. It can be switched off for a partner, and often is."""

import math
import re
from datetime import UTC, datetime
from typing import ClassVar

import msgspec

from agcod_async.testing import checks
from agcod_async.testing.activity import Activity
from agcod_async.testing.answers import Members, Success, value_of
from agcod_async.testing.cards import Moment
from agcod_async.testing.catalogue import REFUSALS
from agcod_async.testing.requests import Account, Request

PAGE_SIZE_MAX = 1_000

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z?", re.ASCII)


class GetGiftCardActivityPage(Request, frozen=True):
    """Read what happened in a time frame, from `utcStartDate` to before `utcEndDate`."""

    members: ClassVar[tuple[str, ...]] = (
        "cardActivityList",
        "status",
        "totalNumberOfTransactionsInRequestedTimeFrame",
    )
    disabled_code: ClassVar[str] = "F3008"

    report_request_id: str | None = msgspec.field(default=None, name="requestId")
    utc_start_date: str | None = None
    utc_end_date: str | None = None
    page_index: int | None = None
    page_size: int | None = None
    show_no_ops: bool = False

    @property
    def request_id(self) -> str | None:
        """The ID of this request for a report."""
        return self.report_request_id

    def execute(self, account: Account, moment: Moment) -> Success:
        """Check the request, then read the report."""
        config = account.config
        checks.partner(self.partner_id, config.partner_id)
        checks.order_id(self.partner_id, self.request_id, config.partner_id)
        index, size = self._index_and_size()
        start, end = _time(self.utc_start_date, "F2029"), _time(self.utc_end_date, "F2030")
        if start > end:
            raise checks.RefusedError(REFUSALS["F2031"])
        first = index * size if config.activity_index == "page" else index
        page = account.report.page(
            start,
            end,
            shown_until=_shown_until(moment, config.activity_lag_seconds),
            first=first,
            size=size,
            with_repeats=self.show_no_ops,
        )
        if page is None:
            raise checks.RefusedError(REFUSALS["F2029"])
        return _answer([_row(row, config.partner_id) for row in page.rows], page.total)

    def mock_success(self) -> Success:
        """Answer an empty page."""
        return _answer([], 0)

    def _index_and_size(self) -> tuple[int, int]:
        if self.page_size is None or self.page_size < 1:
            raise checks.RefusedError(REFUSALS["F2027"])
        if self.page_size > PAGE_SIZE_MAX:
            raise checks.RefusedError(REFUSALS["F2026"])
        if self.page_index is None or self.page_index < 0:
            raise checks.RefusedError(REFUSALS["F2028"])
        return self.page_index, self.page_size


def _shown_until(moment: Moment, lag_seconds: float) -> float:
    return moment.wall - lag_seconds if lag_seconds else math.inf


def _time(text: str | None, missing: str) -> float:
    """Return the seconds since 1970; `missing` is the error for no date at all."""
    if not text:
        raise checks.RefusedError(REFUSALS[missing])
    if not _DATE.fullmatch(text):
        raise checks.RefusedError(REFUSALS["F2032"])
    try:
        return datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC).timestamp()
    except ValueError as error:  # such as the 31st of February
        raise checks.RefusedError(REFUSALS["F2032"]) from error


def _answer(rows: list[Members], total: int) -> Success:
    return Success(
        {
            "cardActivityList": rows,
            "status": "SUCCESS",
            "totalNumberOfTransactionsInRequestedTimeFrame": total,
        }
    )


def _row(row: Activity, partner_id: str) -> Members:
    value = row.subject.value
    return {
        "activityStatus": "SUCCESS" if row.refusal is None else row.refusal.status,
        "activityTime": datetime.fromtimestamp(row.wall, UTC).strftime("%Y%m%dT%H%M%SZ"),
        "activityType": row.type.value,
        "cardNumber": row.subject.card_number,
        "cardValue": None if value is None else value_of(value.amount, value.currency),
        "failureCode": None if row.refusal is None else row.refusal.code,
        "gcId": row.subject.gc_id,
        "isRealOp": "true" if row.is_real else "false",  # texts: a client compares them so
        "partnerId": partner_id,
        "requestId": row.request_id,
    }
