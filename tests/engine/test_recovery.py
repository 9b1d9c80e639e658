"""How a call goes on after "temporarily unavailable", and what follows a dead ID."""

import pytest

from agcod_async.core.policy import RecoveryPolicy
from agcod_async.engine import runner
from agcod_async.errors import InDoubtError, UnavailableError
from agcod_async.testing.clock import run
from agcod_async.values import RequestId
from tests.support.scripted import LOST, Step
from tests.support.stage import stage
from tests.support.toy import code_of

SUCCESSOR = RequestId("Toy1").successor("Toy", 1)
SECOND_SUCCESSOR = RequestId("Toy1").successor("Toy", 2)


def test_a_first_success_needs_no_retry_machinery(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise AssertionError("tenacity was entered")

    monkeypatch.setattr(runner, "AsyncRetrying", refuse)

    async def main() -> None:
        async with stage(["live"]) as s:
            done = await s.issue()

            assert done.answer.code.reveal() == code_of("Toy1")
            assert done.attempts == 1
            assert not done.replayed

    run(main())


def test_after_an_f400_comes_the_undo_and_then_the_same_bytes_under_the_same_id() -> None:
    async def main() -> None:
        async with stage(["resend", "undone", "live"]) as s:
            done = await s.issue()

            assert [str(sent) for sent in s.transport.sent] == [
                "Issue Toy1 10.00 USD",
                "TakeBack undo Toy1 10.00 USD",
                "Issue Toy1 10.00 USD",
            ]
            assert done.answer.request_id == "Toy1"
            assert done.attempts == 3

    run(main())


@pytest.mark.parametrize("first", ["resend", LOST, "unclear", "throttled"])
def test_a_replay_is_the_same_bytes(first: Step) -> None:
    async def main() -> None:
        async with stage([first, *["undone"] * (first == "resend"), "live"]) as s:
            await s.issue()
            forwards = {sent.body for sent in s.transport.sent if sent.operation == "Issue"}

            assert forwards == {b"Toy1 10.00 USD"}

    run(main())


def test_each_replay_is_signed_anew() -> None:
    async def main() -> None:
        async with stage([LOST] * 6 + ["live"]) as s:
            await s.issue()
            dates = [sent.headers["x-amz-date"] for sent in s.transport.sent]

            assert dates == sorted(dates)
            assert dates[0] == "20260101T000000Z"
            assert dates[-1] > dates[0]

    run(main())


def test_an_undo_waits_in_the_recovery_lane() -> None:
    async def main() -> None:
        async with stage(["resend", "throttled", "undone", "live"]) as s:
            await s.issue()

            assert [line for line in s.log if line.startswith("admit")] == [
                "admit INTERACTIVE Issue",
                "admit RECOVERY TakeBack",
                "admit RECOVERY TakeBack",
                "admit INTERACTIVE Issue",
            ]

    run(main())


@pytest.mark.parametrize("answer", ["nothing", "too-late", "claimed", "refused:F200", "conflict"])
def test_whatever_an_undo_is_answered_the_same_id_is_asked_again(answer: str) -> None:
    async def main() -> None:
        async with stage(["resend", answer, "live"]) as s:
            done = await s.issue()

            assert s.transport.operations == ["Issue", "TakeBack", "Issue"]
            assert done.answer.request_id == "Toy1"

    run(main())


def test_a_patient_policy_replays_before_it_undoes() -> None:
    async def main() -> None:
        policy = RecoveryPolicy(on_temporarily_unavailable="replay", replays_before_undo=2)
        async with stage(["resend"] * 3 + ["undone", "live"], policy=policy) as s:
            await s.issue()

            assert s.transport.operations == ["Issue"] * 3 + ["TakeBack", "Issue"]

        async with stage(["resend", "live"], policy=policy) as s:
            await s.issue()

            assert s.transport.operations == ["Issue"] * 2

    run(main())


def test_there_are_only_so_many_turns() -> None:
    async def main() -> None:
        policy = RecoveryPolicy(turns_max=2)
        async with stage(["resend", "nothing"] * 2 + ["resend"], policy=policy) as s:
            with pytest.raises(InDoubtError):
                await s.issue()

            assert s.entry().is_open

    run(main())


def test_an_undo_that_no_time_is_left_for_leaves_the_call_in_doubt() -> None:
    async def main() -> None:
        async with stage(["resend", *["throttled"] * 3]) as s:
            with pytest.raises(InDoubtError) as caught:
                await s.issue(deadline_seconds=2.5)

            assert caught.value.attempts[-1].leg.value == "undo"
            assert s.entry().is_open
            assert s.entry().leg.value == "undo"

    run(main())


def test_undos_are_not_repeated_for_ever() -> None:
    async def main() -> None:
        policy = RecoveryPolicy(undo_attempts_max=3)
        async with stage(["resend", *[LOST] * 3], policy=policy) as s:
            with pytest.raises(InDoubtError) as caught:
                await s.issue()

            assert caught.value.next_safe_action == "wait_until"

    run(main())


def test_a_throttle_before_anything_could_have_worked_is_no_doubt() -> None:
    async def main() -> None:
        async with stage(["throttled"] * 3) as s:
            with pytest.raises(UnavailableError):
                await s.issue(deadline_seconds=2.5)

            assert s.entry().verdict == "Unavailable"

    run(main())
