"""A session with its own pacer, a strict provider behind a network, and all that happened.

Everything that happens is one list, in the order in which it happened: who began to wait for a
permit, who got one, what left, and what became of it. `promises.py` holds it to the contract.
"""

import asyncio
import random
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from agcod_async.clock import Clock
from agcod_async.core.outcomes import Lost, Reason, Reply, Untouched
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.endpoints import Endpoint
from agcod_async.errors import AgcodError
from agcod_async.journal.memory import MemoryJournal
from agcod_async.journal.records import Entry
from agcod_async.pacing.pacer import LocalPacer
from agcod_async.pacing.port import Lane, NotInTimeError, Permit
from agcod_async.session import Session
from agcod_async.settings import Settings
from agcod_async.testing.clock import run, virtual_clock
from agcod_async.values import Credentials
from agcod_async.wire.port import Exchanged
from tests.pacing.laws import LAWS, Law
from tests.support.toy import ISSUE, PARTNER, TOY, order, request_id_of

PATIENT_SECONDS = 3600.0
DEFAULT_POLICY = RecoveryPolicy()


class Kind(Enum):
    WAITS = "begins to wait"
    GRANTED = "has a permit"
    LEFT = "waits no more"
    SENT = "sent"
    ANSWERED = "answered"
    THROTTLED = "throttled"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Happening:
    """`number` is that of the waiter, or that of the request."""

    kind: Kind
    at: float
    number: int
    lane: Lane = Lane.BATCH
    operation: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody who calls once, at a time, and may have a deadline or be cancelled."""

    at: float
    lane: Lane
    deadline_seconds: float = PATIENT_SECONDS
    leaves_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """`allowed` is the share of the cap that the provider really takes; below 1 it throttles.

    `lost`, `absent` and `busy` are the shares of requests that are lost on either way, that find
    no connection, and that are answered with F400. After `calm_at` nothing of it happens, and
    all of the cap is taken. A write to the journal takes up to `record_seconds`.
    """

    cap: float
    guests: Sequence[Guest]
    out: str = "constant"
    back: str = "constant"
    allowed: float = 1.0
    lost: float = 0.0
    absent: float = 0.0
    busy: float = 0.0
    record_seconds: float = 0.0
    calm_at: float = float("inf")
    seed: int = 0
    policy: RecoveryPolicy = DEFAULT_POLICY


@dataclass(slots=True)
class History:
    scenario: Scenario
    happenings: list[Happening] = field(default_factory=list)
    arrivals: list[float] = field(default_factory=list)
    ends: dict[int, AgcodError | str | None] = field(default_factory=dict)
    """What became of each guest: None for a card, an error, or "left"."""
    ended_at: dict[int, float] = field(default_factory=dict)
    left_open: list[str] = field(default_factory=list)

    def add(self, kind: Kind, number: int, **more: object) -> None:
        at = asyncio.get_running_loop().time()
        self.happenings.append(Happening(kind, at, number, **more))  # type: ignore[arg-type]  of it

    def of(self, *kinds: Kind) -> list[Happening]:
        return [one for one in self.happenings if one.kind in kinds]


@dataclass(slots=True)
class WatchedPacer:
    """The pacer that ships; who waits, who goes and who is served goes into the history."""

    inner: LocalPacer
    history: History
    waiters: int = 0

    async def admit(self, lane: Lane, operation: str, *, within_seconds: float | None) -> Permit:
        number, self.waiters = self.waiters, self.waiters + 1
        self.history.add(Kind.WAITS, number, lane=lane, operation=operation)
        try:
            permit = await self.inner.admit(lane, operation, within_seconds=within_seconds)
        except (NotInTimeError, asyncio.CancelledError):
            self.history.add(Kind.LEFT, number, lane=lane, operation=operation)
            raise
        self.history.add(Kind.GRANTED, number, lane=lane, operation=operation)
        return permit

    async def aclose(self) -> None:
        await self.inner.aclose()


class SlowJournal(MemoryJournal):
    """A journal whose writes take their time: the permit is waiting meanwhile."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(closed_entries_max=1_000_000)
        self._seconds = scenario.record_seconds
        self._chance = random.Random(scenario.seed)

    async def advance(self, entry: Entry) -> Entry:
        if self._seconds:
            await asyncio.sleep(self._chance.uniform(0.0, self._seconds))
        return await super().advance(entry)


