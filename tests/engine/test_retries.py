"""How long the pauses are, how many attempts there are, and what is said when they are used up."""

from itertools import pairwise

import pytest

from agcod_async.core.budget import RetryBudget
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.errors import InDoubtError, UnavailableError
from agcod_async.testing.clock import run
from tests.support.permits import FreePacer, Refuse, Revoked, Wait
from tests.support.scripted import LOST, UNTOUCHED, After, Step
from tests.support.stage import stage


@pytest.mark.parametrize("step", [LOST, "unclear", "no word the codec knows", OSError("reset")])
def test_what_is_unknown_is_replayed_and_never_undone(step: Step) -> None:
    async def main() -> None:
        async with stage([step] * 3 + ["live"]) as s:
            done = await s.issue()

            assert s.transport.operations == ["Issue"] * 4
            assert done.attempts == 4

    run(main())


def test_pauses_double_up_to_their_limit() -> None:
    async def main() -> None:
        policy = RecoveryPolicy(backoff_base_seconds=1, backoff_max_seconds=4)
        async with stage([LOST] * 5 + ["live"], policy=policy) as s:
            await s.issue()
            times = s.transport.times
            pauses = [later - at for at, later in pairwise(times)]

            for pause, full in zip(pauses, [1, 2, 4, 4, 4], strict=True):
                assert full / 2 <= pause < full + 0.01

    run(main())


@pytest.mark.parametrize("floor", [1.0, 7.5])
def test_a_throttle_is_followed_by_at_least_the_floor(floor: float) -> None:
    async def main() -> None:
        policy = RecoveryPolicy(cooldown_floor_seconds=floor)
        async with stage(["throttled", "throttled", "live"], policy=policy) as s:
            await s.issue()
            times = s.transport.times

            assert all(later - at >= floor for at, later in pairwise(times))

    run(main())


def test_the_pacer_hears_of_a_throttle() -> None:
    async def main() -> None:
        async with stage(["throttled", UNTOUCHED, LOST, "live"]) as s:
            await s.issue()

            assert s.pacer.ends == ["throttled", "unused", "lost", "answered"]

    run(main())


def test_a_dry_budget_stretches_the_pauses_and_a_success_refills_it() -> None:
    async def main() -> None:
        policy = RecoveryPolicy(forward_attempts_max=50, backoff_max_seconds=20)
        async with stage([LOST] * 37 + ["live", LOST, "live"], policy=policy) as s:
            await s.issue(deadline_seconds=3600)
            pauses = [later - at for at, later in pairwise(s.transport.times)]
            # 500 tokens, 14 for each retry: the 36th pause is the first with a dry budget.
            assert pauses[0] < 0.2
            assert pauses[35] == pytest.approx(20, abs=0.01)
            assert pauses[36] == pytest.approx(20, abs=0.01)

            before = s.transport.times[-1]
            await s.issue("Toy2")
            assert s.transport.times[-1] - before < 0.2

    run(main())


def test_a_dry_budget_does_not_hold_up_an_undo() -> None:
    async def main() -> None:
        policy = RecoveryPolicy(forward_attempts_max=50, backoff_max_seconds=20)
        async with stage([LOST] * 36 + ["resend", "undone", "live"], policy=policy) as s:
            await s.issue(deadline_seconds=3600)
            times = s.transport.times
            undo_at = times[s.transport.operations.index("TakeBack")]

            assert undo_at - times[36] < 0.2
            assert times[38] - undo_at == pytest.approx(20, abs=0.01)

    run(main())


def test_a_call_that_ends_well_gives_back_what_its_last_retry_took() -> None:
    async def main() -> None:
        async with stage(["live", LOST, "live", LOST, LOST, "live"]) as s:
            runner = s.session._runner
            runner._budget = RetryBudget(tokens=100)
            left = []
            for n in range(3):
                await s.issue(f"Toy{n}")
                left.append(runner._budget.tokens)

            assert left == [101, 101, 87]

    run(main())


def test_an_undo_costs_the_budget_nothing_however_often_it_is_repeated() -> None:
    async def main() -> None:
        async with stage(["resend", *[LOST] * 5, "throttled", "throttled"]) as s:
            with pytest.raises(InDoubtError):
                await s.issue(policy=RecoveryPolicy(undo_attempts_max=7))

            assert s.transport.operations == ["Issue"] + ["TakeBack"] * 7
            assert s.session._runner._budget.tokens == 500

    run(main())


