"""Many runs over several processes: the schedules and the random worlds, and what came of them.

A job takes about a second, or some in the long size. What has come of it goes on a list as soon as
it is done, if there is one (`--log`), and is not done again.
"""

import argparse
import gc
import inspect
import logging
import multiprocessing
import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import product
from pathlib import Path

import tenacity

from tests.simulation.choices import Listed, following, parsed, shown
from tests.simulation.faults import SYSTEMATIC
from tests.simulation.history import ViolationError
from tests.simulation.log import Log
from tests.simulation.loop import SimLoop
from tests.simulation.orders import FAMILIES
from tests.simulation.schedules import (
    KINDS,
    Setup,
    played,
    semantics_of,
    telling_apart,
)
from tests.simulation.swarm import flown
from tests.simulation.world import WORLDS

PERCENT = float(os.environ.get("SIM_PERCENT", "100"))
"""How much of the size is run: the one knob to make the simulation shorter."""
CI_FAULTS_MAX = 3
LONG_FAULTS_MAX = 4
CI_ISSUANCES = 200_000
LONG_ISSUANCES = 1_000_000
UNDO_WAYS = frozenset(
    {
        "noop",
        "reissue",
        "after_deactivate=reissue",
        "after_deactivate=refuse",
        "after_void=reissue",
        "after_void=refuse",
    }
)
"""What Amazon may do otherwise that has to do with undos, as its semantics have it in words."""
SEEDS_EACH = 25
ISSUANCES_PER_WORLD = 17.5
"""Some more on average; a world has 1 to 64 orders."""
GARBAGE_MAX = 500_000
"""A run leaves some hundred objects that hold each other. A process ends after a few jobs, so most
of them are never looked for: to look took a seventh of the time."""
JOBS_PER_PROCESS = 4
SAY_EVERY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Job:
    """Some runs that belong together: schedules that begin alike, or seeds from `first` on."""

    setup: Setup | None
    begins: tuple[int, ...]
    faults_max: int = 0

    def __str__(self) -> str:
        begins = ".".join(map(str, self.begins))
        return begins if self.setup is None else f"{self.setup}/{begins}/{self.faults_max}"


@dataclass(slots=True)
class Tally:
    """What has come of some runs. `seconds` are of CPU time."""

    seconds: float = 0.0
    schedules: int = 0
    worlds: int = 0
    lively: int = 0
    orders: int = 0
    issued: int = 0
    sends: int = 0
    crashes: int = 0
    repeated: int = 0
    broken: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        self.seconds += other.seconds
        self.schedules += other.schedules
        self.worlds += other.worlds
        self.lively += other.lively
        self.orders += other.orders
        self.issued += other.issued
        self.sends += other.sends
        self.crashes += other.crashes
        self.repeated += other.repeated
        self.broken += other.broken

    def line(self) -> str:
        return (
            f"{self.schedules} schedules, {self.worlds} worlds ({self.lively} whose faults stop), "
            f"{self.orders} orders, {self.issued} issued, {self.sends} requests, "
            f"{self.crashes} crashes, {self.repeated} runs repeated; "
            f"{len(self.broken)} broken promises; {self.seconds:.0f} s of CPU time"
        )


def ways_of_amazon() -> Iterator[Setup]:
    """Yield every pair of operations with the ways in which Amazon may answer it."""
    for semantics in semantics_of("create"):
        yield Setup("create", semantics)
    for semantics in semantics_of("activate"):
        if "repeated_deactivate=refuse" in semantics or "not-found" in semantics:
            yield Setup("activate", semantics)
    for semantics in semantics_of("load"):
        if "repeated_load=same-load" in semantics:
            yield Setup("load", semantics)
    yield Setup("load", "not-found,after_void=hidden,repeated_load=same-request")


def ways_to_call(family: str) -> Iterator[Setup]:
    """Yield what else may differ, each with the way that Amazon answers as far as is known."""
    semantics = semantics_of(family)[0]
    yield Setup(family, semantics, "raise")
    yield Setup(family, semantics, "short")
    yield Setup(family, semantics, "replay")
    yield Setup(family, semantics, "slow", late_seconds=299.0)
    yield Setup(family, semantics, "duplicating", variant="twice")
    yield Setup(family, semantics, late_seconds=8.0)
    yield Setup(family, semantics, deadline_seconds=10.0)
    yield Setup(family, semantics, orphaned=True)
    yield Setup(family, semantics, calls_again=True)
    yield Setup(family, semantics, variant="killed-late")
    yield Setup(family, semantics, variant="told-to-end")
    yield Setup(family, semantics, variant="half-a-day")
    yield Setup(family, semantics, variant="frozen")
    yield Setup(family, semantics, variant="codeless")
    # What is signed by such a clock is let in until much later, or hardly at all.
    yield Setup(family, semantics, clock="fast", late_seconds=520.0)
    yield Setup(family, semantics, clock="slow", late_seconds=60.0)


