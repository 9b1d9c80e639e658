"""How much of the cap a limiter uses, and how far it goes above it, at four rates; and a crowd.

Two figures, of which either is easy to have alone: the share of the cap that 64 workers without
anything else to do get out of it, and the busiest sliding second as a multiple of the cap. Above
1.00 a server that counts strictly throttles. These are moments of leaving. Requests are counted
when they arrive, so a third figure is how many a strict server throttles if each spends a random
time on its way.
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
JITTER_RATES = (10, 100)
JITTERS_MS = (20, 100)
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
    return {
        "paces": _paces(quick=quick),
        "with_jitter": _with_jitter(quick=quick),
        "crowd_rate": CROWD_RATE,
        **_crowds((1_000, 10_000) if quick else (1_000, 10_000, 100_000)),
    }


def _paces(*, quick: bool) -> dict[str, Any]:
    rounds, seconds = (1, 2.0) if quick else (2, 3.0)
    found: dict[str, Any] = {}
    print(f"{'':26} {'cap/s':>7} {'share used':>10} {'busiest second / cap':>21} {'of a core':>10}")
    for rate in RATES_TOGETHER:
        found[str(rate)] = _together(rate, 4.0 if quick else 12.0)
    for rate in RATES_ALONE:
        turns: dict[str, list[dict[str, float]]] = {name: [] for name in LIMITERS}
        for _ in range(rounds):
            for name, taken in turns.items():
                taken.append(_pace(name, rate, seconds))
        found[str(rate)] = {name: _shown(name, rate, taken) for name, taken in turns.items()}
    return found


def _with_jitter(*, quick: bool) -> dict[str, Any]:
    seconds, found = 4.0 if quick else 15.0, {}
    for rate in JITTER_RATES:
        for jitter_ms in JITTERS_MS:
            where = f"{rate}/s, up to {jitter_ms} ms"
            print(f"cap {where} on the way:")
            found[where] = _together(rate, seconds, jitter_ms / 1e3)
    return found


def _together(rate: int, seconds: float, jitter: float = 0.0) -> dict[str, Any]:
    with ThreadPoolExecutor(len(LIMITERS)) as threads:
        runs = threads.map(lambda name: _pace(name, rate, seconds, jitter), LIMITERS)
        return {
            name: _shown(name, rate, [figures])
            for name, figures in zip(LIMITERS, runs, strict=True)
        }


def _pace(name: str, rate: int, seconds: float, jitter: float = 0.0) -> dict[str, float]:
    arguments = ("pace", name, str(rate), str(seconds), str(jitter))
    with Child("benchmarks.suite.limiter", *arguments) as child:
        return dict(child.first)


def _shown(name: str, rate: int, taken: list[dict[str, float]]) -> dict[str, float]:
    figures = {
        "share": median(one["share"] for one in taken),
        "busiest": max(one["busiest"] for one in taken),
        "throttled": max(one["throttled"] for one in taken),
        "cpu_share": median(one["cpu_share"] for one in taken),
    }
    print(
        f"{name:26} {rate:7,} {figures['share']:10.3f} {figures['busiest']:21.3f}"
        f" {figures['cpu_share']:10.1%} {figures['throttled']:10.1%} throttled",
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
            print(f"{name:26} {size:7,} waiting: {ratio:6.1f} x a bare task{finished}", flush=True)
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
