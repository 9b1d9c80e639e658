"""What benchmarks say of figures: ratios of one round each, a regression only if it is sure."""

import random

import pytest

from benchmarks.suite.compare import Verdict
from benchmarks.suite.ratios import Comparison, Ratio, compared, paired, percentile, rounded

PAIRS = 15


def _pairs(factor: float, *, noise: float, seed: int) -> list[float]:
    chance = random.Random(seed)
    return [factor * chance.gauss(1, noise) / chance.gauss(1, noise) for _ in range(PAIRS)]


def test_a_ratio_is_taken_within_a_round_so_that_a_slow_minute_hits_both() -> None:
    fast, slow = [1.0, 10.0, 2.0], [2.0, 20.0, 4.0]

    assert paired(slow, fast) == Ratio(2.0, 2.0, 2.0)


def test_a_ratio_shows_its_worst_rounds() -> None:
    assert paired([1.0, 2.0, 9.0], [1.0, 1.0, 1.0]) == Ratio(2.0, 1.0, 9.0)


def test_rounds_that_are_missing_are_an_error() -> None:
    with pytest.raises(ValueError, match="longer"):
        paired([1.0], [1.0, 2.0])


@pytest.mark.parametrize("seed", range(10))
def test_what_has_not_changed_is_no_regression_even_in_noise_of_a_fifth(seed: int) -> None:
    assert not Verdict(_pairs(1.0, noise=0.2, seed=seed)).is_regression


@pytest.mark.parametrize("seed", range(10))
def test_ten_percent_are_found_in_noise_of_two(seed: int) -> None:
    assert Verdict(_pairs(1.10, noise=0.02, seed=seed)).is_regression


@pytest.mark.parametrize("seed", range(10))
def test_double_the_cost_is_found_in_noise_of_a_fifth(seed: int) -> None:
    assert Verdict(_pairs(2.0, noise=0.2, seed=seed)).is_regression


def test_one_disturbed_turn_is_no_regression() -> None:
    assert not Verdict([1.0] * (PAIRS - 2) + [40.0, 50.0]).is_regression


def test_a_verdict_says_what_it_found() -> None:
    assert str(Verdict([2.0] * PAIRS)).endswith("DEARER")
    assert str(Verdict([0.5] * PAIRS)).endswith("cheaper")
    assert str(Verdict([1.0] * PAIRS)).endswith("as it was")


@pytest.mark.parametrize(
    ("aim", "is_kept"),
    [
        ({}, None),
        ({"at_most": 2.0}, True),
        ({"at_most": 1.9}, False),
        ({"at_least": 2.0}, True),
        ({"at_least": 2.1}, False),
    ],
)
def test_an_aim_is_held_against_the_median(aim: dict[str, float], *, is_kept: bool | None) -> None:
    comparison = Comparison("one", "other", Ratio(2.0, 1.0, 3.0), **aim)

    assert comparison.is_kept is is_kept
    assert comparison.as_data()["kept"] is is_kept


@pytest.mark.parametrize(("aim", "is_close"), [(1.5, False), (1.98, True), (2.5, False)])
@pytest.mark.parametrize("kind", ["at_most", "at_least"])
def test_an_aim_within_the_noise_is_too_close_to_tell(
    kind: str, aim: float, *, is_close: bool
) -> None:
    figures = [1.9, 1.95, 2.0, 2.0, 2.0, 2.05, 2.1]
    comparison = compared("one", "other", figures, [1.0] * len(figures), **{kind: aim})

    assert comparison.is_close is is_close
    assert ("TOO CLOSE" in str(comparison)) is is_close


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(number) for number in range(1000, 0, -1)]

    assert percentile(values, 0.5) == 501
    assert percentile(values, 0.999) == 1000
    assert percentile([3.0], 0.999) == 3.0


def test_a_file_of_results_has_four_digits() -> None:
    assert rounded({"a": [1.23456, 7], "b": ("x", None, True)}) == {
        "a": [1.235, 7],
        "b": ["x", None, True],
    }
