"""The pacer of one process: who may send, and when.

A permit is given when the gate is open, the limits have room and the spacing gives a turn; only
then is the waiter chosen, so that a better one who came late still goes first and a cancelled one
wastes nothing. One task, the pump, does this. It lives only while somebody waits. Where there are
permits for more than one, and nobody waits, whoever comes is given one without it.
"""

import asyncio
import math
from collections import defaultdict
from collections.abc import Mapping
from types import MappingProxyType

from agcod_async.clock import Clock
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.pacing.alarm import Alarm
from agcod_async.pacing.gate import CooldownGate
from agcod_async.pacing.lanes import Lanes, Waiter
from agcod_async.pacing.limits import Group, Limits
from agcod_async.pacing.local import Spacing
from agcod_async.pacing.permit import Desk, IssuedPermit
from agcod_async.pacing.port import Lane, NotInTimeError, Pacer, Permit
from agcod_async.pacing.stats import PacerStats, RateMeter
from agcod_async.pacing.window import RoundTripFloor

ARRIVAL_BOUND_SECONDS = 0.25
"""Longer than a request is on its way but for a lost packet. What it costs to be wrong is one
throttle; a longer bound costs rate all the time wherever the server's own time varies."""

_NO_SUB_LIMITS: Mapping[str, float] = MappingProxyType({})
_DEFAULT_POLICY = RecoveryPolicy()
_DEFAULT_CLOCK = Clock()


