"""The line in front of a sink, in virtual time: what counts as delivered, what is repeated."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from agcod_async.batch import Order
from agcod_async.clock import Clock
from agcod_async.core.outcomes import Reason
from agcod_async.delivery import (
    Delivered,
    DeliveryError,
    DeliveryLine,
    DeliveryPolicy,
    Handover,
    LineState,
    Undelivered,
)
from agcod_async.delivery.line import (
    CLOSE_SECONDS_MAX,
    HURRIED_CLOSE_SECONDS_MIN,
    HURRIED_SECONDS_MAX,
)
from agcod_async.errors import UsageError
from agcod_async.providers.agcod.messages import GiftCard
from agcod_async.testing.clock import run, virtual_clock
from tests.delivery.cards import card_of, order_of

FEW = DeliveryPolicy(attempts_max=3, failures_max=6, at_a_time_max=2)


@dataclass
class Toy:
    """A sink that does what it is told, for each card and attempt."""

    does: Callable[[str, int], float | BaseException] = lambda _id, _attempt: 0.0
    taken: list[str] = field(default_factory=list)
    asked_at: list[float] = field(default_factory=list)
    attempts: dict[str, int] = field(default_factory=dict)
    under_way: int = 0
    most: int = 0
    closed: int = 0

    async def deliver(self, card: GiftCard, order: Order) -> None:
        assert card.request_id == order.request_id
        request_id = order.request_id
        self.attempts[request_id] = self.attempts.get(request_id, 0) + 1
        self.asked_at.append(asyncio.get_running_loop().time())
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            match self.does(request_id, self.attempts[request_id]):
                case BaseException() as error:
                    raise error
                case seconds:
                    await asyncio.sleep(seconds)
        finally:
            self.under_way -= 1
        self.taken.append(request_id)

    async def aclose(self) -> None:
        self.closed += 1


def failing(times: int) -> Callable[[str, int], float | BaseException]:
    return lambda _id, attempt: LookupError("no") if attempt <= times else 0.0


def line_of(
    sink: Toy, policy: DeliveryPolicy = FEW, on_change: Callable[[DeliveryLine], None] | None = None
) -> DeliveryLine:
    return DeliveryLine(sink, policy=policy, clock=virtual_clock(), on_change=on_change)


async def hand_over(line: DeliveryLine, number: int) -> Handover:
    return await line.hand_over(card_of(number), order_of(number))


def now() -> float:
    return asyncio.get_running_loop().time()


# --- one card --------------------------------------------------------------------------------


def test_a_card_is_delivered_once_the_sink_has_returned_and_not_before() -> None:
    async def main() -> None:
        line = line_of(Toy(lambda _id, _attempt: 7.0))
        task = asyncio.create_task(hand_over(line, 1))
        await asyncio.sleep(6.9)
        assert not task.done()
        assert await task == Delivered(attempts=1)
        assert now() == pytest.approx(7.0, abs=0.01)

    run(main())


def test_a_failure_is_repeated_with_the_same_card_after_growing_pauses() -> None:
    policy = DeliveryPolicy(backoff_base_seconds=2.0, backoff_max_seconds=10.0)
    sink = Toy(failing(5))

    assert run(hand_over(line_of(sink, policy), 1)) == Delivered(attempts=6)

    pauses = [after - before for before, after in pairwise(sink.asked_at)]
    for pause, full in zip(pauses, (2.0, 4.0, 8.0, 10.0, 10.0), strict=True):
        assert full / 2 <= pause <= full + 0.01
    assert len({round(pause, 3) for pause in pauses}) == 5, "there is jitter in them"


def test_the_jitter_is_the_clocks() -> None:
    async def main(chance: float) -> float:
        sink = Toy(failing(1))
        await hand_over(DeliveryLine(sink, policy=FEW, clock=Clock(chance=lambda: chance)), 1)
        return now()

    assert run(main(0.0)) == pytest.approx(0.5, abs=0.01)
    assert run(main(0.5)) == pytest.approx(0.75, abs=0.01)


def test_a_card_is_given_up_after_its_attempts() -> None:
    sink = Toy(failing(99))

    outcome = run(hand_over(line_of(sink), 1))

    assert outcome == Undelivered("the sink raised LookupError", attempts=3)
    assert sink.attempts == {"Toy1": 3}


def test_the_repeats_of_all_cards_together_are_bounded() -> None:
    policy = DeliveryPolicy(attempts_max=5, repeats_max=6, failures_max=1000)
    sink = Toy(failing(99))

    async def main() -> None:
        line = line_of(sink, policy)
        for number in range(4):
            await hand_over(line, number)

    run(main())

    assert list(sink.attempts.values()) == [5, 3, 1, 1]


def test_a_delivery_that_hangs_is_repeated_too() -> None:
    def hangs_once(_id: str, attempt: int) -> float:
        return 1000.0 if attempt == 1 else 0.0

    async def main() -> None:
        line = line_of(Toy(hangs_once))
        assert await hand_over(line, 1) == Delivered(attempts=2)
        assert FEW.attempt_seconds_max < now() < FEW.attempt_seconds_max + 2
        assert line.last_problem == "the sink took too long"

    run(main())


@pytest.mark.parametrize(
    ("raised", "problem"),
    [
        (DeliveryError(Reason("the command died")), "the command died"),
        (TimeoutError(), "the sink took too long"),
        (ValueError("secret"), "the sink raised ValueError"),
        (SystemExit(3), "the sink raised SystemExit"),
        (asyncio.CancelledError(), "the sink raised CancelledError"),
        (ExceptionGroup("two", [ValueError("secret")]), "the sink raised ExceptionGroup"),
    ],
)
def test_whatever_a_sink_raises_is_a_failed_delivery(raised: BaseException, problem: str) -> None:
    sink = Toy(lambda _id, _attempt: raised)

    assert run(hand_over(line_of(sink), 1)) == Undelivered(problem, attempts=3)


def test_a_caller_who_is_cancelled_is_cancelled() -> None:
    async def main() -> None:
        sink = Toy(lambda _id, _attempt: 50.0)
        line = line_of(sink)
        task = asyncio.create_task(hand_over(line, 1))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert sink.under_way == 0
        assert line.state is LineState.OPEN
        assert await asyncio.wait_for(hand_over(line, 2), 60) == Delivered(attempts=1)

    run(main())


# --- many cards ------------------------------------------------------------------------------


def test_no_more_cards_are_with_the_sink_than_allowed_and_the_others_wait() -> None:
    async def main() -> None:
        sink = Toy(lambda _id, _attempt: 10.0)
        line = line_of(sink, DeliveryPolicy(at_a_time_max=3))
        await asyncio.gather(*(hand_over(line, number) for number in range(9)))
        assert sink.most == 3
        assert now() == pytest.approx(30.0, abs=0.01)
        assert len(sink.taken) == 9

    run(main())


# --- the line --------------------------------------------------------------------------------


def test_failures_in_a_row_stop_the_line_and_one_success_opens_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    states: list[LineState] = []
    caplog.set_level(logging.WARNING, "agcod_async")

    async def main() -> None:
        works_from = 20.0
        sink = Toy(lambda _id, _attempt: 0.0 if now() >= works_from else LookupError("no"))
        policy = DeliveryPolicy(failures_max=4, at_a_time_max=2, attempts_max=50)
        line = line_of(sink, policy, lambda changed: states.append(changed.state))
        hand_overs = [asyncio.create_task(hand_over(line, number)) for number in range(2)]
        await asyncio.sleep(0.1)
        assert await line.ready(), "two failures are not many"
        await asyncio.sleep(5)
        assert line.state is LineState.STOPPED
        assert await line.ready()
        assert now() >= works_from
        assert line.failures_in_row == 0
        assert {type(one) for one in await asyncio.gather(*hand_overs)} == {Delivered}

    run(main())

    assert states == [LineState.STOPPED, LineState.OPEN]
    stopped, opened = caplog.messages
    assert stopped == (
        "delivery has stopped after 4 failures in a row, the last one: the sink raised LookupError"
    )
    assert opened == "delivery goes on: the sink has taken a card"


def test_only_failures_in_a_row_stop_the_line() -> None:
    async def main() -> None:
        line = line_of(Toy(lambda number, _attempt: LookupError() if number < "Toy5" else 0.0))
        for number in (1, 2, 5, 1, 2, 5, 1, 2):
            await hand_over(line, number)
            assert line.failures_in_row < FEW.failures_max or number == 2
            assert (line.state is LineState.OPEN) == (line.failures_in_row < FEW.failures_max)

    run(main())


def test_a_line_that_gives_a_card_up_while_it_is_stopped_is_not_worth_waiting_for() -> None:
    states: list[LineState] = []

    async def main() -> None:
        sink = Toy(failing(99))
        line = line_of(sink, on_change=lambda changed: states.append(changed.state))
        outcomes = await asyncio.gather(*(hand_over(line, number) for number in range(2)))
        assert {type(one) for one in outcomes} == {Undelivered}
        assert not await line.ready()
        sink.does = failing(0)
        assert await hand_over(line, 9) == Delivered(attempts=1)
        assert await line.ready(), "but a success opens it all the same"

    run(main())

    assert states == [LineState.STOPPED, LineState.GIVEN_UP, LineState.OPEN]


def test_one_card_that_is_given_up_is_enough_although_others_are_still_tried() -> None:
    async def main() -> None:
        sink = Toy(lambda number, _attempt: LookupError() if number == "Toy1" else 1000.0)
        line = line_of(sink, DeliveryPolicy(failures_max=1, attempts_max=3))
        slow = asyncio.create_task(hand_over(line, 2))
        quick = asyncio.create_task(hand_over(line, 1))
        await asyncio.sleep(0.1)
        assert not await line.ready()
        assert quick.done()
        assert not slow.done()
        await slow

    run(main())


def test_a_line_whose_last_card_is_taken_away_is_not_waited_for_either() -> None:
    async def main() -> None:
        line = line_of(Toy(failing(99)), DeliveryPolicy(failures_max=1))
        task = asyncio.create_task(hand_over(line, 1))
        await asyncio.sleep(0.1)
        assert line.state is LineState.STOPPED
        task.cancel()
        assert not await line.ready()

    run(main())


def test_a_listener_that_raises_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def broken(_line: DeliveryLine) -> None:
        raise OSError("nobody looks")

    assert run(hand_over(line_of(Toy(failing(99)), DeliveryPolicy(failures_max=1), broken), 1)) == (
        Undelivered("the sink raised LookupError", attempts=15)
    )
    assert "on_change raised OSError" in caplog.messages


# --- the end ---------------------------------------------------------------------------------


def test_hurried_deliveries_get_little_more_time_all_of_them_together() -> None:
    async def main() -> None:
        sink = Toy(lambda _id, _attempt: 1000.0)
        line = line_of(sink, DeliveryPolicy(at_a_time_max=1))
        asyncio.get_running_loop().call_at(10.0, line.hurry)
        asyncio.get_running_loop().call_at(13.0, line.hurry)
        first, *others = await asyncio.gather(*(hand_over(line, number) for number in range(20)))
        assert first == Undelivered("the sink took too long", attempts=1)
        assert others == [Undelivered("no time was left for it", attempts=0)] * 19
        assert now() == pytest.approx(10.0 + HURRIED_SECONDS_MAX, abs=0.01)
        assert line.failures_in_row == 1, "a sink that is not asked has not failed"

    run(main())


def test_hurry_never_gives_more_time() -> None:
    async def main() -> None:
        line = line_of(Toy(lambda _id, _attempt: 1000.0), DeliveryPolicy(attempt_seconds_max=2))
        asyncio.get_running_loop().call_at(1.0, line.hurry)
        await hand_over(line, 1)
        await hand_over(line, 2)
        assert now() == pytest.approx(4.0, abs=0.01)

    run(main())


def test_a_card_between_two_attempts_is_given_one_more_when_the_line_is_hurried() -> None:
    async def main() -> None:
        policy = DeliveryPolicy(backoff_base_seconds=50.0)
        line = line_of(Toy(failing(99)), policy)
        asyncio.get_running_loop().call_at(10.0, line.hurry)
        assert await hand_over(line, 1) == Undelivered("the sink raised LookupError", attempts=2)
        assert now() == pytest.approx(10.0, abs=0.01)

    run(main())


def test_hurrying_a_delivery_whose_time_is_over_changes_nothing() -> None:
    class Slow(Toy):
        async def deliver(self, card: GiftCard, order: Order) -> None:
            try:
                await super().deliver(card, order)
            except asyncio.CancelledError:
                line.hurry()
                raise

    line = line_of(Slow(lambda _id, _attempt: 1000.0))

    assert run(hand_over(line, 1)) == Undelivered("the sink took too long", attempts=1)


def test_leaving_the_line_closes_its_sink() -> None:
    async def main() -> Toy:
        sink = Toy()
        async with line_of(sink) as line:
            await hand_over(line, 1)
            assert sink.closed == 0
        return sink

    assert run(main()).closed == 1


@pytest.mark.parametrize(
    ("closing", "seconds", "problem"),
    [
        (OSError("secret"), 0.0, "it raised OSError"),
        (None, CLOSE_SECONDS_MAX, "it took too long"),
    ],
)
def test_a_sink_that_does_not_close_is_told_of_and_left(
    closing: Exception | None, seconds: float, problem: str, caplog: pytest.LogCaptureFixture
) -> None:
    class Stuck(Toy):
        async def aclose(self) -> None:
            if closing is not None:
                raise closing
            await asyncio.sleep(10_000)

    async def main() -> float:
        await line_of(Stuck()).aclose()
        return now()

    assert run(main()) == pytest.approx(seconds, abs=0.01)
    assert caplog.messages == [f"the sink did not close: {problem}"]


class Stuck(Toy):
    async def aclose(self) -> None:
        await asyncio.sleep(10_000)


@pytest.mark.parametrize(
    ("hurried_at", "closed_at", "ended_at"),
    [(0.0, 0.0, 5.0), (0.0, 4.5, 5.5), (0.0, 7.0, 8.0), (3.0, 1.0, 8.0), (88.0, 0.0, 90.0)],
)
def test_a_hurried_line_closes_in_a_hurry_also_where_it_is_closing_already(
    hurried_at: float, closed_at: float, ended_at: float
) -> None:
    assert (HURRIED_SECONDS_MAX, HURRIED_CLOSE_SECONDS_MIN, CLOSE_SECONDS_MAX) == (5.0, 1.0, 90.0)

    async def main() -> float:
        line = line_of(Stuck())
        asyncio.get_running_loop().call_at(hurried_at, line.hurry)
        await asyncio.sleep(closed_at)
        await line.aclose()
        return now()

    assert run(main()) == pytest.approx(ended_at, abs=0.01)


@pytest.mark.parametrize(
    "limits",
    [
        {"at_a_time_max": 0},
        {"attempts_max": 0},
        {"failures_max": 0},
        {"repeats_max": -1},
        {"attempt_seconds_max": 0.0},
        {"attempt_seconds_max": float("nan")},
        {"backoff_base_seconds": -1.0},
        {"backoff_base_seconds": 5.0, "backoff_max_seconds": 4.0},
    ],
    ids=str,
)
def test_a_limit_that_cannot_be_kept_is_refused_by_name(limits: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=list(limits)[-1]):
        DeliveryPolicy(**limits)  # type: ignore[arg-type]


def test_by_default_a_card_is_held_for_some_minutes_and_no_longer() -> None:
    sink = Toy(failing(99))
    line = line_of(sink, DeliveryPolicy())

    run(hand_over(line, 1))

    assert line.state is LineState.OPEN, "one card that nobody can take stops no batch"
    assert 300 < sink.asked_at[-1] - sink.asked_at[0] < 600
