"""The saga as a table, found by calling it and not by reading it.

States get numbers, because comparing numbers is what makes the exploration fast. Nothing is
restated here: where a state leads to, what goes on record and how a call resumes is asked of the
saga under test, once for each question.
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from agcod_async.core.facts import Facts, Pause, Proof
from agcod_async.core.outcomes import Leg, Outcome, Reason
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.core.verdicts import InDoubt, Verdict
from tests.model import promises
from tests.model.mutation import SHIPPED, Saga

T = TypeVar("T", bound=Hashable)

_NO_TIME = Reason("no time is left")


class Numbered(Generic[T]):
    """Gives equal things the same number."""

    def __init__(self) -> None:
        self.things: list[T] = []
        self._numbers: dict[T, int] = {}

    def number(self, thing: T) -> int:
        """Return the number of `thing`, a new one if it is new."""
        number = self._numbers.setdefault(thing, len(self.things))
        if number == len(self.things):
            self.things.append(thing)
        return number


@dataclass(frozen=True, slots=True)
class Ended:
    """A verdict, and the state of a later call from the record that it leaves."""

    kind: str
    later: int


@dataclass(frozen=True, slots=True)
class Went:
    """The state that follows an attempt within the same call."""

    state: int
    changes_id: bool
    begins_undo: bool


@dataclass(frozen=True, slots=True)
class Move:
    """What one outcome leads to from one state, and the promise that this breaks by itself."""

    target: Any
    following: Ended | Went
    broken: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What one state is about.

    `before` is the state of a call that resumes from the record as it is before the attempt,
    `sending` that of one that resumes from the record under which the attempt leaves.
    """

    leg: Leg
    epoch: int
    settles: bool
    undoes: bool
    before: int
    sending: int
    out_of_time: Ended
    broken: str | None


class Machine:
    """One saga, shipped or mutated, under one policy, for operations of one proof.

    Without `steps_checked` only the promises about cards and ends count, not those about how.
    """

    def __init__(
        self,
        policy: RecoveryPolicy,
        proof: Proof = Proof.REPLAY,
        saga: Saga = SHIPPED,
        *,
        steps_checked: bool = True,
    ) -> None:
        self.policy = policy
        self.proof = proof
        self.saga = saga
        self.steps_checked = steps_checked
        self.follows: dict[int, set[int]] = {}
        """Which states each state was found to lead to within one call."""
        self._states: Numbered[Any] = Numbered()
        self._standings: dict[int, Standing] = {}
        self._moves: dict[int, dict[type[Outcome], Move]] = {}
        self.first = self._resumed(Leg.FORWARD, Facts())

    @property
    def size(self) -> int:
        """How many states have been met."""
        return len(self._states.things)

    def state(self, number: int) -> Any:
        """Return the state of this number."""
        return self._states.things[number]

    def standing(self, number: int) -> Standing:
        """Return what the state of this number is about."""
        standing = self._standings.get(number)
        if standing is None:
            standing = self._standings[number] = self._stand(self.state(number))
        return standing

    def _stand(self, state: Any) -> Standing:
        return Standing(
            leg=state.leg,
            epoch=state.facts.epoch,
            settles=state.pause is Pause.SETTLE,
            undoes=isinstance(state, self.saga.Undo),
            before=self._resumed(state.leg, state.facts),
            sending=self._resumed(state.leg, state.facts_when_sent),
            out_of_time=self._ended(state, state.out_of_time(_NO_TIME)),
            broken=promises.broken_by_resuming(self.saga, self.proof, state)
            if self.steps_checked
            else None,
        )

    def move(self, number: int, outcome: Outcome) -> Move:
        """Return what `outcome` leads to from the state of this number."""
        moves = self._moves.get(number)
        if moves is None:
            moves = self._moves[number] = {}
        move = moves.get(type(outcome))
        if move is None:
            move = moves[type(outcome)] = self._ask(number, outcome)
        return move

    def moves(self) -> Iterator[tuple[Any, type[Outcome], Any]]:
        """Yield every transition that was met: state, kind of outcome, state or verdict."""
        for number, moves in self._moves.items():
            for kind, move in moves.items():
                yield self.state(number), kind, move.target

    def _ask(self, number: int, outcome: Outcome) -> Move:
        state = self.state(number)
        following = state.next(outcome, self.policy)
        broken: str | None = None
        if self.steps_checked:
            broken = promises.broken_by_step(self.saga, self.policy, state, outcome, following)
        if isinstance(following, Verdict):
            return Move(following, self._ended(state, following), broken)
        if not promises.within_limits(self.saga, self.policy, following):
            broken = promises.BOUNDED
        went = Went(
            self._states.number(following),
            changes_id=following.facts.epoch != state.facts.epoch,
            begins_undo=isinstance(following, self.saga.Undo),
        )
        self.follows.setdefault(number, set()).add(went.state)
        return Move(following, went, broken)

    def _ended(self, state: Any, verdict: Any) -> Ended:
        leg = state.leg if isinstance(verdict, InDoubt) else Leg.FORWARD
        later = self._resumed(leg, self.saga.on_record(state, verdict))
        return Ended(type(verdict).__name__, later)

    def _resumed(self, leg: Leg, facts: Any) -> int:
        return self._states.number(self.saga.resume(leg, facts, self.proof))
