"""A model of the provider for the pacing tests: a strict sliding window behind a network."""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from agcod_async.pacing.pacer import LocalPacer
from agcod_async.pacing.port import Lane

LOST = float("inf")

Law = Callable[[random.Random], float]


@dataclass(frozen=True, slots=True)
class Network:
    """How long a request takes out, at the server, and back. A way back of LOST never ends.

    `before` is what the client does between its permit and its send, such as the journal.
    """

    out: Law
    work: Law
    back: Law
    before: Law = lambda _chance: 0.0
    timeout_seconds: float = 6.0


def constant(seconds: float) -> Law:
    return lambda _chance: seconds


def uniform(low: float, high: float) -> Law:
    return lambda chance: chance.uniform(low, high)


def heavy_tail(scale: float, most: float) -> Law:
    return lambda chance: min(most, scale * chance.paretovariate(1.5))


def sometimes(law: Law, other: Law, share: float) -> Law:
    return lambda chance: other(chance) if chance.random() < share else law(chance)


def jittery(seconds: float) -> Network:
    """10 ms each way, and up to so many seconds more on the way out."""
    return Network(uniform(0.01, 0.01 + seconds), constant(0.001), constant(0.01))


class SlidingServer:
    """Throttles what is more than `slots` arrivals in any half-open window of `seconds`."""

    def __init__(self, slots: int, seconds: float) -> None:
        self.slots = slots
        self.seconds = seconds
        self.arrivals: list[float] = []
        self.throttled = 0
        self._window: deque[float] = deque()

    def arrive(self, now: float) -> bool:
        """Take a request; return whether it is throttled. It counts in any case."""
        while self._window and self._window[0] <= now - self.seconds:
            self._window.popleft()
        self._window.append(now)
        self.arrivals.append(now)
        is_throttled = len(self._window) > self.slots
        self.throttled += is_throttled
        return is_throttled

    def share_of_cap(self) -> float:
        """Return the rate of the arrivals, as a share of the cap."""
        seconds = self.arrivals[-1] - self.arrivals[0]
        return (len(self.arrivals) - 1) / seconds / (self.slots / self.seconds)


class Client:
    """Sends through a pacer and a network to a server."""

    def __init__(
        self, pacer: LocalPacer, server: SlidingServer, network: Network, seed: int = 0
    ) -> None:
        self.pacer = pacer
        self.server = server
        self.network = network
        self.sends: list[float] = []
        self.throttles: list[float] = []
        self._chance = random.Random(seed)

    async def send(self, lane: Lane = Lane.BATCH, operation: str = "CreateGiftCard") -> None:
        permit = await self.pacer.admit(lane, operation, within_seconds=None)
        await asyncio.sleep(self.network.before(self._chance))
        if permit.is_revoked:
            permit.unused()
            return
        loop = asyncio.get_running_loop()
        permit.sending()
        self.sends.append(loop.time())
        out, work = self.network.out(self._chance), self.network.work(self._chance)
        seconds = out + work + self.network.back(self._chance)
        reply = loop.create_future()
        loop.call_later(out, self._arrive, reply)
        if seconds > self.network.timeout_seconds:
            await asyncio.sleep(self.network.timeout_seconds)
            permit.lost()
            return
        await asyncio.sleep(seconds)
        is_throttled = await reply
        if is_throttled:
            self.throttles.append(loop.time())
        permit.answered(throttled=is_throttled)

    def _arrive(self, reply: asyncio.Future[bool]) -> None:
        reply.set_result(self.server.arrive(asyncio.get_running_loop().time()))

    async def saturate(self, sends: int, workers: int) -> None:
        """Send so many requests with so many workers, each as fast as it gets permits."""
        left = iter(range(sends))

        async def work() -> None:
            for _ in left:
                await self.send()

        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(work())
