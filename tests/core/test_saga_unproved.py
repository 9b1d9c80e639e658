"""Where no answer shows what an undo has done, the undo is sent once more after a SETTLE."""

import pytest

from agcod_async.core.facts import Facts, Pause, Proof
from agcod_async.core.outcomes import (
    Applied,
    Claimed,
    Conflict,
    Lost,
    NothingToUndo,
    Reason,
    Refused,
    TooLate,
    UndoFirst,
    Undone,
    UndoOutcome,
)
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.core.saga import Forward, State, Undo
from agcod_async.core.verdicts import InDoubt, Issued, Reversed, Verdict

WHY = Reason("because", "F500", "SystemError")
SHIPPED = RecoveryPolicy()
TWICE = RecoveryPolicy(network_may_duplicate=True)
DOUBTFUL = Facts(doubtful=True)
UNDONE = Facts(doubtful=True, undone=True)
TAINTED = Facts(doubtful=True, undone=True, tainted=True)
SUCCESSOR = Forward(Facts(epoch=1), proof=Proof.NOTHING)


def undo(facts: Facts, pause: Pause = Pause.NONE, attempts: int = 0) -> Undo:
    return Undo(facts, pause, attempts=attempts, proof=Proof.NOTHING)


def again(following: State | Verdict, outcome: UndoOutcome) -> State | Verdict:
    assert isinstance(following, Undo)
    return following.next(outcome, SHIPPED)


def test_a_load_that_was_not_undone_is_believed() -> None:
    assert Forward(DOUBTFUL, proof=Proof.NOTHING).next(Applied("a load"), SHIPPED) == Issued(
        "a load"
    )


def test_f400_is_undone_as_ever() -> None:
    following = Forward(proof=Proof.NOTHING).next(UndoFirst(WHY), SHIPPED)
    assert following == undo(DOUBTFUL, Pause.BACKOFF)


@pytest.mark.parametrize("answer", [Undone(), NothingToUndo(WHY)])
def test_an_undo_that_worked_is_sent_once_more_after_a_settle(answer: UndoOutcome) -> None:
    settling = undo(DOUBTFUL, attempts=2).next(Undone(), SHIPPED)
    assert settling == undo(UNDONE, Pause.SETTLE, attempts=0)
    assert again(settling, answer) == SUCCESSOR


def test_an_undo_that_found_nothing_leads_to_the_same_id_again() -> None:
    following = undo(DOUBTFUL).next(NothingToUndo(WHY), SHIPPED)
    assert following == Forward(DOUBTFUL, Pause.BACKOFF, turns=1, proof=Proof.NOTHING)


@pytest.mark.parametrize("facts", [UNDONE, TAINTED])
def test_it_does_not_if_an_earlier_undo_may_have_worked(facts: Facts) -> None:
    settling = undo(facts).next(NothingToUndo(WHY), SHIPPED)
    assert settling == undo(facts, Pause.SETTLE)
    assert again(settling, NothingToUndo(WHY)) == SUCCESSOR


@pytest.mark.parametrize("answer", [TooLate(WHY), Claimed(WHY), Refused(WHY), Conflict(WHY)])
def test_an_undo_without_effect_settles_only_what_no_other_undo_has_reached(
    answer: UndoOutcome,
) -> None:
    same_id = Forward(DOUBTFUL, Pause.BACKOFF, turns=1, proof=Proof.NOTHING)
    assert undo(DOUBTFUL).next(answer, SHIPPED) == same_id
    for state in (undo(UNDONE), undo(TAINTED), undo(UNDONE, Pause.SETTLE)):
        assert state.next(answer, SHIPPED) == InDoubt(WHY)


def test_an_undo_is_repeated_until_it_is_answered_before_the_settle_and_after_it() -> None:
    repeated = undo(UNDONE, Pause.SETTLE).next(Lost(WHY), SHIPPED)
    assert isinstance(repeated, Undo)
    assert (repeated.settled, repeated.pause, repeated.facts) == (True, Pause.BACKOFF, TAINTED)
    assert again(repeated, Undone()) == SUCCESSOR
    last = undo(UNDONE, Pause.SETTLE, attempts=SHIPPED.undo_attempts_max - 1)
    assert last.next(Lost(WHY), SHIPPED) == InDoubt(WHY)


@pytest.mark.parametrize("answer", [Undone(), NothingToUndo(WHY)])
def test_where_a_copy_may_still_land_every_undo_is_sent_once_more(answer: UndoOutcome) -> None:
    settling = undo(DOUBTFUL).next(answer, TWICE)
    assert isinstance(settling, Undo)
    assert settling.pause is Pause.SETTLE
    assert settling.next(answer, TWICE) == SUCCESSOR
    assert undo(DOUBTFUL).next(Claimed(WHY), TWICE) == InDoubt(WHY)


def test_without_a_successor_a_load_that_was_undone_is_reversed() -> None:
    by_choice = RecoveryPolicy(on_burnt_id="raise")
    verdict = undo(UNDONE, Pause.SETTLE).next(NothingToUndo(WHY), by_choice)
    assert verdict == Reversed(WHY)
    verdict = undo(UNDONE, Pause.SETTLE).next(Undone(), by_choice)
    assert isinstance(verdict, Reversed)
    assert "has been undone" in verdict.reason.message
