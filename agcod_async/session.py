"""One session with one provider: wiring, lifecycle, `call()` and `reconcile()`.

A session owns what its calls share: the way to the provider, the pacer, the journal and the tasks
in which calls run. It knows no operation; the facades do.
"""

import copy
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar

from agcod_async.clock import Clock
from agcod_async.core.outcomes import Reason
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.core.verdicts import Issued
from agcod_async.engine.attempt import Line
from agcod_async.engine.audience import Audience
from agcod_async.engine.auditing import Audited, auditing
from agcod_async.engine.call import Call, Ended
from agcod_async.engine.inflight import Inflight, Running
from agcod_async.engine.options import Options
from agcod_async.engine.reconciling import Reconciled, Workplace, reconciling
from agcod_async.engine.refusals import BadVerdict, error_of
from agcod_async.engine.runner import Runner
from agcod_async.engine.wiring import keyring, local_pacer
from agcod_async.errors import AgcodError
from agcod_async.events import Observer
from agcod_async.journal.base import Journal
from agcod_async.journal.memory import MemoryJournal
from agcod_async.pacing.port import Lane, Pacer
from agcod_async.providers.base import Intent, Operation, Provider
from agcod_async.settings import Settings
from agcod_async.values import Credentials
from agcod_async.wire.port import Transport
from agcod_async.wire.usual import usual_transport

RequestT = TypeVar("RequestT")
AnswerT = TypeVar("AnswerT")


@dataclass(frozen=True, slots=True)
class Done(Generic[AnswerT]):
    """The answer of a call. `replayed` tells that another call has been given it too."""

    answer: AnswerT
    attempts: int
    replayed: bool


class _Closable(Protocol):
    async def aclose(self) -> None: ...


OwnedT = TypeVar("OwnedT", bound=_Closable)


