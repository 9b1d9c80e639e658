"""Where something may deliver a request twice, a copy may still land after any answer."""

import pytest

from agcod_async.core.facts import Facts, Pause
from agcod_async.core.outcomes import (
    Conflict,
    ForwardOutcome,
    NothingToUndo,
    Reason,
    Refused,
    Throttled,
    TooLate,
    Undone,
    UndoOutcome,
    Untouched,
)
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.core.resumption import sending, unmade
from agcod_async.core.saga import Forward, Lookup, State, Undo
from agcod_async.core.verdicts import InDoubt

WHY = Reason("because")
TWICE = RecoveryPolicy(network_may_duplicate=True)
DOUBTFUL = Facts(doubtful=True)


def test_a_throttle_is_not_conclusive_where_a_copy_may_still_arrive() -> None:
    following = Forward().next(Throttled(WHY), TWICE)
    assert isinstance(following, Forward)
    assert following == Forward(DOUBTFUL, Pause.COOLDOWN, attempts=1)
    assert following.out_of_time(WHY) == InDoubt(WHY)


@pytest.mark.parametrize("refusal", [Refused(WHY), Conflict(WHY)])
def test_a_refusal_is_not_conclusive_where_a_copy_may_still_arrive(refusal: ForwardOutcome) -> None:
    assert Forward().next(refusal, TWICE) == InDoubt(WHY)


def test_what_never_left_has_no_copy() -> None:
    assert Forward().next(Untouched(WHY), TWICE) == Forward(pause=Pause.BACKOFF, attempts=1)


@pytest.mark.parametrize("answer", [Undone(), NothingToUndo(WHY), TooLate(WHY), Refused(WHY)])
def test_an_answered_undo_taints_where_a_copy_may_still_arrive(answer: UndoOutcome) -> None:
    following = Undo(DOUBTFUL).next(answer, TWICE)
    assert isinstance(following, Forward)
    assert following.facts.tainted


STANDING = [
    Forward(),
    Forward(DOUBTFUL, Pause.COOLDOWN, attempts=3, turns=1),
    Forward(Facts(doubtful=True, tainted=True), Pause.SETTLE),
    Undo(DOUBTFUL, Pause.BACKOFF, attempts=2),
    Lookup(DOUBTFUL, attempts=1, settled=True),
]


@pytest.mark.parametrize("state", STANDING, ids=repr)
def test_an_attempt_with_a_refused_key_is_as_good_as_not_made(state: State) -> None:
    assert unmade(state, RecoveryPolicy()) == state


@pytest.mark.parametrize("state", STANDING, ids=repr)
def test_a_copy_of_an_attempt_with_a_refused_key_may_still_be_let_in(state: State) -> None:
    following = unmade(state, TWICE)

    assert following == sending(state)
    assert isinstance(following.out_of_time(WHY), InDoubt)
