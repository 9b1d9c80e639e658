"""What follows once an ID is proved dead."""

import pytest

from agcod_async.core.policy import RecoveryPolicy
from agcod_async.errors import ReversedError
from agcod_async.events import SuccessorChosen
from agcod_async.testing.clock import run
from agcod_async.values import RequestId
from tests.support.stage import Stage, stage
from tests.support.toy import ISSUE, code_of, order

SUCCESSOR = RequestId("Toy1").successor("Toy", 1)
SECOND_SUCCESSOR = RequestId("Toy1").successor("Toy", 2)


def test_a_tombstone_after_an_own_undo_is_followed_by_a_successor() -> None:
    async def main() -> None:
        async with stage(["resend", "undone", "dead", "live"]) as s:
            done = await s.issue()

            assert done.answer.request_id == SUCCESSOR
            assert done.answer.code.reveal() == code_of(SUCCESSOR)
            assert str(s.transport.sent[-1]) == f"Issue {SUCCESSOR} 10.00 USD"
            assert s.entry().live_id == SUCCESSOR
            assert s.entry().gc_id == f"gc-{SUCCESSOR}"
            assert s.entry().sends == 1
            assert s.entry().first_sent_at == s.entry().last_sent_at

    run(main())


def test_a_successor_is_on_record_before_it_is_sent_and_then_told() -> None:
    told_after: list[int] = []

    async def main() -> None:
        stages: list[Stage] = []

        def note(event: object) -> None:
            if isinstance(event, SuccessorChosen):
                told_after.append(len(stages[0].log))

        async with stage(["resend", "undone", "dead", "live"], observers=(note,)) as s:
            stages.append(s)
            await s.issue()
            recorded = s.log.index(f"advance {SUCCESSOR} epoch=1")
            sent = s.log.index(f"send Issue {SUCCESSOR} 10.00 USD")

            assert recorded < sent
            assert told_after == [recorded + 1]
            assert SuccessorChosen("Toy1", SUCCESSOR) in s.events

    run(main())


def test_a_successor_may_itself_be_followed_by_one() -> None:
    async def main() -> None:
        script = ["resend", "undone", "dead", "resend", "undone", "dead", "live"]
        async with stage(script) as s:
            done = await s.issue()

            assert done.answer.request_id == SECOND_SUCCESSOR
            assert [e for e in s.events if isinstance(e, SuccessorChosen)] == [
                SuccessorChosen("Toy1", SUCCESSOR),
                SuccessorChosen(SUCCESSOR, SECOND_SUCCESSOR),
            ]

    run(main())


def test_there_are_only_so_many_successors() -> None:
    async def main() -> None:
        policy = RecoveryPolicy(successors_max=1)
        async with stage(["resend", "undone", "dead"] * 2, policy=policy) as s:
            with pytest.raises(ReversedError):
                await s.issue()

            assert s.entry().verdict == "Reversed"

    run(main())


def test_a_later_call_finds_the_card_under_its_successor() -> None:
    async def main() -> None:
        async with stage(["resend", "undone", "dead", "live", "live"]) as s:
            first = await s.issue()
            second = await s.issue()

            assert second.answer == first.answer
            assert second.replayed
            assert str(s.transport.sent[-1]) == f"Issue {SUCCESSOR} 10.00 USD"

    run(main())


def test_a_tombstone_that_this_call_did_not_make_is_an_end() -> None:
    async def main() -> None:
        async with stage(["dead"]) as s:
            with pytest.raises(ReversedError, match="Toy-dead"):
                await s.issue()

            assert s.transport.operations == ["Issue"]
            assert s.entry().verdict == "Reversed"

    run(main())


def test_a_burnt_id_may_be_an_end_too() -> None:
    async def main() -> None:
        policy = RecoveryPolicy(on_burnt_id="raise")
        async with stage(["resend", "undone", "dead"], policy=policy) as s:
            with pytest.raises(ReversedError) as caught:
                await s.issue()

            assert [one.outcome for one in caught.value.attempts] == [
                "UndoFirst",
                "Undone",
                "AppliedDead",
            ]

    run(main())


def test_a_policy_of_one_call_is_no_policy_of_the_next() -> None:
    async def main() -> None:
        strict = RecoveryPolicy(on_burnt_id="raise", successors_max=0)
        async with stage(["resend", "undone", "dead"] * 2 + ["live"]) as s:
            with pytest.raises(ReversedError):
                await s.session.call(ISSUE, order("Toy2"), policy=strict)
            done = await s.issue()

            assert done.answer.request_id == SUCCESSOR

    run(main())
