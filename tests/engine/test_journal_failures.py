"""Where the journal fails, nothing is sent; where it failed afterwards, nothing is handed out."""

import asyncio

import pytest

from agcod_async.errors import InDoubtError, UnavailableError
from agcod_async.testing.clock import run
from tests.support.journals import JournalSpy
from tests.support.scripted import LOST, After
from tests.support.stage import stage


def test_where_the_record_cannot_be_opened_nothing_is_sent() -> None:
    async def main() -> None:
        async with stage(journal=JournalSpy(fail=frozenset({1}))) as s:
            with pytest.raises(InDoubtError, match="nothing was sent, the journal failed"):
                await s.issue()

            assert s.log == []

    run(main())


@pytest.mark.parametrize("how", ["fail", "fail_after"])
def test_where_the_send_cannot_be_recorded_nothing_is_sent(how: str) -> None:
    async def main() -> None:
        journal = JournalSpy(**{how: frozenset({2})})
        async with stage(["live"], journal=journal) as s:
            with pytest.raises(UnavailableError, match="nothing was sent, the journal failed"):
                await s.issue()

            assert s.transport.sent == []
            assert s.pacer.ends == ["unused"]
            await s.issue()

    run(main())


def test_where_a_resend_cannot_be_recorded_the_call_is_in_doubt() -> None:
    async def main() -> None:
        journal = JournalSpy(fail=frozenset({4}))
        async with stage([LOST], journal=journal) as s:
            with pytest.raises(InDoubtError):
                await s.issue()

            assert s.pacer.ends == ["lost", "unused"]

    run(main())


@pytest.mark.parametrize("how", ["fail", "fail_after", "stale"])
def test_where_an_answer_cannot_be_recorded_no_card_is_handed_out(how: str) -> None:
    async def main() -> None:
        journal = JournalSpy(**{how: frozenset({3})})
        async with stage(["live", "live"], journal=journal) as s:
            with pytest.raises(InDoubtError, match="the journal failed"):
                await s.issue()
            done = await s.issue()

            assert done.answer.request_id == "Toy1"

    run(main())


def test_where_a_refusal_cannot_be_recorded_it_is_no_refusal_yet() -> None:
    async def main() -> None:
        journal = JournalSpy(fail=frozenset({3}))
        async with stage(["refused:F200"], journal=journal) as s:
            with pytest.raises(InDoubtError):
                await s.issue()

            assert s.entry().facts.doubtful

    run(main())


def test_who_finds_that_another_has_moved_the_record_stops_and_knows_nothing() -> None:
    async def main() -> None:
        journal = JournalSpy(stale=frozenset({2}))
        async with stage(journal=journal) as s:
            with pytest.raises(InDoubtError, match="has moved on"):
                await s.issue()

            assert s.transport.sent == []
            assert s.pacer.ends == ["unused"]

    run(main())


def test_two_sessions_on_one_journal_never_both_believe_to_be_first() -> None:
    async def main() -> None:
        journal = JournalSpy(seconds=0.1)
        async with (
            stage([After(3, "live")], journal=journal) as one,
            stage(["live"], journal=journal) as other,
        ):
            mine = asyncio.create_task(one.issue())
            theirs = asyncio.create_task(other.issue())
            ended = await asyncio.gather(mine, theirs, return_exceptions=True)

            sent = len(one.transport.sent) + len(other.transport.sent)
            assert sent == 1
            assert [type(end).__name__ for end in ended].count("InDoubtError") == 1

            other.transport.overrun.clear()

    run(main())


def test_who_gives_up_while_another_moves_the_record_knows_nothing() -> None:
    async def main() -> None:
        journal = JournalSpy(stale=frozenset({4}))
        async with stage(["throttled"], journal=journal) as s:
            with pytest.raises(InDoubtError):
                await s.issue(deadline_seconds=0.5)

    run(main())


def test_where_giving_up_cannot_be_recorded_the_entry_stays_open() -> None:
    async def main() -> None:
        journal = JournalSpy(fail=frozenset({4}))
        async with stage(["throttled"], journal=journal) as s:
            with pytest.raises(UnavailableError):
                await s.issue(deadline_seconds=0.5)

            assert s.entry().is_open

    run(main())


def test_a_broken_journal_is_not_mistaken_for_an_answer() -> None:
    async def main() -> None:
        journal = JournalSpy(fail=frozenset({2}), error=OSError("unplugged"))
        async with stage(journal=journal) as s:
            with pytest.raises(OSError, match="unplugged"):
                await s.issue()

            assert s.transport.sent == []
            assert s.pacer.ends == ["unused"]

    run(main())
