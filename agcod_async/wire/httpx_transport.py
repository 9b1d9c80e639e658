"""The transport for everybody who has an `httpx.AsyncClient`: proxies, mTLS, instrumentation.

httpx and httpx-aiohttp are imported here and nowhere else in the package.
"""

from collections.abc import AsyncIterator, Mapping
from functools import lru_cache, partial
from typing import Final

import httpx
from httpx_aiohttp import AiohttpTransport as AiohttpEngine

from agcod_async.wire import aiohttp_transport, exchange
from agcod_async.wire.port import Exchanged

NEVER_LEFT: Final[frozenset[type[BaseException]]] = frozenset(
    {httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout}
)
"""The exceptions that say that no byte of the request has left. Every other one proves nothing.

Saying is not proving: httpx-aiohttp raises `ConnectTimeout` for a connection that was reset or
closed after the request was sent, too. `_never_left` therefore asks the engine's own exception.
"""


class HttpxTransport:
    """Exchanges requests through an `httpx.AsyncClient`, or through the engine below one.

    By default there is no client: httpx's requests go straight to an engine on aiohttp's
    connections. Not on httpcore's, because its pool loses a slot for ever when a connect is
    cancelled (encode/httpcore#1093), and its cost grows with the number of requests that wait.

    A client that you bring is used whole and never closed. Its transport, proxy, TLS, hooks and
    instrumentation apply; its default headers, cookies, parameters, `auth`, timeouts and
    redirects do not, since they would change what was signed or send it twice. Its transport
    must not retry: what the last try says would be taken for all.
    """

    def __init__(
        self,
        client: httpx.AsyncClient | None = None,
        *,
        connections_max: int = exchange.CONNECTIONS_MAX,
        connect_timeout_seconds: float = exchange.CONNECT_TIMEOUT_SECONDS,
    ) -> None:
        exchange.check_limits(connections_max, connect_timeout_seconds)
        self._carrier = client or _own_engine(connections_max)
        self._timeout = httpx.Timeout(
            None, connect=connect_timeout_seconds, pool=connect_timeout_seconds
        ).as_dict()
        self._closed = False

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Exchanged:
        """POST `body` to `url`, once; see `Transport.send`."""
        refused = exchange.refusal(url)
        if refused is not None:
            return refused
        if self._is_closed():
            return exchange.closed()
        request = self._request(url, {**headers, **exchange.OWN_HEADERS}, body)
        try:
            response = await self._answered(request)
        except Exception as error:  # noqa: BLE001 - every failure is an answer
            cause = _told_by_engine(error)
            return exchange.failure(cause or error, never_left=_never_left(error, cause, request))
        return await _read(response)

    async def aclose(self) -> None:
        """Close what is the transport's own. Call it when nothing is in flight."""
        self._closed = True
        if isinstance(self._carrier, AiohttpEngine):
            await self._carrier.aclose()

    def _is_closed(self) -> bool:
        return self._closed or (
            isinstance(self._carrier, httpx.AsyncClient) and self._carrier.is_closed
        )

    def _request(self, url: str, headers: Mapping[str, str], body: bytes) -> httpx.Request:
        """Return the request; a client would mix in headers and cookies of its own."""
        made = partial(httpx.Request, "POST", _parsed(url), headers=headers)
        extensions = {"timeout": self._timeout}
        if isinstance(self._carrier, httpx.AsyncClient):
            return made(content=body, extensions=extensions)
        # A stream has httpx look for no headers of its own: the engine adds those that it needs.
        request = made(stream=httpx.ByteStream(body), extensions=extensions)
        request.read()
        request.headers.encoding = "ascii"  # or httpx would try them all, for each header
        return request

    async def _answered(self, request: httpx.Request) -> httpx.Response:
        """Return the response, its body unread."""
        if isinstance(self._carrier, httpx.AsyncClient):
            return await self._carrier.send(request, stream=True, auth=None, follow_redirects=False)
        try:
            return await self._carrier.handle_async_request(request)
        except httpx.RequestError as error:
            error.request = request  # a client notes it likewise
            raise


def _own_engine(connections_max: int) -> AiohttpEngine:
    tls = exchange.tls_context()
    session = partial(aiohttp_transport.open_session, tls, connections_max)
    # The engine calls `session` at the first request, inside the running loop.
    return AiohttpEngine(verify=tls, client=session)


@lru_cache(maxsize=64)  # one for each operation and endpoint
def _parsed(url: str) -> httpx.URL:
    return httpx.URL(url)


def _told_by_engine(error: BaseException) -> BaseException | None:
    return error.__cause__ or error.__context__


def _never_left(error: Exception, cause: BaseException | None, request: httpx.Request) -> bool:
    """Whether this exception proves that no byte of this request has left.

    It must be of the right class, be about this request (a hook may send requests of its own),
    and the engine below must say the same: aiohttp by its table, httpcore by the same name.
    """
    if type(error) not in NEVER_LEFT or not _is_about(error, request):
        return False
    return (
        cause is None
        or type(cause) in aiohttp_transport.NEVER_LEFT
        or type(cause).__name__ == type(error).__name__
    )


def _is_about(error: Exception, request: httpx.Request) -> bool:
    try:
        return isinstance(error, httpx.RequestError) and error.request is request
    except RuntimeError:  # httpx raises it where no request is attached
        return False


async def _read(response: httpx.Response) -> Exchanged:
    headers: Mapping[str, str] = response.headers
    chunks = response.aiter_raw()
    response.headers.encoding = "latin-1"  # what any byte can be read in
    if response.is_stream_consumed:
        # A hook or a mock has read the reply already, and httpx has unpacked it.
        kept = ("content-type", "date")
        headers = {name: response.headers.get(name, "") for name in kept}
        chunks = _content(response)
    try:
        answer = await exchange.read_reply(response.status_code, headers, chunks)
    except Exception as error:  # noqa: BLE001 - every failure is an answer
        return exchange.failure(_told_by_engine(error) or error, never_left=False)
    finally:
        await response.aclose()
    return answer


async def _content(response: httpx.Response) -> AsyncIterator[bytes]:
    yield response.content
