"""The floor is drawn from what was seen, and is not above what is to come."""

import itertools
import random

from agcod_async.pacing.window import GUARD_SECONDS, RoundTripFloor
from tests.pacing.laws import LAWS

STEADY = [law for law in LAWS if law != "drifting"]
REQUESTS = 300


def too_soon(out: str, back: str, seed: int) -> int:
    """Count the slots that the floor would have freed before a window was over.

    That is where one request's way out and the way back of the one before are together less
    than the floor (see the proof in docs/explanation/pacing.md).
    """
    chance, floor = random.Random(f"{out} {back} {seed}"), RoundTripFloor()
    found, back_before = 0, float("inf")
    for number in range(REQUESTS):
        there, again = LAWS[out](chance, 0.0), LAWS[back](chance, 0.0)
        found += there + back_before < floor.seconds - GUARD_SECONDS
        floor.observe(there + again, float(number) / REQUESTS)
        back_before = again
    return found


def test_the_floor_is_not_above_what_is_to_come_whatever_the_law() -> None:
    pairs = itertools.product(STEADY, STEADY, range(40))

    assert sum(too_soon(out, back, seed) for out, back, seed in pairs) == 0
