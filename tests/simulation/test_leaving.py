"""A caller may leave at any turn of the loop: nothing is lost by it but his answer."""

import pytest

from tests.simulation.leaving import EXCHANGE_SECONDS, SITUATIONS, left_at, turns_of
from tests.simulation.loop import SimLoop


@pytest.mark.parametrize("gap_seconds", [0.0, EXCHANGE_SECONDS])
@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_caller_may_leave_at_every_turn(situation: str, gap_seconds: float) -> None:
    loop = SimLoop()
    turns = turns_of(SITUATIONS[situation], loop)

    left = [
        left_at(turn, SITUATIONS[situation], loop, gap_seconds=gap_seconds)
        for turn in range(turns + 1)
    ]

    assert sum(left) >= turns - 3, "most of them must have been in time to matter"
    loop.close()
