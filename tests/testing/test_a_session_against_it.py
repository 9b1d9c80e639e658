"""What the emulator is for: a session in trouble, and a ledger that tells what became of it."""

import asyncio

from agcod_async import AgcodSession, Money, RequestId, Settings
from agcod_async.testing import (
    EMULATOR_CREDENTIALS,
    EMULATOR_PARTNER_ID,
    CardStatus,
    Emulator,
    EmulatorConfig,
    FaultKind,
    FaultMix,
    FaultScript,
)
from agcod_async.testing.clock import run, virtual_clock
from agcod_async.testing.faults import Seen

ORDERS = 60


def test_a_session_issues_every_order_once_through_a_storm_of_faults() -> None:
    async def main() -> tuple[Emulator, list[str]]:
        clock = virtual_clock()
        mix = FaultMix(seed=11, probabilities=dict.fromkeys(FaultKind, 0.02))
        config = EmulatorConfig(faults=FaultScript(random=mix))
        emulator = Emulator(config, clock=clock)
        settings = Settings(
            credentials=EMULATOR_CREDENTIALS,
            partner_id=EMULATOR_PARTNER_ID,
            deadline_seconds=3600,
        )
        async with AgcodSession(settings, transport=emulator.transport(), clock=clock) as session:

            async def order(number: int) -> str:
                request_id = RequestId.derive(EMULATOR_PARTNER_ID, f"order-{number}")
                card = await session.create_gift_card(
                    request_id=request_id, amount=Money("25.00", "USD")
                )
                return str(card.request_id)

            live_ids = await asyncio.gather(*(order(number) for number in range(ORDERS)))
        emulator.land_everything()
        return emulator, list(live_ids)

    emulator, live_ids = run(main())

    live = {c.request_id for c in emulator.ledger.cards() if c.status is CardStatus.LIVE}
    assert live == set(live_ids)
    assert len(live_ids) == ORDERS
    balance = emulator.ledger.balances()[0]
    assert balance.debited == balance.live == 25 * ORDERS
    assert emulator.arrivals.busiest.requests <= 10
    assert emulator.arrivals.by_result["throttled"] == 0
    # It was a storm: something of every sort has happened.
    seen = {FaultKind(name).seen for name in emulator.arrivals.by_fault}
    assert len(seen) > len(Seen) / 2
