import pytest

from agcod_async.core.facts import NOTHING_KNOWN, Facts, Proof
from agcod_async.core.outcomes import Leg


@pytest.mark.parametrize(
    ("proof", "legs"),
    [
        (Proof.REPLAY, {Leg.UNDO}),
        (Proof.LOOKUP, {Leg.FORWARD, Leg.UNDO}),
        (Proof.NOTHING, {Leg.FORWARD}),
    ],
)
def test_a_settle_waits_for_what_could_make_the_next_answer_untrue(
    proof: Proof, legs: set[Leg]
) -> None:
    assert {leg for leg in Leg if proof.outwaits(leg)} == legs


@pytest.mark.parametrize(
    ("facts", "perhaps"),
    [
        (NOTHING_KNOWN, False),
        (Facts(epoch=2, doubtful=True, confirmed=True), False),
        (Facts(undone=True), True),
        (Facts(tainted=True), True),
    ],
)
def test_an_undo_that_worked_or_that_may_still_land_may_have_undone(
    facts: Facts, *, perhaps: bool
) -> None:
    assert facts.perhaps_undone is perhaps
