"""What the lean transport decides by itself, because no driver does it: framing and reuse."""

import asyncio
import socket
from contextlib import AsyncExitStack
from typing import Any

import pytest

from agcod_async.core.outcomes import Lost, Reply, Untouched
from agcod_async.wire.http_connection import HEAD_SIZE_MAX, HttpConnection
from agcod_async.wire.lean_transport import KEEP_ALIVE_SECONDS, LeanTransport
from agcod_async.wire.port import Exchanged
from tests.wire.scripted_server import (
    BODY,
    HEADERS,
    Connection,
    Script,
    http,
    one_after_the_other,
    serving,
    silence,
)

CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


def exchanges(script: Script, times: int = 2) -> tuple[list[Exchanged], int]:
    """Send requests one after the other; return the answers and the number of connections."""

    return asyncio.run(one_after_the_other(LeanTransport(), script, times))


def saying(first: bytes, then: bytes = http(b"its own")) -> Script:
    """Say `first` on the first connection, `then` on all others and to every further request."""

    async def script(connection: Connection) -> None:
        await connection.request()
        await connection.reply(then if connection.number else first)
        while True:
            await connection.request()
            await connection.reply(then)

    return script


def test_a_reply_that_comes_without_being_asked_for_answers_no_request() -> None:
    """It comes with the first reply, in one piece: the second request must not be given it."""
    answers, connections = exchanges(saying(http(b"1") + http(b"of nobody")))

    assert answers == [Reply(200, "", b"1"), Reply(200, "", b"its own")]
    assert connections == 2


@pytest.mark.parametrize("cut", [1, 9, 30, 45])
def test_half_a_reply_without_being_asked_for_begins_no_answer(cut: int) -> None:
    answers, connections = exchanges(saying(http(b"1") + http(b"of nobody")[:cut]))

    assert answers == [Reply(200, "", b"1"), Reply(200, "", b"its own")]
    assert connections == 2


@pytest.mark.parametrize("said", [http(b"of nobody"), b"\r\n"], ids=["a reply", "an empty line"])
def test_what_is_said_on_an_idle_connection_spoils_it(said: bytes) -> None:
    async def script(connection: Connection) -> None:
        await connection.request()
        await connection.reply(http(b"1"))
        if connection.number == 0:
            await asyncio.sleep(0.01)
            await connection.reply(said)
        await silence(connection)

    async def main() -> None:
        async with asyncio.timeout(20), serving(script) as served:
            transport = LeanTransport()
            await transport.send(served.url, HEADERS, BODY)
            await served.dropped.wait()
            assert await transport.send(served.url, HEADERS, BODY) == Reply(200, "", b"1")
            assert served.connections == 2
            await transport.aclose()

    asyncio.run(main())


@pytest.mark.parametrize("said", [http(b"of nobody"), None], ids=["a reply", "the end"])
def test_what_came_before_a_request_was_sent_is_no_answer_to_it(said: bytes | None) -> None:
    """It lies in the socket, and the loop had no turn yet to bring it to the connection."""

    async def main() -> None:
        ready: list[Connection] = []

        async def script(connection: Connection) -> None:
            ready.append(connection)
            await saying(http(b"1"))(connection)

        async with asyncio.timeout(20), serving(script) as served:
            transport = LeanTransport()
            await transport.send(served.url, HEADERS, BODY)
            if said is None:
                ready[0].writer.get_extra_info("socket").shutdown(socket.SHUT_WR)
            else:
                ready[0].writer.write(said)
            answer = await transport.send(served.url, HEADERS, BODY)
            assert answer == Reply(200, "", b"its own")
            assert (served.connections, len(served.requests)) == (2, 2)
            await transport.aclose()

    asyncio.run(main())


def test_a_reply_that_announces_another_is_not_the_answer() -> None:
    interim = b"HTTP/1.1 102 Processing\r\ncontent-type: text/plain\r\n\r\n"
    answers, connections = exchanges(saying(interim + http(b"1")))

    assert answers == [Reply(200, "", b"1"), Reply(200, "", b"its own")]
    assert connections == 1


