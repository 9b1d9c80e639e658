"""What the model check leaves open: exact pauses, the reasons that travel, and the counters."""

from dataclasses import replace

import pytest

from agcod_async.core.facts import Facts, Pause
from agcod_async.core.outcomes import (
    Applied,
    AppliedDead,
    Claimed,
    Conflict,
    ForwardOutcome,
    Lost,
    NothingToUndo,
    Reason,
    Refused,
    Throttled,
    TooLate,
    Unclear,
    UndoFirst,
    Undone,
    UndoOutcome,
    Untouched,
)
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.core.saga import Forward, State, Undo
from agcod_async.core.verdicts import Declined, InDoubt, Issued, Reversed, Unavailable, Verdict

WHY = Reason("because", "F500", "SystemError")
SHIPPED = RecoveryPolicy()
DOUBTFUL = Facts(doubtful=True)
UNDONE = Facts(doubtful=True, undone=True)
TAINTED = Facts(doubtful=True, undone=True, tainted=True)
CONFIRMED = Facts(doubtful=True, confirmed=True)


# --- pauses and counters -------------------------------------------------------------------------


def test_the_first_attempt_waits_for_nothing() -> None:
    assert Forward() == Forward(Facts(), Pause.NONE, attempts=0, replays=0, turns=0)


@pytest.mark.parametrize(
    ("outcome", "pause"),
    [
        (Untouched(WHY), Pause.BACKOFF),
        (Unclear(WHY), Pause.BACKOFF),
        (Lost(WHY), Pause.BACKOFF),
        (Throttled(WHY), Pause.COOLDOWN),
    ],
)
def test_a_create_is_repeated_after_the_pause_of_its_outcome(
    outcome: ForwardOutcome, pause: Pause
) -> None:
    following = Forward(attempts=2).next(outcome, SHIPPED)
    assert isinstance(following, Forward)
    assert (following.pause, following.attempts) == (pause, 3)


@pytest.mark.parametrize(
    ("outcome", "pause"),
    [
        (Untouched(WHY), Pause.BACKOFF),
        (Unclear(WHY), Pause.BACKOFF),
        (Lost(WHY), Pause.BACKOFF),
        (UndoFirst(WHY), Pause.BACKOFF),
        (Throttled(WHY), Pause.COOLDOWN),
    ],
)
def test_an_undo_is_repeated_after_the_pause_of_its_outcome(
    outcome: UndoOutcome, pause: Pause
) -> None:
    following = Undo(DOUBTFUL, attempts=2, turns=2).next(outcome, SHIPPED)
    assert isinstance(following, Undo)
    assert (following.pause, following.attempts, following.turns) == (pause, 3, 2)


def test_f400_is_undone_after_a_backoff_and_counts_a_turn() -> None:
    following = Forward(attempts=1, turns=1).next(UndoFirst(WHY), SHIPPED)
    assert following == Undo(DOUBTFUL, Pause.BACKOFF, attempts=0, turns=2)


@pytest.mark.parametrize("answer", [Undone(), NothingToUndo(WHY)])
def test_after_an_undo_that_may_have_worked_the_same_id_is_sent_again(answer: UndoOutcome) -> None:
    following = Undo(DOUBTFUL, attempts=1, turns=2).next(answer, SHIPPED)
    assert following == Forward(UNDONE, Pause.BACKOFF, attempts=0, replays=0, turns=2)


@pytest.mark.parametrize("answer", [TooLate(WHY), Claimed(WHY), Refused(WHY), Conflict(WHY)])
def test_after_an_undo_without_effect_the_same_id_is_sent_again(answer: UndoOutcome) -> None:
    assert Undo(DOUBTFUL).next(answer, SHIPPED) == Forward(DOUBTFUL, Pause.BACKOFF, turns=1)


def test_the_replay_policy_counts_its_replays_and_then_undoes() -> None:
    policy = RecoveryPolicy(on_temporarily_unavailable="replay", replays_before_undo=2)
    state: State | Verdict = Forward()
    for replays in (1, 2):
        assert isinstance(state, Forward)
        state = state.next(UndoFirst(WHY), policy)
        assert state == Forward(DOUBTFUL, Pause.BACKOFF, attempts=replays, replays=replays)
    assert isinstance(state, Forward)
    assert state.next(UndoFirst(WHY), policy) == Undo(DOUBTFUL, Pause.BACKOFF)


def test_f400_for_a_confirmed_card_is_replayed_as_often_as_attempts_are_left() -> None:
    policy = RecoveryPolicy(forward_attempts_max=2)
    again = Forward(CONFIRMED).next(UndoFirst(WHY), policy)
    assert isinstance(again, Forward)
    assert again == Forward(CONFIRMED, Pause.BACKOFF, attempts=1, replays=1)
    assert again.next(UndoFirst(WHY), policy) == InDoubt(WHY)


def test_a_successor_starts_afresh() -> None:
    spent = Forward(UNDONE, Pause.BACKOFF, attempts=5, replays=1, turns=2)
    assert spent.next(AppliedDead(WHY), SHIPPED) == Forward(Facts(epoch=1))


@pytest.mark.parametrize("outcome", [Unclear(WHY), Lost(WHY)])
def test_a_create_of_unknown_fate_leaves_a_doubt(outcome: ForwardOutcome) -> None:
    assert Forward().next(outcome, SHIPPED) == Forward(DOUBTFUL, Pause.BACKOFF, attempts=1)


