"""How much of the cap a limiter uses, and how far it goes above it, at four rates; and a crowd.

Two figures, of which either is easy to have alone: the share of the cap that 64 workers without
anything else to do get out of it, and the busiest sliding second as a multiple of the cap. Above
1.00 a server that counts strictly throttles. Nothing is sent: the network's jitter comes on top
(`benchmarks/pacing_loopback.py` measures that).
"""

from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Any

from benchmarks.suite.limiters import LIMITERS
from benchmarks.suite.processes import Child, ContenderFailedError
from benchmarks.suite.ratios import Comparison, paired

RATES_TOGETHER = (10, 100)
"""At these rates a limiter does next to nothing, so they may all run at the same time."""

RATES_ALONE = (1_000, 10_000)
CROWD_RATE = 20_000
CROWD_LIMITERS = (
    "LocalPacer",
    "aiolimiter (N, 1)",
    "aiolimiter (1, 1/N)",
    "pyrate-limiter",
    "asynciolimiter",
)
"""Those that queue their waiters. The others let each of them poll."""


def run(*, quick: bool) -> dict[str, Any]:
    """Answer the question."""
    paces = _paces(quick=quick)
    crowds = _crowds((1_000, 10_000) if quick else (1_000, 10_000, 100_000))
    return {"paces": paces, "crowd_rate": CROWD_RATE, **crowds}


def _paces(*, quick: bool) -> dict[str, Any]:
    seconds, rounds = (4.0, 1) if quick else (12.0, 2)
    found: dict[str, Any] = {}
    print(f"{'':24} {'cap/s':>7} {'share used':>10} {'busiest second / cap':>21} {'of a core':>10}")
    for rate in RATES_TOGETHER:
        with ThreadPoolExecutor(len(LIMITERS)) as threads:
            runs = threads.map(lambda name, rate=rate: _pace(name, rate, seconds), LIMITERS)
            for name, figures in zip(LIMITERS, runs, strict=True):
                found.setdefault(str(rate), {})[name] = _shown(name, rate, [figures])
    for rate in RATES_ALONE:
        turns: dict[str, list[dict[str, float]]] = {name: [] for name in LIMITERS}
        for _ in range(rounds):
            for name, taken in turns.items():
                taken.append(_pace(name, rate, 2.0 if quick else 3.0))
        found[str(rate)] = {name: _shown(name, rate, taken) for name, taken in turns.items()}
    return found


def _pace(name: str, rate: int, seconds: float) -> dict[str, float]:
    with Child("benchmarks.suite.limiter", "pace", name, str(rate), str(seconds)) as child:
        return dict(child.first)


def _shown(name: str, rate: int, taken: list[dict[str, float]]) -> dict[str, float]:
    figures = {
        "share": median(one["share"] for one in taken),
        "busiest": max(one["busiest"] for one in taken),
        "cpu_share": median(one["cpu_share"] for one in taken),
    }
    print(
        f"{name:24} {rate:7,} {figures['share']:10.3f} {figures['busiest']:21.3f}"
        f" {figures['cpu_share']:10.1%}",
        flush=True,
    )
    return figures


def _crowds(sizes: tuple[int, ...]) -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = {}
    for size in sizes:
        for name in CROWD_LIMITERS:
            arguments = ("crowd", name, str(CROWD_RATE), str(size))
            try:
                with Child("benchmarks.suite.limiter", *arguments) as child:
                    figures = dict(child.first)
            except ContenderFailedError:
                figures = {"served": 0, "seconds": 0.0}
            found.setdefault(name, {})[str(size)] = figures
            finished = "" if figures["served"] == size else f"  only {figures['served']:,} in time"
            ratio = figures["micros"] / figures["bare_micros"] if figures["served"] else 0.0
            print(f"{name:24} {size:7,} waiting: {ratio:6.1f} x a bare task{finished}", flush=True)
    own = found["LocalPacer"]
    few, many = str(sizes[0]), str(sizes[-1])
    growth = Comparison(
        of=f"LocalPacer, each of {sizes[-1]:,} waiting",
        to=f"each of {sizes[0]:,}",
        ratio=paired([own[many]["micros"]], [own[few]["micros"]]),
        at_most=2.0,
    )
    print(growth)
    return {"crowds": found, "comparisons": [growth.as_data()]}
