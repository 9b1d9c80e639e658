"""What goes wrong with one entry costs the others nothing."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from agcod_async.core.facts import Facts
from agcod_async.errors import DeclinedError, InDoubtError, UsageError
from agcod_async.journal.base import Which
from agcod_async.journal.records import Entry
from agcod_async.testing.clock import run
from tests.support.journals import JournalSpy, open_entries
from tests.support.left_open import left_open, put
from tests.support.scripted import After
from tests.support.stage import stage


def test_an_entry_that_somebody_finishes_meanwhile_stops_nobody() -> None:
    async def main() -> None:
        async with stage(lambda sent: "live" if b"Toy100" in sent.body else After(1, "live")) as s:
            slow = [left_open(f"Toy{n}") for n in range(64)]
            idle = left_open("Toy100", facts=Facts(), sends=0, first_sent_at=None)
            await put(s, *slow, idle)
            reconciling = asyncio.create_task(s.session.reconcile())
            await asyncio.sleep(0.5)
            await s.issue("Toy100")

            assert len(await reconciling) == 64
            assert s.entry("Toy100").verdict == "Issued"

    run(main())


class Paged(JournalSpy):
    """A journal that reads what it lists all at once, as one in a file reads a page."""

    async def entries(self, which: Which = Which.ALL) -> AsyncIterator[Entry]:
        for entry in [entry async for entry in self.inner.entries(which)]:
            yield entry


@pytest.mark.parametrize("kind", [JournalSpy, Paged])
def test_what_was_declined_to_a_caller_meanwhile_is_not_sent_after_all(
    kind: type[JournalSpy],
) -> None:
    async def main() -> None:
        def answer(sent: object) -> str | After:
            return "refused:F300" if " Toy100" in str(sent) else After(1, "live")

        async with stage(answer, journal=kind()) as s:
            slow = [left_open(f"Toy{n}") for n in range(64)]
            successor = left_open(
                "Toy100", facts=Facts(epoch=1), live_id="Toy100x", first_sent_at=None
            )
            await put(s, *slow, successor)
            reconciling = asyncio.create_task(s.session.reconcile())
            await asyncio.sleep(0.5)
            with pytest.raises(DeclinedError):
                await s.issue("Toy100")

            assert len(await reconciling) == 64
            assert len(s.transport.sent) == 65

    run(main())


def test_an_entry_whose_bytes_nobody_can_read_stops_nobody() -> None:
    async def main() -> None:
        async with stage(["live"]) as s:
            await put(s, left_open(body=b"one word too many for it"), left_open("Toy2"))
            bad, good = await s.session.reconcile()

            assert isinstance(bad.error, InDoubtError)
            assert "ValueError" in str(bad.error)
            assert bad.request_id == "Toy1"
            assert good.error is None
            assert s.entry("Toy1").is_open

    run(main())


def test_a_journal_that_fails_is_told_for_the_entry_and_stops_nobody() -> None:
    async def main() -> None:
        journal = JournalSpy(fail=frozenset({1}))
        async with stage(["live"], journal=journal) as s:
            await put(s, left_open("Toy1", facts=Facts()), left_open("Toy2"))

            assert [one.request_id for one in await s.session.reconcile()] == ["Toy2"]
            assert [one.request_id for one in await open_entries(journal)] == ["Toy1"]

    run(main())


def test_each_call_has_the_deadline_to_itself() -> None:
    async def main() -> None:
        async with stage(lambda _: After(4, "live")) as s:
            await put(s, *(left_open(f"Toy{n}") for n in range(130)))
            reconciled = await s.session.reconcile(deadline_seconds=5)

            assert len(reconciled) == 130
            assert all(one.error is None for one in reconciled)

    run(main())


def test_whoever_stops_reconciling_leaves_no_task() -> None:
    async def main() -> None:
        async with stage(lambda _: After(1, "live")) as s:
            await put(s, *(left_open(f"Toy{n}") for n in range(100)))
            reconciling = asyncio.create_task(s.session.reconcile())
            await asyncio.sleep(0.5)
            reconciling.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reconciling
            await asyncio.sleep(1)

            assert len(s.transport.sent) == 64
            assert len(await open_entries(s.journal)) == 36

    run(main())


def test_a_closed_session_reconciles_nothing() -> None:
    async def main() -> None:
        async with stage() as s:
            await put(s, left_open())
            await s.session.aclose()
            (one,) = await s.session.reconcile()

            assert isinstance(one.error, UsageError)
            assert s.transport.sent == []

    run(main())
