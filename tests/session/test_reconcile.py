"""What a crash or a caller that has gone left open is brought to its end, forward."""

import asyncio

import pytest

from agcod_async.core.facts import Facts
from agcod_async.core.outcomes import Leg
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.errors import InDoubtError, ReversedError
from agcod_async.testing.clock import WALL_AT_START, run
from agcod_async.values import RequestId
from tests.support.journals import open_entries
from tests.support.left_open import left_open, put
from tests.support.scripted import LOST, After
from tests.support.stage import stage
from tests.support.toy import STAMP, ToyCard, ToyStamp, code_of


def test_a_doubtful_call_goes_forward_under_the_same_id_in_the_recovery_lane() -> None:
    async def main() -> None:
        async with stage(["live"]) as s:
            await put(s, left_open())
            (one,) = await s.session.reconcile()

            assert one.request_id == "Toy1"
            assert one.operation == "Issue"
            assert one.error is None
            assert isinstance(one.answer, ToyCard)
            assert one.answer.code.reveal() == code_of("Toy1")
            assert [str(sent) for sent in s.transport.sent] == ["Issue Toy1 10.00 USD"]
            assert "admit RECOVERY Issue" in s.log
            assert s.entry().verdict == "Issued"
            assert await s.session.reconcile() == []

    run(main())


def test_what_is_in_doubt_is_never_undone_to_get_rid_of_it() -> None:
    async def main() -> None:
        async with stage([LOST, "throttled", LOST, "live"]) as s:
            await put(s, left_open())
            await s.session.reconcile()

            assert s.transport.operations == ["Issue"] * 4

    run(main())


def test_an_undo_on_record_is_finished_first_and_then_waited_out() -> None:
    async def main() -> None:
        facts = Facts(doubtful=True, undone=True, tainted=True)
        async with stage(["undone", "live", "live"]) as s:
            await put(s, left_open(facts=facts, leg=Leg.UNDO, effects_until=WALL_AT_START + 270))
            (one,) = await s.session.reconcile(deadline_seconds=3600)

            assert one.error is None
            assert s.transport.operations == ["TakeBack", "Issue", "Issue"]
            # The undo of today is younger than the one on record.
            assert s.transport.times[2] - s.transport.times[0] >= 330

    run(main())


def test_a_dead_successor_goes_on_under_the_next_one() -> None:
    async def main() -> None:
        first, second = (str(RequestId("Toy1").successor("Toy", n)) for n in (1, 2))
        async with stage(["resend", "undone", "dead", "live"]) as s:
            await put(s, left_open(facts=Facts(epoch=1), live_id=first))
            (one,) = await s.session.reconcile()

            assert isinstance(one.answer, ToyCard)
            assert one.answer.request_id == second
            assert str(s.transport.sent[0]) == f"Issue {first} 10.00 USD"

    run(main())


def test_a_call_that_cannot_have_worked_is_closed_without_sending() -> None:
    async def main() -> None:
        async with stage() as s:
            never_sent = left_open(facts=Facts(), sends=0, first_sent_at=None)
            await put(s, never_sent, left_open("Toy2", facts=Facts()))

            assert await s.session.reconcile() == []
            assert s.transport.sent == []
            assert await open_entries(s.journal) == []
            assert s.entry("Toy1").verdict == s.entry("Toy2").verdict == "Unavailable"

    run(main())


def test_what_stays_in_doubt_stays_open_and_is_told() -> None:
    async def main() -> None:
        policy = RecoveryPolicy(forward_attempts_max=2)
        async with stage([LOST, LOST, "dead"], policy=policy) as s:
            await put(s, left_open())
            (one,) = await s.session.reconcile()
            assert isinstance(one.error, InDoubtError)
            assert one.answer is None
            assert s.entry().is_open

            (one,) = await s.session.reconcile()
            assert isinstance(one.error, ReversedError)
            assert not s.entry().is_open

    run(main())


def test_a_call_that_runs_is_left_alone() -> None:
    async def main() -> None:
        async with stage([After(2, "live")]) as s:
            running = asyncio.create_task(s.issue())
            await asyncio.sleep(1)

            assert await s.session.reconcile() == []
            await running
            assert len(s.transport.sent) == 1

    run(main())


def test_two_operations_under_one_id_do_not_run_at_the_same_time() -> None:
    async def main() -> None:
        async with stage([After(1, "live"), "live"]) as s:
            await put(s, left_open(), left_open(operation="Stamp"))

            assert [one.operation for one in await s.session.reconcile()] == ["Issue"]
            (other,) = await s.session.reconcile()
            assert other.answer == ToyStamp(RequestId("Toy1"))
            assert s.transport.operations == ["Issue", STAMP.name]

    run(main())


def test_an_operation_that_nobody_knows_is_left_alone() -> None:
    async def main() -> None:
        async with stage(["live"]) as s:
            await put(s, left_open(operation="Retired"), left_open("Toy2"))

            assert [one.request_id for one in await s.session.reconcile()] == ["Toy2"]
            assert len(await open_entries(s.journal)) == 1

    run(main())


def test_the_calls_of_another_partner_are_left_alone() -> None:
    async def main() -> None:
        async with stage(["live"]) as s:
            mine, theirs = left_open("Toy2"), left_open(partner_id="Tom")
            idle = left_open("Toy3", facts=Facts(), partner_id="Tom")
            await put(s, theirs, mine, idle)

            assert [one.request_id for one in await s.session.reconcile()] == ["Toy2"]
            assert await open_entries(s.journal) == [theirs, idle]

    run(main())


def test_any_number_is_finished_a_bounded_number_at_a_time() -> None:
    async def main() -> None:
        most = 0

        async with stage(lambda _: After(1, "live")) as s:

            def look(_: object) -> None:
                nonlocal most
                most = max(most, s.transport.under_way)

            s.session._runner._audience._observers += (look,)
            await put(s, *(left_open(f"Toy{n}") for n in range(150)))
            reconciled = await s.session.reconcile()

            assert {one.request_id for one in reconciled} == {f"Toy{n}" for n in range(150)}
            assert len(reconciled) == 150
            assert all(one.error is None for one in reconciled)
            assert 32 < most <= 64
            assert s.clock.monotonic() == pytest.approx(3, abs=0.1)

    run(main())
