"""A session over the toy provider with everything in view, under virtual time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from agcod_async.clock import Clock
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.endpoints import Endpoint
from agcod_async.events import Event, Observer
from agcod_async.journal.records import Entry
from agcod_async.providers.base import Operation
from agcod_async.session import Done, Session
from agcod_async.settings import Settings
from agcod_async.testing.clock import virtual_clock
from agcod_async.values import Credentials
from tests.support.journals import JournalSpy
from tests.support.permits import FreePacer
from tests.support.scripted import ScriptedTransport, Sent, Step
from tests.support.toy import ISSUE, PARTNER, TOY, ToyCard, ToyRequest, order

SECRET = "kept-to-ourselves/EXAMPLEKEY"
SETTINGS = Settings(
    credentials=Credentials(access_key_id="AKIDEXAMPLE", secret_access_key=SECRET),
    partner_id=PARTNER,
    endpoint=Endpoint.NA_SANDBOX,
)
CALM = RecoveryPolicy()


@dataclass(slots=True)
class Stage:
    """A session and everything around it. `log` is the one order of all that happened."""

    session: Session
    transport: ScriptedTransport
    journal: JournalSpy
    pacer: FreePacer
    events: list[Event]
    log: list[str]
    clock: Clock

    async def issue(
        self,
        request_id: str = "Toy1",
        amount: str = "10",
        *,
        deadline_seconds: float | None = None,
        policy: RecoveryPolicy | None = None,
        operation: Operation[ToyRequest, ToyCard] = ISSUE,
    ) -> Done[ToyCard]:
        return await self.session.call(
            operation, order(request_id, amount), deadline_seconds=deadline_seconds, policy=policy
        )

    def entry(self, request_id: str = "Toy1", operation: str = "Issue") -> Entry:
        return self.journal.entry(request_id, operation)


@asynccontextmanager
async def stage(
    script: Iterable[Step] | Callable[[Sent], Step] = (),
    *,
    journal: JournalSpy | None = None,
    pacer: FreePacer | None = None,
    policy: RecoveryPolicy = CALM,
    clock: Clock | None = None,
    observers: tuple[Observer, ...] = (),
    settings: Settings = SETTINGS,
) -> AsyncIterator[Stage]:
    """Open a session; at its end, hold it to what it owes in every case."""
    log: list[str] = []
    events: list[Event] = []
    journal = JournalSpy() if journal is None else journal
    pacer = FreePacer() if pacer is None else pacer
    transport = ScriptedTransport(script, log=log)
    journal.log = pacer.log = log
    clock = virtual_clock() if clock is None else clock
    session = Session(
        TOY,
        settings,
        transport=transport,
        journal=journal,
        pacer=pacer,
        observers=(events.append, *observers),
        policy=policy,
        clock=clock,
    )
    before, faults = asyncio.all_tasks(), list[dict[str, object]]()
    asyncio.get_running_loop().set_exception_handler(lambda _, fault: faults.append(fault))
    yield Stage(session, transport, journal, pacer, events, log, clock)
    await session.aclose()
    assert_nothing_is_left(pacer, transport, before)
    assert faults == []


def assert_nothing_is_left(
    pacer: FreePacer, transport: ScriptedTransport, before: set[asyncio.Task[object]]
) -> None:
    """Every permit has ended once, no exchange is open, no task is left, no send was too many."""
    assert [permit.ends for permit in pacer.permits if len(permit.ends) != 1] == []
    assert pacer.waiting == 0
    assert transport.under_way == 0
    assert asyncio.all_tasks() - before == set()
    assert [str(sent) for sent in transport.overrun] == []
