"""One order, what the journal says of it, what the books show: and what follows."""

import pytest
from msgspec.structs import replace

from agcod_async.core.facts import Facts
from agcod_async.core.outcomes import Leg
from agcod_async.journal.records import Entry
from agcod_async.providers.agcod.activity_messages import Activity
from agcod_async.reconciliation.books import Frame, Scan
from agcod_async.reconciliation.comparison import Selection, Survey
from agcod_async.reconciliation.findings import NEXT_ACTIONS, Kind, NextAction, Totals
from agcod_async.reconciliation.orders import WINDOW_MARGIN_SECONDS
from agcod_async.values import Money
from tests.reconciliation.books import (
    CONFIRMED,
    HORIZON_SECONDS,
    IN_DOUBT,
    SELECTION,
    SENT_AT,
    WIDE,
    compared,
    entry,
    row,
    scan,
    successor,
    twice,
)

TEN = Money("10.00", "USD")
UNDONE = Facts(doubtful=True, undone=True)
CANCEL = row(kind="Cancel")

TABLE: dict[str, tuple[Entry, list[Activity], Kind]] = {
    "issued and shown": (entry(), [row()], Kind.MATCHED),
    "issued and shown without a name": (entry(), [row(gc_id=None)], Kind.MATCHED),
    "issued and shown without an amount": (entry(), [row(amount=None)], Kind.MATCHED),
    "issued, shown, and repeated": (entry(), [row(), row(is_real=False)], Kind.MATCHED),
    "issued after a refusal": (
        entry(),
        [row(status="FAILURE", failure_code="F300"), row()],
        Kind.MATCHED,
    ),
    "issued and not shown": (entry(), [], Kind.MISSING),
    "issued, and only repeats are shown": (entry(), [row(is_real=False)], Kind.MISSING),
    "issued, and a refusal shown": (entry(), [row(failure_code="F300")], Kind.MISSING),
    "issued and cancelled": (entry(), [row(), CANCEL], Kind.REFUNDED),
    "cancelled, whatever comes first": (entry(), [CANCEL, row()], Kind.REFUNDED),
    "cancelled without a name": (entry(), [row(), row(kind="Cancel", gc_id=None)], Kind.REFUNDED),
    "shown as refunded": (entry(), [row(status="RefundedToPurchaser")], Kind.REFUNDED),
    "cancelled in other words": (
        entry(),
        [row(), row(kind="Refund", status="Cancelled")],
        Kind.REFUNDED,
    ),
    "cancelled, and issued without a name": (entry(), [row(gc_id=None), CANCEL], Kind.REFUNDED),
    "a cancel of another card": (entry(), [row(), row(kind="Cancel", gc_id="GC9")], Kind.MATCHED),
    "a cancel that was refused": (
        entry(),
        [row(), row(kind="Cancel", failure_code="F200")],
        Kind.MATCHED,
    ),
    "a cancel that repeats": (entry(), [row(), row(kind="Cancel", is_real=False)], Kind.MATCHED),
    "another card": (entry(), [row(gc_id="GC2")], Kind.REPLACED),
    "dead, then another card": (entry(), [row(), CANCEL, row(gc_id="GC2")], Kind.REPLACED),
    "two cards under one ID": (entry(), [row(), row(gc_id="GC2")], Kind.DOUBLED),
    "dead, but another card than was handed out": (
        entry(),
        [row(gc_id="GC2"), row(kind="Cancel", gc_id="GC2")],
        Kind.MISSING,
    ),
    "another amount": (entry(), [row(amount=Money("10.01", "USD"))], Kind.AMOUNT_MISMATCH),
    "another currency": (entry(), [row(amount=Money("10.00", "EUR"))], Kind.CURRENCY_MISMATCH),
    "declined and not shown": (entry(verdict="Declined"), [], Kind.NOTHING),
    "declined and shown": (entry(verdict="Declined"), [row()], Kind.ORPHANED),
    "unavailable and shown": (entry(verdict="Unavailable"), [row()], Kind.ORPHANED),
    "reversed and dead": (entry(verdict="Reversed", facts=UNDONE), [row(), CANCEL], Kind.NOTHING),
    "reversed and live": (entry(verdict="Reversed", facts=UNDONE), [row()], Kind.ORPHANED),
    "reversed after it was handed out": (
        entry(verdict="Reversed", facts=CONFIRMED),
        [row(), CANCEL],
        Kind.REFUNDED,
    ),
    "reversed after it was handed out, and not shown": (
        entry(verdict="Reversed", facts=CONFIRMED),
        [],
        Kind.NOTHING,
    ),
    "in doubt and shown": (entry(verdict=""), [row()], Kind.PROVEN_ISSUED),
    "in doubt and not shown": (entry(verdict=""), [], Kind.PROVEN_NOT_ISSUED),
    "in doubt and dead": (entry(verdict="", facts=UNDONE), [row(), CANCEL], Kind.PROVEN_NOT_ISSUED),
    "in doubt with another amount": (
        entry(verdict=""),
        [row(amount=Money("9.00", "USD"))],
        Kind.AMOUNT_MISMATCH,
    ),
    "in doubt and doubled": (entry(verdict=""), [row(), row(gc_id="GC2")], Kind.DOUBLED),
    "a successor": (
        entry(facts=Facts(epoch=1, confirmed=True), live_id=successor("Testa1"), gc_id="GC2"),
        [row(), CANCEL, row(successor("Testa1"), gc_id="GC2")],
        Kind.MATCHED,
    ),
    "a successor beside a card that lives": (
        entry(facts=Facts(epoch=1, confirmed=True), live_id=successor("Testa1"), gc_id="GC2"),
        [row(), row(successor("Testa1"), gc_id="GC2")],
        Kind.DOUBLED,
    ),
    "the second successor, in doubt": (
        entry(verdict="", facts=Facts(epoch=2, doubtful=True), live_id=successor("Testa1", 2)),
        [row(successor("Testa1", 2), gc_id="GC3")],
        Kind.PROVEN_ISSUED,
    ),
    "a row of an unknown kind": (entry(), [row(), row(kind="Adjust")], Kind.STILL_OPEN),
    "a row of an unknown status": (entry(), [row(status="Perhaps")], Kind.STILL_OPEN),
    "doubled beside a row that is not understood": (
        entry(),
        [row(), row(gc_id="GC2"), row(kind="Adjust")],
        Kind.DOUBLED,
    ),
    "an activation": (
        entry(operation="ActivateGiftCard"),
        [row(kind="ActivateGiftCard")],
        Kind.MATCHED,
    ),
    "an activation that is no create": (
        entry(operation="ActivateGiftCard"),
        [row(kind="Activate"), row(kind="DeactivateGiftCard")],
        Kind.REFUNDED,
    ),
    "a load": (entry(operation="LoadAmazonBalance"), [row(kind="Load")], Kind.MATCHED),
    "a load that was voided": (
        entry(operation="LoadAmazonBalance"),
        [row(kind="Load"), row(kind="VoidAmazonBalanceLoad")],
        Kind.REFUNDED,
    ),
}


