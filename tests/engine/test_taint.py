"""An undo without an answer may still arrive and kill the card: what comes of it is held."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from agcod_async.clock import Clock
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.errors import InDoubtError
from agcod_async.session import Session
from agcod_async.testing.clock import WALL_AT_START, run, virtual_clock
from tests.support.scripted import HANG, LOST, Sent, Step
from tests.support.stage import stage
from tests.support.toy import ISSUE, order

HORIZON_SECONDS = 330.0
PATIENT_SECONDS = 3600.0
START = datetime.fromtimestamp(WALL_AT_START, UTC)


@dataclass(slots=True)
class JumpingWall:
    """A wall clock that somebody sets while the process runs."""

    ahead_seconds: float = 0.0

    def clock(self) -> Clock:
        calm = virtual_clock()
        return replace(calm, wall=lambda: calm.wall() + self.ahead_seconds)


def seconds_after_the_last_undo(times: list[float], operations: list[str]) -> float:
    """Return how long after the last undo the last request was sent."""
    last_undo = max(at for at, name in zip(times, operations, strict=True) if name == "TakeBack")
    return times[-1] - last_undo


@pytest.mark.parametrize("fate", [LOST, HANG, "unclear", "resend", "no word the codec knows"])
def test_a_success_after_an_unanswered_undo_is_held_and_then_confirmed_by_a_replay(
    fate: Step,
) -> None:
    async def main() -> None:
        async with stage(["resend", fate, "undone", "live", "live"]) as s:
            await s.issue(deadline_seconds=PATIENT_SECONDS)

            assert s.transport.operations == ["Issue", "TakeBack", "TakeBack", "Issue", "Issue"]
            waited = seconds_after_the_last_undo(s.transport.times, s.transport.operations)
            assert waited >= HORIZON_SECONDS
            assert waited < HORIZON_SECONDS + 1

    run(main())


def test_without_an_unanswered_undo_nothing_is_held() -> None:
    async def main() -> None:
        async with stage(["resend", "undone", "live"]) as s:
            await s.issue()

            assert s.transport.times[-1] < 1

    run(main())


def test_an_undo_that_never_left_taints_nothing() -> None:
    async def main() -> None:
        async with stage(["resend", "throttled", "undone", "live"]) as s:
            await s.issue()

            assert s.transport.operations == ["Issue", "TakeBack", "TakeBack", "Issue"]

    run(main())


def test_where_requests_may_be_doubled_even_an_answered_undo_is_waited_out() -> None:
    async def main() -> None:
        policy = RecoveryPolicy(network_may_duplicate=True)
        async with stage(["resend", "undone", "live", "live"], policy=policy) as s:
            await s.issue(deadline_seconds=PATIENT_SECONDS)

            waited = seconds_after_the_last_undo(s.transport.times, s.transport.operations)
            assert waited >= HORIZON_SECONDS

    run(main())


def test_the_horizon_is_the_policys() -> None:
    async def main() -> None:
        policy = RecoveryPolicy(late_horizon_seconds=930.0)
        async with stage(["resend", LOST, "undone", "live", "live"], policy=policy) as s:
            await s.issue(deadline_seconds=PATIENT_SECONDS)

            waited = seconds_after_the_last_undo(s.transport.times, s.transport.operations)
            assert 930 <= waited < 931

    run(main())


def test_the_confirming_replay_decides() -> None:
    async def main() -> None:
        async with stage(["resend", LOST, "undone", "live", "dead", "live"]) as s:
            done = await s.issue(deadline_seconds=PATIENT_SECONDS)

            assert done.answer.request_id != "Toy1"

    run(main())


@pytest.mark.parametrize("ahead_seconds", [3 * 3600.0, -3 * 3600.0])
def test_a_wall_clock_that_is_set_cannot_cut_the_wait_short(ahead_seconds: float) -> None:
    async def main() -> None:
        wall = JumpingWall()
        script: Iterator[Step] = iter(["resend", LOST, "undone", "live", "live"])

        def answer(_: Sent) -> Step:
            step = next(script)
            if step == "live":  # the undos have been sent, the pause has not begun
                wall.ahead_seconds = ahead_seconds
            return step

        async with stage(answer, clock=wall.clock()) as s:
            await s.issue(deadline_seconds=10 * 3600.0)

            assert s.transport.operations == ["Issue", "TakeBack", "TakeBack", "Issue", "Issue"]
            waited = seconds_after_the_last_undo(s.transport.times, s.transport.operations)
            assert waited >= HORIZON_SECONDS

    run(main())


def test_a_wall_clock_that_is_set_back_does_not_bring_the_recorded_time_forward() -> None:
    async def main() -> None:
        wall = JumpingWall()
        async with stage(["resend", LOST, "undone", "live"], clock=wall.clock()) as s:
            asyncio.get_running_loop().call_later(
                0.1, lambda: setattr(wall, "ahead_seconds", -3600.0)
            )
            with pytest.raises(InDoubtError):
                await s.issue()

            assert s.transport.times[1] < 0.1 < s.transport.times[2]
            assert s.entry().effects_until == pytest.approx(
                WALL_AT_START + s.transport.times[1] + HORIZON_SECONDS, abs=1e-3
            )

    run(main())


def test_a_caller_who_cannot_wait_is_told_when_more_can_be_known() -> None:
    async def main() -> None:
        async with stage(["resend", LOST, "undone", "live"]) as s:
            with pytest.raises(InDoubtError) as caught:
                await s.issue(deadline_seconds=30)

            last_undo_at = START + timedelta(seconds=s.transport.times[2])
            assert "no time is left for another attempt" in str(caught.value)
            assert s.transport.times[-1] < 5, "it is told at once, not when its time is over"
            assert caught.value.next_safe_action == "wait_until"
            assert caught.value.not_before is not None
            difference = caught.value.not_before - last_undo_at
            assert difference.total_seconds() == pytest.approx(HORIZON_SECONDS, abs=1e-3)
            assert s.entry().is_open

    run(main())


def test_a_later_call_waits_out_what_is_only_on_record() -> None:
    async def main() -> None:
        async with stage(["resend", LOST, "undone", "live", "live", "live"]) as s:
            with pytest.raises(InDoubtError):
                await s.issue()
            # As after a restart: all that is left is the journal.
            session = Session(
                s.session._provider,
                s.session.settings,
                transport=s.transport,
                journal=s.journal,
                pacer=s.pacer,
                clock=s.clock,
            )
            await session.call(ISSUE, order(), deadline_seconds=PATIENT_SECONDS)

            assert s.transport.operations[-2:] == ["Issue", "Issue"]
            waited = seconds_after_the_last_undo(s.transport.times, s.transport.operations)
            assert HORIZON_SECONDS <= waited < HORIZON_SECONDS + 1

    run(main())


def test_a_card_that_is_on_record_is_not_waited_for_because_of_an_answered_undo() -> None:
    async def main() -> None:
        async with stage(["resend", "undone", "live", LOST]) as s:
            await s.issue()
            with pytest.raises(InDoubtError) as caught:
                await s.issue(policy=RecoveryPolicy(forward_attempts_max=1))

            assert s.entry().effects_until is not None
            assert caught.value.not_before is None
            assert caught.value.next_safe_action == "replay_same_id"

    run(main())


def test_once_the_time_has_passed_the_same_id_may_be_asked_again() -> None:
    async def main() -> None:
        async with stage(["resend", LOST, "undone", "live", LOST]) as s:
            with pytest.raises(InDoubtError):
                await s.issue()
            await asyncio.sleep(HORIZON_SECONDS)
            with pytest.raises(InDoubtError) as caught:
                await s.issue(policy=RecoveryPolicy(forward_attempts_max=1))

            assert caught.value.not_before is None
            assert caught.value.next_safe_action == "replay_same_id"

    run(main())
