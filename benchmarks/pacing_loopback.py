"""Does the pacer keep its promise on real sockets? A strict server, real timers, jitter on the way.

The server runs in a process of its own. It throttles every request that is more than the cap in
any sliding window, and it holds each one back for a random time before it counts, which is what
a network with jitter does. The client sends as fast as its pacer lets it, 64 at a time.

    python benchmarks/pacing_loopback.py [--rate 10 100 1000] [--jitter-ms 0 10 50] [--seconds 10]

Exit code 1 if a single request was throttled, or if less of the cap was used than promised.
"""

import argparse
import asyncio
import json
import random
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from agcod_async.pacing.pacer import LocalPacer
from agcod_async.pacing.port import Lane

HOST = "127.0.0.1"
WAITERS = 64
SENDS_MAX = 5_000
WINDOW_SECONDS = 1.0
REQUEST, REPORT = b"request\n", b"report\n"
ANSWERED, THROTTLED = b"ok\n", b"throttled\n"
SHARE_PROMISED = 0.97
SHARE_PROMISED_AT_50_MS = 0.93

Exchange = Callable[[], Awaitable[bool]]
"""Sends one request and returns whether it was throttled."""


@dataclass(frozen=True, slots=True)
class Report:
    """What the server saw: the times of the arrivals are its own."""

    arrivals: list[float]
    throttled: int

    def share_of(self, cap: int) -> float:
        """Return the rate of the arrivals as a share of the cap."""
        seconds = self.arrivals[-1] - self.arrivals[0]
        return (len(self.arrivals) - 1) / seconds / cap

    def worst_window(self) -> int:
        """Return the most arrivals in any half-open window."""
        window: deque[float] = deque()
        worst = 0
        for arrival in self.arrivals:
            window.append(arrival)
            while window[0] <= arrival - WINDOW_SECONDS:
                window.popleft()
            worst = max(worst, len(window))
        return worst


@dataclass(frozen=True, slots=True)
class Leg:
    """One run and its figures."""

    rate: int
    jitter_ms: float
    sends: int
    report: Report
    cpu_share: float

    @property
    def is_kept(self) -> bool:
        """Whether the promise was kept."""
        promised = SHARE_PROMISED if self.jitter_ms < 50 else SHARE_PROMISED_AT_50_MS
        return not self.report.throttled and self.report.share_of(self.rate) >= promised

    def __str__(self) -> str:
        return (
            f"{self.rate:>6} {self.jitter_ms:>7g} {self.sends:>6} {self.report.throttled:>10}"
            f" {self.report.share_of(self.rate):>9.3f} {self.report.worst_window():>12}"
            f" {self.cpu_share:>8.1%}  {'kept' if self.is_kept else 'BROKEN'}"
        )


# --- the server, in its own process


class StrictServer:
    """A sliding window that forgives nothing, behind a way that takes a random time."""

    def __init__(self, cap: int, jitter_seconds: float) -> None:
        self._cap = cap
        self._jitter_seconds = jitter_seconds
        self._window: deque[float] = deque()
        self._arrivals: list[float] = []
        self._throttled = 0

    async def serve(self) -> None:
        """Print the port and serve until standard input closes."""
        server = await asyncio.start_server(self._talk, HOST, 0)
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.to_thread(sys.stdin.read)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            if line == REPORT:
                report = {"arrivals": self._arrivals, "throttled": self._throttled}
                writer.write(json.dumps(report).encode() + b"\n")
                continue
            if self._jitter_seconds:
                await asyncio.sleep(random.uniform(0, self._jitter_seconds))
            writer.write(THROTTLED if self._arrive(time.monotonic()) else ANSWERED)

    def _arrive(self, now: float) -> bool:
        while self._window and self._window[0] <= now - WINDOW_SECONDS:
            self._window.popleft()
        self._window.append(now)
        self._arrivals.append(now)
        is_throttled = len(self._window) > self._cap
        self._throttled += is_throttled
        return is_throttled