@pytest.mark.parametrize("case", TABLE)
def test_what_follows_from_two_scans_that_agree(case: str) -> None:
    recorded, rows, kind = TABLE[case]

    (finding,) = compared([recorded], twice(*rows))

    assert finding.kind is kind
    assert finding.action is NEXT_ACTIONS[kind]
    assert finding.request_id == "Testa1"
    assert finding.version == 3
    assert bool(finding.note) == (kind is Kind.STILL_OPEN)


def test_every_kind_has_a_case_and_an_action_in_words() -> None:
    assert {kind for _, _, kind in TABLE.values()} | {Kind.UNKNOWN} == set(Kind)
    assert set(NEXT_ACTIONS) == set(Kind)
    assert all(action.words for action in NextAction)


NEEDS_ABSENCE = [
    name
    for name, (_, _, kind) in TABLE.items()
    if kind in (Kind.MISSING, Kind.PROVEN_NOT_ISSUED, Kind.PROVEN_ISSUED, Kind.ORPHANED)
]


@pytest.mark.parametrize("case", NEEDS_ABSENCE)
def test_one_scan_proves_nothing_that_hangs_on_what_it_lacks(case: str) -> None:
    recorded, rows, _ = TABLE[case]

    (finding,) = compared([recorded], [scan(*rows)])

    assert finding.kind is Kind.STILL_OPEN
    assert "one scan" in finding.note


@pytest.mark.parametrize("case", NEEDS_ABSENCE)
def test_scans_that_differ_prove_nothing(case: str) -> None:
    recorded, rows, kind = TABLE[case]
    other = [row()] if kind in (Kind.MISSING, Kind.PROVEN_NOT_ISSUED) else []

    (finding,) = compared([recorded], [scan(*other), scan(*rows)])

    assert finding.kind is Kind.STILL_OPEN
    assert "changed" in finding.note


