"""A caller who leaves before the end, because his time is over, and those who come after him."""

import asyncio

import pytest

from agcod_async.core.policy import RecoveryPolicy
from agcod_async.errors import (
    AccountError,
    IdempotencyConflictError,
    InDoubtError,
    UnavailableError,
    UsageError,
)
from agcod_async.pacing.port import Lane
from agcod_async.testing.clock import run
from tests.support.journals import JournalSpy
from tests.support.permits import FreePacer, Wait
from tests.support.scripted import HANG, LOST, After
from tests.support.stage import stage
from tests.support.toy import COUNT, ISSUE, ToyQuestion, order


def test_a_deadline_during_an_exchange_is_in_doubt_and_the_exchange_is_recorded() -> None:
    async def main() -> None:
        async with stage([After(3, "live")]) as s:
            with pytest.raises(InDoubtError, match="the deadline has come") as caught:
                await s.issue(deadline_seconds=1)
            assert s.clock.monotonic() == pytest.approx(1, abs=0.01)
            assert caught.value.next_safe_action == "replay_same_id"
            assert s.entry().is_open
            await asyncio.sleep(3)

            assert s.entry().verdict == "Issued"
            assert len(s.transport.sent) == 1

    run(main())


def test_a_deadline_during_a_read_is_unavailable() -> None:
    async def main() -> None:
        async with stage([HANG]) as s:
            with pytest.raises(UnavailableError):
                await s.session.call(COUNT, ToyQuestion("funds"), deadline_seconds=1)

    run(main())


def test_a_deadline_while_the_journal_dawdles_is_in_doubt() -> None:
    async def main() -> None:
        async with stage(journal=JournalSpy(seconds=5)) as s:
            with pytest.raises(InDoubtError):
                await s.issue(deadline_seconds=1)

            assert s.transport.sent == []

    run(main())


def test_a_deadline_before_the_permit_is_unavailable() -> None:
    async def main() -> None:
        async with stage(pacer=FreePacer([Wait(10)], estimates=False)) as s:
            with pytest.raises(UnavailableError):
                await s.issue(deadline_seconds=1)
            await asyncio.sleep(0.01)

            assert s.entry().verdict == "Unavailable"
            assert s.pacer.permits == []

    run(main())


def test_one_caller_whose_deadline_comes_does_not_disturb_the_others() -> None:
    async def main() -> None:
        async with stage([LOST, After(3, "live")]) as s:
            patient = asyncio.create_task(s.issue())
            await asyncio.sleep(0.01)
            with pytest.raises(InDoubtError):
                await s.issue(deadline_seconds=1)

            assert (await patient).attempts == 2

    run(main())


def test_who_leaves_a_call_that_others_wait_for_does_not_hear_that_nothing_was_issued() -> None:
    async def main() -> None:
        policy = RecoveryPolicy(cooldown_floor_seconds=10)
        async with stage(["throttled", "live"], policy=policy) as s:
            patient = asyncio.create_task(s.issue())
            await asyncio.sleep(1)
            with pytest.raises(InDoubtError):
                await s.issue(deadline_seconds=2)

            assert (await patient).attempts == 2

    run(main())


def test_a_patient_caller_who_joins_is_served_after_the_first_ones_deadline() -> None:
    async def main() -> None:
        async with stage([After(2, LOST), "live"]) as s:
            hasty = asyncio.create_task(s.issue(deadline_seconds=1))
            await asyncio.sleep(0.5)
            patient = await s.issue(deadline_seconds=60)

            assert patient.answer.request_id == "Toy1"
            with pytest.raises(InDoubtError):
                await hasty

    run(main())


def test_an_urgent_caller_who_joins_makes_the_call_urgent() -> None:
    async def main() -> None:
        async with stage([After(1, LOST), "live"]) as s:
            batch = s.session.with_options(lane=Lane.BATCH)
            first = asyncio.create_task(batch.call(ISSUE, order()))
            await asyncio.sleep(0.5)
            await s.issue()
            await first

            lanes = [line for line in s.log if line.startswith("admit")]
            assert lanes == ["admit BATCH Issue", "admit INTERACTIVE Issue"]

    run(main())


