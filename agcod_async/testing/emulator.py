"""The emulator: a service, its clock, and a transport that reaches it inside the process."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import assert_never
from urllib.parse import urlsplit

from agcod_async.clock import Clock
from agcod_async.core.outcomes import Lost, Reason, Unclear, Untouched
from agcod_async.testing.arrivals import Arrivals
from agcod_async.testing.authentication import Incoming
from agcod_async.testing.cards import Moment
from agcod_async.testing.config import EmulatorConfig
from agcod_async.testing.faults import FaultScript
from agcod_async.testing.ledger import Ledger
from agcod_async.testing.service import Answer, ConnectionReset, Decision, Service, Silence
from agcod_async.values import Credentials
from agcod_async.wire.port import REPLY_SIZE_MAX, Exchanged


class Emulator:
    """A local AGCOD. It outlives sessions and event loops, so that a test can crash them.

    On a virtual-time loop give it `virtual_clock()`. Its own time is in seconds since the first
    request. When a new event loop's clock starts over, it goes on from where it was last used.
    """

    def __init__(self, config: EmulatorConfig | None = None, *, clock: Clock | None = None) -> None:
        """Open the account with fresh funds."""
        self.config = config or EmulatorConfig()
        self._time = _Time(clock or Clock(), self.config.clock_ahead_seconds)
        self._service = Service(self.config)
        self._armed: tuple[asyncio.AbstractEventLoop, float] | None = None

    @property
    def ledger(self) -> Ledger:
        """The cards, the loads and the funds."""
        return self._service.ledger

    @property
    def arrivals(self) -> Arrivals:
        """What arrived, and when."""
        return self._service.arrivals

    @property
    def wall(self) -> float:
        """What the emulator's clock shows, in seconds since 1970."""
        return self._time.read()[1]

    @property
    def in_flight(self) -> int:
        """How many requests have arrived but not yet had the effect that they will have."""
        return self._service.in_flight

    def transport(self) -> "EmulatorTransport":
        """Return a transport that needs no network, for `AgcodSession(transport=...)`."""
        return EmulatorTransport(self)

    def play(self, script: FaultScript) -> None:
        """Begin this fault script, in place of the one before."""
        self._service.play(script)

    def accept_key(self, key: Credentials) -> None:
        """Let this access key in from now on, beside the others: it was created, or made active."""
        self._service.authenticator.accept(key)

    def revoke_key(self, access_key_id: str) -> bool:
        """Let this access key in no more, as one made inactive; whether it was let in before."""
        return self._service.authenticator.revoke(access_key_id)

    def reset(self) -> None:
        """Start over as configured: funds, cards, loads, arrivals, faults, access keys.

        Nothing late lands any more.
        """
        self._service = Service(self.config)

    def claim(self, request_id: str) -> bool:
        """Let a customer use the gift card of this ID; whether there was a live one to use."""
        return self.ledger.claim(request_id, self._moment()) is not None

    def claim_card(self, card_number: str) -> bool:
        """Let a customer use this physical card; whether it was active."""
        return self.ledger.physical.claim(card_number, self._moment()) is not None

    def spend(self, request_id: str) -> bool:
        """Let the customer spend what was loaded under this ID; whether anything was."""
        return self.ledger.balance.spend(request_id, self._moment()) is not None

    def land_everything(self) -> None:
        """Let everything that is in flight have its effect now, in the order of its time."""
        now, wall = self._time.read()
        while (due_at := self._service.next_landing_at) is not None:
            self._service.advance(due_at, wall + due_at - now)

    def handle(self, request: Incoming) -> Decision:
        """Take a request in. Called on an event loop, which lets late effects happen in time."""
        decision = self._service.handle(request, *self._time.read())
        if self._service.in_flight:
            self._arm()
        return decision

    def _moment(self) -> Moment:
        """Let everything happen that is due now, and return when that is."""
        now, wall = self._time.read()
        self._service.advance(now, wall)
        return Moment(now, now, wall)

    def _arm(self) -> None:
        due_at = self._service.next_landing_at
        loop = asyncio.get_running_loop()
        if due_at is None or self._armed == (loop, due_at):
            return
        self._armed = (loop, due_at)
        now, _ = self._time.read()
        loop.call_later(due_at - now, self._land)

    def _land(self) -> None:
        self._armed = None  # a timer that came a little early must be set once more
        self._service.advance(*self._time.read())
        self._arm()


class EmulatorTransport:
    """The way to an emulator in the same process, without a network in between."""

    def __init__(self, emulator: Emulator) -> None:
        """Reach this emulator, whatever host a URL names."""
        self._emulator = emulator
        self._is_closed = False

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Exchanged:
        """Exchange one request; what is never answered waits until it is cancelled."""
        if self._is_closed:
            return Untouched(Reason("not sent: the transport is closed"))
        received = {name.lower(): value for name, value in headers.items()}
        received.setdefault("host", urlsplit(url).netloc)
        match self._emulator.handle(Incoming(urlsplit(url).path, received, body)):
            case Answer(reply, after_seconds):
                await asyncio.sleep(after_seconds)
                if len(reply.body) > REPLY_SIZE_MAX:
                    return Unclear(Reason(f"the reply is larger than {REPLY_SIZE_MAX} bytes"))
                return replace(reply, date=float(int(self._emulator.wall)))
            case ConnectionReset():
                await asyncio.sleep(0)
                return Lost(Reason("sent, but the connection was reset"))
            case Silence():
                await asyncio.Event().wait()
                return Lost(Reason("sent, but never answered"))
            case _ as never:
                assert_never(never)

    async def aclose(self) -> None:
        """Refuse to send anything from here on."""
        self._is_closed = True


class _Time:
    """The emulator's time: it never goes backwards, though event loops come and go."""

    def __init__(self, clock: Clock, ahead_seconds: float) -> None:
        self._clock = clock
        self._ahead_seconds = ahead_seconds
        self._origin: float | None = None
        self._now = 0.0
        self._wall = 0.0

    def read(self) -> tuple[float, float]:
        """Return the seconds since the first reading, and the wall clock.

        Without a running event loop no time passes: a ledger can be looked at after a run.
        """
        try:
            monotonic = self._clock.monotonic()
            self._wall = self._clock.wall() + self._ahead_seconds
        except RuntimeError:  # no event loop is running
            return self._now, self._wall
        if self._origin is None or monotonic - self._origin < self._now:
            self._origin = monotonic - self._now
        self._now = monotonic - self._origin
        return self._now, self._wall
