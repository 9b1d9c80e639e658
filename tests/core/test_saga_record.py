"""What goes on record, what a call resumes from, and what it is when its time is over."""

from dataclasses import FrozenInstanceError, replace

import pytest

from agcod_async.core.facts import Facts, Pause, Proof
from agcod_async.core.outcomes import Leg, Reason
from agcod_async.core.resumption import on_record, resume, sending
from agcod_async.core.saga import Forward, Lookup, State, Undo
from agcod_async.core.verdicts import Declined, InDoubt, Issued, Reversed, Unavailable, Verdict

WHY = Reason("because", "F500", "SystemError")
DOUBTFUL = Facts(doubtful=True)
TAINTED = Facts(doubtful=True, undone=True, tainted=True)
CONFIRMED = Facts(doubtful=True, confirmed=True)


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        (Forward(), Unavailable(WHY)),
        (Forward(Facts(epoch=1), attempts=3), Unavailable(WHY)),
        (Forward(DOUBTFUL), InDoubt(WHY)),
        (Forward(Facts(confirmed=True)), InDoubt(WHY)),
        (Undo(Facts()), InDoubt(WHY)),
        (Lookup(TAINTED), InDoubt(WHY)),
    ],
)
def test_out_of_time_is_a_failure_only_if_nothing_can_have_worked(
    state: State, verdict: Verdict
) -> None:
    assert state.out_of_time(WHY) == verdict


def test_before_it_leaves_a_create_is_on_record_as_doubtful() -> None:
    state = Forward(Facts(epoch=2), attempts=1)
    assert sending(state) == replace(state, facts=Facts(epoch=2, doubtful=True))


def test_before_it_leaves_an_undo_is_on_record_as_having_worked_and_as_late() -> None:
    state = Undo(DOUBTFUL, attempts=1)
    assert sending(state) == replace(state, facts=TAINTED)


@pytest.mark.parametrize(
    ("leg", "proof", "state"),
    [
        (Leg.FORWARD, Proof.REPLAY, Forward(TAINTED)),
        (Leg.UNDO, Proof.REPLAY, Undo(TAINTED)),
        (Leg.FORWARD, Proof.LOOKUP, Forward(TAINTED, proof=Proof.LOOKUP)),
        (Leg.UNDO, Proof.LOOKUP, Undo(TAINTED, proof=Proof.LOOKUP)),
        (Leg.LOOKUP, Proof.LOOKUP, Lookup(TAINTED)),
        (Leg.UNDO, Proof.NOTHING, Undo(TAINTED, proof=Proof.NOTHING)),
    ],
)
def test_a_call_resumes_on_the_leg_of_its_record_with_fresh_counters(
    leg: Leg, proof: Proof, state: State
) -> None:
    assert resume(leg, TAINTED, proof) == state
    assert state.leg is leg
    assert state.proof is proof


@pytest.mark.parametrize("facts", [Facts(undone=True), Facts(tainted=True), TAINTED])
def test_no_load_is_resumed_under_an_id_that_may_have_been_undone(facts: Facts) -> None:
    assert resume(Leg.FORWARD, facts, Proof.NOTHING) == Undo(facts, proof=Proof.NOTHING)
    assert resume(Leg.FORWARD, DOUBTFUL, Proof.NOTHING) == Forward(DOUBTFUL, proof=Proof.NOTHING)


def test_before_it_leaves_a_lookup_changes_nothing_on_record() -> None:
    state = Lookup(TAINTED, Pause.SETTLE, attempts=1)
    assert sending(state) == state


def test_a_card_goes_on_record_as_confirmed() -> None:
    assert on_record(Forward(attempts=1), Issued("a card")) == CONFIRMED


def test_what_was_looked_up_goes_on_record_as_confirmed_and_out_of_danger() -> None:
    settled = Lookup(TAINTED, Pause.SETTLE)
    assert on_record(settled, Issued("a card")) == Facts(doubtful=True, undone=True, confirmed=True)


@pytest.mark.parametrize("verdict", [Declined(WHY), Unavailable(WHY)])
def test_a_certain_failure_leaves_no_doubt_on_record(verdict: Verdict) -> None:
    assert on_record(Forward(Facts(epoch=1)), verdict) == Facts(epoch=1)


@pytest.mark.parametrize("verdict", [Reversed(WHY), InDoubt(WHY)])
def test_any_other_end_leaves_what_may_have_happened_on_record(verdict: Verdict) -> None:
    assert on_record(Forward(), verdict) == DOUBTFUL
    assert on_record(Undo(DOUBTFUL), verdict) == TAINTED
    assert on_record(Lookup(TAINTED), verdict) == TAINTED


def test_a_call_that_ends_before_its_settle_is_over_stays_tainted() -> None:
    held = Forward(TAINTED, Pause.SETTLE, attempts=1)
    assert on_record(held, held.out_of_time(WHY)) == TAINTED


def test_states_and_verdicts_are_values() -> None:
    assert len({Forward(), Forward(), Undo(DOUBTFUL), Undo(DOUBTFUL)}) == 2
    with pytest.raises(FrozenInstanceError):
        Forward().attempts = 1  # type: ignore[misc]