ENDS_AT = SENT_AT + HORIZON_SECONDS + WINDOW_MARGIN_SECONDS


@pytest.mark.parametrize("case", NEEDS_ABSENCE)
@pytest.mark.parametrize(
    ("frame", "is_known"),
    [
        (Frame(SENT_AT - WINDOW_MARGIN_SECONDS, ENDS_AT), True),
        (Frame(SENT_AT - WINDOW_MARGIN_SECONDS + 1, ENDS_AT), False),
        (Frame(SENT_AT - WINDOW_MARGIN_SECONDS, ENDS_AT - 1), False),
        (None, False),
    ],
    ids=["all of it", "not its beginning", "not its end", "unknown"],
)
def test_nothing_is_proved_before_the_horizon_or_outside_the_window(
    case: str,
    frame: Frame | None,
    is_known: bool,  # noqa: FBT001  pytest gives it
) -> None:
    recorded, rows, kind = TABLE[case]
    if recorded.facts.epoch == 0:
        scans = [scan(*rows, frame=frame) for _ in range(2)]
        (finding,) = compared([recorded], scans)

        assert finding.kind is (kind if is_known else Kind.STILL_OPEN)


@pytest.mark.parametrize(
    "changes",
    [
        {"last_sent_at": SENT_AT + 60},
        {"last_undo_at": SENT_AT + 60},
        {"effects_until": SENT_AT + HORIZON_SECONDS + 60},
    ],
    ids=" ".join,
)
def test_the_window_reaches_to_the_last_effect_of_whatever_was_sent(
    changes: dict[str, float],
) -> None:
    def kind(end: float) -> Kind:
        frame = Frame(SENT_AT - 1000, end)
        scans = [scan(frame=frame), scan(frame=frame)]
        return compared([entry(verdict="", **changes)], scans)[0].kind

    assert kind(ENDS_AT + 60) is Kind.PROVEN_NOT_ISSUED
    assert kind(ENDS_AT + 59) is Kind.STILL_OPEN


def test_what_an_order_with_a_successor_sent_first_is_in_its_window() -> None:
    facts = Facts(epoch=1, doubtful=True)
    recorded = entry(verdict="", facts=facts, created_at=SENT_AT - 600, first_sent_at=SENT_AT)
    short, long = Frame(SENT_AT - 899, WIDE.end), Frame(SENT_AT - 900, WIDE.end)

    kinds = [compared([recorded], [scan(frame=f), scan(frame=f)])[0].kind for f in (short, long)]

    assert kinds == [Kind.STILL_OPEN, Kind.PROVEN_NOT_ISSUED]


def test_a_row_that_cannot_be_read_may_be_the_one_that_is_missing() -> None:
    scans = twice()
    scans[0].add_unreadable()

    (finding,) = compared([entry()], scans)
    (matched,) = compared([entry()], [*scans[:1], scan(row())])

    assert finding.kind is Kind.STILL_OPEN
    assert "cannot be read" in finding.note
    assert matched.kind is Kind.MATCHED


def test_an_order_that_has_moved_on_since_the_books_were_read_is_still_open() -> None:
    moved = entry(updated_at=WIDE.end + 1, verdict="Reversed", facts=UNDONE)

    (finding,) = compared([moved], twice(row()))

    assert finding.kind is Kind.STILL_OPEN
    assert "moved on" in finding.note


@pytest.mark.parametrize(
    ("verdict", "rows", "kind", "others"),
    [
        ("Issued", [row(), CANCEL], Kind.NOTHING, 0),
        ("Issued", [row()], Kind.ORPHANED, 0),
        ("Issued", [], Kind.NOTHING, 0),
        ("", [row(), CANCEL], Kind.NOTHING, 1),
        ("", [row()], Kind.MATCHED, 1),
        ("Declined", [row()], Kind.MATCHED, 0),
        ("Declined", [row(), CANCEL], Kind.REFUNDED, 0),
    ],
)
def test_a_cancel_that_you_asked_for_is_no_defect(
    verdict: str, rows: list[Activity], kind: Kind, others: int
) -> None:
    asked = entry(
        operation="CancelGiftCard", verdict=verdict, amount="", facts=Facts(confirmed=True)
    )

    found = compared([entry(), asked], twice(*rows))

    assert found[0].kind is kind
    assert (found[0].recorded is None) == (verdict == "Issued")
    assert [one.kind for one in found[1:]] == [Kind.STILL_OPEN] * others
    assert [one.action for one in found[1:]] == [NextAction.RECONCILE] * others


