import pytest
from msgspec.structs import replace

from agcod_async.core.facts import Facts
from agcod_async.journal.base import JournalError, StaleEntryError
from agcod_async.journal.memory import CLOSED_ENTRIES_MAX, MemoryJournal
from agcod_async.journal.records import Entry
from agcod_async.testing.clock import run
from tests.support.journals import open_entries


def entry(request_id: str = "Toy1", operation: str = "Issue") -> Entry:
    return Entry(
        request_id=request_id,
        partner_id="Toy",
        operation=operation,
        amount="10.00 USD",
        body=f"{request_id} 10.00 USD".encode(),
        created_at=1.0,
        live_id=request_id,
    )


async def closed(journal: MemoryJournal, request_id: str) -> Entry:
    opened = await journal.open(entry(request_id))
    return await journal.advance(replace(opened, verdict="Issued"))


def test_an_entry_is_opened_once_and_found_as_it_stands() -> None:
    async def main() -> None:
        journal = MemoryJournal()
        first = await journal.open(entry())
        moved = await journal.advance(replace(first, sends=1, facts=Facts(doubtful=True)))

        again = await journal.open(replace(entry(), created_at=99.0))

        assert again == moved
        assert again.created_at == 1.0
        assert again.facts.doubtful

    run(main())


def test_two_operations_under_one_id_are_two_entries() -> None:
    async def main() -> None:
        journal = MemoryJournal()
        for operation in ("Issue", "TakeBack"):
            await journal.open(entry("Toy1", operation))

        assert [one.operation for one in await open_entries(journal)] == ["Issue", "TakeBack"]

    run(main())


def test_each_transition_is_taken_from_the_latest_version_only() -> None:
    async def main() -> None:
        journal = MemoryJournal()
        first = await journal.open(entry())
        second = await journal.advance(replace(first, sends=1))

        assert (first.version, second.version) == (0, 1)
        for stale in (first, replace(second, version=2)):
            with pytest.raises(StaleEntryError, match="Issue Toy1 has moved on"):
                await journal.advance(replace(stale, sends=9))
        assert (await journal.open(entry())).sends == 1

    run(main())


def test_of_two_writers_one_wins() -> None:
    async def main() -> None:
        journal = MemoryJournal()
        mine = await journal.open(entry())
        theirs = await journal.open(entry())
        await journal.advance(replace(mine, code="mine"))

        with pytest.raises(JournalError):
            await journal.advance(replace(theirs, code="theirs"))

        assert (await journal.open(entry())).code == "mine"

    run(main())


def test_what_was_never_opened_cannot_move() -> None:
    async def main() -> None:
        with pytest.raises(StaleEntryError):
            await MemoryJournal().advance(entry())

    run(main())


def test_what_is_open_is_listed_oldest_first() -> None:
    async def main() -> None:
        journal = MemoryJournal()
        first = await journal.open(entry("Toy1"))
        await closed(journal, "Toy2")
        await journal.open(entry("Toy3"))
        await journal.advance(replace(first, sends=1))

        assert [one.request_id for one in await open_entries(journal)] == ["Toy1", "Toy3"]

    run(main())


def test_finished_calls_are_forgotten_oldest_first_and_open_ones_never() -> None:
    async def main() -> None:
        journal = MemoryJournal(closed_entries_max=2)
        await journal.open(entry("ToyOpen"))
        for n in range(1, 5):
            await closed(journal, f"Toy{n}")

        assert [key[1] for key in journal._entries] == ["ToyOpen", "Toy3", "Toy4"]
        assert (await journal.open(entry("Toy4"))).verdict == "Issued"
        assert (await journal.open(entry("Toy1"))).verdict == ""

    run(main())


def test_a_call_that_is_open_again_is_not_forgotten_with_the_finished_ones() -> None:
    async def main() -> None:
        journal = MemoryJournal(closed_entries_max=1)
        done = await closed(journal, "Toy1")
        await journal.advance(replace(done, verdict=""))
        for n in range(2, 6):
            await closed(journal, f"Toy{n}")

        assert [one.request_id for one in await open_entries(journal)] == ["Toy1"]

    run(main())


def test_a_call_that_is_closed_again_is_young_again() -> None:
    async def main() -> None:
        journal = MemoryJournal(closed_entries_max=2)
        first = await closed(journal, "Toy1")
        await closed(journal, "Toy2")
        await journal.advance(first)
        await closed(journal, "Toy3")

        assert {key[1] for key in journal._entries} == {"Toy1", "Toy3"}

    run(main())


def test_memory_does_not_grow_with_the_number_of_finished_calls() -> None:
    async def main() -> None:
        journal = MemoryJournal()
        for n in range(CLOSED_ENTRIES_MAX + 500):
            await closed(journal, f"Toy{n}")

        assert len(journal._entries) == len(journal._closed) == CLOSED_ENTRIES_MAX

    run(main())


def test_a_closed_journal_may_be_used_by_the_next_session() -> None:
    async def main() -> None:
        journal = MemoryJournal()
        await journal.open(entry())
        await journal.aclose()

        assert len(await open_entries(journal)) == 1

    run(main())


def test_an_entry_has_no_place_for_a_claim_code() -> None:
    fields = set(Entry.__struct_fields__)

    assert not {name for name in fields if "claim" in name or "secret" in name}
    # Whoever adds a field asks himself first whether a code could get into it.
    assert fields == {
        "amount",
        "audited_at",
        "body",
        "code",
        "created_at",
        "effects_until",
        "error_type",
        "facts",
        "first_sent_at",
        "gc_id",
        "last_sent_at",
        "last_undo_at",
        "leg",
        "live_id",
        "operation",
        "partner_id",
        "request_id",
        "sends",
        "updated_at",
        "verdict",
        "version",
    }
