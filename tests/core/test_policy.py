import dataclasses
import math
from typing import Any

import pytest

from agcod_async.core.policy import RecoveryPolicy

LEAST: dict[str, Any] = {
    "forward_attempts_max": 1,
    "undo_attempts_max": 1,
    "turns_max": 0,
    "successors_max": 0,
    "replays_before_undo": 0,
    "backoff_base_seconds": 0.0,
    "backoff_max_seconds": 0.1,
    "cooldown_floor_seconds": 0.1,
    "cooldown_max_seconds": 1.0,
    "late_horizon_seconds": 0.0,
    "replay_horizon_seconds": 0.0,
}
"""The least that each limit may be, beside the defaults of the others."""


def test_every_number_of_the_policy_has_a_least_value() -> None:
    numbers = {
        field.name
        for field in dataclasses.fields(RecoveryPolicy)
        if type(field.default) in (int, float)
    }
    assert numbers == set(LEAST)


@pytest.mark.parametrize(("field", "least"), LEAST.items())
def test_a_limit_may_be_as_small_as_its_least_value(field: str, least: Any) -> None:
    assert getattr(RecoveryPolicy(**{field: least}), field) == least


@pytest.mark.parametrize(("field", "least"), LEAST.items())
def test_a_limit_that_cannot_be_kept_is_refused_by_name(field: str, least: Any) -> None:
    too_small: Any = least - (1 if isinstance(least, int) else 0.01)
    with pytest.raises(ValueError, match=f"^{field}: {too_small} is too small"):
        RecoveryPolicy(**{field: too_small})


@pytest.mark.parametrize("field", LEAST)
def test_what_is_not_a_number_is_no_limit(field: str) -> None:
    nothing: Any = math.nan
    with pytest.raises(ValueError, match=f"^{field}: nan is too small"):
        RecoveryPolicy(**{field: nothing})


def test_a_throttle_can_never_be_repeated_at_once() -> None:
    with pytest.raises(ValueError, match="cooldown_floor_seconds"):
        RecoveryPolicy(cooldown_floor_seconds=0)


def test_the_defaults_are_the_careful_ones() -> None:
    policy = RecoveryPolicy()
    assert policy.on_temporarily_unavailable == "compensate"
    assert policy.on_burnt_id == "successor"
    assert policy.cooldown_floor_seconds >= 1.0
    assert policy.late_horizon_seconds >= 300.0


def test_a_policy_is_a_value() -> None:
    assert RecoveryPolicy(turns_max=1) == RecoveryPolicy(turns_max=1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        RecoveryPolicy().turns_max = 9  # type: ignore[misc]
