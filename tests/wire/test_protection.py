"""What goes out is protected, and what was brought does not change what was signed."""

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import certifi
import httpx
import pytest

from agcod_async.core.outcomes import Lost, Reply, Unclear, Untouched
from agcod_async.values import InvalidValueError
from agcod_async.wire.aiohttp_transport import AiohttpTransport
from agcod_async.wire.exchange import OWN_HEADERS, read_reply, refusal, tls_context
from agcod_async.wire.httpx_transport import HttpxTransport
from agcod_async.wire.lean_transport import LeanTransport
from agcod_async.wire.port import REPLY_SIZE_MAX, Transport
from agcod_async.wire.usual import usual_transport
from tests.support.sockets import HttpxWithItsClient
from tests.wire.scripted_server import BODY, HEADERS, Connection, answering, http, serving

# --- TLS -------------------------------------------------------------------------------------


def test_tls_is_at_least_1_2_and_checks_names_and_certificates() -> None:
    context = tls_context()

    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_the_certificates_to_trust_are_certifis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/dev/null")
    monkeypatch.setenv("SSL_CERT_DIR", "/dev/null")
    trusted = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusted.load_verify_locations(cafile=certifi.where())

    assert tls_context().get_ca_certs() == trusted.get_ca_certs() != []


def test_the_keys_of_a_connection_are_logged_nowhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))

    assert tls_context().keylog_filename is None
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", [AiohttpTransport, HttpxWithItsClient, LeanTransport])
def test_a_server_that_vouches_for_itself_gets_nothing(
    kind: Callable[[], Transport], self_signed: ssl.SSLContext
) -> None:
    async def main() -> None:
        read: list[bytes] = []

        async def script(connection: Connection) -> None:
            read.append(await connection.reader.read())

        transport = kind()
        async with serving(script, self_signed) as served:
            answer = await transport.send(served.url, HEADERS, BODY)
            await transport.aclose()

        assert isinstance(answer, Untouched)
        assert "Cert" in answer.reason.message
        assert read in ([], [b""])

    asyncio.run(main())


# --- plain HTTP ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://agcod-v2.amazon.com/CreateGiftCard",
        "http://localhost:8080/CreateGiftCard",
        "http://127.0.0.1:8080/CreateGiftCard",
        "http://127.8.8.8/CreateGiftCard",
        "http://[::1]:8080/CreateGiftCard",
    ],
)
def test_https_and_the_own_machine_are_allowed(url: str) -> None:
    assert refusal(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "http://agcod-v2.amazon.com/CreateGiftCard",
        "http://localhost.example/",
        "http://localhost@10.0.0.1/",
        "http://0.0.0.0/",
        "http://[::ffff:10.0.0.1]/",
        "http:///path",
        "ws://127.0.0.1/",
        "https://[bad/CreateGiftCard",
        "https://agcod-v2.amazon.com:port/CreateGiftCard",
        "",
    ],
)
def test_everything_else_is_refused_with_a_reason_that_does_not_quote_it(url: str) -> None:
    refused = refusal(url)

    assert refused is not None
    assert refused.reason.message == "not sent: the URL must be https, or http on loopback"


# --- what was brought ------------------------------------------------------------------------


def test_a_session_with_auth_is_refused() -> None:
    async def main() -> None:
        with pytest.warns(DeprecationWarning, match="auth"):
            session = aiohttp.ClientSession(auth=aiohttp.BasicAuth("user", "password"))
        async with session:
            with pytest.raises(InvalidValueError, match="auth"):
                AiohttpTransport(session=session)

    asyncio.run(main())


def test_a_session_that_sends_again_or_raises_for_a_status_does_neither() -> None:
    async def main() -> None:
        async def twice(
            request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
        ) -> aiohttp.ClientResponse:
            (await handler(request)).close()
            return await handler(request)

        script = answering(http(b"1", status="500 Oops"), http(b"2"))
        async with (
            serving(script) as served,
            aiohttp.ClientSession(middlewares=(twice,), raise_for_status=True) as session,
        ):
            answer = await AiohttpTransport(session=session).send(served.url, HEADERS, BODY)

        assert answer == Reply(500, "", b"1")
        assert len(served.requests) == 1

    asyncio.run(main())


def test_a_clients_headers_cookies_parameters_and_auth_change_nothing_that_was_signed() -> None:
    async def main() -> None:
        seen: list[httpx.Request] = []

        def answer(request: httpx.Request) -> httpx.Response:
            seen.append(request)
            return httpx.Response(401, headers={"www-authenticate": "Digest realm=a, nonce=b"})

        async with httpx.AsyncClient(
            transport=httpx.MockTransport(answer),
            auth=httpx.DigestAuth("user", "password"),
            headers={"accept": "text/html", "x-more": "1"},
            cookies={"crumb": "1"},
            params={"more": "1"},
        ) as client:
            reply = await HttpxTransport(client).send("https://a.invalid/b", HEADERS, BODY)

        assert isinstance(reply, Reply)
        (request,) = seen
        assert str(request.url) == "https://a.invalid/b"
        assert dict(request.headers) == HEADERS | OWN_HEADERS | {"content-length": str(len(BODY))}
        assert request.extensions["timeout"] == {
            "connect": 3.0,
            "pool": 3.0,
            "read": None,
            "write": None,
        }

    asyncio.run(main())


