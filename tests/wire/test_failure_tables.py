"""Which exception of a driver proves that nothing has left: each one decided, none forgotten."""

import asyncio
import ssl
import types
from collections.abc import AsyncIterator

import aiohttp
import aiohttp.client_exceptions
import aiohttp.http_exceptions
import httpcore
import httpx
import pytest

from agcod_async.core.outcomes import Lost, Untouched
from agcod_async.wire.aiohttp_transport import AiohttpTransport
from agcod_async.wire.httpx_transport import NEVER_LEFT as NEVER_LEFT_BY_HTTPX
from agcod_async.wire.httpx_transport import HttpxTransport
from agcod_async.wire.port import Exchanged
from tests.support.sockets import client_on_aiohttp

URL = "https://agcod.invalid/CreateGiftCard"
SECRET = "Signature=cafe"

AIOHTTP = {
    "ClientConnectionError": Lost,  # the base class of both kinds, and raised itself for writes
    "ClientConnectionResetError": Lost,
    "ClientConnectorCertificateError": Untouched,
    "ClientConnectorDNSError": Untouched,
    "ClientConnectorError": Untouched,
    "ClientConnectorSSLError": Untouched,
    "ClientError": Lost,
    "ClientHttpProxyError": Lost,
    "ClientOSError": Lost,
    "ClientPayloadError": Lost,
    "ClientProxyConnectionError": Untouched,
    "ClientResponseError": Lost,
    "ClientSSLError": Untouched,
    "ConnectionTimeoutError": Untouched,
    "ContentTypeError": Lost,
    "InvalidURL": Lost,
    "InvalidUrlClientError": Lost,
    "InvalidUrlRedirectClientError": Lost,
    "NonHttpUrlClientError": Lost,
    "NonHttpUrlRedirectClientError": Lost,
    "RedirectClientError": Lost,
    "ServerConnectionError": Lost,
    "ServerDisconnectedError": Lost,
    "ServerFingerprintMismatch": Untouched,
    "ServerTimeoutError": Lost,
    "SocketTimeoutError": Lost,
    "TooManyRedirects": Lost,
    "UnixClientConnectorError": Untouched,
    "UploadAbortedError": Lost,
    "WSMessageTypeError": Lost,
    "WSServerHandshakeError": Lost,
    # Raised by the parser, and by streams and payloads.
    "BadContentDispositionHeader": Lost,
    "BadContentDispositionParam": Lost,
    "BadHttpMessage": Lost,
    "BadHttpMethod": Lost,
    "BadStatusLine": Lost,
    "ContentEncodingError": Lost,
    "ContentLengthError": Lost,
    "DecompressSizeError": Lost,
    "EofStream": Lost,
    "HttpBadRequest": Lost,
    "HttpProcessingError": Lost,
    "InvalidHeader": Lost,
    "InvalidURLError": Lost,
    "LineTooLong": Lost,
    "PayloadEncodingError": Lost,
    "TransferEncodingError": Lost,
    "WebSocketError": Lost,
}

HTTPX = {
    "CloseError": Lost,
    "ConnectError": Untouched,
    "ConnectTimeout": Untouched,
    "CookieConflict": Lost,
    "DecodingError": Lost,
    "HTTPError": Lost,
    "HTTPStatusError": Lost,
    "InvalidURL": Lost,
    "LocalProtocolError": Lost,
    "NetworkError": Lost,
    "PoolTimeout": Untouched,
    "ProtocolError": Lost,
    "ProxyError": Lost,
    "ReadError": Lost,
    "ReadTimeout": Lost,
    "RemoteProtocolError": Lost,
    "RequestError": Lost,
    "RequestNotRead": Lost,
    "ResponseNotRead": Lost,
    "StreamClosed": Lost,
    "StreamConsumed": Lost,
    "StreamError": Lost,
    "TimeoutException": Lost,
    "TooManyRedirects": Lost,
    "TransportError": Lost,
    "UnsupportedProtocol": Lost,
    "WriteError": Lost,
    "WriteTimeout": Lost,
}

