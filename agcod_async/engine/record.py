"""What is put on record of a call, and when: the only writer of the journal.

Two writes frame every attempt: `sending` before the first byte leaves, with the pessimistic facts
and the signing time, and `answered` when the outcome is known. A process that dies in between
leaves exactly what it may claim to know.
"""

import dataclasses

from agcod_async.core.facts import Facts
from agcod_async.core.outcomes import Applied, Found, Leg, Outcome, Reason, reason_of
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.core.resumption import on_record
from agcod_async.core.saga import State
from agcod_async.core.verdicts import InDoubt, Issued, Reversed, Verdict
from agcod_async.errors import IdempotencyConflictError
from agcod_async.journal.base import Journal
from agcod_async.journal.records import Entry, replace
from agcod_async.providers.base import Intent
from agcod_async.values import RequestId

_NAMED = Applied | Found
"""The outcomes that may carry the provider's own name of the card."""


class Record:
    """The journal entry of one running call. Each method raises what the journal raises."""

    def __init__(self, journal: Journal, entry: Entry, live_id: RequestId) -> None:
        """Continue `entry` under the ID that it names as the live one."""
        self._journal = journal
        self.entry = entry
        self.live_id = live_id
        """The ID in use: the caller's own, or the successor that took over."""

    @classmethod
    async def open(
        cls, journal: Journal, intent: Intent, *, partner_id: str, now: float
    ) -> "Record":
        """Put `intent` on record, or find what is on record about it already.

        Raises `IdempotencyConflictError` if that is something else under the same ID.
        """
        if intent.request_id is None:
            raise AssertionError(f"{intent.operation} has no request ID to be recorded under")
        entry = await journal.open(
            Entry(
                request_id=str(intent.request_id),
                partner_id=partner_id,
                operation=intent.operation,
                amount="" if intent.amount is None else str(intent.amount),
                body=intent.body,
                created_at=now,
                live_id=str(intent.request_id),
                updated_at=now,
            )
        )
        if entry.body != intent.body:
            raise IdempotencyConflictError(
                Reason("another order is on record under this request ID: use a new one"),
                request_id=entry.request_id,
                operation=entry.operation,
            )
        is_own = entry.live_id == intent.request_id
        return cls(journal, entry, intent.request_id if is_own else RequestId(entry.live_id))

    async def sending(self, state: State, *, now: float, effects_until: float) -> None:
        """Put on record that an attempt leaves now, able to have an effect `effects_until`.

        `now` is our wall clock, for people and for the undo's window; `effects_until` holds on any
        clock that may be asked. A lookup has no effect: it is on record as the leg to go on with,
        and moves no time.
        """
        entry = self.entry
        has_effect = state.leg is not Leg.LOOKUP
        # What cannot have worked starts no window and no horizon.
        may_have_worked = entry.facts.doubtful or entry.facts.confirmed
        first_sent_at = entry.first_sent_at if may_have_worked else now
        self.entry = await self._journal.advance(
            replace(
                entry,
                leg=state.leg,
                facts=state.facts_when_sent,
                sends=entry.sends + (state.leg is Leg.FORWARD),
                first_sent_at=first_sent_at,
                last_sent_at=now if has_effect else entry.last_sent_at,
                last_undo_at=now if state.leg is Leg.UNDO else entry.last_undo_at,
                effects_until=max(entry.effects_until or 0.0, effects_until)
                if state.proof.outwaits(state.leg)
                else entry.effects_until,
                # A confirmed call stays closed while its code is read back.
                verdict=entry.verdict if entry.facts.confirmed else "",
                updated_at=now,
            )
        )

    async def answered(
        self, state: State, outcome: Outcome, following: State | Verdict, *, now: float
    ) -> None:
        """Put on record what the outcome of the attempt from `state` leads to."""
        entry, reason = self.entry, reason_of(outcome)
        leg, facts, verdict = _standing(entry, state, following)
        told = replace(
            entry,
            leg=leg,
            facts=facts,
            verdict=verdict,
            code=None if reason is None else reason.code,
            error_type=None if reason is None else reason.error_type,
            gc_id=outcome.reference if isinstance(outcome, _NAMED) else entry.gc_id,
            updated_at=now,
        )
        if facts.epoch != entry.facts.epoch:
            told = _under_successor(told)
        self.entry = await self._journal.advance(told)
        if self.entry.live_id != self.live_id:
            self.live_id = RequestId(self.entry.live_id)

    async def given_up(self, state: State, verdict: Verdict, *, now: float) -> None:
        """Put on record that the call ends without another attempt from `state`."""
        if isinstance(verdict, InDoubt):
            return  # it stays open, as it stands
        told = replace(
            self.entry, leg=Leg.FORWARD, facts=state.facts, verdict=_name(verdict), updated_at=now
        )
        self.entry = await self._journal.advance(told)


async def audited(journal: Journal, entry: Entry, *, now: float) -> Entry:
    """Put on record that the card of `entry` has been looked at. Raises what the journal raises."""
    return await journal.advance(replace(entry, audited_at=now))


async def proved(
    journal: Journal, entry: Entry, verdict: Verdict, *, gc_id: str | None, now: float
) -> Entry:
    """Close an entry in doubt with what the provider's own books have proved of it.

    After `Issued` its card counts as confirmed. After anything else nothing of it can have worked,
    and the ID is as good as new, unless it was undone. Raises what the journal raises.
    """
    facts = dataclasses.replace(
        entry.facts,
        doubtful=isinstance(verdict, Issued | Reversed),
        tainted=False,
        confirmed=isinstance(verdict, Issued),
    )
    closed = replace(
        entry,
        leg=Leg.FORWARD,
        facts=facts,
        gc_id=gc_id or entry.gc_id,
        verdict=_name(verdict),
        updated_at=now,
    )
    return await journal.advance(closed)


def _standing(entry: Entry, state: State, following: State | Verdict) -> tuple[Leg, Facts, str]:
    """Return the leg to go on with, the facts and the verdict, as they are after an attempt."""
    if isinstance(following, State):
        return following.leg, following.facts, entry.verdict
    in_doubt = isinstance(following, InDoubt)
    leg = state.leg if in_doubt else Leg.FORWARD
    verdict = entry.verdict if in_doubt else _name(following)
    return leg, on_record(state, following), verdict


def _under_successor(entry: Entry) -> Entry:
    root = RequestId(entry.request_id)
    return replace(
        entry,
        live_id=str(root.successor(entry.partner_id, entry.facts.epoch)),
        sends=0,
        first_sent_at=None,
        last_sent_at=None,
        effects_until=None,
        gc_id=None,
    )


def _name(verdict: Verdict) -> str:
    return type(verdict).__name__


def is_too_old(entry: Entry, policy: RecoveryPolicy, now: float) -> bool:
    """Whether the ID in use was first sent so long ago that it must not be sent again."""
    first_sent_at = entry.first_sent_at
    return first_sent_at is not None and now - first_sent_at > policy.replay_horizon_seconds
