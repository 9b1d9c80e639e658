"""Looks for the bug that was planted: in schedules, shortest first, or in random worlds."""

import itertools
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.simulation.choices import Listed, following, shown
from tests.simulation.history import ViolationError
from tests.simulation.loop import SimLoop
from tests.simulation.schedules import KINDS, Setup, played
from tests.simulation.swarm import flown

RUNS_MAX = 10_000
FAULTS_MAX = 4
HUNTS = {
    "create": [Setup("create", f"{after},not-found") for after in ("tombstone", "reissue")],
    "reissue": [Setup("create", "reissue,not-found"), Setup("create", "reissue,noop")],
    "raise": [Setup("create", "tombstone,not-found", "raise")],
    "hasty": [Setup("create", "tombstone,not-found", deadline_seconds=10.0)],
    "confirmed": [Setup("create", "tombstone,not-found", calls_again=True)],
    "short": [Setup("create", "tombstone,not-found", "short")],
    "orphaned": [Setup("create", "tombstone,not-found", orphaned=True)],
    "killed": [Setup("create", "tombstone,not-found", variant="killed-late")],
    "told to end": [Setup("create", "tombstone,not-found", variant="told-to-end")],
    "half a day": [Setup("create", "tombstone,not-found", variant="half-a-day")],
    "twice": [Setup("create", "tombstone,not-found", "duplicating", variant="twice")],
    "codeless": [Setup("create", "tombstone,not-found", variant="codeless")],
    "clocks": [
        Setup("create", "tombstone,not-found", clock="fast", late_seconds=520.0),
        Setup("create", "tombstone,not-found", clock="slow", late_seconds=60.0),
    ],
    "activate": [Setup("activate", "not-found,after_deactivate=hidden")],
    "load": [Setup("load", "not-found,after_void=hidden")],
}
"""The setups whose schedules a mutant is looked for in."""


@dataclass(frozen=True, slots=True)
class Caught:
    """What has shown the bug: the promise it breaks, after how many runs, and the run itself."""

    runs: int
    seen: str
    again: str


def hunted(hunt: str) -> Caught | None:
    """Run until a promise is broken; None if none is within `RUNS_MAX` runs."""
    logging.disable(logging.CRITICAL)
    runs = _worlds() if hunt == "swarm" else _schedules(HUNTS[hunt])
    for number, broken in enumerate(itertools.islice(runs, RUNS_MAX), start=1):
        if broken is not None:
            return Caught(number, *broken)
    return None


Broken = tuple[str, str]
"""The promise that a run has broken, and how to run it again."""


def _worlds() -> Iterator[Broken | None]:
    loop = SimLoop()
    for seed in itertools.count():
        yield _broken(lambda seed=seed: flown(seed, loop), f"SEED={seed}")


def _schedules(setups: list[Setup]) -> Iterator[Broken | None]:
    """Play all schedules with one fault, then those with two, and so on."""
    loop = SimLoop()
    for faults, setup in itertools.product(range(1, FAULTS_MAX + 1), setups):
        choices: list[int] | None = []
        while choices is not None:
            listed = Listed(choices)
            broken = _broken(lambda listed=listed, setup=setup: played(setup, listed, loop), "")
            if broken is not None:
                broken = broken[0], f"CHOICES={setup}/{shown(listed.taken)}"
            yield broken
            choices = following(listed.taken, faults_max=faults, kinds=KINDS)


def _broken(run: Callable[[], object], again: str) -> Broken | None:
    try:
        run()
    except ViolationError as error:
        return str(error), again
    except Exception as error:  # noqa: BLE001  a mutant may raise anything
        return f"the SDK raised {type(error).__name__}", again
    return None