FROM_BELOW = (
    TimeoutError,
    OSError,
    ConnectionResetError,
    ConnectionRefusedError,
    BrokenPipeError,
    ssl.SSLError,
    ssl.SSLCertVerificationError,
    ssl.SSLEOFError,
    EOFError,
    RuntimeError,
    ValueError,
    KeyError,
    ExceptionGroup,
)
"""Without a driver's word on when it happened, none of these proves anything."""


def exceptions_in(*modules: types.ModuleType) -> dict[str, type[Exception]]:
    """Return the exceptions that these modules show, without those of other packages."""
    own = {module.__name__.partition(".")[0] for module in modules}
    return {
        name: value
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Exception)
        if value.__module__.partition(".")[0] in own and not name.startswith("_")
    }


AIOHTTP_KNOWN = exceptions_in(aiohttp, aiohttp.client_exceptions, aiohttp.http_exceptions)
HTTPX_KNOWN = exceptions_in(httpx)


def bare(kind: type[Exception]) -> Exception:
    """Return an exception of this class, whatever its arguments would have been."""
    if kind is ExceptionGroup:
        return ExceptionGroup("several", [OSError()])
    error = kind.__new__(kind)
    error.args = (SECRET,)
    return error


def sent_through_aiohttp(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> Exchanged:
    async def fails(*_args: object, **_kwargs: object) -> None:
        raise error

    async def main() -> Exchanged:
        async with aiohttp.ClientSession() as session:
            monkeypatch.setattr(aiohttp.ClientSession, "_request", fails)
            return await AiohttpTransport(session=session).send(URL, {}, b"{}")

    return asyncio.run(main())


def sent_through_httpx(
    error: BaseException, *, cause: Exception | None = None, hidden: bool = False
) -> Exchanged:
    """Send through a client whose engine raises `error`, out of `cause` where there is one."""

    def fails(_request: httpx.Request) -> httpx.Response:
        if cause is None:
            raise error
        try:
            raise cause
        except type(cause):
            if hidden:
                raise error from None
            raise error from cause

    async def main() -> Exchanged:
        async with httpx.AsyncClient(transport=httpx.MockTransport(fails)) as client:
            return await HttpxTransport(client).send(URL, {}, b"{}")

    return asyncio.run(main())


# --- the tables ------------------------------------------------------------------------------


def test_every_exception_that_aiohttp_shows_is_decided_and_no_other() -> None:
    assert set(AIOHTTP_KNOWN) == set(AIOHTTP)


def test_every_exception_that_httpx_shows_is_decided_and_no_other() -> None:
    assert set(HTTPX_KNOWN) == set(HTTPX)


@pytest.mark.parametrize("name", AIOHTTP)
def test_an_exception_of_aiohttp_proves_what_the_table_says(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = sent_through_aiohttp(bare(AIOHTTP_KNOWN[name]), monkeypatch)

    assert type(answer) is AIOHTTP[name]
    assert name in str(answer)
    assert SECRET not in str(answer)


@pytest.mark.parametrize("name", HTTPX)
def test_an_exception_of_httpx_proves_what_the_table_says(name: str) -> None:
    answer = sent_through_httpx(bare(HTTPX_KNOWN[name]))

    assert type(answer) is HTTPX[name]
    assert name in str(answer)
    assert SECRET not in str(answer)


@pytest.mark.parametrize("kind", FROM_BELOW)
def test_an_exception_from_below_the_drivers_is_lost(
    kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(sent_through_aiohttp(bare(kind), monkeypatch), Lost)
    assert isinstance(sent_through_httpx(bare(kind)), Lost)


def test_a_subclass_that_nobody_has_decided_on_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    class Later(aiohttp.ClientConnectorDNSError):
        pass

    class LaterStill(httpx.ConnectError):
        pass

    assert isinstance(sent_through_aiohttp(bare(Later), monkeypatch), Lost)
    assert isinstance(sent_through_httpx(LaterStill("")), Lost)


@pytest.mark.parametrize("kind", [asyncio.CancelledError, KeyboardInterrupt])
def test_a_cancellation_is_no_answer(
    kind: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(kind):
        sent_through_aiohttp(kind(), monkeypatch)
    with pytest.raises(kind):
        sent_through_httpx(kind())


# --- what stands behind an exception of httpx ------------------------------------------------


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("kind", sorted(NEVER_LEFT_BY_HTTPX, key=repr))
@pytest.mark.parametrize("name", AIOHTTP)
def test_the_engines_own_exception_decides_where_httpx_blurs_it(
    name: str, kind: type[httpx.RequestError], *, hidden: bool
) -> None:
    answer = sent_through_httpx(kind(""), cause=bare(AIOHTTP_KNOWN[name]), hidden=hidden)

    assert type(answer) is AIOHTTP[name]
    assert name in str(answer)


@pytest.mark.parametrize("name", AIOHTTP)
def test_an_exception_below_a_client_on_aiohttp_proves_no_more_than_it_does_alone(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = bare(AIOHTTP_KNOWN[name])
    # The engine quotes the text, which some of aiohttp's make of what only it can give them.
    monkeypatch.setattr(type(error), "__str__", lambda _self: SECRET)

    async def fails(*_args: object, **_kwargs: object) -> None:
        raise error

    async def main() -> Exchanged:
        monkeypatch.setattr(aiohttp.ClientSession, "_request", fails)
        async with client_on_aiohttp(connections_max=1) as client:
            return await HttpxTransport(client).send(URL, {}, b"{}")

    answer = asyncio.run(main())

    assert type(answer) in {AIOHTTP[name], Lost}
    assert name in str(answer)
    assert SECRET not in str(answer)


@pytest.mark.parametrize("kind", sorted(NEVER_LEFT_BY_HTTPX, key=repr))
def test_the_exception_of_the_same_name_in_httpcore_is_believed(
    kind: type[httpx.RequestError],
) -> None:
    answer = sent_through_httpx(kind(""), cause=getattr(httpcore, kind.__name__)())

    assert isinstance(answer, Untouched)


@pytest.mark.parametrize(
    "cause", [httpcore.ReadError(), httpcore.WriteError(), OSError(), EOFError()]
)
def test_a_failed_connect_that_an_unknown_engine_explains_otherwise_is_lost(
    cause: Exception,
) -> None:
    assert isinstance(sent_through_httpx(httpx.ConnectError(""), cause=cause), Lost)


def test_a_failed_connect_of_a_hook_says_nothing_about_the_request_itself() -> None:
    async def main() -> None:
        async def reports_elsewhere(_response: httpx.Response) -> None:
            raise httpx.ConnectError("", request=httpx.Request("POST", "https://log.invalid"))

        async def raises_bare(_response: httpx.Response) -> None:
            raise httpx.ConnectError("")

        for hook in (reports_elsewhere, raises_bare):
            async with httpx.AsyncClient(
                transport=httpx.MockTransport(lambda _request: httpx.Response(200)),
                event_hooks={"response": [hook]},
            ) as client:
                assert isinstance(await HttpxTransport(client).send(URL, {}, b"{}"), Lost)

    asyncio.run(main())


def test_a_failure_while_a_reply_is_read_is_lost_whatever_it_is_called() -> None:
    class Breaks(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"{"
            raise httpx.ConnectError("")

    async def main() -> None:
        async with httpx.AsyncClient(
            transport=httpx.MockTransport(lambda _request: httpx.Response(200, stream=Breaks()))
        ) as client:
            assert isinstance(await HttpxTransport(client).send(URL, {}, b"{}"), Lost)

    asyncio.run(main())
