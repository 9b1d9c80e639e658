"""What a limiter is judged by: the busiest half-open second, and a server that counts strictly."""

import pytest

from benchmarks.suite.limiter import StrictServer, busiest_second, used_share


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


def test_the_share_of_an_even_flow_is_its_rate() -> None:
    assert used_share([n / 10 for n in range(61)], 10, 5.0) == pytest.approx(1.0)
    assert used_share([n / 5 for n in range(31)], 10, 5.0) == pytest.approx(0.5)


def test_a_burst_at_the_end_is_not_counted_for_time_that_it_has_not_taken() -> None:
    bursts = [burst * 1.05 for burst in range(7) for _ in range(10)]

    assert used_share(bursts, 10, 5.3) == pytest.approx(1 / 1.05)


def test_a_limiter_that_hardly_gives_anything_has_hardly_a_share() -> None:
    assert used_share([0.0, 1.0, 2.0, 3.0], 100, 3.0) == pytest.approx(0.01)
