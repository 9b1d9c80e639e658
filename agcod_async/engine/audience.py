"""Telling the observers. Whoever watches must not steer: what an observer raises is dropped."""

import logging
from collections.abc import Sequence

from agcod_async.clock import Clock
from agcod_async.core.outcomes import AttemptRecord, Outcome, reason_of
from agcod_async.core.verdicts import Verdict
from agcod_async.engine.call import Call
from agcod_async.events import AttemptEnded, CallEnded, Event, Observer

_log = logging.getLogger("agcod_async")


class Audience:
    """The observers of one session."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        """Tell `observers`, in this order."""
        self._observers = tuple(observers)

    def attempt_ended(self, call: Call, outcome: Outcome, seconds: float) -> None:
        """Add the attempt that `call` has just made to its history, and tell of it."""
        attempt = AttemptRecord(
            request_id=call.live_id or "",
            leg=call.state.leg,
            outcome=type(outcome).__name__,
            reason=reason_of(outcome),
            seconds=seconds,
        )
        call.attempts += (attempt,)
        if self._observers:
            self.tell(AttemptEnded(call.intent.operation, attempt))

    def call_ended(self, call: Call, verdict: Verdict, clock: Clock) -> None:
        """Tell of a verdict that has come now."""
        if not self._observers:
            return
        self.tell(
            CallEnded(
                operation=call.intent.operation,
                request_id=call.intent.request_id or "",
                verdict=type(verdict).__name__,
                attempts=len(call.attempts),
                seconds=clock.monotonic() - call.started_at,
            )
        )

    def tell(self, event: Event) -> None:
        """Hand `event` to every observer."""
        for observer in self._observers:
            try:
                observer(event)
            except Exception as error:  # noqa: BLE001  see the top of this file
                _log.warning("an observer raised %s", type(error).__name__)