def test_an_issue_that_no_entry_tells_of_is_unknown() -> None:
    rows = [row(), row("Testa2", gc_id="GC2"), row("Other3"), row("Testa4", failure_code="F300")]

    found = compared([entry()], twice(*rows, row("Testa5", kind="Cancel")))

    assert [(one.kind, one.request_id) for one in found] == [
        (Kind.MATCHED, "Testa1"),
        (Kind.UNKNOWN, "Testa2"),
    ]
    assert found[1].booked == (TEN,)
    assert found[1].gc_ids == ("GC2",)


def test_an_unknown_issue_is_told_though_only_one_scan_shows_it_or_it_was_undone() -> None:
    early = scan(row("Testa2", gc_id="GC2"))
    late = scan(row("Testa3"), row("Testa3", kind="Cancel"), row("Testa4", kind="Adjust"))

    found = compared([], [early, late])

    assert {(one.request_id, one.note) for one in found} == {
        ("Testa2", ""),
        ("Testa3", "it has been undone"),
        ("Testa4", "a row of it is not understood"),
    }
    assert {one.kind for one in found} == {Kind.UNKNOWN}


def test_what_was_sent_outside_the_time_is_not_compared_and_not_unknown() -> None:
    selection = Selection(
        since=SENT_AT + 1, until=SENT_AT + 3600, late_horizon_seconds=HORIZON_SECONDS
    )

    assert compared([entry()], twice(row()), selection=selection) == []
    assert compared([entry(operation="ActivationStatusCheck")], twice()) == []


def test_the_time_to_be_read_reaches_around_all_orders_and_not_into_the_future() -> None:
    survey = Survey(SELECTION)
    assert survey.frame(SENT_AT + 9e6) == Frame(SELECTION.since, SELECTION.until)
    survey.add(entry(first_sent_at=SELECTION.since + 0.25, last_sent_at=SELECTION.until + 100.75))
    survey.add(entry(first_sent_at=SELECTION.until))

    margin = WINDOW_MARGIN_SECONDS
    end = SELECTION.until + 101 + HORIZON_SECONDS + margin
    assert survey.orders == 1
    assert survey.frame(SENT_AT + 9e6) == Frame(SELECTION.since - margin, end)
    assert survey.frame(SENT_AT + 5.5) == Frame(SELECTION.since - margin, SENT_AT + 5)


def test_an_undo_in_the_journal_is_no_order() -> None:
    survey = Survey(SELECTION)
    survey.add(entry(operation="VoidAmazonBalanceLoad", leg=Leg.FORWARD))

    assert survey.orders == 0


def test_sums_are_kept_to_the_cent_for_each_kind_and_currency() -> None:
    totals = Totals()
    entries = [
        entry("Testa1"),
        entry("Testa2", amount="0.10 USD"),
        entry("Testa3", amount="1000 JPY"),
        entry("Testa4", amount="0.20 USD"),
    ]
    rows = [
        row("Testa1"),
        row("Testa2", amount=Money("0.10", "USD")),
        row("Testa3", amount=Money("1000", "JPY")),
        row("Testa9", amount=Money("0.01", "USD")),
    ]
    for finding in compared([replace(one, gc_id=None) for one in entries], twice(*rows)):
        totals.add(finding)

    assert totals.counts == {Kind.MATCHED: 3, Kind.MISSING: 1, Kind.UNKNOWN: 1}
    assert {(kind.value, unit): str(total) for (kind, unit), total in totals.recorded.items()} == {
        ("matched", "USD"): "10.10",
        ("matched", "JPY"): "1000",
        ("missing", "USD"): "0.20",
    }
    assert {(kind.value, unit): str(total) for (kind, unit), total in totals.booked.items()} == {
        ("matched", "USD"): "10.10",
        ("matched", "JPY"): "1000",
        ("unknown", "USD"): "0.01",
    }


def test_a_scan_counts_its_rows_and_keeps_a_row_that_came_twice_once() -> None:
    made: Scan = scan(row(), row(), row(None), row(is_real=False))

    assert (made.rows, made.unreadable) == (4, 1)
    assert len(made.under("CreateGiftCard", "Testa1").live) == 1


def test_in_doubt_before_anything_was_sent_is_open_too() -> None:
    unsent = entry(verdict="", facts=Facts(), first_sent_at=None, last_sent_at=None)

    assert compared([unsent], twice())[0].kind is Kind.PROVEN_NOT_ISSUED
    assert compared([replace(unsent, facts=IN_DOUBT)], twice())[0].kind is Kind.PROVEN_NOT_ISSUED
