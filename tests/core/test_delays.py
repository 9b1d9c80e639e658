import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agcod_async.core.delays import backoff_seconds, cooldown_seconds, settle_seconds
from agcod_async.core.policy import RecoveryPolicy

POLICY = RecoveryPolicy()
chances = st.floats(min_value=0, max_value=1, exclude_max=True)
counts = st.integers(min_value=0, max_value=10**9)


@pytest.mark.parametrize(
    ("repeats", "full"), [(1, 0.1), (2, 0.2), (3, 0.4), (8, 12.8), (9, 20.0), (10**9, 20.0)]
)
def test_a_backoff_doubles_up_to_its_limit_and_half_of_it_is_chance(
    repeats: int, full: float
) -> None:
    assert backoff_seconds(POLICY, repeats, 0.0) == pytest.approx(full / 2)
    assert backoff_seconds(POLICY, repeats, 0.5) == pytest.approx(full * 0.75)


@pytest.mark.parametrize(
    ("throttles", "floor"), [(1, 1.0), (2, 2.0), (3, 4.0), (6, 32.0), (7, 60.0), (10**9, 60.0)]
)
def test_a_cooldown_doubles_up_to_its_limit_and_chance_comes_on_top(
    throttles: int, floor: float
) -> None:
    assert cooldown_seconds(POLICY, throttles, 0.0) == floor
    assert cooldown_seconds(POLICY, throttles, 0.5) == pytest.approx(floor * 1.125)


@given(throttles=counts, chance=chances)
def test_a_cooldown_never_undercuts_its_floor(throttles: int, chance: float) -> None:
    pause = cooldown_seconds(POLICY, throttles, chance)
    assert POLICY.cooldown_floor_seconds <= pause <= POLICY.cooldown_max_seconds * 1.25


@given(throttles=counts, chance=chances, other=chances)
def test_more_throttles_never_shorten_the_floor_of_a_cooldown(
    throttles: int, chance: float, other: float
) -> None:
    floor = cooldown_seconds(POLICY, throttles, 0.0)
    assert cooldown_seconds(POLICY, throttles + 1, chance) >= floor
    assert cooldown_seconds(POLICY, throttles, other) >= floor


@given(repeats=counts, chance=chances)
def test_a_backoff_is_never_shorter_than_half_its_base_nor_longer_than_its_limit(
    repeats: int, chance: float
) -> None:
    pause = backoff_seconds(POLICY, repeats, chance)
    assert POLICY.backoff_base_seconds / 2 <= pause <= POLICY.backoff_max_seconds


@given(repeats=counts, chance=chances)
def test_a_backoff_of_nothing_stays_nothing(repeats: int, chance: float) -> None:
    at_once = RecoveryPolicy(backoff_base_seconds=0, backoff_max_seconds=0)
    assert backoff_seconds(at_once, repeats, chance) == 0.0


def test_a_limit_of_infinity_is_no_trap() -> None:
    endless = RecoveryPolicy(backoff_max_seconds=math.inf)
    assert math.isfinite(backoff_seconds(endless, 10**9, 0.5))


@given(now=st.floats(0, 1e10), late=st.floats(-1e10, 1e10))
def test_a_settle_lasts_until_nothing_late_can_land_and_is_never_negative(
    now: float, late: float
) -> None:
    pause = settle_seconds(now, now + late)
    assert pause >= 0
    assert now + pause >= now + late - 1e-3
    assert pause <= max(0.0, late) + 1e-3
