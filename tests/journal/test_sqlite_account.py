"""A journal is of one account: what a sandbox has left open is never finished in production."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from agcod_async.agcod import AgcodSession
from agcod_async.endpoints import Endpoint
from agcod_async.errors import UsageError
from agcod_async.journal.base import OtherAccountError
from agcod_async.journal.binding import bound
from agcod_async.journal.memory import MemoryJournal
from agcod_async.journal.sqlite import SqliteJournal
from agcod_async.settings import Settings
from agcod_async.testing import EMULATOR_CREDENTIALS, Emulator
from agcod_async.values import Money
from tests.journal.entries import fresh


def settings(partner_id: str = "Emula", endpoint: Endpoint = Endpoint.NA_SANDBOX) -> Settings:
    return Settings(credentials=EMULATOR_CREDENTIALS, partner_id=partner_id, endpoint=endpoint)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


async def issue(path: Path, given: Settings, emulator: Emulator) -> None:
    """Issue one card and reconcile, through a session with these settings."""
    async with (
        SqliteJournal(path) as journal,
        AgcodSession(given, transport=emulator.transport(), journal=journal) as session,
    ):
        await session.reconcile()
        await session.create_gift_card(request_id=f"{given.partner_id}1", amount=Money("10", "USD"))


def test_a_session_binds_its_journal_and_finds_it_again(path: Path) -> None:
    emulator = Emulator()
    asyncio.run(issue(path, settings(), emulator))
    asyncio.run(issue(path, settings(), emulator))

    assert emulator.arrivals.total == 2


@pytest.mark.parametrize("other", [settings(endpoint=Endpoint.NA), settings("EmulaOther")])
def test_another_account_or_endpoint_is_refused_before_anything_is_sent(
    path: Path, other: Settings
) -> None:
    emulator = Emulator()
    asyncio.run(issue(path, settings(), emulator))
    arrived = emulator.arrivals.total

    with pytest.raises(UsageError, match=r"is of partner Emula at .*, not of partner"):
        asyncio.run(issue(path, other, emulator))
    assert emulator.arrivals.total == arrived


def test_a_call_through_another_accounts_journal_is_refused_too(path: Path) -> None:
    async def call(given: Settings) -> None:
        async with (
            SqliteJournal(path) as journal,
            AgcodSession(given, transport=Emulator().transport(), journal=journal) as session,
        ):
            await session.create_gift_card(request_id="EmulaB", amount=Money("10", "USD"))

    asyncio.run(call(settings()))
    with pytest.raises(UsageError, match="give each account its own file"):
        asyncio.run(call(settings(endpoint=Endpoint.NA)))


def test_a_binding_is_not_changed_with_sql_either(path: Path) -> None:
    asyncio.run(issue(path, settings(), Emulator()))

    with closing(sqlite3.connect(path)) as sql:
        for statement in ("UPDATE account SET host = 'elsewhere'", "DELETE FROM account"):
            with pytest.raises(sqlite3.IntegrityError, match="a journal is of one account"):
                sql.execute(statement)


def test_a_bound_journal_refuses_another_binding_and_says_which(path: Path) -> None:
    async def main() -> None:
        async with SqliteJournal(path) as journal:
            await journal.bind("Emula", "one.example")
            await journal.bind("Emula", "one.example")
            with pytest.raises(OtherAccountError, match=r"not of partner Emula at two\.example"):
                await journal.bind("Emula", "two.example")

    asyncio.run(main())


def test_one_call_is_found_by_its_operation_and_id(path: Path) -> None:
    async def main() -> None:
        async with SqliteJournal(path) as journal:
            entry = await journal.open(fresh())

            assert await journal.find("Issue", "Toy1") == entry
            assert await journal.find("Stamp", "Toy1") is None

    asyncio.run(main())


def test_what_cannot_be_bound_is_used_as_it_is() -> None:
    journal = MemoryJournal()

    assert bound(journal, settings()) is journal
    assert bound(None, settings()) is None


def test_a_bound_journal_closes_what_it_stands_for(path: Path) -> None:
    async def main() -> None:
        journal = SqliteJournal(path)
        through = bound(journal, settings())
        assert through is not None
        await through.aclose()
        await journal.aclose()

    asyncio.run(main())
