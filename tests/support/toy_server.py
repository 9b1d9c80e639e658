"""A toy provider with a memory, behind a network with planned faults, and a loop that counts.

A create under a new ID makes a card, under a live one repeats it, under a dead one says `dead`;
an undo kills. Each request meets the next fault of the plan; after the last one all is calm.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

from agcod_async.core.outcomes import Lost, Reason, Reply
from agcod_async.testing.clock import VirtualLoop
from agcod_async.wire.port import Exchanged
from tests.support.toy import request_id_of

T = TypeVar("T")
REPLY_SECONDS = 0.25
LATE_SECONDS = 100.0


class Fault(Enum):
    CALM = "calm"
    REQUEST_LOST = "the request is lost"
    REPLY_LOST = "the reply is lost"
    LANDS_LATE = "it is lost and has its effect much later"
    THROTTLED = "throttled"
    RESEND_BEFORE = "temporarily unavailable, without effect"
    RESEND_AFTER = "temporarily unavailable, with its effect"
    REFUSED = "refused"


@dataclass(slots=True)
class ToyServer:
    """The provider's own truth: `cards` says of each ID whether its card is live.

    What lands late does so `late_seconds` after it was sent.
    `cut_off` counts the exchanges that were stopped while their reply was on its way. `began_at`
    is the time when the clock of the running loop was 0, for a server that outlives its clients.
    """

    plan: Iterable[Fault] = ()
    log: list[str] = field(default_factory=list)
    cards: dict[str, bool] = field(default_factory=dict)
    sends: int = 0
    under_way: int = 0
    under_way_max: int = 0
    cut_off: int = 0
    began_at: float = 0.0
    late_seconds: float = LATE_SECONDS
    late: list[tuple[float, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.plan = iter(self.plan)

    @property
    def now(self) -> float:
        return self.began_at + asyncio.get_running_loop().time()

    def land(self) -> None:
        """Let everything have its effect that is due."""
        due = [one for one in self.late if one[0] <= self.now]
        self.late = [one for one in self.late if one not in due]
        for _, operation, request_id in due:
            self._apply(operation, request_id)

    @property
    def live(self) -> list[str]:
        self.land()
        return [request_id for request_id, is_live in self.cards.items() if is_live]

    async def send(self, url: str, _headers: Mapping[str, str], body: bytes) -> Exchanged:
        operation, request_id = url.rsplit("/", 1)[1], request_id_of(body)
        self.log.append(f"send {operation} {request_id}")
        fault = next(iter(self.plan), Fault.CALM)
        self.sends += 1
        self.under_way += 1
        self.under_way_max = max(self.under_way_max, self.under_way)
        try:
            return await self._answer(fault, operation, request_id)
        finally:
            self.under_way -= 1

    async def _answer(self, fault: Fault, operation: str, request_id: str) -> Exchanged:
        self.land()
        word = ""
        if fault in {Fault.CALM, Fault.REPLY_LOST, Fault.RESEND_AFTER}:
            word = self._apply(operation, request_id)
        if fault is Fault.LANDS_LATE:
            self.late.append((self.now + self.late_seconds, operation, request_id))
        match fault:
            case Fault.REQUEST_LOST:
                return Lost(Reason("reset"))
            case Fault.REPLY_LOST | Fault.LANDS_LATE:
                await asyncio.Event().wait()
            case Fault.THROTTLED:
                word = "throttled"
            case Fault.RESEND_BEFORE | Fault.RESEND_AFTER:
                word = "resend"
            case Fault.REFUSED:
                word = "refused:F300"
            case Fault.CALM:
                pass
        try:
            await asyncio.sleep(REPLY_SECONDS)
        except asyncio.CancelledError:
            self.cut_off += 1  # the reply was on its way, nothing justified to leave it
            raise
        return Reply(200, "text/plain", word.encode())

    def _apply(self, operation: str, request_id: str) -> str:
        if operation == "TakeBack":
            if request_id not in self.cards:
                return "nothing"
            self.cards[request_id] = False
            return "undone"
        return "live" if self.cards.setdefault(request_id, True) else "dead"

    async def aclose(self) -> None:
        pass


class SteppedLoop(VirtualLoop):
    """A virtual loop that does something at the beginning of one of its turns, or of each."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = 0
        self.at_step = -1
        self.then: Callable[[], object] = lambda: None
        self.each_step: Callable[[], object] = lambda: None

    def do(self, at_step: int, then: Callable[[], object]) -> None:
        """Call `then` so many turns from now."""
        self.at_step, self.then = self.steps + at_step, then

    def _run_once(self) -> None:
        if self.steps == self.at_step:
            self.then()
        self.each_step()
        self.steps += 1
        super()._run_once()  # asyncio keeps it to itself


def stepped_loop() -> SteppedLoop:
    """Return the running loop."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SteppedLoop)
    return loop


def run_until_killed(main: Coroutine[object, object, T], at_step: int) -> T | None:
    """Run `main`, and stop everything where it stands in that turn."""
    loop = SteppedLoop()
    loop.do(at_step, loop.stop)
    try:
        return loop.run_until_complete(main)
    except RuntimeError as error:
        assert str(error) == "Event loop stopped before Future completed."  # noqa: PT017  or it is no kill
        return None
    finally:
        for task in asyncio.all_tasks(loop):
            task._log_destroy_pending = False  # it is what we want
            coroutine = task.get_coro()
            assert coroutine is not None
            coroutine.close()  # while the loop still takes callbacks
        loop.close()


def run_stepped(main: Coroutine[object, object, T]) -> T:
    """Run `main` on a fresh stepped loop."""
    with asyncio.Runner(loop_factory=SteppedLoop) as runner:
        return runner.run(main)
