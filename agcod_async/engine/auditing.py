"""Looking once more at every card that was handed out after an undo: it must still live.

The saga hands such a card out only when no undo can land any more. That rests on how long Amazon
takes a signature for valid, which Amazon documents nowhere for this service. So each of these
orders is looked at once, later than any tolerance that is known. What this finds is an alarm.

1. Nothing is sent under an ID that the journal does not prove to be confirmed. The engine checks
   that again when the call begins (`Call.audits`).
2. Nothing is ever undone: a confirmed card is only replayed, or looked up (rule R6 of the saga).
3. The alarm comes before the record of it. A crash in between repeats it, and loses nothing.
"""

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from agcod_async.core.facts import Proof
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.core.verdicts import Issued, Reversed
from agcod_async.engine import record
from agcod_async.engine.at_once import at_once
from agcod_async.engine.audience import Audience
from agcod_async.engine.reconciling import AT_ONCE, Workplace
from agcod_async.events import CardDiedAfterHandout
from agcod_async.journal.base import JournalError, StaleEntryError, Which
from agcod_async.journal.records import Entry
from agcod_async.providers.base import Intent
from agcod_async.values import RequestId

_log = logging.getLogger("agcod_async")

AUDIT_AFTER_SECONDS: Final = 16 * 60.0
"""How long after its last undo a card is looked at. Texts of AWS name five minutes, and for some
services fifteen, as the age at which a signed request is refused."""


class AuditResult(Enum):
    """What an audit has found."""

    LIVES = "lives"
    DIED = "died"
    """The card that was handed out is dead, though nobody here asked for that. An alarm."""
    UNDONE = "undone"
    """It is dead, or may be, because the caller has asked for that; nothing was sent."""
    NOT_DUE = "not_due"
    """An undo was sent too short a time ago; nothing was sent."""
    ONLY_BY_READING = "only_by_reading"
    """Too old to be sent again, or its request is not on record: the account's activity tells."""
    IN_DOUBT = "in_doubt"
    """No answer was to be had. The next audit asks again."""


@dataclass(frozen=True, slots=True)
class Audited:
    """One order whose card was handed out after an undo, and what has become of the card.

    `replaced_by` is Amazon's name of the card that lives under the ID now, where it is another.
    """

    request_id: str
    operation: str
    live_id: str
    gc_id: str | None
    result: AuditResult
    replaced_by: str | None = None


async def auditing(
    at: Workplace, policy: RecoveryPolicy, audience: Audience
) -> AsyncIterator[Audited]:
    """Look at every card that is due; iterate over what was found as it comes.

    Raises `JournalError` where the journal cannot be gone through.
    """
    auditor = _Auditor(at, policy, audience)
    async for audited in at_once(AT_ONCE, at.journal.entries(Which.UNAUDITED), auditor.audit):
        if audited is not None:
            yield audited


@dataclass(frozen=True, slots=True)
class _Auditor:
    at: Workplace
    policy: RecoveryPolicy
    audience: Audience

    async def audit(self, listed: Entry) -> Audited | None:
        """Look at one card; None if there is nothing to be said of it here."""
        try:
            entry = await self.at.journal.find(*listed.key)
            if entry is None or not entry.is_unaudited:
                return None
            operation = self.at.operation_of(entry)
            if operation is None:
                return None
            audited = await self._audited(entry, operation.rebind(entry.body))
            await self._conclude(audited)
        except Exception as error:  # noqa: BLE001  one bad entry must not cost the others' audits
            _log.warning("an audit failed with %s and is left for later", type(error).__name__)
            return _found(listed, AuditResult.IN_DOUBT)
        return audited

    async def _audited(self, entry: Entry, intent: Intent | None) -> Audited:
        now, last_undo_at = self.at.clock.wall(), entry.last_undo_at or 0.0
        asked = await self._asked_to_undo(entry, intent)
        if asked is not None:
            return _found(entry, asked)
        if entry.verdict == Reversed.__name__:  # a later call has seen it
            return _found(entry, AuditResult.DIED)
        if now < last_undo_at + max(AUDIT_AFTER_SECONDS, self.policy.late_horizon_seconds):
            return _found(entry, AuditResult.NOT_DUE)
        by_reading = intent is None or intent.proof is Proof.NOTHING
        if intent is None or by_reading or record.is_too_old(entry, self.policy, now):
            return _found(entry, AuditResult.ONLY_BY_READING)
        ended = await self.at.run(intent)
        if isinstance(ended.verdict, Reversed):
            return _found(entry, AuditResult.DIED)
        if not isinstance(ended.verdict, Issued) or ended.call.record is None:
            return _found(entry, AuditResult.IN_DOUBT)
        lives = ended.call.record.entry.gc_id
        if entry.gc_id is not None and lives is not None and lives != entry.gc_id:
            return _found(entry, AuditResult.DIED, replaced_by=lives)
        return _found(entry, AuditResult.LIVES)

    async def _asked_to_undo(self, entry: Entry, intent: Intent | None) -> AuditResult | None:
        """Return what to say where the caller itself has asked for the undo of this card."""
        undo = None if intent is None else intent.legs(RequestId(entry.live_id)).undo
        if undo is None:
            return None
        asked = await self.at.journal.find(undo.operation, entry.live_id)
        if asked is None or not (asked.is_open or asked.verdict == Issued.__name__):
            return None
        return AuditResult.IN_DOUBT if asked.is_open else AuditResult.UNDONE

    async def _conclude(self, audited: Audited) -> None:
        """Raise the alarm, then put on record that this audit has ended."""
        if audited.result is AuditResult.DIED:
            _log.error(
                "a card that was handed out has died: %s %s, gcId %s",
                audited.operation,
                audited.request_id,
                audited.gc_id,
            )
            self.audience.tell(
                CardDiedAfterHandout(
                    operation=audited.operation,
                    request_id=audited.request_id,
                    gc_id=audited.gc_id,
                    replaced_by=audited.replaced_by,
                )
            )
        if audited.result in (AuditResult.NOT_DUE, AuditResult.IN_DOUBT):
            return
        try:
            entry = await self.at.journal.find(audited.operation, audited.request_id)
            if entry is not None and entry.is_unaudited:
                await record.audited(self.at.journal, entry, now=self.at.clock.wall())
        except StaleEntryError:
            _log.info("an audited call has moved on and will be looked at once more")
        except JournalError as error:
            _log.warning("the journal failed, an audit will be made once more: %s", error)


def _found(entry: Entry, result: AuditResult, *, replaced_by: str | None = None) -> Audited:
    return Audited(
        entry.request_id, entry.operation, entry.live_id, entry.gc_id, result, replaced_by
    )
