"""That every call ends: by its limits whatever happens, and well with an honest provider."""

from tests.model import promises
from tests.model.explore import BrokenError, Exploration, Pair, described
from tests.model.machine import Ended, Machine


def longest_call(machine: Machine) -> int:
    """Return how many attempts the longest call makes, over every state that was met.

    Raises `BrokenError` if a call can come back to where it was, or be longer than its policy
    allows.
    """
    lengths: dict[int, int] = {}
    for state in range(machine.size):
        _measure(machine, state, lengths)
    longest = max(lengths.values())
    allowed = promises.attempts_allowed(machine.policy, machine.proof)
    if longest > allowed:
        raise BrokenError(promises.BOUNDED, (f"{longest} attempts, where {allowed} are allowed",))
    return longest


def _measure(machine: Machine, start: int, lengths: dict[int, int]) -> None:
    # Depth first with a stack of its own: a call may be longer than Python's.
    way = [start]
    while way:
        state = way[-1]
        after = machine.follows.get(state, set())
        unmeasured = next((other for other in after if other not in lengths), None)
        if unmeasured is None:
            lengths[state] = 1 + max((lengths[other] for other in after), default=0)
            way.pop()
        elif unmeasured in way:
            circle = (*way[way.index(unmeasured) :], unmeasured)
            names = tuple(described(machine.state(number)) for number in circle)
            raise BrokenError(promises.BOUNDED, names)
        else:
            way.append(unmeasured)


def longest_honest_end(exploration: Exploration) -> int:
    """Return after how many attempts at most an honest provider has ended any reachable call.

    What is late may still land or die meanwhile. Raises `BrokenError` where the end is in doubt,
    unless the provider says that it must be.
    """
    lengths: dict[Pair, int] = {}
    for pair in tuple(exploration.pairs):
        _end_honestly(exploration, pair, lengths)
    return max(lengths.values())


def _end_honestly(exploration: Exploration, start: Pair, lengths: dict[Pair, int]) -> None:
    way: list[Pair] = [start]
    while way:
        pair = way[-1]
        after = _honest_steps(exploration, pair)
        if after is None:
            _raise(exploration, way)
        elif unmeasured := [other for other in after if other not in lengths]:
            if unmeasured[0] in way:
                _raise(exploration, [*way, unmeasured[0]])
            way.append(unmeasured[0])
        else:
            lengths[pair] = 1 + max((lengths[other] for other in after), default=0)
            way.pop()


def _honest_steps(exploration: Exploration, pair: Pair) -> list[Pair] | None:
    """Return what an honest answer leads to, or None if it may end in doubt without need."""
    after: list[Pair] = []
    for outcome, world in exploration.honestly(pair):
        following = exploration.machine.move(pair[0], outcome).following
        if not isinstance(following, Ended):
            after.append((following.state, world))
        elif following.kind == "InDoubt" and not _excused(exploration, pair[0], world):
            return None
    return after


def _excused(exploration: Exploration, state: int, world: int) -> bool:
    facts = exploration.machine.state(state).facts
    return exploration.provider.excuses(exploration.worlds.things[world], facts.epoch, facts)


def _raise(exploration: Exploration, way: list[Pair]) -> None:
    honest = tuple(
        f"honestly answered [{exploration.worlds.things[world]}]"
        f" -> {described(exploration.machine.state(state))}"
        for state, world in way[1:]
    )
    last = "honestly answered, and in doubt or no further"
    raise BrokenError(promises.HONEST, (*exploration.trace(way[0]), *honest, last))
