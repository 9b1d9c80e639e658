"""The cost of a card where most of them are issued: over TLS, and on uvloop.

The same contenders, method and server as in `issuing`, which has the aims. Each condition has a
server and rounds of its own, so a ratio is of things that ran side by side under that condition.
"""

from dataclasses import asdict
from typing import Any

from benchmarks.suite.issuing import CONTENDERS, interleaved
from benchmarks.suite.processes import mock_server
from benchmarks.suite.ratios import paired

CONDITIONS = {
    "TLS, asyncio": (True, ""),
    "plain, uvloop": (False, "@uvloop"),
    "TLS, uvloop": (True, "@uvloop"),
}
NAMES = (
    "by hand, httpx + sniffio",
    "by hand, aiohttp",
    "SDK, default transport",
    "SDK, LeanTransport",
    "bare aiohttp",
    "asyncio floor",
)


def run(*, quick: bool) -> dict[str, Any]:
    """Answer the question."""
    rounds, seconds = (3, 0.25) if quick else (7, 0.5)
    found = {}
    for condition, (tls, loop) in CONDITIONS.items():
        print(f"-- {condition}", flush=True)
        contenders = {name: (CONTENDERS[name][0] + loop, *CONTENDERS[name][1:]) for name in NAMES}
        with mock_server(tls=tls) as mock:
            measured = interleaved(contenders, mock, rounds=rounds, seconds=seconds)
        bare, at = measured["bare aiohttp"].micros, {}
        for name, one in measured.items():
            times = paired(one.micros, bare)
            print(f"{name:28} {times} x bare aiohttp", flush=True)
            at[name] = {"times_bare": asdict(times), **one.as_data()}
        found[condition] = at
    return {"rounds": rounds, "conditions": found}
