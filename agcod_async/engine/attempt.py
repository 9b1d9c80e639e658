"""One exchange, from signed bytes to an outcome. Whatever happens here becomes an outcome.

The time of an exchange is bounded here and nowhere else, in total and on the loop's clock: a
transport's own timeouts start anew with every read, and a reply that drips never trips them.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import TypeVar

from agcod_async.core.outcomes import Lost, Reason, Reply, Throttled, Unclear, Untouched
from agcod_async.engine.deadlines import Deadlines
from agcod_async.engine.server_time import ServerTime
from agcod_async.pacing.port import Permit
from agcod_async.providers.base import Message
from agcod_async.wire.port import Exchanged, Transport

OutcomeT = TypeVar("OutcomeT")
Headers = Mapping[str, str]

_log = logging.getLogger("agcod_async")


class Line:
    """The way to the provider."""

    __slots__ = ("attempt_timeout_seconds", "timeouts", "transport", "url")

    def __init__(self, *, url: str, transport: Transport, attempt_timeout_seconds: float) -> None:
        """Send with `transport` to `url`, and give each attempt so much time."""
        self.url = url
        self.transport = transport
        self.attempt_timeout_seconds = attempt_timeout_seconds
        self.timeouts = Deadlines[asyncio.Task[object]](attempt_timeout_seconds, _cut_short)
        """The tasks that are in an exchange. One whose time is over is cancelled."""


async def exchange(
    line: Line,
    message: Message[OutcomeT],
    headers: Headers,
    permit: Permit,
    server_time: ServerTime,
) -> OutcomeT | Untouched | Lost | Unclear:
    """Send `message` under `permit` and return what is known afterwards."""
    if permit.is_revoked:
        permit.unused()
        return Untouched(Reason("a throttle closed the gate before the request left"))
    permit.sending()
    sent_at = server_time.monotonic()
    try:
        exchanged = await _bounded(line, message, headers)
    except BaseException:
        permit.lost()
        raise
    if not isinstance(exchanged, Reply):
        if isinstance(exchanged, Untouched):
            permit.unused()
        else:
            permit.lost()
        return exchanged
    outcome = _understood(message, exchanged)
    permit.answered(throttled=isinstance(outcome, Throttled))
    server_time.heard(outcome, exchanged.date, sent_at=sent_at)
    return outcome


async def _bounded(line: Line, message: Message[OutcomeT], headers: Headers) -> Exchanged:
    """Send as `asyncio.timeout` would have it done, without a timer for each attempt.

    A cancellation may be the caller's, too, and even both in the same moment: only where the task
    is left with no more of them than it came with was it the timeout alone.
    """
    task, timeouts = asyncio.current_task(), line.timeouts
    if task is None:
        raise AssertionError("calls run in tasks")
    cancellations = task.cancelling()
    timeouts.begin(task)
    try:
        url = f"{line.url}/{message.operation}"
        return await line.transport.send(url, headers, message.body)
    except asyncio.CancelledError:
        if timeouts.has_expired(task) and task.cancelling() - 1 <= cancellations:
            return Lost(Reason(f"no reply within {line.attempt_timeout_seconds:g} s"))
        raise
    except Exception as error:  # noqa: BLE001  a transport that breaks its promise proves nothing
        name = type(error).__name__
        _log.warning("the transport raised %s instead of answering; taken as lost", name)
        return Lost(Reason(f"the transport failed with {name}"))
    finally:
        if timeouts.has_expired(task):
            task.uncancel()
        timeouts.end(task)


def _cut_short(task: asyncio.Task[object]) -> None:
    task.cancel()


def _understood(message: Message[OutcomeT], reply: Reply) -> OutcomeT | Unclear:
    try:
        return message.outcome(reply)
    except Exception as error:  # noqa: BLE001  its text may quote the reply, and so a claim code
        name = type(error).__name__
        _log.warning("the codec raised %s; the reply is taken as unclear", name)
        return Unclear(Reason(f"the reply could not be read ({name})"))
