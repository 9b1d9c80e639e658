"""Where a replay may repeat the first answer, a lookup decides once the ID may have been undone."""

import pytest

from agcod_async.core.facts import Facts, Pause, Proof
from agcod_async.core.outcomes import (
    Applied,
    AppliedDead,
    Conflict,
    ForwardOutcome,
    Found,
    LookupOutcome,
    Lost,
    NotFound,
    Reason,
    Refused,
    Throttled,
    Unclear,
    UndoFirst,
    Undone,
    Untouched,
)
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.core.saga import Forward, Lookup, Undo
from agcod_async.core.verdicts import Declined, InDoubt, Issued, Reversed, Verdict

WHY = Reason("because", "F500", "SystemError")
SHIPPED = RecoveryPolicy()
DOUBTFUL = Facts(doubtful=True)
UNDONE = Facts(doubtful=True, undone=True)
TAINTED = Facts(doubtful=True, undone=True, tainted=True)
CONFIRMED = Facts(doubtful=True, undone=True, confirmed=True)
SUCCESSOR = Facts(epoch=1)


def forward(facts: Facts, turns: int = 0) -> Forward:
    return Forward(facts, turns=turns, proof=Proof.LOOKUP)


# --- which answers lead to a lookup --------------------------------------------------------------


@pytest.mark.parametrize("facts", [UNDONE, TAINTED, Facts(doubtful=True, tainted=True)])
@pytest.mark.parametrize("answer", [Applied("a card"), AppliedDead(WHY), Refused(WHY)])
def test_a_definite_answer_under_an_id_that_may_have_been_undone_is_looked_up(
    answer: ForwardOutcome, facts: Facts
) -> None:
    assert forward(facts).next(answer, SHIPPED) == Lookup(facts)


@pytest.mark.parametrize("facts", [Facts(), DOUBTFUL, CONFIRMED])
def test_what_cannot_have_been_undone_since_is_not_looked_up(facts: Facts) -> None:
    assert forward(facts).next(Applied("a card"), SHIPPED) == Issued("a card")


@pytest.mark.parametrize(
    ("outcome", "verdict"),
    [(Refused(WHY), Declined(WHY)), (Conflict(WHY), Declined(WHY, conflict=True))],
)
def test_the_first_answer_of_all_is_conclusive(outcome: ForwardOutcome, verdict: Verdict) -> None:
    assert forward(Facts()).next(outcome, SHIPPED) == verdict


@pytest.mark.parametrize("facts", [SUCCESSOR, DOUBTFUL, UNDONE])
def test_a_conflict_may_be_with_an_earlier_id_of_the_same_card(facts: Facts) -> None:
    assert forward(facts).next(Conflict(WHY), SHIPPED) == InDoubt(WHY)


def test_a_conflict_under_the_successor_of_a_create_is_conclusive() -> None:
    assert Forward(SUCCESSOR).next(Conflict(WHY), SHIPPED) == Declined(WHY, conflict=True)


def test_f400_is_undone_as_ever_and_the_undo_is_followed_by_the_same_request() -> None:
    undo = forward(Facts()).next(UndoFirst(WHY), SHIPPED)
    assert undo == Undo(DOUBTFUL, Pause.BACKOFF, proof=Proof.LOOKUP)
    assert isinstance(undo, Undo)
    again = undo.next(Undone(), SHIPPED)
    assert again == Forward(UNDONE, Pause.BACKOFF, turns=1, proof=Proof.LOOKUP)


def test_f400_that_is_repeated_for_ever_ends_in_a_lookup() -> None:
    turns = SHIPPED.turns_max
    assert forward(UNDONE, turns).next(UndoFirst(WHY), SHIPPED) == Lookup(UNDONE)
    assert forward(DOUBTFUL, turns).next(UndoFirst(WHY), SHIPPED) == InDoubt(WHY)


# --- what a lookup proves ------------------------------------------------------------------------


def test_a_card_that_is_found_is_handed_out_unless_an_undo_may_still_land() -> None:
    assert Lookup(UNDONE).next(Found("a card"), SHIPPED) == Issued("a card")
    waiting = Lookup(TAINTED).next(Found("a card"), SHIPPED)
    assert waiting == Lookup(TAINTED, Pause.SETTLE, settled=False)
    assert isinstance(waiting, Lookup)
    assert waiting.next(Found("the card"), SHIPPED) == Issued("the card")


@pytest.mark.parametrize("facts", [UNDONE, TAINTED])
def test_a_card_is_dead_only_if_it_is_not_found_after_a_settle(facts: Facts) -> None:
    waiting = Lookup(facts, attempts=3).next(NotFound(WHY), SHIPPED)
    assert waiting == Lookup(facts, Pause.SETTLE, attempts=0)
    assert isinstance(waiting, Lookup)
    assert waiting.next(NotFound(WHY), SHIPPED) == Forward(SUCCESSOR, proof=Proof.LOOKUP)


def test_without_a_successor_a_card_that_is_not_found_is_reversed() -> None:
    settled = Lookup(UNDONE, Pause.SETTLE)
    assert settled.next(NotFound(WHY), RecoveryPolicy(on_burnt_id="raise")) == Reversed(WHY)
    somebody_elses = Lookup(Facts(doubtful=True, tainted=True), Pause.SETTLE)
    assert somebody_elses.next(NotFound(WHY), SHIPPED) == Reversed(WHY)


@pytest.mark.parametrize(
    ("outcome", "pause"),
    [
        (Untouched(WHY), Pause.BACKOFF),
        (UndoFirst(WHY), Pause.BACKOFF),
        (Unclear(WHY), Pause.BACKOFF),
        (Lost(WHY), Pause.BACKOFF),
        (Throttled(WHY), Pause.COOLDOWN),
    ],
)
def test_a_lookup_is_repeated_until_it_is_answered(outcome: LookupOutcome, pause: Pause) -> None:
    assert Lookup(TAINTED, attempts=2).next(outcome, SHIPPED) == Lookup(TAINTED, pause, attempts=3)
    last = Lookup(TAINTED, attempts=SHIPPED.forward_attempts_max - 1)
    assert last.next(outcome, SHIPPED) == InDoubt(WHY)


def test_what_has_been_waited_for_stays_so_when_a_lookup_is_repeated() -> None:
    repeated = Lookup(TAINTED, Pause.SETTLE).next(Lost(WHY), SHIPPED)
    assert repeated == Lookup(TAINTED, Pause.BACKOFF, attempts=1, settled=True)
    assert isinstance(repeated, Lookup)
    assert repeated.next(Found("a card"), SHIPPED) == Issued("a card")


@pytest.mark.parametrize("outcome", [Refused(WHY), Conflict(WHY)])
def test_a_lookup_that_is_refused_proves_nothing(outcome: LookupOutcome) -> None:
    for state in (Lookup(UNDONE), Lookup(TAINTED, Pause.SETTLE)):
        assert state.next(outcome, SHIPPED) == InDoubt(WHY)
