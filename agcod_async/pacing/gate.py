"""The cooldown gate: after a throttle everybody pauses, then one probe goes first.

1. A throttle closes the gate for the whole account, never for less than the policy's floor
   (Amazon's error table: a throttled request must not be repeated instantly).
2. Each throttle in a row doubles the pause. What was already under way when the gate closed is
   no new throttle: its replies can make the pause longer, but do not double it.
3. After the pause one permit is given, the probe. Only its answer, other than a throttle, opens.
4. Open, the rate rises in steps. Only after the last one is the row of throttles over.
5. No lane is exempt, and a permit that has not been used when the gate closes is revoked.

Pure: time and chance are arguments.
"""

import math
from enum import Enum
from typing import assert_never

from agcod_async.core.delays import cooldown_seconds
from agcod_async.core.policy import RecoveryPolicy

SLOW_START_SHARES = (0.25, 0.5, 1.0)
"""The shares of the rate after a probe has come through, one stage each; the last is all."""

STAGE_SECONDS_MIN = 1.0
"""A stage lasts this long, or a whole window where that is longer."""

CHANCE_OF_NO_JITTER = 0.0


class _Phase(Enum):
    OPEN = "open"
    CLOSED = "closed"
    SLOW_START = "slow start"


class Ticket:
    """What the gate remembers of a permit: how often the gate had closed before.

    Permits of one time share one; a probe has its own, by which it is known.
    """

    __slots__ = ("closings",)

    def __init__(self, closings: int) -> None:
        self.closings = closings


class CooldownGate:
    """When the next permit may be given, as far as throttles are concerned."""

    def __init__(
        self, policy: RecoveryPolicy, *, requests_per_second: float, window_seconds: float
    ) -> None:
        self.throttles_seen = 0
        self._policy = policy
        self._rate = requests_per_second
        self._stage_seconds = max(STAGE_SECONDS_MIN, window_seconds)
        self._phase = _Phase.OPEN
        self._closings = 0
        self._ticket = Ticket(0)
        self._throttles_in_a_row = 0
        self._closed_until = -math.inf
        self._opened_at = -math.inf
        self._given_at = -math.inf
        self._probe: Ticket | None = None

    def opens_at(self, now: float) -> float:
        """Return when the next permit may be given; inf while a probe is on its way."""
        if self._phase is _Phase.SLOW_START:
            self._end_slow_start(now)
        match self._phase:
            case _Phase.OPEN:
                return -math.inf
            case _Phase.CLOSED:
                return self._closed_until if self._probe is None else math.inf
            case _Phase.SLOW_START:
                return self._slow_start_opens_at(now)
            case _:
                assert_never(self._phase)

    def closed_for_seconds(self, now: float) -> float:
        """Return for how long nothing may leave at all."""
        return max(0.0, self._closed_until - now)

    def wait_seconds(self, now: float, permits_ahead: int) -> float:
        """Estimate the wait behind so many permits, at the rates to come."""
        self._end_slow_start(now)
        if self._phase is _Phase.OPEN:
            return permits_ahead / self._rate
        opened_at = (
            self._opened_at if self._phase is _Phase.SLOW_START else max(now, self._closed_until)
        )
        at, left = max(now, opened_at), float(permits_ahead)
        for stage, share in enumerate(SLOW_START_SHARES):
            seconds = max(0.0, opened_at + (stage + 1) * self._stage_seconds - at)
            room = seconds * self._rate * share
            if left <= room:
                return at - now + left / (self._rate * share)
            at, left = at + seconds, left - room
        return at - now + left / self._rate

    def given(self, now: float) -> Ticket:
        """Note that a permit is given; while the gate is closed it is the probe."""
        self._given_at = now
        if self._phase is not _Phase.CLOSED:
            return self._ticket
        self._probe = Ticket(self._closings)
        return self._probe

    def has_closed_since(self, ticket: Ticket) -> bool:
        """Return whether a throttle has come since this permit was given."""
        return ticket.closings != self._closings

    def throttled(self, ticket: Ticket, now: float, chance: float) -> None:
        """Close the gate, or keep it closed for longer."""
        self._end_slow_start(now)
        self.throttles_seen += 1
        is_probe = ticket is self._probe
        if is_probe or not self.has_closed_since(ticket):
            self._throttles_in_a_row += 1
        else:
            chance = CHANCE_OF_NO_JITTER
        if is_probe:
            self._probe = None
        self._phase = _Phase.CLOSED
        self._closings += 1
        self._ticket = Ticket(self._closings)
        self._close_for(cooldown_seconds(self._policy, self._throttles_in_a_row, chance), now)

    def answered(self, ticket: Ticket, now: float) -> None:
        """Open the gate if this was the probe."""
        if ticket is self._probe:
            self._probe = None
            self._phase = _Phase.SLOW_START
            # A late reply to something older may have made the pause longer meanwhile.
            self._opened_at = max(now, self._closed_until)

    def lost(self, ticket: Ticket, now: float) -> None:
        """Let another probe go, after the floor: what became of this one is not known."""
        if ticket is self._probe:
            self._probe = None
            floor = cooldown_seconds(self._policy, self._throttles_in_a_row, CHANCE_OF_NO_JITTER)
            self._close_for(floor, now)

    def unused(self, ticket: Ticket) -> None:
        """Let another probe go: this one has not left."""
        if ticket is self._probe:
            self._probe = None

    def _close_for(self, seconds: float, now: float) -> None:
        self._closed_until = max(self._closed_until, now + seconds)

    def _slow_start_opens_at(self, now: float) -> float:
        begins_at = self._opened_at
        for share in SLOW_START_SHARES[:-1]:
            ends_at = begins_at + self._stage_seconds
            opens_at = max(begins_at, self._given_at + 1.0 / (self._rate * share))
            if max(now, opens_at) < ends_at:
                return opens_at
            begins_at = ends_at
        return begins_at  # at the full rate the spacing does the work, with fewer timers

    def _end_slow_start(self, now: float) -> None:
        stages = len(SLOW_START_SHARES)
        ends_at = self._opened_at + stages * self._stage_seconds
        if self._phase is _Phase.SLOW_START and now >= ends_at:
            self._phase = _Phase.OPEN
            self._throttles_in_a_row = 0
