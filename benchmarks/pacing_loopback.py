"""Whether the pacer keeps its promise, with everything around it, on real sockets.

A session issues cards through `AiohttpTransport` to `agcod emulator`, a process of its own, 64
orders at a time and as fast as its pacer lets it. The emulator throttles every request that is
more than the cap in any sliding second. Each request is held back for a random time after it has
left, which is what a network with jitter does to it.

    python benchmarks/pacing_loopback.py [--rate 10 100 1000] [--jitter-ms 0 10 50] [--seconds 10]

Exit code 1 if a single request was throttled, or if less of the cap was used than promised.
"""

import argparse
import asyncio
import json
import random
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from agcod_async import AgcodSession, AiohttpTransport, Money, Order, Settings, issue_many
from agcod_async.testing import EMULATOR_CREDENTIALS, EMULATOR_PARTNER_ID
from agcod_async.wire.port import Exchanged

WAITERS = 64
SENDS_MAX = 5_000
SHARE_PROMISED = 0.97
SHARE_PROMISED_AT_50_MS = 0.93
EMULATOR = (*(sys.executable, "-m", "agcod_async.cli", "emulator"), "--port", "0", "--json")


class Jitter:
    """A transport whose requests spend a random time on the way."""

    def __init__(self, seconds: float, connections_max: int) -> None:
        self._seconds = seconds
        self._transport = AiohttpTransport(connections_max=connections_max)

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Exchanged:
        """Exchange one request, after a while."""
        if self._seconds:
            await asyncio.sleep(random.uniform(0, self._seconds))
        return await self._transport.send(url, headers, body)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()


@dataclass(frozen=True, slots=True)
class Leg:
    """One run and its figures; the times and counts are the emulator's."""

    rate: int
    jitter_ms: float
    arrivals: list[float]
    throttled: int
    worst_second: int
    issued: int
    cpu_share: float

    @property
    def share(self) -> float:
        """The rate of the arrivals as a share of the cap."""
        return (len(self.arrivals) - 1) / (self.arrivals[-1] - self.arrivals[0]) / self.rate

    @property
    def is_kept(self) -> bool:
        """Whether the promise was kept."""
        promised = SHARE_PROMISED if self.jitter_ms < 50 else SHARE_PROMISED_AT_50_MS
        return not self.throttled and self.share >= promised and self.issued == len(self.arrivals)

    def __str__(self) -> str:
        return (
            f"{self.rate:>6} {self.jitter_ms:>7g} {len(self.arrivals):>6} {self.throttled:>10}"
            f" {self.share:>9.3f} {self.worst_second:>12}"
            f" {self.cpu_share:>8.1%}  {'kept' if self.is_kept else 'BROKEN'}"
        )


@contextmanager
def emulator(rate: int) -> Iterator[str]:
    """Run an emulator with this cap and yield its address."""
    process = subprocess.Popen(  # noqa: S603  our own command
        (*EMULATOR, "--tps", str(rate), "--throttle-model", "sliding-window"),
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None  # noqa: S101  a pipe was asked for
    try:
        yield json.loads(process.stdout.readline())["base_url"]
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


async def issue(url: str, rate: int, jitter_ms: float, sends: int) -> int:
    """Issue so many cards and return how many were issued."""
    settings = Settings(
        credentials=EMULATOR_CREDENTIALS,
        partner_id=EMULATOR_PARTNER_ID,
        base_url=url,
        requests_per_second=rate,
    )
    transport = Jitter(jitter_ms / 1000, WAITERS)
    amount = Money("1.00", "USD")
    orders = (
        Order(request_id=f"{EMULATOR_PARTNER_ID}{n:06d}", amount=amount) for n in range(sends)
    )
    try:
        async with AgcodSession(settings, transport=transport) as session:
            receipts = issue_many(session, orders, concurrency=WAITERS)
            return sum([type(receipt.verdict).__name__ == "Issued" async for receipt in receipts])
    finally:
        await transport.aclose()


def run_leg(rate: int, jitter_ms: float, seconds: float) -> Leg:
    """Run one rate with one jitter."""
    sends = min(round(rate * seconds), SENDS_MAX)
    with emulator(rate) as url:
        cpu, clock = time.process_time(), time.monotonic()
        issued = asyncio.run(issue(url, rate, jitter_ms, sends))
        cpu, clock = time.process_time() - cpu, time.monotonic() - clock
        with urllib.request.urlopen(f"{url}/_emulator/requests") as answer:  # noqa: S310  loopback
            seen = json.load(answer)
    return Leg(
        rate=rate,
        jitter_ms=jitter_ms,
        arrivals=[arrival["at"] for arrival in seen["arrivals"]],
        throttled=seen["by_result"].get("throttled", 0),
        worst_second=seen["busiest_second"]["requests"],
        issued=issued,
        cpu_share=cpu / clock,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rate", type=int, nargs="+", default=[10, 100, 1_000])
    parser.add_argument("--jitter-ms", type=float, nargs="+", default=[0.0, 10.0, 50.0])
    parser.add_argument("--seconds", type=float, default=10.0, help="of a leg, at most")
    arguments = parser.parse_args()
    print(
        f"{'rate/s':>6} {'jitter':>7} {'sends':>6} {'throttled':>10} {'of cap':>9}"
        f" {'worst second':>12} {'CPU':>8}"
    )
    kept = True
    for rate in arguments.rate:
        for jitter_ms in arguments.jitter_ms:
            leg = run_leg(rate, jitter_ms, arguments.seconds)
            print(leg, flush=True)
            kept = kept and leg.is_kept
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