def test_a_reply_that_changes_the_protocol_is_lost() -> None:
    answers, connections = exchanges(
        saying(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\nx")
    )

    assert isinstance(answers[0], Lost)
    assert answers[1] == Reply(200, "", b"its own")
    assert connections == 2


def test_a_body_may_end_with_the_connection() -> None:
    async def script(connection: Connection) -> None:
        await connection.request()
        await connection.reply(b"HTTP/1.1 200 OK\r\n\r\nto the ")
        await connection.reply(b"end")

    answers, connections = exchanges(script)

    assert answers == [Reply(200, "", b"to the end")] * 2
    assert connections == 2


def test_a_connection_that_the_server_will_close_is_not_used_again() -> None:
    answers, connections = exchanges(saying(http(b"1", "connection: close")))

    assert answers == [Reply(200, "", b"1"), Reply(200, "", b"its own")]
    assert connections == 2


def test_a_head_that_never_ends_is_lost() -> None:
    async def script(connection: Connection) -> None:
        await connection.request()
        await connection.reply(b"HTTP/1.1 200 OK\r\nx-endless: ")
        while True:
            await connection.reply(b"y" * 10_000)
            await asyncio.sleep(0)

    answers, _ = exchanges(script, 1)

    assert isinstance(answers[0], Lost)


@pytest.mark.parametrize(
    ("begin", "more"),
    [
        pytest.param(CHUNKED + b"0\r\nx-endless: ", b"y" * 10_000, id="trailer"),
        pytest.param(CHUNKED + b"1;x=", b"y" * 10_000, id="chunk extension"),
        pytest.param(b"", b"HTTP/1.1 102 Processing\r\n\r\n" * 100, id="1xx"),
    ],
)
def test_what_is_never_a_body_and_never_ends_is_lost(begin: bytes, more: bytes) -> None:
    async def script(connection: Connection) -> None:
        await connection.request()
        await connection.reply(begin)
        while True:
            await connection.reply(more)
            await asyncio.sleep(0)

    answers, _ = exchanges(script, 1)

    assert isinstance(answers[0], Lost)


def test_the_limit_of_a_head_is_one_replys_own() -> None:
    head, body = http(b"its own", f"x-long: {'y' * (HEAD_SIZE_MAX // 2)}").split(b"its")

    async def script(connection: Connection) -> None:
        while True:
            await connection.request()
            await connection.reply(head)
            await asyncio.sleep(0.01)  # so that it comes alone
            await connection.reply(b"its" + body)

    answers, connections = exchanges(script, 4)

    assert answers == [Reply(200, "", b"its own")] * 4
    assert connections == 1


def test_a_head_within_its_limit_is_read() -> None:
    long = f"x-long: {'y' * (HEAD_SIZE_MAX - 200)}"
    answers, _ = exchanges(saying(http(b"1", long)), 1)

    assert answers == [Reply(200, "", b"1")]


def test_a_connection_that_was_idle_for_long_is_not_used_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(20), serving(saying(http(b"1"))) as served:
            transport = LeanTransport()
            await transport.send(served.url, HEADERS, BODY)
            real, later = loop.time, KEEP_ALIVE_SECONDS + 1
            monkeypatch.setattr(loop, "time", lambda: real() + later)
            await transport.send(served.url, HEADERS, BODY)
            monkeypatch.undo()
            assert served.connections == 2
            await transport.aclose()

    asyncio.run(main())


def test_in_another_event_loop_nothing_is_sent() -> None:
    """A connection of the first loop still sends there, but nobody would bring its reply."""
    transport = LeanTransport()

    async def main() -> Exchanged:
        async with asyncio.timeout(20), serving(saying(http(b"1"))) as served:
            answer = await transport.send(served.url, HEADERS, BODY)
            if isinstance(answer, Reply):
                (connection,) = transport._idle.popitem()[1]
                connection.close()  # which its own loop alone can do
                await served.dropped.wait()
            assert len(served.requests) == isinstance(answer, Reply)
            return answer

    assert isinstance(asyncio.run(main()), Reply)
    assert isinstance(asyncio.run(main()), Untouched)


def test_a_connection_is_made_with_what_every_loop_knows() -> None:
    """uvloop refuses `happy_eyeballs_delay` and its like, which asyncio alone knows."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        create = loop.create_connection
        known = {"family", "server_hostname", "ssl"}

        async def connect(factory: Any, host: str, port: int, **options: Any) -> Any:
            assert set(options) <= known
            return await create(factory, host, port, **options)

        async with asyncio.timeout(20), serving(saying(http(b"1"))) as served:
            transport = LeanTransport()
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(loop, "create_connection", connect)
                answer = await transport.send(served.url, HEADERS, BODY)
            await transport.aclose()

        assert answer == Reply(200, "", b"1")

    asyncio.run(main())


@pytest.mark.parametrize("value", ["a\r\nx-more: b", "a\nx-more: b", "a\rb", "ä"])
def test_a_header_that_would_break_the_request_is_not_sent(value: str) -> None:
    async def main() -> None:
        async with asyncio.timeout(20), serving(saying(http(b"1"))) as served:
            transport = LeanTransport()
            answer = await transport.send(served.url, {**HEADERS, "x-note": value}, BODY)
            await transport.aclose()

        assert isinstance(answer, Untouched)
        assert served.connections == 0

    asyncio.run(main())


def test_an_exchange_that_is_cancelled_as_its_answer_comes_drops_its_connection_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither idle nor closed, it would stay open until the server tires of it."""

    async def main() -> None:
        async with asyncio.timeout(20), serving(saying(http(b"1"))) as served:
            transport = LeanTransport()
            task = asyncio.create_task(transport.send(served.url, HEADERS, BODY))
            complete = HttpConnection._complete

            def complete_and_cancel(connection: HttpConnection) -> None:
                complete(connection)
                task.cancel()

            monkeypatch.setattr(HttpConnection, "_complete", complete_and_cancel)
            with pytest.raises(asyncio.CancelledError):
                await task
            await served.dropped.wait()
            await transport.aclose()

    asyncio.run(main())


@pytest.mark.parametrize(
    "trailer",
    ["content-encoding: br", "content-type: text/x", "date: Sun, 06 Nov 1994 08:49:37 GMT"],
)
def test_what_stands_behind_a_body_changes_nothing_of_it(trailer: str) -> None:
    raw = f"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n{trailer}\r\n\r\n"
    answers, connections = exchanges(saying(raw.encode()))

    assert answers == [Reply(200, "", b"a"), Reply(200, "", b"its own")]
    assert connections == 1


def test_requests_under_way_together_take_connections_of_their_own() -> None:
    async def main() -> None:
        async def script(connection: Connection) -> None:
            while True:
                request = await connection.request()
                await asyncio.sleep(0.001)
                await connection.reply(http(request[-3:]))

        async with asyncio.timeout(20), serving(script) as served:
            transport = LeanTransport(connections_max=10)
            answers = await asyncio.gather(
                *(transport.send(served.url, HEADERS, b"%03d" % n) for n in range(100))
            )
            assert answers == [Reply(200, "", b"%03d" % n) for n in range(100)]
            assert served.connections == 10
            await transport.aclose()

    asyncio.run(main())


def test_connections_to_several_places_are_no_more_than_allowed_together() -> None:
    async def main() -> None:
        async with asyncio.timeout(20), AsyncExitStack() as stack:
            places = [
                await stack.enter_async_context(serving(saying(http(b"1"), http(b"1"))))
                for _ in range(4)
            ]
            transport = LeanTransport(connections_max=2)
            for place in (*places, places[-1]):
                assert await transport.send(place.url, HEADERS, BODY) == Reply(200, "", b"1")
            for place in places[:2]:
                await place.dropped.wait()
            assert [place.dropped.is_set() for place in places] == [True, True, False, False]
            assert [place.connections for place in places] == [1, 1, 1, 1]
            await transport.aclose()

    asyncio.run(main())
