"""A transport that answers from a script and keeps what was sent."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from agcod_async.core.outcomes import Lost, Reason, Reply, Unclear, Untouched
from agcod_async.wire.port import Exchanged


class Forever(Enum):
    HANG = "never answers"


HANG = Forever.HANG
LOST = Lost(Reason("the connection broke"))
UNTOUCHED = Untouched(Reason("no connection"))
UNCLEAR = Unclear(Reason("too large"))


@dataclass(frozen=True, slots=True)
class After:
    """Answers like `step`, so many seconds later."""

    seconds: float
    step: "Step"


@dataclass(frozen=True, slots=True)
class Sent:
    """One request as it left. `at` is on the loop's clock."""

    operation: str
    body: bytes
    at: float
    headers: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.operation} {self.body.decode()}"


Step = bytes | str | Lost | Untouched | Unclear | BaseException | Forever | After
"""What one send is answered with; text and bytes are the body of a reply."""


def replied(step: Step) -> Exchanged:
    """Return what a step without a delay answers, or raise it."""
    match step:
        case str():
            return Reply(200, "text/plain", step.encode())
        case bytes():
            return Reply(200, "text/plain", step)
        case Lost() | Untouched() | Unclear():
            return step
        case BaseException():
            raise step
        case _:
            raise AssertionError(f"{step} takes time")


@dataclass(slots=True)
class ScriptedTransport:
    """Answers each send with the next step of `script`; past its end it notes an `overrun`.

    `script` may also be a function of what was sent. `log` gets a line for each send.
    """

    script: Iterable[Step] | Callable[[Sent], Step] = ()
    log: list[str] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    overrun: list[Sent] = field(default_factory=list)
    under_way: int = 0
    closed: int = 0

    def __post_init__(self) -> None:
        if not callable(self.script):
            self.script = iter(self.script)

    @property
    def operations(self) -> list[str]:
        return [sent.operation for sent in self.sent]

    @property
    def times(self) -> list[float]:
        return [sent.at for sent in self.sent]

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Exchanged:
        at = asyncio.get_running_loop().time()
        sent = Sent(url.rsplit("/", 1)[1], body, at, dict(headers))
        self.sent.append(sent)
        self.log.append(f"send {sent}")
        self.under_way += 1
        try:
            step = self._next(sent)
            while isinstance(step, After):
                await asyncio.sleep(step.seconds)
                step = step.step
            if step is HANG:
                await asyncio.Event().wait()
            await asyncio.sleep(0)
            return replied(step)
        finally:
            self.under_way -= 1

    def _next(self, sent: Sent) -> Step:
        if callable(self.script):
            return self.script(sent)
        for step in self.script:
            return step
        self.overrun.append(sent)
        return LOST

    async def aclose(self) -> None:
        self.closed += 1
