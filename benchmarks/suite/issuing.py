"""What a card costs: client CPU per issued card, against peers, over real sockets, side by side.

One core for the client, 64 calls at a time, the limiter in use but never in the way. CPU is the
process's own (`process_time`), threads and kernel included; time spent waiting is not in it.
"""

import random
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from benchmarks.suite.contender import CONCURRENCY
from benchmarks.suite.processes import ROOT, Child, Mock, MockUse, mock_server
from benchmarks.suite.ratios import Comparison, compared, paired

BUSY_MAX = 0.7
"""A server that was busier than this may have been what was measured; the run says so."""

WITH_SNIFFIO = ROOT / ".venv-bench" / "with-sniffio"
"""Where `make bench` puts sniffio, which httpcore looks for and httpx no longer installs."""

CONTENDERS: Mapping[str, tuple[str, ...]] = {
    "by hand, httpx": ("by-hand:httpx",),
    "by hand, httpx + sniffio": ("by-hand:httpx", str(WITH_SNIFFIO)),
    "by hand, aiohttp": ("by-hand:aiohttp",),
    "SDK, default transport": ("sdk:default",),
    "SDK, default, SqliteJournal": ("sdk:default/sqlite",),
    "SDK, HttpxTransport": ("sdk:httpx",),
    "bare aiohttp": ("bare",),
    "bare aiohttp, again": ("bare",),
    "SDK, LeanTransport": ("sdk:lean",),
    "SDK, lean, SqliteJournal": ("sdk:lean/sqlite",),
    "AiohttpTransport alone": ("exchange:default",),
    "LeanTransport alone": ("exchange:lean",),
    "asyncio floor": ("floor",),
}
IN_PROCESS = "SDK, no exchange"
IN_PROCESS_SQLITE = "SDK, no exchange, SqliteJournal"

AIMS: Sequence[tuple[str, str, Mapping[str, float]]] = (
    ("by hand, httpx", "SDK, default transport", {"at_least": 8.0}),
    ("by hand, httpx", "SDK, default transport", {"at_least": 15.0}),
    ("by hand, httpx", "SDK, LeanTransport", {"at_least": 40.0}),
    ("by hand, httpx", "SDK, HttpxTransport", {}),
    ("by hand, httpx + sniffio", "SDK, default transport", {"at_least": 8.0}),
    ("by hand, httpx + sniffio", "SDK, default transport", {"at_least": 15.0}),
    ("by hand, httpx + sniffio", "SDK, LeanTransport", {"at_least": 40.0}),
    ("by hand, aiohttp", "SDK, default transport", {}),
    ("by hand, aiohttp", "SDK, LeanTransport", {}),
    ("AiohttpTransport alone", "bare aiohttp", {"at_most": 1.35}),
    ("LeanTransport alone", "bare aiohttp", {"at_most": 0.4}),
    ("SDK, default transport", "bare aiohttp", {"at_most": 2.0}),
    ("SDK, default transport", "bare aiohttp", {"at_most": 1.35}),
    ("SDK, LeanTransport", "bare aiohttp", {"at_most": 0.4}),
    ("asyncio floor", "SDK, LeanTransport", {"at_least": 0.45}),
    ("asyncio floor", "LeanTransport alone", {}),
    ("SDK, default, SqliteJournal", "SDK, default transport", {"at_most": 1.5}),
    ("SDK, lean, SqliteJournal", "SDK, LeanTransport", {"at_most": 1.5}),
    (IN_PROCESS_SQLITE, IN_PROCESS, {}),
    ("bare aiohttp, again", "bare aiohttp", {}),
)
"""The ratios of CPU per card that are wanted; the last one is the noise of the method itself.

The default is the direct transport, too: it is held to the aims of both. Those against bare aiohttp
can be meant of a transport alone or of a whole card: both are held to them.
"""


