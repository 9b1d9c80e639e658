"""What is held against a whole run once nothing is on its way any more, in one pass over it."""

from collections import defaultdict
from decimal import Decimal

from agcod_async.testing.cards import Happening
from tests.simulation.orders import Live, every_live
from tests.simulation.world import World

LAND_SECONDS = 700.0
"""Longer than any signature lives: afterwards nothing can land any more."""
_BORN = (Happening.CREATED, Happening.ACTIVATED, Happening.LOADED)
_DIED = (Happening.CANCELLED, Happening.DEACTIVATED, Happening.VOIDED)
ROUNDING_SECONDS = 1e-6
"""I6: what is left of a second when times of a long run are taken from each other."""


def audit(world: World) -> None:
    """Hold the run to the ledger; raises the first `ViolationError`."""
    world.settle(LAND_SECONDS)
    watch = world.watch
    _never_two_lives(world)
    _accounts(world)
    _cap(world)
    for entry in world.record.entries():
        watch.is_discreet(repr(entry))
    if watch.violations:
        raise watch.violations[0]


def _never_two_lives(world: World) -> None:
    """I1: at no time has an order lived twice."""
    lives: defaultdict[int, int] = defaultdict(int)
    for event in world.ledger.history:
        order = world.order_of(event.request_id)
        if order is None:
            world.watch.violated("I1", f"{event.request_id} was issued, and never ordered")
            continue
        lives[order.number] += (event.happening in _BORN) - (event.happening in _DIED)
        if lives[order.number] > 1:
            world.watch.violated("I1", f"order {order.number} lived twice at {event.at:.3f} s")


def _accounts(world: World) -> None:
    """I4: what is debited is what lives. I2, I3: who knows of it."""
    living: dict[int, Live] = {}
    total = Decimal(0)
    for live in every_live(world.ledger):
        total += live.value.amount
        order = world.order_of(live.request_id)
        if order is not None:
            living[order.number] = live
    (balance,) = world.ledger.balances()
    if not balance.debited == balance.live == total:
        world.watch.violated("I4", f"{balance.debited} is debited, and {total} lives")
    _records(world, living)
    _callers(world, living)


def _records(world: World, living: dict[int, Live]) -> None:
    """I3, I4: what is on record of an order is the truth, or left open."""
    known: set[int] = set()
    for entry in world.record.entries():
        order = world.order_of(entry.request_id)
        if order is None or entry.operation != order.family.forward:
            continue
        if entry.is_open or entry.verdict == "Issued":
            known.add(order.number)
        if order.number in world.watch.revoked:
            continue
        live = living.get(order.number)
        if entry.verdict == "Issued" and (live is None or live.request_id != entry.live_id):
            seen = f"{entry.live_id} is on record as issued, and does not live"
            world.watch.violated("I4", seen)
        if entry.verdict not in ("", "Issued") and live is not None:
            seen = f"{live.request_id} lives, and is on record: {entry.verdict}"
            world.watch.violated("I3", seen)
    for number in living.keys() - known:
        world.watch.violated("I3", f"{living[number].request_id} lives, and nobody knows of it")


def _callers(world: World, living: dict[int, Live]) -> None:
    """I2, I3: what callers were last told is still the truth."""
    watch = world.watch
    for number in watch.failed & living.keys():
        seen = f"{living[number].request_id} lives, and its caller was told of none"
        watch.violated("I3", seen)
    for number, card in watch.issued.items():
        if number not in living and number not in watch.revoked:
            watch.violated("I2", f"{card.request_id} was handed out, and is dead")


def _cap(world: World) -> None:
    """I6: at the server no second holds more than the cap, of requests on time of one process."""
    cap = int(world.settings.requests_per_second)
    recent: defaultdict[int, list[float]] = defaultdict(list)
    for at, sender in world.sea.arrivals:
        times = recent[sender]
        times.append(at)
        if len(times) > cap and at - times[-cap - 1] < 1.0 - ROUNDING_SECONDS:
            world.watch.violated("I6", f"{cap + 1} requests in a second before {at:.3f} s")
