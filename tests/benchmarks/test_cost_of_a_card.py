"""What a card costs, in units that a busy machine does not change much.

Why: docs/decisions/0042-a-regression-is-paired.md.
`make bench-compare BASE=…` is the finer measure.
"""

from collections.abc import Mapping
from typing import Any

import pytest

from benchmarks.suite.processes import Child

CALLS_MAX = 312
"""Python functions called for a card without its exchange. Lower it where a card gets cheaper."""

YARDSTICKS_MAX = 30.0
"""CPU of such a card, in multiples of the yardstick: about three times what it is."""


@pytest.fixture(scope="module")
def cost() -> Mapping[str, Any]:
    with Child("benchmarks.suite.calls") as child:
        return child.first


def test_a_card_calls_no_more_functions_than_it_did(cost: Mapping[str, Any]) -> None:
    assert 50 < cost["calls"] <= CALLS_MAX


def test_a_card_costs_a_bounded_multiple_of_what_no_client_can_do_without(
    cost: Mapping[str, Any],
) -> None:
    assert 1.0 < cost["ratio"] <= YARDSTICKS_MAX


def test_the_count_of_calls_has_no_noise(cost: Mapping[str, Any]) -> None:
    # Nearly: a cache that is full already compares its keys, which may be calls, too.
    assert cost["calls_again"] == pytest.approx(cost["calls"], rel=0.02)
