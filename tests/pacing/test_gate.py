"""The cooldown gate alone: pure."""

import math

import pytest

from agcod_async.core.policy import RecoveryPolicy
from agcod_async.pacing.gate import CooldownGate

POLICY = RecoveryPolicy(cooldown_floor_seconds=1.0, cooldown_max_seconds=60.0)


def new_gate(rate: float = 10.0, window: float = 1.0) -> CooldownGate:
    return CooldownGate(POLICY, requests_per_second=rate, window_seconds=window)


def closed_gate(rate: float = 10.0, window: float = 1.0) -> CooldownGate:
    """Return a gate that a throttle has closed from 0 to 1."""
    gate = new_gate(rate, window)
    gate.throttled(gate.given(0.0), 0.0, 0.0)
    return gate


def reopened_gate(rate: float = 10.0, window: float = 1.0) -> CooldownGate:
    """Return a gate whose probe was given and answered at 1: the slow start begins."""
    gate = closed_gate(rate, window)
    gate.answered(gate.given(1.0), 1.0)
    return gate


def permits_between(gate: CooldownGate, start: float, end: float) -> int:
    """Count what the gate gives, asked every millisecond."""
    given = 0
    for step in range(round(start * 1000), round(end * 1000)):
        if gate.opens_at(step / 1000) <= step / 1000:
            gate.given(step / 1000)
            given += 1
    return given


def test_a_gate_is_open_until_somebody_is_throttled() -> None:
    gate = new_gate()
    gate.answered(gate.given(0.0), 0.1)
    gate.lost(gate.given(0.2), 0.3)
    gate.unused(gate.given(0.4))
    assert gate.opens_at(0.5) == -math.inf
    assert gate.closed_for_seconds(0.5) == 0.0


@pytest.mark.parametrize("chance", [0.0, 0.5, 0.999])
def test_the_jitter_comes_on_top_of_the_floor(chance: float) -> None:
    gate = new_gate()
    gate.throttled(gate.given(0.0), 5.0, chance)
    assert gate.opens_at(5.0) == pytest.approx(6.0 + 0.25 * chance)
    assert gate.closed_for_seconds(5.0) == pytest.approx(1.0 + 0.25 * chance)


def test_a_throttled_probe_doubles_the_pause_up_to_its_limit() -> None:
    gate = closed_gate()
    pauses: list[float] = []
    now = gate.opens_at(0.0)
    for _ in range(8):
        gate.throttled(gate.given(now), now, 0.0)
        pauses.append(gate.opens_at(now) - now)
        now = gate.opens_at(now)
    assert pauses == pytest.approx([2, 4, 8, 16, 32, 60, 60, 60])


def test_what_was_under_way_at_the_closing_makes_the_pause_longer_but_does_not_double_it() -> None:
    gate = new_gate()
    tickets = [gate.given(0.0) for _ in range(20)]
    for number, ticket in enumerate(tickets):
        gate.throttled(ticket, number / 100, 0.0)
    assert gate.opens_at(0.2) == pytest.approx(1.19)
    assert gate.throttles_seen == 20
    gate.throttled(gate.given(1.19), 1.2, 0.0)
    assert gate.opens_at(1.2) == pytest.approx(3.2)


def test_a_late_throttle_never_makes_the_pause_shorter() -> None:
    gate = new_gate()
    first, second = gate.given(0.0), gate.given(0.0)
    gate.throttled(first, 0.0, 0.99)
    gate.throttled(second, 0.001, 0.0)
    assert gate.opens_at(0.1) == pytest.approx(1.2475)


def test_exactly_one_probe_goes_after_the_pause() -> None:
    gate = closed_gate()
    assert gate.opens_at(0.5) == 1.0
    gate.given(1.0)
    assert gate.opens_at(1.5) == math.inf
    assert gate.opens_at(100.0) == math.inf


def test_only_the_answer_to_the_probe_opens() -> None:
    gate = new_gate()
    first, second = gate.given(0.0), gate.given(0.0)
    gate.throttled(first, 0.0, 0.0)
    gate.answered(second, 0.1)
    assert gate.opens_at(0.2) == 1.0
    probe = gate.given(1.0)
    gate.answered(second, 1.1)
    gate.lost(second, 1.1)
    gate.unused(second)
    assert gate.opens_at(1.2) == math.inf
    gate.answered(probe, 1.3)
    assert gate.opens_at(1.3) < math.inf


def test_a_lost_probe_lets_another_go_after_the_floor() -> None:
    gate = closed_gate()
    gate.lost(gate.given(1.0), 7.0)
    assert gate.opens_at(7.0) == 8.0
    gate.given(8.0)
    assert gate.opens_at(8.1) == math.inf


