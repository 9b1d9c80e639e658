"""The transports over real sockets on 127.0.0.1: what each misbehaviour of a server proves."""

import asyncio
import gzip
import random
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import httpx
import pytest

from agcod_async.core.outcomes import Lost, Reply, Unclear, Untouched
from agcod_async.wire.aiohttp_transport import AiohttpTransport
from agcod_async.wire.httpx_transport import HttpxTransport
from agcod_async.wire.lean_transport import LeanTransport
from agcod_async.wire.port import REPLY_SIZE_MAX, Exchanged, Transport
from tests.support.sockets import client_on_aiohttp
from tests.wire.scripted_server import (
    BODY,
    HEADERS,
    Connection,
    Script,
    answering,
    http,
    serving,
    silence,
)

JSON = "content-type: application/json"

OURS = ("aiohttp", "lean")
ON_AIOHTTP = "httpx on aiohttp, brought"
ON_HTTPCORE = "httpx on httpcore, brought"
ALL = (*OURS, "aiohttp, brought", ON_AIOHTTP, ON_HTTPCORE)


@asynccontextmanager
async def opened(kind: str, **limits: float) -> AsyncIterator[Transport]:
    """Make a transport of a kind, in the running loop, and close it and what it was brought."""
    match kind:
        case "aiohttp":
            transport: Transport = AiohttpTransport(**limits)  # type: ignore[arg-type]
            yield transport
        case "lean":
            transport = LeanTransport(**limits)  # type: ignore[arg-type]
            yield transport
        case "aiohttp, brought":
            async with aiohttp.ClientSession() as session:
                transport = AiohttpTransport(session=session, **limits)  # type: ignore[arg-type]
                yield transport
        case "httpx on aiohttp, brought":
            async with client_on_aiohttp(int(limits.pop("connections_max", 100))) as client:
                transport = HttpxTransport(client, **limits)
                yield transport
        case "httpx on httpcore, brought":
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            pool = httpx.Limits(max_connections=int(limits.pop("connections_max", 100)))
            async with httpx.AsyncClient(verify=tls, follow_redirects=True, limits=pool) as client:
                transport = HttpxTransport(client, **limits)
                yield transport
        case _:
            pytest.fail(f"unknown transport: {kind}")
    await transport.aclose()


def exchange(kind: str, script: Script, *, scheme: str = "http") -> Exchanged:
    """Send one request to a server that follows `script`, and return what came of it."""

    async def main() -> Exchanged:
        async with asyncio.timeout(20), serving(script) as served, opened(kind) as transport:
            return await transport.send(served.url.replace("http", scheme, 1), HEADERS, BODY)

    return asyncio.run(main())


Use = Callable[[Transport], Awaitable[None]]


def using(kind: str, use: Use, **limits: float) -> None:
    """Run `use` with a transport, under a bound on real time."""

    async def main() -> None:
        async with asyncio.timeout(20), opened(kind, **limits) as transport:
            await use(transport)

    asyncio.run(main())


# --- a reply ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ALL)
def test_a_reply_is_handed_on_as_it_is(kind: str) -> None:
    raw = http(b'{"status":"SUCCESS"}', JSON)

    assert exchange(kind, answering(raw)) == Reply(200, "application/json", b'{"status":"SUCCESS"}')


@pytest.mark.parametrize("status", ["400 Bad Request", "403 Forbidden", "503 Unavailable"])
@pytest.mark.parametrize("kind", ALL)
def test_a_reply_of_any_status_is_a_reply(kind: str, status: str) -> None:
    raw = http(b"<ThrottlingException/>", "content-type: text/xml", status=status)

    assert exchange(kind, answering(raw)) == Reply(
        int(status[:3]), "text/xml", b"<ThrottlingException/>"
    )


@pytest.mark.parametrize("kind", ALL)
def test_a_reply_brings_its_date_along(kind: str) -> None:
    raw = http(b"{}", JSON, "Date: Sun, 06 Nov 1994 08:49:37 GMT")

    assert exchange(kind, answering(raw)) == Reply(200, "application/json", b"{}", 784_111_777.0)


@pytest.mark.parametrize("kind", ALL)
def test_a_reply_whose_date_cannot_be_read_has_none(kind: str) -> None:
    raw = http(b"{}", JSON, "Date: soon")

    assert exchange(kind, answering(raw)) == Reply(200, "application/json", b"{}", None)


