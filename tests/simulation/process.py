"""What a simulated process does: it finishes what was left open, and then serves its callers."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from agcod_async.agcod import AgcodSession
from agcod_async.errors import (
    AgcodError,
    DeclinedError,
    InDoubtError,
    NothingIssuedError,
    ReversedError,
)
from agcod_async.pacing.pacer import LocalPacer
from agcod_async.session import Reconciled
from tests.simulation.history import ViolationError
from tests.simulation.orders import Issued, Options, Order
from tests.simulation.world import World

PATIENT_SECONDS = 3600.0
ASK_AGAIN_SECONDS = 30.0
TRIES_MAX = 6
LIVES_MAX = 100


@dataclass(slots=True)
class Caller:
    """Somebody who wants an order, and what he knows of it."""

    order: Order
    options: Options = field(default_factory=lambda: Options(PATIENT_SECONDS))
    starts_at: float = 0.0
    tries_max: int = TRIES_MAX
    comes_back: bool = True
    """Whether he calls again after a crash, or leaves it to `reconcile()`."""
    leaves: bool = False
    """Whether somebody may cancel him."""
    tries: int = 0
    is_done: bool = False
    in_doubt: bool = False
    is_too_old: bool = False
    """Whether nothing but the activity report can tell any more."""
    ended_at: float = 0.0


Afterwards = Callable[[AgcodSession, Caller, Issued], Awaitable[None]]


async def nothing_more(_session: AgcodSession, _caller: Caller, _card: Issued) -> None:
    """Leave the card alone."""


def run_lives(
    world: World, callers: list[Caller], afterwards: Afterwards = nothing_more
) -> list[str]:
    """Run one process after the other until everybody is served.

    Returns what the last of them has left behind that it must not.
    """
    for _ in range(LIVES_MAX):
        left = world.loop.live(process(world, callers, afterwards))
        if left is not None:
            return left + world.loop.faults
        world.restart()
    raise ViolationError("I15", f"{LIVES_MAX} processes were not enough")


async def process(
    world: World, callers: list[Caller], afterwards: Afterwards = nothing_more
) -> list[str]:
    """Serve everybody who is not done; return what is left behind that must not be."""
    session = world.session()
    waiting = [one for one in callers if not one.is_done and (one.comes_back or not world.life)]
    if world.life:
        await _reconcile(world, session, tries_max=1 if waiting else TRIES_MAX)
    if len(waiting) == 1:
        await serve(world, session, waiting[0], afterwards)
    else:
        await asyncio.gather(*(serve(world, session, one, afterwards) for one in waiting))
    await session.aclose()
    return left_behind(world, session)


async def _reconcile(world: World, session: AgcodSession, *, tries_max: int) -> None:
    """Finish what was left open, again and again if nobody else does."""
    for _ in range(tries_max):
        for reconciled in await session.reconcile(deadline_seconds=PATIENT_SECONDS):
            _reconciled(world, reconciled)
        if not world.record.reconcilable():
            return
        await asyncio.sleep(ASK_AGAIN_SECONDS)


def _reconciled(world: World, reconciled: Reconciled) -> None:
    order = world.order_of(reconciled.request_id)
    if order is None:
        world.watch.violated("I3", f"{reconciled.request_id} was reconciled, and never ordered")
    elif reconciled.operation != order.family.forward:
        pass
    elif reconciled.error is not None:
        world.watch.refused(order, reconciled.error)
    else:
        world.watch.told(order, reconciled.answer)  # type: ignore[arg-type]  an answer of a call


async def serve(
    world: World,
    session: AgcodSession,
    caller: Caller,
    afterwards: Afterwards = nothing_more,
) -> None:
    """Call for one order until it is known what became of it, or patience is at its end."""
    await asyncio.sleep(max(0.0, caller.starts_at - world.now))
    while not (caller.is_done or caller.is_too_old) and caller.tries < caller.tries_max:
        caller.tries += 1
        word = await ask(world, session, caller)
        if isinstance(word, Issued):
            await afterwards(session, caller, word)
        elif not caller.is_done:
            await asyncio.sleep(_wait_seconds(world, word))
    caller.ended_at = world.now


async def ask(world: World, session: AgcodSession, caller: Caller) -> Issued | AgcodError | None:
    """Call once, and hold the word that comes back to the truth; None if there was none."""
    order, watch = caller.order, world.watch
    watch.invoked(order)
    deadline_at = world.now + caller.options.deadline_seconds - world.frozen_seconds
    try:
        word: Issued | AgcodError | None = await _called(world, session, caller)
    except AgcodError as error:
        word = error
    watch.gone(order)
    watch.bounded(order, word, world.now - world.frozen_seconds - deadline_at)
    match word:
        case None:
            caller.in_doubt = True
        case AgcodError():
            watch.refused(order, word)
            caller.in_doubt = not isinstance(word, NothingIssuedError)
            caller.is_done = isinstance(word, DeclinedError | ReversedError)
            activity = isinstance(word, InDoubtError) and word.next_safe_action == "activity_page"
            caller.is_too_old = activity
        case _:
            watch.told(order, word)
            caller.is_done, caller.in_doubt = True, False
    return word


async def _called(world: World, session: AgcodSession, caller: Caller) -> Issued | None:
    """Call; None if the caller was made to leave before there was an answer."""
    order = caller.order
    calling = order.family.call(session, order, caller.options)
    if not caller.leaves:
        return await calling
    task = asyncio.ensure_future(calling)
    world.callers[task] = order.number
    try:
        await asyncio.wait([task])
    finally:
        world.callers.pop(task, None)
    if task.cancelled():
        world.history.add(world.now, "left", order.number)
        return None
    return task.result()


def _wait_seconds(world: World, word: AgcodError | None) -> float:
    """Return when to call again: at the time that the error names, or a little later."""
    if word is None:
        return 0.0
    if isinstance(word, InDoubtError) and word.not_before is not None:
        return max(0.0, word.not_before.timestamp() - world.wall) + 1.0
    return ASK_AGAIN_SECONDS


def left_behind(world: World, session: AgcodSession) -> list[str]:
    """Return what a closed session must not leave: tasks, waiters, slots, running calls."""
    return [f"a task is left: {name}" for name in world.loop.left()] + left_open(session)


def left_open(session: AgcodSession) -> list[str]:
    """Return what a session must not keep when nobody calls any more and nothing is under way."""
    left: list[str] = []
    pacer = session._runner._pacer
    assert isinstance(pacer, LocalPacer)
    if pacer._lanes:
        left.append("somebody waits for a permit")
    for name, window in pacer._limits._windows.items():
        queues = (window._sends, *window._replies.values())
        held = {id(lease) for queue in queues for lease in queue if lease.has_slot}
        if window._free + len(held) != max(1, int(pacer._limits._rates[name])):
            left.append(f"a permit is lost: {window._free} free, {len(held)} held")
    if pacer._gate._probe is not None:
        left.append("the probe of the gate is lost")
    if session._inflight._running or session._inflight._by_id:
        left.append("a call is still registered")
    return left
