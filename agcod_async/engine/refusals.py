"""What a caller is told when a call has not ended well: the exception of its verdict."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import assert_never

from agcod_async.core.facts import Proof
from agcod_async.core.verdicts import Declined, InDoubt, Reversed, Unavailable
from agcod_async.engine.call import Call
from agcod_async.engine.record import is_too_old
from agcod_async.errors import (
    AccountError,
    AgcodError,
    DeclinedError,
    IdempotencyConflictError,
    InDoubtError,
    NextSafeAction,
    ReversedError,
    UnavailableError,
)
from agcod_async.journal.records import Entry
from agcod_async.providers.base import Provider

BadVerdict = Declined | Unavailable | Reversed | InDoubt


def error_of(verdict: BadVerdict, call: Call, provider: Provider, *, now: float) -> AgcodError:
    """Return the exception for `verdict`; `now` is UTC seconds since 1970."""
    error = _kind(verdict, provider.declined_errors)(
        verdict.reason,
        request_id=call.intent.request_id,
        operation=call.intent.operation,
        attempts=call.attempts,
    )
    if isinstance(error, AccountError):
        error.contact = provider.contact(error.reason)
    if isinstance(error, UnavailableError):
        error.retry_after_seconds = call.retry_after_seconds
    if isinstance(error, InDoubtError) and call.record is not None:
        error.not_before = _not_before(call, call.record.entry, now)
        error.next_safe_action = _next_safe_action(call, call.record.entry, now)
    return error


def _kind(
    verdict: BadVerdict, declined_errors: Mapping[str, type[DeclinedError]]
) -> type[AgcodError]:
    match verdict:
        case Declined(conflict=True):
            return IdempotencyConflictError
        case Declined(reason):
            return declined_errors.get(reason.code or "", DeclinedError)
        case Unavailable():
            return UnavailableError
        case Reversed():
            return ReversedError
        case InDoubt():
            return InDoubtError
        case _:
            assert_never(verdict)


def _not_before(call: Call, entry: Entry, now: float) -> datetime | None:
    """Return when nothing can land any more that a SETTLE waits for, if one is to come."""
    facts, replay_proves = entry.facts, call.intent.proof is Proof.REPLAY
    settles = facts.tainted or (facts.undone and not replay_proves and not facts.confirmed)
    if not settles or entry.effects_until is None or entry.effects_until <= now:
        return None
    return datetime.fromtimestamp(entry.effects_until, UTC)


def _next_safe_action(call: Call, entry: Entry, now: float) -> NextSafeAction:
    if is_too_old(entry, call.policy, now):
        return "activity_page"
    return "replay_same_id" if _not_before(call, entry, now) is None else "wait_until"
