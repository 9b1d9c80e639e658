"""Random worlds: up to 64 orders at once, and everything that can happen to them.

A seed decides all of it. In half of the worlds the faults never stop, and only what must never
happen is looked for. In the other half they stop at some time, and everybody must be served.

A new kind of trouble goes in at one of these places: a row in `faults.FAULTS` (what happens to a
request or its process), `Weather` (what the network and the disk do), `_callers` (what callers do),
`_machines` (what their clocks show), `keys.rotations` (what becomes of the access keys).
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from agcod_async.agcod import AgcodSession
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.engine.keyring import RETRY_SECONDS
from agcod_async.errors import AgcodError
from agcod_async.pacing.port import Lane
from agcod_async.settings import Settings
from agcod_async.testing import EMULATOR_CREDENTIALS, EMULATOR_PARTNER_ID, Semantics
from tests.simulation.audit import audit
from tests.simulation.choices import Seeded
from tests.simulation.clocks import DRIFT_MAX, EXACT, SKEW_MAX_SECONDS, Skew
from tests.simulation.faults import CALM, FAULTS, Fault, Process, Travel
from tests.simulation.history import ViolationError
from tests.simulation.keys import Change, rotations
from tests.simulation.loop import SimLoop
from tests.simulation.orders import FAMILIES, Issued, Options, Order, made
from tests.simulation.process import PATIENT_SECONDS, Caller, run_lives
from tests.simulation.schedules import semantics_of
from tests.simulation.world import World

ORDERS = (1, 2, 4, 8, 16, 32, 64)
FAULT_SHARES = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4)
DEADLINES_SECONDS = (4.0, 15.0, 60.0, PATIENT_SECONDS)
RATES = (5.0, 10.0, 20.0, 50.0)
SIGNATURE_SECONDS = 300.0
JOURNAL_FAULTS = ("", "fails", "fails after", "dies before", "dies after")
RARE = 0.2
"""How much rarer the faults of a process are than those of a request."""
EXACT_SHARE = ONE_KEY_SHARE = 0.7
SETTLED_WITHIN_SECONDS = 8 * (6.0 + 20.0) + 330.0 + (6.0 + 20.0) + 60.0 * 1.25
"""I15: all attempts with their pauses, one late horizon, one confirmation, one long cooldown."""
# A horizon counts on every clock, so a wrong one makes it longer; a key that was refused is tried
# again after a while.
REQUESTS_EACH = 12
"""So many requests an order may still need when the faults stop; they queue for their permits."""


class Weather:
    """What goes wrong in a random world, until `stops_at`."""

    def __init__(self, chance: random.Random, *, may_duplicate: bool) -> None:
        self._chance = chance
        self._choices = Seeded(chance)
        self.share = chance.choice(FAULT_SHARES)
        self.journal_share = chance.choice((0.0, 0.0, 0.001, 0.005))
        self.write_seconds_max = chance.choice((0.0, 0.0, 0.01, 2.0))
        self.way_seconds_max = chance.choice((0.005, 0.05, 0.2))
        self.date_share = chance.choice((0.0, 0.0, 0.05))
        self.stops_at = float("inf")
        self.world: World | None = None
        self._faults = [
            fault
            for fault in FAULTS.values()
            if fault is not CALM and (may_duplicate or fault.travel is not Travel.TWICE)
        ]
        weights = [_weight(fault, chance) for fault in self._faults]
        total = sum(weights)
        self._weights = [1.0 - self.share, *(self.share * weight / total for weight in weights)]

    @property
    def has_stopped(self) -> bool:
        assert self.world is not None
        return self.world.now >= self.stops_at

    def next(self, _operation: str) -> Fault:
        if self.has_stopped:
            return CALM
        picked = self._choices.pick(self._weights)
        return CALM if not picked else self._faults[picked - 1]

    def way(self) -> tuple[float, float]:
        chance, longest = self._chance.random, self.way_seconds_max
        return 0.001 + chance() * longest, 0.001 + chance() * longest

    def late_seconds(self) -> float:
        return self._chance.uniform(1.0, SIGNATURE_SECONDS * 1.2)

    def slow_seconds(self) -> float:
        return self._chance.uniform(1.0, 12.0)

    def date(self, seconds: float) -> float | None:
        """Return the Date of a reply: once in a world it may be missing, or wrong."""
        written = float(int(seconds))
        if not self.date_share or self.has_stopped or self._chance.random() >= self.date_share:
            return written
        self.date_share = 0.0
        return self._chance.choice((None, written + self._chance.uniform(-1_000.0, 1_000.0)))

    def journal(self) -> str:
        share = 0.0 if self.has_stopped else self.journal_share
        if not share:
            return ""
        return JOURNAL_FAULTS[self._choices.pick((1.0 - share, *(share / 4,) * 4))]

    def write_seconds(self) -> float:
        return self._chance.random() * self.write_seconds_max if self.write_seconds_max else 0.0


def _weight(fault: Fault, chance: random.Random) -> float:
    """Return how often a fault comes; each world leaves some out, so that others meet more."""
    weight = chance.choice((0.0, 1.0, 1.0, 3.0))
    return weight * RARE if fault.process is not Process.RUNS else weight + 1e-6


@dataclass(frozen=True, slots=True)
class Flown:
    """What has come of one random world."""

    seed: int
    is_lively: bool
    orders: int
    issued: int
    sends: int
    lives: int
    digest: str


def flown(seed: int, loop: SimLoop) -> Flown:
    """Run the world of a seed and hold it to every promise; raises `ViolationError`."""
    world, weather, callers = world_of(seed, loop)
    left = run_lives(world, callers, _Owner(world, random.Random(f"owner {seed}")).meets)
    audit(world)
    if left:
        raise ViolationError("I12", left[0])
    is_lively = weather.stops_at < float("inf")
    if is_lively:
        _was_lively(world, weather, callers)
    return Flown(
        seed=seed,
        is_lively=is_lively,
        orders=len({caller.order.number for caller in callers}),
        issued=len(world.watch.issued),
        sends=world.watch.sends,
        lives=world.life + 1,
        digest=world.history.digest(),
    )


def world_of(seed: int, loop: SimLoop) -> tuple[World, Weather, list[Caller]]:
    """Make the world of a seed."""
    chance = random.Random(f"world {seed}")
    others = random.Random(f"machines and keys {seed}")
    policy = RecoveryPolicy(
        on_temporarily_unavailable=chance.choice(("compensate", "compensate", "replay")),
        on_burnt_id=chance.choice(("successor", "successor", "raise")),
        network_may_duplicate=chance.random() < 0.2,
        backoff_base_seconds=chance.choice((0.1, 0.1, 5.0)),
    )
    settings = Settings(
        credentials=EMULATOR_CREDENTIALS,
        partner_id=EMULATOR_PARTNER_ID,
        requests_per_second=chance.choice(RATES),
        wire_format="json" if chance.random() < 0.9 else "xml",
    )
    weather = Weather(chance, may_duplicate=policy.network_may_duplicate)
    is_lively = chance.random() < 0.5
    if is_lively:
        weather.stops_at = chance.uniform(5.0, 300.0)
    world = World(
        loop=loop,
        faults=weather,
        semantics=_semantics(chance, is_lively=is_lively),
        policy=policy,
        settings=settings,
        seed=seed,
        machines=_machines(others),
        key_changes=_key_changes(others, weather),
    )
    weather.world = world
    return world, weather, _callers(world, chance, is_lively=is_lively)


def _machines(chance: random.Random) -> tuple[Skew, ...]:
    """Draw the clocks of the machines: in most worlds all of them are right."""
    if chance.random() < EXACT_SHARE:
        return (EXACT,)
    return tuple(
        Skew(
            chance.uniform(-SKEW_MAX_SECONDS, SKEW_MAX_SECONDS),
            chance.choice((0.0, -DRIFT_MAX, DRIFT_MAX)),
        )
        for _ in range(chance.choice((1, 1, 2)))
    )


def _key_changes(chance: random.Random, weather: Weather) -> list[Change]:
    """Draw what becomes of the access keys: in most worlds there is one, and it stays."""
    if chance.random() < ONE_KEY_SHARE:
        return []
    return rotations(chance, until=min(weather.stops_at, chance.uniform(5.0, 300.0)))


def _semantics(chance: random.Random, *, is_lively: bool) -> Semantics:
    parts = [chance.choice(semantics_of(family)) for family in FAMILIES]
    text = ",".join(parts)
    if is_lively:  # elsewhere Amazon never tells what became of a lost load
        text += ",after_void=hidden,repeated_load=same-load"
    return Semantics.from_text(text)


def _callers(world: World, chance: random.Random, *, is_lively: bool) -> list[Caller]:
    """Draw who calls for what, when, and with how much patience."""
    family = chance.choice((*FAMILIES, "mixed", "create"))
    spread_seconds = chance.choice((0.0, 10.0, 120.0))
    leaves = chance.random() < 0.3
    callers: list[Caller] = []
    for number in range(chance.choice(ORDERS)):
        name = chance.choice(tuple(FAMILIES)) if family == "mixed" else family
        order = made(number, name)
        world.add(order)
        for _ in range(2 if chance.random() < 0.05 else 1):
            options = Options(chance.choice(DEADLINES_SECONDS), chance.choice(tuple(Lane)))
            callers.append(
                Caller(
                    order,
                    options,
                    starts_at=chance.random() * spread_seconds,
                    tries_max=60 if is_lively else 4,
                    leaves=leaves,
                    comes_back=chance.random() < 0.95,
                )
            )
    return callers


class _Owner:
    """What becomes of cards that were handed out: some are used, and some cancelled."""

    def __init__(self, world: World, chance: random.Random) -> None:
        self._world = world
        self._chance = chance

    async def meets(self, session: AgcodSession, caller: Caller, card: Issued) -> None:
        order, draw = caller.order, self._chance.random()
        if draw < 0.1:
            self._use(order, card.request_id)
        elif draw < 0.15 and order.number not in self._world.watch.revoked:
            await self._revoke(session, order, card.request_id)

    def _use(self, order: Order, request_id: str) -> None:
        sea = self._world.sea
        moment = sea.moment(self._world.now)
        ledger = self._world.ledger
        match order.family.name:
            case "create":
                ledger.claim(request_id, moment)
            case "activate":
                ledger.physical.claim(order.card_number, moment)
            case _:
                ledger.balance.spend(request_id, moment)

    async def _revoke(self, session: AgcodSession, order: Order, request_id: str) -> None:
        world = self._world
        world.watch.revoked.add(order.number)
        world.history.add(world.now, "revoke", order.number)
        try:
            match order.family.name:
                case "create":
                    await session.cancel_gift_card(request_id=request_id)
                case "activate":
                    await session.deactivate_gift_card(
                        request_id=request_id, card_number=order.card_number
                    )
                case _:
                    await session.void_amazon_balance_load(
                        request_id=request_id, account=order.account, amount=order.amount
                    )
        except AgcodError as error:
            world.history.add(world.now, "not revoked", order.number, type(error).__name__)
            return
        world.sea.pump(world.now)
        if order.family.live_under(world.ledger, request_id) is not None:
            world.watch.violated("I2", f"order {order.number} was revoked, and lives")


def _was_lively(world: World, weather: Weather, callers: Sequence[Caller]) -> None:
    """Hold a world whose faults have stopped to what must come of it then."""
    rate = world.settings.requests_per_second
    queue_seconds = len(callers) * REQUESTS_EACH / rate
    extra_seconds = sum(2 * abs(machine.ahead(world.now)) for machine in world.machines)
    if world.key_changes:
        extra_seconds += 2 * RETRY_SECONDS
    for caller in callers:
        number = caller.order.number
        if caller.is_too_old or not caller.comes_back or number in world.watch.revoked:
            continue  # what its owner has cancelled may be refused for ever
        if caller.order.family.name == "load" and world.was_down_long:
            continue  # the time for voiding is over, and nothing else proves anything
        if not caller.is_done:
            raise ViolationError("I15", f"order {number} is in doubt for ever")
        begun_at = max(weather.stops_at, caller.starts_at, world.began_at)
        took = caller.ended_at - begun_at
        if took > SETTLED_WITHIN_SECONDS + queue_seconds + extra_seconds:
            raise ViolationError("I15", f"order {number} took {took:.0f} s without a fault")
