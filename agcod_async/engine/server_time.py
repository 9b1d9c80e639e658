"""The server's time: measured from its replies, put into signatures, and held against our clock.

Only a reply that the codec understands is listened to: an error page of something in between has
the Date of something in between. How Dates become an interval is `core/skew.py`.

A wall clock that jumps against the monotonic one was set, or the machine has slept: nobody can tell
which of the two clocks is the true one then, so everything measured before is forgotten. This also
is how a session that sends nothing any more learns that its clock was set right.
"""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from agcod_async.clock import Clock
from agcod_async.core.delays import settle_seconds
from agcod_async.core.outcomes import Outdated, Reason, Unclear, Untouched
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.core.skew import NOTHING_HEARD, Offset
from agcod_async.events import Event, SkewNoticed

OutcomeT = TypeVar("OutcomeT")

SKEW_MAX_SECONDS: Final = 240.0
"""Beyond this nothing is sent that moves value: AWS refuses a date that is five minutes off."""

SKEW_NOTICED_SECONDS: Final = 30.0
"""From here on it is worth a warning."""

_JUMP_SECONDS = 1.0

_log = logging.getLogger("agcod_async")


@dataclass(frozen=True, slots=True)
class Stamp:
    """One moment on three clocks. `signed_at` is what the signature says: the server's time.

    `monotonic` is the loop's clock; `wall` is what this machine takes for the time, and
    `skew_seconds` how far that is ahead of the server's, where it is known.
    """

    signed_at: float
    wall: float
    monotonic: float
    skew_seconds: float | None = None

    @property
    def lead_seconds(self) -> float:
        """How much longer than by our wall clock the signature is good for, if our clock is right.

        A horizon must be counted from the later one of the two times: the correction may be wrong,
        and whoever reads the journal has the one clock or the other.
        """
        return max(0.0, self.signed_at - self.wall)

    @property
    def refusal(self) -> Reason | None:
        """Why nothing may be sent now that moves value, if it may not."""
        skew = self.skew_seconds
        if skew is None or abs(skew) <= SKEW_MAX_SECONDS:
            return None
        return Reason(
            f"not sent: this machine's clock is {_in_words(skew)} the server's, and"
            f" {SKEW_MAX_SECONDS:.0f} s is the most that is safe; set the clock, and keep it set"
            " (NTP)"
        )


class ServerTime:
    """What is known of the server's clock. One for each session."""

    def __init__(self, clock: Clock, tell: Callable[[Event], None]) -> None:
        """Begin with nothing known, and `tell` when the clock turns out to be off."""
        self._clock = clock
        self.monotonic = clock.monotonic
        """Returns the time on the loop's clock."""
        self._tell = tell
        self._belief = NOTHING_HEARD
        self._pace: float | None = None
        self._steady_since = -math.inf
        self._noticed = False

    @property
    def skew_seconds(self) -> float | None:
        """How far our wall clock is ahead of the server's; None as long as that is not known."""
        return self.now().skew_seconds

    def now(self) -> Stamp:
        """Return the moment to sign at.

        A clock that may be right is left alone; one that is proved wrong is replaced.
        """
        wall, now = self._look()
        offset = self._believed(now)
        if offset is None:
            return Stamp(wall, wall, now)
        servers = now + offset.middle
        is_right = not offset.distance(wall - now)
        return Stamp(wall if is_right else servers, wall, now, skew_seconds=wall - servers)

    def settle_seconds(self, settled_at: float, effects_until: float) -> float:
        """Return how long it takes until nothing that was sent can land any more, on any clock.

        `settled_at` is on the loop's clock, for what this process has sent. `effects_until` is on
        record, also for what others have sent: our wall clock and the server's must have passed it.
        The longest wait counts, so that no clock that was set can cut it short.
        """
        wall, now = self._look()
        offset = self._believed(now) or self._rumour(now)
        earliest = wall if offset is None else min(wall, now + offset.low)
        ours, recorded = settle_seconds(now, settled_at), settle_seconds(earliest, effects_until)
        return max(ours, recorded)

    def heard(self, outcome: object, date: float | None, *, sent_at: float) -> None:
        """Learn from a reply to what was sent at `sent_at` on the loop's clock.

        A reply that was awaited while the clocks jumped apart tells nothing.
        """
        if date is None or isinstance(outcome, Unclear):
            return
        wall, now = self._look()
        if sent_at >= self._steady_since:
            offset = Offset.of_exchange(date, sent_at=sent_at, heard_at=now)
            self._belief = self._belief.heard(offset)
            self._notice(wall, now)

    def mended(
        self, outcome: OutcomeT, stamp: Stamp, policy: RecoveryPolicy
    ) -> OutcomeT | Untouched:
        """Return what an outcome comes to: the outdated may be sent again if we know better now.

        Call it with the outcome of a reply that was `heard` just before. Where the network may
        duplicate requests the refusal stands: a copy that was signed too early may yet be let in.
        """
        if not isinstance(outcome, Outdated):
            return outcome
        signed, now = stamp.signed_at - stamp.monotonic, self._clock.monotonic()
        rumour = self._rumour(now)
        if rumour is not None and rumour.distance(signed) > SKEW_NOTICED_SECONDS:
            self._belief = self._belief.confirmed()
            self._notice(*self._look())
        offset = self._believed(now)
        knows_better = offset is not None and offset.distance(signed) > SKEW_NOTICED_SECONDS
        may_resend = knows_better and not policy.network_may_duplicate
        return Untouched(outcome.reason) if may_resend else outcome

    def _believed(self, now: float) -> Offset | None:
        believed = self._belief.believed
        return None if believed is None else believed.at(now)

    def _rumour(self, now: float) -> Offset | None:
        rumour = self._belief.rumour
        return None if rumour is None else rumour.at(now)

    def _look(self) -> tuple[float, float]:
        """Read the wall and the loop's clock; forget everything if they have jumped apart."""
        wall, now = self._clock.wall(), self._clock.monotonic()
        pace = wall - now
        if self._pace is None:
            self._pace = pace
        elif abs(pace - self._pace) > _JUMP_SECONDS:
            self._belief, self._noticed = NOTHING_HEARD, False
            self._pace, self._steady_since = pace, now
        return wall, now

    def _notice(self, wall: float, now: float) -> None:
        """Warn once of a clock that is off, and once more only after it was right again."""
        offset = self._believed(now)
        if offset is None:
            return
        skew = wall - (now + offset.middle)
        if abs(skew) <= SKEW_NOTICED_SECONDS:
            self._noticed = False
        elif not self._noticed:
            self._noticed = True
            _log.warning("this machine's clock is %s the server's: set it (NTP)", _in_words(skew))
            self._tell(SkewNoticed(skew))


def _in_words(skew: float) -> str:
    return f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'}"
