"""What the engine does for an operation whose replay repeats the first answer."""

import asyncio
from dataclasses import replace

import pytest

from agcod_async.core.budget import RetryBudget
from agcod_async.core.facts import Facts
from agcod_async.core.outcomes import Leg
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.errors import InDoubtError, ReversedError
from agcod_async.events import AttemptEnded, SuccessorChosen
from agcod_async.pacing.port import Lane
from agcod_async.session import Session
from agcod_async.testing.clock import WALL_AT_START, run, virtual_clock
from tests.support.scripted import HANG, LOST, After, Step
from tests.support.stage import Stage, stage
from tests.support.toy import WAKE, order, request_id_of

HORIZON_SECONDS = 330.0
PATIENT_SECONDS = 3600.0
DAY_SECONDS = 86_400.0
UNDONE: list[Step] = ["resend", "undone", "live"]
"""What ends in the first lookup: F400, the undo of it, and the answer of a dead replay."""


def again(s: Stage) -> Session:
    """Return a session that knows nothing but the journal, as after a restart."""
    return Session(
        s.session._provider,
        s.session.settings,
        transport=s.transport,
        journal=s.journal,
        pacer=s.pacer,
        clock=s.clock,
    )


def test_a_success_after_an_undo_is_handed_out_once_it_was_looked_up() -> None:
    async def main() -> None:
        async with stage([*UNDONE, "awake"]) as s:
            done = await s.issue(operation=WAKE)

            assert s.transport.operations == ["Wake", "PutToSleep", "Wake", "IsAwake"]
            assert s.transport.times[-1] < 1
            assert done.answer.request_id == "Toy1"
            assert s.entry(operation="Wake").gc_id == "seen-Toy1"
            assert s.entry(operation="Wake").facts.confirmed

    run(main())


def test_without_an_undo_nothing_is_looked_up() -> None:
    async def main() -> None:
        async with stage([LOST, "live"]) as s:
            await s.issue(operation=WAKE)

            assert s.transport.operations == ["Wake", "Wake"]

    run(main())


def test_a_lookup_waits_for_nobody_and_is_on_record_without_counting_as_a_send() -> None:
    async def main() -> None:
        async with stage(["resend", "undone", After(2, "live"), After(2, "awake")]) as s:
            await s.issue(operation=WAKE)
            entry, wake_at = s.entry(operation="Wake"), s.transport.times[2]

            assert s.pacer.permits[-1].operation == "IsAwake"
            assert s.pacer.permits[-1].lane is Lane.RECOVERY
            assert s.pacer.ends == ["answered"] * 4
            assert s.log[-4:] == [
                "admit RECOVERY IsAwake",
                "advance Toy1 lookup doubtful undone",
                "send IsAwake look Toy1 10.00 USD",
                "advance Toy1 doubtful undone confirmed Issued",
            ]
            assert entry.sends == 2
            assert entry.last_sent_at == pytest.approx(WALL_AT_START + wake_at, abs=1e-3)
            assert entry.effects_until == pytest.approx(
                WALL_AT_START + wake_at + HORIZON_SECONDS, abs=1e-3
            )
            told = [event.attempt for event in s.events if isinstance(event, AttemptEnded)]
            assert (told[-1].leg, told[-1].outcome) == (Leg.LOOKUP, "Found")

    run(main())


def test_a_lookup_is_asked_under_the_id_of_the_order_however_often_and_by_whom() -> None:
    async def main() -> None:
        async with stage([*UNDONE, LOST, "unclear", "asleep", "throttled"]) as s:
            with pytest.raises(InDoubtError):
                await s.issue(operation=WAKE)
            session = again(s)
            s.transport.script = iter(["resend", "awake"])
            await session.call(WAKE, order())

            lookups = [sent.body for sent in s.transport.sent if sent.operation == "IsAwake"]
            assert lookups == [b"look Toy1 10.00 USD"] * 5

    run(main())