@pytest.mark.parametrize("kind", ALL)
def test_a_reply_without_body_or_content_type_is_a_reply(kind: str) -> None:
    assert exchange(kind, answering(http(b""))) == Reply(200, "", b"")


@pytest.mark.parametrize("kind", ALL)
def test_a_chunked_reply_is_put_together(kind: str) -> None:
    raw = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"

    assert exchange(kind, answering(raw)) == Reply(200, "", b"abcde")


@pytest.mark.parametrize("kind", ALL)
def test_a_redirect_is_a_reply_and_is_not_followed(kind: str) -> None:
    async def main() -> None:
        script = answering(
            http(b"", "location: /elsewhere", status="307 Temporary Redirect"), http(b"followed")
        )
        async with serving(script) as served, opened(kind) as transport:
            assert await transport.send(served.url, HEADERS, BODY) == Reply(307, "", b"")
            assert len(served.requests) == 1

    asyncio.run(main())


@pytest.mark.parametrize("kind", ALL)
def test_a_reply_as_large_as_allowed_is_read(kind: str) -> None:
    body = random.Random(1).randbytes(REPLY_SIZE_MAX)

    assert exchange(kind, answering(http(body))) == Reply(200, "", body)


# --- what goes out ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ALL)
def test_the_signed_headers_and_the_body_arrive_byte_for_byte(kind: str) -> None:
    async def main() -> None:
        signed = {
            "accept": "application/json",
            "content-type": "application/json",
            "host": "agcod-v2-gamma.amazon.com",
            "x-amz-date": "20240102T030405Z",
            "x-amz-target": "com.amazonaws.agcod.AGCODService.CreateGiftCard",
            "authorization": "AWS4-HMAC-SHA256 Credential=AKID/20240102/x, Signature=cafe",
        }
        async with serving(answering(http(b""))) as served, opened(kind) as transport:
            await transport.send(served.url, signed, BODY)

        head, _, body = served.requests[0].partition(b"\r\n\r\n")
        request_line, *lines = head.decode().split("\r\n")
        sent = [line.partition(": ")[::2] for line in lines]
        assert request_line == "POST /CreateGiftCard HTTP/1.1"
        assert body == BODY
        names = [name.lower() for name, _ in sent]
        assert len(names) == len(set(names))
        received = {name.lower(): value for name, value in sent}
        assert {name: received.pop(name) for name in signed} == signed
        assert received.pop("user-agent").startswith("agcod-async/")
        assert received == {"accept-encoding": "identity", "content-length": str(len(BODY))}

    asyncio.run(main())


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("rest", ["", "/", "/hooks/cards", "/hooks?token=abc&x=1", "?token=abc"])
def test_the_path_and_the_query_of_a_url_are_sent(kind: str, rest: str) -> None:
    async def main() -> None:
        async with serving(answering(http(b""))) as served, opened(kind) as transport:
            origin = served.url.rpartition("/")[0]
            await transport.send(f"{origin}{rest}", HEADERS, BODY)

        asked = rest if rest.startswith("/") else f"/{rest}"
        assert served.requests[0].startswith(f"POST {asked} HTTP/1.1\r\n".encode())

    asyncio.run(main())


# Not on httpx-aiohttp, nor a session that is brought: the jar is in what was brought.
@pytest.mark.parametrize("kind", [*OURS, ON_HTTPCORE])
def test_a_cookie_is_never_sent_back(kind: str) -> None:
    async def main() -> None:
        script = answering(http(b"", "set-cookie: crumb=1; path=/"), http(b""))
        async with serving(script) as served, opened(kind) as transport:
            # aiohttp's cookie jar takes nothing from a bare address, so the host has its name.
            url = served.url.replace("127.0.0.1", "localhost")
            await transport.send(url, HEADERS, BODY)
            await transport.send(url, HEADERS, BODY)

        assert len(served.requests) == 2
        assert b"crumb" not in b"".join(served.requests)

    asyncio.run(main())


