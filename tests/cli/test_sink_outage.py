"""A sink that is down for a while: the batch waits for it, and Amazon is not asked for more."""

import asyncio
from dataclasses import dataclass, field

from agcod_async.batch import Order
from agcod_async.delivery import DeliveryPolicy
from agcod_async.providers.agcod.messages import GiftCard
from agcod_async.settings import Settings
from tests.cli.stage import codes
from tests.cli.test_interrupts import ORDERS, issued

BATCH_CONCURRENCY = 8


@dataclass
class DownSink:
    """Takes nothing from second 2 until it is up again."""

    up_at: float
    taken: list[str] = field(default_factory=list)
    asked: dict[str, int] = field(default_factory=dict)

    async def deliver(self, card: GiftCard, order: Order) -> None:
        self.asked[order.request_id] = self.asked.get(order.request_id, 0) + 1
        if 2.0 <= asyncio.get_running_loop().time() < self.up_at:
            raise ConnectionError(card.claim_code.reveal())
        self.taken.append(order.request_id)

    async def aclose(self) -> None:
        pass


def test_a_batch_waits_for_its_sink_and_goes_on(settings: Settings) -> None:
    sink = DownSink(up_at=100.0)

    batch, display, emulator = issued(settings, sink=sink)

    assert batch.tally.exit_code == 0
    assert batch.tally.delivered == len(codes(emulator)) == len(set(sink.taken)) == len(ORDERS)
    assert batch.elapsed_seconds > 100.0
    assert emulator.arrivals.total == len(ORDERS), "Amazon is asked once for each card"
    stopped, goes_on = display.notes
    assert stopped == (
        "delivery     has failed 20 times in a row, the last time: the sink raised "
        "ConnectionError; no order is taken until a card is"
    )
    assert goes_on == "delivery     goes on"


def test_a_sink_that_stays_down_ends_the_batch_with_few_cards_at_stake(settings: Settings) -> None:
    sink = DownSink(up_at=float("inf"))

    batch, display, emulator = issued(settings, sink=sink)

    at_stake = DeliveryPolicy().at_a_time_max + 1 + BATCH_CONCURRENCY
    assert batch.tally.exit_code == 1
    assert batch.tally.stopped is not None
    assert batch.tally.stopped.endswith("deliveries in a row have failed")
    assert 0 < batch.tally.undelivered <= at_stake
    assert batch.tally.delivered + batch.tally.undelivered == len(codes(emulator)) < len(ORDERS)
    assert max(sink.asked.values()) == DeliveryPolicy().attempts_max
    assert not any(code in note for note in display.notes for code in codes(emulator))
