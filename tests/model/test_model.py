"""The model check as a test: the shipped saga keeps its promises, and every seeded bug breaks one.

`make model` runs the same check with the limits that are shipped and prints what it finds.
"""

from collections.abc import Callable
from typing import get_args

import pytest

from agcod_async.core.facts import Facts, Proof
from agcod_async.core.outcomes import (
    Applied,
    AppliedDead,
    Claimed,
    ForwardOutcome,
    Found,
    Leg,
    LookupOutcome,
    NotFound,
    NothingToUndo,
    Outcome,
    Outdated,
    Reason,
    Refused,
    UndoOutcome,
)
from agcod_async.core.policy import RecoveryPolicy
from tests.model.__main__ import main, policy_name
from tests.model.activations import Activations
from tests.model.cards import Cards
from tests.model.check import (
    LIMITS,
    OPERATIONS,
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
from tests.model.loads import Loads
from tests.model.machine import Machine
from tests.model.mutants import MUTANTS
from tests.model.mutation import Mutant, rules
from tests.model.provider import STATUS_NOT_READ, AfterUndo, UnknownUndo
from tests.model.world import Card, Cell, Held, World

TOMBSTONE = Cards(AfterUndo.TOMBSTONE, UnknownUndo.NOT_FOUND)
HIDDEN_ACTIVATION = Activations(AfterUndo.HIDDEN, UnknownUndo.NOT_FOUND)
HIDDEN_LOAD = Loads(AfterUndo.HIDDEN, UnknownUndo.NOT_FOUND)
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


@pytest.mark.parametrize("proof", Proof)
@pytest.mark.parametrize("policy", list(policies(SMALL)), ids=policy_name)
def test_every_promise_holds_in_every_reachable_state(policy: RecoveryPolicy, proof: Proof) -> None:
    table = checked(policy, proof)
    assert table.states > 30
    assert all(row.figures.pairs > table.states for row in table.rows)


@pytest.mark.parametrize("proof", Proof)
@pytest.mark.parametrize("policy", EDGES, ids=["smallest", "one attempt a turn", "two successors"])
def test_every_promise_holds_at_the_edges_of_the_limits(
    policy: RecoveryPolicy, proof: Proof
) -> None:
    assert checked(policy, proof).attempts_max >= policy.forward_attempts_max


@pytest.mark.parametrize("mutant", MUTANTS, ids=[f"{each.rule}: {each.bug}" for each in MUTANTS])
def test_every_seeded_bug_is_caught(mutant: Mutant) -> None:
    found = first_broken(mutant, steps_checked=True)
    assert found is not None
    assert found.trace


@pytest.mark.parametrize("rule", ["R1", "R2", "R5", "R6", "R7", "R8", "R14"])
def test_a_call_that_breaks_a_rule_about_money_does_harm(rule: str) -> None:
    for mutant in MUTANTS:
        if mutant.rule == rule:
            found = caught(mutant)
            assert found is not None
            assert found.harm, mutant.bug


def test_a_saga_without_a_bug_is_left_in_peace() -> None:
    unchanged = Mutant("R0", "no bug at all", "\nState = ", "\n\nState = ")
    machine = Machine(SMALLER, Proof.REPLAY, unchanged.load())
    assert Exploration(machine, TOMBSTONE).run().pairs > 200


def test_every_rule_has_at_least_two_seeded_bugs() -> None:
    named = [rule for rule, _ in rules()]
    assert named == ["R1", "R2", "R3", "R4", "R5", "R6", "R7", "R8", "R9", "R13", "R14"]
    for rule in named:
        assert len({mutant.bug for mutant in MUTANTS if mutant.rule == rule}) >= 2


def test_a_seeded_bug_whose_pattern_is_gone_is_noticed() -> None:
    with pytest.raises(AssertionError, match="occurs 0 times"):
        Mutant("R1", "a bug of long ago", "no such line", "").load()


@pytest.mark.parametrize(
    ("proof", "never"),
    [
        (Proof.REPLAY, set[type[Outcome]]()),
        (Proof.LOOKUP, {Claimed}),
        (Proof.NOTHING, {AppliedDead}),
    ],
)
def test_the_adversary_uses_every_outcome_and_reaches_every_verdict(
    proof: Proof, never: set[type[Outcome]]
) -> None:
    policy = RecoveryPolicy(forward_attempts_max=2, undo_attempts_max=2, turns_max=1)
    machine = Machine(policy, proof)
    verdicts: set[str] = set()
    for provider in providers(proof, duplicates=False):
        verdicts |= set(Exploration(machine, provider).run().verdicts)
    met: dict[Leg, set[type]] = {leg: set() for leg in Leg}
    for state, outcome, _ in machine.moves():
        met[state.leg].add(outcome)
    never = never | {Outdated}  # to a state it is Refused: see below
    assert met[Leg.FORWARD] == set(get_args(ForwardOutcome)) - never
    assert met[Leg.UNDO] == set(get_args(UndoOutcome)) - never
    looked_up = set(get_args(LookupOutcome)) - never if proof is Proof.LOOKUP else set()
    assert met[Leg.LOOKUP] == looked_up
    assert verdicts == set(VERDICTS)


@pytest.mark.parametrize("proof", Proof)
def test_what_is_refused_for_its_date_is_refused(proof: Proof) -> None:
    policy = RecoveryPolicy(forward_attempts_max=2, undo_attempts_max=2, turns_max=1)
    machine = Machine(policy, proof)
    for provider in providers(proof, duplicates=False):
        Exploration(machine, provider).run()
    states = {state for state, _, _ in machine.moves()}
    assert len(states) > 20
    reason = Reason("the signature's date")
    for state in states:
        assert state.next(Outdated(reason), policy) == state.next(Refused(reason), policy)


def test_a_replay_that_hides_a_tombstone_would_hand_out_a_dead_card() -> None:
    hidden = Cards(AfterUndo.TOMBSTONE, UnknownUndo.NOT_FOUND, flaw=STATUS_NOT_READ)
    with pytest.raises(BrokenError, match="Issued: the card is live") as caught_error:
        Exploration(Machine(RecoveryPolicy()), hidden).run()
    assert len(caught_error.value.trace) == 3


def test_a_late_undo_may_kill_and_a_late_create_may_revive() -> None:
    both_late = World((Cell(Card.LIVE, late_create=True, late_undo=True),))
    reissue = Cards(AfterUndo.REISSUE, UnknownUndo.NOT_FOUND)
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


def test_where_a_replay_proves_a_settle_waits_for_no_create() -> None:
    late = World((Cell(late_create=True),))
    waited = set(TOMBSTONE.honest_presents(late, settled=True))
    assert waited == {late, World((Cell(Card.LIVE, late_create=True),))}


def test_where_a_lookup_proves_a_settle_leaves_nothing_late_behind() -> None:
    late = World((Cell(late_create=True, late_undo=True),))
    waited = set(HIDDEN_ACTIVATION.honest_presents(late, settled=True))
    assert waited == {World((Cell(card),)) for card in (Card.NOTHING, Card.LIVE, Card.DEAD)}


def test_where_nothing_proves_a_settle_leaves_no_late_load_behind() -> None:
    late = World((Cell(late_create=True, late_undo=True),))
    waited = set(HIDDEN_LOAD.honest_presents(late, settled=True))
    assert waited == {
        World((Cell(late_undo=True),)),
        World((Cell(Card.LIVE, late_undo=True),)),
        World((Cell(Card.DEAD),)),
    }


def test_a_card_is_active_under_one_id_at_a_time() -> None:
    active = World((Cell(Card.LIVE), Cell(late_create=True)))
    assert HIDDEN_ACTIVATION.futures(active) == {active}
    undone = World((Cell(Card.DEAD), Cell(late_create=True)))
    assert HIDDEN_ACTIVATION.futures(undone) == {
        undone,
        undone.put(1, Cell(Card.LIVE, late_create=True)),
    }


@pytest.mark.parametrize(
    ("world", "answers"),
    [
        (World((Cell(Card.LIVE), Cell())), {Found}),
        (World((Cell(Card.LIVE, late_create=True), Cell())), {Found, NotFound}),
        (World((Cell(Card.DEAD), Cell())), {NotFound}),
        (World((Cell(Card.DEAD), Cell()), taken=True), set[type[Outcome]]()),
    ],
    ids=["active", "just activated", "deactivated", "of another order"],
)
def test_a_lookup_tells_the_truth_of_its_moment(world: World, answers: set[type[Outcome]]) -> None:
    told = {type(outcome) for outcome, _ in HIDDEN_ACTIVATION.replies(Leg.LOOKUP, world, 1)}
    assert told & {Found, NotFound} == answers


@pytest.mark.parametrize(
    ("cell", "answers"),
    [
        (Cell(Card.LIVE), set[type[Outcome]]()),
        (Cell(Card.LIVE, late_create=True), {NothingToUndo}),
        (Cell(Card.SPENT), {Claimed}),
        (Cell(Card.NOTHING), {NothingToUndo}),
    ],
    ids=["loaded", "just loaded", "spent", "never loaded"],
)
def test_a_void_finds_nothing_only_where_nothing_lives(
    cell: Cell, answers: set[type[Outcome]]
) -> None:
    told = {type(outcome) for outcome, _ in HIDDEN_LOAD.replies(Leg.UNDO, World((cell,)), 0)}
    assert told & {Claimed, NothingToUndo} == answers


def test_a_load_may_be_spent_at_any_moment_and_stays_issued() -> None:
    loaded = World((Cell(Card.LIVE, late_undo=True),), held=Held.OUT)
    spent = World((Cell(Card.SPENT, late_undo=True),), held=Held.OUT)
    assert spent in set(HIDDEN_LOAD.presents(loaded, 0, settled=False))
    assert HIDDEN_LOAD.futures(spent) == {spent}
    assert spent.alive == [0]


def test_an_excuse_for_a_doubt_is_of_one_operation_and_of_what_a_call_knows() -> None:
    undone = Facts(doubtful=True, undone=True)
    refusing = Activations(AfterUndo.REFUSE, UnknownUndo.NOT_FOUND)
    dead, spent = World((Cell(Card.DEAD),)), World((Cell(Card.SPENT),))
    assert refusing.excuses(dead, 0, Facts(doubtful=True))
    assert not refusing.excuses(dead, 0, undone)
    assert not HIDDEN_LOAD.excuses(spent, 0, Facts(doubtful=True))
    assert HIDDEN_LOAD.excuses(spent, 0, undone)


def test_nothing_is_looked_up_where_nothing_can_be() -> None:
    with pytest.raises(AssertionError, match="there is nothing to look up"):
        list(HIDDEN_LOAD.replies(Leg.LOOKUP, World((Cell(),)), 0))


def test_every_proof_is_checked_with_an_operation_of_its_own() -> None:
    assert set(OPERATIONS) == set(LIMITS) == set(Proof)
    for proof, operation in OPERATIONS.items():
        assert operation.proof is proof


def test_applied_is_answered_only_for_a_card_that_is_live() -> None:
    for provider in providers(Proof.REPLAY, duplicates=True):
        for card in Card:
            world = World((Cell(card),))
            for outcome, after in provider.replies(Leg.FORWARD, world, 0):
                if isinstance(outcome, Applied):
                    assert after.cells[0].card is Card.LIVE


def test_somebody_else_who_cancels_a_card_ends_the_promise_about_it() -> None:
    out = World((Cell(Card.LIVE),), held=Held.OUT)
    presents = set(TOMBSTONE.presents(out, 0, settled=False))
    assert World((Cell(Card.DEAD),), held=Held.REVOKED) in presents


@pytest.mark.parametrize(
    ("provider", "attempts"),
    [
        (TOMBSTONE, 4),  # undo, held, confirmed dead, successor
        (HIDDEN_ACTIVATION, 5),  # undo, repeated answer, not active, still not active, successor
        (HIDDEN_LOAD, 3),  # undo, and once more, successor
    ],
    ids=["replay", "lookup", "nothing"],
)
def test_an_honest_provider_soon_ends_every_call(
    provider: Cards | Activations | Loads, attempts: int
) -> None:
    machine = Machine(RecoveryPolicy(forward_attempts_max=3, undo_attempts_max=2), provider.proof)
    exploration = Exploration(machine, provider)
    exploration.run()
    assert longest_honest_end(exploration) == attempts
    assert longest_call(machine) > attempts


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
    for operation in OPERATIONS.values():
        assert f"{operation.__name__}; F400" in said


def test_the_command_prints_the_shortest_trace_of_a_broken_promise(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tombstone = next(mutant for mutant in MUTANTS if mutant.bug.startswith("a tombstone"))
    monkeypatch.setattr("tests.model.mutation.SHIPPED", tombstone.load())
    monkeypatch.setattr("tests.model.__main__.MUTANTS", ())
    monkeypatch.setattr("tests.model.__main__.policies", _one_policy)
    assert main() == 1
    said = capsys.readouterr().out
    assert "BROKEN: Issued: the card is live" in said
    assert "    3. AppliedDead, Issued [ID 0 dead]" in said
