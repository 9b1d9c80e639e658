"""The model check as a test: the shipped saga keeps its promises, and every seeded bug breaks one.

`make model` runs the same check with the limits that are shipped and prints what it finds.
"""

from collections.abc import Callable
from typing import get_args

import pytest

from agcod_async.core.outcomes import Applied, ForwardOutcome, Leg, UndoOutcome
from agcod_async.core.policy import RecoveryPolicy
from tests.model.__main__ import main, policy_name
from tests.model.check import (
    SMALL,
    SMALLER,
    VERDICTS,
    Caught,
    caught,
    checked,
    first_broken,
    policies,
    providers,
)
from tests.model.explore import BrokenError, Exploration
from tests.model.liveness import longest_call, longest_honest_end
from tests.model.machine import Machine
from tests.model.mutants import MUTANTS
from tests.model.mutation import Mutant, rules
from tests.model.provider import AfterCancel, Provider, UnknownCancel
from tests.model.world import Card, Cell, Held, World

TOMBSTONE = Provider(AfterCancel.TOMBSTONE, UnknownCancel.NOT_FOUND)
EDGES = (
    RecoveryPolicy(
        forward_attempts_max=1,
        undo_attempts_max=1,
        turns_max=0,
        successors_max=0,
        replays_before_undo=0,
    ),
    RecoveryPolicy(
        on_temporarily_unavailable="replay",
        forward_attempts_max=1,
        undo_attempts_max=1,
        turns_max=1,
        successors_max=2,
        replays_before_undo=0,
        network_may_duplicate=True,
    ),
    RecoveryPolicy(forward_attempts_max=2, undo_attempts_max=1, turns_max=1, successors_max=2),
)


@pytest.mark.parametrize("policy", list(policies(SMALL)), ids=policy_name)
def test_every_promise_holds_in_every_reachable_state(policy: RecoveryPolicy) -> None:
    table = checked(policy)
    assert table.states > 90
    assert all(row.figures.pairs > table.states for row in table.rows)


@pytest.mark.parametrize("policy", EDGES, ids=["smallest", "one attempt a turn", "two successors"])
def test_every_promise_holds_at_the_edges_of_the_limits(policy: RecoveryPolicy) -> None:
    assert checked(policy).attempts_max >= policy.forward_attempts_max


@pytest.mark.parametrize("mutant", MUTANTS, ids=[f"{each.rule}: {each.bug}" for each in MUTANTS])
def test_every_seeded_bug_is_caught(mutant: Mutant) -> None:
    found = first_broken(mutant, steps_checked=True)
    assert found is not None
    assert found.trace


@pytest.mark.parametrize("rule", ["R1", "R2", "R5", "R6", "R7", "R8", "R9"])
def test_a_call_that_breaks_a_rule_about_money_does_harm(rule: str) -> None:
    for mutant in MUTANTS:
        if mutant.rule == rule:
            found = caught(mutant)
            assert found is not None
            assert found.harm, mutant.bug


def test_a_saga_without_a_bug_is_left_in_peace() -> None:
    unchanged = Mutant("R0", "no bug at all", "import Enum\n", "import Enum\n\n")
    assert Exploration(Machine(SMALLER, unchanged.load()), TOMBSTONE).run().pairs > 200


def test_every_rule_has_at_least_two_seeded_bugs() -> None:
    named = [rule for rule, _ in rules()]
    assert named == ["R1", "R2", "R3", "R4", "R5", "R6", "R7", "R8", "R9"]
    for rule in named:
        assert len({mutant.bug for mutant in MUTANTS if mutant.rule == rule}) >= 2


def test_a_seeded_bug_whose_pattern_is_gone_is_noticed() -> None:
    with pytest.raises(AssertionError, match="occurs 0 times"):
        Mutant("R1", "a bug of long ago", "no such line", "").load()


def test_the_adversary_uses_every_outcome_and_reaches_every_verdict() -> None:
    machine = Machine(RecoveryPolicy(forward_attempts_max=2, undo_attempts_max=2, turns_max=1))
    verdicts: set[str] = set()
    for provider in providers(duplicates=False):
        verdicts |= set(Exploration(machine, provider).run().verdicts)
    met: dict[Leg, set[type]] = {Leg.FORWARD: set(), Leg.UNDO: set()}
    for state, outcome, _ in machine.moves():
        met[state.leg].add(outcome)
    assert met[Leg.FORWARD] == set(get_args(ForwardOutcome))
    assert met[Leg.UNDO] == set(get_args(UndoOutcome))
    assert verdicts == set(VERDICTS)


