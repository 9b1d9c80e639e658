"""Whoever is cancelled over real sockets leaves nothing: no slot, no socket, no task, no doubt."""

import asyncio

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
from tests.support.sockets import (
    CONNECTIONS,
    TRANSPORTS,
    left_at,
    left_at_every_turn,
    settled,
    sockets,
    turns,
)
from tests.wire.scripted_server import Connection, Script, http, serving, silence

SILENT_TURNS = 30
"""More than an exchange over a new connection takes until its request has left."""
HEADERS = {"host": "agcod.example"}


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
    async def main() -> None:
        before = sockets()
        async with serving(answers) as sound, serving(SERVERS[server]) as served:
            with_servers = sockets()
            transport = TRANSPORTS[kind]()
            if server == "is silent":
                for turn in range(SILENT_TURNS):
                    assert await left_at(turn, transport.send(served.url, HEADERS, b"{}"))
            else:
                ended_at = await left_at_every_turn(
                    lambda _: transport.send(served.url, HEADERS, b"{}")
                )
                assert ended_at > 0
            # All slots are there, and whoever has one gets the reply to its own request.
            replies = await asyncio.gather(
                *(transport.send(sound.url, HEADERS, b"{}") for _ in range(4 * CONNECTIONS))
            )
            assert replies == [Reply(200, "", b"its own")] * 4 * CONNECTIONS
            await transport.aclose()
            await settled(lambda: sockets() == with_servers)
        await settled(lambda: asyncio.all_tasks() == {asyncio.current_task()})
        await settled(lambda: sockets() == before)

    asyncio.run(main())


@pytest.mark.parametrize("kind", TRANSPORTS)
def test_connects_that_are_cancelled_in_any_turn_leave_no_slot_taken(kind: str) -> None:
    async def main() -> None:
        before = sockets()
        async with serving(silence) as mute, serving(answers) as sound:
            with_servers = sockets()
            transport = TRANSPORTS[kind]()
            handshake = mute.url.replace("http", "https")  # it hangs in it
            for turn in range(SILENT_TURNS):
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
