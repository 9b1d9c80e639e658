"""One run of a job: what it takes, what it leaves, and what it does when the account fails."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from agcod_async.agcod import AgcodSession
from agcod_async.batch import (
    Cause,
    Declined,
    FundsWatch,
    InDoubt,
    Issued,
    JobRun,
    Order,
    Reversed,
    RowState,
    Stop,
    Unavailable,
    view_job,
)
from agcod_async.batch.job import Job
from agcod_async.batch.settled import Settled
from agcod_async.core import verdicts as core_verdicts
from agcod_async.core.outcomes import Reason
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.delivery import DeliveryPolicy
from agcod_async.endpoints import Endpoint
from agcod_async.engine.record import proved
from agcod_async.errors import ReversedError, UsageError
from agcod_async.journal.base import JournalError
from agcod_async.journal.memory import MemoryJournal
from agcod_async.providers.agcod.messages import GiftCard
from agcod_async.settings import Settings
from agcod_async.testing import (
    EMULATOR_CREDENTIALS,
    Emulator,
    EmulatorConfig,
    FaultKind,
    FaultRule,
    FaultScript,
)
from agcod_async.testing.clock import run, virtual_clock
from agcod_async.values import Credentials, Money
from tests.support.fair import SETTINGS
from tests.support.jobs import (
    AtOnce,
    Busy,
    Taker,
    counts,
    files,
    planned,
    reopened,
    run_once,
    session_for,
)

FUNDS = Stop(Cause.ACCOUNT, "F300", "InsufficientFunds")


def orders(count: int, amount: str = "10.00", currency: str = "USD") -> list[Order]:
    return [
        Order(request_id=f"Emula{n:04}", amount=Money(amount, currency))
        for n in range(1, count + 1)
    ]


def server(*rules: FaultRule, funds: str = "1000000", tps: float | None = None) -> Emulator:
    config = EmulatorConfig(
        requests_per_second=tps,
        faults=FaultScript(rules=rules),
        funds=(Money(funds, "USD"),),
    )
    return Emulator(config, clock=virtual_clock())


def pay_in(emulator: Emulator, amount: str) -> None:
    emulator.ledger._funds._prepaid["USD"] += Decimal(amount)


def always(request_id: str, fault: FaultKind) -> FaultRule:
    return FaultRule(request_id=request_id, fault=fault, times=1000)


async def states(directory: Path) -> dict[str, str]:
    job = await reopened(directory)
    ended = {row.order.request_id[-1]: row.state.value async for row in job.rows()}
    await job.aclose()
    return ended


async def collect(job_run: JobRun, into: list[Settled]) -> None:
    async for settled in job_run.settled():
        into.append(settled)  # noqa: PERF401  what was seen before an exception counts


# --- verdicts and states --------------------------------------------------------------------------


def test_every_verdict_has_its_state_and_the_counts_follow(tmp_path: Path) -> None:
    async def main() -> None:
        rules = (
            always("Emula0002", FaultKind.LOSE_REPLY),
            always("Emula0003", FaultKind.THROTTLE),
        )
        given = [*orders(3), *orders(4, "9999.00")[3:]]
        emulator = server(*rules)
        job = await planned(tmp_path / "job", given)
        async with session_for(job, emulator) as session:
            job_run = JobRun(session, job, deadline_seconds=20, clock=virtual_clock())
            settled: list[Settled] = []
            await collect(job_run, settled)
            tally = {state.value: n for state, n in job_run.counts.items() if n}
        kinds = {one.row.number: type(one.receipt.verdict) for one in settled}
        on_record = await counts(job)
        await job.aclose()

        assert kinds == {1: Issued, 2: InDoubt, 3: Unavailable, 4: Declined}
        assert await states(tmp_path / "job") == {
            "1": "issued",
            "2": "in_doubt",
            "3": "planned",
            "4": "declined",
        }
        assert tally == on_record

    run(main())


def test_what_is_kept_of_an_error_is_what_amazon_documents(tmp_path: Path) -> None:
    async def main() -> None:
        emulator = server(always("Emula0001", FaultKind.LOSE_REPLY))
        job = await planned(tmp_path / "job", [*orders(1), *orders(2, "9999.00")[1:]])
        await run_once(job, emulator, deadline_seconds=20)
        job = await reopened(tmp_path / "job")
        doubt, declined = [row async for row in job.rows()]
        await job.aclose()

        assert (declined.outcome.error_code, declined.outcome.error_type) == (
            "F200",
            "MaxAmountExceeded",
        )
        assert doubt.outcome.next_safe_action == "replay_same_id"
        assert doubt.outcome.error_type is None

    run(main())


def test_a_burnt_order_is_on_record_with_the_id_under_which_its_card_lives(tmp_path: Path) -> None:
    async def main() -> None:
        emulator = server(FaultRule(request_id="Emula0001", fault=FaultKind.F400_AFTER))
        await run_once(await planned(tmp_path / "job", orders(1)), emulator)
        job = await reopened(tmp_path / "job")
        (row,) = [row async for row in job.rows(RowState.ISSUED)]
        await job.aclose()

        live_id = row.outcome.live_request_id
        assert live_id not in (None, "Emula0001")
        card = emulator.ledger.card(live_id)
        assert card is not None
        assert card.gc_id == row.outcome.gc_id

    run(main())


def test_an_order_that_was_unavailable_is_left_to_the_next_run(tmp_path: Path) -> None:
    async def main() -> None:
        emulator = server(FaultRule(request_id="Emula0002", fault=FaultKind.THROTTLE, times=3))
        job = await planned(tmp_path / "job", orders(3))
        settled = await run_once(job, emulator, deadline_seconds=0.5)

        assert sorted(one.row.number for one in settled) == [1, 2, 3]
        left = [n for n, state in (await states(tmp_path / "job")).items() if state == "planned"]
        assert "2" in left
        again = await run_once(await reopened(tmp_path / "job"), emulator)
        assert sorted(str(one.row.number) for one in again) == left
        assert set((await states(tmp_path / "job")).values()) == {"issued"}

    run(main())


def test_what_is_in_doubt_is_settled_by_the_next_run_under_the_same_id(tmp_path: Path) -> None:
    async def main() -> None:
        emulator = server(FaultRule(request_id="Emula0002", fault=FaultKind.LOSE_REPLY, times=2))
        await run_once(await planned(tmp_path / "job", orders(3)), emulator, deadline_seconds=10)
        assert (await states(tmp_path / "job"))["2"] == "in_doubt"
        await run_once(await reopened(tmp_path / "job"), emulator)

        assert set((await states(tmp_path / "job")).values()) == {"issued"}
        assert emulator.ledger.balances()[0].live == Decimal("30.00")

    run(main())


# --- delivery -------------------------------------------------------------------------------------


def test_a_card_that_was_not_acknowledged_is_read_back_and_delivered_by_the_next_run(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        emulator, sink = server(), Taker(refuse=lambda one: one == "Emula0002")
        settled = await run_once(await planned(tmp_path / "job", orders(3)), emulator, sink)
        (failed,) = [one for one in settled if one.delivered == "failed"]
        assert failed.problem == "the sink raised ConnectionError", (
            "the code that it quotes is not shown"
        )
        assert (await states(tmp_path / "job"))["2"] == "issued"

        sink.refuse = lambda _: False
        (again,) = await run_once(await reopened(tmp_path / "job"), emulator, sink)
        assert isinstance(again.receipt.verdict, Issued)
        assert again.receipt.verdict.card.replayed
        assert set((await states(tmp_path / "job")).values()) == {"delivered"}
        assert sink.ids == {one.request_id for one in orders(3)}
        assert emulator.ledger.balances()[0].live == Decimal("30.00")

    run(main())


def test_without_a_sink_an_issued_order_is_done(tmp_path: Path) -> None:
    async def main() -> None:
        emulator = server()
        await run_once(await planned(tmp_path / "job", orders(3)), emulator)
        again = await run_once(await reopened(tmp_path / "job"), emulator)

        assert again == []
        assert emulator.arrivals.total == 3

    run(main())


def test_no_code_is_in_any_file_of_a_job(tmp_path: Path) -> None:
    async def main() -> None:
        emulator, sink = server(), Taker(refuse=lambda one: one.endswith("3"))
        job = await planned(tmp_path / "job", orders(30))
        async with session_for(job, emulator) as session:
            await JobRun(session, job, sink=sink, clock=virtual_clock()).finish()
            written = b"".join(file.read_bytes() for file in (tmp_path / "job").iterdir())
        await job.aclose()

        assert b"Emula0030" in written
        assert sink.cards
        assert [code for _, code in sink.cards if code.encode() in written] == []

    run(main())


def test_a_code_is_not_asked_for_where_the_journal_does_not_prove_the_card(tmp_path: Path) -> None:
    async def main() -> None:
        emulator = server()
        await run_once(await planned(tmp_path / "job", orders(1)), emulator)
        for file in (tmp_path / "job").glob("journal.sqlite*"):
            file.unlink()
        arrived = emulator.arrivals.total
        (settled,) = await run_once(await reopened(tmp_path / "job"), emulator, Taker())

        assert isinstance(settled.receipt.verdict, InDoubt)
        assert settled.delivered == "failed"
        assert emulator.arrivals.total == arrived
        assert await states(tmp_path / "job") == {"1": "issued"}

    run(main())


def test_what_the_books_have_proved_is_in_doubt_no_more_though_its_code_cannot_be_read_back(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        emulator = server(FaultRule(request_id="Emula0001", fault=FaultKind.LOSE_REPLY, times=2))
        job = await planned(tmp_path / "job", orders(1))
        await run_once(job, emulator, Taker(), deadline_seconds=10)
        assert await states(tmp_path / "job") == {"1": "in_doubt"}

        job = await reopened(tmp_path / "job")
        entry = await job.journal.find("CreateGiftCard", "Emula0001")
        assert entry is not None
        now = virtual_clock().wall()
        await proved(job.journal, entry, core_verdicts.Issued(None), gc_id="GC1", now=now)
        await asyncio.sleep(RecoveryPolicy().replay_horizon_seconds)
        arrived = emulator.arrivals.total
        (settled,) = await run_once(job, emulator, Taker())

        assert emulator.arrivals.total == arrived, "after a day its ID is not sent again"
        assert settled.row.outcome.gc_id == "GC1"
        assert settled.delivered == "failed"
        assert await states(tmp_path / "job") == {"1": "issued"}

    run(main())


def test_a_card_that_somebody_has_cancelled_is_reversed_when_its_code_is_read_back(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        emulator = server()
        job = await planned(tmp_path / "job", orders(1))
        async with session_for(job, emulator) as session:
            await JobRun(session, job, clock=virtual_clock()).finish()
        await job.aclose()
        job = await reopened(tmp_path / "job")
        async with AgcodSession(
            SETTINGS, transport=emulator.transport(), clock=virtual_clock()
        ) as other:
            await other.cancel_gift_card(request_id="Emula0001")
        (settled,) = await run_once(job, emulator, Taker())

        assert isinstance(settled.receipt.verdict, Reversed)
        assert await states(tmp_path / "job") == {"1": "reversed"}

    run(main())


def test_a_card_whose_code_cannot_be_read_back_now_stays_issued(tmp_path: Path) -> None:
    async def main() -> None:
        emulator = server()
        await run_once(await planned(tmp_path / "job", orders(1)), emulator)
        emulator.play(FaultScript(rules=(always("Emula0001", FaultKind.LOSE_REPLY),)))
        (settled,) = await run_once(
            await reopened(tmp_path / "job"), emulator, Taker(), deadline_seconds=10
        )

        assert settled.delivered == "failed"
        assert await states(tmp_path / "job") == {"1": "issued"}

    run(main())


def test_a_run_closes_its_sink_once_it_has_ended(tmp_path: Path) -> None:
    async def main() -> None:
        emulator, sink = server(), Taker()
        job = await planned(tmp_path / "job", orders(3))
        async with session_for(job, emulator) as session:
            job_run = JobRun(session, job, sink=sink, clock=virtual_clock())
            async for _ in job_run.settled():
                assert sink.closed == 0
            assert sink.closed == 1
            broken = JobRun(session, job, sink=sink, clock=virtual_clock())
            worker, job._worker = job._worker, Busy()
            with pytest.raises(JournalError):
                await broken.finish()
            job._worker = worker
        await job.aclose()
        assert sink.closed == 2

    run(main())


def test_a_sink_that_only_fails_ends_the_intake(tmp_path: Path) -> None:
    async def main() -> None:
        emulator, sink = server(), Taker(refuse=lambda _: True)
        job = await planned(tmp_path / "job", orders(100))
        async with session_for(job, emulator) as session:
            job_run = JobRun(session, job, sink=sink, concurrency=2, clock=virtual_clock())
            await job_run.finish()
            assert (job_run.stopped or "").endswith("deliveries in a row have failed")
        left = await counts(job)
        await job.aclose()

        assert left["planned"] >= 88
        assert left["planned"] + left["issued"] == 100

    run(main())


# --- stopping the line ----------------------------------------------------------------------------


def test_when_the_funds_run_out_the_line_stops_and_no_order_is_declined(tmp_path: Path) -> None:
    async def main() -> None:
        emulator, told = server(funds="205"), list[str]()
        job = await planned(tmp_path / "job", orders(50))
        async with session_for(job, emulator) as session:
            job_run = JobRun(session, job, concurrency=4, tell=told.append, clock=virtual_clock())
            settled: list[Settled] = []
            task = asyncio.create_task(collect(job_run, settled))
            await asyncio.sleep(29)
            assert job_run.stop_of_line == FUNDS
            assert await counts(job) == {"planned": 30, "issued": 20}
            with view_job(tmp_path / "job") as view:
                assert view.facts().stop == FUNDS, "whoever looks is told why"
            refused = emulator.arrivals.total
            assert refused <= 20 + 4

            await asyncio.sleep(3600)
            assert emulator.arrivals.total - refused <= 8, "one at a time, ever more rarely"
            pay_in(emulator, "1000")
            await asyncio.sleep(901)
            await task
            assert job_run.stop_of_line is None
        assert await counts(job) == {"issued": 50}
        assert (await job.facts()).stop is None
        await job.aclose()

        assert emulator.ledger.balances()[0].live == Decimal("500.00")
        assert "InsufficientFunds" in told[0]
        assert "Ask your regional Amazon gift card operations team" in told[0]
        assert told[-1] == "the line goes on"
        assert len(told) == 2

    run(main())


def test_a_command_sets_the_line_going_at_once(tmp_path: Path) -> None:
    async def main() -> None:
        emulator = server(funds="50")
        job = await planned(tmp_path / "job", orders(10))
        async with session_for(job, emulator) as session:
            job_run = JobRun(session, job, concurrency=2, clock=virtual_clock())
            task = asyncio.create_task(job_run.finish())
            await asyncio.sleep(5)
            assert job_run.stop_of_line == FUNDS
            pay_in(emulator, "1000")
            job_run.resume()
            await asyncio.sleep(5)
            assert task.done()
        assert await counts(job) == {"issued": 10}
        assert (await job.facts()).stop is None
        await job.aclose()

    run(main())


def test_a_card_that_was_paid_for_before_does_not_set_the_line_going(tmp_path: Path) -> None:
    async def main() -> None:
        emulator = server(funds="10")
        job = await planned(tmp_path / "job", orders(3))
        assert len((await job.claim(after=0, limit=2)).rows) == 2  # and then it died
        async with session_for(job, emulator) as session:
            second = orders(2)[1]
            await session.create_gift_card(request_id=second.request_id, amount=second.amount)
            job_run = JobRun(session, job, concurrency=1, clock=virtual_clock())
            task = asyncio.create_task(job_run.finish())
            await asyncio.sleep(40)
            assert await counts(job) == {"issued": 1, "planned": 2}
            assert job_run.stop_of_line == FUNDS
            assert emulator.arrivals.total == 3
            job_run.stop("enough")
            await task
        await job.aclose()

    run(main())


def test_an_order_in_flight_when_the_line_stops_ends_as_it_ends(tmp_path: Path) -> None:
    async def main() -> None:
        slow = FaultRule(request_id="Emula0001", fault=FaultKind.SLOW, seconds=5.0)
        emulator = server(slow, funds="20")
        job = await planned(tmp_path / "job", orders(3))
        settled = await run_once(job, emulator, concurrency=3, patience_seconds=10)

        ended = {one.row.number: one.row.state for one in settled}
        assert ended[1] is RowState.ISSUED
        assert sorted((await states(tmp_path / "job")).values()) == ["issued", "issued", "planned"]

    run(main())


def test_a_run_whose_patience_ends_leaves_the_rest_planned_and_says_why(tmp_path: Path) -> None:
    async def main() -> None:
        emulator = server(funds="20")
        job = await planned(tmp_path / "job", orders(100))
        async with session_for(job, emulator) as session:
            job_run = JobRun(session, job, patience_seconds=100, clock=virtual_clock())
            await job_run.finish()
            assert job_run.stopped == "the line stands still"
            assert asyncio.get_running_loop().time() == pytest.approx(100, abs=5)
        assert await counts(job) == {"issued": 2, "planned": 98}
        await job.aclose()
        with view_job(tmp_path / "job") as view:
            assert view.facts().stop == FUNDS
            assert view.facts().stopped_at is not None

    run(main())


def test_a_line_that_stops_with_the_last_order_does_not_hold_the_run(tmp_path: Path) -> None:
    async def main() -> None:
        emulator = server()
        job = await planned(tmp_path / "job", orders(20, "9999.00"))
        await run_once(job, emulator)

        assert asyncio.get_running_loop().time() < 20
        with view_job(tmp_path / "job") as view:
            assert view.facts().stop == Stop(Cause.ALIKE, "F200", "MaxAmountExceeded")

    run(main())


def test_orders_that_are_refused_alike_stop_the_line_but_keep_their_verdicts(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        emulator = server()
        job = await planned(tmp_path / "job", orders(500, "9999.00"))
        await run_once(job, emulator, concurrency=1, patience_seconds=200)
        job = await reopened(tmp_path / "job")
        left = await counts(job)
        await job.aclose()

        assert left["declined"] in range(20, 25)
        assert left["planned"] == 500 - left["declined"]

    run(main())


# --- limits ---------------------------------------------------------------------------------------


def test_a_spend_cap_is_never_passed_and_what_is_in_doubt_counts(tmp_path: Path) -> None:
    async def main() -> None:
        emulator = server(always("Emula0001", FaultKind.LOSE_REPLY))
        job = await planned(tmp_path / "job", orders(10), spend_cap="45.00")
        async with session_for(job, emulator) as session:
            job_run = JobRun(session, job, deadline_seconds=20, clock=virtual_clock())
            await job_run.finish()
            assert job_run.stopped == "the spend cap leaves no room for the next order"
        assert await counts(job) == {"in_doubt": 1, "issued": 3, "planned": 6}
        await job.aclose()

        await run_once(await reopened(tmp_path / "job"), emulator, deadline_seconds=20)
        assert emulator.ledger.balances()[0].live == Decimal("40.00")
        job = await reopened(tmp_path / "job")
        await job.set_spend_cap("65")
        await run_once(job, emulator, deadline_seconds=20)
        job = await reopened(tmp_path / "job")
        assert await counts(job) == {"in_doubt": 1, "issued": 5, "planned": 4}
        await job.aclose()

    run(main())


def test_what_a_cap_had_room_for_and_was_not_issued_makes_room_again(tmp_path: Path) -> None:
    async def main() -> None:
        given = [*orders(2, "5000.00"), *orders(4)[2:]]  # the first two are too large for a card
        emulator = server()
        job = await planned(tmp_path / "job", given, spend_cap="10010")
        await run_once(job, emulator)

        assert await states(tmp_path / "job") == {
            "1": "declined",
            "2": "declined",
            "3": "issued",
            "4": "issued",
        }

    run(main())


def test_low_funds_stop_the_line_before_an_order_is_refused(tmp_path: Path) -> None:
    async def main() -> None:
        emulator, told = server(funds="100"), list[str]()
        job = await planned(tmp_path / "job", orders(120, "1.00"))
        watch = FundsWatch(every_seconds=1.0, stop_below=Money("45", "USD"))
        async with session_for(job, emulator) as session:
            job_run = JobRun(
                session, job, concurrency=1, funds=watch, tell=told.append, clock=virtual_clock()
            )
            task = asyncio.create_task(job_run.finish())
            await asyncio.sleep(3600)
            assert job_run.stop_of_line == Stop(Cause.FUNDS)
            assert job_run.funds is not None
            assert job_run.funds.is_low
            assert 55 < emulator.arrivals.by_operation["CreateGiftCard"] < 100
            pay_in(emulator, "1000")
            await asyncio.sleep(30)
            assert task.done()
        assert await counts(job) == {"issued": 120}
        await job.aclose()

        assert told[0] == "the funds run short: 100.00 USD, and 120.00 is still to issue"
        assert "the funds have fallen below the mark" in told[1]
        assert told[2] == "the line goes on"
        assert emulator.arrivals.by_operation["CreateGiftCard"] == 120

    run(main())


def test_funds_that_cannot_be_asked_for_stop_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        refuse = FaultRule(operation="GetAvailableFunds", fault=FaultKind.F500, times=1000)
        emulator = server(refuse)
        job = await planned(tmp_path / "job", orders(3))
        with caplog.at_level(logging.WARNING, "agcod_async"):
            await run_once(job, emulator, funds=FundsWatch())

        assert "the funds could not be asked for" in caplog.text
        assert set((await states(tmp_path / "job")).values()) == {"issued"}

    run(main())


def test_a_look_at_the_funds_that_fails_is_not_the_last_one(tmp_path: Path) -> None:
    async def main() -> None:
        emulator, told = server(funds="3"), list[str]()
        job = await planned(tmp_path / "job", orders(2, "1.00"))
        watch = FundsWatch(every_seconds=1.0, stop_below=Money("10", "USD"))
        async with session_for(job, emulator) as session:
            job_run = JobRun(session, job, funds=watch, tell=told.append, clock=virtual_clock())
            task = asyncio.create_task(job_run.finish())
            await asyncio.sleep(10.5)
            assert job_run.stop_of_line == Stop(Cause.FUNDS)
            worker = job._worker
            job._worker = Busy()
            await asyncio.sleep(2)
            job._worker = worker
            pay_in(emulator, "1000")
            await asyncio.sleep(30)
            assert task.done()
        assert await counts(job) == {"issued": 2}
        await job.aclose()
        assert "the funds could not be watched: database is locked" in told

    run(main())


def test_a_mark_in_another_currency_than_the_accounts_is_refused(tmp_path: Path) -> None:
    async def main() -> None:
        emulator = server()
        job = await planned(tmp_path / "job", orders(3))
        with pytest.raises(UsageError, match="funds are in USD, the mark in EUR"):
            await run_once(job, emulator, funds=FundsWatch(warn_below=Money("1", "EUR")))
        await job.aclose()

        assert emulator.arrivals.by_operation["CreateGiftCard"] == 0

    run(main())


def test_the_funds_are_not_asked_for_more_than_once_a_second() -> None:
    with pytest.raises(UsageError, match=r"every_seconds: 0\.5 is too often"):
        FundsWatch(every_seconds=0.5)


# --- the end --------------------------------------------------------------------------------------


def test_a_run_that_is_stopped_puts_back_what_it_has_claimed(tmp_path: Path) -> None:
    async def main() -> None:
        emulator = server(tps=10)
        job = await planned(tmp_path / "job", orders(300))
        async with session_for(job, emulator) as session:
            job_run = JobRun(session, job, concurrency=4, clock=virtual_clock())
            task = asyncio.create_task(job_run.finish())
            await asyncio.sleep(3)
            assert 0 < len(job_run.open_rows) <= 4
            job_run.stop("it was interrupted")
            await task
        left = await counts(job)
        await job.aclose()

        assert set(left) == {"issued", "planned"}
        assert left["issued"] < 60

    run(main())


def test_orders_that_a_closed_session_does_not_take_are_not_declined(tmp_path: Path) -> None:
    async def main() -> None:
        emulator = server(tps=10)
        job = await planned(tmp_path / "job", orders(100))
        async with session_for(job, emulator) as session:
            job_run = JobRun(session, job, concurrency=4, clock=virtual_clock())
            task = asyncio.create_task(job_run.finish())
            await asyncio.sleep(3)
            await session.aclose(drain_seconds=0)
            await task
            assert job_run.stopped == "the session takes no orders: the session is closed"
        left = await counts(job)
        await job.aclose()

        assert set(left) <= {"issued", "planned", "in_doubt"}

    run(main())


def test_a_run_that_is_cancelled_leaves_what_was_under_way_on_record(tmp_path: Path) -> None:
    async def main() -> None:
        emulator = server(always("Emula0001", FaultKind.LOSE_REPLY))
        job = await planned(tmp_path / "job", orders(3))
        async with session_for(job, emulator) as session:
            job_run = JobRun(session, job, concurrency=1, clock=virtual_clock())
            task = asyncio.create_task(job_run.finish())
            await asyncio.sleep(3)
            task.cancel()
            await asyncio.wait((task,))
        left = await counts(job)
        await job.aclose()

        assert left == {"under_way": 1, "planned": 2}
        emulator.play(FaultScript())
        await run_once(await reopened(tmp_path / "job"), emulator)
        assert set((await states(tmp_path / "job")).values()) == {"issued"}

    run(main())


def test_a_plan_that_cannot_be_written_ends_the_run_and_is_raised(tmp_path: Path) -> None:
    async def main() -> None:
        emulator = server()
        job = await planned(tmp_path / "job", orders(200))
        assert isinstance(job._worker, AtOnce)
        broken = 40

        async def ask(work: Callable[[], object]) -> object:
            nonlocal broken
            broken -= 1
            if broken < 0:
                raise JournalError("the disk is full")
            return await AtOnce.ask(worker, work)

        worker, job._worker = job._worker, type("Full", (), {"ask": staticmethod(ask)})()
        async with session_for(job, emulator) as session:
            job_run = JobRun(session, job, concurrency=2, clock=virtual_clock())
            with pytest.raises(JournalError, match="the disk is full"):
                await job_run.finish()
            assert job_run.stopped == "the plan could not be written"
        job._worker = worker
        await job.aclose()
        assert emulator.arrivals.total < 50

        await run_once(await reopened(tmp_path / "job"), emulator)
        assert set((await states(tmp_path / "job")).values()) == {"issued"}
        assert emulator.ledger.balances()[0].live == Decimal("2000.00")

    run(main())


def test_a_session_without_the_jobs_journal_is_refused(tmp_path: Path) -> None:
    async def main() -> None:
        job = await planned(tmp_path / "job", orders(1))
        other = Settings(
            credentials=EMULATOR_CREDENTIALS, partner_id="Emula", endpoint=Endpoint.EU_SANDBOX
        )
        transport = server().transport()
        for session in (
            AgcodSession(SETTINGS, transport=transport, journal=MemoryJournal()),
            AgcodSession(other, transport=transport, journal=job.journal),
        ):
            async with session:
                with pytest.raises(UsageError, match="the job's journal and account"):
                    JobRun(session, job)
        await job.aclose()

    run(main())


def test_a_session_with_a_new_key_and_another_rate_goes_on_with_a_job(tmp_path: Path) -> None:
    rotated = Settings(
        credentials=Credentials(access_key_id="NEWKEY", secret_access_key="another"),
        partner_id=SETTINGS.partner_id,
        requests_per_second=3,
    )

    async def main() -> None:
        job = await planned(tmp_path / "job", orders(1))
        async with AgcodSession(
            rotated, transport=server().transport(), journal=job.journal
        ) as session:
            assert JobRun(session, job).counts
        await job.aclose()

    run(main())


@pytest.mark.parametrize(("at_once", "seconds"), [(1, 40.0), (4, 10.0)])
def test_the_sink_gets_so_many_cards_at_a_time(
    tmp_path: Path, at_once: int, seconds: float
) -> None:
    @dataclass
    class Slow(Taker):
        under_way: int = 0
        most: int = 0

        async def deliver(self, card: GiftCard, order: Order) -> None:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
            await asyncio.sleep(2.0)
            self.under_way -= 1
            await Taker.deliver(self, card, order)

    async def main() -> None:
        sink = Slow()
        job = await planned(tmp_path / "job", orders(20))
        await run_once(job, server(), sink, delivery=DeliveryPolicy(at_a_time_max=at_once))

        assert sink.most == at_once
        assert asyncio.get_running_loop().time() == pytest.approx(seconds, abs=3)
        assert set((await states(tmp_path / "job")).values()) == {"delivered"}

    run(main())


def test_another_order_under_an_id_that_is_on_record_is_declined_as_a_conflict(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        emulator = server()
        job = await planned(tmp_path / "job", orders(1))
        async with session_for(job, emulator) as session:
            await session.create_gift_card(request_id="Emula0001", amount=Money("7", "USD"))
        (settled,) = await run_once(job, emulator)

        assert isinstance(settled.receipt.verdict, Declined)
        assert settled.row.state is RowState.DECLINED
        assert settled.row.outcome.error_type == "IdempotencyConflict"
        assert emulator.ledger.balances()[0].live == Decimal("7.00")

    run(main())


def test_a_view_of_the_session_is_as_good_as_the_session(tmp_path: Path) -> None:
    async def main() -> None:
        job = await planned(tmp_path / "job", orders(1))
        async with session_for(job, server()) as session:
            assert JobRun(session.with_options(deadline_seconds=5), job).counts
        await job.aclose()

    run(main())


def test_memory_does_not_grow_with_the_plan(tmp_path: Path) -> None:
    async def main() -> None:
        emulator = server(tps=100)
        job: Job = await planned(tmp_path / "job", orders(1500))
        async with session_for(job, emulator) as session:
            job_run = JobRun(session, job, concurrency=8, clock=virtual_clock())
            most = 0
            async for _ in job_run.settled():
                intake = job_run._intake
                held = (intake._under_way, intake._claimed, intake._again, intake._behind_rows)
                most = max(most, sum(map(len, held)))
        assert await counts(job) == {"issued": 1500}
        await job.aclose()

        assert most <= 64 + 8

    run(main())


def test_a_job_can_be_made_of_files_alone(tmp_path: Path) -> None:
    job = files(tmp_path / "job")

    assert (tmp_path / "job" / "journal.sqlite").exists()
    assert (tmp_path / "job" / "job.sqlite").exists()
    run(job.aclose())


# --- what the journal knows better ----------------------------------------------------------------


def test_an_order_in_doubt_whose_card_the_books_have_proved_is_issued(tmp_path: Path) -> None:
    async def main() -> None:
        emulator = server(FaultRule(fault=FaultKind.LOSE_REPLY, times=1000))
        job = await planned(tmp_path / "job", orders(1))
        await run_once(job, emulator, deadline_seconds=20)
        assert await states(tmp_path / "job") == {"1": "in_doubt"}
        job = await reopened(tmp_path / "job")
        entry = await job.journal.find("CreateGiftCard", "Emula0001")
        assert entry is not None
        await proved(job.journal, entry, core_verdicts.Issued(None), gc_id="A1", now=1.0)

        # Nothing answers, or it is too old to be sent again: the code cannot be read back.
        (settled,) = await run_once(job, emulator, Taker(), deadline_seconds=20)

        assert isinstance(settled.receipt.verdict, InDoubt)
        assert settled.row.state is RowState.ISSUED
        assert (settled.row.outcome.gc_id, settled.delivered) == ("A1", "failed")
        emulator.play(FaultScript())
        taker = Taker()
        await run_once(await reopened(tmp_path / "job"), emulator, taker)
        assert taker.ids == {"Emula0001"}
        assert await states(tmp_path / "job") == {"1": "delivered"}

    run(main())


@pytest.mark.parametrize("sink", [None, Taker()], ids=["no sink", "a sink"])
def test_an_order_in_doubt_that_the_books_have_proved_dead_is_reversed_though_it_is_old(
    tmp_path: Path, sink: Taker | None
) -> None:
    async def main() -> None:
        emulator = server(FaultRule(fault=FaultKind.LOSE_REPLY, times=1000))
        job = await planned(tmp_path / "job", orders(2))
        await run_once(job, emulator, sink, deadline_seconds=20)
        assert set((await states(tmp_path / "job")).values()) == {"in_doubt"}
        job = await reopened(tmp_path / "job")
        entry = await job.journal.find("CreateGiftCard", "Emula0001")
        assert entry is not None
        dead = core_verdicts.Reversed(Reason("the books show nothing that lives"))
        await proved(job.journal, entry, dead, gc_id=None, now=virtual_clock().wall())
        await asyncio.sleep(RecoveryPolicy().replay_horizon_seconds)
        arrived = emulator.arrivals.total
        settled = {one.row.number: one for one in await run_once(job, emulator, sink)}

        assert emulator.arrivals.total == arrived, "after a day no ID is sent again"
        assert isinstance(settled[1].receipt.verdict, Reversed), "whoever counts it counts it so"
        assert settled[1].receipt.verdict.error.request_id == "Emula0001"
        assert isinstance(settled[2].receipt.verdict, InDoubt), "nothing is proved of that one"
        assert await states(tmp_path / "job") == {"1": "reversed", "2": "in_doubt"}

    run(main())


def test_an_issued_order_whose_card_was_seen_dead_is_reversed_though_it_is_old(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        emulator = server()
        job = await planned(tmp_path / "job", orders(1))
        await run_once(job, emulator)
        job = await reopened(tmp_path / "job")
        first = orders(1)[0]
        async with session_for(job, emulator) as session:
            await session.cancel_gift_card(request_id="Emula0001")
            with pytest.raises(ReversedError):
                await session.create_gift_card(request_id=first.request_id, amount=first.amount)
        await asyncio.sleep(RecoveryPolicy().replay_horizon_seconds)
        await run_once(job, emulator, Taker())

        assert await states(tmp_path / "job") == {"1": "reversed"}

    run(main())


def test_an_order_is_found_as_an_earlier_run_has_left_it(tmp_path: Path) -> None:
    async def main() -> None:
        emulator = server(always("Emula0002", FaultKind.LOSE_REPLY))
        job = await planned(tmp_path / "job", orders(2))
        first = await run_once(job, emulator, deadline_seconds=20)
        emulator.play(FaultScript())
        second = await run_once(await reopened(tmp_path / "job"), emulator)

        assert {one.row.number: one.left for one in first} == {
            1: RowState.PLANNED,
            2: RowState.PLANNED,
        }
        assert {one.row.number: one.left for one in second} == {2: RowState.IN_DOUBT}

    run(main())
