"""Random histories of the emulator with planted defects: each is found, and nothing else is."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace as moved

from agcod_async.batch import issue_many
from agcod_async.core.facts import Facts
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.journal.records import Entry
from agcod_async.providers.agcod.activity_messages import Activity
from agcod_async.reconciliation.books import Scan
from agcod_async.reconciliation.comparison import Comparison, Selection, Survey
from agcod_async.reconciliation.findings import Finding, Kind, Totals
from agcod_async.reconciliation.orders import Placed
from agcod_async.testing.clock import WALL_AT_START, run
from agcod_async.values import Money
from tests.support.fair import SETTINGS, Fair, emulator, order
from tests.support.journals import open_entries

ORDERS = 50
SELECTION = Selection(
    since=WALL_AT_START - 1,
    until=WALL_AT_START + 1e6,
    late_horizon_seconds=RecoveryPolicy().late_horizon_seconds,
)


@dataclass(frozen=True, slots=True)
class History:
    """What a batch through trouble leaves: the journal, the report, and the sum of what lives."""

    entries: tuple[Entry, ...]
    rows: tuple[Activity, ...]
    live: Decimal


@cache
def history(seed: int) -> History:
    """Issue a batch through faults of every kind, reconcile, and read the report."""

    async def main() -> History:
        fair = Fair(emulator(0.4, seed), seed=seed)
        async with fair.session() as session:
            orders = (order(n) for n in range(ORDERS))
            async for _ in issue_many(session, orders, deadline_seconds=20):
                pass
            fair.emulator.play(emulator(0.0, 0).config.faults)
            while await open_entries(fair.journal):
                await asyncio.sleep(10)
                await session.reconcile(deadline_seconds=7200)
            await asyncio.sleep(2000)
            start = datetime.fromtimestamp(WALL_AT_START - 600, UTC)
            end = datetime.fromtimestamp(session._clock.wall(), UTC)
            rows = [
                one
                async for one in session.activity(
                    start=start, end=end, show_no_ops=True, page_size=100
                )
            ]
            (balance,) = fair.emulator.ledger.balances()
            entries = tuple([entry async for entry in fair.journal.entries()])
            return History(entries, tuple(rows), balance.live)

    return run(main())


def found_in(entries: Iterable[Entry], rows: Iterable[Activity]) -> list[Finding]:
    kept, survey = list(entries), Survey(SELECTION)
    for entry in kept:
        survey.add(entry)
    frame = survey.frame(WALL_AT_START + 1e5)
    scans = [Scan(frame), Scan(frame)]
    for row in rows:
        for scan in scans:
            scan.add(row)
    comparison = Comparison(SELECTION, survey.asked, scans)
    told = [comparison.compare(entry) for entry in kept]
    return [*filter(None, told), *comparison.unknown(SETTINGS.partner_id)]


@pytest.mark.parametrize("seed", range(4))
def test_a_history_without_defects_has_no_findings_and_its_sums_are_the_ledgers(seed: int) -> None:
    made, totals = history(seed), Totals()
    for finding in found_in(made.entries, made.rows):
        totals.add(finding)

    assert set(totals.counts) <= {Kind.MATCHED, Kind.NOTHING}
    assert sum(totals.counts.values()) == ORDERS
    assert totals.recorded == totals.booked == {(Kind.MATCHED, "USD"): made.live}
    assert any(row.type == "Cancel" for row in made.rows)
    assert any(row.is_real is False for row in made.rows)
    assert any(entry.facts.epoch for entry in made.entries)


# --- defects: each takes the entry and the rows of one order whose card lives ---------------------

Defect = Callable[[Entry, list[Activity]], tuple[Entry | None, list[Activity]]]


def _live(entry: Entry, rows: list[Activity]) -> Activity:
    return next(
        row
        for row in rows
        if row.type == "Create"
        and row.is_real
        and row.gc_id == entry.gc_id
        and not row.failure_code
    )


def _lost(entry: Entry, rows: list[Activity]) -> tuple[Entry, list[Activity]]:
    live = _live(entry, rows)
    return entry, [row for row in rows if row.gc_id != live.gc_id]


def _doubled(entry: Entry, rows: list[Activity]) -> tuple[Entry, list[Activity]]:
    return entry, [*rows, replace(_live(entry, rows), gc_id="ANOTHER")]


def _refunded(entry: Entry, rows: list[Activity]) -> tuple[Entry, list[Activity]]:
    return entry, [*rows, replace(_live(entry, rows), type="Cancel")]


def _instead(entry: Entry, rows: list[Activity], **changes: object) -> tuple[Entry, list[Activity]]:
    live = _live(entry, rows)
    return entry, [replace(row, **changes) if row == live else row for row in rows]


def _dearer(entry: Entry, rows: list[Activity]) -> tuple[Entry, list[Activity]]:
    return _instead(entry, rows, amount=Money("99.99", "USD"))


def _foreign(entry: Entry, rows: list[Activity]) -> tuple[Entry, list[Activity]]:
    amount = _live(entry, rows).amount
    assert amount is not None
    return _instead(entry, rows, amount=Money(amount.amount, "EUR"))


def _replaced(entry: Entry, rows: list[Activity]) -> tuple[Entry, list[Activity]]:
    return moved(entry, gc_id="THEFIRST"), rows


def _forgotten(_: Entry, rows: list[Activity]) -> tuple[None, list[Activity]]:
    return None, rows


def _declined(entry: Entry, rows: list[Activity]) -> tuple[Entry, list[Activity]]:
    facts = Facts(epoch=entry.facts.epoch)
    return moved(entry, facts=facts, verdict="Declined", gc_id=None), rows


def _reopened(entry: Entry, rows: list[Activity]) -> tuple[Entry, list[Activity]]:
    facts = Facts(epoch=entry.facts.epoch, doubtful=True)
    return moved(entry, facts=facts, verdict="", gc_id=None), rows


def _reopened_and_lost(entry: Entry, rows: list[Activity]) -> tuple[Entry, list[Activity]]:
    return _reopened(entry, _lost(entry, rows)[1])


DEFECTS: dict[Kind, Defect] = {
    Kind.MISSING: _lost,
    Kind.DOUBLED: _doubled,
    Kind.UNKNOWN: _forgotten,
    Kind.REFUNDED: _refunded,
    Kind.ORPHANED: _declined,
    Kind.REPLACED: _replaced,
    Kind.AMOUNT_MISMATCH: _dearer,
    Kind.CURRENCY_MISMATCH: _foreign,
    Kind.PROVEN_ISSUED: _reopened,
    Kind.PROVEN_NOT_ISSUED: _reopened_and_lost,
}


def test_every_kind_that_is_no_agreement_can_be_planted() -> None:
    assert set(DEFECTS) == {kind for kind in Kind if not kind.agrees} - {Kind.STILL_OPEN}


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 3),
    planted=st.dictionaries(
        st.integers(0, ORDERS - 1), st.sampled_from(sorted(DEFECTS, key=str)), max_size=12
    ),
    shuffled=st.randoms(use_true_random=False),
)
def test_each_planted_defect_is_found_and_nothing_else_is(
    seed: int, planted: dict[int, Kind], shuffled: object
) -> None:
    made = history(seed)
    entries, rows, expected = list(made.entries), list(made.rows), dict[str, Kind]()
    for index, kind in planted.items():
        entry = made.entries[index]
        if entry.verdict != "Issued":
            continue
        ids = Placed.of(entry, late_horizon_seconds=0.0).ids
        own = [row for row in rows if row.request_id in ids]
        rest = [row for row in rows if row.request_id not in ids]
        changed, own = DEFECTS[kind](entry, own)
        if changed is None:
            entries.remove(entry)
            issues = [row for row in own if row.type == "Create" and row.is_real]
            expected |= {str(row.request_id): kind for row in issues if not row.failure_code}
        else:
            entries[entries.index(entry)] = changed
            expected[entry.request_id] = kind
        rows = rest + own
    shuffled.shuffle(rows)

    found = found_in(entries, rows)

    assert {one.request_id: one.kind for one in found if not one.kind.agrees} == expected
