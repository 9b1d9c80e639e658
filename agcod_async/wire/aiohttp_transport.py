"""The default transport: aiohttp's client, and nothing above it.

aiohttp is imported here and nowhere else in the package.
"""

import ssl
from collections.abc import Mapping
from typing import Final

import aiohttp
from aiohttp.client_exceptions import UnixClientConnectorError

from agcod_async.values import InvalidValueError
from agcod_async.wire import exchange
from agcod_async.wire.port import Exchanged

NEVER_LEFT: Final[frozenset[type[BaseException]]] = frozenset(
    {
        # Raised by aiohttp's connector only, so before a request is written.
        aiohttp.ClientConnectorError,
        aiohttp.ClientConnectorCertificateError,
        aiohttp.ClientConnectorDNSError,
        aiohttp.ClientConnectorSSLError,
        aiohttp.ClientProxyConnectionError,
        aiohttp.ClientSSLError,
        aiohttp.ServerFingerprintMismatch,
        UnixClientConnectorError,
        # The connector again: no free connection, or no new one, within the time.
        aiohttp.ConnectionTimeoutError,
    }
)
"""The exceptions that prove that no byte of the request has left. Every other one proves nothing.

Classes are compared for identity: what a subclass means that is not known here, is not known.
`ClientOSError` and `ServerDisconnectedError` are the ones to beware of: close relatives of those
above, but raised on a connection that stands.
"""


class AiohttpTransport:
    """Exchanges requests through one `aiohttp.ClientSession`.

    By default the session is the transport's own: opened in the loop of the first request,
    closed by `aclose()`. A session that you bring is used as it is and never closed; its TLS,
    proxy and connection limit are yours. It must not have `auth`, and its middlewares are left
    out: one that sends again would break the promise that nothing leaves twice. Waiting for a
    free connection counts as connecting: after `connect_timeout_seconds` it is `Untouched`.
    """

    def __init__(
        self,
        *,
        connections_max: int = exchange.CONNECTIONS_MAX,
        connect_timeout_seconds: float = exchange.CONNECT_TIMEOUT_SECONDS,
        session: aiohttp.ClientSession | None = None,
    ) -> None:
        exchange.check_limits(connections_max, connect_timeout_seconds)
        if session is not None and session.auth is not None:
            raise InvalidValueError("session", "has auth", "the signature is the authorization")
        self._connections_max = connections_max
        self._timeout = aiohttp.ClientTimeout(
            total=None, connect=connect_timeout_seconds, sock_connect=connect_timeout_seconds
        )
        self._session = session
        self._session_is_ours = session is None
        self._tls = exchange.tls_context() if session is None else None
        self._closed = False

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Exchanged:
        """POST `body` to `url`, once; see `Transport.send`."""
        refused = exchange.refusal(url)
        if refused is not None:
            return refused
        session = self._open()
        if session is None:
            return exchange.closed()
        try:
            response = await session.post(
                url,
                data=body,
                headers={**headers, **exchange.OWN_HEADERS},
                allow_redirects=False,
                auto_decompress=False,
                middlewares=(),
                raise_for_status=False,
                timeout=self._timeout,
            )
        except Exception as error:  # noqa: BLE001 - every failure is an answer
            return exchange.failure(error, never_left=type(error) in NEVER_LEFT)
        return await _read(response)

    async def aclose(self) -> None:
        """Close the session, if it is the transport's own. Call it when nothing is in flight.

        An exchange that still waits for a connection would be cancelled by it.
        """
        self._closed = True
        if self._session is not None and self._session_is_ours:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession | None:
        if self._session is None and not self._closed and self._tls is not None:
            self._session = _own_session(self._tls, self._connections_max)
        if self._session is None or self._closed or self._session.closed:
            return None
        return self._session


def _own_session(tls: ssl.SSLContext, connections_max: int) -> aiohttp.ClientSession:
    """Open a session that keeps no cookies and asks the environment nothing.

    Call it in the running loop. aiohttp repeats a request on a broken connection only for
    methods that are idempotent in HTTP's sense, which POST is not.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=connections_max, ssl=tls),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
    )


async def _read(response: aiohttp.ClientResponse) -> Exchanged:
    try:
        answer = await exchange.read_reply(
            response.status, response.headers, response.content.iter_any()
        )
    except Exception as error:  # noqa: BLE001 - every failure is an answer
        return exchange.failure(error, never_left=False)
    finally:
        # A reply that was read to its end has given its connection back already; this closes
        # the connection of every other one.
        response.close()
    return answer
