"""Carries the plan out, case by case, and takes back what it has issued.

Rules of this file:

1. Each case has a session and a journal of its own: what it shows, Amazon has answered now. All
   of them share one pacer, so the account's rate is kept.
2. What may have been issued is taken back in the end, whatever the case was about. What cannot be
   is named.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from agcod_async.agcod import AgcodSession
from agcod_async.cli.certification.calls import CALLS, LackingError, Means
from agcod_async.cli.certification.cases import Asked, Case, Section
from agcod_async.cli.certification.debts import UNDO_OF, Debts
from agcod_async.cli.certification.results import (
    Result,
    Seen,
    Status,
    Undone,
    judged,
    seen_answer,
    seen_error,
)
from agcod_async.clock import Clock
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.errors import AgcodError
from agcod_async.events import AttemptEnded, Event
from agcod_async.pacing.pacer import LocalPacer
from agcod_async.pacing.port import Pacer
from agcod_async.providers.agcod.operations import AGCOD
from agcod_async.settings import Settings
from agcod_async.wire.port import Transport
from agcod_async.wire.usual import usual_transport

# The IDs in the report are those of the run: no successor goes on for one.
_REAL = RecoveryPolicy(on_burnt_id="raise")
# A mocked error stays: a few attempts show what the session makes of it.
_MOCKED = RecoveryPolicy(
    on_burnt_id="raise", forward_attempts_max=3, undo_attempts_max=2, turns_max=1
)


@asynccontextmanager
async def certification(
    settings: Settings, means: Means, *, clock: Clock, transport: Transport | None = None
) -> AsyncGenerator["Certification", None]:
    """Open what all cases share."""
    async with AsyncExitStack() as own:
        if transport is None:
            transport = usual_transport()
            own.push_async_callback(transport.aclose)
        rate, sub_limits = settings.requests_per_second, AGCOD.sub_limits
        pacer = LocalPacer(requests_per_second=rate, sub_limits=sub_limits, clock=clock)
        own.push_async_callback(pacer.aclose)
        yield Certification(settings, means, clock, pacer, transport)


@dataclass(slots=True)
class Certification:
    """One run of the plan."""

    settings: Settings
    means: Means
    clock: Clock
    pacer: Pacer
    transport: Transport
    _results: dict[str, Result] = field(default_factory=dict[str, Result])
    _shut_out: str = ""
    _disabled: set[str] = field(default_factory=set[str])
    _debts: Debts = field(default_factory=Debts)

    async def carry_out(self, section: Section, tell: Callable[[Result], None]) -> list[Result]:
        """Carry out the cases of one section; tell of each as it ends."""
        results: list[Result] = []
        for case in section.cases:
            result = await self._result(case)
            self._results[case.name] = result
            if result.seen is not None and result.seen.is_shut_out:
                self._shut_out = result.seen.detail
            if result.status is Status.NOT_ENABLED:
                self._disabled.add(case.operation)
            results.append(result)
            tell(result)
        return results

    async def take_back(self) -> list[Undone]:
        """Take back everything that may have been issued, and tell of each."""
        undone: list[Undone] = []
        for (operation, order), asked in self._debts.owed.items():
            undo, request_id = UNDO_OF[operation], self.means.order_id(order)
            seen, _ = await self._seen(undo, asked)
            undone.append(Undone(operation=undo, request_id=request_id, seen=seen))
        return undone

    async def _result(self, case: Case) -> Result:
        began, started_at = self.clock.monotonic(), self._now()
        seen, requests = None, 0
        status, note = self._obstacle(case)
        if status is None:
            status = Status.NOT_POSSIBLE
            try:
                seen, requests = await self._seen(case.operation, case.asked)
            except LackingError as error:
                note = str(error)
            else:
                status, note = judged(case, seen, self._results)
        return Result(
            case=case,
            request_id=None if seen is None else self.means.request_id(case.operation, case.asked),
            started_at=started_at,
            seconds=self.clock.monotonic() - began,
            requests=requests,
            seen=seen,
            status=status,
            note=note,
        )

    def _obstacle(self, case: Case) -> tuple[Status | None, str]:
        """Return the result of a case that need not be sent, and why; None for one that must."""
        if self._shut_out:
            return Status.NOT_POSSIBLE, f"Amazon's front door refuses this client: {self._shut_out}"
        before = Status.PASSED if case.after is None else self._results[case.after].status
        if case.operation in self._disabled or before is Status.NOT_ENABLED:
            return Status.NOT_ENABLED, ""
        if before is not Status.PASSED:
            return Status.NOT_POSSIBLE, f"{case.after} has not passed"
        return None, ""

    async def _seen(self, operation: str, asked: Asked) -> tuple[Seen, int]:
        """Make the call; return how it ended and how many requests were sent for it.

        Raises `LackingError` where it cannot be made.
        """
        events: list[Event] = []
        session = AgcodSession(
            self.settings,
            transport=self.transport,
            pacer=self.pacer,
            observers=(events.append,),
            policy=_REAL if asked.mock is None else _MOCKED,
            clock=self.clock,
        )
        async with session:
            call = CALLS[operation](session, asked, self.means)
            self._debts.sent(operation, asked)
            try:
                seen = seen_answer(await call)
            except AgcodError as error:
                seen = seen_error(error)
            self._debts.ended(operation, asked, seen)
        return seen, sum(isinstance(event, AttemptEnded) for event in events)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.clock.wall(), UTC)
