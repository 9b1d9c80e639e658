from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations
from random import Random
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agcod_async.errors import NextSafeAction
from agcod_async.figures import Figures, Latency, OrderInDoubt, Refusal, Worth, merged
from agcod_async.figures.figures import (
    IN_DOUBT_LISTED_MAX,
    PACES_MAX,
    REFUSALS_MAX,
    VERDICT_NAMES,
)
from agcod_async.figures.merging import most_frequent
from tests.figures.samples import EMPTY, FULL, RESUMED, RESUMED_AT, STARTED_AT, dollars, pace


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
    again = (OrderInDoubt("Emula7", "activity_page", at=RESUMED_AT),)
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


# --- in any order ---------------------------------------------------------------------------------

IDS = ("Emula1", "Emula2", "Emula3")


def any_run(chance: Random, began: datetime) -> Figures:
    """Return the figures of a run; what it has counted need not make sense."""

    def number() -> int:
        return chance.choice((0, 0, chance.randrange(100)))

    def worth() -> Worth:
        return dollars(number(), f"{number()}.{number():02}") if number() else Worth()

    def some(names: Iterable[str]) -> list[str]:
        return [name for name in names if chance.random() < 0.5]

    def doubt(request_id: str) -> OrderInDoubt:
        action = chance.choice(get_args(NextSafeAction))
        not_before = chance.choice((None, began + timedelta(hours=number())))
        return OrderInDoubt(request_id, action, not_before, at=began)

    names = [chance.choice((None, "F200", "F300")) for _ in range(3)]
    return Figures(
        paces=(pace((3, 4), 2.0, began),),
        taken=worth(),
        taken_again={name: worth() for name in some((*VERDICT_NAMES, "open"))},  # type: ignore[misc]
        verdicts={name: worth() for name in some(VERDICT_NAMES)},  # type: ignore[misc]
        rows_refused=number(),
        has_sink=chance.random() < 0.5,
        delivered=number(),
        undelivered=number(),
        declined=tuple(Refusal(name, chance.choice((None, "X")), number()) for name in names),
        in_doubt=tuple(map(doubt, some(IDS))),
        settled=dict.fromkeys(some(IDS), began),
        requests=number(),
        retries={name: number() for name in some(("Lost", "Throttled"))},
        latency=Latency(tuple(number() for _ in range(chance.randrange(4)))),
        stopped=chance.choice((None, "it was interrupted", "the line stands still")),
    )


def grouped(runs: Sequence[Figures], chance: Random) -> Figures:
    """Merge the runs two by two, in any order and in any grouping."""
    left = list(runs)
    while len(left) > 1:
        chance.shuffle(left)
        left.append(merged([left.pop(), left.pop()]))
    return left[0]


@given(st.integers(2, 7), st.integers())
def test_merging_is_the_same_in_any_order_and_any_grouping(count: int, seed: int) -> None:
    chance = Random(seed)
    hours = chance.sample(range(30), count)
    runs = [any_run(chance, STARTED_AT + timedelta(hours=hour)) for hour in hours]

    assert grouped(runs, chance) == merged(runs)
    assert merged(sorted(runs, key=lambda one: one.paces[0].started_at)) == merged(runs)


def test_one_run_is_itself() -> None:
    assert merged([FULL]) is FULL


@given(st.integers())
def test_of_many_runs_the_same_ones_are_drawn_whatever_the_grouping(seed: int) -> None:
    runs = [
        replace(FULL, paces=(pace((n,), 1.0, STARTED_AT + timedelta(hours=n)),), in_doubt=())
        for n in range(PACES_MAX + 6)
    ]
    both = grouped(runs, Random(seed))

    assert both == merged(runs)
    assert [one.requests[0] for one in both.paces] == [0, *range(7, PACES_MAX + 6)]


# --- codes that are not delivered -----------------------------------------------------------------


def run_at(hour: int, *, issued: int, again: int = 0, **counts: Any) -> Figures:
    return replace(
        EMPTY,
        paces=(pace((), 0.0, STARTED_AT + timedelta(hours=hour)),),
        taken=Worth(issued),
        taken_again={"issued": Worth(again)} if again else {},
        verdicts={"issued": Worth(issued)},
        **counts,
    )


NO_SINK = run_at(1, issued=5)
SOME_FAIL = run_at(2, issued=6, again=5, has_sink=True, delivered=4, undelivered=2)
ONE_IS_LEFT = run_at(3, issued=2, again=2, has_sink=True, delivered=1, undelivered=1)
REST = run_at(4, issued=1, again=1, has_sink=True, delivered=1)


@pytest.mark.parametrize(
    ("runs", "undelivered"),
    [
        ((NO_SINK, SOME_FAIL), 2),
        ((NO_SINK, SOME_FAIL, ONE_IS_LEFT), 1),
        ((NO_SINK, SOME_FAIL, ONE_IS_LEFT, REST), 0),
        ((NO_SINK, run_at(5, issued=1, again=1, has_sink=True, delivered=1)), 4),
        ((NO_SINK, run_at(5, issued=1)), 0),
    ],
)
def test_a_card_counts_as_undelivered_until_somebody_has_taken_its_code(
    runs: tuple[Figures, ...], undelivered: int
) -> None:
    for order in permutations(runs):
        assert merged(order).undelivered == undelivered


# --- limits ---------------------------------------------------------------------------------------


def test_what_was_settled_is_in_doubt_again_only_if_a_later_run_says_so() -> None:
    def at(hour: int, *, doubt: bool = False) -> Figures:
        began = STARTED_AT + timedelta(hours=hour)
        return replace(
            EMPTY,
            paces=(pace((), 0.0, began),),
            in_doubt=(OrderInDoubt("Emula7", "replay_same_id", at=began),) if doubt else (),
            settled={"Emula7": began} if hour else {},
        )

    first, still, done = at(0, doubt=True), at(1, doubt=True), at(2)

    assert [one.at for one in merged([still, first]).in_doubt] == [still.paces[0].started_at]
    assert merged([done, still, first]).in_doubt == ()
    assert merged([merged([done, first]), still]).in_doubt == ()


def test_no_list_grows_with_the_number_of_runs() -> None:
    def run(number: int) -> Figures:
        ids = [f"Emula{number}x{n}" for n in range(IN_DOUBT_LISTED_MAX)]
        return replace(
            FULL,
            in_doubt=tuple(
                OrderInDoubt(request_id, "replay_same_id", at=STARTED_AT) for request_id in ids
            ),
            settled={f"{request_id}s": STARTED_AT for request_id in ids},
            declined=tuple(Refusal("F200", f"{number}x{n}", 1) for n in range(REFUSALS_MAX)),
        )

    job = merged([run(number) for number in range(PACES_MAX + 5)])

    assert len(job.in_doubt) == len(job.settled) == IN_DOUBT_LISTED_MAX
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
