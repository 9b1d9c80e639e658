"""Every promise of the contract can fail: a bug planted into the pacer breaks it."""

import pytest

from tests.pacing.contract_mutants import MUTANTS
from tests.support.programs import output_of

NUMBERS = range(len(MUTANTS))


@pytest.mark.parametrize("number", NUMBERS, ids=[f"{one.rule} {one.bug}" for one in MUTANTS])
def test_a_broken_pacer_breaks_its_promise(number: int) -> None:
    seed, promise = output_of("tests.pacing.contract_mutants", str(number)).split(" ", 1)
    assert int(seed) >= 0
    assert promise.startswith(f"{MUTANTS[number].rule}:")


def test_every_promise_is_broken_by_some_bug() -> None:
    promises = {"cap", "floor", "probe", "slow start", "lanes", "deadlines", "budget", "service"}

    assert {mutant.rule for mutant in MUTANTS} == promises
