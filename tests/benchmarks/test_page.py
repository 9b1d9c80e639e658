"""The page says what the results say, and first of all where somebody else does better."""

from collections.abc import Mapping
from typing import Any

import pytest

from docs import generate_performance as page

RATIO = {"median": 0.5, "low": 0.4, "high": 0.6}


def _at(share: float, *, busiest: float = 1.0, cpu: float = 0.1, throttled: float = 0.0) -> Any:
    return {"share": share, "busiest": busiest, "cpu_share": cpu, "throttled": throttled}


@pytest.fixture
def results(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    crowd = {"1000": {"served": 1000, "micros": 40.0, "bare_micros": 10.0}}
    found: dict[str, Any] = {
        "issuing": {"comparisons": []},
        "startup": {"imports": {"agcod_async": {"median": 1.0}, page.USED: {"median": 50.0}}},
        "pacing": {
            "paces": {"1000": {page.OURS: _at(0.9)}},
            "with_jitter": {"10/s": {page.OURS: _at(0.9)}},
            "crowds": {page.OURS: crowd},
        },
    }

    def result(name: str) -> Mapping[str, Any]:
        return dict(found[name])

    monkeypatch.setattr(page, "result", result)
    return found


@pytest.mark.usefixtures("results")
def test_where_nobody_is_better_the_page_says_so() -> None:
    assert page.better_peers() == "In none of them."


def test_a_cheaper_peer_is_named(results: dict[str, Any]) -> None:
    results["issuing"]["comparisons"] = [
        {"of": "by hand, x", "to": "SDK, y", "ratio": RATIO, "at_most": None, "at_least": None}
    ]

    assert "by hand, x costs 0.50 (0.40 to 0.60) of SDK, y" in page.better_peers()


def test_a_limiter_that_uses_more_is_named_unless_it_exceeds_the_cap(
    results: dict[str, Any],
) -> None:
    results["pacing"]["paces"]["1000"] |= {
        "careful": _at(0.99),
        "reckless": _at(1.0, busiest=2.0),
    }

    assert "careful uses more of 1,000/s" in page.better_peers()
    assert "reckless" not in page.better_peers()


def test_a_limiter_that_sends_more_is_named_unless_it_is_throttled(
    results: dict[str, Any],
) -> None:
    results["pacing"]["with_jitter"]["10/s"] |= {
        "careful": _at(0.99),
        "reckless": _at(1.0, throttled=0.1),
    }

    assert "(10/s) careful is throttled no more" in page.better_peers()
    assert "reckless" not in page.better_peers()


def test_a_limiter_with_cheaper_permits_is_named_unless_it_idles(results: dict[str, Any]) -> None:
    results["pacing"]["paces"]["1000"] |= {
        "thrifty": _at(0.9, cpu=0.05),
        "idle": _at(0.1, cpu=0.001),
    }

    assert "2.0 times the CPU of thrifty" in page.better_peers()
    assert "idle" not in page.better_peers()


def test_a_queue_that_is_cheaper_is_named_if_it_served_everybody(results: dict[str, Any]) -> None:
    results["pacing"]["crowds"] |= {
        "quick": {"1000": {"served": 1000, "micros": 20.0, "bare_micros": 10.0}},
        "late": {"1000": {"served": 900, "micros": 20.0, "bare_micros": 10.0}},
    }

    assert "2.0 times the CPU of quick" in page.better_peers()
    assert "late" not in page.better_peers()


def test_a_quicker_import_of_as_much_is_named(results: dict[str, Any]) -> None:
    results["startup"]["imports"] |= {
        "by hand, small": {"median": 25.0},
        "a part of it": {"median": 10.0},
    }

    assert "To import by hand, small costs 0.50" in page.better_peers()
    assert "a part" not in page.better_peers()


def test_an_aim_that_is_too_close_to_the_figure_is_neither_reached_nor_missed(
    results: dict[str, Any],
) -> None:
    aim = {"at_most": 0.51, "at_least": None, "kept": True, "close": True}
    results["issuing"]["comparisons"] = [{"of": "a", "to": "b", "ratio": RATIO, **aim}]

    assert "| at most 0.51 | too close to tell |" in page.comparisons("issuing")


def test_an_aim_that_was_missed_stands_out(results: dict[str, Any]) -> None:
    results["issuing"]["comparisons"] = [
        {"of": "a", "to": "b", "ratio": RATIO, "at_most": 0.3, "at_least": None, "kept": False},
        {"of": "c", "to": "d", "ratio": RATIO, "at_most": None, "at_least": 0.3, "kept": True},
    ]

    assert "| a / b | 0.50 (0.40 to 0.60) | at most 0.3 | **no** |" in page.comparisons("issuing")
    assert "| c / d | 0.50 (0.40 to 0.60) | at least 0.3 | yes |" in page.comparisons("issuing")