class LocalPacer(Pacer):
    """Permits at exactly the agreed rate, for all tasks of one event loop.

    `requests_per_second` is what the provider allows the account. `sub_limits` gives single
    operations a lower rate of their own, by name, such as GetAvailableFunds once a second.
    `arrival_bound_seconds` is how long a request may be on its way at most; it decides only where
    no reply tells, and a bound below the truth can cost a throttle. Raises `ValueError` for a
    rate or a bound that is not above 0.
    """

    def __init__(
        self,
        *,
        requests_per_second: float,
        sub_limits: Mapping[str, float] = _NO_SUB_LIMITS,
        policy: RecoveryPolicy = _DEFAULT_POLICY,
        clock: Clock = _DEFAULT_CLOCK,
        arrival_bound_seconds: float = ARRIVAL_BOUND_SECONDS,
    ) -> None:
        self._rate = requests_per_second
        self._clock = clock
        self._limits = Limits(
            requests_per_second=requests_per_second,
            sub_limits=sub_limits,
            arrival_bound_seconds=arrival_bound_seconds,
        )
        window_seconds = self._limits.window_seconds
        self._gate = CooldownGate(
            policy, requests_per_second=requests_per_second, window_seconds=window_seconds
        )
        self._spacing = Spacing(requests_per_second)
        self._meter = RateMeter(max(1.0, window_seconds))
        self._desk = Desk(
            clock=clock,
            gate=self._gate,
            meter=self._meter,
            take_back_turn=self._spacing.take_back,
            changed=self._reconsider,
        )
        self._floors: defaultdict[str, RoundTripFloor] = defaultdict(RoundTripFloor)
        self._lanes = Lanes()
        self._alarm = Alarm()
        self._pump: asyncio.Task[None] | None = None
        self._permits_given = 0
        self._is_closed = False

    async def admit(self, lane: Lane, operation: str, *, within_seconds: float | None) -> Permit:
        """Wait for a permit.

        Raises `NotInTimeError`: at once if the estimated wait exceeds `within_seconds`, and after
        `within_seconds` if the estimate was wrong. Raises `RuntimeError` after `aclose()`.
        """
        if self._is_closed:
            raise RuntimeError("the pacer is closed")
        group = self._limits.group(operation)
        now = self._clock.monotonic()
        is_late = within_seconds is not None and not within_seconds >= 0
        if not is_late and self._has_plenty(group, now):
            await self._spacing.turn()  # which is there
            return self._issue(group, operation, now)
        loop = asyncio.get_running_loop()
        waiter = Waiter(lane, operation, group, loop.create_future())
        timer = None
        if within_seconds is not None:
            wait_seconds = self._estimate_wait_seconds(waiter)
            if not wait_seconds <= within_seconds:
                raise NotInTimeError(wait_seconds)
            timer = loop.call_later(within_seconds, self._expire, waiter)
        self._lanes.join(waiter)
        self._start_pump()
        try:
            return await waiter.future
        except BaseException:
            self._withdraw(waiter)
            raise
        finally:
            if timer is not None:
                timer.cancel()

    def stats(self) -> PacerStats:
        """Return how things are now, for a progress display."""
        now = self._clock.monotonic()
        return PacerStats(
            requests_per_second=self._rate,
            permits_given=self._permits_given,
            waiting=MappingProxyType(self._lanes.counts()),
            throttles_seen=self._gate.throttles_seen,
            closed_for_seconds=self._gate.closed_for_seconds(now),
            achieved_per_second=self._meter.per_second(now),
        )

    async def aclose(self) -> None:
        """Stop; waiters that are left are cancelled. Permits that are out may still be ended."""
        self._is_closed = True
        pump = self._stop_pump()
        for waiter in self._lanes.drain():
            waiter.future.cancel()
        if pump is not None:
            await asyncio.wait([pump])

    # --- the pump

    def _start_pump(self) -> None:
        if self._pump is None:
            self._pump = asyncio.create_task(self._run_pump(), name="agcod pacer")
        else:
            self._reconsider()

    def _stop_pump(self) -> asyncio.Task[None] | None:
        pump, self._pump = self._pump, None
        if pump is not None:
            pump.cancel()
        return pump

    async def _run_pump(self) -> None:
        pump = asyncio.current_task()
        try:
            while self._lanes:
                await self._give_next()
        except BaseException as error:
            if self._pump is pump:  # not stopped by us: nobody may wait for ever
                self._abandon(error)
            raise
        self._pump = None

    async def _give_next(self) -> None:
        now = self._clock.monotonic()
        opens_at = self._opens_at(now)
        if opens_at > now:
            await self._alarm.sleep_until(opens_at, now)
            return
        await self._spacing.turn()
        now = self._clock.monotonic()
        if self._opens_at(now) > now:  # a throttle has come meanwhile
            return
        waiter = self._lanes.take(lambda group: self._limits.free_at(group) <= now)
        if waiter is not None:
            waiter.future.set_result(self._issue(waiter.group, waiter.operation, now))

    def _has_plenty(self, group: Group, now: float) -> bool:
        """Whether a permit can be given at once: to a better one in the same moment, too."""
        if self._lanes or not self._spacing.has_plenty:
            return False
        return max(self._gate.opens_at(now), self._limits.free_at(group)) <= now

    def _opens_at(self, now: float) -> float:
        free_at = min(map(self._limits.free_at, self._lanes.groups()), default=math.inf)
        return max(self._gate.opens_at(now), free_at)

    def _issue(self, group: Group, operation: str, now: float) -> Permit:
        self._spacing.use()
        self._permits_given += 1
        return IssuedPermit(
            self._desk,
            given_at=now,
            ticket=self._gate.given(now),
            leases=self._limits.take(group),
            floor=self._floors[operation],
        )

    def _reconsider(self) -> None:
        """Wake the pump if something has happened that lets it give a permit sooner."""
        alarm = self._alarm
        if alarm.rings_at > -math.inf and self._opens_at(self._clock.monotonic()) < alarm.rings_at:
            alarm.ring()

    # --- waiters

    def _estimate_wait_seconds(self, waiter: Waiter) -> float:
        """Estimate from those who go first: of this operation's limit, or of no limit at all.

        Waiters of an operation that is at its own limit hold up nobody else, so they do not count.
        """
        now = self._clock.monotonic()
        of_group = self._lanes.ahead(waiter.lane, waiter.group)
        in_all = (
            of_group if waiter.group is None else of_group + self._lanes.ahead(waiter.lane, None)
        )
        return max(
            self._limits.wait_seconds(waiter.group, now, of_group),
            self._limits.wait_seconds(None, now, in_all),
            self._gate.wait_seconds(now, in_all),
        )

    def _expire(self, waiter: Waiter) -> None:
        if not waiter.future.done():
            self._leave(waiter)
            waiter.future.set_exception(NotInTimeError(self._estimate_wait_seconds(waiter)))

    def _withdraw(self, waiter: Waiter) -> None:
        """Clear up after a waiter who takes no permit: cancelled, expired or abandoned."""
        future = waiter.future
        if not future.done() or future.cancelled():
            future.cancel()
            self._leave(waiter)
        elif future.exception() is None:
            future.result().unused()  # given in the very moment of the cancellation

    def _leave(self, waiter: Waiter) -> None:
        self._lanes.leave(waiter)
        if not self._lanes:
            self._stop_pump()

    def _abandon(self, error: BaseException) -> None:
        self._pump = None
        for waiter in self._lanes.drain():
            failure = RuntimeError("the pacer has stopped")
            failure.__cause__ = error
            waiter.future.set_exception(failure)
