"""What the file itself refuses, and how a file of another version is met."""

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar, get_args

import pytest
from msgspec.structs import asdict, replace

from agcod_async.batch import Issued, issue_many
from agcod_async.core.facts import Facts
from agcod_async.core.outcomes import Leg
from agcod_async.core.verdicts import Verdict
from agcod_async.journal import sqlite_form, sqlite_rows, sqlite_schema
from agcod_async.journal.base import JournalError, Which
from agcod_async.journal.records import Entry
from agcod_async.journal.sqlite import SqliteJournal
from agcod_async.journal.sqlite_store import SqliteStore
from agcod_async.testing.clock import run
from tests.journal.entries import fresh, issued, sending
from tests.support.fair import Fair, emulator, order

T = TypeVar("T")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


async def fill(path: Path) -> None:
    """Write an open entry, one in the middle of an undo, and one that is confirmed."""
    async with SqliteJournal(path) as journal:
        await journal.open(fresh("ToyOpen"))
        undoing = sending(await journal.open(fresh("ToyUndo")))
        facts = Facts(epoch=1, undone=True)
        await journal.advance(replace(undoing, leg=Leg.UNDO, facts=facts, last_undo_at=2.0))
        await journal.advance(issued(await journal.open(fresh("ToyDone"))))


@pytest.fixture
def sql(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a SQL prompt at a journal that is in use by nobody."""
    asyncio.run(fill(path))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


# --- what may be written --------------------------------------------------------------------------

FORBIDDEN = {
    "SET confirmed = 0, verdict = '' WHERE request_id = 'ToyDone'": "confirmed stays confirmed",
    "SET leg = 'undo' WHERE request_id = 'ToyDone'": "confirmed_is_never_undone",
    "SET confirmed = 1, verdict = 'Issued' WHERE request_id = 'ToyUndo'": (
        "confirmed_is_never_undone"
    ),
    "SET verdict = 'Issued' WHERE request_id = 'ToyOpen'": "issued_is_confirmed",
    "SET verdict = 'InDoubt' WHERE request_id = 'ToyOpen'": "verdict_is_known",
    "SET verdict = 'issued' WHERE request_id = 'ToyDone'": "verdict_is_known",
    "SET leg = 'sideways' WHERE request_id = 'ToyOpen'": "leg_is_known",
    "SET epoch = 0 WHERE request_id = 'ToyUndo'": "no ID is used again after its successor",
    "SET body = x'00' WHERE request_id = 'ToyOpen'": "what was ordered never changes",
    "SET amount = '99.00 USD' WHERE request_id = 'ToyOpen'": "what was ordered never changes",
    "SET partner_id = 'Other' WHERE request_id = 'ToyOpen'": "what was ordered never changes",
    "SET request_id = 'ToyNew' WHERE request_id = 'ToyOpen'": "what was ordered never changes",
    "SET operation = 'Stamp' WHERE request_id = 'ToyOpen'": "what was ordered never changes",
    "SET verdict = NULL WHERE request_id = 'ToyOpen'": "NOT NULL",
    "SET last_undo_at = NULL WHERE request_id = 'ToyUndo'": "an undo that was sent",
    "SET audited_at = 1 WHERE request_id = 'ToyOpen'": "what_is_audited_is_confirmed",
}
"""Changes that no transition may make, although each of them counts the version."""


@pytest.mark.parametrize("change", FORBIDDEN)
def test_a_forbidden_transition_is_refused_by_the_file(
    sql: sqlite3.Connection, change: str
) -> None:
    statement = "UPDATE entry " + change.replace(" WHERE", ", version = version + 1 WHERE")
    before = sql.execute("SELECT * FROM entry").fetchall()

    with pytest.raises(sqlite3.IntegrityError, match=FORBIDDEN[change]):
        sql.execute(statement)
    assert sql.execute("SELECT * FROM entry").fetchall() == before


@pytest.mark.parametrize("version", ["version", "version + 2", "version - 1", "NULL"])
def test_a_transition_raises_the_version_by_one(sql: sqlite3.Connection, version: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match=r"by one|NOT NULL"):
        sql.execute(f"UPDATE entry SET sends = 9, version = {version}")  # noqa: S608  ours


def test_an_open_entry_is_never_removed(sql: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="an open entry is never removed"):
        sql.execute("DELETE FROM entry WHERE request_id = 'ToyOpen'")
    sql.execute("DELETE FROM entry WHERE request_id = 'ToyDone'")


def test_a_call_has_one_entry(sql: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        sql.execute(
            "INSERT INTO entry SELECT 99, operation, request_id, partner_id, amount, body,"
            " created_at, live_id, leg, epoch, doubtful, undone, tainted, confirmed, sends,"
            " first_sent_at, last_sent_at, effects_until, gc_id, error_code, error_type, verdict,"
            " updated_at, version, last_undo_at, audited_at FROM entry"
            " WHERE request_id = 'ToyOpen'"
        )


def test_what_a_call_really_does_is_allowed(path: Path) -> None:
    async def main() -> None:
        async with SqliteJournal(path) as journal:
            entry = await journal.open(fresh())
            for step in (
                {"facts": Facts(doubtful=True), "sends": 1},
                {"leg": Leg.UNDO, "facts": Facts(doubtful=True, undone=True, tainted=True)},
                {"leg": Leg.FORWARD, "facts": Facts(epoch=1), "live_id": "Toy1b", "sends": 0},
                {"facts": Facts(epoch=1, doubtful=True), "verdict": "Unavailable"},
                {"facts": Facts(epoch=1, doubtful=True), "verdict": ""},
                {"facts": Facts(epoch=1, doubtful=True, confirmed=True), "verdict": "Issued"},
                {"sends": 2},
                {"verdict": "Reversed"},
            ):
                entry = await journal.advance(replace(entry, **step))
            assert entry.version == 8

    asyncio.run(main())


def test_the_verdicts_are_those_of_a_call_that_has_ended() -> None:
    schema = sqlite_schema.STEPS[0][1]
    (known,) = re.findall(r"verdict IN \((.*?)\)", schema)

    ends = {verdict.__name__ for verdict in get_args(Verdict)} - {"InDoubt"}
    assert set(re.findall(r"'(\w*)'", known)) == ends | {""}


def test_the_legs_are_those_of_a_call() -> None:
    (known,) = re.findall(r"leg IN \((.*?)\)", sqlite_schema.STEPS[0][1])

    assert {leg.value for leg in Leg} == set(re.findall(r"'(\w*)'", known))


def test_there_is_a_column_for_every_field_and_none_for_a_claim_code(
    sql: sqlite3.Connection,
) -> None:
    columns = {row[1] for row in sql.execute("PRAGMA table_info(entry)")}
    fields = set(asdict(fresh())) - {"code", "facts"} | {"error_code"}

    # `body` is the request. Whoever adds a column asks himself whether a code could get into it.
    assert columns == {"number"} | fields | set(Facts.__dataclass_fields__)
    assert not {name for name in columns if "claim" in name or name == "code"}


@pytest.mark.parametrize(
    ("which", "index"),
    [(Which.OPEN, "open_entries"), (Which.UNAUDITED, "unaudited_entries"), (Which.ALL, "PRIMARY")],
)
def test_a_page_costs_the_same_after_a_million_others(
    sql: sqlite3.Connection, which: Which, index: str
) -> None:
    plan = sql.execute(f"EXPLAIN QUERY PLAN {sqlite_rows.PAGES[which]}", (7, 1)).fetchall()

    assert len(plan) == 1
    assert plan[0][3].startswith("SEARCH entry USING")
    assert index in plan[0][3]


@dataclass(slots=True)
class WithoutThread:
    """A journal on a loop with virtual time, which cannot wait for a thread."""

    store: SqliteStore
    refusals: list[JournalError] = field(default_factory=list)

    async def open(self, entry: Entry) -> Entry:
        return self._done(lambda: self.store.open_entry(entry))

    async def advance(self, entry: Entry) -> Entry:
        return self._done(lambda: self.store.advance(entry))

    async def find(self, operation: str, request_id: str) -> Entry | None:
        return self._done(lambda: self.store.find(operation, request_id))

    async def entries(self, which: Which = Which.ALL) -> AsyncIterator[Entry]:
        after: int | None = 0
        while after is not None:
            page, after = self._done(partial(self.store.page, which, after=after))
            for entry in page:
                yield entry

    async def aclose(self) -> None:
        self.store.close()

    def _done(self, work: Callable[[], T]) -> T:
        values: list[T] = []
        (error,) = self.store.transact([lambda: values.append(work())])
        if error is not None:
            self.refusals.append(error)
            raise error
        return values[0]


@pytest.mark.parametrize("seed", [1, 2])
def test_the_file_refuses_nothing_that_a_session_writes(path: Path, seed: int) -> None:
    async def main() -> None:
        journal = WithoutThread(SqliteStore.at(path))
        journal.store._connection.execute("PRAGMA synchronous = OFF")  # it is not about the disk
        fair = Fair(emulator(0.5, seed), seed=seed, journal=journal)
        async with fair.session() as session:
            for deadline_seconds in (12.0, 3600.0, 3600.0):
                orders = (order(n) for n in range(60))
                told = [
                    one.verdict
                    async for one in issue_many(session, orders, deadline_seconds=deadline_seconds)
                ]
            await session.reconcile()
        written = [
            await journal.open(fresh(order(n).request_id, "CreateGiftCard")) for n in range(60)
        ]

        assert journal.refusals == []
        assert any(isinstance(verdict, Issued) for verdict in told)
        assert {entry.facts.epoch for entry in written} >= {0, 1}
        assert fair.emulator.arrivals.by_operation["CancelGiftCard"] > 10
        await journal.aclose()

    run(main())


# --- versions -------------------------------------------------------------------------------------


def version_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


async def contents(path: Path) -> list[Entry]:
    async with SqliteJournal(path) as journal:
        return [await journal.open(fresh(f"Toy{name}")) for name in ("Open", "Undo", "Done")]


def test_an_empty_file_becomes_a_journal(path: Path) -> None:
    path.touch()
    asyncio.run(fill(path))

    assert version_of(path) == len(sqlite_schema.STEPS)


def test_a_journal_of_an_older_version_is_brought_up_to_date(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(fill(path))
    before = asyncio.run(contents(path))
    released = version_of(path)
    later = (
        *sqlite_schema.STEPS,
        ("ALTER TABLE entry ADD COLUMN note TEXT NOT NULL DEFAULT ''",),
        ("CREATE INDEX notes ON entry (note)", "UPDATE entry SET version = version + 1"),
    )
    monkeypatch.setattr(sqlite_schema, "STEPS", later)

    after = asyncio.run(contents(path))

    assert version_of(path) == released + 2
    assert after == [replace(entry, version=entry.version + 1) for entry in before]
    assert asyncio.run(contents(path)) == after


def test_a_step_that_fails_leaves_the_file_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(fill(path))
    before = asyncio.run(contents(path))
    released = version_of(path)
    with monkeypatch.context() as patch:
        broken = ("ALTER TABLE entry ADD COLUMN note TEXT", "DELETE FROM entry", "nonsense")
        patch.setattr(sqlite_schema, "STEPS", (*sqlite_schema.STEPS, broken))
        with pytest.raises(JournalError, match="an open entry is never removed"):
            SqliteJournal(path)

    assert version_of(path) == released
    assert asyncio.run(contents(path)) == before
    with closing(sqlite3.connect(path)) as connection:
        columns = {row[1] for row in connection.execute("PRAGMA table_info(entry)")}
        assert "note" not in columns


def test_a_journal_of_a_newer_release_is_refused_and_left_alone(path: Path) -> None:
    asyncio.run(fill(path))
    newer = len(sqlite_schema.STEPS) + 1
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {newer}")
    before = path.read_bytes()

    with pytest.raises(JournalError, match=f"its version is {newer}.*a newer release"):
        SqliteJournal(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "statement",
    ["CREATE TABLE entry (name TEXT)", "PRAGMA user_version = 1", "PRAGMA application_id = 7"],
)
def test_somebody_elses_database_is_refused_and_left_alone(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
    before = path.read_bytes()

    with pytest.raises(JournalError, match="a database of something else"):
        SqliteJournal(path)
    assert path.read_bytes() == before


def test_where_there_can_be_no_log_there_is_no_journal() -> None:
    with (
        closing(sqlite3.connect(":memory:")) as connection,
        pytest.raises(JournalError, match=r"write-ahead log cannot be kept.*'memory'"),
    ):
        sqlite_form.keep_durable(connection)


async def fill_version_1(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the file that the first release made, with orders that have and have not been undone."""
    insert = re.sub(r"last_undo_at, audited_at,|\?, \?, (?=\?, \?, \?\))", "", sqlite_rows.INSERT)
    with monkeypatch.context() as patch:
        patch.setattr(sqlite_schema, "STEPS", sqlite_schema.STEPS[:1])
        await SqliteJournal(path).aclose()
    facts = {
        "Plain": Facts(doubtful=True, confirmed=True),
        "Undone": Facts(doubtful=True, undone=True, confirmed=True),
        "Tainted": Facts(doubtful=True, tainted=True),
        "Successor": Facts(epoch=1, doubtful=True, confirmed=True),
        "Unsent": Facts(),
    }
    with closing(sqlite3.connect(path)) as connection:
        for name, known in facts.items():
            entry = replace(
                fresh(f"Toy{name}"),
                facts=known,
                verdict="Issued" if known.confirmed else "",
                last_sent_at=None if name == "Successor" else 5.0,
                updated_at=6.0,
                version=3,
            )
            row = sqlite_rows.row_of(entry)
            connection.execute(insert, (*row[:15], *row[17:]))
        connection.commit()


def test_a_file_of_the_first_version_says_which_orders_may_have_sent_an_undo(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        await fill_version_1(path, monkeypatch)
        assert version_of(path) == 1
        async with SqliteJournal(path) as journal:
            entries = {entry.request_id: entry async for entry in journal.entries()}
            unaudited = [entry.request_id async for entry in journal.entries(Which.UNAUDITED)]

        assert version_of(path) == len(sqlite_schema.STEPS)
        assert {name: entry.last_undo_at for name, entry in entries.items()} == {
            "ToyPlain": None,
            "ToyUndone": 5.0,
            "ToyTainted": 5.0,
            "ToySuccessor": 6.0,
            "ToyUnsent": None,
        }
        assert [entry.version for entry in entries.values()] == [3, 4, 4, 4, 3]
        assert unaudited == ["ToyUndone", "ToySuccessor"]
        assert {entry.audited_at for entry in entries.values()} == {None}

    asyncio.run(main())
