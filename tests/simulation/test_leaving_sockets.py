"""Callers who leave at every turn of a real loop, over real connections: none of these is lost."""

import asyncio
from collections.abc import Callable

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
from agcod_async.wire.aiohttp_transport import AiohttpTransport
from agcod_async.wire.httpx_transport import HttpxTransport
from agcod_async.wire.port import Transport

CONNECTIONS = 2
TURNS = 24
"""More than an exchange over a new connection takes until its request has left."""

TRANSPORTS: dict[str, Callable[[], Transport]] = {
    "httpx": lambda: HttpxTransport(connections_max=CONNECTIONS),
    "aiohttp": lambda: AiohttpTransport(connections_max=CONNECTIONS),
}


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def issue(session: AgcodSession, number: int) -> str:
    card = await session.create_gift_card(
        request_id=f"{EMULATOR_PARTNER_ID}N{number}", amount=Money(10, "USD"), deadline_seconds=5
    )
    return card.request_id


@pytest.mark.parametrize("kind", TRANSPORTS)
def test_callers_who_leave_cost_no_connection(kind: str) -> None:
    async def main() -> int:
        emulator = Emulator(EmulatorConfig(requests_per_second=None))
        transport = TRANSPORTS[kind]()
        gone = 0
        async with serve(emulator) as url:
            settings = Settings(
                credentials=EMULATOR_CREDENTIALS,
                partner_id=EMULATOR_PARTNER_ID,
                base_url=url,
                requests_per_second=2_000.0,
            )
            async with AgcodSession(settings, transport=transport) as session:
                for number in range(TURNS):
                    caller = asyncio.create_task(issue(session, number))
                    await turns(number)
                    caller.cancel()
                    await asyncio.wait([caller])
                    gone += caller.cancelled()
                known = await asyncio.gather(*(issue(session, n) for n in range(TURNS + 8)))
            await transport.aclose()
        live = [
            card.request_id for card in emulator.ledger.cards() if card.status is CardStatus.LIVE
        ]
        assert sorted(live) == sorted(known)
        return gone

    # The others were answered before it was their turn to leave.
    assert asyncio.run(main()) > TURNS / 3