@pytest.mark.parametrize("outcome", [UndoFirst(WHY), Unclear(WHY), Lost(WHY)])
def test_an_undo_of_unknown_fate_taints(outcome: UndoOutcome) -> None:
    assert Undo(DOUBTFUL).next(outcome, SHIPPED) == Undo(TAINTED, Pause.BACKOFF, attempts=1)


@pytest.mark.parametrize("outcome", [Untouched(WHY), Throttled(WHY)])
def test_an_attempt_without_effect_changes_nothing_that_is_known(outcome: UndoOutcome) -> None:
    for facts in (Facts(), DOUBTFUL, TAINTED):
        after = Undo(facts).next(outcome, SHIPPED)
        assert isinstance(after, Undo)
        assert after.facts == facts


# --- a success under a tainted ID ----------------------------------------------------------------


def test_a_success_under_a_tainted_id_is_held_whatever_the_limit() -> None:
    last = Forward(TAINTED, attempts=SHIPPED.forward_attempts_max - 1)
    held = last.next(Applied("a card"), SHIPPED)
    assert isinstance(held, Forward)
    assert held == replace(last, pause=Pause.SETTLE, attempts=SHIPPED.forward_attempts_max)
    assert held.next(Applied("the card"), SHIPPED) == Issued("the card")


def test_a_held_success_gets_one_replay_and_no_more() -> None:
    held = Forward(TAINTED, Pause.SETTLE, attempts=SHIPPED.forward_attempts_max)
    assert held.next(Lost(WHY), SHIPPED) == InDoubt(WHY)


@pytest.mark.parametrize("pause", [Pause.NONE, Pause.BACKOFF, Pause.COOLDOWN])
def test_no_other_pause_lifts_a_taint(pause: Pause) -> None:
    state = Forward(TAINTED, pause)
    assert state.facts_when_sent == TAINTED
    assert state.next(Lost(WHY), SHIPPED) == Forward(TAINTED, Pause.BACKOFF, attempts=1)


def test_what_has_been_waited_out_taints_no_more() -> None:
    settled = Forward(TAINTED, Pause.SETTLE)
    assert settled.facts_when_sent == UNDONE
    following = settled.next(Throttled(WHY), SHIPPED)
    assert following == Forward(UNDONE, Pause.COOLDOWN, attempts=1)


# --- verdicts and their reasons ------------------------------------------------------------------


def test_a_card_carries_its_answer() -> None:
    assert Forward(DOUBTFUL, attempts=3).next(Applied("a card"), SHIPPED) == Issued("a card")


@pytest.mark.parametrize(
    ("outcome", "verdict"),
    [
        (Refused(WHY), Declined(WHY)),
        (Conflict(WHY), Declined(WHY, conflict=True)),
        (AppliedDead(WHY), Reversed(WHY)),
    ],
)
def test_the_first_answer_under_an_id_is_conclusive(
    outcome: ForwardOutcome, verdict: Verdict
) -> None:
    assert Forward().next(outcome, SHIPPED) == verdict


@pytest.mark.parametrize("facts", [DOUBTFUL, CONFIRMED, Facts(confirmed=True)])
@pytest.mark.parametrize("refusal", [Refused(WHY), Conflict(WHY)])
def test_a_refusal_says_nothing_of_earlier_attempts(refusal: ForwardOutcome, facts: Facts) -> None:
    assert Forward(facts).next(refusal, SHIPPED) == InDoubt(WHY)


@pytest.mark.parametrize("outcome", [Untouched(WHY), Throttled(WHY)])
def test_the_last_attempt_passes_its_reason_on(outcome: ForwardOutcome) -> None:
    attempts = SHIPPED.forward_attempts_max - 1
    assert Forward(attempts=attempts).next(outcome, SHIPPED) == Unavailable(WHY)
    assert Forward(DOUBTFUL, attempts=attempts).next(outcome, SHIPPED) == InDoubt(WHY)


@pytest.mark.parametrize("outcome", [Untouched(WHY), Throttled(WHY), Lost(WHY), UndoFirst(WHY)])
def test_the_last_undo_passes_its_reason_on(outcome: UndoOutcome) -> None:
    last = Undo(DOUBTFUL, attempts=SHIPPED.undo_attempts_max - 1)
    assert last.next(outcome, SHIPPED) == InDoubt(WHY)


def test_f400_once_too_often_is_in_doubt_with_its_reason() -> None:
    assert Forward(turns=SHIPPED.turns_max).next(UndoFirst(WHY), SHIPPED) == InDoubt(WHY)


@pytest.mark.parametrize(
    ("facts", "policy"),
    [
        (UNDONE, RecoveryPolicy(on_burnt_id="raise")),
        (replace(UNDONE, epoch=3), SHIPPED),
        (DOUBTFUL, SHIPPED),
        (replace(UNDONE, confirmed=True), SHIPPED),
    ],
    ids=["by choice", "no successor left", "undone by somebody else", "handed out before"],
)
def test_a_burnt_id_without_a_successor_is_reversed(facts: Facts, policy: RecoveryPolicy) -> None:
    assert Forward(facts).next(AppliedDead(WHY), policy) == Reversed(WHY)