def test_a_client_that_was_brought_is_used_whole() -> None:
    """Hooks, mounts and instrumentation are the client's: it is never passed by."""

    async def main() -> None:
        seen: list[str] = []

        class Client(httpx.AsyncClient):
            async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
                seen.append("the client")
                return await super().send(request, **options)

        async def hook(_request: httpx.Request) -> None:
            seen.append("its hook")

        async with (
            serving(answering(http(b"1"))) as served,
            Client(event_hooks={"request": [hook]}) as client,
        ):
            reply = await HttpxTransport(client).send(served.url, HEADERS, BODY)
            assert (reply, seen) == (Reply(200, "", b"1"), ["the client", "its hook"])

    asyncio.run(main())


@pytest.mark.parametrize("given", [(), (None,), (httpx.Client,), ("https://a.invalid",)])
def test_without_a_client_there_is_no_transport_over_it(given: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError, match="client"):
        HttpxTransport(*given)


DATE = "date: Sun, 06 Nov 1994 08:49:37 GMT"


def test_a_reply_that_a_hook_has_read_already_is_still_a_reply() -> None:
    async def main() -> None:
        async def reads(response: httpx.Response) -> None:
            await response.aread()

        packed = http(gzip.compress(b"{}"), "content-encoding: gzip", "content-type: text/x", DATE)
        async with (
            serving(answering(packed)) as served,
            httpx.AsyncClient(event_hooks={"response": [reads]}) as client,
        ):
            reply = await HttpxTransport(client).send(served.url, HEADERS, BODY)

        assert reply == Reply(200, "text/x", b"{}", 784_111_777.0)

    asyncio.run(main())


def test_a_reply_that_a_hook_has_used_up_is_lost() -> None:
    async def main() -> None:
        async def uses_up(response: httpx.Response) -> None:
            async for _ in response.aiter_raw():
                pass

        async with (
            serving(answering(http(b"{}"))) as served,
            httpx.AsyncClient(event_hooks={"response": [uses_up]}) as client,
        ):
            assert isinstance(await HttpxTransport(client).send(served.url, HEADERS, BODY), Lost)

    asyncio.run(main())


@pytest.mark.parametrize("limits", [{"connections_max": 0}, {"connect_timeout_seconds": 0.0}])
@pytest.mark.parametrize("kind", [AiohttpTransport, LeanTransport])
def test_a_limit_that_would_mean_no_limit_is_refused(
    kind: type[AiohttpTransport | LeanTransport], limits: dict[str, int]
) -> None:
    with pytest.raises(InvalidValueError):
        kind(**limits)


def test_a_timeout_that_would_mean_no_timeout_is_refused_beside_a_client_too() -> None:
    async def main() -> None:
        async with httpx.AsyncClient() as client:
            with pytest.raises(InvalidValueError, match="connect_timeout_seconds"):
                HttpxTransport(client, connect_timeout_seconds=0.0)

    asyncio.run(main())


def test_the_usual_transport_is_aiohttp_itself_with_a_session_of_its_own() -> None:
    async def main() -> None:
        usual = usual_transport()
        assert type(usual) is AiohttpTransport
        async with serving(answering(http(b"1"))) as served:
            assert await usual.send(served.url, HEADERS, BODY) == Reply(200, "", b"1")
        session = usual._session
        await usual.aclose()

        assert session is not None
        assert session.closed

    asyncio.run(main())


def test_all_transports_keep_the_port() -> None:
    async def main() -> None:
        async with httpx.AsyncClient() as client:
            transports: list[Transport] = [
                *(AiohttpTransport(), HttpxTransport(client), LeanTransport())
            ]
            for transport in transports:
                await transport.aclose()

    asyncio.run(main())


# --- reading ---------------------------------------------------------------------------------


def test_no_more_than_one_chunk_over_the_limit_is_ever_read() -> None:
    async def main() -> None:
        read = 0

        async def chunks() -> AsyncIterator[bytes]:
            nonlocal read
            while True:
                read += 1000
                yield b"x" * 1000

        endless = chunks()
        answer = await read_reply(200, {}, endless)
        await endless.aclose()  # type: ignore[attr-defined]

        assert isinstance(answer, Unclear)
        assert REPLY_SIZE_MAX < read <= REPLY_SIZE_MAX + 1000

    asyncio.run(main())


@pytest.mark.parametrize("announced", ["9" * 5000, str(REPLY_SIZE_MAX + 1)])
def test_a_reply_that_announces_too_much_is_not_read_at_all(announced: str) -> None:
    async def main() -> None:
        async def chunks() -> AsyncIterator[bytes]:
            pytest.fail("something was read")
            yield b""

        assert isinstance(await read_reply(200, {"content-length": announced}, chunks()), Unclear)

    asyncio.run(main())
