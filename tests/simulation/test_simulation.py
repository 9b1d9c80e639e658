"""The simulation of the code that ships, and what it stands on.

The runs are made in processes of their own: all that `make sim` runs, in parts that the processes
of pytest share. `SIM_PERCENT` makes them fewer, for people in a hurry.
"""

import os
import re
import sys
from collections.abc import Iterator
from functools import partial
from itertools import product
from math import comb
from pathlib import Path

import pytest

from tests.simulation.campaign import (
    CI_FAULTS_MAX,
    LONG_FAULTS_MAX,
    PERCENT,
    SIZES,
    Job,
    Size,
    Tally,
    done,
    every_setup,
    jobs,
    of_a_long_run,
    of_each_push,
)
from tests.simulation.choices import Listed, parsed, shown, walk
from tests.simulation.faults import FAULTS, SYSTEMATIC
from tests.simulation.history import ViolationError
from tests.simulation.log import Log
from tests.simulation.loop import SimLoop
from tests.simulation.orders import FAMILIES
from tests.simulation.schedules import (
    KINDS,
    VARIANTS,
    Setup,
    plain,
    played,
    telling_apart,
)
from tests.simulation.swarm import flown
from tests.simulation.world import WORLDS
from tests.support.programs import output_of

PARTS = 8
EVERY = 36
"""Of the schedules that are left out so many are not looked at, with another part each time."""
SCHEDULES_MIN = 100_000
ISSUANCES_MIN = 200_000
"""In random worlds alone; each schedule is one more."""


@pytest.fixture
def loop() -> Iterator[SimLoop]:
    made = SimLoop()
    yield made
    made.close()


simulated = partial(output_of, "tests.simulation")


