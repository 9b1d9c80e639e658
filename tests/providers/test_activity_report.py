"""A page of the activity report: what is asked for, and what is read of it."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from agcod_async.core.outcomes import Applied, Refused, Unclear
from agcod_async.providers.agcod.activity_messages import Activity, ActivityPage
from agcod_async.providers.agcod.recipients import CardNumber
from agcod_async.values import InvalidValueError, Money
from tests.providers.replies import PARTNER, REQUEST_ID, error, reply
from tests.providers.samples import (
    CARD_NUMBER,
    END,
    LEGS,
    START,
    activity,
    activity_page,
    activity_row,
)


def _page(body: dict[str, object]) -> ActivityPage:
    outcome = LEGS["activity"]()(reply(body))
    assert isinstance(outcome, Applied)
    assert isinstance(outcome.answer, ActivityPage)
    return outcome.answer


def _row(**changes: object) -> Activity:
    (row,) = _page(activity(activity_row(**changes))).rows
    return row


def test_a_page_is_told_row_by_row() -> None:
    page = _page(activity(activity_row(), activity_row(failureCode="F200"), total="41"))

    assert (page.total, page.page_index, len(page.rows)) == (41, 0, 2)
    assert page.rows[0] == Activity(
        time=datetime(2031, 2, 3, 4, 5, 6, tzinfo=UTC),
        type="Create",
        status="SUCCESS",
        request_id=REQUEST_ID,
        partner_id=PARTNER,
        gc_id="A1B2",
        card_number=None,
        amount=Money("12.50", "USD"),
        failure_code=None,
        is_real=True,
    )
    assert page.rows[1].failure_code == "F200"


@pytest.mark.parametrize(
    ("written", "told"),
    [("true", True), ("false", False), (True, True), ("TRUE", True), (None, None), ("yes", None)],
)
def test_whether_a_row_is_real_is_read_as_text_or_truth(written: object, told: object) -> None:
    assert _row(isRealOp=written).is_real is told


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"activityTime": "soon"}, "time"),
        ({"activityTime": 5}, "time"),
        ({"activityType": ["Create"]}, "type"),
        ({"activityStatus": ...}, "status"),
        ({"requestId": ""}, "request_id"),
        ({"gcId": 77}, "gc_id"),
        ({"cardNumber": "123"}, "card_number"),
        ({"cardNumber": 5}, "card_number"),
        ({"cardValue": {"amount": 1, "currencyCode": "dollar"}}, "amount"),
        ({"cardValue": {"amount": 1}}, "amount"),
        ({"cardValue": None}, "amount"),
        ({"isRealOp": {}}, "is_real"),
    ],
)
def test_what_cannot_be_read_of_a_row_is_nothing_and_the_rest_stays(
    changes: dict[str, object], name: str
) -> None:
    row = _row(**changes)

    assert getattr(row, name) is None
    assert row.partner_id == PARTNER


def test_the_number_of_a_physical_card_is_not_shown() -> None:
    row = _row(cardNumber=CARD_NUMBER)

    assert row.card_number == CardNumber(CARD_NUMBER)
    assert CARD_NUMBER[:15] not in repr(row)


@pytest.mark.parametrize("body", [activity(), activity(total=0, cardActivityList=None)])
def test_a_page_without_rows_is_a_page(body: dict[str, object]) -> None:
    assert _page(body) == ActivityPage(rows=(), total=0, page_index=0)


@pytest.mark.parametrize(
    "body",
    [
        activity(total=5, cardActivityList=None),
        activity(total=None, cardActivityList=...),
        activity(total="many", cardActivityList=None),
        activity(cardActivityList="none"),
        activity(cardActivityList=[5]),
        activity(status="PENDING"),
        {"status": "SUCCESS"},
    ],
)
def test_a_list_that_is_missing_is_not_taken_for_an_empty_one(body: dict[str, object]) -> None:
    assert isinstance(LEGS["activity"]()(reply(body)), Unclear)


@pytest.mark.parametrize("total", [None, -1, "x", 1.5, "9" * 30, [], True])
def test_a_total_that_is_no_number_is_unknown(total: object) -> None:
    assert _page(activity(activity_row(), total=total)).total is None


def test_a_report_that_is_switched_off_is_refused() -> None:
    off = error("F300", "APIGetGiftCardActivityPageIsDisabled")

    assert isinstance(LEGS["activity"]()(reply(off, 400)), Refused)


# --- what is asked for -------------------------------------------------------------------------


def _body(**changes: Any) -> str:
    return activity_page(**changes).legs(None).forward.body.decode()


def test_times_are_sent_in_utc_to_the_second() -> None:
    east = timezone(timedelta(hours=5, minutes=30))
    body = _body(
        start=datetime(2031, 2, 3, 2, 0, 0, 999_999, tzinfo=east),
        end=datetime(987, 2, 3, tzinfo=UTC) + timedelta(days=400_000),
    )

    assert '"utcStartDate":"2031-02-02T20:30:00"' in body
    assert re.search(r'"utcEndDate":"\d{4}-\d\d-\d\dT00:00:00"', body)


def test_a_request_without_an_id_has_one_that_tells_what_it_asks_for() -> None:
    def derived(**changes: Any) -> str:
        found = re.search(r'"requestId":"(\w+)"', _body(request_id=None, **changes))
        assert found
        return found[1]

    assert derived() == derived()
    assert derived().startswith(PARTNER)
    different: list[dict[str, Any]] = [
        {},
        {"page_index": 1},
        {"page_size": 7},
        {"show_no_ops": True},
        {"end": END + timedelta(seconds=1)},
    ]
    assert len({derived(**changes) for changes in different}) == len(different)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"start": END}, "start"),
        ({"start": END + timedelta(seconds=1)}, "start"),
        ({"start": START.replace(tzinfo=None)}, "start"),
        ({"end": END.replace(tzinfo=None)}, "end"),
        ({"page_index": -1}, "page_index"),
        ({"page_size": 0}, "page_size"),
        ({"page_size": 1001}, "page_size"),
        ({"request_id": "Other1"}, "request_id"),
        ({"request_id": "F0000"}, "request_id"),
    ],
)
def test_what_amazon_would_refuse_is_named(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        activity_page(**changes)

    assert caught.value.field == field
