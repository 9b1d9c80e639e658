import asyncio
import logging

import pytest

from agcod_async.core.policy import RecoveryPolicy
from agcod_async.errors import InDoubtError, ReversedError, UsageError
from agcod_async.events import AttemptEnded, CallEnded
from agcod_async.pacing.port import Lane
from agcod_async.session import Session
from agcod_async.testing.clock import run
from tests.support.scripted import LOST, After
from tests.support.stage import stage
from tests.support.toy import COUNT, ISSUE, ToyQuestion, order


def test_a_view_has_its_own_defaults_and_shares_everything_else() -> None:
    async def main() -> None:
        async with stage([LOST, "dead", "live"]) as s:
            strict = RecoveryPolicy(forward_attempts_max=1)
            view = s.session.with_options(lane=Lane.PROBE, deadline_seconds=5, policy=strict)
            with pytest.raises(InDoubtError):
                await view.call(ISSUE, order("Toy1"))
            with pytest.raises(ReversedError):
                await s.issue("Toy1")
            await s.issue("Toy2")

            assert isinstance(view, Session)
            assert view.settings is s.session.settings
            assert [line for line in s.log if line.startswith("admit")] == [
                "admit PROBE Issue",
                "admit INTERACTIVE Issue",
                "admit INTERACTIVE Issue",
            ]

    run(main())


def test_a_view_of_a_view_keeps_what_it_does_not_change() -> None:
    async def main() -> None:
        async with stage([After(3, "live")] * 2) as s:
            view = s.session.with_options(lane=Lane.BATCH).with_options(deadline_seconds=1)
            with pytest.raises(InDoubtError):
                await view.call(ISSUE, order())
            await view.call(ISSUE, order("Toy2"), deadline_seconds=10)

            assert s.log.count("admit BATCH Issue") == 2

    run(main())


def test_what_is_said_at_the_call_goes_before_what_was_said_before() -> None:
    async def main() -> None:
        async with stage(["live"]) as s:
            await s.session.with_options(lane=Lane.BATCH).call(
                ISSUE, order(), lane=Lane.PROBE, policy=RecoveryPolicy()
            )

            assert "admit PROBE Issue" in s.log

    run(main())


def test_callers_of_both_views_join_the_same_call() -> None:
    async def main() -> None:
        async with stage([After(1, "live")]) as s:
            view = s.session.with_options(lane=Lane.BATCH)
            await asyncio.gather(s.issue(), view.call(ISSUE, order()))

            assert len(s.transport.sent) == 1

    run(main())


def test_closing_a_view_closes_the_session() -> None:
    async def main() -> None:
        async with stage() as s:
            await s.session.with_options().aclose()
            with pytest.raises(UsageError, match="closed"):
                await s.issue()

    run(main())


@pytest.mark.parametrize("deadline_seconds", [0.0, -1.0, float("nan")])
def test_a_view_is_not_made_with_a_deadline_that_has_passed(deadline_seconds: float) -> None:
    async def main() -> None:
        async with stage() as s:
            with pytest.raises(UsageError, match="deadline_seconds"):
                s.session.with_options(deadline_seconds=deadline_seconds)

    run(main())


# --- observers -----------------------------------------------------------------------------------


def test_observers_are_told_of_every_attempt_and_every_end() -> None:
    async def main() -> None:
        async with stage(["throttled", After(1, "live")]) as s:
            await asyncio.sleep(5)
            await s.issue()
            first, second, ended = s.events

            assert isinstance(first, AttemptEnded)
            assert isinstance(second, AttemptEnded)
            assert first.operation == "Issue"
            assert first.attempt.outcome == "Throttled"
            assert second.attempt.outcome == "Applied"
            assert second.attempt.reason is None
            assert second.attempt.seconds == pytest.approx(1, abs=0.01)
            assert isinstance(ended, CallEnded)
            assert (ended.operation, ended.request_id) == ("Issue", "Toy1")
            assert (ended.verdict, ended.attempts) == ("Issued", 2)
            assert ended.seconds == pytest.approx(2, abs=0.01)

    run(main())


def test_observers_are_told_of_reads_without_an_id() -> None:
    async def main() -> None:
        async with stage(["live"]) as s:
            await s.session.call(COUNT, ToyQuestion("funds"))

            assert s.events[-1] == CallEnded("Count", "", "Issued", 1, s.events[-1].seconds)

    run(main())


def test_an_observer_that_raises_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: object) -> None:
        raise ValueError("AXLQ-SECRET")

    seen: list[object] = []

    async def main() -> None:
        async with stage(["resend", "undone", "dead", "live"], observers=(fail, seen.append)) as s:
            await s.issue()

            assert seen == s.events
            assert len(seen) == 6

    with caplog.at_level(logging.DEBUG):
        run(main())

    assert "an observer raised ValueError" in caplog.text
    assert "AXLQ" not in caplog.text
