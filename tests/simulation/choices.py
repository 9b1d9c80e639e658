"""Where a run takes its chances from: a list of choices, or a seed. Either repeats the run."""

import random
from collections.abc import Iterator, Sequence
from typing import Protocol


class Choices(Protocol):
    """Picks what goes wrong next."""

    def pick(self, weights: Sequence[float]) -> int:
        """Return a position in `weights`; 0 always stands for "nothing goes wrong"."""
        ...


class Listed:
    """Takes the choices from a list, and 0 after its end; writes down what there was to choose."""

    def __init__(self, listed: Sequence[int] = ()) -> None:
        self._listed = listed
        self.taken: list[int] = []

    def pick(self, weights: Sequence[float]) -> int:
        at = len(self.taken)
        choice = self._listed[at] if at < len(self._listed) else 0
        if not 0 <= choice < len(weights):
            raise ValueError(f"choice {at + 1} is {choice}: there are only {len(weights)}")
        self.taken.append(choice)
        return choice


class Seeded:
    """Draws by weight."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def pick(self, weights: Sequence[float]) -> int:
        draw = self._chance.random() * sum(weights)
        for position, weight in enumerate(weights):
            draw -= weight
            if draw < 0:
                return position
        return 0


def following(
    taken: Sequence[int], *, faults_max: int, kinds: int, fixed: int = 0
) -> list[int] | None:
    """Return the choices of the next schedule, in order; None after the last.

    `taken` is what the last run took. `kinds` counts the faults to choose from; at most
    `faults_max` of the choices are one. The first `fixed` choices stay as they are.
    """
    for at in range(len(taken) - 1, fixed - 1, -1):
        before = sum(choice > 0 for choice in taken[:at])
        if before < faults_max and taken[at] < kinds:
            return [*taken[:at], taken[at] + 1]
    return None


def shown(choices: Sequence[int]) -> str:
    """Return a list of choices as text, such as "0.3.1", without the zeros at its end."""
    last = max((at for at, choice in enumerate(choices, start=1) if choice), default=1)
    return ".".join(map(str, choices[:last])) or "0"


def parsed(text: str) -> list[int]:
    """Read what `shown` has written."""
    return [int(word) for word in text.split(".")]


def walk(positions: int, *, faults_max: int, kinds: int) -> Iterator[list[int]]:
    """Yield every schedule over a fixed number of requests; for tests of `following`."""
    current: list[int] | None = [0] * positions
    while current is not None:
        yield current
        current = following(current, faults_max=faults_max, kinds=kinds)
        if current is not None:
            current = [*current, *([0] * (positions - len(current)))]
