"""How long a batch takes when much goes wrong, against what the cap alone would need.

In virtual time, against the emulator with a strict cap of 10/s and 30 to 90 ms of way. N orders
need at least N / cap seconds. Replays and undos need permits too, and an undo that got no answer
holds its order until it can land no more, 330 s, while the others go on. So there are two
figures: until 99 % of the orders are done, and until the last one is.
"""

import asyncio
import random
from collections.abc import Iterator, Mapping
from statistics import median
from typing import Any

from agcod_async import AgcodSession, Money, Order, Settings, issue_many
from agcod_async.testing import EMULATOR_CREDENTIALS, EMULATOR_PARTNER_ID, Emulator, EmulatorConfig
from agcod_async.testing.clock import run as run_virtually
from agcod_async.testing.clock import virtual_clock
from agcod_async.testing.faults import FaultKind, FaultMix, FaultScript
from agcod_async.wire.port import Exchanged, Transport

CAP = 10.0
FAULT_SHARES = (0.0, 0.05, 0.20)
KINDS = (
    FaultKind.F400_AFTER,
    FaultKind.F400_BEFORE,
    FaultKind.F500,
    FaultKind.F500_AFTER,
    FaultKind.HTTP_503,
    FaultKind.HTTP_503_AFTER,
    FaultKind.LOSE_REPLY,
    FaultKind.LOSE_REQUEST,
    FaultKind.RESET,
    FaultKind.RESET_AFTER,
)
"""Each as often as the others. Throttles are left out: they are pauses that Amazon asks for."""


class Distant:
    """The way to the emulator, with some milliseconds to go."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._chance = random.Random(3)

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Exchanged:
        """Go there and come back."""
        await asyncio.sleep(self._chance.uniform(0.015, 0.045))
        exchanged = await self._transport.send(url, headers, body)
        await asyncio.sleep(self._chance.uniform(0.015, 0.045))
        return exchanged

    async def aclose(self) -> None:
        """Do nothing."""


def run(*, quick: bool) -> dict[str, Any]:
    """Answer the question."""
    orders, seeds = (1_000, 1) if quick else (5_000, 3)
    found: dict[str, Any] = {}
    print(
        f"{'faults':>7} {'99 % done / (N / cap)':>22} {'all done':>9}"
        f" {'requests an order':>18} {'issued':>8}"
    )
    for share in FAULT_SHARES:
        runs = [run_virtually(drain(orders, share, seed)) for seed in range(seeds)]
        figures = {name: median(one[name] for one in runs) for name in runs[0]}
        found[f"{share:.0%}"] = {**figures, "runs": runs}
        print(
            f"{share:7.0%} {figures['until_99']:22.2f} {figures['until_all']:9.2f}"
            f" {figures['requests']:18.2f} {figures['issued']:8.2%}",
            flush=True,
        )
    return {"orders": orders, "cap": CAP, "seeds": seeds, "drains": found}


async def drain(count: int, share: float, seed: int) -> dict[str, float]:
    """Issue all orders. Raises `RuntimeError` where the emulator's books say something else."""
    clock = virtual_clock(seed)
    mix = FaultMix(probabilities=dict.fromkeys(KINDS, share / len(KINDS)), seed=seed)
    config = EmulatorConfig(
        requests_per_second=CAP,
        funds=(Money(100_000_000, "USD"),),
        faults=FaultScript(random=mix if share else None),
    )
    emulator = Emulator(config, clock=clock)
    settings = Settings(
        credentials=EMULATOR_CREDENTIALS,
        partner_id=EMULATOR_PARTNER_ID,
        requests_per_second=CAP,
    )
    loop, done, issued = asyncio.get_running_loop(), list[float](), 0
    transport = Distant(emulator.transport())
    async with AgcodSession(settings, transport=transport, clock=clock) as session:
        began = loop.time()
        async for receipt in issue_many(session, _orders(count)):
            done.append(loop.time() - began)
            issued += type(receipt.verdict).__name__ == "Issued"
    if len(done) != count:
        raise RuntimeError(f"{len(done)} receipts for {count} orders")
    least = count / CAP
    return {
        "until_99": done[int(0.99 * count) - 1] / least,
        "until_all": done[-1] / least,
        "requests": emulator.arrivals.total / count,
        "issued": issued / count,
    }


def _orders(count: int) -> Iterator[Order]:
    amount = Money("25.00", "USD")
    for number in range(count):
        yield Order(request_id=f"{EMULATOR_PARTNER_ID}{number:09}", amount=amount)
