"""What a verdict means for the row of its order: where it goes, and what is kept of it."""

from typing import assert_never

from agcod_async.batch.job_rows import JobRow, Outcome, RowState
from agcod_async.batch.stop_line import documented, documented_class, stop_of
from agcod_async.batch.verdicts import Declined, InDoubt, Issued, Reversed, Unavailable, Verdict
from agcod_async.core.outcomes import Reason
from agcod_async.errors import AgcodError, IdempotencyConflictError, ReversedError, UsageError
from agcod_async.journal.records import Entry

_CONFLICT = "IdempotencyConflict"  # ours: Amazon's name, where it has one, is kept instead
_DEAD_ON_RECORD = Reason("the journal proves that nothing of it lives")


def following(row: JobRow, verdict: Verdict, *, is_fresh: bool) -> tuple[RowState, Outcome]:
    """Return where `row` goes. `is_fresh`: nothing can have come of it before this call.

    A row that was issued stays issued, whatever a later question for its code comes to, unless
    its card is proved dead.
    """
    if row.state is RowState.ISSUED and not isinstance(verdict, Issued | Reversed):
        return row.state, row.outcome
    match verdict:
        case Issued(card):
            return RowState.ISSUED, Outcome(live_request_id=str(card.request_id), gc_id=card.gc_id)
        case Declined(error) if was_not_called(error):
            return (RowState.PLANNED, Outcome()) if is_fresh else (row.state, row.outcome)
        case Declined(error) if goes_back(verdict):
            return RowState.PLANNED, Outcome()
        case Declined(error):
            return RowState.DECLINED, _kept(error)
        case Reversed(error):
            return RowState.REVERSED, _kept(error)
        case Unavailable():
            return RowState.PLANNED, Outcome()
        case InDoubt(error):
            kept = _kept(error)
            return RowState.IN_DOUBT, Outcome(
                error_code=kept.error_code,
                error_type=kept.error_type,
                not_before=error.not_before,
                next_safe_action=error.next_safe_action,
            )
        case _:
            assert_never(verdict)


def corrected(verdict: Verdict, entry: Entry | None) -> Verdict:
    """Return a verdict as the journal knows it: an order that is dead on record is in no doubt.

    Amazon's books may have proved it, or an earlier call has seen the card dead. After a day its ID
    is not sent again, so that nothing else would ever settle it. An attempt that could bring it
    back to life takes the proof off the record before it leaves.
    """
    if not isinstance(verdict, InDoubt) or entry is None or entry.verdict != Reversed.__name__:
        return verdict
    error = verdict.error
    dead = ReversedError(
        _DEAD_ON_RECORD,
        request_id=error.request_id,
        operation=error.operation,
        attempts=error.attempts,
    )
    return Reversed(dead)


def by_journal(entry: Entry | None, in_doubt: Outcome) -> tuple[RowState, Outcome]:
    """Return where an order goes whose call has ended in doubt: a card that is on record stands.

    Amazon's books may have proved it, or an earlier run had it and died: then only its code could
    not be read back.
    """
    if entry is None or entry.verdict != Issued.__name__:
        return RowState.IN_DOUBT, in_doubt
    return RowState.ISSUED, Outcome(live_request_id=entry.live_id, gc_id=entry.gc_id)


def goes_back(verdict: Verdict) -> bool:
    """Whether the order is taken again, because any other would have met the same."""
    return not isinstance(verdict, Issued | Reversed) and stop_of(verdict.error) is not None


def was_not_called(error: AgcodError) -> bool:
    """Whether the session took no call at all, such as one that is closed."""
    return isinstance(error, UsageError) and not isinstance(error, IdempotencyConflictError)


def _kept(error: AgcodError) -> Outcome:
    """Return what is kept of an error: what Amazon documents, and nothing that it has said."""
    name = documented(error)
    if name is None and isinstance(error, IdempotencyConflictError):
        name = _CONFLICT
    return Outcome(error_code=documented_class(error), error_type=name)
