"""Six laws of latency, each for one way; none takes longer than the pacer's arrival bound."""

import math
import random
from collections.abc import Callable

from agcod_async.pacing.pacer import ARRIVAL_BOUND_SECONDS

Law = Callable[[random.Random, float], float]
"""How long one way takes that begins at this time."""

LONGEST_SECONDS = ARRIVAL_BOUND_SECONDS - 0.001


def _bounded(law: Law) -> Law:
    return lambda chance, now: min(LONGEST_SECONDS, law(chance, now))


def _drifting(chance: random.Random, now: float) -> float:
    """Grow and shrink within a minute, and step up and down by 50 ms every seven seconds."""
    swing = 0.05 * (1.0 - math.cos(now * math.tau / 60.0))
    return 0.005 + swing + (0.05 if now // 7.0 % 2 else 0.0) + chance.uniform(0.0, 0.02)


LAWS: dict[str, Law] = {
    "constant": lambda _chance, _now: 0.04,
    "uniform": lambda chance, _now: chance.uniform(0.005, 0.15),
    "exponential": _bounded(lambda chance, _now: 0.005 + chance.expovariate(1 / 0.03)),
    "heavy tail": _bounded(lambda chance, _now: 0.005 * chance.paretovariate(0.9)),
    "bimodal": lambda chance, _now: 0.2 if chance.random() < 0.1 else chance.uniform(0.01, 0.02),
    "drifting": _drifting,
}
