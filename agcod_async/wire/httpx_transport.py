"""The transport for whoever has an `httpx.AsyncClient`: proxies, mTLS, instrumentation.

httpx is imported here and nowhere else in the package.
"""

from collections.abc import AsyncIterator, Mapping
from functools import lru_cache
from typing import Final

import httpx

from agcod_async.wire import aiohttp_transport, exchange
from agcod_async.wire.port import Exchanged

NEVER_LEFT: Final[frozenset[type[BaseException]]] = frozenset(
    {httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout}
)
"""The exceptions that say that no byte of the request has left. Every other one proves nothing.

Saying is not proving: httpx-aiohttp raises `ConnectTimeout` for a connection that was reset or
closed after the request was sent, too. `_never_left` therefore asks the exception of the engine
below the client.
"""


class HttpxTransport:
    """Exchanges requests through an `httpx.AsyncClient` that you bring.

    The client is used whole and never closed. Its transport, proxy, TLS, connection limits, hooks
    and instrumentation apply; its default headers, cookies, parameters, `auth`, timeouts and
    redirects do not, since they would change what was signed or send it twice. Its transport must
    not retry: what the last try says would be taken for all.

    httpx's own pool loses a slot for ever when a connect is cancelled (encode/httpcore#1093); a
    client on httpx-aiohttp does not. Waiting for a free connection is bounded by
    `connect_timeout_seconds` too, and then `Untouched`.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        *,
        connect_timeout_seconds: float = exchange.CONNECT_TIMEOUT_SECONDS,
    ) -> None:
        """Raise `TypeError` for what is no such client, `InvalidValueError` for no limit."""
        _check_client(client)
        exchange.check_connect_timeout(connect_timeout_seconds)
        self._client = client
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
        # Made here: the client would mix in headers, parameters and cookies of its own.
        request = httpx.Request(
            "POST",
            _parsed(url),
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
        """Send nothing from now on. The client, and with it every connection, is yours to close."""
        self._closed = True


def _check_client(client: object) -> None:
    """Raise `TypeError` for anything else than an `httpx.AsyncClient`, before anything is sent."""
    if not isinstance(client, httpx.AsyncClient):
        raise TypeError(f"client: is a {type(client).__name__} (must be an httpx.AsyncClient)")


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