@pytest.fixture
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory that all processes of this run of pytest share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.mark.timeout(900)
@pytest.mark.parametrize("part", range(1, PARTS + 1))
def test_every_promise_is_kept(part: int, logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = logs / f"part {part} of the simulation"
    words = ("--part", f"{part}/{PARTS}", "--workers", "1", "--percent", f"{PERCENT}")
    told = simulated("ci", *words, "--log", str(log)).splitlines()[-1]
    assert "; 0 broken promises;" in told
    log.with_suffix(".done").touch()

    if len(list(logs.glob("part * of the simulation.done"))) == PARTS:  # this was the last
        with capsys.disabled():
            # To stderr: a worker of xdist has no other way to the terminal.
            print(f"\nsimulation: {all_of_it(logs)}", file=sys.stderr)  # noqa: T201  it is told


def all_of_it(logs: Path) -> str:
    """Hold all parts together to the size that is promised, and tell what came of them."""
    whole, issuances = Tally(), 0
    for part in logs.glob("part * of the simulation"):
        for one in Log(part).known().values():
            done = Tally(**one)
            whole.add(done)
            issuances += done.issued if done.worlds else 0
    told = whole.line()
    is_short = PERCENT < 100  # then some part of it is left to chance
    assert whole.schedules >= (1 if is_short else SCHEDULES_MIN), told
    assert issuances >= (1 if is_short else ISSUANCES_MIN), told
    return told


def test_the_schedules_are_all_that_there_are() -> None:
    for positions, faults_max, kinds in product((1, 3, 4), (0, 1, 2, 4), (1, 3)):
        found = [tuple(one) for one in walk(positions, faults_max=faults_max, kinds=kinds)]
        wanted = sum(
            comb(positions, faults) * kinds**faults
            for faults in range(min(faults_max, positions) + 1)
        )
        assert len(found) == len(set(found)) == wanted


def test_a_list_of_choices_is_read_as_it_was_shown() -> None:
    for choices in ([0], [3], [0, 9, 0, 1], [5, 3]):
        assert parsed(shown(choices)) == choices
    assert shown([0, 2, 0, 0]) == "0.2"
    for setup in every_setup():
        assert Setup.parsed(str(setup)) == setup


def test_the_jobs_are_of_the_promised_size() -> None:
    some, whole = (jobs(SIZES["ci"], percent=percent) for percent in (10, 100))

    assert len(some) == pytest.approx(len(whole) / 10, rel=0.05)
    assert set(some) < set(whole)
    assert {job.setup.family for job in some if job.setup is not None} == set(FAMILIES)
    assert {job.faults_max for job in whole if job.setup is not None} == {
        CI_FAULTS_MAX,
        CI_FAULTS_MAX - 1,
    }


def test_the_jobs_of_the_long_size_are_all_schedules_once(monkeypatch: pytest.MonkeyPatch) -> None:
    setup = Setup("load", "not-found,after_void=hidden,repeated_load=same-load")
    monkeypatch.setattr("tests.simulation.campaign.LONG_FAULTS_MAX", 2)
    some = jobs(Size(lambda: iter([(setup, 2)]), 0), percent=100)
    whole = Job(setup, (), 2)

    assert len(some) == len(SYSTEMATIC) ** 2
    assert sum(done(job).schedules for job in some) == done(whole).schedules > len(some)


def test_a_long_run_has_four_faults_for_each_pair_and_all_that_ci_has() -> None:
    long, pushed = dict(of_a_long_run()), dict(of_each_push())
    deep = {setup for setup, faults_max in long.items() if faults_max == LONG_FAULTS_MAX}

    assert set(long) == set(pushed)
    assert all(long[setup] == pushed[setup] for setup in set(long) - deep)
    for family in FAMILIES:
        ways = {setup.semantics for setup in deep if setup.family == family}
        assert plain(Setup(family, "")).semantics in ways
        assert any("noop" in way for way in ways)
        assert any("reissue" in way for way in ways)
        assert any("tombstone" in way or "=refuse" in way for way in ways)


def test_what_is_left_out_is_the_same_in_the_plain_setup(loop: SimLoop) -> None:
    setups = [(setup, telling_apart(setup)) for setup in every_setup()]
    sharing = [(setup, telling) for setup, telling in setups if telling is not None]
    assert {setup.family for setup, _ in sharing} == set(FAMILIES)
    assert {setup.variant for setup, _ in sharing} == {*VARIANTS} - {"half-a-day", "twice"}
    whole = [choices for choices in walk(3, faults_max=2, kinds=KINDS) if choices.count(0) == 1]
    for number, (setup, telling) in enumerate(sharing):
        left_out = [choices for choices in whole if telling.isdisjoint(choices)]
        for choices in left_out[number % EVERY :: EVERY]:
            one, other = (played(one, Listed(choices), loop) for one in (setup, plain(setup)))
            assert one.history.events == other.history.events


def test_a_long_run_is_continued_where_it_was_stopped(tmp_path: Path) -> None:
    log = tmp_path / "done"
    words = ("ci", "--percent", "0.2", "--workers", "1", "--log", str(log))

    stopped = simulated(*words, "--seconds", "0").splitlines()
    with log.open("a", encoding="utf-8") as file:
        file.write('["half of a li')
    continued = simulated(*words).splitlines()

    told = re.fullmatch(r"no more time: 1 of (\d+) jobs", stopped[-2])
    assert told is not None
    assert len(log.read_text(encoding="utf-8").splitlines()) == int(told[1]) > 1
    assert simulated(*words).splitlines()[-1] == continued[-1] != stopped[-1]


def test_the_same_seed_gives_the_same_history(loop: SimLoop) -> None:
    first, second = ([flown(seed, loop) for seed in range(12)] for _ in range(2))
    assert first == second
    assert len({world.digest for world in first}) == 12


def test_every_fault_of_a_schedule_shows_in_its_history(loop: SimLoop) -> None:
    setup = Setup("create", "tombstone,not-found")
    for choice, fault in enumerate(SYSTEMATIC):
        world = played(setup, Listed([choice]), loop)
        sent = [event for event in world.history.events if event[1] == "send"]
        assert sent[0][4] == fault.name
        assert (world.life > 0) == fault.name.startswith("killed")


def test_random_worlds_meet_every_fault(loop: SimLoop) -> None:
    met, seeds = set[str](), iter(range(300))
    while met != set(FAULTS):
        met |= met_in(next(seeds), loop)


def met_in(seed: int, loop: SimLoop) -> set[str]:
    flown(seed, loop)
    return {str(event[4]) for event in WORLDS[-1].history.events if event[1] == "send"}


def test_a_broken_promise_is_reported_with_what_runs_it_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object) -> None:
        raise ViolationError("I1", "two cards")

    monkeypatch.setattr("tests.simulation.schedules.audit", broken)
    job = next(job for job in jobs(SIZES["ci"], percent=100) if job.setup is not None)
    tally: Tally = done(job)

    assert tally.broken
    assert tally.broken[0] == f"CHOICES='{job.setup}/{job.begins[0]}'  I1: two cards"
