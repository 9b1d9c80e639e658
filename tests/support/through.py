"""Something between a session and an emulator: it takes time, and it may meddle with Dates."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from agcod_async.core.outcomes import Reply
from agcod_async.testing import Emulator
from agcod_async.wire.port import Exchanged, Transport

Meddle = Callable[[int, Reply], Reply]
"""Takes the number of a reply, from 0, and the reply; returns what the session gets to see."""


def without_date(_: int, reply: Reply) -> Reply:
    return replace(reply, date=None)


@dataclass(frozen=True, slots=True)
class Dated:
    """One request: what it was signed with, and what the emulator's clock showed as it came."""

    operation: str
    signed_at: float
    arrived_at: float

    @property
    def error_seconds(self) -> float:
        return self.signed_at - self.arrived_at


@dataclass(slots=True)
class Through:
    """A transport to an emulator, with a way there and a way back that take `seconds` each."""

    emulator: Emulator
    seconds: tuple[float, float] = (0.05, 0.05)
    meddle: Meddle = lambda _, reply: reply
    dated: list[Dated] = field(default_factory=list)
    replies: int = 0
    inner: Transport = field(init=False)

    def __post_init__(self) -> None:
        self.inner = self.emulator.transport()

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Exchanged:
        signed = datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        await asyncio.sleep(self.seconds[0])
        operation = url.rsplit("/", 1)[1]
        self.dated.append(Dated(operation, signed.timestamp(), self.emulator.wall))
        answer = await self.inner.send(url, headers, body)
        await asyncio.sleep(self.seconds[1])
        if not isinstance(answer, Reply):
            return answer
        self.replies += 1
        return self.meddle(self.replies - 1, answer)

    async def aclose(self) -> None:
        await self.inner.aclose()
