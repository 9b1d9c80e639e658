"""One HTTP/1.1 connection that exchanges one request at a time, on httptools' parser.

httptools is imported here and nowhere else in the package. It is an extra: `agcod-async[lean]`.
"""

import asyncio
import select
from typing import Final, cast

import httptools

from agcod_async.wire import exchange
from agcod_async.wire.port import REPLY_SIZE_MAX, Exchanged

HEAD_SIZE_MAX: Final = 64 * 1024
"""The status line, the headers and all else that is not the body of a reply (1xx, trailers) may
have about so many bytes together."""

_NEEDED = frozenset(
    {b"content-encoding", b"content-length", b"content-type", b"date", b"transfer-encoding"}
)
_CAN_POLL = hasattr(select, "poll")  # Windows cannot
_FINAL_STATUS_MIN = 200  # what is below announces another reply


class HttpConnection(asyncio.Protocol):
    """A connection that stands, from its first byte to its last.

    Whatever breaks on it may have happened after the server has acted, so every failure is Lost.
    """

    def __init__(self) -> None:
        self.idle_since = 0.0
        self._transport: asyncio.Transport | None = None
        if _CAN_POLL:
            self._unread = select.poll()
        # Its callbacks are the methods `on_...` below; it calls them from within `feed_data`.
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[Exchanged] | None = None
        self._headers: dict[str, str] = {}
        self._body = bytearray()
        self._size_beside_body = 0
        self._head_is_read = False

    @property
    def is_open(self) -> bool:
        """Whether another request may be sent on it."""
        return self._transport is not None

    @property
    def is_quiet(self) -> bool:
        """Whether it is open, and nothing has come in that asyncio has not brought here yet.

        That would be the server's closing, so that a request would be Lost, or bytes that nobody
        asked for, which would be taken for the answer to it.
        """
        return self._transport is not None and not (_CAN_POLL and self._unread.poll(0))

    async def exchange(self, request: bytes) -> Exchanged:
        """Send a request and return its answer. A caller that is cancelled drops the connection."""
        if self._transport is None:  # it broke before we got round to it
            return exchange.failure(EOFError(), never_left=False)
        self._answer = asyncio.get_running_loop().create_future()
        self._size_beside_body = 0
        self._transport.write(request)
        try:
            return await self._answer
        except BaseException:
            # Cancelled. The answer may have come in the same step: nobody has taken it, so
            # nobody would give the connection back either.
            self.close()
            raise
        finally:
            self._answer = None

    def close(self) -> None:
        """Drop the connection at once."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()

    # --- what asyncio says ---------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast(asyncio.Transport, transport)
        if _CAN_POLL:
            self._unread.register(transport.get_extra_info("socket"), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        """Read on, unless nothing was asked: not even an empty line is taken for nothing then."""
        if self._awaited() is None:
            self.close()
            return
        body_size = len(self._body)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(error)
        if len(self._body) == body_size and self._awaited() is not None:
            self._size_beside_body += len(data)
            if self._size_beside_body > HEAD_SIZE_MAX:
                self._fail(httptools.HttpParserError())

    def eof_received(self) -> None:
        """Take a body that ends with the connection; nothing more can be had from that one."""
        framed = "content-length" in self._headers or "transfer-encoding" in self._headers
        if self._head_is_read and not framed:
            self._complete()
        self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Take the end as it comes, asked for or not."""
        self._fail(exc or EOFError())

    # --- what the parser says ------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Drop a connection on which more is said than was asked: it could answer the next one."""
        if self._awaited() is None:
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep the headers that are needed; what stands behind the body (a trailer) is not."""
        lower = name.lower()
        if lower in _NEEDED and not self._head_is_read:
            self._headers[lower.decode("latin-1")] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Refuse a body that will be too large, unread."""
        self._head_is_read = True
        if exchange.announces_too_much(self._headers):
            self._end(exchange.too_large(self._parser.get_status_code()))
            self.close()

    def on_body(self, body: bytes) -> None:
        """Gather the body, up to its limit."""
        if len(self._body) + len(body) <= REPLY_SIZE_MAX:
            self._body += body
        else:
            self._end(exchange.too_large(self._parser.get_status_code()))
            self.close()

    def on_message_complete(self) -> None:
        """Answer, unless it was one of the replies that announce another (1xx)."""
        if self._parser.get_status_code() < _FINAL_STATUS_MIN:
            self._forget()
            return
        if not self._parser.should_keep_alive():
            self.close()
        self._complete()

    # --- the answer ----------------------------------------------------------------------------

    def _awaited(self) -> asyncio.Future[Exchanged] | None:
        """Return the answer that is waited for; where there is none, what comes answers nothing."""
        return None if self._answer is None or self._answer.done() else self._answer

    def _complete(self) -> None:
        status = self._parser.get_status_code()
        self._end(exchange.reply_of(status, self._headers, bytes(self._body)))
        self._forget()

    def _fail(self, error: BaseException) -> None:
        self._end(exchange.failure(error, never_left=False))
        self.close()

    def _end(self, answer: Exchanged) -> None:
        awaited = self._awaited()
        if awaited is not None:
            awaited.set_result(answer)

    def _forget(self) -> None:
        self._headers = {}
        self._body = bytearray()
        self._head_is_read = False
