"""The window and the floor alone: pure, and under latencies of every kind."""

import math
import random
from heapq import heappop, heappush
from itertools import count
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agcod_async.pacing.window import (
    FLOOR_MEMORY_SECONDS,
    GUARD_SECONDS,
    SAMPLES,
    ConfirmedWindow,
    RoundTripFloor,
)

BOUND = 1.0


class Request(NamedTuple):
    idle: float
    before: float
    out: float
    back: float | None  # None: the reply is lost
    is_unused: bool


def requests() -> st.SearchStrategy[Request]:
    short = st.floats(0, 0.3)
    return st.builds(
        Request,
        idle=st.one_of(st.just(0.0), st.floats(0, 3)),
        before=st.one_of(st.just(0.0), short),
        out=st.one_of(st.sampled_from([0.0, BOUND]), st.floats(0, BOUND)),
        back=st.one_of(st.none(), short, st.floats(0, 5)),
        is_unused=st.sampled_from([False] * 9 + [True]),
    )


def floor_of(seconds: float) -> RoundTripFloor:
    floor = RoundTripFloor()
    floor.seconds = seconds
    return floor


def arrivals_of(
    window: ConfirmedWindow, floor: RoundTripFloor, script: list[Request]
) -> list[float]:
    """Play a script against a window, as fast as the window lets, and return the arrivals."""
    arrivals: list[float] = []
    due: list[tuple[float, int, object]] = []
    order = count()
    now = 0.0

    def run_until(moment: float) -> None:
        nonlocal now
        while due and due[0][0] <= moment:
            now, _, act = heappop(due)
            act()  # type: ignore[operator]
        now = max(now, moment)

    for request in script:
        run_until(now + request.idle)
        while (free_at := window.free_at()) > now:
            run_until(min(free_at, due[0][0] if due else math.inf))
        lease = window.take()

        def leave(request: Request = request, lease: object = lease) -> None:
            if request.is_unused:
                lease.unused()
                return
            lease.sent(now)
            arrivals.append(now + request.out)
            if request.back is not None:
                reply_at = now + request.out + request.back
                confirm = lambda: lease.answered(now, floor)  # noqa: E731  # one event
                heappush(due, (reply_at, next(order), confirm))

        heappush(due, (now + request.before, next(order), leave))
    run_until(now + 10)
    return sorted(arrivals)


@settings(max_examples=600, deadline=None)
@given(
    rate=st.sampled_from([0.5, 1.0, 2.5, 3.0, 7.9, 10.0]),
    floor_share=st.floats(0, 1),
    script=st.lists(requests(), min_size=1, max_size=60),
)
def test_no_sliding_window_at_the_server_holds_more_than_the_cap(
    rate: float, floor_share: float, script: list[Request]
) -> None:
    least_out = min(request.out for request in script)
    least_back = min((r.back for r in script if r.back is not None), default=0.0)
    window = ConfirmedWindow(requests_per_second=rate, arrival_bound_seconds=BOUND)
    arrivals = arrivals_of(window, floor_of(floor_share * (least_out + least_back)), script)
    slots = max(1, math.floor(rate))
    assert len(arrivals) == sum(not request.is_unused for request in script)
    for first, one_too_many in zip(arrivals, arrivals[slots:], strict=False):
        assert one_too_many - first >= slots / rate


@pytest.mark.parametrize(
    ("rate", "slots", "seconds"), [(10, 10, 1.0), (2.5, 2, 0.8), (1, 1, 1.0), (0.5, 1, 2.0)]
)
def test_the_slots_and_the_window_make_up_the_rate(rate: float, slots: int, seconds: float) -> None:
    window = ConfirmedWindow(requests_per_second=rate, arrival_bound_seconds=BOUND)
    for _ in range(slots):
        assert window.free_at() == -math.inf
        window.take()
    assert window.free_at() == math.inf
    assert window.seconds == pytest.approx(seconds)


def test_a_slot_stays_blocked_until_its_request_is_sent_or_given_back() -> None:
    window = ConfirmedWindow(requests_per_second=1, arrival_bound_seconds=BOUND)
    lease = window.take()
    assert window.free_at() == math.inf
    lease.unused()
    assert window.free_at() == -math.inf


def test_an_unanswered_slot_is_free_a_window_after_the_arrival_bound() -> None:
    window = ConfirmedWindow(requests_per_second=1, arrival_bound_seconds=0.25)
    window.take().sent(5.0)
    assert window.free_at() == pytest.approx(6.25 + GUARD_SECONDS)


def test_the_slot_is_expected_sooner_while_a_reply_can_still_come() -> None:
    window = ConfirmedWindow(requests_per_second=1, arrival_bound_seconds=0.25)
    assert window.expected_free_at() == -math.inf
    lease = window.take()
    assert window.expected_free_at() == math.inf
    lease.sent(5.0)
    assert window.expected_free_at() == pytest.approx(6.0 + GUARD_SECONDS)
    lease.answered(5.1, None)
    assert window.expected_free_at() == window.free_at()