def every_setup() -> Iterator[Setup]:
    """Yield all of these, and every combination of the ways in which Amazon may answer."""
    for family in FAMILIES:
        yield from ways_to_call(family)
        for semantics in semantics_of(family):
            yield Setup(family, semantics)


def of_a_long_run() -> Iterator[tuple[Setup, int]]:
    """Yield the setups of CI, some of them with four faults: those that are most about undos.

    They are what is known of Amazon, another thing that an undo leaves behind, and an undo of
    nothing that does nothing.
    """
    deep = {setup for family in FAMILIES for setup in _about_undos(family)}
    for setup, faults_max in of_each_push():
        yield setup, LONG_FAULTS_MAX if setup in deep else faults_max


def _about_undos(family: str) -> Iterator[Setup]:
    usual = semantics_of(family)[0].split(",")
    for semantics in semantics_of(family):
        others = [way for way in semantics.split(",") if way not in usual]
        if not others or (len(others) == 1 and others[0] in UNDO_WAYS):
            yield Setup(family, semantics)


def of_every_setup() -> Iterator[tuple[Setup, int]]:
    """Yield all setups, with four faults each."""
    for setup in every_setup():
        yield setup, LONG_FAULTS_MAX


def of_each_push() -> Iterator[tuple[Setup, int]]:
    """Yield the setups of CI, each with the number of faults in its longest schedules."""
    for setup in ways_of_amazon():
        yield setup, CI_FAULTS_MAX
    for family in FAMILIES:
        for setup in ways_to_call(family):
            is_deep = family == "create" and not setup.calls_again
            is_deep = is_deep or setup.orphaned or setup.policy == "short"
            is_deep = is_deep or setup.variant == "killed-late"
            yield setup, CI_FAULTS_MAX if is_deep else CI_FAULTS_MAX - 1


@dataclass(frozen=True, slots=True)
class Size:
    """How much is run."""

    setups: Callable[[], Iterator[tuple[Setup, int]]]
    issuances: int
    """In random worlds."""


SIZES = {
    "ci": Size(of_each_push, CI_ISSUANCES),
    "long": Size(of_a_long_run, LONG_ISSUANCES),
    "every": Size(of_every_setup, LONG_ISSUANCES),
}


def jobs(size: Size, *, percent: float) -> list[Job]:
    """Return what is to be done, well mixed: each part of it is a sample of the whole."""
    schedules = [
        Job(setup, begins, faults_max)
        for setup, faults_max in size.setups()
        for begins in product(
            range(len(SYSTEMATIC)), repeat=2 if faults_max == LONG_FAULTS_MAX else 1
        )
    ]
    seeds = range(0, round(size.issuances / ISSUANCES_PER_WORLD), SEEDS_EACH)
    worlds = [Job(None, (seed,)) for seed in seeds]
    whole = [*schedules, *worlds]
    random.Random(0).shuffle(whole)
    return whole[: max(1, round(len(whole) * percent / 100))]


def done(job: Job) -> Tally:
    """Do one job."""
    began_at = time.process_time()
    tally = _schedules(job, job.setup) if job.setup is not None else _worlds(job)
    tally.seconds = time.process_time() - began_at
    return tally


def _schedules(job: Job, setup: Setup) -> Tally:
    tally, loop = Tally(), SimLoop()
    choices: list[int] | None = list(job.begins)
    fixed, telling = len(job.begins), telling_apart(setup)
    if sum(choice > 0 for choice in job.begins) > job.faults_max:
        return tally
    while choices is not None:
        if telling is not None and _is_left_out(choices, job.faults_max, telling):
            choices = following(choices, faults_max=job.faults_max, kinds=KINDS, fixed=fixed)
            continue
        listed = Listed(choices)
        try:
            world = played(setup, listed, loop)
        except Exception as error:  # noqa: BLE001  whatever it is, it is to be reported
            tally.broken.append(_report(f"CHOICES='{setup}/{shown(listed.taken)}'", error))
            loop.close()
            loop = SimLoop()
        else:
            if len(listed.taken) < fixed and any(job.begins[len(listed.taken) :]):
                break  # it was over before: this is another job's
            tally.sends += world.watch.sends
            tally.issued += len(world.watch.issued)
            tally.crashes += world.life
            if not tally.schedules:
                again = played(setup, Listed(listed.taken), loop)
                tally.repeated += 1
                if again.history.digest() != world.history.digest():
                    tally.broken.append(f"CHOICES='{setup}/{shown(listed.taken)}'  I14: differs")
        tally.schedules += 1
        tally.orders += 1
        choices = following(
            listed.taken, faults_max=job.faults_max, kinds=KINDS, fixed=len(job.begins)
        )
    loop.close()
    return tally


