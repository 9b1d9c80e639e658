"""All mutants, each in a process of its own."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from tests.hostile.mutants import MUTANTS

WORKERS: Final = 2


def hunted(number: int) -> dict[str, str | int] | None:
    """Plant one mutant in a process, and return what shows it; None if nothing does."""
    done = subprocess.run(  # noqa: S603  this very program
        [sys.executable, "-m", "tests.hostile", "hunt", str(number)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, str | int] | None = json.loads(done.stdout.splitlines()[-1])
    return found


def run() -> int:
    """Hunt all mutants, print a table, and return the exit status."""
    survived = 0
    with ThreadPoolExecutor(WORKERS) as workers:
        pairs = zip(MUTANTS, workers.map(hunted, range(len(MUTANTS))), strict=True)
        for mutant, found in pairs:
            survived += found is None
            how = "SURVIVES" if found is None else f"{found['inputs']:>6} inputs"
            _say(f"{mutant.rule:<8}{how}  {mutant.bug}")
    _say(f"{len(MUTANTS) - survived} of {len(MUTANTS)} mutants noticed")
    return 1 if survived else 0


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  it is a program