class Provider:
    """A transport with a strict sliding window behind it: what is above the cap is throttled."""

    def __init__(self, history: History) -> None:
        scenario = self._scenario = history.scenario
        self._history = history
        self._chance = random.Random(scenario.seed)
        self._out: Law = LAWS[scenario.out]
        self._back: Law = LAWS[scenario.back]
        self._slots = max(1, int(scenario.cap))
        self._window_seconds = self._slots / scenario.cap
        self._window: deque[float] = deque()
        self._cards: dict[str, bool] = {}
        self._sent = 0

    async def send(self, url: str, _headers: Mapping[str, str], body: bytes) -> Exchanged:
        history, number, self._sent = self._history, self._sent, self._sent + 1
        operation, request_id = url.rsplit("/", 1)[1], request_id_of(body)
        history.add(Kind.SENT, number, operation=operation, request_id=request_id)
        try:
            answer = await self._exchange(operation, request_id)
        except asyncio.CancelledError:
            history.add(Kind.LOST, number, request_id=request_id)
            raise
        kind = Kind.LOST
        if isinstance(answer, Reply):
            kind = Kind.THROTTLED if answer.body == b"throttled" else Kind.ANSWERED
        history.add(kind, number, request_id=request_id)
        return answer

    async def aclose(self) -> None:
        pass

    async def _exchange(self, operation: str, request_id: str) -> Exchanged:
        loop, scenario = asyncio.get_running_loop(), self._scenario
        is_calm = loop.time() >= scenario.calm_at
        lost, absent, busy = (
            (0.0, 0.0, 0.0) if is_calm else (scenario.lost, scenario.absent, scenario.busy)
        )
        allowed = 1.0 if is_calm else scenario.allowed
        out = self._out(self._chance, loop.time())
        fate = self._chance.random()
        if fate < lost / 2:
            await loop.create_future()
        if lost <= fate < lost + absent:
            await asyncio.sleep(out)
            return Untouched(Reason("no connection"))
        # The request goes on its way whatever becomes of its sender.
        word: asyncio.Future[str] = loop.create_future()
        loop.call_later(out, self._arrive, operation, request_id, allowed, word)
        said = await word
        await asyncio.sleep(self._back(self._chance, loop.time()))
        if fate < lost and self._chance.random() < 0.5:
            return Lost(Reason("the connection broke"))
        if fate < lost:
            await loop.create_future()
        if said == "live" and lost + absent <= fate < lost + absent + busy:
            said = "resend"
        return Reply(200, "text/plain", said.encode())

    def _arrive(
        self,
        operation: str,
        request_id: str,
        allowed: float,
        word: asyncio.Future[str],
    ) -> None:
        now = asyncio.get_running_loop().time()
        self._history.arrivals.append(now)
        said = self._said(operation, request_id, now, allowed)
        if not word.done():
            word.set_result(said)

    def _said(self, operation: str, request_id: str, now: float, allowed: float) -> str:
        window = self._window
        while window and window[0] <= now - self._window_seconds:
            window.popleft()
        window.append(now)
        if len(window) > self._slots * allowed:
            return "throttled"
        if operation == "TakeBack":
            was_known = request_id in self._cards
            self._cards[request_id] = False
            return "undone" if was_known else "nothing"
        return "live" if self._cards.setdefault(request_id, True) else "dead"


def played(scenario: Scenario) -> History:
    """Let every guest of the scenario call, and return what happened."""
    history = History(scenario)
    clock = virtual_clock(scenario.seed)
    settings = Settings(
        credentials=Credentials(access_key_id="AKIDEXAMPLE", secret_access_key="nobody's"),
        partner_id=PARTNER,
        endpoint=Endpoint.NA_SANDBOX,
        requests_per_second=scenario.cap,
    )
    run(_play(scenario, history, settings, clock))
    return history


async def _play(scenario: Scenario, history: History, settings: Settings, clock: Clock) -> None:
    inner = LocalPacer(requests_per_second=scenario.cap, policy=scenario.policy, clock=clock)
    session = Session(
        TOY,
        settings,
        transport=Provider(history),
        journal=SlowJournal(scenario),
        pacer=WatchedPacer(inner, history),
        policy=scenario.policy,
        clock=clock,
    )
    async with asyncio.TaskGroup() as group:
        for number, guest in enumerate(scenario.guests):
            group.create_task(_visit(session, history, number, guest))
    await session.aclose()
    await inner.aclose()
    await asyncio.sleep(scenario.policy.late_horizon_seconds)
    history.left_open = _left_open(inner)


async def _visit(session: Session, history: History, number: int, guest: Guest) -> None:
    loop = asyncio.get_running_loop()
    await asyncio.sleep(guest.at)
    call = asyncio.ensure_future(
        session.call(
            ISSUE,
            order(f"{PARTNER}{number}"),
            lane=guest.lane,
            deadline_seconds=guest.deadline_seconds,
        )
    )
    if guest.leaves_after_seconds is not None:
        loop.call_later(guest.leaves_after_seconds, call.cancel)
    await asyncio.wait([call])
    history.ended_at[number] = loop.time()
    if call.cancelled():
        history.ends[number] = "left"
        return
    error = call.exception()
    if error is not None and not isinstance(error, AgcodError):
        raise error
    history.ends[number] = error


def _left_open(pacer: LocalPacer) -> list[str]:
    """Return what a pacer must not keep once nobody waits and nothing is under way."""
    left = ["somebody waits"] if pacer._lanes else []
    window = pacer._limits._account
    queues = (window._sends, *window._replies.values())
    held = {id(lease) for queue in queues for lease in queue if lease.has_slot}
    slots = max(1, int(pacer._rate))
    if window._free + len(held) != slots:
        left.append(f"of {slots} slots {window._free} are free and {len(held)} are held")
    if pacer._gate._probe is not None:
        left.append("the probe never ended")
    return left
