"""A caller who leaves, at whatever moment, loses nothing but the answer.

Each scenario is run once for each turn of the event loop that it takes, and the caller is
cancelled in that turn.
"""

import asyncio
from dataclasses import dataclass

import pytest

from agcod_async.journal.records import Entry
from agcod_async.pacing.pacer import LocalPacer
from agcod_async.session import Done, Session
from agcod_async.testing.clock import virtual_clock
from tests.support.journals import JournalSpy
from tests.support.permits import FreePacer
from tests.support.stage import SETTINGS
from tests.support.toy import ISSUE, TOY, ToyCard, order
from tests.support.toy_server import Fault, ToyServer, run_stepped, stepped_loop

SCENARIOS = {
    "calm": [],
    "the request is lost": [Fault.REQUEST_LOST],
    "the reply is lost": [Fault.REPLY_LOST],
    "a create lands late": [Fault.LANDS_LATE],
    "throttled twice": [Fault.THROTTLED, Fault.THROTTLED],
    "unavailable without effect": [Fault.RESEND_BEFORE],
    "unavailable with effect": [Fault.RESEND_AFTER],
    "unavailable twice": [Fault.RESEND_AFTER, Fault.CALM, Fault.CALM, Fault.RESEND_AFTER],
    "the undo is lost": [Fault.RESEND_AFTER, Fault.REPLY_LOST],
    "the undo lands late": [Fault.RESEND_BEFORE, Fault.LANDS_LATE, Fault.CALM],
}
PATIENT_SECONDS = 3600.0


@dataclass(slots=True)
class World:
    server: ToyServer
    journal: JournalSpy
    pacer: FreePacer
    session: Session

    @property
    def entry(self) -> Entry | None:
        return self.journal.inner._entries.get(("Issue", "Toy1"))

    async def issue(self) -> Done[ToyCard]:
        return await self.session.call(ISSUE, order(), deadline_seconds=PATIENT_SECONDS)


def world(plan: list[Fault]) -> World:
    server, journal, pacer = ToyServer(plan), JournalSpy(), FreePacer()
    journal.log = pacer.log = server.log
    session = Session(
        TOY, SETTINGS, transport=server, journal=journal, pacer=pacer, clock=virtual_clock()
    )
    return World(server, journal, pacer, session)


def steps_of(plan: list[Fault]) -> int:
    """Return how many turns of the loop the undisturbed call takes."""

    async def main() -> int:
        w = world(plan)
        before = stepped_loop().steps
        await w.issue()
        return stepped_loop().steps - before

    return run_stepped(main())


def check_record(w: World) -> None:
    """Hold the journal to what the server has seen."""
    assert w.server.cut_off == 0, "an exchange was stopped although it was going to end"
    assert w.server.under_way_max <= 1, "two exchanges under one ID at the same time"
    for before, line in zip(["", *w.server.log], w.server.log, strict=False):
        if line.startswith("send"):
            assert before.startswith("advance Toy"), f"{line} was sent after {before!r}"
            assert before.split(" ")[1] == line.split(" ")[2], "the record is about another ID"
    entry = w.entry
    if entry is None:
        assert w.server.sends == 0
        return
    if w.server.live:
        assert entry.facts.doubtful, f"a live card nobody knows of: {w.server.live} {entry}"
    if entry.verdict in {"Declined", "Unavailable"}:
        assert w.server.live == []
    if entry.verdict == "Issued":
        assert w.server.live == [entry.live_id]


async def leave_at(step: int, plan: list[Fault], gap_seconds: float) -> bool:
    """Cancel the caller in that turn, check, and call again; return whether it was in time."""
    w, before = world(plan), asyncio.all_tasks()
    caller = asyncio.create_task(w.issue())
    seen: list[tuple[int, int]] = []

    def leave() -> None:
        seen.append((w.server.sends, w.server.under_way))
        caller.cancel()

    stepped_loop().do(step, leave)
    await asyncio.wait([caller])
    if gap_seconds:
        await asyncio.sleep(gap_seconds)
        check_nothing_new(w, seen)
        assert asyncio.all_tasks() - before - {caller} == set(), "a task is left"
        check_record(w)
    done = await w.issue()

    assert w.server.live == [done.answer.request_id]
    await asyncio.sleep(1000)  # whatever lands late has landed
    assert w.server.live == [done.answer.request_id]
    assert [p.ends for p in w.pacer.permits if len(p.ends) != 1] == []
    assert w.entry is not None
    assert w.entry.verdict == "Issued"
    check_record(w)
    await w.session.aclose()
    assert asyncio.all_tasks() - before - {caller} == set(), "a task is left"
    return caller.cancelled()


