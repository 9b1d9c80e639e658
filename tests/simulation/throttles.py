"""I7: what a throttle must lead to, stated once more and apart from the pacer's own gate.

After a throttle nobody sends before the floor, which doubles in a row of throttles; then one probe
goes, and nothing else before it is answered; then a quarter of the rate, and a half.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from agcod_async.core.policy import RecoveryPolicy

ROUNDING_SECONDS = 1e-3
SHARES = (0.25, 0.5)
"""What may leave after a probe has come through, as shares of the rate, for a stage each."""
STAGES = 3
"""With the last of them, at the full rate, the row of throttles is over."""


@dataclass(slots=True, eq=False)
class Departure:
    """One request that has left: how often the gate had closed before, and whether it probes."""

    closings: int
    is_probe: bool = False


@dataclass(slots=True)
class Gate:
    """What one process knows of throttles. `violated` is told what was seen."""

    policy: RecoveryPolicy
    rate: float
    violated: Callable[[str], None]
    closings: int = 0
    in_a_row: int = 0
    closed_until: float = 0.0
    is_closed: bool = False
    probe: Departure | None = None
    opened_at: float | None = None
    left_at: float = field(default=float("-inf"))

    @property
    def stage_seconds(self) -> float:
        """How long a stage lasts: a second, or a window where that is longer."""
        return max(1.0, max(1, int(self.rate)) / self.rate)

    def sending(self, now: float, operation: str, *, is_even: bool) -> Departure:
        """Hold a request that leaves now to it.

        `is_even` says that it left in the moment in which the pacer let it: nothing has held up
        what was let go before, which would bring the two closer together.
        """
        departure = Departure(self.closings)
        if now < self.closed_until - ROUNDING_SECONDS:
            early = self.closed_until - now
            self.violated(f"{operation} left {early:.3f} s before the throttle was over")
        if self.is_closed:
            if self.probe is not None:
                self.violated(f"{operation} left before the probe was answered")
            departure.is_probe, self.probe = True, departure
        elif self.opened_at is not None:
            self._is_slow(now, operation, is_even=is_even)
        self.left_at = now
        return departure

    def _is_slow(self, now: float, operation: str, *, is_even: bool) -> None:
        assert self.opened_at is not None
        stage = int((now - self.opened_at) / self.stage_seconds)
        if stage >= STAGES:
            self.opened_at, self.in_a_row = None, 0
        elif stage < len(SHARES) and is_even:
            least = 1.0 / (self.rate * SHARES[stage])
            if now - self.left_at < least - ROUNDING_SECONDS:
                seen = f"{operation} left {now - self.left_at:.3f} s after another in a slow start"
                self.violated(seen)

    def throttled(self, departure: Departure, now: float) -> None:
        """Note that a process has been told that it is too fast."""
        if self.opened_at is not None and now >= self.opened_at + STAGES * self.stage_seconds:
            self.in_a_row = 0
        # What was under way already when the gate closed belongs to that throttle.
        if departure is self.probe or departure.closings == self.closings:
            self.in_a_row += 1
        if departure is self.probe:
            self.probe = None
        self.closings += 1
        self.is_closed, self.opened_at = True, None
        self._close(now)

    def answered(self, departure: Departure, now: float) -> None:
        """Note that it has been answered otherwise: the answer to the probe opens the gate."""
        if departure is self.probe:
            self.probe, self.is_closed = None, False
            self.opened_at = max(now, self.closed_until)

    def lost(self, departure: Departure, now: float) -> None:
        """Note that no answer will come: another probe may go, after the floor."""
        if departure is self.probe:
            self.probe = None
            self._close(now)

    def _close(self, now: float) -> None:
        floor = self.policy.cooldown_floor_seconds * 2.0 ** (self.in_a_row - 1)
        pause = min(floor, self.policy.cooldown_max_seconds)
        self.closed_until = max(self.closed_until, now + pause)
