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


async def issue(path: Path, given: Settings) -> Emulator:
    """Issue one card and reconcile, through a session with these settings."""
    emulator = Emulator()
    async with (
        SqliteJournal(path) as journal,
        AgcodSession(given, transport=emulator.transport(), journal=journal) as session,
    ):
        try:
            await session.create_gift_card(request_id="Emula1", amount=Money("10", "USD"))
            await session.reconcile()
        except UsageError as error:
            assert "journal.db is of partner Emula at agcod-v2-gamma.amazon.com" in str(error)
            with pytest.raises(UsageError, match="give each account its own file"):
                await session.reconcile()
    return emulator


def test_a_session_binds_its_journal_and_finds_it_again(path: Path) -> None:
    assert asyncio.run(issue(path, settings())).arrivals.total == 1
    assert asyncio.run(issue(path, settings())).arrivals.total == 1


@pytest.mark.parametrize("other", [settings(endpoint=Endpoint.NA), settings("EmulaOther")])
def test_another_account_or_endpoint_is_refused_before_anything_is_sent(
    path: Path, other: Settings
) -> None:
    asyncio.run(issue(path, settings()))

    assert asyncio.run(issue(path, other)).arrivals.total == 0


def test_a_binding_is_not_changed_with_sql_either(path: Path) -> None:
    asyncio.run(issue(path, settings()))

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
