"""One simulated world: Amazon, the network and the journal, and one process after the other."""

import asyncio
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import lru_cache
from typing import Protocol

from agcod_async.agcod import AgcodSession
from agcod_async.clock import Clock
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.events import AttemptEnded, CallEnded, Event, SuccessorChosen
from agcod_async.settings import Settings
from agcod_async.testing import (
    EMULATOR_CREDENTIALS,
    EMULATOR_PARTNER_ID,
    EmulatorConfig,
    Ledger,
    Semantics,
)
from agcod_async.testing.service import Service
from agcod_async.values import Money
from tests.simulation.clocks import EXACT, Skew
from tests.simulation.faults import Fault
from tests.simulation.history import History
from tests.simulation.keys import Change, Gate, Vault
from tests.simulation.loop import SimLoop
from tests.simulation.network import Sea, Shore
from tests.simulation.orders import Issued, Order
from tests.simulation.record import Durable, Writer
from tests.simulation.watch import Watch

FUNDS = Money(Decimal(1_000_000), "USD")
FREEZE_SECONDS = 9.0
"""Longer than an attempt may take."""
FREEZE_UNTIL_STALE_SECONDS = 320.0
RESTART_SECONDS = 3.0
LONG_DOWN_SECONDS = 50_000.0
"""Two of them are longer than an ID may be sent again."""
WORLDS: "deque[World]" = deque(maxlen=1)
"""The world of the latest run, to be shown if it breaks a promise."""
SETTINGS = Settings(credentials=EMULATOR_CREDENTIALS, partner_id=EMULATOR_PARTNER_ID)


class Faults(Protocol):
    """What goes wrong in a run, as its schedule or its seed has it."""

    write_seconds_max: float

    def next(self, operation: str) -> Fault:
        """Return what happens to the request that leaves now."""
        ...

    def way(self) -> tuple[float, float]:
        """Return how many seconds a request is on its way, and its reply."""
        ...

    def late_seconds(self) -> float: ...

    def slow_seconds(self) -> float: ...

    def date(self, seconds: float) -> float | None:
        """Return the Date that a reply carries which is written at that time, if it has one."""
        ...

    def journal(self) -> str:
        """Return what happens to a write: "", "fails", "fails after", "dies before"/"after"."""
        ...

    def write_seconds(self) -> float: ...


@lru_cache(maxsize=256)  # it is checked whole when it is made
def _config(semantics: Semantics, requests_per_second: float) -> EmulatorConfig:
    return EmulatorConfig(
        semantics=semantics,
        funds=(FUNDS,),
        requests_per_second=requests_per_second,
        history_max=1_000_000,
        arrivals_max=0,
    )


