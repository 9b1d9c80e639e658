"""The plan of a job: all of it on record before anything is sent, and what its file refuses."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from agcod_async.batch import (
    Job,
    Order,
    PlannedOrder,
    RefusedRow,
    RowState,
    plan_job,
    planning,
    view_job,
)
from agcod_async.batch.job_rows import Outcome
from agcod_async.endpoints import Endpoint
from agcod_async.errors import UsageError
from agcod_async.journal.base import JournalError, StaleEntryError
from agcod_async.journal.lock_file import JournalInUseError
from agcod_async.providers.agcod.messages import TransactionSource
from agcod_async.settings import Settings
from agcod_async.testing import EMULATOR_CREDENTIALS
from agcod_async.testing.clock import run
from agcod_async.values import Money
from tests.support.fair import SETTINGS
from tests.support.jobs import counts, files, planned, reopened

OTHER_ENDPOINT = Settings(
    credentials=EMULATOR_CREDENTIALS, partner_id="Emula", endpoint=Endpoint.NA
)


def order(name: str, amount: str = "10.00", currency: str = "USD") -> Order:
    return Order(request_id=f"Emula{name}", amount=Money(amount, currency))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "job"


def contents(directory: Path) -> bytes:
    return b"".join(file.read_bytes() for file in directory.iterdir())


def lose(directory: Path, pattern: str) -> None:
    for file in directory.glob(pattern):
        file.unlink()


async def fresh(directory: Path) -> Job:
    return await files(directory).begun(name=None, source_digest=None)


# --- planning -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["list", "iterator", "async"])
def test_orders_come_from_any_iterable_and_get_their_places(directory: Path, kind: str) -> None:
    given = [order("A"), order("B", "2.50"), order("C", "100", "JPY")]

    async def stream() -> AsyncIterator[Order]:
        for one in given:
            yield one

    async def main() -> None:
        source = {"list": given, "iterator": iter(given), "async": stream()}[kind]
        async with await fresh(directory) as job:
            told = await plan_job(job, source)
            rows = [row async for row in job.rows()]
            totals = await job.totals()

        assert (told.orders, told.refused) == (3, 0)
        assert [row.order for row in rows] == given
        assert [row.number for row in rows] == [1, 2, 3]
        sums = {one.currency: (one.orders, str(one.amount)) for one in totals[RowState.PLANNED]}
        assert sums == {"USD": (2, "12.50"), "JPY": (1, "100")}

    run(main())


def test_everything_that_an_order_says_comes_back(directory: Path) -> None:
    async def main() -> None:
        whole = Order(
            request_id="EmulaA",
            amount=Money("0.0001", "XTS"),
            program_id="P1",
            product_type="T1",
            external_reference="a note, with \N{SNOWMAN}",
            transaction_source=TransactionSource(source_id="till 3", source_details="x"),
        )
        async with await fresh(directory) as job:
            await plan_job(job, [PlannedOrder(number=7, order=whole, business_key="invoice 1")])
            (row,) = [row async for row in job.rows()]

        assert row.order == whole
        assert (row.number, row.business_key, row.state) == (7, "invoice 1", RowState.PLANNED)
        assert row.outcome == Outcome()

    run(main())


def test_an_id_or_a_key_that_repeats_is_refused_with_both_lines(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "PLANNED_AT_ONCE", 2)
    told: list[RefusedRow] = []
    rows = [
        PlannedOrder(number=2, order=order("A"), business_key="k1"),
        PlannedOrder(number=3, order=order("A")),
        PlannedOrder(number=4, order=order("B")),
        PlannedOrder(number=5, order=order("C"), business_key="k1"),
        PlannedOrder(number=6, order=order("B")),
        PlannedOrder(number=7, order=order("D")),
    ]

    async def main() -> None:
        async with await fresh(directory) as job:
            done = await plan_job(job, rows, on_refused=told.append)
            assert (done.orders, done.refused) == (3, 3)
            assert await job.refused() == 3
            assert [row.number async for row in job.rows()] == [2, 4, 7]

    run(main())

    assert [(one.line, one.first_line, one.field) for one in told] == [
        (3, 2, "request_id"),
        (5, 2, "business_key"),
        (6, 4, "request_id"),
    ]
    assert str(told[1]) == (
        "line 5: business_key: 'k1' stands on line 2 already (every order has one of its own)"
    )


def test_a_row_that_is_no_order_is_on_record_without_its_text(directory: Path) -> None:
    secret = "somebody@example.com"
    rows = [
        RefusedRow(1, 1, field="amount", problem=f"{secret!r} is no amount", limit="digits"),
        Order(request_id=secret, amount=Money("1", "USD")),
        order("A"),
    ]

    async def main() -> None:
        async with await fresh(directory) as job:
            told = await plan_job(job, rows)
            assert (told.orders, told.refused) == (1, 2)
            written = contents(directory)
        assert secret.encode() not in written
        assert b"digits" in written

    run(main())


def test_a_plan_that_was_not_completed_is_begun_anew(directory: Path) -> None:
    async def broken() -> AsyncIterator[Order]:
        yield order("A")
        raise OSError(5, "Input/output error")

    async def changed() -> None:
        raise UsageError(planning_reason)

    from agcod_async.core.outcomes import Reason  # noqa: PLC0415  of this test alone

    planning_reason = Reason("the file has changed")

    async def main() -> None:
        async with await fresh(directory) as job:
            with pytest.raises(OSError, match="Input/output"):
                await plan_job(job, broken())
        async with await fresh(directory) as job:
            with pytest.raises(UsageError, match="the file has changed"):
                await plan_job(job, [order("A"), order("Z")], verify=changed)
            assert await counts(job) == {}
        with pytest.raises(UsageError, match="its plan was not completed"):
            await reopened(directory)
        async with await files(directory).begun(name="another", source_digest="mended") as job:
            await plan_job(job, [order("B")])
            assert [row.order.request_id async for row in job.rows()] == ["EmulaB"]
            assert (await job.facts()).name == "another"

    run(main())


def test_a_plan_is_made_once(directory: Path) -> None:
    async def main() -> None:
        async with await planned(directory, [order("A")]) as job:
            with pytest.raises(UsageError, match="has a plan already"):
                await plan_job(job, [order("B")])
            assert [row.order.request_id async for row in job.rows()] == ["EmulaA"]

    run(main())


@pytest.mark.parametrize("given", [[], [order("A"), order("B", "1", "EUR")]])
def test_a_spend_cap_needs_one_currency(directory: Path, given: list[Order]) -> None:
    async def main() -> None:
        async with await fresh(directory) as job:
            with pytest.raises(UsageError, match="a limit needs orders in one currency"):
                await plan_job(job, given, spend_cap="5")
        async with await planned(directory, given) as job:
            with pytest.raises(UsageError, match="a limit needs orders in one currency"):
                await job.set_spend_cap("5")

    run(main())


def test_a_spend_cap_is_kept_and_can_be_taken_away(directory: Path) -> None:
    async def main() -> None:
        async with await planned(directory, [order("A")], spend_cap=Decimal("12.5")) as job:
            assert (await job.facts()).spend_cap == Money("12.50", "USD")
            await job.set_spend_cap(None)
            assert (await job.facts()).spend_cap is None

    run(main())


# --- whose job it is ------------------------------------------------------------------------------


def test_a_job_is_of_one_account_one_name_and_one_source(directory: Path) -> None:
    async def main() -> None:
        first = await files(directory).begun(name="one", source_digest="d1")
        async with first as job:
            await plan_job(job, [order("A")])
        for settings, name, digest, problem in (
            (SETTINGS, "two", "d1", "the job is 'one', not 'two'"),
            (SETTINGS, "one", "d2", "the job was made of other orders"),
            (OTHER_ENDPOINT, "one", "d1", "not of Emula at agcod-v2.amazon.com"),
        ):
            with pytest.raises(UsageError, match=problem):
                await files(directory, settings).begun(name=name, source_digest=digest)
        async with await files(directory).begun(name=None, source_digest="d1") as job:
            assert await counts(job) == {"planned": 1}

    run(main())


def test_a_journal_of_another_account_is_refused_though_the_plan_is_lost(directory: Path) -> None:
    async def main() -> None:
        await (await planned(directory, [order("A")])).aclose()
        lose(directory, "job.sqlite*")
        with pytest.raises(UsageError, match=r"journal\.sqlite is of partner Emula at"):
            await files(directory, OTHER_ENDPOINT).begun(name=None, source_digest=None)

    run(main())


def test_a_job_on_a_real_disk_is_of_one_process(directory: Path) -> None:
    async def main() -> None:
        async with await Job.create(directory, SETTINGS) as job:
            await plan_job(job, [order("A")])
            with pytest.raises(JournalInUseError):
                await Job.open(directory, SETTINGS)
        async with await Job.open(directory, SETTINGS) as job:
            assert job.directory == directory
            assert (await job.facts()).name == "job"

    asyncio.run(main())
    assert directory.stat().st_mode & 0o077 == 0


def test_a_job_whose_journal_is_lost_is_refused(directory: Path) -> None:
    async def make() -> None:
        async with await Job.create(directory, SETTINGS) as job:
            await plan_job(job, [order("A")])

    asyncio.run(make())
    lose(directory, "journal.sqlite*")
    for again in (Job.open(directory, SETTINGS), Job.create(directory, SETTINGS)):
        with pytest.raises(UsageError, match=r"journal\.sqlite is missing"):
            asyncio.run(again)
    assert not (directory / "journal.sqlite").exists()


def test_where_there_is_no_job_none_is_opened(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="there is no job here"):
        asyncio.run(Job.open(tmp_path, SETTINGS))
    with pytest.raises(UsageError, match="File exists"):
        asyncio.run(Job.create(tmp_path / "file", SETTINGS))
    with pytest.raises(UsageError, match="there is no job here"), view_job(tmp_path):
        pass


# --- what the file refuses ------------------------------------------------------------------------

STATES = [state.value for state in RowState]
LEGAL = {
    ("planned", "under_way"),
    ("under_way", "planned"),
    ("under_way", "issued"),
    ("under_way", "declined"),
    ("under_way", "reversed"),
    ("under_way", "in_doubt"),
    ("in_doubt", "planned"),
    ("in_doubt", "issued"),
    ("in_doubt", "declined"),
    ("in_doubt", "reversed"),
    ("issued", "delivered"),
    ("issued", "reversed"),
}
WAYS = {
    "planned": (),
    "under_way": ("under_way",),
    "issued": ("under_way", "issued"),
    "delivered": ("under_way", "issued", "delivered"),
    "declined": ("under_way", "declined"),
    "reversed": ("under_way", "reversed"),
    "in_doubt": ("under_way", "in_doubt"),
}


@pytest.fixture
def sql(directory: Path) -> Iterator[sqlite3.Connection]:
    """Open a SQL prompt at a job of one order."""

    async def make() -> None:
        await (await planned(directory, [order("A")])).aclose()

    run(make())
    with closing(sqlite3.connect(directory / "job.sqlite", isolation_level=None)) as connection:
        yield connection


@pytest.mark.parametrize("before", STATES)
def test_an_order_goes_the_ways_that_there_are_and_no_other(
    sql: sqlite3.Connection, before: str
) -> None:
    for after in STATES:
        sql.execute("BEGIN")
        for state in WAYS[before]:
            sql.execute("UPDATE orders SET state = ?", (state,))
        if (before, after) in LEGAL or before == after:
            sql.execute("UPDATE orders SET state = ?", (after,))
            now = sql.execute("SELECT state, orders FROM total WHERE orders > 0").fetchall()
            assert now == [(after, 1)]
        else:
            with pytest.raises(sqlite3.IntegrityError, match="does not go that way"):
                sql.execute("UPDATE orders SET state = ?", (after,))
        sql.execute("ROLLBACK")


FORBIDDEN = {
    "UPDATE orders SET amount = 1": "what was ordered never changes",
    "UPDATE orders SET currency = 'EUR'": "what was ordered never changes",
    "UPDATE orders SET request_id = 'EmulaB'": "what was ordered never changes",
    "UPDATE orders SET business_key = 'k'": "what was ordered never changes",
    "UPDATE orders SET program_id = 'p'": "what was ordered never changes",
    "UPDATE orders SET number = 9": "what was ordered never changes",
    "UPDATE orders SET state = 'lost'": "go that way|state_is_known",
    "DELETE FROM orders": "an order of a complete plan is never removed",
    "INSERT INTO orders (request_id, amount, currency) VALUES ('EmulaB', 1, 'USD')": (
        "the plan is complete"
    ),
    "UPDATE job SET planned_at = NULL": "the plan is complete",
    "UPDATE job SET host = 'elsewhere'": "a job is of one account and one source",
    "UPDATE job SET partner_id = 'Other'": "a job is of one account and one source",
    "UPDATE job SET source_digest = 'x'": "a job is of one account and one source",
    "UPDATE job SET spend_cap = -1, spend_currency = 'USD'": "CHECK",
    "UPDATE job SET spend_cap = 1": "CHECK",
    "DELETE FROM job": "a job with a complete plan is never removed",
}


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_a_forbidden_change_is_refused_by_the_file(sql: sqlite3.Connection, statement: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match=FORBIDDEN[statement]):
        sql.execute(statement)


def test_nothing_moves_before_the_plan_is_complete(directory: Path) -> None:
    async def main() -> None:
        async with await fresh(directory) as job:
            await job.begin_plan()
            await job.add([PlannedOrder(number=1, order=order("A"))], [])
            with pytest.raises(JournalError, match="the plan is not complete"):
                await job.claim(after=0, limit=1)

    run(main())


def test_there_is_no_column_for_a_claim_code_or_a_text_of_amazons(sql: sqlite3.Connection) -> None:
    columns = {row[1] for row in sql.execute("PRAGMA table_info(orders)")}

    # Whoever adds a column asks himself whether a code could get into it.
    assert columns == {
        *("number", "request_id", "business_key", "amount", "currency", "program_id"),
        *("product_type", "external_reference", "transaction_source", "state"),
        *("live_request_id", "gc_id", "error_code", "error_type", "not_before"),
        *("next_safe_action", "updated_at"),
    }


def test_only_who_knows_where_an_order_is_moves_it_on(directory: Path) -> None:
    async def main() -> None:
        async with await planned(directory, [order("A")]) as job:
            (claimed,) = (await job.claim(after=0, limit=9)).rows
            issued = await job.move(claimed, RowState.ISSUED, Outcome(gc_id="GC1"))
            with pytest.raises(StaleEntryError, match="order 1 of the plan has moved on"):
                await job.move(claimed, RowState.DECLINED)
            assert [row async for row in job.rows()] == [issued]

    run(main())


# --- looking --------------------------------------------------------------------------------------


def test_rows_come_a_page_at_a_time_in_order(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agcod_async.batch.job.READ_AT_ONCE", 3)
    monkeypatch.setattr("agcod_async.batch.job_view.READ_AT_ONCE", 3)

    async def main() -> None:
        async with await planned(directory, [order(f"{n:02}") for n in range(1, 11)]) as job:
            for row in (await job.claim(after=0, limit=4)).rows:
                await job.move(row, RowState.ISSUED)

            assert [row.number async for row in job.rows()] == list(range(1, 11))
            assert [row.number async for row in job.rows(after=8)] == [9, 10]
            assert [row.number async for row in job.rows(RowState.PLANNED)] == list(range(5, 11))
            both = [row.number async for row in job.rows(RowState.PLANNED, RowState.ISSUED)]
            assert both == [*range(5, 11), *range(1, 5)]
            with view_job(directory) as view:
                assert [row.number for row in view.rows()] == list(range(1, 11))
                assert [row.number for row in view.rows(RowState.ISSUED)] == [1, 2, 3, 4]
                assert view.totals() == await job.totals()
                assert view.refused() == 0

    run(main())


def test_an_onlooker_changes_nothing(directory: Path, sql: sqlite3.Connection) -> None:
    sql.close()
    with (
        view_job(directory) as view,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        view._connection.execute("UPDATE orders SET state = 'under_way'")


def test_what_is_no_plan_is_not_looked_at(directory: Path) -> None:
    directory.mkdir()
    (directory / "job.sqlite").write_bytes(b"nonsense" * 1000)
    with pytest.raises(UsageError, match="cannot be read"), view_job(directory):
        pass
    (directory / "job.sqlite").unlink()
    run(files(directory).aclose())
    with (
        view_job(directory) as view,
        pytest.raises(UsageError, match="there is no job here"),
    ):
        view.facts()


def test_a_page_of_a_state_is_found_without_reading_the_others(sql: sqlite3.Connection) -> None:
    plan = sql.execute(
        "EXPLAIN QUERY PLAN SELECT * FROM orders WHERE state = ? AND number > ?"
        " ORDER BY number LIMIT 5",
        ("planned", 0),
    ).fetchall()

    (step,) = [row[3] for row in plan]
    assert "orders_by_state (state=? AND number>?)" in step
