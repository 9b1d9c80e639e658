"""Visit every pair (state of the saga, world) that can be reached, and check each promise there.

A run goes breadth first, so that the trace of the first broken promise is a shortest one. Crashes
and later calls are not counted: from every pair, at every moment, the process may die or run out
of time, and the call be resumed from what is on record at that moment.
"""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from agcod_async.core.outcomes import Leg, Outcome
from tests.model import promises
from tests.model.machine import Ended, Machine, Numbered, Went
from tests.model.provider import Provider
from tests.model.world import Cell, Held, World

Pair = tuple[int, int]
"""The numbers of a state and of a world."""

What = tuple[str | Outcome, ...]
"""What has led from one pair to the next."""

_EARLY_CRASH = "a crash before the attempt was on record"
_CRASH = "a crash before the answer was on record"


class BrokenError(Exception):
    """A promise is broken; `trace` is a shortest way to it."""

    def __init__(self, promise: str, trace: tuple[str, ...]) -> None:
        super().__init__(promise)
        self.promise = promise
        self.trace = trace


@dataclass(slots=True)
class Figures:
    """How far an exploration has gone. An edge is an outcome, a crash or the end of the time."""

    pairs: int = 0
    edges: int = 0
    depth: int = 0
    verdicts: Counter[str] = field(default_factory=Counter[str])


@dataclass(frozen=True, slots=True)
class Possible:
    """What may come of an attempt: the answers, each with the world after it, and these worlds."""

    answers: list[tuple[Outcome, int]]
    afterwards: dict[int, Outcome]