def test_a_card_that_is_not_found_is_looked_up_again_when_nothing_can_land_any_more() -> None:
    async def main() -> None:
        async with stage([*UNDONE, "asleep", "asleep", "live"]) as s:
            done = await s.issue(operation=WAKE, deadline_seconds=PATIENT_SECONDS)
            times = dict(zip(range(6), s.transport.times, strict=True))

            assert s.transport.operations[3:] == ["IsAwake", "IsAwake", "Wake"]
            assert HORIZON_SECONDS <= times[4] - times[2] < HORIZON_SECONDS + 1
            assert done.answer.request_id == request_id_of(s.transport.sent[-1].body) != "Toy1"
            (chosen,) = [event for event in s.events if isinstance(event, SuccessorChosen)]
            assert chosen.request_id == "Toy1"

    run(main())


@pytest.mark.parametrize("last", ["asleep", "awake"])
def test_a_settle_waits_for_the_last_request_of_either_leg(last: str) -> None:
    async def main() -> None:
        policy = RecoveryPolicy(
            backoff_base_seconds=100, backoff_max_seconds=100, on_burnt_id="raise"
        )
        async with stage([*UNDONE, "asleep", last], policy=policy) as s:
            try:
                await s.issue(operation=WAKE, deadline_seconds=PATIENT_SECONDS)
            except ReversedError:
                assert last == "asleep"
            undo_at, wake_at, _, lookup_at = s.transport.times[1:]

            assert wake_at - undo_at > 40
            assert HORIZON_SECONDS <= lookup_at - wake_at < HORIZON_SECONDS + 1

    run(main())


def test_a_request_that_was_lost_on_the_way_is_waited_for_too() -> None:
    async def main() -> None:
        async with stage(["resend", "undone", HANG, "live", "asleep", "asleep", "live"]) as s:
            await s.issue(operation=WAKE, deadline_seconds=PATIENT_SECONDS)

            assert s.transport.operations[3:] == ["Wake", "IsAwake", "IsAwake", "Wake"]
            assert s.transport.times[5] - s.transport.times[3] >= HORIZON_SECONDS

    run(main())


def test_a_card_that_is_found_while_an_undo_may_still_land_is_looked_up_again() -> None:
    async def main() -> None:
        script: list[Step] = ["resend", LOST, "undone", "live", "awake", "awake"]
        async with stage(script) as s:
            await s.issue(operation=WAKE, deadline_seconds=PATIENT_SECONDS)

            assert s.transport.operations[4:] == ["IsAwake", "IsAwake"]
            assert s.transport.times[5] - s.transport.times[3] >= HORIZON_SECONDS

    run(main())


def test_a_caller_who_cannot_wait_is_told_when_more_can_be_known() -> None:
    async def main() -> None:
        async with stage([*UNDONE, "asleep"]) as s:
            with pytest.raises(InDoubtError) as caught:
                await s.issue(operation=WAKE, deadline_seconds=30)

            assert s.transport.times[-1] < 1, "it is told at once, not when its time is over"
            assert caught.value.next_safe_action == "wait_until"
            assert caught.value.not_before is not None
            until = WALL_AT_START + s.transport.times[2] + HORIZON_SECONDS
            assert caught.value.not_before.timestamp() == pytest.approx(until, abs=1e-3)
            assert s.entry(operation="Wake").leg is Leg.LOOKUP
            assert s.entry(operation="Wake").is_open

    run(main())


def test_a_lookup_on_record_is_finished_first_and_waits_out_what_is_only_on_record() -> None:
    async def main() -> None:
        async with stage([*UNDONE, "asleep", "asleep", "asleep", "live"]) as s:
            with pytest.raises(InDoubtError):
                await s.issue(operation=WAKE)
            sent = len(s.transport.sent)
            await again(s).call(WAKE, order(), deadline_seconds=PATIENT_SECONDS)

            assert s.transport.operations[sent:] == ["IsAwake", "IsAwake", "Wake"]
            assert s.transport.times[5] - s.transport.times[2] >= HORIZON_SECONDS

    run(main())