@dataclass(slots=True)
class World:
    """Everything of a run. Its time is in seconds since its beginning, over all processes."""

    loop: SimLoop
    faults: Faults
    semantics: Semantics
    policy: RecoveryPolicy
    settings: Settings = SETTINGS
    seed: int = 0
    machines: tuple[Skew, ...] = (EXACT,)
    """The clocks of the machines that the processes run on, one after the other."""
    key_changes: Sequence[Change] = ()
    life: int = 0
    began_at: float = 0.0
    is_dying: bool = False
    is_ending: bool = False
    down_seconds: float = 0.0
    was_down_long: bool = False
    frozen_seconds: float = 0.0
    frozen_at: float = float("-inf")
    thawed_at: float = float("-inf")
    watch: Watch = field(init=False)
    sea: Sea = field(init=False)
    record: Durable = field(default_factory=Durable)
    history: History = field(default_factory=History)
    orders: dict[str, Order] = field(default_factory=dict)
    callers: dict[asyncio.Future[Issued], int] = field(default_factory=dict)
    vault: Vault | None = None

    def __post_init__(self) -> None:
        service = Service(_config(self.semantics, self.settings.requests_per_second))
        gate = Gate(self.key_changes)
        service.authenticator = gate
        self.sea = Sea(service, gate, self.faults.date)
        if self.key_changes:
            self.vault = Vault(self.key_changes, lambda: self.now)
            self.settings = replace(self.settings, credentials=self.vault)
        self.watch = Watch(self)
        WORLDS.append(self)

    @property
    def now(self) -> float:
        return self.began_at + self.loop.time()

    @property
    def ledger(self) -> Ledger:
        return self.sea.service.ledger

    @property
    def skew(self) -> Skew:
        """The clock of the machine that the process of now runs on."""
        return self.machines[self.life % len(self.machines)]

    @property
    def wall(self) -> float:
        """What that machine takes for the time, in seconds since 1970."""
        return self.skew.wall(self.now)

    @property
    def writes_are_slow(self) -> bool:
        """Whether what was let go may leave later, because its record takes time."""
        return self.faults.write_seconds_max > 0

    def is_alive(self, life: int) -> bool:
        """Whether the process with this number still runs."""
        return life == self.life and not self.is_dying

    def add(self, order: Order) -> None:
        self.orders[str(order.request_id)] = order

    def order_of(self, request_id: str) -> Order | None:
        """Return the order that may use an ID: its caller's own, or one of the successors."""
        order = self.orders.get(request_id)
        if order is None:
            order = self._order_of_successor(request_id)
            if order is not None:
                self.orders[request_id] = order
        return order

    def _order_of_successor(self, request_id: str) -> Order | None:
        for order in set(self.orders.values()):
            for epoch in range(1, self.policy.successors_max + 1):
                if order.id_of_epoch(epoch) == request_id:
                    return order
        return None

    def session(self) -> AgcodSession:
        """Open a session in the process that runs now."""
        return AgcodSession(
            self.settings,
            transport=Shore(self),
            journal=Writer(self),
            observers=(self._observed,),
            policy=self.policy,
            clock=self.clock(),
        )

    def clock(self) -> Clock:
        """Return the clock of the process that runs now."""
        skew, began_at, monotonic = self.skew, self.began_at, self.loop.time
        return Clock(
            monotonic=monotonic,
            wall=lambda: skew.wall(began_at + monotonic()),
            chance=random.Random(self.seed + self.life).random,
        )

    def _observed(self, event: Event) -> None:
        match event:
            case AttemptEnded(operation, attempt):
                self.history.add(self.now, "attempt", operation, attempt.leg.value, attempt.outcome)
                self.watch.attempted(attempt)
                self.watch.is_discreet(repr(event))
            case CallEnded(request_id=request_id, verdict=verdict):
                self.watch.ended(request_id, verdict)
            case SuccessorChosen(request_id, successor_id):
                self.history.add(self.now, "successor", request_id, successor_id)
            case _:
                pass

    # --- what happens to a process --------------------------------------------------------------

    def freeze(self, *, is_long: bool) -> None:
        seconds = FREEZE_UNTIL_STALE_SECONDS if is_long else FREEZE_SECONDS
        self.history.add(self.now, "freeze", seconds)
        self.frozen_seconds += seconds
        self.frozen_at = self.now
        self.loop.freeze(seconds)
        self.thawed_at = self.now

    def die(self, *, is_long: bool = False) -> None:
        """Kill the process that runs now."""
        self.history.add(self.now, "crash")
        self.is_dying = True
        self.was_down_long |= is_long
        self.down_seconds = LONG_DOWN_SECONDS if is_long else RESTART_SECONDS
        self.loop.kill()

    def end(self) -> None:
        """Tell the process that runs now to end."""
        self.history.add(self.now, "end")
        self.down_seconds, self.is_ending = RESTART_SECONDS, True
        self.loop.end()

    def leave(self, request_id: str) -> None:
        """Let the caller of an order go away."""
        order = self.order_of(request_id)
        if order is None:
            return
        for task, number in self.callers.items():
            if number == order.number:
                self.history.add(self.now, "leave", number)
                self.loop.call_soon(task.cancel)
                return

    def restart(self) -> None:
        """Let the time pass in which nothing runs, and begin the next process."""
        self.began_at += self.loop.time() + self.down_seconds
        self.life += 1
        self.callers.clear()
        self.is_dying = self.is_ending = False
        self.watch.restarted()

    def settle(self, seconds: float) -> None:
        """Let everything land that is still on its way."""
        self.began_at += self.loop.time() + seconds
        self.loop._now = 0.0
        self.sea.pump(self.now)