def test_a_reply_frees_the_slot_sooner_and_never_later() -> None:
    window = ConfirmedWindow(requests_per_second=1, arrival_bound_seconds=0.25)
    lease = window.take()
    lease.sent(5.0)
    lease.answered(5.1, None)
    assert window.free_at() == pytest.approx(6.1 + GUARD_SECONDS)
    lease.answered(9.0, None)
    assert window.free_at() == pytest.approx(6.1 + GUARD_SECONDS)


def test_a_late_reply_does_not_free_a_slot_that_somebody_else_has_by_now() -> None:
    window = ConfirmedWindow(requests_per_second=1, arrival_bound_seconds=0.25)
    late = window.take()
    late.sent(0.0)
    window.take()
    late.answered(0.1, None)
    assert window.free_at() == math.inf


def test_a_floor_that_falls_holds_back_what_was_answered_under_the_higher_one() -> None:
    window = ConfirmedWindow(requests_per_second=1, arrival_bound_seconds=0.25)
    floor = floor_of(0.2)
    lease = window.take()
    lease.sent(5.0)
    lease.answered(5.2, floor)
    assert window.free_at() == pytest.approx(6.0 + GUARD_SECONDS)
    floor.seconds = 0.05
    assert window.free_at() == pytest.approx(6.15 + GUARD_SECONDS)


def test_each_reply_is_subject_to_the_floor_of_its_own_operation() -> None:
    window = ConfirmedWindow(requests_per_second=2, arrival_bound_seconds=0.25)
    slow, quick = window.take(), window.take()
    slow.sent(5.0)
    quick.sent(5.1)
    quick.answered(5.15, floor_of(0.05))
    slow.answered(5.2, floor_of(0.2))
    assert window.free_at() == pytest.approx(6.0 + GUARD_SECONDS)
    window.take()
    assert window.free_at() == pytest.approx(6.1 + GUARD_SECONDS)


def test_what_the_window_remembers_does_not_grow_with_the_traffic() -> None:
    window = ConfirmedWindow(requests_per_second=10, arrival_bound_seconds=BOUND)
    now = 0.0
    for _ in range(5_000):
        now = max(now, window.free_at())
        lease = window.take()
        lease.sent(now)
        lease.answered(now + 0.01, None)
    assert len(window._sends) + sum(map(len, window._replies.values())) <= 40


def test_the_floor_is_0_until_enough_replies_were_seen() -> None:
    floor = RoundTripFloor()
    for _ in range(SAMPLES - 1):
        floor.observe(0.2, 0.0)
        assert floor.seconds == 0.0
    floor.observe(0.2, 0.0)
    assert floor.seconds == pytest.approx(0.2)


def test_the_floor_takes_the_scatter_of_the_smallest_off_the_smallest() -> None:
    floor = RoundTripFloor()
    smallest = [0.21 + 0.002 * number for number in range(SAMPLES)]
    for round_trip in (0.9, *reversed(smallest), 0.3):
        floor.observe(round_trip, 0.0)
    assert floor.seconds == pytest.approx(0.21 - (smallest[-1] - 0.21))


def test_the_floor_is_0_where_the_round_trips_scatter_widely() -> None:
    floor = RoundTripFloor()
    for tenths in range(1, 20):
        floor.observe(tenths / 10, 0.0)
    assert floor.seconds == 0.0


@given(st.lists(st.tuples(st.floats(0, 10), st.floats(0, 400)), min_size=1, max_size=200))
def test_the_floor_is_never_above_the_round_trip_it_is_used_for(
    steps: list[tuple[float, float]],
) -> None:
    floor = RoundTripFloor()
    now = 0.0
    for round_trip, pause in steps:
        now += pause
        floor.observe(round_trip, now)
        assert 0.0 <= floor.seconds <= round_trip


def test_a_sudden_quick_reply_lowers_the_floor_at_once() -> None:
    floor = RoundTripFloor()
    for _ in range(1_000):
        floor.observe(0.2, 0.0)
    floor.observe(0.02, 0.0)
    assert floor.seconds == 0.0


def test_the_floor_rises_again_when_the_quick_replies_are_long_ago() -> None:
    floor = RoundTripFloor()
    for _ in range(SAMPLES):
        floor.observe(0.02, 0.0)
    for round_ in range(1, 4):
        for _ in range(SAMPLES):
            floor.observe(0.2, round_ * (FLOOR_MEMORY_SECONDS + 1))
        expected = 0.02 if round_ == 1 else 0.2
        assert floor.seconds == pytest.approx(expected)


def test_the_floor_comes_close_to_the_truth_from_below_under_jitter() -> None:
    chance = random.Random(7)
    floor = RoundTripFloor()
    for _ in range(5_000):
        floor.observe(0.1 + chance.uniform(0, 0.05), 0.0)
    assert 0.0995 <= floor.seconds <= 0.1
