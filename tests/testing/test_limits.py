import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agcod_async.testing import ThrottleModel
from agcod_async.testing.limits import Limit, Throttle, limit_of
from agcod_async.values import InvalidValueError


def admitted(limit: Limit | None, times: list[float], **more: bool) -> list[float]:
    throttle = Throttle(limit, {}, **more)
    return [at for at in times if throttle.admits("CreateGiftCard", at)]


def limit(name: str, rate: float, burst: float | None = None) -> Limit:
    return limit_of(ThrottleModel(name), rate, burst)


def test_a_sliding_window_admits_no_eleventh_request_within_a_second() -> None:
    times = [n * 0.05 for n in range(20)]  # twenty in the first second

    assert admitted(limit("sliding-window", 10), [*times, 0.999, 1.0]) == [*times[:10], 1.0]


def test_a_fixed_window_admits_twice_the_cap_around_the_full_second() -> None:
    around = [0.9 + n * 0.001 for n in range(20)] + [1.0 + n * 0.001 for n in range(20)]

    assert len(admitted(limit("fixed-window", 10), around)) == 20
    assert len(admitted(limit("sliding-window", 10), around)) == 10


def test_a_token_bucket_admits_its_burst_and_then_its_rate() -> None:
    times = [n / 100 for n in range(300)]

    assert len(admitted(limit("token-bucket", 10), [0.0] * 30)) == 10
    assert len(admitted(limit("token-bucket", 10, burst=3), [0.0] * 30)) == 3
    assert len(admitted(limit("token-bucket", 10), times)) == 10 + 29
    assert len(admitted(limit("token-bucket", 10), [0.0] * 10 + [100.0] * 30)) == 20


@pytest.mark.parametrize("start", [0.0, 123_456.7])
@pytest.mark.parametrize("name", ["sliding-window", "fixed-window", "token-bucket"])
def test_a_client_that_keeps_exactly_to_the_cap_is_never_throttled(name: str, start: float) -> None:
    times, at = [], start
    for _ in range(1000):
        times.append(at)
        at += 0.1  # ten of them add up to less than a second, by rounding

    assert admitted(limit(name, 10), times) == times


@pytest.mark.parametrize("name", ["sliding-window", "fixed-window", "token-bucket"])
def test_half_a_request_per_second_is_one_in_two_seconds(name: str) -> None:
    assert admitted(limit(name, 0.5), [0.0, 1.0, 2.0, 3.0, 4.0]) == [0.0, 2.0, 4.0]


def test_throttled_requests_use_up_the_cap_only_if_they_are_told_to() -> None:
    hammering = [n * 0.25 for n in range(12)]

    assert admitted(limit("sliding-window", 1), hammering) == [0.0, 1.0, 2.0]
    assert admitted(limit("sliding-window", 1), hammering, throttled_requests_count=True) == [0.0]


def test_an_operation_has_a_cap_of_its_own_below_the_accounts() -> None:
    throttle = Throttle(
        limit("sliding-window", 3), {"GetAvailableFunds": limit("sliding-window", 1)}
    )

    assert throttle.admits("GetAvailableFunds", 0.0)
    assert not throttle.admits("GetAvailableFunds", 0.1)
    # The refused read has not used up the account's cap.
    assert throttle.admits("CreateGiftCard", 0.2)
    assert throttle.admits("CreateGiftCard", 0.3)
    assert not throttle.admits("CreateGiftCard", 0.4)
    # Nor has a refusal by the account used up the operation's.
    assert throttle.admits("GetAvailableFunds", 1.0)


def test_without_a_cap_everything_is_admitted() -> None:
    assert len(admitted(None, [0.0] * 1000)) == 1000


@pytest.mark.parametrize("rate", [0, -1, float("nan")])
def test_a_rate_is_above_zero(rate: float) -> None:
    with pytest.raises(InvalidValueError, match="requests_per_second"):
        limit("sliding-window", rate)


@given(
    gaps=st.lists(st.sampled_from([0.0, 0.001, 0.03, 0.1, 0.5, 0.999, 1.0]), max_size=200),
    cap=st.integers(1, 12),
)
@settings(max_examples=200, deadline=None)
def test_no_sliding_second_holds_more_than_the_cap(gaps: list[float], cap: int) -> None:
    times = [sum(gaps[:n]) for n in range(len(gaps))]

    passed = admitted(limit("sliding-window", cap), times)

    for first, later in zip(passed, passed[cap:], strict=False):
        assert later - first >= 1.0 - 2e-6
    # Nobody who would have fitted is refused.
    for at in set(times) - set(passed):
        assert sum(at - 1.0 < other <= at for other in passed) >= cap
    # Who passes the sliding window passes the other two.
    assert admitted(limit("token-bucket", cap), passed) == passed
    assert admitted(limit("fixed-window", cap), passed) == passed