@pytest.mark.parametrize("kind", OURS)
def test_a_proxy_or_a_key_log_that_the_environment_names_is_not_used(
    kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SSLKEYLOGFILE", f"{tmp_path}/keys")

    assert exchange(kind, answering(http(b"direct"))) == Reply(200, "", b"direct")


@pytest.mark.parametrize("kind", ALL)
def test_one_connection_serves_one_request_after_the_other(kind: str) -> None:
    async def main() -> None:
        script = answering(http(b"1"), http(b"2"), http(b"3"))
        async with serving(script) as served, opened(kind) as transport:
            answers = [await transport.send(served.url, HEADERS, BODY) for _ in range(3)]

        assert answers == [Reply(200, "", body) for body in (b"1", b"2", b"3")]
        assert served.connections == 1

    asyncio.run(main())


# --- no connection: nothing has left ---------------------------------------------------------


@pytest.fixture
def closed_port() -> int:
    """Return a port that was free a moment ago; nobody listens there."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.parametrize("kind", ALL)
def test_a_refused_connection_is_untouched(kind: str, closed_port: int) -> None:
    async def use(transport: Transport) -> None:
        url = f"http://127.0.0.1:{closed_port}/CreateGiftCard"
        assert isinstance(await transport.send(url, HEADERS, BODY), Untouched)

    using(kind, use)


@pytest.mark.parametrize("kind", ALL)
def test_a_name_that_is_not_found_is_untouched(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def not_found(*_args: object, **_kwargs: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", not_found)

    async def use(transport: Transport) -> None:
        url = "https://agcod.invalid/CreateGiftCard"
        assert isinstance(await transport.send(url, HEADERS, BODY), Untouched)

    using(kind, use)


@pytest.mark.parametrize("kind", ALL)
def test_a_server_that_does_not_speak_tls_is_untouched(kind: str) -> None:
    async def plain_text(connection: Connection) -> None:
        await connection.reply(b"220 this is not TLS\r\n")
        await silence(connection)

    assert isinstance(exchange(kind, plain_text, scheme="https"), Untouched)


@pytest.mark.parametrize("kind", ALL)
def test_a_connection_closed_within_the_tls_handshake_is_untouched(kind: str) -> None:
    async def hang_up(connection: Connection) -> None:
        await connection.reader.read(1)

    assert isinstance(exchange(kind, hang_up, scheme="https"), Untouched)


@pytest.mark.parametrize("kind", ALL)
def test_a_tls_handshake_that_takes_too_long_is_untouched(kind: str) -> None:
    async def main() -> None:
        async with serving(silence) as served, opened(kind, connect_timeout_seconds=0.05) as t:
            answer = await t.send(served.url.replace("http", "https"), HEADERS, BODY)

        assert isinstance(answer, Untouched)

    asyncio.run(main())


@pytest.mark.parametrize("kind", [*OURS, ON_AIOHTTP, ON_HTTPCORE])
def test_who_waits_too_long_for_a_free_connection_is_untouched(kind: str) -> None:
    async def main() -> None:
        limits = {"connections_max": 1, "connect_timeout_seconds": 0.05}
        async with serving(silence) as served, opened(kind, **limits) as transport:
            first = asyncio.create_task(transport.send(served.url, HEADERS, BODY))
            await asyncio.sleep(0.01)
            second = await transport.send(served.url, HEADERS, BODY)
            assert not first.done()
            first.cancel()
            await asyncio.wait([first])

        assert isinstance(second, Untouched)
        assert served.connections == 1

    asyncio.run(main())


@pytest.mark.parametrize(
    "url",
    [
        "http://agcod-v2-gamma.amazon.com/CreateGiftCard",
        "http://127.0.0.1.example/CreateGiftCard",
        "http://10.0.0.1/CreateGiftCard",
        "ftp://127.0.0.1/CreateGiftCard",
        "https:///CreateGiftCard",
        "//127.0.0.1/CreateGiftCard",
        "CreateGiftCard",
    ],
)
@pytest.mark.parametrize("kind", ALL)
def test_plain_http_never_leaves_this_machine(
    kind: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_args: object, **_kwargs: object) -> None:
        pytest.fail("a connection was made")

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", forbidden)
    monkeypatch.setattr(asyncio.BaseEventLoop, "create_connection", forbidden)

    async def use(transport: Transport) -> None:
        answer = await transport.send(url, HEADERS, BODY)
        assert isinstance(answer, Untouched)
        assert "https" in answer.reason.message

    using(kind, use)


@pytest.mark.parametrize("kind", ALL)
def test_a_closed_transport_sends_nothing(kind: str) -> None:
    async def main() -> None:
        async with serving(answering(http(b""))) as served:
            async with opened(kind) as transport:
                assert isinstance(await transport.send(served.url, HEADERS, BODY), Reply)
                await transport.aclose()
                assert isinstance(await transport.send(served.url, HEADERS, BODY), Untouched)
            assert len(served.requests) == 1

    asyncio.run(main())


@pytest.mark.parametrize("kind", ALL)
def test_a_transport_that_was_never_used_can_be_closed_and_sends_nothing_then(kind: str) -> None:
    async def main() -> None:
        async with serving(answering(http(b""))) as served:
            async with opened(kind) as transport:
                pass
            assert isinstance(await transport.send(served.url, HEADERS, BODY), Untouched)
            assert served.connections == 0

    asyncio.run(main())


def test_a_session_that_was_brought_is_not_closed() -> None:
    async def main() -> None:
        async with aiohttp.ClientSession() as session:
            await AiohttpTransport(session=session).aclose()
            assert not session.closed

    asyncio.run(main())


def test_a_client_that_was_brought_is_not_closed() -> None:
    async def main() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: None)) as client:  # type: ignore[arg-type]
            await HttpxTransport(client).aclose()
            assert not client.is_closed

    asyncio.run(main())


# --- a connection, but no whole answer: anything may have happened ---------------------------


async def closes_at_once(connection: Connection) -> None:
    connection.writer.close()


async def resets_at_once(connection: Connection) -> None:
    connection.reset()


async def closes_after_the_request(connection: Connection) -> None:
    await connection.request()


async def resets_after_the_request(connection: Connection) -> None:
    await connection.request()
    connection.reset()


async def resets_within_the_request(connection: Connection) -> None:
    await connection.reader.read(10)
    connection.reset()


async def sends_half_a_head(connection: Connection) -> None:
    await connection.request()
    await connection.reply(b"HTTP/1.1 200 OK\r\ncontent-le")


async def sends_half_a_body(connection: Connection) -> None:
    await connection.request()
    await connection.reply(http(b'{"status":"SUCCESS"}')[:-10])


async def resets_within_the_body(connection: Connection) -> None:
    await connection.request()
    await connection.reply(http(b'{"status":"SUCCESS"}')[:-10])
    await asyncio.sleep(0.01)
    connection.reset()


async def sends_half_of_the_chunks(connection: Connection) -> None:
    await connection.request()
    await connection.reply(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n")


async def sends_a_bad_chunk(connection: Connection) -> None:
    await connection.request()
    await connection.reply(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nabc\r\n")


async def sends_garbage(connection: Connection) -> None:
    await connection.request()
    await connection.reply(b"\x16\x03\x01 what is this\r\n\r\n")


async def sends_too_many_headers(connection: Connection) -> None:
    await connection.request()
    await connection.reply(http(b"", *(f"x-{n}: {'y' * 1000}" for n in range(200))))


@pytest.mark.parametrize(
    "script",
    [
        closes_at_once,
        resets_at_once,
        closes_after_the_request,
        resets_after_the_request,
        resets_within_the_request,
        sends_half_a_head,
        sends_half_a_body,
        resets_within_the_body,
        sends_half_of_the_chunks,
        sends_a_bad_chunk,
        sends_garbage,
        sends_too_many_headers,
    ],
)
@pytest.mark.parametrize("kind", ALL)
def test_whatever_goes_wrong_on_a_standing_connection_is_lost(kind: str, script: Script) -> None:
    answer = exchange(kind, script)

    assert isinstance(answer, Lost), answer
    assert "Signature" not in str(answer)
    assert "127.0.0.1" not in str(answer)


@pytest.mark.parametrize("ending", [closes_at_once, resets_at_once])
@pytest.mark.parametrize("kind", ALL)
def test_a_request_on_a_kept_connection_that_breaks_is_lost_and_not_sent_again(
    kind: str, ending: Script
) -> None:
    async def main() -> None:
        async def script(connection: Connection) -> None:
            await connection.request()
            await connection.reply(http(b"1"))
            await connection.request()
            await ending(connection)

        async with serving(script) as served, opened(kind) as transport:
            assert isinstance(await transport.send(served.url, HEADERS, BODY), Reply)
            assert isinstance(await transport.send(served.url, HEADERS, BODY), Lost)
            assert served.connections == 1
            assert len(served.requests) == 2

    asyncio.run(main())


@pytest.mark.parametrize("kind", ALL)
def test_what_the_engine_said_is_named(kind: str) -> None:
    answer = exchange(kind, closes_after_the_request)

    assert isinstance(answer, Lost)
    assert answer.reason.message.endswith(
        ("ServerDisconnectedError", "RemoteProtocolError", "EOFError")
    )


# --- an answer that cannot be taken ----------------------------------------------------------


async def announces_too_much(connection: Connection) -> None:
    await connection.request()
    await connection.reply(
        f"HTTP/1.1 200 OK\r\ncontent-length: {REPLY_SIZE_MAX + 1}\r\n\r\nabc".encode()
    )
    await silence(connection)


async def sends_too_much(connection: Connection) -> None:
    await connection.request()
    await connection.reply(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    while True:
        await connection.reply(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")


@pytest.mark.parametrize("script", [announces_too_much, sends_too_much])
@pytest.mark.parametrize("kind", ALL)
def test_a_reply_that_is_too_large_is_unclear_and_the_connection_is_dropped(
    kind: str, script: Script
) -> None:
    async def main() -> None:
        async with asyncio.timeout(20), serving(script) as served, opened(kind) as transport:
            answer = await transport.send(served.url, HEADERS, BODY)
            await served.dropped.wait()

        assert isinstance(answer, Unclear)
        assert "200" in answer.reason.message

    asyncio.run(main())


@pytest.mark.parametrize("kind", ALL)
def test_a_reply_that_is_packed_unasked_is_unpacked(kind: str) -> None:
    raw = http(gzip.compress(b'{"status":"SUCCESS"}'), JSON, "content-encoding: gzip")

    assert exchange(kind, answering(raw)) == Reply(200, "application/json", b'{"status":"SUCCESS"}')


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        pytest.param("gzip", b"not gzip", id="not gzip"),
        pytest.param("gzip", gzip.compress(b"abc")[:-4], id="cut short"),
        pytest.param("gzip", gzip.compress(b"x" * (REPLY_SIZE_MAX + 1)), id="too large"),
        pytest.param("gzip", gzip.compress(b"abc") + b"more", id="more behind it"),
        pytest.param("br", b"abc", id="another encoding"),
        pytest.param("gzip, gzip", gzip.compress(gzip.compress(b"abc")), id="packed twice"),
    ],
)
@pytest.mark.parametrize("kind", ALL)
def test_a_reply_that_cannot_be_unpacked_is_unclear(kind: str, encoding: str, body: bytes) -> None:
    raw = http(body, f"content-encoding: {encoding}")

    assert isinstance(exchange(kind, answering(raw)), Unclear)


# --- cancelling ------------------------------------------------------------------------------


async def drips(connection: Connection) -> None:
    await connection.request()
    await connection.reply(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
    while True:
        await connection.reply(b"x")
        await asyncio.sleep(0.005)


@pytest.mark.parametrize("script", [silence, drips])
@pytest.mark.parametrize("kind", ALL)
def test_a_cancelled_exchange_drops_its_connection_and_the_next_one_gets_its_own_reply(
    kind: str, script: Script
) -> None:
    async def main() -> None:
        async def first_bad(connection: Connection) -> None:
            await (script if connection.number == 0 else answering(http(b"its own")))(connection)

        async with asyncio.timeout(20), serving(first_bad) as served, opened(kind) as transport:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await transport.send(served.url, HEADERS, BODY)
            answer = await transport.send(served.url, HEADERS, BODY)
            await served.dropped.wait()

        assert answer == Reply(200, "", b"its own")
        assert served.connections == 2

    asyncio.run(main())


# Not on httpcore: there they do (encode/httpcore#1093), which is why our docs name httpx-aiohttp.
@pytest.mark.parametrize("kind", [*OURS, ON_AIOHTTP])
def test_cancelled_connects_leave_no_slot_taken(kind: str) -> None:
    async def main() -> None:
        async with (
            asyncio.timeout(20),
            serving(silence) as mute,
            serving(answering(http(b"1"), http(b"2"))) as sound,
            opened(kind, connections_max=2) as transport,
        ):
            # Two of the twenty hang in their TLS handshakes, the others wait for a connection.
            url = mute.url.replace("http", "https")
            stuck = [asyncio.create_task(transport.send(url, HEADERS, BODY)) for _ in range(20)]
            while mute.connections < 2:  # noqa: ASYNC110  the server counts and tells nobody
                await asyncio.sleep(0.001)
            for task in stuck:
                task.cancel()
            await asyncio.wait(stuck)
            assert all(task.cancelled() for task in stuck)

            answers = await asyncio.gather(
                *(transport.send(sound.url, HEADERS, BODY) for _ in range(2))
            )
        assert {type(answer) for answer in answers} == {Reply}

    asyncio.run(main())
