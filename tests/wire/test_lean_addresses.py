"""The lean transport tries the addresses of a name one after the other."""

import asyncio
import socket

import pytest

from agcod_async.core.outcomes import Reply, Untouched
from agcod_async.wire.lean_transport import LeanTransport
from tests.wire.scripted_server import answering, http, serving

HEADERS = {"host": "agcod.example"}
NOBODY, SOMEBODY = "127.0.0.2", "127.0.0.1"


async def sent_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> object:
    """Send a request to a name that has these addresses."""

    async def getaddrinfo(_host: str, port: int, **_more: object) -> list[tuple[object, ...]]:
        kind = socket.SOCK_STREAM
        return [(socket.AF_INET, kind, 6, "", (address, port)) for address in addresses]

    async with serving(answering(http(b"here"))) as served:
        transport = LeanTransport()
        with monkeypatch.context() as patched:
            patched.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
            url = served.url.replace(SOMEBODY, "localhost")
            answer = await transport.send(url, HEADERS, b"{}")
        await transport.aclose()
    return answer


@pytest.mark.parametrize(
    "addresses", [(SOMEBODY,), (NOBODY, SOMEBODY), (NOBODY, NOBODY, "127.0.0.3", SOMEBODY)]
)
def test_an_address_where_nobody_answers_does_not_hide_the_next_one(
    monkeypatch: pytest.MonkeyPatch, addresses: tuple[str, ...]
) -> None:
    answer = asyncio.run(sent_to(monkeypatch, *addresses))

    assert answer == Reply(200, "", b"here")


@pytest.mark.parametrize("addresses", [(), (NOBODY,), (NOBODY, "127.0.0.3", "127.0.0.4", SOMEBODY)])
def test_where_none_of_the_addresses_answers_nothing_was_sent(
    monkeypatch: pytest.MonkeyPatch, addresses: tuple[str, ...]
) -> None:
    answer = asyncio.run(sent_to(monkeypatch, *addresses))

    assert isinstance(answer, Untouched)
