from dataclasses import replace

import pytest

from agcod_async.figures import Figures, OrderInDoubt, Refusal, merged
from agcod_async.figures.figures import IN_DOUBT_LISTED_MAX, PACES_MAX, REFUSALS_MAX
from agcod_async.figures.merging import most_frequent
from tests.figures.samples import EMPTY, FULL, RESUMED, dollars


def test_an_order_that_was_taken_up_again_counts_once_to_the_cent() -> None:
    job = merged([FULL, RESUMED])

    assert job.taken == FULL.taken
    assert job.ended("issued") == dollars(48, "1200.00")
    assert job.ended("in_doubt").orders == job.ended("unavailable").orders == 0
    assert job.open.orders == 0
    assert job.open.amounts == {}
    assert job.in_doubt == ()
    assert (job.runs, len(job.paces), job.requests) == (2, 2, 62)


def test_an_order_that_is_in_doubt_again_is_listed_once_with_what_is_known_last() -> None:
    again = (OrderInDoubt("Emula7", "activity_page"),)
    still = replace(
        RESUMED,
        verdicts={"issued": dollars(1, "25.00"), "in_doubt": dollars(1, "25.00")},
        in_doubt=again,
    )

    job = merged([FULL, still])

    assert job.in_doubt == again
    assert job.ended("in_doubt") == dollars(1, "25.00")


def test_what_was_under_way_when_a_run_stopped_is_what_is_left_of_the_ordered() -> None:
    stopped = replace(EMPTY, taken=dollars(3, "30.00"), verdicts={"issued": dollars(1, "10.00")})
    rest = replace(
        EMPTY,
        taken=dollars(2, "20.00"),
        taken_again={"open": dollars(2, "20.00")},
        verdicts={"issued": dollars(2, "20.00")},
    )

    assert stopped.open == dollars(2, "20.00")
    assert merged([stopped, rest]).open.orders == 0
    assert merged([stopped, rest]).ended("issued") == stopped.taken == dollars(3, "30.00")


def test_merging_is_the_same_in_any_grouping() -> None:
    a, b, c = FULL, RESUMED, replace(FULL, in_doubt=(), stopped="it was interrupted")

    assert merged([merged([a, b]), c]) == merged([a, merged([b, c])]) == merged([a, b, c])
    assert merged([a]) is a


def test_no_list_grows_with_the_number_of_runs() -> None:
    def run(number: int) -> Figures:
        ids = [f"Emula{number}x{n}" for n in range(IN_DOUBT_LISTED_MAX)]
        return replace(
            FULL,
            in_doubt=tuple(OrderInDoubt(request_id, "replay_same_id") for request_id in ids),
            declined=tuple(Refusal("F200", f"{number}x{n}", 1) for n in range(REFUSALS_MAX)),
        )

    job = merged([run(number) for number in range(PACES_MAX + 5)])

    assert len(job.in_doubt) == IN_DOUBT_LISTED_MAX
    assert len(job.paces) == PACES_MAX
    assert len(job.declined) == REFUSALS_MAX + 1
    assert sum(refusal.orders for refusal in job.declined) == REFUSALS_MAX * (PACES_MAX + 5)
    assert job.runs == PACES_MAX + 5


def test_the_most_frequent_error_comes_first_and_what_has_no_name_last() -> None:
    counts: dict[tuple[str | None, str | None], int]
    counts = {(None, None): 9, ("F200", "B"): 1, ("F200", "A"): 1, ("F300", None): 5}

    assert most_frequent(counts) == (
        Refusal("F300", None, 5),
        Refusal("F200", "A", 1),
        Refusal("F200", "B", 1),
        Refusal(None, None, 9),
    )


def test_nothing_cannot_be_merged() -> None:
    with pytest.raises(ValueError, match="runs: at least one"):
        merged([])
