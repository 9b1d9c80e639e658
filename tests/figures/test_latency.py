import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agcod_async.figures.latency import (
    BUCKETS_MAX,
    FLOOR_SECONDS,
    Latency,
    LatencyMeter,
    bucket_end_seconds,
)

TIMES = st.lists(st.floats(FLOOR_SECONDS, 131.0), min_size=1, max_size=200)


def measured(times: list[float]) -> LatencyMeter:
    meter = LatencyMeter()
    for seconds in times:
        meter.count(seconds)
    return meter


@given(times=TIMES, share=st.sampled_from([0.01, 0.5, 0.9, 0.99, 0.999, 1.0]))
def test_a_percentile_is_never_below_the_truth_and_at_most_9_percent_above(
    times: list[float], share: float
) -> None:
    truth = sorted(times)[max(1, math.ceil(share * len(times))) - 1]

    said = measured(times).percentile_seconds(share)

    assert said is not None
    assert truth * (1 - 1e-9) <= said <= truth * 1.0906


@given(first=TIMES, second=TIMES)
def test_two_latencies_together_are_that_of_all_replies(
    first: list[float], second: list[float]
) -> None:
    together = measured(first).latency().plus(measured(second).latency())

    assert together == measured(first + second).latency()
    assert together.replies == len(first) + len(second)


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.0, 0.001), (-1.0, 0.001), (1e9, bucket_end_seconds(BUCKETS_MAX - 1))]
)
def test_what_is_out_of_range_falls_into_the_first_or_the_last_bucket(
    seconds: float, said: float
) -> None:
    assert measured([seconds]).percentile_seconds(0.5) == said


def test_without_a_reply_there_is_no_percentile() -> None:
    assert LatencyMeter().percentile_seconds(0.5) is None
    assert Latency().percentile_seconds(0.5) is None
    assert LatencyMeter().latency() == Latency(())


@pytest.mark.parametrize("counts", [(-1,), (0,) * (BUCKETS_MAX + 1), (10**16,)])
def test_what_cannot_be_counts_is_refused(counts: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="counts"):
        Latency(counts)