def test_an_unused_probe_lets_another_go_at_once() -> None:
    gate = closed_gate()
    gate.unused(gate.given(1.0))
    assert gate.opens_at(1.0) == 1.0


def test_a_late_throttle_holds_an_answered_probe_back_until_its_floor() -> None:
    gate = new_gate()
    first, late = gate.given(0.0), gate.given(0.0)
    gate.throttled(first, 0.0, 0.0)
    probe = gate.given(1.0)
    gate.throttled(late, 1.1, 0.0)
    assert gate.opens_at(1.15) == math.inf
    gate.answered(probe, 1.2)
    assert gate.opens_at(1.2) == pytest.approx(2.1)
    assert permits_between(gate, 1.2, 2.1) == 0


def test_a_probe_that_is_throttled_after_a_late_throttle_still_doubles() -> None:
    gate = new_gate()
    first, late = gate.given(0.0), gate.given(0.0)
    gate.throttled(first, 0.0, 0.0)
    probe = gate.given(1.0)
    gate.throttled(late, 1.1, 0.0)
    gate.throttled(probe, 1.2, 0.0)
    assert gate.opens_at(1.2) == pytest.approx(3.2)


def test_a_late_throttle_closes_a_gate_that_has_opened_again_without_doubling() -> None:
    gate = new_gate()
    first, late = gate.given(0.0), gate.given(0.0)
    gate.throttled(first, 0.0, 0.0)
    gate.answered(gate.given(1.0), 1.0)
    gate.throttled(late, 2.0, 0.9)
    assert gate.opens_at(2.0) == pytest.approx(3.0)
    gate.given(3.0)
    assert gate.opens_at(3.1) == math.inf


def test_the_slow_start_goes_through_a_quarter_and_a_half_of_the_rate() -> None:
    gate = reopened_gate(rate=20.0)
    assert 4 <= permits_between(gate, 1.0, 2.0) <= 5
    assert 9 <= permits_between(gate, 2.0, 3.0) <= 10
    assert gate.opens_at(3.0) <= 3.0  # the full rate: the spacing does the rest
    assert gate.opens_at(3.9) <= 3.9


def test_a_stage_of_the_slow_start_lasts_a_window_where_that_is_longer() -> None:
    gate = reopened_gate(rate=0.5, window=2.0)
    # The probe went at 1. At a quarter the next would go at 9, at a half at 5: from 5 on the rate
    # is full.
    assert gate.opens_at(1.0) == pytest.approx(5.0)
    gate.given(5.0)
    assert gate.opens_at(5.0) <= 5.0


def test_a_throttle_during_the_slow_start_doubles() -> None:
    for moment in (1.5, 2.5, 3.5):
        gate = reopened_gate()
        gate.throttled(gate.given(moment), moment, 0.0)
        assert gate.opens_at(moment) == pytest.approx(moment + 2.0)


def test_after_the_slow_start_a_throttle_is_the_first_in_a_row_again() -> None:
    gate = reopened_gate()
    gate.throttled(gate.given(4.0), 4.0, 0.0)
    assert gate.opens_at(4.0) == pytest.approx(5.0)


def test_the_slow_start_ends_by_itself() -> None:
    gate = reopened_gate()
    assert gate.opens_at(3.9) > -math.inf
    assert gate.opens_at(4.0) == -math.inf


def test_a_permit_from_before_a_closing_is_known_as_such() -> None:
    gate = new_gate()
    before = gate.given(0.0)
    assert not gate.has_closed_since(before)
    gate.throttled(gate.given(0.0), 0.0, 0.0)
    assert gate.has_closed_since(before)
    assert not gate.has_closed_since(gate.given(1.0))


def test_the_estimate_divides_by_the_rate_while_the_gate_is_open() -> None:
    assert new_gate().wait_seconds(0.0, 25) == pytest.approx(2.5)


def test_the_estimate_counts_the_closed_time_and_the_slow_start() -> None:
    gate = closed_gate(rate=10.0)
    assert gate.wait_seconds(0.25, 0) == pytest.approx(0.75)
    # 2.5 in the first second after the opening, 5 in the second, 10 a second from then on.
    assert gate.wait_seconds(0.0, 1) == pytest.approx(1 + 1 / 2.5)
    assert gate.wait_seconds(0.0, 5) == pytest.approx(1 + 1 + 2.5 / 5)
    assert gate.wait_seconds(0.0, 100) == pytest.approx(1 + 2 + 92.5 / 10)


def test_the_estimate_counts_what_is_left_of_the_slow_start() -> None:
    gate = reopened_gate(rate=10.0)
    assert gate.wait_seconds(1.5, 2) == pytest.approx(0.5 + 0.75 / 5)
    assert gate.wait_seconds(2.5, 10) == pytest.approx(0.5 + 7.5 / 10)
    assert gate.wait_seconds(4.0, 10) == pytest.approx(1.0)
