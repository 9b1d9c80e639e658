"""The journal against the emulator's report: lag, pages, throttles, and what is put on record."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace as moved

from agcod_async.agcod import AgcodSession
from agcod_async.batch import issue_many
from agcod_async.core.facts import Facts
from agcod_async.engine.auditing import AuditResult
from agcod_async.errors import AccountError, InDoubtError, UsageError
from agcod_async.journal.base import StaleEntryError
from agcod_async.journal.memory import MemoryJournal
from agcod_async.journal.records import Entry
from agcod_async.providers.agcod.recipients import Account
from agcod_async.reconciliation.books import Frame, Scan
from agcod_async.reconciliation.findings import Finding, Kind, NextAction, Totals
from agcod_async.testing import Emulator, EmulatorConfig, FaultKind, FaultRule, FaultScript
from agcod_async.testing.clock import WALL_AT_START, run, virtual_clock
from agcod_async.values import Money
from tests.support.fair import SETTINGS, emulator, order

SINCE = datetime.fromtimestamp(WALL_AT_START - 1, UTC)
LAND_SECONDS = 1000.0
"""After so long nothing that was sent can land any more, and every window has ended."""


def session(server: Emulator, journal: MemoryJournal) -> AgcodSession:
    return AgcodSession(
        SETTINGS, transport=server.transport(), journal=journal, clock=virtual_clock()
    )


def lagging(seconds: float, *rules: FaultRule) -> Emulator:
    config = EmulatorConfig(activity_lag_seconds=seconds, faults=FaultScript(rules=rules))
    return Emulator(config, clock=virtual_clock())


async def issue(s: AgcodSession, *numbers: int, deadline_seconds: float = 60) -> None:
    orders = (order(n) for n in numbers)
    async for _ in issue_many(s, orders, deadline_seconds=deadline_seconds):
        pass


async def kinds(s: AgcodSession, **options: object) -> list[Kind]:
    return [finding.kind async for finding in s.compare(since=SINCE, **options)]


def compared(
    server: Emulator,
    main: Callable[[AgcodSession, MemoryJournal], object],
) -> None:
    async def opened() -> None:
        journal = MemoryJournal()
        async with session(server, journal) as s:
            await main(s, journal)

    run(opened())


def test_what_was_issued_matches_to_the_cent() -> None:
    server = lagging(0.0)

    async def main(s: AgcodSession, _: MemoryJournal) -> None:
        await issue(s, *range(20))
        await asyncio.sleep(LAND_SECONDS)
        totals, before = Totals(), server.arrivals.total
        async for finding in s.compare(since=SINCE):
            totals.add(finding)

        (balance,) = server.ledger.balances()
        assert totals.counts == {Kind.MATCHED: 20}
        assert totals.booked == totals.recorded == {(Kind.MATCHED, "USD"): balance.debited}
        assert server.arrivals.total == before + 2

    compared(server, main)


def test_a_report_that_lags_makes_nothing_missing() -> None:
    server = lagging(1200.0)  # the first scan does not show it yet, the second does

    async def main(s: AgcodSession, _: MemoryJournal) -> None:
        await issue(s, 1)
        await asyncio.sleep(LAND_SECONDS)
        assert await kinds(s, pause_seconds=900) == [Kind.MATCHED]

    compared(server, main)


def test_a_lag_that_ends_between_the_scans_leaves_it_open() -> None:
    server = lagging(1200.0, FaultRule(fault=FaultKind.LOSE_REPLY, times=99))

    async def main(s: AgcodSession, _: MemoryJournal) -> None:
        await issue(s, 1, deadline_seconds=12)
        server.play(FaultScript())
        await asyncio.sleep(LAND_SECONDS)

        assert await kinds(s, pause_seconds=900) == [Kind.STILL_OPEN]
        assert await kinds(s, pause_seconds=900) == [Kind.PROVEN_ISSUED]

    compared(server, main)


def test_nothing_is_proved_before_the_horizon() -> None:
    server = lagging(0.0, FaultRule(fault=FaultKind.LOSE_REQUEST, times=99))

    async def main(s: AgcodSession, _: MemoryJournal) -> None:
        await issue(s, 1, deadline_seconds=12)
        server.play(FaultScript())

        assert await kinds(s, pause_seconds=60) == [Kind.STILL_OPEN]
        await asyncio.sleep(LAND_SECONDS)
        assert await kinds(s, pause_seconds=60) == [Kind.PROVEN_NOT_ISSUED]

    compared(server, main)


def test_a_report_of_many_pages_is_read_at_its_pace_through_throttles() -> None:
    throttle = FaultRule(fault=FaultKind.THROTTLE, operation="GetGiftCardActivityPage", nth=2)
    server = lagging(0.0, throttle)
    pages: list[tuple[int, int]] = []

    async def main(s: AgcodSession, journal: MemoryJournal) -> None:
        await issue(s, *range(1100))
        await asyncio.sleep(LAND_SECONDS)
        began_at = asyncio.get_running_loop().time()
        found = await kinds(s, pause_seconds=10, on_page=lambda *page: pages.append(page))

        assert found == [Kind.MATCHED] * 1100
        assert pages == [(1, 1), (1, 1001), (2, 1), (2, 1001)]
        # Four pages a minute apart, and one of them was asked for twice.
        assert asyncio.get_running_loop().time() - began_at >= 3 * 60
        assert server.arrivals.by_result["throttled"] <= 1

    compared(server, main)


def test_a_report_that_is_switched_off_is_told() -> None:
    server = Emulator(
        EmulatorConfig(disabled_operations=frozenset({"GetGiftCardActivityPage"})),
        clock=virtual_clock(),
    )

    async def main(s: AgcodSession, _: MemoryJournal) -> None:
        await issue(s, 1)
        with pytest.raises(AccountError) as told:
            await kinds(s)
        assert told.value.error_type == "APIGetGiftCardActivityPageIsDisabled"

    compared(server, main)


def test_what_another_system_or_journal_issued_is_unknown_under_the_prefix_alone() -> None:
    server = lagging(0.0)

    async def main(s: AgcodSession, _: MemoryJournal) -> None:
        await issue(s, 1)
        async with session(server, MemoryJournal()) as other:
            await issue(other, 2)
        await asyncio.sleep(LAND_SECONDS)

        assert await kinds(s) == [Kind.MATCHED, Kind.UNKNOWN]
        assert await kinds(s, prefix="EmulaShop") == [Kind.MATCHED]

    compared(server, main)


def test_a_card_that_you_cancelled_yourself_is_no_finding() -> None:
    server = lagging(0.0)

    async def main(s: AgcodSession, journal: MemoryJournal) -> None:
        await issue(s, 1, 2)
        await s.cancel_gift_card(request_id=order(1).request_id)
        async with session(server, MemoryJournal()) as somebody:
            await somebody.cancel_gift_card(request_id=order(2).request_id)
        await asyncio.sleep(LAND_SECONDS)

        assert await kinds(s) == [Kind.NOTHING, Kind.REFUNDED]

    compared(server, main)


def test_cards_and_loads_are_compared_as_creates_are() -> None:
    server = lagging(0.0)
    account, card = Account(id="7000000001", type=1), "1234567890123456789"

    async def main(s: AgcodSession, journal: MemoryJournal) -> None:
        for n in (1, 2):
            number = card[:-1] + str(n)
            await s.activate_gift_card(
                request_id=f"EmulaCard{n}", card_number=number, amount=Money("20", "USD")
            )
            await s.load_amazon_balance(
                request_id=f"EmulaLoad{n}", account=account, amount=Money("30", "USD")
            )
        await s.deactivate_gift_card(request_id="EmulaCard2", card_number=card[:-1] + "2")
        await s.void_amazon_balance_load(
            request_id="EmulaLoad2", account=account, amount=Money("30", "USD")
        )
        theirs = doubtful(partner_id="Other", request_id="OtherCard")
        await journal.open(theirs)
        await asyncio.sleep(LAND_SECONDS)
        found = {one.request_id: one async for one in s.compare(since=SINCE)}

        assert {name: one.kind for name, one in found.items()} == {
            "EmulaCard1": Kind.MATCHED,
            "EmulaCard2": Kind.NOTHING,
            "EmulaLoad1": Kind.MATCHED,
            "EmulaLoad2": Kind.NOTHING,
        }
        assert found["EmulaCard1"].booked == (Money("20", "USD"),)
        assert (
            found["EmulaLoad1"].booked == (found["EmulaLoad1"].recorded,) == (Money("30", "USD"),)
        )

    compared(server, main)


def test_a_load_is_audited_by_reading_alone() -> None:
    async def main(s: AgcodSession, journal: MemoryJournal) -> None:
        facts = Facts(doubtful=True, undone=True, confirmed=True)
        told = {"verdict": "Issued", "last_undo_at": WALL_AT_START - 9000, "facts": facts}
        await journal.open(doubtful(operation="LoadAmazonBalance", **told))

        assert [one.result async for one in s.audit()] == [AuditResult.ONLY_BY_READING]

    compared(lagging(0.0), main)


# --- putting proofs on record ---------------------------------------------------------------------


async def old_doubts(s: AgcodSession) -> list[Finding]:
    """Return the findings of orders in doubt that are too old to be sent again."""
    await asyncio.sleep(2 * 86_400)
    for ended in await s.reconcile():
        assert isinstance(ended.error, InDoubtError)
        assert ended.error.next_safe_action == "activity_page"
    return [finding async for finding in s.compare(since=SINCE)]


@pytest.mark.parametrize(
    ("fault", "kind", "verdict"),
    [
        (FaultKind.LOSE_REPLY, Kind.PROVEN_ISSUED, "Issued"),
        (FaultKind.LOSE_REQUEST, Kind.PROVEN_NOT_ISSUED, "Unavailable"),
    ],
)
def test_what_is_too_old_to_be_sent_is_answered_by_reading(
    fault: FaultKind, kind: Kind, verdict: str
) -> None:
    server = lagging(60.0, FaultRule(fault=fault, times=99))

    async def main(s: AgcodSession, journal: MemoryJournal) -> None:
        await issue(s, 1, deadline_seconds=12)
        server.play(FaultScript())
        creates = server.arrivals.by_operation["CreateGiftCard"]
        (finding,) = await old_doubts(s)
        assert finding.kind is kind

        assert await s.settle(finding)
        entry = await journal.find("CreateGiftCard", order(1).request_id)
        assert entry is not None
        assert (entry.verdict, entry.facts.confirmed) == (verdict, verdict == "Issued")
        assert entry.gc_id == (finding.gc_ids or (None,))[0]
        assert server.arrivals.by_operation["CreateGiftCard"] == creates
        assert not await s.settle(finding)
        assert await kinds(s) == [Kind.MATCHED if verdict == "Issued" else Kind.NOTHING]
        assert await s.reconcile() == []

    compared(server, main)


def test_what_was_not_issued_may_be_ordered_again_under_the_same_id() -> None:
    server = lagging(0.0, FaultRule(fault=FaultKind.LOSE_REQUEST, times=99))

    async def main(s: AgcodSession, journal: MemoryJournal) -> None:
        await issue(s, 1, deadline_seconds=12)
        server.play(FaultScript())
        (finding,) = await old_doubts(s)
        await s.settle(finding)
        await issue(s, 1)
        await asyncio.sleep(LAND_SECONDS)

        today = SINCE + timedelta(days=2)
        assert [one.kind async for one in s.compare(since=today)] == [Kind.MATCHED]

    compared(server, main)


def doubtful(**changes: object) -> Entry:
    """Return the entry of an order in doubt."""
    request_id = order(1).request_id
    entry = Entry(
        request_id=request_id,
        partner_id=SETTINGS.partner_id,
        operation="CreateGiftCard",
        amount=str(order(1).amount),
        body=b"",
        created_at=WALL_AT_START,
        live_id=request_id,
        facts=Facts(doubtful=True),
        first_sent_at=WALL_AT_START,
        last_sent_at=WALL_AT_START,
        version=0,
    )
    return moved(entry, **changes)


PROOF = Finding(
    kind=Kind.PROVEN_NOT_ISSUED,
    operation="CreateGiftCard",
    request_id=order(1).request_id,
    action=NextAction.ORDER_ANEW,
    version=0,
)


@pytest.mark.parametrize(
    ("facts", "was_undone", "verdict"),
    [
        (Facts(doubtful=True), False, "Unavailable"),
        (Facts(doubtful=True, undone=True), False, "Reversed"),
        (Facts(doubtful=True, tainted=True), False, "Reversed"),
        (Facts(doubtful=True), True, "Reversed"),
        (Facts(doubtful=True, epoch=1), True, "Unavailable"),
    ],
)
def test_an_id_that_was_undone_stays_burnt(facts: Facts, *, was_undone: bool, verdict: str) -> None:
    async def main(s: AgcodSession, journal: MemoryJournal) -> None:
        await journal.open(doubtful(facts=facts))
        assert await s.settle(replace(PROOF, was_undone=was_undone))

        entry = await journal.find("CreateGiftCard", order(1).request_id)
        assert entry is not None
        assert entry.verdict == verdict
        assert entry.facts.undone == facts.undone, "only what we have undone has a successor"
        assert not entry.facts.tainted
        assert entry.facts.epoch == facts.epoch

    compared(lagging(0.0), main)


@pytest.mark.parametrize(
    "changes", [{"version": 1}, {"verdict": "Declined", "facts": Facts()}], ids=" ".join
)
def test_an_order_that_has_moved_on_is_not_settled(changes: dict[str, object]) -> None:
    async def main(s: AgcodSession, journal: MemoryJournal) -> None:
        entry = await journal.open(doubtful(**changes))

        assert not await s.settle(PROOF)
        assert not await s.settle(replace(PROOF, request_id="Emula9"))
        assert await journal.find(*entry.key) == entry

    compared(lagging(0.0), main)


def test_an_order_that_moves_on_in_that_moment_is_not_settled() -> None:
    class Contested(MemoryJournal):
        async def advance(self, entry: Entry) -> Entry:
            del entry
            raise StaleEntryError("somebody was faster")

    async def main() -> None:
        journal = Contested()
        await journal.open(doubtful())
        async with session(lagging(0.0), journal) as s:
            assert not await s.settle(PROOF)

    run(main())


def test_an_order_that_runs_now_is_not_settled() -> None:
    server = lagging(0.0, FaultRule(fault=FaultKind.SLOW, seconds=5))

    async def main(s: AgcodSession, journal: MemoryJournal) -> None:
        running = asyncio.create_task(issue(s, 1))
        await asyncio.sleep(1)
        entry = await journal.find("CreateGiftCard", order(1).request_id)
        assert entry is not None

        assert not await s.settle(replace(PROOF, version=entry.version))
        await running

    compared(server, main)


def test_only_a_proof_settles_anything() -> None:
    async def main(s: AgcodSession, _: MemoryJournal) -> None:
        with pytest.raises(UsageError, match="still_open proves nothing"):
            await s.settle(replace(PROOF, kind=Kind.STILL_OPEN))

    compared(lagging(0.0), main)


# --- what is asked for ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since", "until", "problem"),
    [
        (SINCE.replace(tzinfo=None), None, "since: has no time zone"),
        (SINCE, SINCE.replace(tzinfo=None), "until: has no time zone"),
        (SINCE + timedelta(days=9), None, "since: is not in the past"),
    ],
)
def test_a_time_that_cannot_be_compared_is_refused(
    since: datetime, until: datetime | None, problem: str
) -> None:
    async def main(s: AgcodSession, _: MemoryJournal) -> None:
        async with aclosing(s.compare(since=since, until=until)) as findings:
            with pytest.raises(UsageError, match=problem):
                await anext(findings)

    compared(lagging(0.0), main)


def empty_exports() -> Sequence[Scan]:
    return [Scan(Frame(WALL_AT_START - 5000, WALL_AT_START + 5000)) for _ in range(2)]


def test_books_from_elsewhere_are_compared_without_sending() -> None:
    server = lagging(0.0)

    async def main(s: AgcodSession, _: MemoryJournal) -> None:
        await issue(s, 1)
        await asyncio.sleep(LAND_SECONDS)
        before = server.arrivals.total
        found = [one.kind async for one in s.compare_with(empty_exports(), since=SINCE)]

        assert found == [Kind.MISSING]
        assert server.arrivals.total == before
        with pytest.raises(UsageError, match="at least 1"):
            await anext(s.compare_with([], since=SINCE))

    compared(server, main)


def test_a_batch_through_trouble_is_proved_to_the_cent_before_and_after_it_is_finished() -> None:
    async def main() -> None:
        server, journal = emulator(0.4, 3), MemoryJournal()
        async with session(server, journal) as s:
            await issue(s, *range(120), deadline_seconds=12)
            server.play(FaultScript())
            await asyncio.sleep(LAND_SECONDS)
            proved, finished = Totals(), Totals()
            async for finding in s.compare(since=SINCE):
                proved.add(finding)
            for _ in range(3):
                await s.reconcile(deadline_seconds=7200)
            await asyncio.sleep(LAND_SECONDS)
            async for finding in s.compare(since=SINCE):
                finished.add(finding)

        (balance,) = server.ledger.balances()
        assert proved.counts[Kind.PROVEN_ISSUED] > 5
        assert proved.counts[Kind.PROVEN_NOT_ISSUED] > 5
        assert sum(proved.counts.values()) == sum(finished.counts.values()) == 120
        assert set(finished.counts) <= {Kind.MATCHED, Kind.NOTHING}
        assert finished.booked == finished.recorded == {(Kind.MATCHED, "USD"): balance.debited}

    run(main())
