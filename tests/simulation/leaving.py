"""A caller who leaves at every turn of the loop, in every situation that a call can be in."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from agcod_async.core.policy import RecoveryPolicy
from agcod_async.testing import Semantics
from tests.simulation.audit import audit
from tests.simulation.choices import Listed
from tests.simulation.faults import FAULTS, Fault
from tests.simulation.history import ViolationError
from tests.simulation.loop import SimLoop
from tests.simulation.orders import Options, made
from tests.simulation.process import PATIENT_SECONDS, Caller, ask, left_behind, left_open, serve
from tests.simulation.schedules import Plan
from tests.simulation.world import SETTINGS, World

EXCHANGE_SECONDS = 6.5
"""Whatever is under way has ended by then."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What happens to the requests of a call, in order, and what slows it down."""

    faults: tuple[str, ...] = ()
    family: str = "create"
    write_seconds: float = 0.0
    deadline_seconds: float = PATIENT_SECONDS
    queue: int = 0
    """So many calls are made just before it, at one request a second."""


SITUATIONS = {
    "success": Situation(),
    "the request is lost": Situation(("request lost",)),
    "the reply is lost": Situation(("reply lost",)),
    "it lands late": Situation(("lands late",)),
    "no connection": Situation(("no connection",)),
    "F400 and an undo": Situation(("F400 with effect",)),
    "F400 and a lost undo": Situation(("F400 without effect", "lands late")),
    "F400 twice": Situation(("F400 with effect", "calm", "F400 with effect")),
    "a throttle": Situation(("throttled",)),
    "two throttles": Situation(("throttled", "throttled")),
    "a queue for permits": Situation(queue=3),
    "a queue and a throttle": Situation(("throttled",), queue=2),
    "a slow journal": Situation(write_seconds=0.5),
    "a slow journal and F400": Situation(("F400 with effect",), write_seconds=0.5),
    "a deadline": Situation(("reply lost", "request lost"), deadline_seconds=8.0),
    "a deadline in an undo": Situation(("F400 with effect", "lands late"), deadline_seconds=4.0),
    "an activation is looked up": Situation(("F400 with effect",), "activate"),
    "a lookup is lost": Situation(("F400 with effect", "calm", "calm", "reply lost"), "activate"),
    "a load is voided": Situation(("F400 with effect",), "load"),
    "a void is lost": Situation(("F400 without effect", "reply lost"), "load"),
}


class _Script(Plan):
    """Faults by name, one for each request; then the calm."""

    def __init__(self, situation: Situation) -> None:
        super().__init__(Listed(), late_seconds=290.0)
        self._faults = iter(situation.faults)
        self._write_seconds = self.write_seconds_max = situation.write_seconds

    def next(self, _operation: str) -> Fault:
        return FAULTS[next(self._faults, "calm")]

    def write_seconds(self) -> float:
        return self._write_seconds


def turns_of(situation: Situation, loop: SimLoop) -> int:
    """Return how many turns of the loop the undisturbed call takes, and hold it to everything."""
    world = _world(situation, loop)
    turns = loop.live(_undisturbed(world, situation))
    audit(world)
    assert turns is not None
    return turns


def left_at(turn: int, situation: Situation, loop: SimLoop, *, gap_seconds: float) -> bool:
    """Let the caller leave in that turn, and call again after a gap; return if he was in time.

    Raises `ViolationError` if anything is lost by it: a permit, a task, a card, or the session.
    """
    world = _world(situation, loop)
    ended = loop.live(_disturbed(world, situation, turn, gap_seconds))
    assert ended is not None
    was_in_time, left = ended
    audit(world)
    if left:
        raise ViolationError("I12", left[0])
    if len(world.watch.issued) != situation.queue + 2:
        raise ViolationError("I12", "the session does not serve any more")
    return was_in_time


def _world(situation: Situation, loop: SimLoop) -> World:
    rate = 1.0 if situation.queue else SETTINGS.requests_per_second
    world = World(
        loop=loop,
        faults=_Script(situation),
        semantics=Semantics(),
        policy=RecoveryPolicy(),
        settings=replace(SETTINGS, requests_per_second=rate),
    )
    for number in range(situation.queue + 2):
        world.add(made(number, situation.family))
    return world


def _callers(world: World, situation: Situation) -> list[Caller]:
    """Return who leaves, who comes after him, and those before him in the queue."""
    orders = list(world.orders.values())
    mine = Caller(orders[0], Options(situation.deadline_seconds), leaves=True)
    return [mine, *(Caller(order) for order in orders[1:])]


async def _undisturbed(world: World, situation: Situation) -> int:
    mine, _, *queue = _callers(world, situation)
    session = world.session()
    others = [asyncio.ensure_future(ask(world, session, one)) for one in queue]
    await asyncio.sleep(0)
    before = world.loop.turns
    await ask(world, session, mine)
    turns = world.loop.turns - before
    for other in others:
        await other
    await session.aclose()
    return turns


async def _disturbed(
    world: World, situation: Situation, turn: int, gap_seconds: float
) -> tuple[bool, Sequence[str]]:
    mine, after, *queue = _callers(world, situation)
    session = world.session()
    others = [asyncio.ensure_future(ask(world, session, one)) for one in queue]
    await asyncio.sleep(0)
    world.loop.do(turn, lambda: world.leave(str(mine.order.request_id)))
    was_in_time = await ask(world, session, mine) is None
    if gap_seconds:
        if others:
            await asyncio.wait(others)
        await asyncio.sleep(gap_seconds)
        left = left_open(session)
        if left:
            return was_in_time, left
    patient = replace(mine, options=Options(PATIENT_SECONDS), leaves=False)
    if not patient.is_done:
        await serve(world, session, patient)
    await asyncio.gather(serve(world, session, after), *others)
    await session.aclose()
    return was_in_time, left_behind(world, session)
