"""The loop over the attempts of one call. It does what the state asks for and decides nothing.

The first attempt runs without any retry machinery; only a call whose first attempt did not settle
it enters tenacity, with a fresh object each time: a shared one keeps its state per thread and
would mix up the tasks. tenacity forgets result types, so what it returns is checked again.
"""

import asyncio
import copy
import logging
from collections.abc import Sequence
from typing import TypeVar, assert_never

from tenacity import AsyncRetrying, RetryCallState, retry_if_result

from agcod_async.clock import Clock
from agcod_async.core.budget import RetryBudget
from agcod_async.core.delays import backoff_seconds
from agcod_async.core.facts import Pause, Proof
from agcod_async.core.outcomes import (
    Leg,
    Lost,
    Outcome,
    Reason,
    TooLate,
    Unclear,
    Untouched,
    as_read,
)
from agcod_async.core.resumption import resume, sending, unmade
from agcod_async.core.saga import Forward, Lookup, State, Undo
from agcod_async.core.verdicts import Declined, InDoubt, Issued, Verdict
from agcod_async.engine.attempt import Headers, Line, exchange
from agcod_async.engine.audience import Audience
from agcod_async.engine.call import Call, Ended
from agcod_async.engine.endings import no_time, unrecorded
from agcod_async.engine.keyring import Key, Keyring
from agcod_async.engine.record import Record
from agcod_async.engine.server_time import ServerTime, Stamp
from agcod_async.events import Observer, SuccessorChosen
from agcod_async.journal.base import Journal, JournalError
from agcod_async.pacing.port import NotInTimeError, Pacer, Permit
from agcod_async.providers.base import Message
from agcod_async.values import Credentials

OutcomeT = TypeVar("OutcomeT")

_log = logging.getLogger("agcod_async")
_SETTLED = Issued | Declined
_WINDOW_OVER = TooLate(Reason("the time in which it can be undone has passed"))