def _is_left_out(choices: list[int], faults_max: int, telling: frozenset[int]) -> bool:
    """Return whether a schedule is the very same in the plain setup, which is played as well.

    Only where it has all the faults that it may have: what follows then needs no run to be known.
    """
    return sum(choice > 0 for choice in choices) == faults_max and telling.isdisjoint(choices)


def _worlds(job: Job) -> Tally:
    tally, loop, (first,) = Tally(), SimLoop(), job.begins
    for seed in range(first, first + SEEDS_EACH):
        tally.worlds += 1
        try:
            world = flown(seed, loop)
        except Exception as error:  # noqa: BLE001  whatever it is, it is to be reported
            tally.broken.append(_report(f"SEED={seed}", error))
            loop.close()
            loop = SimLoop()
            continue
        tally.lively += world.is_lively
        tally.orders += world.orders
        tally.issued += world.issued
        tally.sends += world.sends
        tally.crashes += world.lives - 1
        if seed == first:
            tally.repeated += 1
            if flown(seed, loop).digest != world.digest:
                tally.broken.append(f"SEED={seed}  I14: the same seed gave another history")
    loop.close()
    return tally


def _report(again: str, error: Exception) -> str:
    what = str(error) if isinstance(error, ViolationError) else repr(error)
    return f"{again}  {what}"


def _begin() -> None:
    logging.disable(logging.CRITICAL)
    tenacity._utils.is_coroutine_callable = _is_coroutine_callable
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_MAX, 10, 1_000)


_found_out = tenacity._utils.is_coroutine_callable


def _is_coroutine_callable(call: Callable[..., object]) -> bool:
    """Answer as tenacity does, from the code of a function where it has one.

    tenacity finds it out anew at every attempt, for each of its own steps: a tenth of the time.
    """
    code = getattr(call, "__code__", None)
    return _found_out(call) if code is None else bool(code.co_flags & inspect.CO_COROUTINE)


def run(words: list[str]) -> int:
    """Do what the command line asks for, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("what", nargs="?", default="ci", choices=(*SIZES, "seed", "choices"))
    parser.add_argument("which", nargs="?", default="")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--part", default="1/1", help="such as 2/4: the second quarter")
    parser.add_argument("--percent", type=float, default=PERCENT)
    parser.add_argument("--log", type=Path, help="what is done goes here, and is not done again")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="end by then")
    asked = parser.parse_args(words)
    _begin()
    if asked.what == "seed":
        return _one(lambda loop: flown(int(asked.which), loop))
    if asked.what == "choices":
        setup, _, choices = asked.which.rpartition("/")
        return _one(lambda loop: played(Setup.parsed(setup), Listed(parsed(choices)), loop))
    part, parts = map(int, asked.part.split("/"))
    whole = jobs(SIZES[asked.what], percent=asked.percent)
    log = Log(asked.log)
    return _all(whole[part - 1 :: parts], log, asked.workers, asked.seconds)


def _all(some: list[Job], log: Log, workers: int, seconds: float) -> int:
    """Do what is not on the list yet, for as long as there is time."""
    began_at, said_at = time.monotonic(), 0.0
    tally, known = Tally(), log.known()
    for one in known.values():
        tally.add(Tally(**one))
    left = {str(job): job for job in some if str(job) not in known}
    finished = len(some) - len(left)
    # What a fork takes over from its server is imported already, and no thread runs there.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.simulation.campaign"])
    with context.Pool(workers, _begin, maxtasksperchild=JOBS_PER_PROCESS) as pool:
        for name, one in pool.imap_unordered(_named, left.values()):
            log.add(name, asdict(one))
            for line in one.broken:
                _say(f"make sim {line}")
            tally.add(one)
            finished += 1
            took = time.monotonic() - began_at
            if took - said_at >= SAY_EVERY_SECONDS:
                said_at = took
                hours = tally.seconds / finished * (len(some) - finished) / 3600
                _say(f"{finished} of {len(some)} jobs, {hours:.1f} CPU hours left: {tally.line()}")
            if took > seconds:
                _say(f"no more time: {finished} of {len(some)} jobs")
                break
    _say(tally.line())
    return 1 if tally.broken else 0


def _named(job: Job) -> tuple[str, Tally]:
    return str(job), done(job)


def _one(play: Callable[[SimLoop], object]) -> int:
    """Play one run, and show its history."""
    try:
        play(SimLoop())
    except ViolationError as error:
        broken: ViolationError | None = error
    else:
        broken = None
    world = WORLDS[-1]
    for line in world.history.lines():
        _say(line)
    _say(f"history {world.history.digest()}")
    _say("every promise is kept" if broken is None else f"BROKEN  {broken}")
    return 0 if broken is None else 1


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  it is a program
