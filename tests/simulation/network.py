"""The network between the simulated processes and Amazon: it outlives them, and is no friend.

A request that has left is on its way whatever becomes of its sender, and has its effect at the
time of its arrival: the service checks its signature then, and not when it was sent.
"""

import asyncio
import heapq
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, NoReturn, assert_never

from agcod_async.core.outcomes import Lost, Reason, Reply, Untouched
from agcod_async.testing.answers import Failure
from agcod_async.testing.authentication import Incoming
from agcod_async.testing.cards import Moment
from agcod_async.testing.clock import WALL_AT_START
from agcod_async.testing.distortions import Distortion, distorted
from agcod_async.testing.faults import Seen as Distorted
from agcod_async.testing.operations import OPERATIONS
from agcod_async.testing.protocol import format_of_answer, throttled
from agcod_async.testing.service import Answer, Service
from agcod_async.wire.port import Exchanged
from tests.simulation.faults import Fault, Process, Seen, Travel
from tests.simulation.keys import Gate

if TYPE_CHECKING:
    from tests.simulation.world import World

_REQUEST_ID = re.compile(rb"equestId\W+(\w+)")
_CODE = re.compile(rb'"gcClaimCode":"[^"]*",|<gcClaimCode>[^<]*</gcClaimCode>')
_CODES = {Seen.F100: "F1000", Seen.F300: "F3003", Seen.F400: "F4000", Seen.F500: "F5000"}
_DISTORTIONS: dict[Seen, Distortion] = {
    Seen.HTML_503: Distorted.HTML_503,
    Seen.GARBAGE: Distorted.GARBAGE,
    Seen.TRUNCATED: Distorted.TRUNCATED,
    Seen.WRONG_CONTENT_TYPE: Distorted.WRONG_CONTENT_TYPE,
}
NOT_LET_IN = 403
"""The status of an answer to whom Amazon does not know, or not with that date."""
LOST_REPLY = Reply(500, "text/plain", b"")


async def for_ever() -> NoReturn:
    """Wait for what never comes."""
    await asyncio.get_running_loop().create_future()
    raise AssertionError("nobody is called back from here")


def request_id_in(body: bytes) -> str:
    """Return the request ID of a message, in JSON or XML."""
    found = _REQUEST_ID.search(body)
    return "" if found is None else found[1].decode()


@dataclass(slots=True)
class Packet:
    """One request on its way, and later its reply. `sender` counts the processes."""

    incoming: Incoming
    request_id: str
    sender: int
    is_on_time: bool
    reply: Reply = LOST_REPLY


@dataclass(slots=True)
class Sea:
    """What is on its way, and the service on the other shore."""

    service: Service
    gate: Gate
    date: Callable[[float], float | None]
    """Returns the Date of a reply that is written at a time."""
    under_way: list[tuple[float, int, Packet]] = field(default_factory=list)
    arrivals: list[tuple[float, int]] = field(default_factory=list)
    """When requests arrived, those on time only, and of which process."""
    recent: dict[str, deque[Packet]] = field(default_factory=dict)
    """The requests of each operation that arrived last, answered."""
    numbers: Iterator[int] = field(default_factory=count)
    has_lied: bool = False
    """Whether a reply had a Date that was not the time."""

    def dated(self, reply: Reply, at: float) -> Reply:
        """Return a reply with its Date, if it is to have one: the second that has begun."""
        date = self.date(WALL_AT_START + at)
        if date is not None and not -1.0 <= date - (WALL_AT_START + at) <= 0.0:
            self.has_lied = True
        return Reply(reply.status, reply.content_type, reply.body, date)

    def put(self, due_at: float, packet: Packet) -> None:
        heapq.heappush(self.under_way, (due_at, next(self.numbers), packet))

    def moment(self, now: float) -> Moment:
        """Let everything arrive that is due, and return when that is."""
        self.pump(now)
        return Moment(now, now, WALL_AT_START + now)

    def pump(self, now: float) -> None:
        """Let everything arrive that is due, each at its own time."""
        while self.under_way and self.under_way[0][0] <= now:
            due_at, _, packet = heapq.heappop(self.under_way)
            self.gate.until(due_at)
            decision = self.service.handle(packet.incoming, due_at, WALL_AT_START + due_at)
            assert isinstance(decision, Answer), "the service has been given no faults to play"
            packet.reply = self.dated(decision.reply, due_at)
            recent = self.recent.setdefault(packet.incoming.path, deque(maxlen=4))
            recent.append(packet)
            if packet.is_on_time:
                self.arrivals.append((due_at, packet.sender))


