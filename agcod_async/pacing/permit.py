"""A permit, and what its end tells the window and the gate."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from agcod_async.clock import Clock
from agcod_async.pacing.gate import CooldownGate, Ticket
from agcod_async.pacing.stats import RateMeter
from agcod_async.pacing.window import Lease, RoundTripFloor


@dataclass(frozen=True, slots=True)
class Desk:
    """What all permits of a pacer report to.

    `changed` is called after every report. `take_back_turn` gets the time at which an unused
    permit was given.
    """

    clock: Clock
    gate: CooldownGate
    meter: RateMeter
    take_back_turn: Callable[[float], None]
    changed: Callable[[], None]


class _Stage(Enum):
    GIVEN = "given"
    SENT = "sent"
    ENDED = "ended"


class IssuedPermit:
    """Leave to send one request; implements the port's `Permit`.

    Saying too much does no harm: the first end counts, and whatever is said afterwards is ignored.
    A reply or a loss without `sending` counts as sent at that moment, and `unused` after `sending`
    as a loss, because a request that may have left must keep its slot.
    """

    __slots__ = (
        "_desk",
        "_floor",
        "_given_at",
        "_leases",
        "_sent_at",
        "_stage",
        "_ticket",
    )

    def __init__(
        self,
        desk: Desk,
        *,
        given_at: float,
        ticket: Ticket,
        leases: tuple[Lease, ...],
        floor: RoundTripFloor,
    ) -> None:
        self._desk = desk
        self._ticket = ticket
        self._leases = leases
        self._floor = floor
        self._stage = _Stage.GIVEN
        self._given_at = given_at
        self._sent_at = given_at

    @property
    def is_revoked(self) -> bool:
        """Whether a throttle has closed the gate since: call `unused()` and do not send."""
        return self._stage is _Stage.GIVEN and self._desk.gate.has_closed_since(self._ticket)

    def sending(self) -> None:
        """Say that the request leaves now."""
        if self._stage is not _Stage.GIVEN:
            return
        self._stage = _Stage.SENT
        self._sent_at = self._desk.clock.monotonic()
        for lease in self._leases:
            lease.sent(self._sent_at)
        self._desk.meter.count(self._sent_at)
        self._desk.changed()

    def answered(self, *, throttled: bool) -> None:
        """Say that a reply has come, and whether it was a throttle."""
        if self._stage is _Stage.ENDED:
            return
        if self._stage is _Stage.GIVEN:
            self.sending()
        self._stage = _Stage.ENDED
        now = self._desk.clock.monotonic()
        if throttled:
            # A throttle is quicker than any work, so it says nothing about the usual round trip.
            floor = None
            self._desk.gate.throttled(self._ticket, now, self._desk.clock.chance())
        else:
            floor = self._floor
            floor.observe(now - self._sent_at, now)
            self._desk.gate.answered(self._ticket, now)
        for lease in self._leases:
            lease.answered(now, floor)
        self._desk.changed()

    def lost(self) -> None:
        """Say that no reply will come any more.

        The slot is not free any sooner: that we have stopped waiting does not stop the request,
        which may still be on its way until the arrival bound.
        """
        if self._stage is _Stage.ENDED:
            return
        self.sending()
        self._stage = _Stage.ENDED
        self._desk.gate.lost(self._ticket, self._desk.clock.monotonic())
        self._desk.changed()

    def unused(self) -> None:
        """Say that nothing has left and nothing will."""
        if self._stage is not _Stage.GIVEN:
            self.lost()
            return
        self._stage = _Stage.ENDED
        for lease in self._leases:
            lease.unused()
        self._desk.gate.unused(self._ticket)
        self._desk.take_back_turn(self._given_at)
        self._desk.changed()