def test_a_caller_with_a_deadline_hears_at_once_that_a_dry_budget_leaves_no_time() -> None:
    async def main() -> None:
        policy = RecoveryPolicy(forward_attempts_max=50)
        async with stage([LOST] * 37, policy=policy) as s:
            s.session._runner._budget = RetryBudget(tokens=0)
            with pytest.raises(InDoubtError):
                await s.issue(deadline_seconds=10)

            assert s.transport.times == pytest.approx([0], abs=0.001)

    run(main())


def test_attempts_used_up_with_anything_unknown_is_in_doubt() -> None:
    async def main() -> None:
        policy = RecoveryPolicy(forward_attempts_max=3)
        async with stage([LOST, "throttled", "throttled"], policy=policy) as s:
            with pytest.raises(InDoubtError) as caught:
                await s.issue()

            assert [one.outcome for one in caught.value.attempts] == [
                "Lost",
                "Throttled",
                "Throttled",
            ]
            assert caught.value.next_safe_action == "replay_same_id"
            assert s.entry().is_open

    run(main())


@pytest.mark.parametrize("step", ["throttled", UNTOUCHED])
def test_attempts_used_up_with_nothing_unknown_is_unavailable(step: Step) -> None:
    async def main() -> None:
        policy = RecoveryPolicy(forward_attempts_max=3)
        async with stage([step] * 3, policy=policy) as s:
            with pytest.raises(UnavailableError) as caught:
                await s.issue()

            assert len(caught.value.attempts) == 3
            assert s.entry().verdict == "Unavailable"
            assert not s.entry().facts.doubtful

    run(main())


def test_a_revoked_permit_costs_an_attempt_and_nothing_else() -> None:
    async def main() -> None:
        pacer = FreePacer([Revoked(), Wait(0)])
        async with stage(["live"], pacer=pacer) as s:
            done = await s.issue()

            assert done.attempts == 2
            assert s.pacer.ends == ["unused", "answered"]

    run(main())


@pytest.mark.parametrize("deadline_seconds", [0.3, 2.0, 5.0, 20.0])
def test_no_pause_is_begun_that_cannot_be_afforded(deadline_seconds: float) -> None:
    async def main() -> None:
        policy = RecoveryPolicy(backoff_base_seconds=1, forward_attempts_max=50)
        async with stage(lambda _: LOST, policy=policy) as s:
            with pytest.raises(InDoubtError) as caught:
                await s.issue(deadline_seconds=deadline_seconds)
            now = s.clock.monotonic()

            assert now == pytest.approx(s.transport.times[-1], abs=0.001)
            assert now < deadline_seconds
            assert "no time is left for another attempt after: the connection broke" in str(
                caught.value
            )

    run(main())


def test_a_permit_that_is_too_far_away_is_unavailable_with_its_wait() -> None:
    async def main() -> None:
        async with stage(pacer=FreePacer([Refuse(42.5)])) as s:
            with pytest.raises(UnavailableError) as caught:
                await s.issue()

            assert caught.value.retry_after_seconds == 42.5
            assert caught.value.attempts == ()
            assert "42.5 s away" in str(caught.value)
            assert s.entry().verdict == "Unavailable"

    run(main())


def test_a_permit_that_is_too_far_away_after_an_attempt_that_may_have_worked_is_in_doubt() -> None:
    async def main() -> None:
        async with stage([LOST], pacer=FreePacer([Wait(0), Refuse(42.5)])) as s:
            with pytest.raises(InDoubtError):
                await s.issue()

            assert s.entry().is_open

    run(main())


def test_a_permit_that_is_too_far_away_after_a_throttle_is_unavailable() -> None:
    async def main() -> None:
        async with stage(["throttled"], pacer=FreePacer([Wait(0), Refuse(42.5)])) as s:
            with pytest.raises(UnavailableError) as caught:
                await s.issue()

            assert caught.value.retry_after_seconds == 42.5

    run(main())


def test_the_pacer_is_told_how_long_the_caller_can_wait() -> None:
    async def main() -> None:
        async with stage(pacer=FreePacer([Wait(9)])) as s:
            with pytest.raises(UnavailableError):
                await s.issue(deadline_seconds=8)
            assert s.clock.monotonic() < 1

        async with stage(["live"], pacer=FreePacer([Wait(9)])) as s:
            await s.issue(deadline_seconds=10)
            assert s.transport.times == pytest.approx([9], abs=0.5)

    run(main())


def test_a_slow_reply_is_waited_for_as_long_as_the_deadline_allows() -> None:
    async def main() -> None:
        async with stage([After(5, "live")]) as s:
            with pytest.raises(InDoubtError, match="while a reply was awaited"):
                await s.issue(deadline_seconds=4)
            # The exchange goes on without its caller and is recorded.
        assert s.entry().verdict == "Issued"

    run(main())
