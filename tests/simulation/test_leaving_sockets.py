"""Callers who leave at every turn of a real loop, over real connections: none of these is lost."""

import asyncio

import pytest

from agcod_async.agcod import AgcodSession
from agcod_async.settings import Settings
from agcod_async.testing import (
    EMULATOR_CREDENTIALS,
    EMULATOR_PARTNER_ID,
    CardStatus,
    Emulator,
    EmulatorConfig,
)
from agcod_async.testing.server import serve
from agcod_async.values import Money
from tests.support.sockets import TRANSPORTS, left_at_every_turn

MORE = 8
"""Calls after those that were left: more than there are connections."""


async def issue(session: AgcodSession, number: int) -> str:
    card = await session.create_gift_card(
        request_id=f"{EMULATOR_PARTNER_ID}N{number}", amount=Money(10, "USD"), deadline_seconds=5
    )
    return card.request_id


@pytest.mark.parametrize("kind", TRANSPORTS)
def test_callers_who_leave_cost_no_connection(kind: str) -> None:
    async def main() -> None:
        emulator = Emulator(EmulatorConfig(requests_per_second=None))
        transport = TRANSPORTS[kind]()

        def live() -> list[str]:
            cards = emulator.ledger.cards()
            return sorted(card.request_id for card in cards if card.status is CardStatus.LIVE)

        async with serve(emulator) as url:
            settings = Settings(
                credentials=EMULATOR_CREDENTIALS,
                partner_id=EMULATOR_PARTNER_ID,
                base_url=url,
                requests_per_second=2_000.0,
            )
            async with AgcodSession(settings, transport=transport) as session:
                ended_at = await left_at_every_turn(lambda turn: issue(session, turn))
                # Of those who have left some have a card: they left in the middle of an exchange.
                assert len(live()) > 1
                known = await asyncio.gather(
                    *(issue(session, number) for number in range(ended_at + MORE))
                )
            await transport.aclose()
        assert live() == sorted(known)

    asyncio.run(main())
