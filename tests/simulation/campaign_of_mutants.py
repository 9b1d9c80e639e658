"""All mutants, each in a process of its own, two at a time."""

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict

from tests.simulation.mutants import MUTANTS
from tests.simulation.planting import Mutant, plant

WORKERS = 2


def hunt(number: int) -> int:
    """Plant one mutant in this process, look for it, and print what was found as JSON."""
    mutant = MUTANTS[number]
    plant(mutant)
    from tests.simulation.hunting import hunted  # noqa: PLC0415  it imports the mutant

    caught = hunted(mutant.hunt)
    print(json.dumps(None if caught is None else asdict(caught)))  # noqa: T201  for the parent
    return 0


def run(rules: list[str]) -> int:
    """Hunt all mutants, or those of some rules, print a table, and return the exit status."""
    started = time.monotonic()
    numbers = [number for number, mutant in enumerate(MUTANTS) if not rules or mutant.rule in rules]
    with ThreadPoolExecutor(WORKERS) as workers:
        hunts = {workers.submit(_hunted, number): MUTANTS[number] for number in numbers}
        survived = sum(_told(hunts[hunt], hunt.result()) for hunt in as_completed(hunts))
    seconds = time.monotonic() - started
    _say(f"{len(numbers) - survived} of {len(numbers)} mutants noticed, {seconds:.0f} s")
    return 1 if survived else 0


def _hunted(number: int) -> dict[str, object] | str | None:
    """Return what was found, None for a survivor, or what went wrong."""
    done = subprocess.run(  # noqa: S603  this very program
        [sys.executable, "-m", "tests.simulation", "hunt", str(number)],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        return done.stderr.strip().splitlines()[-1]
    found: dict[str, object] | None = json.loads(done.stdout.splitlines()[-1])
    return found


def _told(mutant: Mutant, found: dict[str, object] | str | None) -> bool:
    """Print a row, and return whether the mutant survives."""
    _say(f"{mutant.rule:<9}{mutant.bug}")
    match found:
        case None:
            _say(f"{'':9}SURVIVES {mutant.hunt}")
        case str():
            _say(f"{'':9}NOT PLANTED: {found}")
        case _:
            _say(f"{'':9}{found['runs']:>5} runs: {found['seen']}")
            _say(f"{'':9}      {found['again']}")
            return False
    return True


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  it is a program
