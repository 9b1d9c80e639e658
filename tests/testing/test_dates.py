"""The emulator's clock: its own, in every reply to an operation, and it may be off."""

import asyncio
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp
import pytest

from agcod_async.core.outcomes import Reply
from agcod_async.testing import Emulator, FaultKind, FaultRule, FaultScript
from agcod_async.testing.clock import WALL_AT_START, run, virtual_clock
from agcod_async.testing.server import serve
from agcod_async.wire.aiohttp_transport import AiohttpTransport
from tests.testing.requests import JSON, config, create, signed

AHEAD = [0.0, 90.0, -3600.0]


@pytest.mark.parametrize("ahead", AHEAD)
def test_a_reply_has_the_second_in_which_it_was_written(ahead: float) -> None:
    async def main() -> float | None:
        slow = FaultScript(rules=(FaultRule(fault=FaultKind.SLOW, seconds=5.75),))
        knobs = config(clock_ahead_seconds=ahead, faults=slow)
        transport = Emulator(knobs, clock=virtual_clock()).transport()
        reply = await transport.send("http://127.0.0.1/CreateGiftCard", JSON, create())
        assert isinstance(reply, Reply)
        return reply.date

    assert run(main()) == WALL_AT_START + ahead + 5


@pytest.mark.parametrize("ahead", [-301.5, 301.5])
def test_a_refusal_for_the_date_has_a_date_too(ahead: float) -> None:
    async def main() -> Reply:
        knobs = config(clock_ahead_seconds=ahead, verify_signatures=True)
        transport = Emulator(knobs, clock=virtual_clock()).transport()
        headers = signed("CreateGiftCard", create())
        reply = await transport.send("http://127.0.0.1:8080/CreateGiftCard", headers, create())
        assert isinstance(reply, Reply)
        return reply

    reply = run(main())
    assert reply.status == 403
    assert b"Signature" in reply.body
    assert reply.date == pytest.approx(WALL_AT_START + ahead, abs=1)


@pytest.mark.parametrize("ahead", AHEAD)
def test_over_http_the_date_is_the_emulators_and_not_the_servers(ahead: float) -> None:
    async def main() -> tuple[list[str], float | None]:
        emulator = Emulator(config(clock_ahead_seconds=ahead))
        transport = AiohttpTransport()
        async with serve(emulator) as url, aiohttp.ClientSession() as client:
            async with client.post(f"{url}/CreateGiftCard", data=create(), headers=JSON) as reply:
                dates = reply.headers.getall("date")
            seen = await transport.send(f"{url}/CreateGiftCard", JSON, create())
            await transport.aclose()
        assert isinstance(seen, Reply)
        return dates, seen.date

    (date,), seen = asyncio.run(main())
    now = datetime.now(UTC).timestamp() + ahead
    assert parsedate_to_datetime(date).timestamp() == pytest.approx(now, abs=3)
    assert seen == pytest.approx(now, abs=3)
