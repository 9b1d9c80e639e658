"""How long a customer waits while a batch wants all of the cap: with lanes, and without.

One session, 64 orders of a batch always waiting, and calls of single customers that come by
chance, a fifth of the cap. Without lanes they queue where the batch does, as they would behind any
limiter that serves in order. First in virtual time, at the rate that Amazon gives to begin with and
at ten times that, against a server that takes 20 to 80 ms; then over real sockets.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Coroutine, Mapping
from typing import Any

from agcod_async import AgcodSession, Lane, Money, Order, Settings, issue_many
from agcod_async.clock import Clock
from agcod_async.testing import EMULATOR_CREDENTIALS
from agcod_async.testing.clock import run as run_virtually
from agcod_async.testing.clock import virtual_clock
from agcod_async.wire.lean_transport import LeanTransport
from agcod_async.wire.port import Exchanged, Transport
from benchmarks.suite import request
from benchmarks.suite.machine import pin_client
from benchmarks.suite.processes import mock_server
from benchmarks.suite.ratios import Comparison, Ratio, percentile
from benchmarks.suite.sdk import Canned

SHARES = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}
CUSTOMERS_OF_CAP = 0.2
LANES = {"with lanes": Lane.INTERACTIVE, "without": Lane.BATCH}
REAL_RATE = 300
VIRTUAL_RATES = (10, 100)


class Distant(Canned):
    """A server that is not far and takes its time."""

    def __init__(self) -> None:
        self._chance = random.Random(2)

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Exchanged:
        """Answer after a while."""
        await asyncio.sleep(self._chance.uniform(0.02, 0.08))
        return await super().send(url, headers, body)


def run(*, quick: bool) -> dict[str, Any]:
    """Answer the question."""
    calls = 300 if quick else 4_000
    found: dict[str, Any] = {}
    for rate in VIRTUAL_RATES:
        found[f"{rate}/s, virtual time"] = {
            name: _shown(name, rate, run_virtually(waits(rate, lane, calls)))
            for name, lane in LANES.items()
        }
    pin_client()
    with mock_server() as mock:
        found[f"{REAL_RATE:,}/s, real sockets"] = {
            name: _shown(name, REAL_RATE, asyncio.run(_really(mock.url, lane, calls // 2)))
            for name, lane in LANES.items()
        }
    comparisons = [
        Comparison(
            of=f"{share}, {where}, without lanes",
            to="with lanes",
            ratio=Ratio.of([both["without"][share] / both["with lanes"][share]]),
        )
        for where, both in found.items()
        for share in SHARES
    ]
    return {
        "calls": calls,
        "waits": found,
        "comparisons": [comparison.as_data() for comparison in comparisons],
    }


def _really(url: str, lane: Lane, calls: int) -> Coroutine[object, object, dict[str, float]]:
    return waits(REAL_RATE, lane, calls, transport=LeanTransport(), url=url, clock=Clock())


async def waits(
    rate: int,
    lane: Lane,
    calls: int,
    *,
    transport: Transport | None = None,
    url: str = "http://127.0.0.1:1",
    clock: Clock | None = None,
) -> dict[str, float]:
    """Return how long the customers waited, in seconds, and the share of the cap that was used."""
    settings = Settings(
        credentials=EMULATOR_CREDENTIALS,
        partner_id=request.PARTNER_ID,
        base_url=url,
        requests_per_second=rate,
        deadline_seconds=3600,
    )
    way = transport or Distant()
    loop, chance = asyncio.get_running_loop(), random.Random(1)
    took: list[float] = []
    of_batch = 0
    async with AgcodSession(settings, transport=way, clock=clock or virtual_clock()) as session:

        async def batch() -> None:
            nonlocal of_batch
            async for receipt in issue_many(session, _orders(), concurrency=64):
                request.check(type(receipt.verdict).__name__ == "Issued")
                of_batch += 1

        async def customer(number: int) -> None:
            came_at = loop.time()
            await session.create_gift_card(
                request_id=f"{request.PARTNER_ID}C{number:08}",
                amount=Money("25.00", "USD"),
                lane=lane,
            )
            took.append(loop.time() - came_at)

        behind = asyncio.create_task(batch())
        await asyncio.sleep(2.0)  # until the batch has filled the pipe
        of_batch, began = 0, loop.time()
        customers = []
        for number in range(calls):
            await asyncio.sleep(chance.expovariate(rate * CUSTOMERS_OF_CAP))
            customers.append(asyncio.create_task(customer(number)))
        await asyncio.gather(*customers)
        used = (of_batch + calls) / (loop.time() - began) / rate
        behind.cancel()
        await asyncio.gather(behind, return_exceptions=True)
    await way.aclose()
    return {**{name: percentile(took, share) for name, share in SHARES.items()}, "used": used}


async def _orders() -> AsyncIterator[Order]:
    number, amount = 0, Money("25.00", "USD")
    while True:
        yield Order(request_id=request.request_id(number), amount=amount)
        number += 1


def _shown(name: str, rate: int, figures: dict[str, float]) -> dict[str, float]:
    shown = ", ".join(f"{share} {figures[share] * 1e3:,.0f} ms" for share in SHARES)
    print(f"{rate:>6}/s {name:12} {shown}; {figures['used']:.3f} of the cap used", flush=True)
    return figures
