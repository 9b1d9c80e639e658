"""The transport's port: bytes in, bytes out, and what a failure proves is decided here."""

from collections.abc import Mapping
from typing import Final, Protocol

from agcod_async.core.outcomes import Lost, Reply, Unclear, Untouched

REPLY_SIZE_MAX: Final = 1024 * 1024
"""A reply may have at most this many bytes; what is longer is dropped unread, as Unclear."""

Exchanged = Reply | Untouched | Lost | Unclear


class Transport(Protocol):
    """Exchanges one request for one reply.

    A failure is answered, not raised, because only the transport knows what its driver's
    exceptions mean: `Untouched` if no byte of the request can have left (no connection was had),
    `Lost` in every other case, `Unclear` for a reply that is too large. An exception that
    escapes all the same is treated as Lost. No retries, no redirects.

    A `Reply` brings its Date along (`date_header.seconds_of`): the session's clock is held
    against it. A transport that leaves it out only does without the correction.
    """

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Exchanged:
        """POST `body` to `url`. The caller bounds the time by cancelling."""
        ...

    async def aclose(self) -> None:
        """Close the connections that this transport has opened itself."""
        ...
