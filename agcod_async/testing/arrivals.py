"""What arrived at the emulator, and when: a bounded log and counters that stay exact."""

from collections import Counter, deque
from dataclasses import dataclass
from typing import Final

ARRIVALS_MAX: Final = 100_000
"""The log keeps this many of the latest arrivals, unless the configuration says otherwise."""

_REQUEST_ID_SHOWN_MAX = 64
_WINDOW_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request. `at` is in seconds since the emulator started.

    `result` is what it came to: "SUCCESS", an error such as "F200 CardNotFound", "throttled",
    "unauthenticated", "unusable" (no such operation, or a body that cannot be read), or None where
    a fault kept it from having an effect, or put that off. `fault` is the name of the fault.
    """

    at: float
    operation: str | None
    request_id: str | None
    result: str | None
    fault: str | None


@dataclass(frozen=True, slots=True)
class Busiest:
    """The second in which the most requests arrived: from `began_at` on, half open."""

    requests: int
    began_at: float | None


class Arrivals:
    """The log of arrivals, the oldest of which are forgotten, and counters of all of them."""

    def __init__(self, kept_max: int = ARRIVALS_MAX) -> None:
        """Begin empty."""
        self._latest: deque[Arrival] = deque(maxlen=kept_max)
        self._window: deque[float] = deque()
        self.busiest = Busiest(0, None)
        """The worst sliding second so far, over every request with a valid signature."""
        self.total = 0
        self.by_operation: Counter[str] = Counter()
        self.by_result: Counter[str] = Counter()
        self.by_fault: Counter[str] = Counter()

    @property
    def latest(self) -> tuple[Arrival, ...]:
        """The arrivals that are still in the log, oldest first."""
        return tuple(self._latest)

    @property
    def forgotten(self) -> int:
        """How many arrivals are no longer in the log."""
        return self.total - len(self._latest)

    def pass_gate(self, now: float) -> None:
        """Count an arrival towards the busiest second: it is about to be held against the cap."""
        window = self._window
        window.append(now)
        while now - window[0] >= _WINDOW_SECONDS:
            window.popleft()
        if len(window) > self.busiest.requests:
            self.busiest = Busiest(len(window), window[0])

    def add(
        self,
        now: float,
        operation: str | None,
        request_id: str | None,
        result: str | None,
        fault: str | None = None,
    ) -> None:
        """Enter one arrival."""
        shown = None if request_id is None else request_id[:_REQUEST_ID_SHOWN_MAX]
        self._latest.append(Arrival(now, operation, shown, result, fault))
        self.total += 1
        self.by_operation[operation or "unknown"] += 1
        self.by_result[result or "none"] += 1
        if fault is not None:
            self.by_fault[fault] += 1
