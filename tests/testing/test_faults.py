import json
from collections import Counter

import pytest

from agcod_async.testing import FaultKind, FaultMix, FaultRule, FaultScript
from agcod_async.testing.faults import Effect, FaultPlan, Seen
from agcod_async.values import InvalidValueError


def played(script: FaultScript, requests: list[tuple[str, str | None]]) -> list[str | None]:
    plan = FaultPlan(script)
    faults = [plan.next(operation, request_id) for operation, request_id in requests]
    return [None if fault is None else fault.kind.value for fault in faults]


def rules(*found: FaultRule) -> FaultScript:
    return FaultScript(rules=found)


def test_a_rule_hits_the_nth_request_overall() -> None:
    script = rules(FaultRule(fault=FaultKind.RESET, nth=2))

    assert played(script, [("Create", "A"), ("Cancel", "B"), ("Create", "A")]) == [
        None,
        "reset",
        None,
    ]


def test_a_rule_hits_the_nth_request_of_an_operation() -> None:
    script = rules(FaultRule(fault=FaultKind.RESET, operation="Cancel", nth=2))

    requests = [("Cancel", "A"), ("Create", "A"), ("Cancel", "B"), ("Cancel", "B")]
    assert played(script, requests) == [None, None, "reset", None]


def test_a_rule_hits_the_nth_attempt_under_a_request_id() -> None:
    script = rules(
        FaultRule(fault=FaultKind.RESET, request_id="A", nth=2),
        FaultRule(fault=FaultKind.F500, request_id="B", operation="Cancel"),
    )

    requests = [("Create", "A"), ("Create", "B"), ("Cancel", "A"), ("Cancel", "B")]
    assert played(script, requests) == [None, None, "reset", "f500"]


def test_a_rule_can_hit_several_times_in_a_row() -> None:
    script = rules(FaultRule(fault=FaultKind.RESET, nth=2, times=2))

    assert played(script, [("Create", "A")] * 4) == [None, "reset", "reset", None]


def test_the_first_rule_that_hits_wins_and_the_others_have_counted_too() -> None:
    script = rules(
        FaultRule(fault=FaultKind.RESET, operation="Create"),
        FaultRule(fault=FaultKind.F500, times=2),
    )

    assert played(script, [("Create", "A"), ("Create", "A"), ("Create", "A")]) == [
        "reset",
        "f500",
        None,
    ]


def test_a_mix_repeats_itself_and_keeps_its_probabilities() -> None:
    mix = FaultMix(seed=5, probabilities={FaultKind.LOSE_REPLY: 0.3, FaultKind.F400_BEFORE: 0.1})
    requests = [("Create", str(number)) for number in range(4000)]

    first = played(FaultScript(random=mix), requests)

    assert first == played(FaultScript(random=mix), requests)
    counts = Counter(first)
    assert abs(counts["lose_reply"] - 1200) < 120
    assert abs(counts["f400_before"] - 400) < 80
    assert set(counts) == {None, "lose_reply", "f400_before"}


def test_a_mix_can_be_kept_to_some_operations() -> None:
    mix = FaultMix(probabilities={FaultKind.RESET: 1.0}, operations=("Cancel",))

    assert played(FaultScript(random=mix), [("Create", "A"), ("Cancel", "A")]) == [None, "reset"]


def test_a_rule_does_not_shift_the_chances_of_the_requests_after_it() -> None:
    mix = FaultMix(seed=3, probabilities={FaultKind.RESET: 0.5})
    requests = [("Create", "A")] * 50

    without = played(FaultScript(random=mix), requests)
    with_rule = played(FaultScript(rules=(FaultRule(fault=FaultKind.F500),), random=mix), requests)

    assert with_rule == ["f500", *without[1:]]


def test_timed_kinds_draw_their_seconds_from_the_range() -> None:
    mix = FaultMix(
        probabilities={FaultKind.LAND_LATE: 0.5, FaultKind.RESET: 0.5},
        seconds_min=5,
        seconds_max=6,
    )
    plan = FaultPlan(FaultScript(random=mix))
    faults = [plan.next("Create", "A") for _ in range(200)]

    late = [f.seconds for f in faults if f is not None and f.kind is FaultKind.LAND_LATE]
    assert 5 <= min(late) < max(late) <= 6
    assert {f.seconds for f in faults if f is not None and f.kind is FaultKind.RESET} == {0.0}


def test_a_script_is_read_from_json() -> None:
    text = json.dumps(
        {
            "rules": [
                {"fault": "land_late", "seconds": 20, "request_id": "Emula1", "nth": 2},
                {"fault": "f400_after", "operation": "CreateGiftCard", "times": 3},
            ],
            "random": {"seed": 7, "probabilities": {"lose_reply": 0.01, "slow": 0.02}},
        }
    )

    assert FaultScript.from_json(text) == FaultScript(
        rules=(
            FaultRule(fault=FaultKind.LAND_LATE, seconds=20, request_id="Emula1", nth=2),
            FaultRule(fault=FaultKind.F400_AFTER, operation="CreateGiftCard", times=3),
        ),
        random=FaultMix(seed=7, probabilities={FaultKind.LOSE_REPLY: 0.01, FaultKind.SLOW: 0.02}),
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "malformed|truncated"),
        ("[]", "Expected `object`"),
        ('{"rule": []}', "unknown field `rule`"),
        ('{"rules": [{"fault": "lose_replies"}]}', r"'lose_replies' - at `\$.rules\[0\].fault`"),
        ('{"rules": [{"fault": "reset", "nth": 0}]}', r"nth counts from 1 - at `\$.rules\[0\]`"),
        ('{"rules": [{"fault": "reset", "times": 0}]}', "times is at least 1"),
        ('{"rules": [{"fault": "land_late"}]}', "land_late needs seconds"),
        ('{"rules": [{"fault": "slow", "seconds": 1e9}]}', "at most 86400"),
        ('{"rules": [{"fault": "reset", "seconds": 3}]}', "reset takes no seconds"),
        ('{"rules": [{"fault": "reset", "delay": 3}]}', "unknown field `delay`"),
        ('{"random": {"probabilities": {"reset": 1.5}}}', "between 0 and 1"),
        ('{"random": {"probabilities": {"reset": 0.6, "f500": 0.6}}}', "more than 1"),
        ('{"random": {"probabilities": {}, "seconds_min": 0}}', "seconds_min"),
    ],
)
def test_a_script_that_cannot_be_played_is_refused_with_the_place_and_the_kinds(
    text: str, says: str
) -> None:
    with pytest.raises(InvalidValueError, match=says) as refused:
        FaultScript.from_json(text)

    assert "lose_request, lose_reply" in str(refused.value)


def test_a_script_has_a_largest_size() -> None:
    with pytest.raises(InvalidValueError, match="at most 10000"):
        FaultScript.from_json(json.dumps({"rules": [{"fault": "reset"}] * 10_001}))


def test_whoever_shows_the_true_answer_lets_the_request_have_its_effect_first() -> None:
    shows_the_answer = {
        Seen.ANSWER_LATE,
        Seen.GARBAGE,
        Seen.TRUNCATED,
        Seen.WRONG_CONTENT_TYPE,
        Seen.OVERSIZED,
    }

    for kind in FaultKind:
        if kind.seen in shows_the_answer:
            assert kind.effect is Effect.NOW
