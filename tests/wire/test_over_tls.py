"""Exchanges over TLS, where bytes may wait inside asyncio, and no socket shows them."""

import asyncio
import random
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import certifi
import pytest

from agcod_async.core.outcomes import Reply
from agcod_async.wire.aiohttp_transport import AiohttpTransport
from agcod_async.wire.lean_transport import LeanTransport
from agcod_async.wire.port import REPLY_SIZE_MAX, Exchanged, Transport
from tests.wire.scripted_server import (
    Connection,
    Script,
    answering,
    http,
    one_after_the_other,
    silence,
)

Exchanges = Callable[[Script, int], tuple[Sequence[Exchanged], int]]


@pytest.fixture(params=[AiohttpTransport, LeanTransport])
def kind(request: pytest.FixtureRequest) -> Callable[[], Transport]:
    made: Callable[[], Transport] = request.param
    return made


@pytest.fixture
def exchanges(
    kind: Callable[[], Transport],
    certificate: Path,
    self_signed: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
) -> Exchanges:
    """Return what sends requests one after the other, and returns answers and connections."""
    monkeypatch.setattr(certifi, "where", lambda: str(certificate))
    errors: list[dict[str, Any]] = []

    async def main(script: Script, times: int) -> tuple[Sequence[Exchanged], int]:
        asyncio.get_running_loop().set_exception_handler(lambda _, error: errors.append(error))
        told = await one_after_the_other(kind(), script, times, self_signed)
        assert errors == []
        return told

    return lambda script, times: asyncio.run(main(script, times))


def some(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def test_a_connection_is_kept_and_replies_arrive_byte_for_byte(exchanges: Exchanges) -> None:
    bodies = [b"{}", some(REPLY_SIZE_MAX), some(500)]

    answers, connections = exchanges(answering(*map(http, bodies)), 3)

    assert answers == [Reply(200, "", body) for body in bodies]
    assert connections == 1


@pytest.mark.parametrize("size", [100, 1_000, 5_000, 16_384])
def test_a_reply_in_records_of_any_size_arrives_byte_for_byte(
    exchanges: Exchanges, size: int
) -> None:
    body = some(70_000)

    async def script(connection: Connection) -> None:
        await connection.request()
        reply = http(body)
        for start in range(0, len(reply), size):
            connection.writer.write(reply[start : start + size])
        await silence(connection)

    answers, _ = exchanges(script, 1)

    assert answers == [Reply(200, "", body)]


@pytest.mark.parametrize("size", [40_000, 60_000, 200_000])
@pytest.mark.parametrize("framing", ["content-length: {}", "connection: close", "x-none: {}"])
def test_a_reply_is_whole_though_the_server_closes_behind_it(
    exchanges: Exchanges, size: int, framing: str
) -> None:
    body = some(size)

    async def script(connection: Connection) -> None:
        await connection.request()
        lines = ("HTTP/1.1 200 OK", framing.format(size), "", "")
        connection.writer.write("\r\n".join(lines).encode() + body)
        # It is closed as soon as this has ended.

    answers, _ = exchanges(script, 1)

    assert answers == [Reply(200, "", body)]


# aiohttp would take the last of these for the next answer; its request ID gives it away there.
@pytest.mark.parametrize("kind", [LeanTransport])
@pytest.mark.parametrize("padding", [0, 10, 16_384, 40_000])
def test_a_reply_that_comes_without_being_asked_for_answers_no_request(
    exchanges: Exchanges, padding: int
) -> None:
    """It comes with the first reply, behind empty lines that HTTP lets a reader skip."""

    async def script(connection: Connection) -> None:
        await connection.request()
        more = b"\r\n" * padding + http(b"of nobody") if connection.number == 0 else b""
        await connection.reply(http(b"its own") + more)
        await connection.request()
        await connection.reply(http(b"its own"))

    answers, connections = exchanges(script, 2)

    assert answers == [Reply(200, "", b"its own")] * 2
    assert connections == 2