def test_reconciling_finishes_a_lookup() -> None:
    async def main() -> None:
        async with stage([*UNDONE, "asleep", "awake"]) as s:
            with pytest.raises(InDoubtError):
                await s.issue(operation=WAKE)
            (reconciled,) = await s.session.reconcile()

            assert reconciled.error is None
            assert s.transport.operations[-1] == "IsAwake"
            assert not s.entry(operation="Wake").is_open

    run(main())


def test_a_lookup_may_be_made_however_old_the_id_is() -> None:
    async def main() -> None:
        async with stage([*UNDONE, "asleep", "awake"]) as s:
            with pytest.raises(InDoubtError):
                await s.issue(operation=WAKE)
            await asyncio.sleep(DAY_SECONDS + 1)
            done = await s.issue(operation=WAKE)

            assert done.answer.request_id == "Toy1"

    run(main())


def test_a_lookup_is_repeated_until_it_is_answered_and_then_left() -> None:
    async def main() -> None:
        policy = RecoveryPolicy(forward_attempts_max=4)
        fates: list[Step] = [LOST, "resend", "throttled", "no word the codec knows"]
        async with stage([*UNDONE, *fates], policy=policy) as s:
            with pytest.raises(InDoubtError) as caught:
                await s.issue(operation=WAKE)

            assert s.transport.operations[3:] == ["IsAwake"] * 4
            assert [attempt.leg for attempt in caught.value.attempts[3:]] == [Leg.LOOKUP] * 4
            assert s.transport.times[6] - s.transport.times[5] >= 1

    run(main())


def test_a_confirmed_card_is_replayed_and_not_looked_up_again() -> None:
    async def main() -> None:
        async with stage([*UNDONE, "awake", "live", "refused:F300"]) as s:
            await s.issue(operation=WAKE)
            await s.issue(operation=WAKE)
            with pytest.raises(InDoubtError) as caught:
                await s.issue(operation=WAKE)

            assert s.transport.operations[3:] == ["IsAwake", "Wake", "Wake"]
            assert caught.value.not_before is None
            assert s.entry(operation="Wake").facts == Facts(
                doubtful=True, undone=True, confirmed=True
            )

    run(main())


@pytest.mark.parametrize("ahead_seconds", [3 * 3600.0, -3 * 3600.0])
def test_a_wall_clock_that_is_set_cannot_cut_the_wait_for_a_request_short(
    ahead_seconds: float,
) -> None:
    calm = virtual_clock()
    ahead = [0.0]

    async def main() -> None:
        clock = replace(calm, wall=lambda: calm.wall() + ahead[0])
        async with stage([*UNDONE, After(2, "asleep"), "awake"], clock=clock) as s:
            asyncio.get_running_loop().call_later(1.5, lambda: ahead.insert(0, ahead_seconds))
            await s.issue(operation=WAKE, deadline_seconds=10 * 3600.0)

            assert s.transport.times[4] - s.transport.times[2] >= HORIZON_SECONDS

    run(main())


def test_a_lookup_costs_the_budget_what_a_repeat_costs() -> None:
    async def main() -> None:
        async with stage([*UNDONE, LOST, LOST, "refused"]) as s:
            with pytest.raises(InDoubtError):
                await s.issue(operation=WAKE)

            assert s.session._runner._budget.tokens == 500 - 4 * 14
            s.session._runner._budget = RetryBudget(tokens=0)
            s.transport.script = iter([LOST, "awake"])
            await s.issue(operation=WAKE, deadline_seconds=PATIENT_SECONDS)
            assert s.transport.times[-1] - s.transport.times[-2] == pytest.approx(20, abs=0.01)

    run(main())


def test_only_an_operation_with_a_lookup_is_told_to_look() -> None:
    async def main() -> None:
        async with stage(["resend", "undone", "refused"]) as s:
            with pytest.raises(InDoubtError) as caught:
                await s.issue()

            assert s.transport.operations == ["Issue", "TakeBack", "Issue"]
            assert caught.value.not_before is None, "the same ID may be asked again at once"

    run(main())
