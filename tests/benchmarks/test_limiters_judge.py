"""What a limiter is judged by: the busiest half-open second, and a server that counts strictly."""

import pytest

from benchmarks.suite.limiter import StrictServer, busiest_second


@pytest.mark.parametrize(
    ("moments", "most"),
    [
        ([0.0], 1),
        ([0.0, 1.0, 2.0], 1),
        ([0.0, 0.5, 0.999], 3),
        ([0.0, 0.6, 1.0, 1.5, 1.59], 4),
        ([0.0] * 5 + [9.0], 5),
    ],
)
def test_the_busiest_second_ends_before_it_is_over(moments: list[float], most: int) -> None:
    assert busiest_second(moments) == most


def test_a_strict_server_throttles_what_is_above_the_cap_in_any_second() -> None:
    server = StrictServer(2)

    assert [server.throttles(at) for at in (0.0, 0.875, 0.95, 1.0, 1.8, 1.875)] == [
        False,
        False,
        True,
        False,
        True,
        False,
    ]
    assert server.throttled == 2
