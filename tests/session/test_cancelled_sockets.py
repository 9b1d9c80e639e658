"""Whoever is cancelled over real sockets leaves nothing: no slot, no socket, no task, no doubt."""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from agcod_async.agcod import AgcodSession
from agcod_async.core.outcomes import Reply
from agcod_async.errors import InDoubtError
from agcod_async.journal.memory import MemoryJournal
from agcod_async.settings import Settings
from agcod_async.testing import (
    EMULATOR_CREDENTIALS,
    EMULATOR_PARTNER_ID,
    Emulator,
    EmulatorConfig,
    FaultKind,
    FaultRule,
    FaultScript,
)
from agcod_async.testing.server import serve
from agcod_async.values import Money
from agcod_async.wire.aiohttp_transport import AiohttpTransport
from agcod_async.wire.httpx_transport import HttpxTransport
from agcod_async.wire.lean_transport import LeanTransport
from agcod_async.wire.port import Transport
from tests.wire.scripted_server import Connection, Script, http, serving, silence

CONNECTIONS = 2
TURNS = 30
"""More than an exchange over a new connection takes until its reply is read."""

TRANSPORTS: dict[str, Callable[[], Transport]] = {
    "httpx": lambda: HttpxTransport(connections_max=CONNECTIONS),
    "aiohttp": lambda: AiohttpTransport(connections_max=CONNECTIONS),
    "lean": lambda: LeanTransport(connections_max=CONNECTIONS),
}
HEADERS = {"host": "agcod.example"}


def sockets() -> int:
    """Count the sockets that this process has open."""
    open_now = 0
    for entry in Path("/proc/self/fd").iterdir():
        try:
            open_now += os.readlink(entry).startswith("socket:")  # noqa: PTH115  it is no path
        except FileNotFoundError:  # that of the listing itself
            continue
    return open_now


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def settled(is_so: Callable[[], bool]) -> None:
    """Wait for what the loop is about to do; at most for a second."""
    deadline = time.monotonic() + 1.0
    while not is_so() and time.monotonic() < deadline:  # noqa: ASYNC110  nobody tells of sockets
        await asyncio.sleep(0.001)
    assert is_so()


async def answers(connection: Connection) -> None:
    while True:
        await connection.request()
        await connection.reply(http(b"its own"))


async def answers_in_two_pieces(connection: Connection) -> None:
    while True:
        await connection.request()
        whole = http(b"its own")
        await connection.reply(whole[:20])
        await turns(3)
        await connection.reply(whole[20:])


SERVERS: dict[str, Script] = {
    "answers": answers,
    "answers in two pieces": answers_in_two_pieces,
    "is silent": silence,
}


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("kind", TRANSPORTS)
def test_an_exchange_that_is_cancelled_in_any_turn_leaves_nothing(kind: str, server: str) -> None:
    async def main() -> int:
        before, cancelled = sockets(), 0
        async with serving(answers) as sound, serving(SERVERS[server]) as served:
            with_servers = sockets()
            transport = TRANSPORTS[kind]()
            for turn in range(TURNS):
                sending = asyncio.create_task(transport.send(served.url, HEADERS, b"{}"))
                await turns(turn)
                sending.cancel()
                await asyncio.wait([sending])
                cancelled += sending.cancelled()
            # All slots are there, and whoever has one gets the reply to its own request.
            replies = await asyncio.gather(
                *(transport.send(sound.url, HEADERS, b"{}") for _ in range(4 * CONNECTIONS))
            )
            assert replies == [Reply(200, "", b"its own")] * 4 * CONNECTIONS
            await transport.aclose()
            await settled(lambda: sockets() == with_servers)
        await settled(lambda: asyncio.all_tasks() == {asyncio.current_task()})
        await settled(lambda: sockets() == before)
        return cancelled

    assert asyncio.run(main()) >= TURNS / 6


@pytest.mark.parametrize("kind", TRANSPORTS)
def test_connects_that_are_cancelled_in_any_turn_leave_no_slot_taken(kind: str) -> None:
    async def main() -> None:
        before = sockets()
        async with serving(silence) as mute, serving(answers) as sound:
            with_servers = sockets()
            transport = TRANSPORTS[kind]()
            handshake = mute.url.replace("http", "https")  # it hangs in it
            for turn in range(TURNS):
                stuck = [
                    asyncio.create_task(transport.send(handshake, HEADERS, b"{}"))
                    for _ in range(2 * CONNECTIONS)
                ]
                await turns(turn)
                for one in stuck:
                    one.cancel()
                await asyncio.wait(stuck)
                assert all(one.cancelled() for one in stuck)
            replies = await asyncio.gather(
                *(transport.send(sound.url, HEADERS, b"{}") for _ in range(CONNECTIONS))
            )
            assert replies == [Reply(200, "", b"its own")] * CONNECTIONS
            await transport.aclose()
            await settled(lambda: sockets() == with_servers)
        await settled(lambda: asyncio.all_tasks() == {asyncio.current_task()})
        await settled(lambda: sockets() == before)

    asyncio.run(main())


