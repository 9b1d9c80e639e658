"""Every seeded bug can be planted, every rule has some, and the hunt finds what is planted."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import agcod_async
from tests.simulation.mutants import MUTANTS
from tests.simulation.planting import Mutant, mutated

PACKAGE = Path(agcod_async.__file__).parent


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.rule} {mutant.bug}")
def test_a_bug_fits_the_code_that_ships(mutant: Mutant) -> None:
    source = (PACKAGE / f"{mutant.module.replace('.', '/')}.py").read_text(encoding="utf-8")

    compile(mutated(mutant, source), mutant.module, "exec")


def test_every_rule_is_broken_in_two_ways_at_least() -> None:
    bugs = Counter(mutant.rule for mutant in MUTANTS)

    assert {rule for rule in (f"R{number}" for number in range(1, 15)) if bugs[rule] < 2} == set()


@pytest.mark.parametrize("rule", ["R1", "R8", "R10"])
def test_a_planted_bug_is_found(rule: str) -> None:
    number = next(at for at, mutant in enumerate(MUTANTS) if mutant.rule == rule)
    hunt = subprocess.run(  # noqa: S603  this very program
        [sys.executable, "-m", "tests.simulation", "hunt", str(number)],
        check=True,
        capture_output=True,
        text=True,
    )

    found = json.loads(hunt.stdout)
    assert 0 < found["runs"] < 200
    assert found["again"].startswith("CHOICES=create:")
