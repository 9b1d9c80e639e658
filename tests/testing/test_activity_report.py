"""The activity report tells what happened, page by page, and never makes up what it forgot."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agcod_async.testing import FaultKind, FaultRule, FaultScript
from agcod_async.testing.clock import WALL_AT_START
from tests.testing.requests import (
    CARD,
    FUNDS,
    ID,
    Asker,
    activate,
    cancel,
    check,
    create,
    deactivate,
    load,
    report,
)

OPERATION = "GetGiftCardActivityPage"
TOTAL = "totalNumberOfTransactionsInRequestedTimeFrame"


def time(seconds: float) -> str:
    """Return a time, counted from the emulator's start, as a request writes it."""
    return datetime.fromtimestamp(WALL_AT_START + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def page(asker: Asker, index: int = 0, size: int = 100, **more: Any) -> dict[str, Any]:
    more = {"start": time(-10), "end": time(100_000), **more}
    return asker.ask(OPERATION, report(index=index, size=size, **more))


def rows(asker: Asker, **more: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page(asker, **more)["cardActivityList"]
    return found


def ids(asker: Asker, **more: Any) -> list[str]:
    return [row["requestId"] for row in rows(asker, **more)]


def error_of(answer: dict[str, Any]) -> tuple[str, str]:
    return answer["errorCode"], answer["errorType"]


def test_a_row_tells_what_was_done() -> None:
    asker = Asker()
    gc_id = asker.ask("CreateGiftCard", create(amount=12.5))["gcId"]

    assert page(asker) == {
        "cardActivityList": [
            {
                "activityStatus": "SUCCESS",
                "activityTime": "20260101T000000Z",
                "activityType": "Create",
                "cardNumber": None,
                "cardValue": {"amount": Decimal("12.5"), "currencyCode": "USD"},
                "failureCode": None,
                "gcId": gc_id,
                "isRealOp": "true",
                "partnerId": "Emula",
                "requestId": ID,
            }
        ],
        "status": "SUCCESS",
        TOTAL: 1,
    }


def test_everything_that_moves_value_has_a_row_and_what_only_reads_has_none() -> None:
    asker = Asker()
    for operation, body in (
        ("CreateGiftCard", create()),
        ("CancelGiftCard", cancel()),
        ("ActivateGiftCard", activate()),
        ("ActivationStatusCheck", check()),
        ("DeactivateGiftCard", deactivate()),
        ("LoadAmazonBalance", load()),
        ("ValidateAccountForAmazonBalanceLoad", load()),
        ("VoidAmazonBalanceLoad", load()),
        ("GetAvailableFunds", FUNDS),
    ):
        assert asker.ask(operation, body)["status"] == "SUCCESS"
        asker.pass_time(1)

    told = [(row["activityType"], row["cardNumber"], row["isRealOp"]) for row in rows(asker)]
    assert told == [
        ("Create", None, "true"),
        ("Cancel", None, "true"),
        ("Activate", CARD, "true"),
        ("Deactivate", CARD, "true"),
        ("Load", None, "true"),
        ("Void", None, "true"),
    ]
    assert [row["cardValue"]["amount"] for row in rows(asker)] == [25] * 6


def test_a_repeated_request_is_a_row_only_for_those_who_ask_for_it() -> None:
    asker = Asker()
    for _ in range(3):
        asker.ask("CreateGiftCard", create())
    asker.ask("CancelGiftCard", cancel())
    asker.ask("CancelGiftCard", cancel())

    real, every = page(asker), page(asker, showNoOps=True)
    assert [row["activityType"] for row in real["cardActivityList"]] == ["Create", "Cancel"]
    assert real[TOTAL] == 2
    assert [row["isRealOp"] for row in every["cardActivityList"]] == [
        "true",
        "false",
        "false",
        "true",
        "false",
    ]
    assert every[TOTAL] == 5


def test_a_refused_request_is_a_row_with_its_code_and_without_a_card() -> None:
    asker = Asker()
    asker.ask("CreateGiftCard", create(amount=0))

    (row,) = rows(asker)
    assert (row["activityStatus"], row["failureCode"]) == ("FAILURE", "F200")
    assert (row["gcId"], row["cardValue"], row["isRealOp"]) == (None, None, "true")


def test_what_had_no_effect_on_this_partner_has_no_row() -> None:
    rules = (
        FaultRule(fault=FaultKind.F400_BEFORE, request_id="Emula_before"),
        FaultRule(fault=FaultKind.F400_AFTER, request_id="Emula_after"),
        FaultRule(fault=FaultKind.LAND_LATE, seconds=60, request_id="Emula_late"),
    )
    asker = Asker(faults=FaultScript(rules=rules))
    for request_id in ("Emula_before", "Emula_after", "Emula_late", "Other1", "F0000", "F3003"):
        asker.decide("CreateGiftCard", create(request_id))

    assert ids(asker) == ["Emula_after"]
    asker.pass_time(61)
    late = rows(asker)[-1]
    assert (late["requestId"], late["activityTime"]) == ("Emula_late", "20260101T000100Z")


def test_a_frame_has_its_beginning_in_it_and_its_end_not() -> None:
    asker = Asker()
    for number in range(5):
        asker.ask("CreateGiftCard", create(f"Emula{number}"))
        asker.pass_time(10)

    assert ids(asker, start=time(10), end=time(30)) == ["Emula1", "Emula2"]
    assert ids(asker, start=time(10) + "Z", end=time(30) + "Z") == ["Emula1", "Emula2"]
    assert ids(asker, start=time(30), end=time(30)) == []
    assert page(asker, start=time(100), end=time(200))[TOTAL] == 0


@pytest.mark.parametrize("index", ["page", "row"])
@given(count=st.integers(0, 25), size=st.integers(1, 12))
@settings(max_examples=25, deadline=None)
def test_pages_show_every_row_once(index: str, count: int, size: int) -> None:
    asker = Asker(activity_index=index)
    written = [f"Emula{number}" for number in range(count)]
    for request_id in written:
        asker.ask("CreateGiftCard", create(request_id, 1))

    seen: list[str] = []
    pages = 0
    while True:
        got = page(asker, index=pages if index == "page" else len(seen), size=size)
        assert got[TOTAL] == count
        if not got["cardActivityList"]:
            break
        seen += [row["requestId"] for row in got["cardActivityList"]]
        pages += 1

    assert seen == written
    assert pages == -(-count // size)


def test_a_page_that_would_need_forgotten_rows_is_refused_rather_than_made_up() -> None:
    asker = Asker(history_max=3)
    for number in range(5):
        asker.ask("CreateGiftCard", create(f"Emula{number}"))
        asker.pass_time(10)

    assert ids(asker, start=time(20)) == ["Emula2", "Emula3", "Emula4"]
    assert error_of(page(asker, start=time(10))) == ("F200", "InvalidStartDate")
    assert ids(asker, start=time(11)) == ["Emula2", "Emula3", "Emula4"]
    assert len(asker.service.ledger.history) == 3
    assert asker.service.ledger.changes == 5


def test_without_a_history_there_is_no_report_of_the_past_and_the_books_are_right() -> None:
    asker = Asker(history_max=0)
    asker.ask("CreateGiftCard", create())
    asker.ask("CreateGiftCard", create())

    assert error_of(page(asker)) == ("F200", "InvalidStartDate")
    assert ids(asker, start=time(1)) == []
    balance = asker.service.ledger.balances()[0]
    assert balance.debited == balance.live == 25


@pytest.mark.parametrize(
    ("more", "error_type"),
    [
        ({"size": 1001}, "MaxPageSizeExceeded"),
        ({"size": 0}, "InvalidPageSize"),
        ({"size": None}, "InvalidPageSize"),
        ({"index": -1}, "InvalidPageIndex"),
        ({"index": None}, "InvalidPageIndex"),
        ({"start": None}, "InvalidStartDate"),
        ({"end": ""}, "InvalidEndDate"),
        ({"start": time(60), "end": time(59)}, "StartDateAfterEndDate"),
        ({"start": "2026-01-01"}, "InvalidDateFormat"),
        ({"end": "2026-02-31T00:00:00"}, "InvalidDateFormat"),
        ({"end": "2026-01-01T00:00:00+01:00"}, "InvalidDateFormat"),
        ({"requestId": None}, "InvalidRequestIdInput"),
        ({"requestId": "Other"}, "RequestIdMustStartWithPartnerName"),
    ],
)
def test_a_frame_or_page_that_makes_no_sense_is_refused(
    more: dict[str, Any], error_type: str
) -> None:
    assert error_of(page(Asker(), **more)) == ("F200", error_type)


def test_a_page_may_have_a_thousand_rows() -> None:
    assert page(Asker(), size=1000)["status"] == "SUCCESS"


def test_the_report_can_be_switched_off_for_a_partner() -> None:
    asker = Asker(disabled_operations=frozenset({"GetGiftCardActivityPage"}))

    answer = page(asker)

    assert error_of(answer) == ("F300", "APIGetGiftCardActivityPageIsDisabled")
    assert answer["agcodResponse"]["cardActivityList"] is None


def test_the_report_can_be_mocked() -> None:
    asker = Asker()
    asker.ask("CreateGiftCard", create())

    assert page(asker, requestId="F0000") == {"cardActivityList": [], "status": "SUCCESS", TOTAL: 0}
    assert error_of(page(asker, requestId="F3008"))[0] == "F300"
