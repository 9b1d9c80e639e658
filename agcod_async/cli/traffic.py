"""What a batch cost on the wire, counted from the session's events.

Only orders under way are remembered, each with its latest outcome: memory does not grow with what
has ended.
"""

from dataclasses import dataclass, field
from typing import assert_never

from agcod_async.core.outcomes import Leg
from agcod_async.events import (
    AttemptEnded,
    CallEnded,
    CardDiedAfterHandout,
    Event,
    KeyAged,
    KeyRefused,
    SkewNoticed,
    SuccessorChosen,
)
from agcod_async.figures.latency import LatencyMeter

_UNANSWERED = ("Lost", "Untouched")
"""Outcomes of attempts whose time is not that of a reply."""


@dataclass(slots=True)
class Traffic:
    """Counts of attempts. Give `observe` to the session as an observer.

    `replays` counts requests that were sent again under the same ID, for whatever reason.
    `retries` counts all requests after the first one of a call, by the outcome of the one before.
    """

    requests: int = 0
    throttles: int = 0
    undos: int = 0
    replays: int = 0
    successors: int = 0
    retries: dict[str, int] = field(default_factory=dict[str, int])
    latency: LatencyMeter = field(default_factory=LatencyMeter)
    _sent: set[str] = field(default_factory=set[str])
    _latest: dict[str, str] = field(default_factory=dict[str, str])
    _order_of: dict[str, str] = field(default_factory=dict[str, str])
    _successor_of: dict[str, str] = field(default_factory=dict[str, str])

    def observe(self, event: Event) -> None:
        """Count one event."""
        match event:
            case AttemptEnded(attempt=attempt):
                self.requests += 1
                if attempt.outcome not in _UNANSWERED:
                    self.latency.count(attempt.seconds)
                self._add_cause(attempt.request_id, attempt.outcome)
                self.throttles += attempt.outcome == "Throttled"
                if attempt.leg is Leg.UNDO:
                    self.undos += 1
                elif attempt.request_id in self._sent:
                    self.replays += 1
                else:
                    self._sent.add(attempt.request_id)
            case SuccessorChosen(burnt_id, successor_id):
                self.successors += 1
                order_id = self._order_of.pop(burnt_id, burnt_id)
                self._order_of[successor_id] = order_id
                self._successor_of[order_id] = successor_id
                self._sent.discard(burnt_id)
                if burnt_id in self._latest:
                    self._latest[successor_id] = self._latest.pop(burnt_id)
            case CallEnded():
                self._forget(event.request_id)
            case SkewNoticed() | KeyRefused() | KeyAged() | CardDiedAfterHandout():
                pass  # no traffic; the log tells of them
            case _:
                assert_never(event)

    def _add_cause(self, live_id: str, outcome: str) -> None:
        before = self._latest.get(live_id)
        if before is not None:
            self.retries[before] = self.retries.get(before, 0) + 1
        self._latest[live_id] = outcome

    def _forget(self, order_id: str) -> None:
        live_id = self._successor_of.pop(order_id, order_id)
        self._order_of.pop(live_id, None)
        self._sent.discard(live_id)
        self._latest.pop(live_id, None)
