"""Each verdict as its caller gets it: the answer, or the exception that says what to do next."""

import pickle

import pytest

from agcod_async.core.policy import RecoveryPolicy
from agcod_async.errors import (
    AccountError,
    AgcodError,
    DeclinedError,
    IdempotencyConflictError,
    InDoubtError,
    InvalidRequestError,
    NothingIssuedError,
    UnavailableError,
)
from agcod_async.testing.clock import run
from tests.support.scripted import LOST, UNTOUCHED, Step
from tests.support.stage import stage
from tests.support.toy import COUNT, ISSUE, STAMP, ToyCount, ToyQuestion, ToyStamp, order


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ("refused:F200", InvalidRequestError),
        ("refused:F300", AccountError),
        ("refused:F999", DeclinedError),
        ("refused", DeclinedError),
        ("conflict:F200", IdempotencyConflictError),
    ],
)
def test_a_refusal_is_raised_by_its_code(reply: str, kind: type[AgcodError]) -> None:
    async def main() -> None:
        async with stage([reply]) as s:
            with pytest.raises(AgcodError) as caught:
                await s.issue()

            assert type(caught.value) is kind
            assert caught.value.code == (reply.partition(":")[2] or None)
            assert caught.value.error_type == f"Toy-{reply.partition(':')[0]}"
            assert caught.value.request_id == "Toy1"
            assert caught.value.operation == "Issue"
            assert not hasattr(caught.value, "not_before")
            assert s.entry().verdict == "Declined"
            assert s.entry().code == caught.value.code

    run(main())


@pytest.mark.parametrize("reply", ["refused:F300", "conflict:F200"])
def test_a_refusal_proves_nothing_about_what_was_sent_before_it(reply: str) -> None:
    async def main() -> None:
        async with stage([LOST, reply]) as s:
            with pytest.raises(InDoubtError):
                await s.issue()

            assert s.entry().is_open

    run(main())


@pytest.mark.parametrize("harmless", ["throttled", UNTOUCHED])
def test_a_refusal_after_what_cannot_have_worked_is_a_refusal(harmless: Step) -> None:
    async def main() -> None:
        async with stage([harmless, "refused:F300"]) as s:
            with pytest.raises(AccountError):
                await s.issue()

    run(main())


def test_a_refused_order_may_be_sent_again_once_somebody_has_changed_something() -> None:
    async def main() -> None:
        async with stage(["refused:F300", "refused:F300", "live"]) as s:
            for _ in range(2):
                with pytest.raises(AccountError):
                    await s.issue()

            assert (await s.issue()).attempts == 1

    run(main())


def test_an_error_tells_every_attempt() -> None:
    async def main() -> None:
        async with stage(["throttled", "resend", "undone", "dead", "refused:F300"]) as s:
            with pytest.raises(AccountError) as caught:
                await s.issue()
            told = [(one.leg.value, one.outcome, one.request_id) for one in caught.value.attempts]

            assert [leg for leg, _, _ in told] == ["forward"] * 2 + ["undo"] + ["forward"] * 2
            assert [outcome for _, outcome, _ in told] == [
                "Throttled",
                "UndoFirst",
                "Undone",
                "AppliedDead",
                "Refused",
            ]
            assert len({request_id for _, _, request_id in told}) == 2
            assert all(one.seconds >= 0 for one in caught.value.attempts)
            assert str(caught.value.attempts[0].reason) == "Toy-throttled: the toy said throttled"

    run(main())


@pytest.mark.parametrize("reply", ["live", "refused:F200", "no word the codec knows"])
def test_no_error_no_event_and_no_record_holds_a_claim_code(reply: str) -> None:
    async def main() -> None:
        async with stage(lambda _: reply) as s:
            said: list[object] = []
            try:
                said.append(await s.issue(deadline_seconds=2))
            except AgcodError as error:
                said += [error, error.args, error.attempts, pickle.dumps(error)]
            said += [s.events, s.entry(), s.session.settings]

            assert "1yoT" not in repr(said)
            assert "CODE" not in repr(said)

    run(main())


def test_an_operation_without_an_undo_is_replayed_only() -> None:
    async def main() -> None:
        async with stage([LOST, "unclear", "throttled", "live"]) as s:
            done = await s.session.call(STAMP, order())

            assert done.answer == ToyStamp(order().request_id)
            assert s.transport.operations == ["Stamp"] * 4
            assert s.entry("Toy1", "Stamp").verdict == "Issued"
            assert s.entry("Toy1", "Stamp").amount == ""

    run(main())


def test_an_operation_that_has_no_undo_and_is_told_to_undo_is_a_fault_of_its_provider() -> None:
    async def main() -> None:
        async with stage(["resend"]) as s:
            with pytest.raises(AssertionError, match="Stamp has no undo"):
                await s.session.call(STAMP, order())

            assert s.pacer.ends == ["answered"]

    run(main())


def test_an_answer_of_another_type_is_not_handed_out() -> None:
    async def main() -> None:
        async with stage(["live"]) as s:
            mistaken = ISSUE.__class__(
                name="Count",
                answer_type=ISSUE.answer_type,
                encode=lambda _: b"funds",
                decode_request=ISSUE.decode_request,
                outcome=lambda _, reply: COUNT.outcome(ToyQuestion("funds"), reply),
            )
            with pytest.raises(TypeError, match="Count was answered by ToyCount"):
                await s.session.call(mistaken, order())

    run(main())


# --- reads ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [LOST, "unclear", "resend", "dead", "garbage", "throttled"])
def test_a_read_is_repeated_whatever_became_of_it(step: Step) -> None:
    async def main() -> None:
        async with stage([step, "live"]) as s:
            done = await s.session.call(COUNT, ToyQuestion("funds"))

            assert done.answer == ToyCount("funds")
            assert done.attempts == 2
            assert not done.replayed
            assert s.transport.operations == ["Count"] * 2

    run(main())


def test_a_read_that_stays_without_an_answer_is_unavailable_and_never_in_doubt() -> None:
    async def main() -> None:
        async with stage(lambda _: LOST) as s:
            with pytest.raises(UnavailableError) as caught:
                await s.session.call(COUNT, ToyQuestion("funds"))

            assert len(caught.value.attempts) == 8
            assert caught.value.request_id is None
            assert caught.value.attempts[0].request_id == ""
            assert isinstance(caught.value, NothingIssuedError)

    run(main())


def test_a_refused_read_is_declined() -> None:
    async def main() -> None:
        async with stage([LOST, "refused:F300"]) as s:
            with pytest.raises(AccountError):
                await s.session.call(COUNT, ToyQuestion("funds"))

    run(main())


@pytest.mark.parametrize("reply", ["throttled", "refused:F300"])
def test_a_read_is_never_in_doubt_even_where_requests_may_be_doubled(reply: str) -> None:
    async def main() -> None:
        policy = RecoveryPolicy(network_may_duplicate=True)
        async with stage(lambda _: reply, policy=policy) as s:
            with pytest.raises(NothingIssuedError):
                await s.session.call(COUNT, ToyQuestion("funds"))

    run(main())


def test_reads_do_not_join_each_other() -> None:
    async def main() -> None:
        async with stage(["live", "live"]) as s:
            await s.session.call(COUNT, ToyQuestion("funds"))
            await s.session.call(COUNT, ToyQuestion("funds"))

            assert len(s.transport.sent) == 2

    run(main())
