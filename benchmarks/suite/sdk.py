"""The SDK as a user runs it, over each of its transports and with each of its journals.

The name of a kind is a transport, and the journal after a slash: `lean`, `lean/sqlite`. `default`
is whatever a session makes where none is brought. The limiter is there and in use, at the highest
rate that it takes.
"""

import tempfile
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

from agcod_async import (
    AgcodSession,
    Credentials,
    Money,
    Settings,
    SqliteJournal,
)
from agcod_async.clock import Clock
from agcod_async.core.outcomes import Reply
from agcod_async.wire.port import Exchanged, Transport
from benchmarks.suite import request
from benchmarks.suite.machine import a_disk

REQUESTS_PER_SECOND = 100_000
_REPLY = (
    b'{"cardInfo":{"cardNumber":null,"cardStatus":"Fulfilled","expirationDate":null,'
    b'"value":{"amount":25.00,"currencyCode":"USD"}},"creationRequestId":"%b",'
    b'"gcClaimCode":"MOCK-CLAIMC-CODE","gcExpirationDate":"Wed Mar 12 22:59:59 UTC 2031",'
    b'"gcId":"A2GCN9BRX5QS76","status":"SUCCESS"}'
)


class Canned:
    """A transport inside the process: what is left is the SDK itself."""

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Exchanged:
        """Answer with a card."""
        del url, headers
        asked = body.partition(b'"creationRequestId":"')[2].partition(b'"')[0]
        return Reply(200, "application/json", _REPLY % asked)

    async def aclose(self) -> None:
        """Do nothing."""


async def opened(kind: str, stack: AsyncExitStack) -> Transport | None:
    """Make a transport; the stack closes it. What it needs is imported here, as in `contender`."""
    match kind:
        case "default":
            return None
        case "httpx":
            import httpx  # noqa: PLC0415

            from agcod_async import HttpxTransport  # noqa: PLC0415

            client = await stack.enter_async_context(httpx.AsyncClient())
            transport: Transport = HttpxTransport(client)
        case "lean":
            from agcod_async.wire.lean_transport import LeanTransport  # noqa: PLC0415

            transport = LeanTransport()
        case "canned":
            transport = Canned()
        case _:
            raise SystemExit(f"no transport is called {kind}")
    stack.push_async_callback(transport.aclose)
    return transport


class Sdk:
    """`create_gift_card` of one session."""

    def __init__(self, kind: str, url: str, clock: Clock | None = None) -> None:
        self._transport, _, self._journal = kind.partition("/")
        self._settings = Settings(
            credentials=Credentials(
                access_key_id=request.ACCESS_KEY_ID,
                secret_access_key=request.SECRET_ACCESS_KEY,
            ),
            partner_id=request.PARTNER_ID,
            base_url=url,
            requests_per_second=REQUESTS_PER_SECOND,
        )
        self._amount = Money("25.00", "USD")
        self._clock = clock or Clock()
        self._stack = AsyncExitStack()
        self._session: AgcodSession | None = None

    async def open(self) -> None:
        """Open a session."""
        transport = await opened(self._transport, self._stack)
        journal = None
        if self._journal == "sqlite":
            folder = self._stack.enter_context(tempfile.TemporaryDirectory(dir=a_disk()))
            journal = SqliteJournal(Path(folder) / "journal.sqlite")
            self._stack.push_async_callback(journal.aclose)
        session = AgcodSession(
            self._settings, transport=transport, journal=journal, clock=self._clock
        )
        self._session = await self._stack.enter_async_context(session)

    async def issue(self, number: int) -> None:
        """Issue one card."""
        assert self._session is not None  # noqa: S101  it was opened
        card = await self._session.create_gift_card(
            request_id=request.request_id(number), amount=self._amount
        )
        request.check(card.request_id == request.request_id(number))

    async def close(self) -> None:
        """Close everything."""
        await self._stack.aclose()
