"""Finishing what a crash or a caller that has gone left open in the journal: forward, and bounded.

Nothing is started here: an entry that cannot have worked is closed without sending, and one that
is too old to be sent again stays open until the provider's books are read.
"""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from agcod_async.clock import Clock
from agcod_async.core.outcomes import Reason
from agcod_async.core.saga import Forward
from agcod_async.core.verdicts import Issued, Unavailable
from agcod_async.engine.at_once import at_once
from agcod_async.engine.call import Call, Ended
from agcod_async.engine.inflight import Inflight
from agcod_async.engine.record import Record
from agcod_async.engine.refusals import BadVerdict
from agcod_async.errors import AgcodError, InDoubtError
from agcod_async.journal.base import Journal, JournalError, Which
from agcod_async.journal.records import Entry
from agcod_async.providers.base import Intent, Provider, Rebindable
from agcod_async.values import RequestId

_log = logging.getLogger("agcod_async")

AT_ONCE: Final = 64
"""How many calls are brought to their end at a time; the pacer keeps the account's rate."""

_NOTHING_CAME_OF_IT = Reason("nothing that was sent of it can have worked")
_NEEDS_ARGUMENTS = Reason("its recipient is not on record: call again with the same arguments")


@dataclass(frozen=True, slots=True)
class Reconciled:
    """How one call that was left open has ended: with an answer, or with the error to show."""

    request_id: str
    operation: str
    answer: object | None
    error: AgcodError | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """What of a session is needed to go through its journal.

    `run` brings an intent to its end in the session's name, and `error` says what a bad end means.
    """

    journal: Journal
    provider: Provider
    partner_id: str
    clock: Clock
    inflight: Inflight
    run: Callable[[Intent], Awaitable[Ended]]
    error: Callable[[BadVerdict, Call], AgcodError]

    def operation_of(self, entry: Entry) -> Rebindable | None:
        """Return the operation of an entry that may be worked at: ours, known, and not running."""
        if entry.partner_id != self.partner_id or self.inflight.runs(entry.request_id):
            return None
        return self.provider.operations.get(entry.operation)


async def reconciling(at: Workplace) -> AsyncIterator[Reconciled]:
    """Bring what is open in the journal to its end; iterate over the ends as they come.

    Raises `JournalError` where the journal cannot be gone through.
    """

    async def finish(entry: Entry) -> Reconciled | None:
        return await _finish(at, entry)

    async for ended in at_once(AT_ONCE, at.journal.entries(Which.OPEN), finish):
        if ended is not None:
            yield ended


async def _finish(at: Workplace, left: Entry) -> Reconciled | None:
    request_id, name = left.request_id, left.operation
    try:
        # A caller may have finished it meanwhile; then nobody asks for it any more.
        entry = await at.journal.find(name, request_id)
        operation = None if entry is None else at.operation_of(entry)
        if entry is None or operation is None or not entry.is_open:
            return None
        if not (entry.facts.doubtful or entry.facts.epoch):
            await _close_unsent(at, entry)
            return None
        intent = operation.rebind(entry.body)
        if intent is None:
            unknown = InDoubtError(_NEEDS_ARGUMENTS, request_id=request_id, operation=name)
            return Reconciled(request_id, name, None, unknown)
        ended = await at.run(intent)
    except AgcodError as error:
        return Reconciled(request_id, name, None, error)
    except Exception as error:  # noqa: BLE001  one bad entry must not cost the others' answers
        reason = Reason(f"the SDK failed with {type(error).__name__}")
        in_doubt = InDoubtError(reason, request_id=request_id, operation=name)
        return Reconciled(request_id, name, None, in_doubt)
    verdict = ended.verdict
    if isinstance(verdict, Issued):
        return Reconciled(request_id, name, verdict.answer, None)
    return Reconciled(request_id, name, None, at.error(verdict, ended.call))


async def _close_unsent(at: Workplace, entry: Entry) -> None:
    try:
        record = Record(at.journal, entry, RequestId(entry.live_id))
        nothing = Unavailable(_NOTHING_CAME_OF_IT)
        await record.given_up(Forward(entry.facts), nothing, now=at.clock.wall())
    except JournalError as error:
        _log.warning("the journal failed, a call that was not sent stays open: %s", error)