def settings_for(url: str) -> Settings:
    return Settings(
        credentials=EMULATOR_CREDENTIALS,
        partner_id=EMULATOR_PARTNER_ID,
        base_url=url,
        requests_per_second=2_000.0,
        attempt_timeout_seconds=0.3,
    )


async def issue(session: AgcodSession, number: int, *, deadline_seconds: float = 5.0) -> str:
    card = await session.create_gift_card(
        request_id=f"{EMULATOR_PARTNER_ID}N{number}",
        amount=Money(10, "USD"),
        deadline_seconds=deadline_seconds,
    )
    return card.request_id


def amazon(*faults: FaultRule) -> Emulator:
    return Emulator(EmulatorConfig(requests_per_second=None, faults=FaultScript(rules=faults)))


@pytest.mark.parametrize("kind", TRANSPORTS)
def test_a_deadline_in_the_middle_of_an_exchange_leaves_nothing_but_the_entry(kind: str) -> None:
    async def main() -> None:
        before, journal = sockets(), MemoryJournal()
        silent = FaultRule(fault=FaultKind.LOSE_REPLY, times=CONNECTIONS)
        emulator = amazon(silent)
        async with serve(emulator) as url:
            transport = TRANSPORTS[kind]()
            async with AgcodSession(
                settings_for(url), transport=transport, journal=journal
            ) as session:
                with_deadline = [
                    issue(session, number, deadline_seconds=0.1) for number in range(CONNECTIONS)
                ]
                told = await asyncio.gather(*with_deadline, return_exceptions=True)
                assert {type(error) for error in told} == {InDoubtError}
                # What is under way is not cut off; when it has ended, its slots are free again.
                assert await asyncio.gather(*(issue(session, n) for n in range(2 * CONNECTIONS)))
            await transport.aclose()
        assert len(list(emulator.ledger.cards())) == 2 * CONNECTIONS
        assert [one async for one in journal.entries() if one.is_open] == []
        await settled(lambda: asyncio.all_tasks() == {asyncio.current_task()})
        await settled(lambda: sockets() == before)

    asyncio.run(main())


CLOSING_TURNS = range(0, 24, 3)


@pytest.mark.parametrize("kind", [*TRANSPORTS, "its own"])
def test_a_closing_that_is_cancelled_can_be_done_again_and_leaves_nothing(kind: str) -> None:
    async def close_at(turn: int) -> bool:
        before, journal = sockets(), MemoryJournal()
        emulator = amazon(FaultRule(fault=FaultKind.SLOW, seconds=0.02, times=CONNECTIONS))
        async with serve(emulator) as url:
            transport = None if kind == "its own" else TRANSPORTS[kind]()
            session = AgcodSession(settings_for(url), transport=transport, journal=journal)
            callers = [asyncio.create_task(issue(session, n)) for n in range(CONNECTIONS)]
            await asyncio.sleep(0.005)
            closing = asyncio.create_task(session.aclose())
            await turns(turn)
            closing.cancel()
            await asyncio.wait([closing])
            await session.aclose()
            # Who was under way is served, cancelled closing or not.
            assert len(await asyncio.gather(*callers)) == CONNECTIONS
            if transport is not None:
                await transport.aclose()
        assert [one async for one in journal.entries() if one.is_open] == []
        await settled(lambda: asyncio.all_tasks() == {asyncio.current_task()})
        await settled(lambda: sockets() == before)
        return closing.cancelled()

    async def main() -> int:
        return sum([await close_at(turn) for turn in CLOSING_TURNS])

    assert asyncio.run(main()) > len(CLOSING_TURNS) / 2


@pytest.mark.parametrize("turn", range(12))
def test_a_closing_that_is_cancelled_when_nothing_runs_closes_everything(turn: int) -> None:
    async def main() -> None:
        before = sockets()
        async with serve(amazon()) as url:
            session = AgcodSession(settings_for(url))
            await issue(session, 1)
            closing = asyncio.create_task(session.aclose())
            await turns(turn)
            closing.cancel()
            await asyncio.wait([closing])
            await session.aclose()
        await settled(lambda: asyncio.all_tasks() == {asyncio.current_task()})
        await settled(lambda: sockets() == before)

    asyncio.run(main())