def test_a_replay_that_hides_a_tombstone_would_hand_out_a_dead_card() -> None:
    hidden = Provider(AfterCancel.TOMBSTONE, UnknownCancel.NOT_FOUND, reads_status=False)
    with pytest.raises(BrokenError, match="Issued: the card is live") as caught_error:
        Exploration(Machine(RecoveryPolicy()), hidden).run()
    assert len(caught_error.value.trace) == 3


def test_a_late_undo_may_kill_and_a_late_create_may_revive() -> None:
    both_late = World((Cell(Card.LIVE, late_create=True, late_undo=True),))
    reissue = Provider(AfterCancel.REISSUE, UnknownCancel.NOT_FOUND)
    cards = {world.cells[0].card for world in reissue.futures(both_late)}
    assert cards == {Card.LIVE, Card.DEAD}
    assert {world.cells[0] for world in TOMBSTONE.futures(both_late)} == {
        both_late.cells[0],
        Cell(Card.DEAD),
    }


def test_a_settle_leaves_no_late_undo_behind() -> None:
    late = World((Cell(Card.LIVE, late_undo=True),))
    waited = set(TOMBSTONE.honest_presents(late, settled=True))
    assert waited == {World((Cell(Card.LIVE),)), World((Cell(Card.DEAD),))}


def test_applied_is_answered_only_for_a_card_that_is_live() -> None:
    for provider in providers(duplicates=True):
        for card in Card:
            world = World((Cell(card),))
            for outcome, after in provider.replies(Leg.FORWARD, world, 0):
                if isinstance(outcome, Applied):
                    assert after.cells[0].card is Card.LIVE


def test_somebody_else_who_cancels_a_card_ends_the_promise_about_it() -> None:
    out = World((Cell(Card.LIVE),), held=Held.OUT)
    presents = set(TOMBSTONE.presents(out, 0, settled=False))
    assert World((Cell(Card.DEAD),), held=Held.REVOKED) in presents


def test_an_honest_provider_ends_every_call_within_four_attempts() -> None:
    machine = Machine(RecoveryPolicy(forward_attempts_max=3, undo_attempts_max=2))
    exploration = Exploration(machine, TOMBSTONE)
    exploration.run()
    assert longest_honest_end(exploration) == 4  # undo, held, confirmed dead, successor
    assert longest_call(machine) > 4


def _one_policy(_: RecoveryPolicy) -> tuple[RecoveryPolicy, ...]:
    return EDGES[:1]


def _by_bug(noticed: dict[str, Caught | None]) -> Callable[[Mutant], Caught | None]:
    return lambda mutant: noticed[mutant.bug]


def test_the_command_says_what_is_broken_and_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    noticed = {
        "sooner": Caught(harm=True, promise="the promise", trace=("a step", "another")),
        "later": Caught(harm=False, promise="the promise", trace=("a step",)),
        "never": None,
    }
    monkeypatch.setattr("tests.model.__main__.caught", _by_bug(noticed))
    monkeypatch.setattr("tests.model.__main__.MUTANTS", [Mutant("R0", bug) for bug in noticed])
    monkeypatch.setattr("tests.model.__main__.policies", _one_policy)
    assert main() == 1
    said = capsys.readouterr().out
    assert "R0       sooner\n         breaks: the promise (after 2 steps)\n" in said
    assert "R0       later\n         breaks the step: the promise (after 1 steps)\n" in said
    assert "R0       never\n         SURVIVES\n" in said
    assert "0 policies broken, 2 of 3 mutants caught" in said


def test_the_command_prints_the_shortest_trace_of_a_broken_promise(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tombstone = next(mutant for mutant in MUTANTS if mutant.bug.startswith("a tombstone"))
    monkeypatch.setattr("tests.model.check.shipped", tombstone.load())
    monkeypatch.setattr("tests.model.__main__.MUTANTS", ())
    monkeypatch.setattr("tests.model.__main__.policies", _one_policy)
    assert main() == 1
    said = capsys.readouterr().out
    assert "BROKEN: Issued: the card is live" in said
    assert "    3. AppliedDead, Issued [ID 0 dead]" in said
