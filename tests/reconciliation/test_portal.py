"""Exports of the portal, in whatever dialect: read for certain, or counted as unreadable."""

import io
from datetime import UTC, datetime

import pytest

from agcod_async.errors import UsageError
from agcod_async.reconciliation.books import Card, Frame, Scan, Shown
from agcod_async.reconciliation.portal import read_portal
from agcod_async.values import Money

TEN = Money("10.00", "USD")
FRAME = Frame(0.0, 1.0)


def read(*lines: str, frame: Frame | None = FRAME) -> Scan:
    return read_portal(io.StringIO("\n".join(lines) + "\n", newline=""), frame=frame)


def shown(*lines: str) -> Shown:
    return read(*lines).under("CreateGiftCard", "Testa1")


@pytest.mark.parametrize(
    "lines",
    [
        (
            "requestId,activityType,activityStatus,gcId,amount,currencyCode",
            "Testa1,Create,SUCCESS,GC1,10.00,USD",
        ),
        ("Currency;GC ID;Value;Status;Type;Request-ID", "USD;GC1;10;Success;CreateGiftCard;Testa1"),
        (
            "Gift Card ID\tCreation Request Id\tNotes\tTransaction Type\tResult\tCard Amount",
            "GC1\tTesta1\tfor, whom; it is\tGC creation\tcompleted\t10.0 USD",
        ),
        (
            '"Request ID","Type","Card Status","GC_ID","Amount"',
            '"Testa1","Issue","Fulfilled","GC1","USD 10"',
        ),
        (
            "",
            " request id | type | status | gcid | amount | currency ",
            "",
            "Testa1 | create | ok | GC1 | 10.00 | usd",
        ),
    ],
    ids=["wire names", "semicolons", "tabs and other columns", "quotes", "bars and blanks"],
)
def test_columns_are_found_by_name_in_many_spellings(lines: tuple[str, ...]) -> None:
    assert shown(*lines) == Shown(live=(Card("GC1", TEN),))


@pytest.mark.parametrize("amount", ["1,000.00", "-10", "ten", "$10", "10.005", "1e1"])
def test_an_amount_that_is_not_certain_is_none(amount: str) -> None:
    line = f'Testa1,Create,SUCCESS,GC1,"{amount}",USD'

    assert shown("requestid,type,status,gcid,amount,currency", line).live == (Card("GC1", None),)


def test_what_came_after_the_issue_is_read_too() -> None:
    header = "requestid,type,status,gcid,amount,currency,failurecode,isrealop"
    created = "Testa1,Create,SUCCESS,GC1,10,USD,,true"

    assert shown(header, created, "Testa1,Cancel,SUCCESS,GC1,10,USD,,true").live == ()
    assert shown(header, created, "Testa1,Cancel,SUCCESS,GC1,10,USD,F200,true").live != ()
    assert shown(header, created, "Testa1,Cancel,SUCCESS,GC1,10,USD,,FALSE").live != ()
    assert shown(header, created, "Testa1,Refund,completed,GC1,10,USD,,").live == ()


def test_a_row_that_cannot_be_read_is_counted_and_stops_nothing() -> None:
    scan = read(
        "requestid,type,status",
        "Testa1,Create,SUCCESS",
        "Testa2,Create",
        ",Create,SUCCESS",
        'Testa3,"Create"d,SUCCESS',
        ",,",
        "Testa4,Create,SUCCESS",
    )

    assert scan.unreadable == 3
    assert scan.rows == 5
    assert scan.under("CreateGiftCard", "Testa4").live == (Card(None, None),)


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        ("requestid,status,amount", "lacks a column for type; its first line names requestid, st"),
        ("", "lacks a column for request_id, type, status; its first line names none"),
        ("1,2,3", "lacks a column for request_id"),
    ],
)
def test_a_file_without_the_columns_is_refused(header: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        read(header)


@pytest.mark.parametrize(
    "time",
    [
        "2026-01-31T08:09:10Z",
        "20260131T080910Z",
        "2026-01-31 08:09:10",
        "2026-01-31 08:09:10 UTC",
        "2026/01/31 08:09:10",
        "2026-01-31T09:09:10+01:00",
        "Sat Jan 31 08:09:10 UTC 2026",
    ],
)
def test_without_a_frame_the_times_of_the_rows_are_it(time: str) -> None:
    header, rest = "requestid,type,status,date", "Create,SUCCESS"
    late = "Testa2,Create,SUCCESS,2026-02-01T00:00:00Z"

    frame = read(header, late, f"Testa1,{rest},{time}", late, frame=None).frame

    moments = (datetime(2026, 1, 31, 8, 9, 10, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
    assert frame == Frame(*(moment.timestamp() for moment in moments))


@pytest.mark.parametrize("time", ["31/01/2026 08:09", "01-31-2026", "yesterday", ""])
def test_a_time_that_is_not_certain_is_none(time: str) -> None:
    scan = read("requestid,type,status,date", f"Testa1,Create,SUCCESS,{time}", frame=None)

    assert scan.frame is None
    assert len(scan.under("CreateGiftCard", "Testa1").live) == 1
