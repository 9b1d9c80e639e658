"""What a batch cost on the wire, counted from the session's events."""

from dataclasses import dataclass, field
from typing import assert_never

from agcod_async.core.outcomes import Leg
from agcod_async.events import AttemptEnded, CallEnded, CardDiedAfterHandout, Event, SuccessorChosen


@dataclass(slots=True)
class Traffic:
    """Counts of attempts. Give `observe` to the session as an observer.

    `replays` counts requests that were sent again under the same ID, for whatever reason.
    """

    requests: int = 0
    throttles: int = 0
    undos: int = 0
    replays: int = 0
    successors: int = 0
    _sent: set[str] = field(default_factory=set[str])
    _order_of: dict[str, str] = field(default_factory=dict[str, str])
    _successor_of: dict[str, str] = field(default_factory=dict[str, str])

    def observe(self, event: Event) -> None:
        """Count one event."""
        match event:
            case AttemptEnded(attempt=attempt):
                self.requests += 1
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
            case CallEnded():
                self._forget(event.request_id)
            case CardDiedAfterHandout():
                pass  # no traffic
            case _:
                assert_never(event)

    def _forget(self, order_id: str) -> None:
        live_id = self._successor_of.pop(order_id, order_id)
        self._order_of.pop(live_id, None)
        self._sent.discard(live_id)
