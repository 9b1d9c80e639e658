"""What an import costs: CPU of a fresh interpreter, less that of one that imports nothing.

Everything is compiled and in the file system's cache. The imports take turns, in several rounds.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from benchmarks.suite.machine import pin_client
from benchmarks.suite.processes import ROOT
from benchmarks.suite.ratios import Comparison, Ratio, compared

NAMES = "AgcodSession, Credentials, Money, Settings"
IMPORTS: Mapping[str, str] = {
    "nothing": "pass",
    "agcod_async": "import agcod_async",
    "names to issue a card": f"from agcod_async import {NAMES}",
    "names and default transport": f"from agcod_async import {NAMES}, AiohttpTransport",
    "httpx": "import httpx",
    "aiohttp": "import aiohttp",
    "by hand, httpx": "import httpx, botocore.auth, pydantic, tenacity, aiolimiter, asyncio, json",
    "by hand, aiohttp": "import aiohttp, botocore.auth, pydantic, tenacity, aiolimiter, json",
}
MILLISECONDS_MAX = 150.0
RATIOS: Sequence[tuple[str, str, Mapping[str, float]]] = (
    ("agcod_async", "httpx", {"at_most": 2.0}),
    ("names to issue a card", "httpx", {"at_most": 2.0}),
    ("names and default transport", "httpx", {}),
    ("names and default transport", "by hand, aiohttp", {}),
)
"""`import agcod_async` alone loads next to nothing: what a program uses is held to the aim, too."""


def run(*, quick: bool) -> dict[str, Any]:
    """Answer the question."""
    rounds = 5 if quick else 21
    pin_client()
    millis: dict[str, list[float]] = {name: [] for name in IMPORTS}
    for name in IMPORTS:
        _cpu_millis(name)  # so that everything is compiled
    for _ in range(rounds):
        bare = _cpu_millis("nothing")
        millis["nothing"].append(bare)
        for name in IMPORTS:
            if name != "nothing":
                millis[name].append(max(_cpu_millis(name) - bare, 0.1))
    own = [taken / MILLISECONDS_MAX for taken in millis["agcod_async"]]
    comparisons = [
        Comparison("agcod_async", f"{MILLISECONDS_MAX:g} ms", Ratio.of(own), at_most=1.0),
        *(compared(of, to, millis[of], millis[to], **aim) for of, to, aim in RATIOS),
    ]
    for name, taken in millis.items():
        print(f"import {name:28} {median(taken):6.0f} ms ({min(taken):.0f} to {max(taken):.0f})")
    for comparison in comparisons:
        print(comparison)
    return {
        "rounds": rounds,
        "imports": {
            name: {"median": median(taken), "low": min(taken), "high": max(taken)}
            for name, taken in millis.items()
        },
        "comparisons": [comparison.as_data() for comparison in comparisons],
    }


def _cpu_millis(name: str) -> float:
    process = subprocess.Popen(  # noqa: S603  our own command
        (sys.executable, "-c", IMPORTS[name]), env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"importing {name} failed")
    return (used.ru_utime + used.ru_stime) * 1e3