class Exploration:
    """One saga under one policy against one provider of operations of the same proof."""

    def __init__(self, machine: Machine, provider: Provider) -> None:
        assert machine.proof is provider.proof
        self.machine = machine
        self.provider = provider
        self.figures = Figures()
        self.worlds: Numbered[World] = Numbered()
        self._came: dict[Pair, tuple[Pair | None, What]] = {}
        self._depth: dict[Pair, int] = {}
        self._queue: deque[Pair] = deque()
        self._attempts: dict[tuple[Leg, int, bool, int], Possible] = {}
        self._honest_attempts: dict[tuple[Leg, int, bool, int], list[tuple[Outcome, int]]] = {}
        self._broken_verdicts: dict[tuple[str, int, int], str | None] = {}
        self._broken_worlds: dict[tuple[bool, int], str | None] = {}

    @property
    def pairs(self) -> Iterable[Pair]:
        """Every pair that was reached, in the order in which it was."""
        return self._came.keys()

    def run(self) -> Figures:
        """Visit everything; raises `BrokenError` at the first promise that does not hold."""
        nothing = World((Cell(),) * (self.machine.policy.successors_max + 1))
        self._reach(None, ("a call begins",), self.machine.first, self.worlds.number(nothing))
        while self._queue:
            self._visit(self._queue.popleft())
        self.figures.pairs = len(self._came)
        self.figures.depth = max(self._depth.values())
        return self.figures

    def _visit(self, pair: Pair) -> None:
        state, world = pair
        standing = self.machine.standing(state)
        if standing.broken:
            self._break(standing.broken, pair, ("a crash",), world)
        self._reach(pair, (_EARLY_CRASH,), standing.before, world)
        self._end(pair, ("out of time",), standing.out_of_time, world)
        possible = self._possible(pair)
        for after, outcome in possible.afterwards.items():
            # After `Untouched` this is also the crash between the record and the sending.
            self._reach(pair, (outcome, _CRASH), standing.sending, after)
        # What was answered before the crash is lost, so these edges are as many as the answers.
        self.figures.edges += len(possible.answers) - len(possible.afterwards)
        for outcome, after in possible.answers:
            move = self.machine.move(state, outcome)
            if move.broken:
                self._break(move.broken, pair, (outcome,), after)
            if isinstance(move.following, Ended):
                self._end(pair, (outcome,), move.following, after)
            else:
                self._go_on(pair, outcome, move.following, after)

    def _end(self, pair: Pair, what: What, ended: Ended, world: int) -> None:
        self.figures.verdicts[ended.kind] += 1
        epoch = self.machine.standing(pair[0]).epoch
        broken = self._broken_verdict(ended.kind, epoch, world)
        if broken:
            self._break(broken, pair, (*what, ended.kind), world)
        if ended.kind == "Issued" and not self._is_old_news(now := self.worlds.things[world]):
            world = self.worlds.number(now._replace(held=Held.OUT))
        self._reach(pair, (*what, ended.kind, "a later call"), ended.later, world)

    def _go_on(self, pair: Pair, outcome: Outcome, went: Went, world: int) -> None:
        if went.changes_id or went.begins_undo:
            now = self.worlds.things[world]
            ours = now.undo_begun and now.held is Held.NO
            if went.changes_id and self.machine.steps_checked and not ours:
                self._break(promises.SUCCESSOR, pair, (outcome,), world)
            if went.changes_id:
                now = now.left(self.machine.standing(pair[0]).epoch)
            world = self.worlds.number(now._replace(undo_begun=went.begins_undo))
        self._reach(pair, (outcome,), went.state, world)

    def _possible(self, pair: Pair) -> Possible:
        """Return what may come of the attempt that this state asks for."""
        standing = self.machine.standing(pair[0])
        key = standing.leg, standing.epoch, standing.settles, pair[1]
        found = self._attempts.get(key)
        if found is None:
            known: dict[tuple[type[Outcome], int], Outcome] = {}
            here, epoch = self.worlds.things[pair[1]], standing.epoch
            for present in self.provider.presents(here, epoch, settled=standing.settles):
                for outcome, after in self.provider.replies(standing.leg, present, epoch):
                    known[type(outcome), self.worlds.number(after)] = outcome
            answers = [(outcome, after) for (_, after), outcome in known.items()]
            found = Possible(answers, {after: outcome for outcome, after in reversed(answers)})
            self._attempts[key] = found
        return found

    def honestly(self, pair: Pair) -> list[tuple[Outcome, int]]:
        """Return what an honest provider may answer this attempt, and the world then."""
        standing = self.machine.standing(pair[0])
        key = standing.leg, standing.epoch, standing.settles, pair[1]
        found = self._honest_attempts.get(key)
        if found is None:
            here, epoch = self.worlds.things[pair[1]], standing.epoch
            replies = [
                self.provider.honest_reply(standing.leg, present, epoch)
                for present in self.provider.honest_presents(here, settled=standing.settles)
            ]
            found = [(outcome, self.worlds.number(after)) for outcome, after in replies]
            self._honest_attempts[key] = found
        return found

    # --- promises ------------------------------------------------------------------------------

    def _reach(self, origin: Pair | None, what: What, state: int, world: int) -> None:
        self.figures.edges += 1
        pair = state, world
        if pair in self._came:
            return
        self._came[pair] = origin, what
        self._depth[pair] = 0 if origin is None else self._depth[origin] + 1
        self._queue.append(pair)
        key = self.machine.standing(state).undoes, world
        if key not in self._broken_worlds:
            futures = self.provider.futures(self.worlds.things[world])
            self._broken_worlds[key] = promises.broken_by_world(futures, undoing=key[0])
        broken = self._broken_worlds[key]
        if broken:
            raise BrokenError(broken, self.trace(pair))

    def _broken_verdict(self, kind: str, epoch: int, world: int) -> str | None:
        key = kind, epoch, world
        if key not in self._broken_verdicts:
            now = self.worlds.things[world]
            futures = self.provider.futures(now)
            self._broken_verdicts[key] = (
                None
                if kind == "Issued" and self._is_old_news(now)
                else promises.broken_by_verdict(kind, epoch, futures)
            )
        return self._broken_verdicts[key]

    def _is_old_news(self, world: World) -> bool:
        """Whether an answer may be one that was given before somebody else undid the card."""
        return world.held is Held.REVOKED and self.provider.hides

    def _break(self, promise: str, pair: Pair, what: What, world: int) -> None:
        last = f"{_told(what)} [{self.worlds.things[world]}]"
        raise BrokenError(promise, (*self.trace(pair), last))

    def trace(self, pair: Pair) -> tuple[str, ...]:
        """Return a shortest way to `pair`, one line for each step."""
        lines: list[str] = []
        step: Pair | None = pair
        while step is not None:
            origin, what = self._came[step]
            state = described(self.machine.state(step[0]))
            lines.append(f"{_told(what)} [{self.worlds.things[step[1]]}] -> {state}")
            step = origin
        return tuple(reversed(lines))


def _told(what: What) -> str:
    return ", ".join(part if isinstance(part, str) else type(part).__name__ for part in what)


def described(state: Any) -> str:
    """Return a state in few words."""
    facts = state.facts
    names = ("doubtful", "undone", "tainted", "confirmed")
    true = [name for name in names if getattr(facts, name)]
    return (
        f"{type(state).__name__} of ID {facts.epoch} ({', '.join(true) or 'nothing known'};"
        f" attempt {state.attempts + 1} after pause {state.pause.value})"
    )