def test_a_new_caller_waits_for_the_exchange_that_an_old_one_has_left() -> None:
    async def main() -> None:
        async with stage([After(3, LOST), "live"]) as s:
            with pytest.raises(InDoubtError):
                await s.issue(deadline_seconds=1)
            done = await s.issue()

            assert s.transport.times[1] >= 3
            assert done.attempts == 1

    run(main())


def test_a_new_caller_whose_deadline_comes_first_is_in_doubt() -> None:
    async def main() -> None:
        async with stage([After(5, "live")]) as s:
            for _ in range(3):
                with pytest.raises(InDoubtError):
                    await s.issue(deadline_seconds=1)

            assert len(s.transport.sent) == 1
        assert s.entry().verdict == "Issued"

    run(main())


def test_nobody_sends_beside_an_exchange_that_was_left_however_many_have_come_and_gone() -> None:
    async def main() -> None:
        async with stage([After(5, LOST), "live"]) as s:
            for _ in range(3):
                with pytest.raises(InDoubtError):
                    await s.issue(deadline_seconds=1)
            done = await s.issue()

            assert s.transport.times[1] >= 5
            assert done.attempts == 1

    run(main())


def test_a_third_caller_joins_the_second_when_the_first_has_left() -> None:
    async def main() -> None:
        async with stage([After(3, LOST), After(3, "live")]) as s:
            with pytest.raises(InDoubtError):
                await s.issue(deadline_seconds=1)
            second = asyncio.create_task(s.issue())
            await asyncio.sleep(4)
            assert s.transport.under_way == 1, "the first exchange is over, the second is not"
            third = await s.issue()

            assert third.replayed
            assert third.answer == (await second).answer
            assert len(s.transport.sent) == 2

    run(main())


def test_what_has_ended_is_forgotten() -> None:
    async def main() -> None:
        async with stage([After(3, LOST), "live", "live", "refused:F300"]) as s:
            with pytest.raises(InDoubtError):
                await s.issue(deadline_seconds=1)
            await s.issue()
            await s.session.call(COUNT, ToyQuestion("funds"))
            with pytest.raises(AccountError):
                await s.issue("Toy2")

            inflight = s.session._inflight
            assert (len(inflight._running), len(inflight._by_id)) == (0, 0)
            assert not inflight.runs("Toy1")

    run(main())


def test_a_new_caller_with_other_content_is_a_conflict_once_the_old_exchange_has_ended() -> None:
    async def main() -> None:
        async with stage([After(3, "live")]) as s:
            with pytest.raises(InDoubtError):
                await s.issue(deadline_seconds=1)
            with pytest.raises(IdempotencyConflictError, match="on record"):
                await s.issue("Toy1", "11")

            assert len(s.transport.sent) == 1

    run(main())


def test_a_call_that_is_left_in_a_pause_stops_there() -> None:
    async def main() -> None:
        policy = RecoveryPolicy(cooldown_floor_seconds=10)
        async with stage(["throttled", "live"], policy=policy) as s:
            task = asyncio.create_task(s.issue())
            await asyncio.sleep(5)
            task.cancel()
            await asyncio.wait([task])
            await asyncio.sleep(60)
            assert len(s.transport.sent) == 1
            assert s.entry().verdict == "Unavailable"

            assert (await s.issue()).attempts == 1

    run(main())


@pytest.mark.parametrize("deadline_seconds", [0, -1, float("nan")])
def test_a_deadline_must_lie_ahead(deadline_seconds: float) -> None:
    async def main() -> None:
        async with stage() as s:
            with pytest.raises(UsageError, match="deadline_seconds"):
                await s.issue(deadline_seconds=deadline_seconds)

    run(main())
