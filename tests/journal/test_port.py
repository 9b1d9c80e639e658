"""What every journal promises, however it keeps its entries."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from pathlib import Path

import pytest
from msgspec.structs import asdict, replace

from agcod_async.core.facts import Facts
from agcod_async.journal.base import Journal, StaleEntryError, Which
from agcod_async.journal.memory import MemoryJournal
from agcod_async.journal.records import Entry
from agcod_async.journal.sqlite import SqliteJournal
from agcod_async.journal.sqlite_store import READ_AT_ONCE
from tests.journal.entries import everything, fresh, issued, sending
from tests.support.journals import open_entries

Opened = Callable[[], AbstractAsyncContextManager[Journal]]


@pytest.fixture(params=["memory", "sqlite"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    """Open a journal of each kind, and close it."""

    @asynccontextmanager
    async def in_memory() -> AsyncIterator[Journal]:
        async with aclosing(MemoryJournal()) as journal:
            yield journal

    @asynccontextmanager
    async def in_a_file() -> AsyncIterator[Journal]:
        async with SqliteJournal(tmp_path / "journal.db") as journal:
            yield journal

    return in_memory if request.param == "memory" else in_a_file


def test_what_was_written_is_found_to_the_last_field(opened: Opened) -> None:
    async def main() -> None:
        plain = asdict(fresh())
        asked_of_amazon = {"request_id", "partner_id", "operation", "amount", "body", "created_at"}
        assert {
            name
            for name, value in asdict(everything()).items()
            if value == plain[name] and name not in asked_of_amazon
        } == {"version"}
        async with opened() as journal:
            await journal.open(fresh())
            moved = await journal.advance(everything())

            assert moved == replace(everything(), version=1)
            assert await journal.open(fresh()) == moved

    asyncio.run(main())


@pytest.mark.parametrize("fact", ["doubtful", "undone", "tainted", "confirmed"])
def test_each_fact_is_kept_by_itself(opened: Opened, fact: str) -> None:
    async def main() -> None:
        async with opened() as journal:
            entry = await journal.open(fresh())
            moved = await journal.advance(replace(entry, facts=Facts(**{fact: True})))

            assert (await journal.open(fresh())).facts == moved.facts == Facts(**{fact: True})

    asyncio.run(main())


def test_an_entry_is_opened_once_and_then_found_as_it_stands(opened: Opened) -> None:
    async def main() -> None:
        async with opened() as journal:
            first = await journal.open(fresh())
            moved = await journal.advance(sending(first))
            again = await journal.open(replace(fresh(), created_at=99.0, body=b"other"))

            assert first == fresh()
            assert again == moved

    asyncio.run(main())


def test_two_operations_under_one_id_are_two_entries(opened: Opened) -> None:
    async def main() -> None:
        async with opened() as journal:
            for operation in ("Issue", "TakeBack"):
                await journal.open(fresh("Toy1", operation))

            unfinished = await open_entries(journal)
            assert [entry.key for entry in unfinished] == [("Issue", "Toy1"), ("TakeBack", "Toy1")]

    asyncio.run(main())


def test_a_transition_is_taken_from_the_latest_version_only(opened: Opened) -> None:
    async def main() -> None:
        async with opened() as journal:
            first = await journal.open(fresh())
            second = await journal.advance(sending(first))

            assert (first.version, second.version) == (0, 1)
            for stale in (first, replace(second, version=2), replace(second, version=-1)):
                with pytest.raises(StaleEntryError, match="Issue Toy1 has moved on"):
                    await journal.advance(replace(stale, sends=9))
            assert await journal.open(fresh()) == second

    asyncio.run(main())


def test_what_was_never_opened_cannot_move(opened: Opened) -> None:
    async def main() -> None:
        async with opened() as journal:
            await journal.open(fresh("Toy1", "TakeBack"))
            with pytest.raises(StaleEntryError):
                await journal.advance(fresh())

    asyncio.run(main())


def test_what_is_open_is_listed_in_the_order_of_its_opening(opened: Opened) -> None:
    async def main() -> None:
        async with opened() as journal:
            # A wall clock that is set back does not make a call older.
            entries = [
                await journal.open(replace(fresh(f"Toy{n}"), created_at=100.0 - n))
                for n in range(5)
            ]
            closed = await journal.advance(issued(entries[1]))
            await journal.advance(sending(entries[0]))
            await journal.advance(sending(replace(entries[3])))

            assert [e.request_id for e in await open_entries(journal)] == [
                "Toy0",
                "Toy2",
                "Toy3",
                "Toy4",
            ]
            assert (await open_entries(journal))[0].sends == 1
            await journal.advance(replace(closed, verdict=""))
            assert [e.request_id for e in await open_entries(journal)][:2] == ["Toy0", "Toy1"]

    asyncio.run(main())


def test_of_many_that_move_a_version_at_once_one_wins(opened: Opened) -> None:
    async def main() -> None:
        async with opened() as journal:
            entry = await journal.open(fresh())
            for turn in range(5):
                claims = [replace(entry, code=f"{turn} {n}") for n in range(64)]
                ended = await asyncio.gather(
                    *(journal.advance(claim) for claim in claims), return_exceptions=True
                )

                (entry,) = won = [end for end in ended if isinstance(end, Entry)]
                assert [type(end) for end in ended].count(StaleEntryError) == 63
                assert entry == replace(claims[ended.index(won[0])], version=turn + 1)
                assert await journal.open(fresh()) == entry

    asyncio.run(main())


def test_of_many_that_open_an_entry_at_once_all_get_the_same_one(opened: Opened) -> None:
    async def main() -> None:
        async with opened() as journal:
            given = [replace(fresh(), created_at=float(n)) for n in range(64)]
            found = await asyncio.gather(*(journal.open(entry) for entry in given))

            assert all(entry == found[0] for entry in found)
            assert found[0] in given

    asyncio.run(main())


def test_a_write_happens_although_its_waiter_is_cancelled(opened: Opened) -> None:
    async def main() -> None:
        async with opened() as journal:
            entry = await journal.open(fresh())
            task = asyncio.create_task(journal.advance(sending(entry)))
            await asyncio.sleep(0)  # it waits now
            task.cancel()
            await asyncio.wait([task])

            assert await journal.open(fresh()) == replace(sending(entry), version=1)

    asyncio.run(main())


def test_an_entry_is_found_as_it_stands_and_none_is_made_by_looking(opened: Opened) -> None:
    async def main() -> None:
        async with opened() as journal:
            assert await journal.find("Issue", "Toy1") is None
            moved = await journal.advance(sending(await journal.open(fresh())))

            assert await journal.find("Issue", "Toy1") == moved
            assert await journal.find("TakeBack", "Toy1") is None
            assert len(await open_entries(journal)) == 1

    asyncio.run(main())


def undone(entry: Entry) -> Entry:
    """Return the entry of a card that was handed out after an undo."""
    return replace(issued(entry), last_undo_at=2.5)


async def listed(journal: Journal, which: Which) -> list[str]:
    return [entry.request_id async for entry in journal.entries(which)]


def test_entries_are_gone_through_in_the_order_of_their_opening(opened: Opened) -> None:
    async def main() -> None:
        async with opened() as journal:
            entries = [await journal.open(fresh(f"Toy{n}")) for n in range(6)]
            await journal.advance(issued(entries[1]))
            handed_out = await journal.advance(undone(entries[2]))
            audited = await journal.advance(undone(entries[3]))
            await journal.advance(replace(audited, audited_at=9.0))
            await journal.advance(replace(entries[4], last_undo_at=2.5))

            assert await listed(journal, Which.ALL) == [f"Toy{n}" for n in range(6)]
            assert await listed(journal, Which.OPEN) == ["Toy0", "Toy4", "Toy5"]
            assert await listed(journal, Which.UNAUDITED) == ["Toy2"]
            assert [e async for e in journal.entries(Which.UNAUDITED)] == [handed_out]

    asyncio.run(main())


@pytest.mark.parametrize("which", list(Which))
def test_each_of_many_entries_comes_once_whatever_is_written_meanwhile(
    opened: Opened, which: Which
) -> None:
    async def main() -> None:
        async with opened() as journal:
            count = 2 * READ_AT_ONCE + 3
            for n in range(count):
                entry = await journal.open(fresh(f"Toy{n}"))
                if which is Which.UNAUDITED:
                    await journal.advance(undone(entry))
            came: list[str] = []
            async for entry in journal.entries(which):
                came.append(entry.request_id)
                await journal.advance(replace(entry, code="seen"))

            assert came == [f"Toy{n}" for n in range(count)]

    asyncio.run(main())


def test_what_is_closed_before_its_turn_may_be_left_out_and_nothing_else_is(
    opened: Opened,
) -> None:
    async def main() -> None:
        async with opened() as journal:
            entries = [await journal.open(fresh(f"Toy{n}")) for n in range(READ_AT_ONCE + 50)]
            came: list[str] = []
            async for entry in journal.entries(Which.OPEN):
                if not came:
                    await journal.advance(issued(entries[-1]))
                came.append(entry.request_id)

            assert came == [f"Toy{n}" for n in range(READ_AT_ONCE + 49)]

    asyncio.run(main())