@dataclass(slots=True)
class Measured:
    """One contender's rounds: microseconds of CPU a card, and what the server did meanwhile.

    `cpu_shares` is its CPU as a share of the time: a client that did not wait used all of it.
    """

    cards: int
    micros: list[float] = field(default_factory=list)
    cpu_shares: list[float] = field(default_factory=list)
    uses: list[MockUse] = field(default_factory=list)

    def as_data(self) -> dict[str, Any]:
        """Return it as it is written to a file."""
        return {
            "cards_a_round": self.cards,
            "micros": self.micros,
            "cpu_share": median(self.cpu_shares),
            "mock_busy": max(use.busy for use in self.uses),
            "mock_per_second": median(use.per_second for use in self.uses),
        }


def run(*, quick: bool) -> dict[str, Any]:
    """Answer the question."""
    rounds, seconds = (3, 0.25) if quick else (9, 0.7)
    contenders = {
        **CONTENDERS,
        IN_PROCESS: ("sdk:canned",),
        IN_PROCESS_SQLITE: ("sdk:canned/sqlite",),
    }
    with mock_server() as mock:
        measured = interleaved(contenders, mock, rounds=rounds, seconds=seconds)
    comparisons = [
        compared(of, to, measured[of].micros, measured[to].micros, **aim) for of, to, aim in AIMS
    ]
    _print(measured, comparisons)
    floor = measured["asyncio floor"]
    mock_micros = [use.busy_seconds / use.requests * 1e6 for use in floor.uses]
    return {
        "concurrency": CONCURRENCY,
        "rounds": rounds,
        "mock_of_floor": asdict(paired(mock_micros, floor.micros)),
        "contenders": {
            name: {
                "times_bare": asdict(paired(one.micros, measured["bare aiohttp"].micros)),
                "times_floor": asdict(paired(one.micros, measured["asyncio floor"].micros)),
                **one.as_data(),
            }
            for name, one in measured.items()
        },
        "comparisons": [comparison.as_data() for comparison in comparisons],
    }


def interleaved(
    contenders: Mapping[str, Sequence[str]], mock: Mock, *, rounds: int, seconds: float
) -> dict[str, Measured]:
    """Give each contender a turn in each round, in an order that changes."""
    chance = random.Random(1)
    environment = {"SSL_CERT_FILE": str(mock.authority)} if mock.authority else {}
    with ExitStack() as stack:
        children = {
            name: stack.enter_context(
                Child("benchmarks.suite.contender", kind, mock.url, *paths, environment=environment)
            )
            for name, (kind, *paths) in contenders.items()
        }
        measured = {name: Measured(_cards(child, seconds)) for name, child in children.items()}
        for _ in range(rounds):
            for name in chance.sample(list(children), len(children)):
                one, before = measured[name], mock.stats()
                took = children[name].ask(count=one.cards)
                one.micros.append(took["cpu"] / took["count"] * 1e6)
                one.cpu_shares.append(took["cpu"] / took["wall"])
                one.uses.append(mock.use_since(before))
    return measured


def _cards(child: Child, seconds: float) -> int:
    """Return about how many cards this contender issues in so many seconds, from a short turn."""
    took = child.ask(count=2 * CONCURRENCY)
    return max(4 * CONCURRENCY, min(50_000, round(seconds * took["count"] / took["cpu"])))


def _print(measured: Mapping[str, Measured], comparisons: Sequence[Comparison]) -> None:
    floor = median(measured["asyncio floor"].micros)
    print(f"{'':34} {'x floor':>8} {'spread':>14} {'mock req/s':>10} {'mock busy':>9}")
    for name, one in measured.items():
        middle, low, high = median(one.micros), min(one.micros), max(one.micros)
        rate = median(use.per_second for use in one.uses)
        busy = max(use.busy for use in one.uses)
        warning = "  THE MOCK WAS TOO BUSY" if busy > BUSY_MAX else ""
        print(
            f"{name:34} {middle / floor:8.2f} {low / floor:6.2f} to {high / floor:5.2f}"
            f" {rate:10,.0f} {busy:9.0%}{warning}"
        )
    for comparison in comparisons:
        print(comparison)
    sys.stdout.flush()