def check_nothing_new(w: World, seen: list[tuple[int, int]]) -> None:
    """At most the one exchange is finished whose permit was there when the caller left."""
    for sends, under_way in seen:
        assert w.server.sends - sends <= (0 if under_way else 1)
    assert w.server.under_way == 0


@pytest.mark.parametrize("gap_seconds", [0.0, 10.0])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_caller_may_leave_in_any_turn_of_the_loop(scenario: str, gap_seconds: float) -> None:
    plan = SCENARIOS[scenario]
    steps = steps_of(plan)

    async def main() -> int:
        return sum([await leave_at(step, plan, gap_seconds) for step in range(steps + 1)])

    assert run_stepped(main()) >= steps - 2, "most of them must have been in time to matter"


@pytest.mark.parametrize(
    ("scenario", "seconds_max"),
    # Five orders at one a second; after a throttle a probe and a slow start come first.
    [("calm", 5.5), ("unavailable with effect", 5.5), ("throttled twice", 12.0)],
)
def test_a_caller_who_leaves_takes_no_permit_with_him(scenario: str, seconds_max: float) -> None:
    # With the real pacer: a permit that got lost would keep its slot, or the gate, for ever.
    async def leave(step: int) -> None:
        before = asyncio.all_tasks()
        server = ToyServer(SCENARIOS[scenario])
        pacer = LocalPacer(requests_per_second=1.0, clock=virtual_clock())
        session = Session(TOY, SETTINGS, transport=server, pacer=pacer, clock=virtual_clock())
        caller = asyncio.create_task(session.call(ISSUE, order()))
        stepped_loop().do(step, caller.cancel)
        await asyncio.wait([caller])
        await asyncio.sleep(30)
        assert set(pacer.stats().waiting.values()) <= {0}
        server.plan = iter(())
        began = stepped_loop().time()
        await asyncio.gather(*(session.call(ISSUE, order(f"Toy{n}")) for n in range(5, 10)))

        assert stepped_loop().time() - began < seconds_max
        assert caller.done()
        await session.aclose()
        await pacer.aclose()
        assert asyncio.all_tasks() == before

    async def main() -> None:
        for step in range(steps_of_it):
            await leave(step)

    steps_of_it = 2 * steps_of(SCENARIOS[scenario])  # the pacer has turns of its own
    run_stepped(main())


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_one_of_two_callers_may_leave_in_any_turn_of_the_loop(scenario: str) -> None:
    plan = SCENARIOS[scenario]
    steps = steps_of(plan)

    async def leave(step: int) -> None:
        w = world(plan)
        one, other = (asyncio.create_task(w.issue()) for _ in range(2))
        stepped_loop().do(step, one.cancel)
        done = await other

        assert w.server.live == [done.answer.request_id]
        assert one.done()
        check_record(w)
        await w.session.aclose()

    async def main() -> None:
        for step in range(steps):
            await leave(step)

    run_stepped(main())


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_session_may_be_closed_in_any_turn_of_the_loop(scenario: str) -> None:
    plan = SCENARIOS[scenario]
    steps = steps_of(plan)

    async def close_at(step: int) -> None:
        w, before = world(plan), asyncio.all_tasks()
        caller = asyncio.create_task(w.issue())
        closing: asyncio.Future[asyncio.Task[None]] = stepped_loop().create_future()

        def close() -> None:
            closing.set_result(asyncio.create_task(w.session.aclose(drain_seconds=0.1)))

        stepped_loop().do(step, close)
        await asyncio.wait([caller])
        await (await closing)

        assert asyncio.all_tasks() - before == set()
        assert w.server.under_way == 0
        assert [p.ends for p in w.pacer.permits if len(p.ends) != 1] == []
        check_record(w)

        next_one = Session(
            TOY,
            SETTINGS,
            transport=w.server,
            journal=w.journal,
            pacer=w.pacer,
            clock=virtual_clock(),
        )
        done = await next_one.call(ISSUE, order(), deadline_seconds=PATIENT_SECONDS)
        await asyncio.sleep(1000)
        assert w.server.live == [done.answer.request_id]

    async def main() -> None:
        for step in range(1, steps + 1):
            await close_at(step)

    run_stepped(main())
