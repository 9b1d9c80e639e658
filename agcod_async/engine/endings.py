"""How a call ends that makes no further attempt: the reason, and the verdict where none is left."""

from dataclasses import replace

from agcod_async.core.outcomes import Reason
from agcod_async.core.saga import State
from agcod_async.core.verdicts import InDoubt, Verdict
from agcod_async.engine.call import Call
from agcod_async.journal.base import JournalError, StaleEntryError


def unrecorded(reason: Reason, state: State, error: JournalError) -> Verdict:
    """Return the verdict of a call that could not be put on record before it left `state`."""
    if isinstance(error, StaleEntryError):
        return InDoubt(reason)  # somebody else goes on with it, and may have sent it
    return state.out_of_time(reason)


def no_time(call: Call) -> Reason:
    """Return why a call ends whose next pause would outlast it."""
    last = call.attempts[-1].reason if call.attempts else None
    if last is None:
        return Reason("no time is left for another attempt")
    return replace(last, message=f"no time is left for another attempt after: {last.message}")
