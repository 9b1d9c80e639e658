"""What the engine does for an operation of which nothing shows what an undo has done."""

import asyncio

import pytest

from agcod_async.core.outcomes import Leg
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.errors import InDoubtError, ReversedError
from agcod_async.testing.clock import WALL_AT_START, run
from tests.support.scripted import HANG, LOST, After, Step
from tests.support.stage import stage
from tests.support.toy import POUR, request_id_of

HORIZON_SECONDS = 330.0
PATIENT_SECONDS = 3600.0


def test_a_load_that_was_undone_is_undone_once_more_before_the_next_id() -> None:
    async def main() -> None:
        async with stage(["resend", "undone", "undone", "live"]) as s:
            done = await s.issue(operation=POUR, deadline_seconds=PATIENT_SECONDS)

            assert s.transport.operations == ["Pour", "Drain", "Drain", "Pour"]
            assert HORIZON_SECONDS <= s.transport.times[2] < HORIZON_SECONDS + 1
            assert done.answer.request_id == request_id_of(s.transport.sent[-1].body) != "Toy1"

    run(main())


def test_a_settle_waits_for_the_last_load() -> None:
    async def main() -> None:
        policy = RecoveryPolicy(
            on_temporarily_unavailable="replay",
            backoff_base_seconds=200,
            backoff_max_seconds=200,
            on_burnt_id="raise",
        )
        script: list[Step] = [*["resend"] * 4, "undone", "undone"]
        async with stage(script, policy=policy) as s:
            with pytest.raises(ReversedError):
                await s.issue(operation=POUR, deadline_seconds=PATIENT_SECONDS)
            last_load_at, _, last_undo_at = s.transport.times[3:]

            assert s.transport.operations == ["Pour"] * 4 + ["Drain"] * 2
            assert last_load_at > 300
            assert HORIZON_SECONDS <= last_undo_at - last_load_at < HORIZON_SECONDS + 1

    run(main())


def test_a_settle_does_not_wait_for_undos() -> None:
    async def main() -> None:
        script: list[Step] = ["resend", LOST, After(5, LOST), "undone", "undone", "live"]
        policy = RecoveryPolicy(backoff_base_seconds=200, backoff_max_seconds=200)
        async with stage(script, policy=policy) as s:
            await s.issue(operation=POUR, deadline_seconds=PATIENT_SECONDS)
            first_at, second_at = s.transport.times[3:5]

            assert first_at > HORIZON_SECONDS
            assert second_at - first_at < 6

    run(main())


def test_the_time_of_a_load_is_on_record_as_one_to_wait_for() -> None:
    async def main() -> None:
        async with stage([LOST, "live"]) as s:
            await s.issue(operation=POUR)

            until = WALL_AT_START + s.transport.times[-1] + HORIZON_SECONDS
            assert s.entry(operation="Pour").effects_until == pytest.approx(until, abs=1e-3)

    run(main())


def test_the_time_of_a_create_is_not() -> None:
    async def main() -> None:
        async with stage([LOST, "live"]) as s:
            await s.issue()

            assert s.entry().effects_until is None

    run(main())


def test_an_undo_that_found_nothing_leads_to_the_same_id_at_once() -> None:
    async def main() -> None:
        async with stage(["resend", "nothing", "live"]) as s:
            done = await s.issue(operation=POUR)

            assert s.transport.operations == ["Pour", "Drain", "Pour"]
            assert done.answer.request_id == "Toy1"
            assert s.transport.times[-1] < 1

    run(main())


@pytest.mark.parametrize("fate", [LOST, HANG, "unclear", "resend"])
def test_an_undo_without_an_answer_may_have_worked(fate: Step) -> None:
    async def main() -> None:
        async with stage(["resend", fate, "nothing", "nothing", "live"]) as s:
            done = await s.issue(operation=POUR, deadline_seconds=PATIENT_SECONDS)

            assert s.transport.operations == ["Pour", "Drain", "Drain", "Drain", "Pour"]
            assert s.transport.times[3] >= HORIZON_SECONDS
            assert done.answer.request_id != "Toy1"

    run(main())


@pytest.mark.parametrize("answer", ["too-late", "claimed", "refused", "conflict"])
def test_what_may_have_been_undone_and_cannot_be_undone_is_in_doubt(answer: str) -> None:
    async def main() -> None:
        async with stage(["resend", LOST, answer]) as s:
            with pytest.raises(InDoubtError) as caught:
                await s.issue(operation=POUR, deadline_seconds=PATIENT_SECONDS)

            assert s.transport.operations == ["Pour", "Drain", "Drain"]
            assert caught.value.next_safe_action == "wait_until"
            assert s.entry(operation="Pour").leg is Leg.UNDO
            assert s.entry(operation="Pour").is_open

    run(main())


def test_a_load_that_was_spent_before_any_undo_worked_is_there() -> None:
    async def main() -> None:
        async with stage(["resend", "claimed", "live"]) as s:
            done = await s.issue(operation=POUR)

            assert done.answer.request_id == "Toy1"

    run(main())


def test_a_caller_who_cannot_wait_is_told_when_more_can_be_known() -> None:
    async def main() -> None:
        async with stage(["resend", "undone"]) as s:
            with pytest.raises(InDoubtError) as caught:
                await s.issue(operation=POUR, deadline_seconds=30)

            assert s.transport.times[-1] < 1, "it is told at once, not when its time is over"
            assert caught.value.next_safe_action == "wait_until"
            assert caught.value.not_before is not None
            until = WALL_AT_START + s.transport.times[0] + HORIZON_SECONDS
            assert caught.value.not_before.timestamp() == pytest.approx(until, abs=1e-3)

    run(main())


def test_once_the_time_has_passed_a_short_call_is_enough() -> None:
    async def main() -> None:
        script: list[Step] = ["resend", *["undone"] * 4, "live"]
        async with stage(script) as s:
            for _ in range(2):
                with pytest.raises(InDoubtError):
                    await s.issue(operation=POUR, deadline_seconds=30)
            await asyncio.sleep(HORIZON_SECONDS)
            await s.issue(operation=POUR, deadline_seconds=30)

            assert s.transport.operations == ["Pour", *["Drain"] * 4, "Pour"]

    run(main())


def test_reconciling_undoes_once_more_and_goes_on_under_the_next_id() -> None:
    async def main() -> None:
        async with stage(["resend", "undone", "undone", "undone", "live"]) as s:
            with pytest.raises(InDoubtError):
                await s.issue(operation=POUR)
            await asyncio.sleep(HORIZON_SECONDS)
            (reconciled,) = await s.session.reconcile()

            assert reconciled.error is None
            assert s.transport.operations == ["Pour", "Drain", "Drain", "Drain", "Pour"]

    run(main())


def test_no_load_is_sent_under_an_id_that_was_given_up_as_undone() -> None:
    async def main() -> None:
        policy = RecoveryPolicy(on_burnt_id="raise")
        async with stage(["resend", "undone", "undone", "undone", "undone"], policy=policy) as s:
            for _ in range(2):
                with pytest.raises(ReversedError):
                    await s.issue(operation=POUR, deadline_seconds=PATIENT_SECONDS)

            assert s.transport.operations == ["Pour"] + ["Drain"] * 4
            assert not s.entry(operation="Pour").is_open

    run(main())