class Session:
    """The calls to one provider under one partner account."""

    def __init__(
        self,
        provider: Provider,
        settings: Settings,
        *,
        transport: Transport | None = None,
        journal: Journal | None = None,
        pacer: Pacer | None = None,
        observers: Sequence[Observer] = (),
        policy: RecoveryPolicy = RecoveryPolicy(),  # noqa: B008  immutable
        clock: Clock = Clock(),  # noqa: B008  immutable
    ) -> None:
        """Wire a session. What is not given is made here, and closed with the session."""
        self.settings = settings
        self._provider = provider
        self._clock = clock
        self._options = Options(Lane.INTERACTIVE, settings.deadline_seconds, policy)
        self._own = AsyncExitStack()
        self._journal: Journal = self._owned(MemoryJournal()) if journal is None else journal
        self._inflight = Inflight()
        self._audience = Audience(observers)
        self._keys = keyring(provider, settings, clock, observers)
        self._runner = Runner(
            line=Line(
                url=settings.url,
                transport=self._owned(usual_transport()) if transport is None else transport,
                attempt_timeout_seconds=settings.attempt_timeout_seconds,
            ),
            keys=self._keys,
            pacer=self._owned(local_pacer(provider, settings, policy, clock))
            if pacer is None
            else pacer,
            journal=self._journal,
            partner_id=settings.partner_id,
            clock=clock,
            observers=observers,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    def with_options(
        self,
        *,
        lane: Lane | None = None,
        deadline_seconds: float | None = None,
        policy: RecoveryPolicy | None = None,
    ) -> Self:
        """Return a view of this session with other defaults. It shares everything else.

        Closing either closes both. The cooldown after a throttle belongs to the session and
        keeps the policy that the session was made with.
        """
        view = copy.copy(self)
        view._options = self._options.merged(lane, deadline_seconds, policy)  # noqa: SLF001  own
        return view

    @property
    def held_up(self) -> Reason | None:
        """Why all calls wait for an access key, and whom to ask; None while one is accepted.

        Only where a provider of credentials could supply another one do they wait.
        """
        return self._keys.held_up

    async def call(
        self,
        operation: Operation[RequestT, AnswerT],
        request: RequestT,
        *,
        lane: Lane | None = None,
        deadline_seconds: float | None = None,
        policy: RecoveryPolicy | None = None,
    ) -> Done[AnswerT]:
        """Bring one caller intent to its end.

        `deadline_seconds` bounds all of it: queueing, attempts, pauses and undos. Cancelling the
        caller only stops the waiting: what is under way is finished and recorded. Raises the
        exceptions of `agcod_async.errors`.
        """
        options = self._options.merged(lane, deadline_seconds, policy)
        running, joined = self._start(operation.bind(request), options)
        ended = await self._inflight.wait(running, options.deadline_seconds)
        verdict = ended.verdict
        if not isinstance(verdict, Issued):
            raise self._error(verdict, ended.call)
        # The core and tenacity know no types: what comes out is checked once more.
        if not isinstance(verdict.answer, operation.answer_type):
            raise TypeError(f"{operation.name} was answered by {type(verdict.answer).__name__}")
        replayed = joined or ended.call.was_confirmed
        return Done(verdict.answer, len(ended.call.attempts), replayed)

    async def reconcile(self, *, deadline_seconds: float | None = None) -> list[Reconciled]:
        """Finish what a crash or a caller that has gone left open; the oldest begin first.

        A call that cannot have worked yet is closed without sending: nobody waits for it. The
        others go forward under the same ID in the recovery lane, each with `deadline_seconds` of
        its own. What is still in doubt stays open, and so does a call whose recipient is not on
        record. What runs now, is another partner's or of an unknown operation is left alone.
        """
        found = self.reconciling(deadline_seconds=deadline_seconds)
        return [reconciled async for reconciled in found]

    def reconciling(self, *, deadline_seconds: float | None = None) -> AsyncIterator[Reconciled]:
        """Do as `reconcile` does, and iterate over the ends as they come, in flat memory."""
        options = self._options.merged(Lane.RECOVERY, deadline_seconds, None)
        return reconciling(self._workplace(options))

    def audit(self, *, deadline_seconds: float | None = None) -> AsyncIterator[Audited]:
        """Look once more at each card that was handed out after an undo; iterate over the results.

        It is due 16 minutes after the last undo, when none can land any more, and done once. A
        card that has died is an alarm: a `CardDiedAfterHandout` for the observers, and an error
        in the log. Nothing is undone, and nothing sent that is not on record as confirmed.
        """
        options = self._options.merged(Lane.PROBE, deadline_seconds, None)
        return auditing(self._workplace(options, audits=True), options.policy, self._audience)

    async def aclose(self, *, drain_seconds: float = 30.0) -> None:
        """Take no more calls, wait up to `drain_seconds` for those that run, and close.

        A call that has not ended by then stops after the exchange that is under way, if any; what
        is not known of it stays open in the journal. Only what the session made itself is closed.
        """
        self._inflight.close()
        await self._inflight.drain(drain_seconds)
        await self._own.aclose()

    def _workplace(self, options: Options, *, audits: bool = False) -> Workplace:
        async def run(intent: Intent) -> Ended:
            running, _ = self._start(intent, options, audits=audits)
            return await self._inflight.wait(running, options.deadline_seconds)

        return Workplace(
            journal=self._journal,
            provider=self._provider,
            partner_id=self.settings.partner_id,
            clock=self._clock,
            inflight=self._inflight,
            run=run,
            error=self._error,
        )

    def _start(
        self, intent: Intent, options: Options, *, audits: bool = False
    ) -> tuple[Running, bool]:
        """Start a call for `intent`, or join the one that runs for it already; tell which."""
        joined = running = self._inflight.join(intent)
        now = self._clock.monotonic()
        if running is not None:
            running.call.joined(options.lane, now + options.deadline_seconds)
        else:
            call = Call(
                intent=self._provider.written(intent),
                policy=options.policy,
                lane=options.lane,
                started_at=now,
                deadline_at=now + options.deadline_seconds,
                audits=audits,
            )
            running = self._inflight.start(call, self._runner.run)
        return running, joined is not None

    def _error(self, verdict: BadVerdict, call: Call) -> AgcodError:
        return error_of(verdict, call, self._provider, now=self._clock.wall())

    def _signing_with(self, key: Credentials) -> Self:
        """Return a view of this session whose reads are signed with `key` alone.

        What Amazon says of the key is the verdict of the call; this session learns nothing of it.
        """
        view = copy.copy(self)
        view._runner = self._runner.signing_with(key)  # noqa: SLF001  own
        return view

    def _owned(self, made: OwnedT) -> OwnedT:
        self._own.push_async_callback(made.aclose)
        return made
