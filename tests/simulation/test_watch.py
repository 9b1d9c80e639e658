"""The checks themselves: each of them sees what it is there for."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from agcod_async.core.outcomes import Reason
from agcod_async.errors import AgcodError, InDoubtError, UnavailableError
from agcod_async.values import ClaimCode, Money
from tests.simulation.audit import audit
from tests.simulation.choices import Listed
from tests.simulation.history import ViolationError
from tests.simulation.loop import SimLoop
from tests.simulation.orders import Order, made
from tests.simulation.schedules import Setup, played
from tests.simulation.watch import SECRET
from tests.simulation.world import World

Spoil = Callable[[World, Order], None]


@pytest.fixture
def world() -> Iterator[World]:
    """A run in which one card was issued and handed out, and all is well."""
    loop = SimLoop()
    yield played(Setup("create", "tombstone,not-found"), Listed(), loop)
    loop.close()


def card_dies(world: World, order: Order) -> None:
    world.ledger.cancel(order.request_id, world.sea.moment(world.now))


def another_is_issued(world: World, order: Order) -> None:
    moment = world.sea.moment(world.now)
    world.ledger.create(order.id_of_epoch(1), order.amount.amount, "USD", moment)


def one_of_nobody_is_issued(world: World, order: Order) -> None:
    moment = world.sea.moment(world.now)
    world.ledger.create("EmulaStranger", order.amount.amount, "USD", moment)


def caller_is_told_of_nothing(world: World, order: Order) -> None:
    world.watch.refused(order, UnavailableError(Reason("later")))


def record_is_lost(world: World, _order: Order) -> None:
    world.record.inner._entries.clear()


def requests_come_at_once(world: World, _order: Order) -> None:
    world.sea.arrivals.extend([(world.now, 0)] * 11)


def undo_is_sent(world: World, order: Order) -> None:
    world.watch.sending("CancelGiftCard", order.request_id, {"x-amz-date": "never"}, "calm")


def replay_is_not_on_record(world: World, order: Order) -> None:
    world.watch.sending("CreateGiftCard", order.request_id, {"x-amz-date": "never"}, "calm")


def throttle_is_ignored(world: World, order: Order) -> None:
    looked_up = world.watch.sending("ActivationStatusCheck", order.request_id, {}, "calm")
    world.watch.throttled(looked_up)
    world.watch.sending("ActivationStatusCheck", order.request_id, {}, "calm")


def secret_is_told(world: World, order: Order) -> None:
    world.watch.refused(order, InDoubtError(Reason(SECRET)))


def code_is_told(world: World, order: Order) -> None:
    card = world.ledger.card(order.request_id)
    assert card is not None
    world.watch.refused(order, InDoubtError(Reason(card.claim_code.reveal())))


def exchange_is_cut_off(world: World, order: Order) -> None:
    world.watch.cut_off("CreateGiftCard", order.request_id, 1.0)


def deadline_is_missed(world: World, order: Order) -> None:
    world.watch.bounded(order, None, 0.5)


def attempts_do_not_end(world: World, order: Order) -> None:
    error = AgcodError(Reason("again"), attempts=(None,) * 1_000)  # type: ignore[arg-type]
    world.watch.bounded(order, error, 0.0)


def code_of_another_is_given(world: World, order: Order) -> None:
    card = world.watch.issued[order.number]
    wrong = replace(card, claim_code=ClaimCode("AAAA-BBBBBB-CCCC"))  # type: ignore[call-arg]
    world.watch.told(order, wrong)


def amount_of_another_is_given(world: World, order: Order) -> None:
    card = world.watch.issued[order.number]
    world.watch.told(order, replace(card, amount=Money(7, "USD")))


SPOILS: dict[Spoil, set[str]] = {
    card_dies: {"I2", "I4"},
    another_is_issued: {"I1"},
    one_of_nobody_is_issued: {"I1"},
    caller_is_told_of_nothing: {"I3"},
    record_is_lost: {"I3"},
    requests_come_at_once: {"I6"},
    undo_is_sent: {"I5", "R3"},
    replay_is_not_on_record: {"I5"},
    throttle_is_ignored: {"I7"},
    deadline_is_missed: {"I8"},
    attempts_do_not_end: {"I8"},
    code_is_told: {"I9"},
    secret_is_told: {"I10"},
    exchange_is_cut_off: {"I12"},
    code_of_another_is_given: {"I2"},
    amount_of_another_is_given: {"I2"},
}


@pytest.mark.parametrize("spoil", SPOILS, ids=lambda spoil: spoil.__name__)
def test_a_run_that_is_spoilt_is_found_out(world: World, spoil: Spoil) -> None:
    assert world.watch.violations == []
    (order,) = world.orders.values()
    assert order == made(1, "create")

    spoil(world, order)

    with pytest.raises(ViolationError):
        audit(world)
    assert {error.invariant for error in world.watch.violations} >= SPOILS[spoil]


def test_a_world_that_is_left_alone_stays_well(world: World) -> None:
    audit(world)