# --- the client


class LineTarget:
    """The strict server above, over plain lines. Another server takes the same three methods."""

    def __init__(self, port: int) -> None:
        self._port = port

    @classmethod
    @asynccontextmanager
    async def running(cls, cap: int, jitter_ms: float) -> AsyncIterator["LineTarget"]:
        """Start the server in its own process; stop it at the end."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, __file__, "--serve", str(cap), str(jitter_ms)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdin is not None  # noqa: S101  # a pipe was asked for
        assert process.stdout is not None  # noqa: S101  # as above
        try:
            yield cls(int(await process.stdout.readline()))
        finally:
            process.stdin.close()
            await process.wait()

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Exchange]:
        """Open one connection for one worker."""
        reader, writer = await asyncio.open_connection(HOST, self._port)

        async def exchange() -> bool:
            writer.write(REQUEST)
            return await reader.readline() == THROTTLED

        try:
            yield exchange
        finally:
            writer.close()
            await writer.wait_closed()

    async def report(self) -> Report:
        """Ask the server what it saw."""
        reader, writer = await asyncio.open_connection(HOST, self._port, limit=2**26)
        writer.write(REPORT)
        answer = json.loads(await reader.readline())
        writer.close()
        await writer.wait_closed()
        return Report(**answer)


async def send_all(target: LineTarget, pacer: LocalPacer, sends: int) -> None:
    """Send so many requests with 64 workers, each on a warm connection."""
    left = iter(range(sends))

    async def work() -> None:
        async with target.connected() as exchange:
            for _ in left:
                permit = await pacer.admit(Lane.BATCH, "CreateGiftCard", within_seconds=None)
                if permit.is_revoked:
                    permit.unused()
                    continue
                permit.sending()
                permit.answered(throttled=await exchange())

    async with asyncio.TaskGroup() as group:
        for _ in range(WAITERS):
            group.create_task(work())


async def run_leg(rate: int, jitter_ms: float, seconds: float) -> Leg:
    """Run one rate with one jitter."""
    sends = min(round(rate * seconds), SENDS_MAX)
    async with LineTarget.running(rate, jitter_ms) as target:
        pacer = LocalPacer(requests_per_second=rate)
        cpu, clock = time.process_time(), time.monotonic()
        await send_all(target, pacer, sends)
        cpu, clock = time.process_time() - cpu, time.monotonic() - clock
        await pacer.aclose()
        return Leg(rate, jitter_ms, sends, await target.report(), cpu / clock)


async def run_legs(rates: list[int], jitters_ms: list[float], seconds: float) -> bool:
    """Run all legs, print the table, and return whether every promise was kept."""
    print(
        f"{'rate/s':>6} {'jitter':>7} {'sends':>6} {'throttled':>10} {'of cap':>9}"
        f" {'worst second':>12} {'CPU':>8}"
    )
    legs: list[Leg] = []
    for rate in rates:
        for jitter_ms in jitters_ms:
            leg = await run_leg(rate, jitter_ms, seconds)
            print(leg, flush=True)
            legs.append(leg)
    return all(leg.is_kept for leg in legs)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rate", type=int, nargs="+", default=[10, 100, 1_000])
    parser.add_argument("--jitter-ms", type=float, nargs="+", default=[0.0, 10.0, 50.0])
    parser.add_argument("--seconds", type=float, default=10.0, help="of a leg, at most")
    parser.add_argument("--serve", nargs=2, metavar=("CAP", "JITTER_MS"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        cap, jitter_ms = arguments.serve
        asyncio.run(StrictServer(int(cap), float(jitter_ms) / 1000).serve())
        return 0
    is_kept = asyncio.run(run_legs(arguments.rate, arguments.jitter_ms, arguments.seconds))
    return 0 if is_kept else 1


if __name__ == "__main__":
    sys.exit(main())
