"""What is on record, and when: before each send, after each answer, and before the caller knows."""

import asyncio
from itertools import pairwise

import pytest

from agcod_async.core.outcomes import Leg
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.engine.record import Record
from agcod_async.errors import (
    DeclinedError,
    IdempotencyConflictError,
    InDoubtError,
    UnavailableError,
)
from agcod_async.testing.clock import WALL_AT_START, run
from tests.support.journals import JournalSpy, open_entries
from tests.support.scripted import LOST, After
from tests.support.stage import stage
from tests.support.toy import COUNT, ToyQuestion

DAY_SECONDS = 86_400.0


def test_a_card_is_on_record_before_the_caller_has_it() -> None:
    async def main() -> None:
        async with stage(["live"]) as s:
            await s.issue()
            s.log.append("the caller has it")

            assert s.log == [
                "open Toy1",
                "admit INTERACTIVE Issue",
                "advance Toy1 doubtful",
                "send Issue Toy1 10.00 USD",
                "advance Toy1 doubtful confirmed Issued",
                "the caller has it",
            ]

    run(main())


def test_before_each_send_the_record_says_the_worst_that_may_come_of_it() -> None:
    async def main() -> None:
        script = ["throttled", "resend", LOST, "undone", "dead", LOST, "live"]
        async with stage(script) as s:
            await s.issue(deadline_seconds=3600)
            worst = [
                before.split(" ", 2)[2]
                for before, line in pairwise(s.log)
                if line.startswith("send")
            ]

            assert worst == [
                "doubtful",
                "doubtful",
                "undo doubtful undone tainted",
                "undo doubtful undone tainted",
                "doubtful undone tainted",
                "doubtful epoch=1",
                "doubtful epoch=1",
            ]

    run(main())


def test_the_record_counts_sends_and_knows_their_times() -> None:
    async def main() -> None:
        async with stage([LOST, "resend", "undone", After(2, "live")]) as s:
            await s.issue()
            entry, times = s.entry(), [WALL_AT_START + at for at in s.transport.times]

            assert entry.sends == 3
            assert entry.first_sent_at == pytest.approx(times[0], abs=1e-3)
            assert entry.last_sent_at == pytest.approx(times[3], abs=1e-3)
            assert entry.effects_until == pytest.approx(times[2] + 330, abs=1e-3)
            assert entry.updated_at == pytest.approx(times[3] + 2, abs=1e-3)
            assert entry.amount == "10.00 USD"
            assert entry.body == b"Toy1 10.00 USD"
            assert entry.gc_id == "gc-Toy1"

    run(main())


def test_a_confirmed_card_is_only_ever_replayed() -> None:
    async def main() -> None:
        async with stage(["live", "resend", LOST, "live"]) as s:
            first = await s.issue()
            second = await s.issue()

            assert second.answer == first.answer
            assert second.replayed
            assert not first.replayed
            assert s.transport.operations == ["Issue"] * 4

    run(main())


def test_a_confirmed_card_stays_confirmed_whatever_a_later_replay_says() -> None:
    async def main() -> None:
        policy = RecoveryPolicy(forward_attempts_max=1)
        script = ["live", "refused:F300", "conflict", LOST, "throttled"]
        async with stage(script, policy=policy) as s:
            await s.issue()
            for _ in range(4):
                with pytest.raises(InDoubtError):
                    await s.issue()

                assert s.entry().facts.confirmed
                assert s.entry().verdict == "Issued"
                assert await open_entries(s.journal) == []

    run(main())


def test_other_content_under_an_id_on_record_is_a_conflict_and_nothing_is_sent() -> None:
    async def main() -> None:
        async with stage(["live"]) as s:
            await s.issue()
            with pytest.raises(IdempotencyConflictError, match="another order is on record"):
                await s.issue("Toy1", "11")

            assert len(s.transport.sent) == 1

    run(main())


def test_an_id_older_than_the_replay_horizon_is_not_sent_again() -> None:
    async def main() -> None:
        policy = RecoveryPolicy(forward_attempts_max=1)
        async with stage([LOST, "live"], policy=policy) as s:
            with pytest.raises(InDoubtError):
                await s.issue("Toy1")
            await s.issue("Toy2")
            await asyncio.sleep(DAY_SECONDS + 1)
            for request_id in ("Toy1", "Toy2"):
                with pytest.raises(InDoubtError, match="too old") as caught:
                    await s.issue(request_id)

                assert caught.value.next_safe_action == "activity_page"
            assert len(s.transport.sent) == 2

    run(main())


def test_an_old_id_that_cannot_have_worked_may_be_sent() -> None:
    async def main() -> None:
        async with stage(["refused:F300", "live"]) as s:
            with pytest.raises(DeclinedError):
                await s.issue()
            await asyncio.sleep(DAY_SECONDS + 1)

            assert (await s.issue()).attempts == 1

    run(main())


def test_the_age_of_an_id_counts_from_the_first_send_that_may_have_worked() -> None:
    async def main() -> None:
        async with stage(["refused:F300", LOST, "live"]) as s:
            with pytest.raises(DeclinedError):
                await s.issue()
            await asyncio.sleep(DAY_SECONDS + 1)
            with pytest.raises(InDoubtError):
                await s.issue(policy=RecoveryPolicy(forward_attempts_max=1))

            assert s.entry().first_sent_at == pytest.approx(WALL_AT_START + DAY_SECONDS + 1, abs=1)
            assert (await s.issue()).attempts == 1

    run(main())


def test_an_undo_is_not_sent_once_its_time_is_over() -> None:
    async def main() -> None:
        policy = RecoveryPolicy(backoff_base_seconds=600, backoff_max_seconds=600)
        async with stage([LOST, LOST, LOST, "resend", "live"], policy=policy) as s:
            await s.issue(deadline_seconds=DAY_SECONDS)

            assert s.transport.times[3] - s.transport.times[0] > 870
            assert s.transport.operations == ["Issue"] * 5

    run(main())


def test_the_time_for_an_undo_counts_from_the_first_send_that_may_have_worked() -> None:
    async def main() -> None:
        async with stage(["throttled", "resend", "undone", "live"]) as s:
            with pytest.raises(UnavailableError):
                await s.issue(deadline_seconds=0.5)
            await asyncio.sleep(1200)
            await s.issue()

            assert s.transport.operations == ["Issue", "Issue", "TakeBack", "Issue"]

    run(main())


def test_an_undo_on_record_is_finished_before_anything_else() -> None:
    async def main() -> None:
        async with stage(["resend", LOST, "undone", "live", "live"]) as s:
            with pytest.raises(InDoubtError):
                await s.issue(policy=RecoveryPolicy(undo_attempts_max=1))
            assert s.entry().leg is Leg.UNDO
            await s.issue(deadline_seconds=3600)

            assert s.transport.operations == ["Issue", "TakeBack", "TakeBack", "Issue", "Issue"]

    run(main())


def test_a_read_leaves_no_record() -> None:
    async def main() -> None:
        async with stage(["live"]) as s:
            await s.session.call(COUNT, ToyQuestion("funds"))

            assert s.journal.writes == 0

    run(main())


def test_an_intent_without_an_id_has_no_record() -> None:
    intent = COUNT.bind(ToyQuestion("funds"))
    opening = Record.open(JournalSpy(), intent, partner_id="Toy", now=0.0)

    with pytest.raises(AssertionError, match="Count has no request ID"):
        run(opening)