class Shore:
    """The transport of one process."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._life = world.life

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Exchanged:
        world, loop = self._world, self._world.loop
        if not world.is_alive(self._life):
            await for_ever()
        operation, request_id = url.rpartition("/")[2], request_id_in(body)
        began_at = loop.time()
        fault = world.faults.next(operation)
        departure = world.watch.sending(operation, request_id, headers, fault.name)
        try:
            exchanged = await self._exchange(fault, operation, request_id, headers, body)
        except asyncio.CancelledError:
            world.watch.cut_off(operation, request_id, loop.time() - began_at)
            world.watch.lost(departure)
            raise
        if not isinstance(exchanged, Reply):
            world.watch.lost(departure)
        elif fault.seen not in _DISTORTIONS and exchanged.body.startswith(b"<Throttling"):
            world.watch.throttled(departure)
        else:
            world.watch.answered(departure)
        return exchanged

    async def _exchange(
        self,
        fault: Fault,
        operation: str,
        request_id: str,
        headers: Mapping[str, str],
        body: bytes,
    ) -> Exchanged:
        world = self._world
        await self._process(fault.process, before=True)
        there, back = world.faults.way()
        packet = Packet(
            Incoming(f"/{operation}", headers, body),
            request_id,
            self._life,
            is_on_time=fault.travel is Travel.ARRIVES and fault.process is Process.RUNS,
        )
        self._launch(fault.travel, packet, there)
        await self._process(fault.process, before=False)
        if fault.process is Process.CALLER_LEAVES:
            world.leave(request_id)
        if fault.process is Process.IS_TOLD_TO_END:
            world.end()
        if fault.seen is Seen.NOTHING:
            await for_ever()
        await asyncio.sleep(
            world.faults.slow_seconds() if fault.seen is Seen.SLOW else there + back
        )
        if not world.is_alive(self._life):
            await for_ever()
        world.sea.pump(world.now)
        if fault.seen in (Seen.UNTOUCHED, Seen.THROTTLE, Seen.F300):
            world.watch.had_no_effect(request_id)
        elif packet.reply.status == NOT_LET_IN and fault.seen in (Seen.ANSWER, Seen.SLOW):
            world.watch.had_no_effect(request_id)
            world.watch.not_let_in(request_id)
        return self._seen(fault.seen, operation, request_id, packet)

    def _launch(self, travel: Travel, packet: Packet, there: float) -> None:
        sea, now = self._world.sea, self._world.now
        match travel:
            case Travel.LOST:
                pass
            case Travel.ARRIVES:
                sea.put(now + there, packet)
            case Travel.LATE:
                sea.put(now + self._world.faults.late_seconds(), packet)
            case Travel.TWICE:
                copy = replace(packet, is_on_time=False)
                sea.put(now + there, packet)
                sea.put(now + there + self._world.faults.late_seconds(), copy)
            case _:
                assert_never(travel)

    async def _process(self, process: Process, *, before: bool) -> None:
        """Let happen to this process what is to happen now."""
        world = self._world
        if before and process in (Process.FREEZES, Process.FREEZES_LONG):
            world.freeze(is_long=process is Process.FREEZES_LONG)
        dies = process in (Process.DIES_AFTER, Process.DIES_FOR_LONG)
        if process is Process.DIES_BEFORE if before else dies:
            world.die(is_long=process is Process.DIES_FOR_LONG)
            await for_ever()

    def _seen(self, seen: Seen, operation: str, request_id: str, packet: Packet) -> Exchanged:
        match seen:
            case Seen.F100 | Seen.F300 | Seen.F400 | Seen.F500:
                return self._refused(seen, operation, request_id, packet)
            case Seen.RESET:
                return Lost(Reason("sent, but the connection was reset"))
            case Seen.UNTOUCHED:
                return Untouched(Reason("there was no connection"))
            case _:
                return self._answered(seen, packet)

    def _refused(self, seen: Seen, operation: str, request_id: str, packet: Packet) -> Reply:
        if seen is Seen.F400:
            self._world.watch.resent(request_id)
        refusal = OPERATIONS[operation].refusals[_CODES[seen]]
        form = format_of_answer(packet.incoming.headers)
        return self._dated(form.write(operation, Failure(refusal, request_id), 400))

    def _dated(self, reply: Reply) -> Reply:
        return self._world.sea.dated(reply, self._world.now)

    def _answered(self, seen: Seen, packet: Packet) -> Reply:
        """Return what comes of the answer on its way back."""
        match seen:
            case Seen.ANSWER | Seen.SLOW:
                return packet.reply
            case Seen.THROTTLE:
                return self._dated(throttled(400))
            case Seen.ANOTHERS:
                return self._anothers(packet)
            case Seen.CODELESS:
                return replace(packet.reply, body=_CODE.sub(b"", packet.reply.body))
            case _:
                return distorted(_DISTORTIONS[seen], packet.reply)

    def _anothers(self, packet: Packet) -> Reply:
        """Return what the same operation was answered under another ID, if there was one.

        An older answer under the same ID cannot be told from a new one, nor whose an error is that
        names no request, as those at the door do: see the docs on safety.
        """
        for other in reversed(self._world.sea.recent.get(packet.incoming.path, ())):
            is_named = other.request_id.encode() in other.reply.body
            if other.request_id != packet.request_id and is_named:
                return other.reply
        return packet.reply

    async def aclose(self) -> None:
        pass
