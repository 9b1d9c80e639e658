"""A process that dies, at whatever moment, leaves a journal from which the next one goes on.

Each scenario is run once for each turn of the event loop that it takes, and killed in that turn;
then a new session on the same journal, at the same server, reconciles.
"""

import random
from dataclasses import dataclass, field, replace

import pytest

from agcod_async.clock import Clock
from agcod_async.session import Session
from agcod_async.testing.clock import WALL_AT_START, virtual_clock
from tests.support.journals import JournalSpy, open_entries
from tests.support.permits import FreePacer
from tests.support.stage import SETTINGS
from tests.support.toy import ISSUE, TOY, order
from tests.support.toy_server import (
    Fault,
    ToyServer,
    run_stepped,
    run_until_killed,
    stepped_loop,
)

SCENARIOS = {
    "calm": [],
    "the reply is lost": [Fault.REPLY_LOST],
    "a create lands late": [Fault.LANDS_LATE],
    "throttled": [Fault.THROTTLED],
    "unavailable without effect": [Fault.RESEND_BEFORE],
    "unavailable with effect": [Fault.RESEND_AFTER],
    "the undo is lost": [Fault.RESEND_AFTER, Fault.REPLY_LOST],
    "the undo lands late": [Fault.RESEND_BEFORE, Fault.LANDS_LATE],
    "unavailable again and again": [Fault.RESEND_AFTER, Fault.CALM, Fault.CALM] * 2,
}
PATIENT_SECONDS = 3600.0
RESTART_SECONDS = 3.0


@dataclass(slots=True)
class History:
    """What outlives a process: the server, the journal, and the time that has passed."""

    server: ToyServer
    journal: JournalSpy = field(default_factory=JournalSpy)
    passed_seconds: float = 0.0

    def clock(self) -> Clock:
        calm = virtual_clock()
        return replace(calm, wall=lambda: calm.wall() + self.server.began_at)

    def session(self) -> Session:
        return Session(
            TOY,
            SETTINGS,
            transport=self.server,
            journal=self.journal,
            pacer=FreePacer(),
            clock=self.clock(),
        )

    def tick(self) -> None:
        """Note the time; once the loop has been killed nobody can ask for it."""
        self.passed_seconds = stepped_loop().time()

    def restart(self) -> None:
        self.server.began_at += self.passed_seconds + RESTART_SECONDS
        self.server.under_way = 0


async def serve(history: History) -> int:
    """Issue one order; return how many turns of the loop it took."""
    before = stepped_loop().steps
    stepped_loop().each_step = history.tick
    await history.session().call(ISSUE, order(), deadline_seconds=PATIENT_SECONDS)
    return stepped_loop().steps - before


async def recover(history: History) -> None:
    stepped_loop().each_step = history.tick
    await history.session().reconcile(deadline_seconds=PATIENT_SECONDS)


async def settle(history: History) -> None:
    """Recover, ask for the card, let everything land, and count the cards."""
    session = history.session()
    await session.reconcile(deadline_seconds=PATIENT_SECONDS)
    assert await open_entries(history.journal) == []
    known = history.journal.inner._entries.get(("Issue", "Toy1"))
    was_issued = known is not None and known.verdict == "Issued"
    if was_issued:
        assert known is not None
        assert history.server.live == [known.live_id]
    else:
        assert history.server.live == [], "a card that nobody has been told of"

    done = await session.call(ISSUE, order(), deadline_seconds=PATIENT_SECONDS)

    assert done.replayed == was_issued
    assert history.server.live == [done.answer.request_id]
    history.server.began_at += 1000
    assert history.server.late == [] or history.server.live == [done.answer.request_id]
    assert history.server.live == [done.answer.request_id]
    await session.aclose()


def steps_of(scenario: str) -> int:
    return run_stepped(serve(History(ToyServer(SCENARIOS[scenario]))))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_process_may_die_in_any_turn_of_the_loop(scenario: str) -> None:
    for step in range(steps_of(scenario) + 1):
        history = History(ToyServer(SCENARIOS[scenario]))
        run_until_killed(serve(history), step)
        history.restart()
        run_stepped(settle(history))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_process_may_die_again_while_it_recovers(scenario: str) -> None:
    chance = random.Random(scenario)
    steps = steps_of(scenario)
    for _ in range(12):
        history = History(ToyServer(SCENARIOS[scenario]))
        run_until_killed(serve(history), chance.randrange(steps))
        for _ in range(2):
            history.restart()
            run_until_killed(recover(history), chance.randrange(25))
        history.restart()
        run_stepped(settle(history))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_process_may_be_told_to_end_in_any_turn_of_the_loop(scenario: str) -> None:
    # asyncio.run() cancels every task, also those that nobody else may interrupt.
    async def ended_at(history: History, step: int) -> None:
        loop = stepped_loop()
        loop.each_step = history.tick
        turn = loop.create_future()
        loop.do(step, lambda: turn.set_result(None))
        session = history.session()
        call = loop.create_task(session.call(ISSUE, order(), deadline_seconds=PATIENT_SECONDS))
        await turn
        call.add_done_callback(lambda task: task.cancelled() or task.exception())

    for step in range(steps_of(scenario)):
        history = History(ToyServer(SCENARIOS[scenario]))
        run_stepped(ended_at(history, step))
        history.restart()
        run_stepped(settle(history))


def test_the_clock_of_a_history_goes_on_after_a_restart() -> None:
    history = History(ToyServer())

    async def wall() -> float:
        return history.clock().wall()

    history.passed_seconds = 100.0
    history.restart()

    assert run_stepped(wall()) == pytest.approx(WALL_AT_START + 103)
