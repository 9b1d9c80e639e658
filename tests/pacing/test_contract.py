"""The contract of the throttle, over whole sessions: whatever happens, these promises hold."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings

from agcod_async.pacing.port import Lane
from tests.pacing.contract import Guest, Kind, Scenario, played
from tests.pacing.laws import LAWS
from tests.pacing.promises import broken
from tests.pacing.scenarios import SCENARIOS, STORMS, guests, troubled

WARM_UP = tuple(Guest(0.35 * number, Lane.BATCH) for number in range(35))
"""One after the other; then all come at once, shortly before the drifting law steps down."""


@settings(max_examples=150, deadline=None)
@given(SCENARIOS)
def test_whatever_goes_wrong_the_contract_is_kept(scenario: Scenario) -> None:
    assert broken(played(scenario)) == []


@settings(max_examples=5, deadline=None)
@given(STORMS)
def test_a_storm_of_retries_is_slowed_down_by_its_budget(storm: Scenario) -> None:
    assert broken(played(storm)) == []


def test_the_scenarios_reach_what_the_contract_is_about() -> None:
    histories = [played(troubled(seed)) for seed in range(40)]
    kinds = {kind: sum(len(one.of(kind)) for one in histories) for kind in Kind}
    ends = {type(end).__name__ for one in histories for end in one.ends.values()}

    assert min(kinds.values()) > 50
    assert kinds[Kind.THROTTLED] > 100
    assert {"NoneType", "str", "UnavailableError", "InDoubtError"} <= ends
    undos = [one for h in histories for one in h.of(Kind.SENT) if one.operation == "TakeBack"]
    assert undos


@pytest.mark.parametrize("start", ["cold", "warm"])
@pytest.mark.parametrize("cap", [1.0, 10.0, 100.0, 1_000.0])
@pytest.mark.parametrize("law", LAWS)
def test_the_worst_second_at_the_provider_is_within_the_cap(
    law: str, cap: float, start: str
) -> None:
    # Each law for either way, with another one for the other way.
    names = tuple(LAWS)
    other = names[(names.index(law) + (1 if start == "cold" else 2)) % len(names)]
    chance = random.Random(f"{law} {cap} {start}")
    begin_at = 13.0 if start == "warm" else 0.0
    count = max(60, int(cap * 1.25))
    crowd = guests(
        chance,
        count,
        within_seconds=0.5,
        hasty=0.1,
        leaving=0.2,
        leaving_within_seconds=count / cap,
        begin_at=begin_at,
    )
    there = Scenario(
        cap, (*WARM_UP, *crowd) if begin_at else crowd, law, other, lost=0.05, absent=0.01
    )

    for scenario in (there, replace(there, out=other, back=law, seed=1)):
        history = played(scenario)
        assert broken(history) == []
        assert history.of(Kind.THROTTLED) == []
        assert {end for end in history.ends.values() if isinstance(end, str)} == {"left"}
        assert len(history.of(Kind.LOST)) >= 1


def test_who_runs_out_of_time_in_the_queue_uses_no_permit_and_has_sent_nothing() -> None:
    first = Guest(0.0, Lane.BATCH)
    in_a_hurry = [Guest(0.1, lane, deadline_seconds=0.5) for lane in Lane]
    history = played(Scenario(1.0, (first, *in_a_hurry)))

    assert broken(history) == []
    assert len(history.of(Kind.GRANTED)) == len(history.of(Kind.SENT)) == 1
    assert {type(history.ends[n]).__name__ for n in range(1, 5)} == {"UnavailableError"}


def test_the_better_lane_goes_first_and_every_lane_in_the_order_of_coming() -> None:
    crowd = [Guest(0.0, lane) for lane in reversed(Lane) for _ in range(3)]
    history = played(Scenario(10.0, (Guest(0.0, Lane.PROBE), *crowd)))

    lanes = [one.lane for one in history.of(Kind.GRANTED)][1:]
    assert lanes == sorted(lanes)
    assert broken(history) == []
