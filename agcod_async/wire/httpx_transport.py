"""The transport for everybody who has an `httpx.AsyncClient`: proxies, mTLS, instrumentation.

httpx and httpx-aiohttp are imported here and nowhere else in the package.
"""

from collections.abc import AsyncIterator, Mapping
from functools import partial
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
    """Exchanges requests through an `httpx.AsyncClient`.

    By default the client is the transport's own: httpx on aiohttp's connections, because
    httpcore's pool loses a slot for ever when a connect is cancelled (encode/httpcore#1093), and
    its cost grows with the number of requests that wait. A client that you bring is used and
    never closed. Its transport, proxy, TLS and hooks apply; its default headers, cookies,
    parameters, `auth`, timeouts and redirects do not, since they would change what was signed or
    send it twice. Its transport must not retry: what the last try says would be taken for all.
    """

    def __init__(
        self,
        client: httpx.AsyncClient | None = None,
        *,
        connections_max: int = exchange.CONNECTIONS_MAX,
        connect_timeout_seconds: float = exchange.CONNECT_TIMEOUT_SECONDS,
    ) -> None:
        exchange.check_limits(connections_max, connect_timeout_seconds)
        self._client = client or _own_client(connections_max)
        self._client_is_ours = client is None
        self._timeout = httpx.Timeout(
            None, connect=connect_timeout_seconds, pool=connect_timeout_seconds
        ).as_dict()
        self._closed = False

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Exchanged:
        """POST `body` to `url`, once; see `Transport.send`."""
        refused = exchange.refusal(url)
        if refused is not None:
            return refused
        if self._closed or self._client.is_closed:
            return exchange.closed()
        # Built here and not by the client, which would mix in headers and cookies of its own.
        request = httpx.Request(
            "POST",
            url,
            headers={**headers, **exchange.OWN_HEADERS},
            content=body,
            extensions={"timeout": self._timeout},
        )
        try:
            response = await self._client.send(
                request, stream=True, auth=None, follow_redirects=False
            )
        except Exception as error:  # noqa: BLE001 - every failure is an answer
            cause = _told_by_engine(error)
            return exchange.failure(cause or error, never_left=_never_left(error, cause, request))
        return await _read(response)

    async def aclose(self) -> None:
        """Close the client, if it is the transport's own. Call it when nothing is in flight."""
        self._closed = True
        if self._client_is_ours:
            await self._client.aclose()


def _own_client(connections_max: int) -> httpx.AsyncClient:
    tls = exchange.tls_context()
    session = partial(aiohttp_transport.open_session, tls, connections_max)
    # The engine calls `session` at the first request, inside the running loop.
    return httpx.AsyncClient(transport=AiohttpEngine(verify=tls, client=session), trust_env=False)


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