class Runner:
    """Runs calls. One for each session; `run` may be called by any number of tasks at once."""

    def __init__(
        self,
        *,
        line: Line,
        keys: Keyring,
        pacer: Pacer,
        journal: Journal,
        partner_id: str,
        clock: Clock,
        observers: Sequence[Observer],
    ) -> None:
        """Send along `line`, as fast as `pacer` lets it, and nothing that is not in `journal`."""
        self._line = line
        self._keys = keys
        self._journal = journal
        self._partner_id = partner_id
        self._pacer = pacer
        self._clock = clock
        self._audience = Audience(observers)
        self.time = ServerTime(clock, self._audience.tell)
        self._budget = RetryBudget()

    def signing_with(self, key: Credentials) -> "Runner":
        """Return a runner that shares everything with this one, but signs with `key` alone."""
        other = copy.copy(self)
        other._keys = self._keys.with_only(key)  # noqa: SLF001  own
        return other

    async def run(self, call: Call) -> Ended:
        """Bring `call` to its verdict. Cancel it only while it is not `exchanging`.

        Raises `IdempotencyConflictError` if something else is on record under its ID.
        """
        try:
            following = await self._begin(call) or await self._turn(call)
            verdict = await self._repeat(call) if isinstance(following, State) else following
        except asyncio.CancelledError:
            if not call.exchanging:  # else the record says already what may have happened
                await self._give_up(call, Reason("nobody waits for it any more"))
            raise
        if isinstance(verdict, _SETTLED):
            self._budget = self._budget.refund(retried=call.tries > 1)
        self._audience.call_ended(call, verdict, self._clock)
        return Ended(verdict, call)

    async def _begin(self, call: Call) -> Verdict | None:
        """Open the record of `call` and go on from there; return a verdict if it must not."""
        if call.intent.read_only:
            return None
        now = self._clock.wall()
        try:
            call.record = await Record.open(
                self._journal, call.intent, partner_id=self._partner_id, now=now
            )
        except JournalError as error:
            # Not Unavailable: an earlier call under this ID may be on a record that cannot be read.
            return InDoubt(Reason(f"nothing was sent, the journal failed: {error}"))
        entry = call.record.entry
        call.state = resume(entry.leg, entry.facts, call.intent.proof)
        call.was_confirmed = entry.facts.confirmed
        if call.audits:
            if not entry.facts.confirmed:
                return InDoubt(Reason("no card is on record as confirmed under this ID"))
            if call.intent.proof is Proof.LOOKUP:  # its replay may repeat the first answer
                call.state = Lookup(entry.facts, settled=True)
        return None

    async def _repeat(self, call: Call) -> Verdict:
        """Pause and try again until there is a verdict, or no time for another attempt."""
        already_made = True

        async def turn() -> State | Verdict:
            # tenacity wants to make the first attempt itself. It has been made: its result is
            # what tenacity sees first, and the pause after it comes before the next attempt.
            nonlocal already_made
            if already_made:
                already_made = False
                return call.state
            return await self._turn(call)

        retrying = AsyncRetrying(
            retry=retry_if_result(_is_open),
            wait=lambda _: self._pause_seconds(call),
            stop=lambda attempt: self._must_stop(call, attempt),
            sleep=asyncio.sleep,
            retry_error_callback=_last_result,
        )
        following: object = await retrying(turn)
        if isinstance(following, Verdict):
            return following
        return await self._give_up(call, no_time(call))

    async def _turn(self, call: Call) -> State | Verdict:
        """Make one attempt from the state of `call`, with a record on both sides of it."""
        state = call.state
        if not (self._keys.may_sign or await self._keys.ready(call)):
            return await self._give_up(call, self._keys.why_none)
        if state.pause is Pause.SETTLE and self._pause_seconds(call) > 0:
            return state  # it lasts longer by what was learnt of the clocks while it was waited for
        now = self._clock.wall()
        if call.is_too_old(now):
            return InDoubt(Reason("the request ID is too old to be sent again"))
        if isinstance(state, Undo) and call.undo_is_late(now):
            return await self._concluded(call, _WINDOW_OVER, state.next(_WINDOW_OVER, call.policy))
        try:
            permit = await self._pacer.admit(
                call.next_lane, call.next_operation, within_seconds=self._remaining(call)
            )
        except NotInTimeError as error:
            call.retry_after_seconds = error.wait_seconds
            return await self._give_up(call, Reason(str(error)))
        stamp = self.time.now()
        if not call.intent.read_only and (refusal := stamp.refusal) is not None:
            permit.unused()
            return await self._give_up(call, refusal)
        key = None if call.is_too_old(stamp.wall) else self._keys.take()
        if key is None:  # refused, or too old by now, while the permit was awaited
            permit.unused()
            return state
        call.exchanging = True
        try:
            following = await self._attempt(call, permit, key, stamp)
        except JournalError as error:
            reason = Reason(f"nothing was sent, the journal failed: {error}")
            following = unrecorded(reason, call.state, error)
        call.exchanging = False
        return following

    async def _attempt(self, call: Call, permit: Permit, key: Key, stamp: Stamp) -> State | Verdict:
        """Make the attempt that the state asks for; raises `JournalError` if nothing was sent."""
        state = call.state
        outcome: Outcome
        match state:
            case Forward():
                answer = await self._exchange(call, call.legs.forward, permit, key, stamp)
                forward = as_read(answer) if call.intent.read_only else answer
                outcome, following = forward, state.next(forward, call.policy)
            case Undo():
                undone = await self._exchange(call, call.undo, permit, key, stamp)
                outcome, following = undone, state.next(undone, call.policy)
            case Lookup():
                found = await self._exchange(call, call.lookup, permit, key, stamp)
                outcome, following = found, state.next(found, call.policy)
            case _:
                assert_never(state)
        refusal = self._keys.learn(key, stamp.monotonic, outcome)
        if refusal is not None:
            call.keys_refused += 1
            outcome, following = Untouched(refusal), unmade(state, call.policy)
        self._audience.attempt_ended(call, outcome, self._clock.monotonic() - stamp.monotonic)
        return await self._concluded(call, outcome, following)

    async def _exchange(
        self, call: Call, message: Message[OutcomeT], permit: Permit, key: Key, stamp: Stamp
    ) -> OutcomeT | Untouched | Lost | Unclear:
        try:
            headers = await self._on_record(call, message, key, stamp)
        except BaseException:
            permit.unused()
            raise
        outcome = await exchange(self._line, message, headers, permit, self.time)
        return self.time.mended(outcome, stamp, call.policy)

    async def _on_record(
        self, call: Call, message: Message[object], key: Key, stamp: Stamp
    ) -> Headers:
        """Sign `message`, put on record that it leaves, and return its headers.

        Signed first: the time in the signature bounds how late it can have an effect, and must be
        on record before the request leaves.
        """
        state, now = call.state, stamp.wall
        headers = key.sign(message.operation, message.body, stamp.signed_at)
        horizon = stamp.lead_seconds + call.policy.late_horizon_seconds
        if state.proof.outwaits(state.leg):
            call.settled_at = stamp.monotonic + horizon
        if state.leg is not Leg.UNDO and call.tries:
            self._budget = self._budget.spend()
        if call.record is not None:
            await call.record.sending(state, now=now, effects_until=now + horizon)
        return headers

    async def _concluded(
        self, call: Call, outcome: Outcome, following: State | Verdict
    ) -> State | Verdict:
        """Put on record what follows from `outcome`, and go there."""
        state, record = call.state, call.record
        if record is not None:
            live_id = record.live_id
            try:
                await record.answered(state, outcome, following, now=self._clock.wall())
            except JournalError as error:
                # The answer is known but not on record: no card may be handed out on it.
                return sending(state).out_of_time(Reason(f"the journal failed: {error}"))
            if record.live_id != live_id:
                self._audience.tell(SuccessorChosen(live_id, record.live_id))
        if isinstance(following, State):
            call.state = following
        return following

    async def _give_up(self, call: Call, reason: Reason) -> Verdict:
        """End the call without another attempt."""
        verdict = call.state.out_of_time(reason)
        if call.record is not None:
            try:
                await call.record.given_up(call.state, verdict, now=self._clock.wall())
            except JournalError as error:
                _log.warning("the journal failed when a call was given up: %s", error)
                return unrecorded(reason, call.state, error)
        return verdict

    # --- time ------------------------------------------------------------------------------

    def _remaining(self, call: Call) -> float:
        return max(0.0, call.deadline_at - self._clock.monotonic())

    def _must_stop(self, call: Call, attempt: RetryCallState) -> bool:
        return call.abandoned or attempt.upcoming_sleep > self._remaining(call)

    def _pause_seconds(self, call: Call) -> float:
        state, policy = call.state, call.policy
        match state.pause:
            case Pause.NONE:
                return 0.0
            case Pause.BACKOFF:
                if self._budget.is_dry and state.leg is not Leg.UNDO:
                    return policy.backoff_max_seconds
                return backoff_seconds(policy, max(state.attempts, 1), self._clock.chance())
            case Pause.COOLDOWN:
                return policy.cooldown_floor_seconds  # the pacer's gate may hold it for longer
            case Pause.SETTLE:
                recorded = None if call.record is None else call.record.entry.effects_until
                return self.time.settle_seconds(call.settled_at, recorded or 0.0)
            case _:
                assert_never(state.pause)


def _last_result(attempt: RetryCallState) -> object:
    return None if attempt.outcome is None else attempt.outcome.result()


def _is_open(following: object) -> bool:
    return isinstance(following, State)
