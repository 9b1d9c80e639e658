"""Hostile servers over real sockets: nothing they do is taken for a card, or for "not sent".

For each transport and each behaviour: once a byte of the request has been written the outcome is
Lost, or a reply of which the decoder makes Unclear (running into the attempt's timeout counts as
Lost, as it does in the engine). Memory stays bounded, no redirect is followed, and the next
exchanges get their own replies: never what was left over from the first.
"""

import asyncio
import gzip
import json
import tracemalloc
import zlib
from collections.abc import Awaitable, Callable
from typing import Final

import pytest

from agcod_async.agcod import AgcodSession
from agcod_async.core.outcomes import Lost, Reason, Reply, Unclear
from agcod_async.settings import Settings
from agcod_async.values import Credentials, Money
from agcod_async.wire.port import REPLY_SIZE_MAX, Exchanged, Transport
from tests.hostile.templates import JUDGES
from tests.providers.replies import PARTNER, REQUEST_ID, card
from tests.wire.scripted_server import HEADERS, Connection, http, serving, silence
from tests.wire.test_transports import ALL, ON_AIOHTTP, OURS, opened

TIMEOUT_SECONDS: Final = 0.08
"""Of an attempt with which something hostile is done."""
FLOOD_SECONDS: Final = 0.4
PEAK_MAX: Final = 4 * REPLY_SIZE_MAX
"""Of this process, the server in it included."""

JSON: Final = "content-type: application/json"
LIVE: Final = json.dumps(card()).encode()
"""What would be a card, were it all that had come."""
HEAD: Final = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
CHUNKED: Final = HEAD + b"transfer-encoding: chunked\r\n\r\n"
MANY: Final = 64 * 1024

Behaviour = Callable[[Connection], Awaitable[None]]


def asking(request_id: str) -> bytes:
    return json.dumps({"creationRequestId": request_id}).encode()


def answer_to(request: bytes) -> bytes:
    """Return the card that this request asks for."""
    asked = json.loads(request.partition(b"\r\n\r\n")[2])
    return json.dumps(card(creationRequestId=asked["creationRequestId"])).encode()


async def well(connection: Connection) -> None:
    """Answer every request properly."""
    while True:
        await connection.reply(http(answer_to(await connection.request()), JSON))


def then_silent(behaviour: Behaviour) -> Behaviour:
    """Behave so at the first request of the first connection, and stay silent; else answer well."""

    async def script(connection: Connection) -> None:
        if connection.number == 0:
            await connection.request()
            await behaviour(connection)
            await silence(connection)
        await well(connection)

    return script


def then_well(behaviour: Behaviour) -> Behaviour:
    """Behave so at the first request of the first connection; else answer well."""

    async def script(connection: Connection) -> None:
        if connection.number == 0:
            await connection.request()
            await behaviour(connection)
        await well(connection)

    return script


def saying(*pieces: bytes) -> Behaviour:
    async def behaviour(connection: Connection) -> None:
        for piece in pieces:
            await connection.reply(piece)
            await asyncio.sleep(0)

    return behaviour


def closing(*pieces: bytes) -> Behaviour:
    async def behaviour(connection: Connection) -> None:
        await saying(*pieces)(connection)
        connection.writer.close()
        raise EOFError

    return behaviour


def endlessly(before: bytes, piece: bytes, seconds: float = 0.0) -> Behaviour:
    async def behaviour(connection: Connection) -> None:
        await connection.reply(before)
        while True:
            await connection.reply(piece)
            await asyncio.sleep(seconds)

    return behaviour


def dripping(raw: bytes) -> Behaviour:
    """Say it one byte at a time, too slowly for any attempt."""

    async def behaviour(connection: Connection) -> None:
        for at in range(len(raw)):
            await connection.reply(raw[at : at + 1])
            await asyncio.sleep(0.005)

    return behaviour


async def half_closes(connection: Connection) -> None:
    connection.writer.write_eof()


async def half_closes_within_the_body(connection: Connection) -> None:
    await connection.reply(http(LIVE, JSON)[:-20])
    connection.writer.write_eof()


async def resets(connection: Connection) -> None:
    connection.reset()


async def resets_within_the_body(connection: Connection) -> None:
    await connection.reply(http(LIVE, JSON)[:-20])
    await asyncio.sleep(0.01)
    connection.reset()


def _packed(size: int) -> bytes:
    return gzip.compress(b" " * size)


_BOMB: Final = _packed(64 * REPLY_SIZE_MAX)
_DEFLATED: Final = zlib.compress(b" " * 64 * REPLY_SIZE_MAX)
_OTHER: Final = json.dumps(card(creationRequestId="PartaOther")).encode()

BAD: Final[dict[str, Behaviour]] = {
    "drips the head": dripping(http(LIVE, JSON)),
    "drips the body": endlessly(HEAD + b"content-length: 5000\r\n\r\n", b" ", 0.005),
    "drips a chunk": endlessly(CHUNKED + b"fff\r\n", b" ", 0.005),
    "endless headers": endlessly(HEAD, b"x-more: " + b"y" * 1000 + b"\r\n"),
    "an endless header": endlessly(HEAD + b"x-more: ", b"y" * MANY),
    "an endless status line": endlessly(b"HTTP/1.1 200 ", b"y" * MANY),
    "an endless body": endlessly(HEAD + b"\r\n", b" " * MANY),
    "an endless body in chunks": endlessly(CHUNKED, b"10000\r\n" + b" " * MANY + b"\r\n"),
    "an endless size of a chunk": endlessly(CHUNKED, b"0" * MANY),
    "an endless extension of a chunk": endlessly(CHUNKED + b"1;", b"x" * MANY),
    "endless trailers": endlessly(CHUNKED + b"0\r\n", b"x-more: " + b"y" * 1000 + b"\r\n"),
    "endless tiny chunks": endlessly(CHUNKED, b"1\r\n \r\n" * 1000),
    "endless blank lines": endlessly(b"", b"\r\n" * 1000),
    "a flood of 100": endlessly(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
    "a flood of 103": endlessly(b"", b"HTTP/1.1 103 Early\r\nlink: <x>\r\n\r\n" * 100),
    "half-closes": half_closes,
    "half-closes within the body": half_closes_within_the_body,
    "resets": resets,
    "resets within the body": resets_within_the_body,
    "closes": closing(),
    "closes within the head": closing(http(LIVE, JSON)[:40]),
    "closes within the body": closing(http(LIVE, JSON)[:-1]),
    "closes within a chunk": closing(CHUNKED + b"400\r\n" + LIVE),
    "closes before the last chunk": closing(CHUNKED + b"%x\r\n%b\r\n" % (len(LIVE), LIVE)),
    "too long a length": saying(HEAD + b"content-length: %d\r\n\r\n" % (len(LIVE) + 1) + LIVE),
    "too long a length, closed": closing(
        HEAD + b"content-length: %d\r\n\r\n" % (len(LIVE) + 1) + LIVE
    ),
    "too short a length": saying(HEAD + b"content-length: %d\r\n\r\n" % (len(LIVE) - 9) + LIVE),
    "a length of nothing": saying(HEAD + b"content-length: 0\r\n\r\n" + LIVE),
    "a negative length": saying(HEAD + b"content-length: -1\r\n\r\n" + LIVE),
    "a length that is none": saying(HEAD + b"content-length: many\r\n\r\n" + LIVE),
    "a length beyond all": saying(HEAD + b"content-length: %d\r\n\r\n" % 10**30 + LIVE),
    "two lengths": saying(
        HEAD + b"content-length: 3\r\ncontent-length: %d\r\n\r\n" % len(LIVE) + LIVE
    ),
    "a bad size of a chunk": saying(CHUNKED + b"zz\r\n" + LIVE),
    "a negative size of a chunk": saying(CHUNKED + b"-5\r\n" + LIVE),
    "a size of a chunk beyond all": saying(CHUNKED + b"f" * 17 + b"\r\n" + LIVE),
    "no end of a chunk": saying(CHUNKED + b"%x\r\n%b0\r\n\r\n" % (len(LIVE), LIVE)),
    "packed to a 64th of a million": saying(
        HEAD + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(_BOMB) + _BOMB
    ),
    "deflated likewise": saying(
        HEAD
        + b"content-encoding: deflate\r\ncontent-length: %d\r\n\r\n" % len(_DEFLATED)
        + _DEFLATED
    ),
    "packed, but not": saying(http(LIVE, JSON, "content-encoding: gzip")),
    "garbage": saying(b"\x16\x03\x01 what is this\r\n\r\n" + LIVE),
    "zeros": saying(b"\0" * 1000),
    "a newer HTTP": saying(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "no HTTP at all": saying(LIVE),
    "a status of two digits": saying(b"HTTP/1.1 20 OK\r\ncontent-length: 0\r\n\r\n"),
    "a status without digits": saying(b"HTTP/1.1 OK\r\ncontent-length: 0\r\n\r\n"),
    "a header without a colon": saying(HEAD + b"what\r\ncontent-length: 2\r\n\r\n{}"),
    "a header with a zero": saying(HEAD + b"x: \0\r\ncontent-length: 2\r\n\r\n{}"),
    "another protocol": saying(b"HTTP/1.1 101 Now\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"),
    "an answer that has none": saying(b"HTTP/1.1 204 None\r\n\r\n" + LIVE),
    "an unchanged answer": saying(b"HTTP/1.1 304 Same\r\ncontent-length: 9\r\n\r\n" + LIVE),
    "another's card": saying(http(_OTHER, JSON)),
}
"""What is nobody's card; afterwards the connection is silent, where it still stands."""


async def attempt(
    transport: Transport, url: str, request_id: str, seconds: float = TIMEOUT_SECONDS
) -> Exchanged:
    """Exchange one request as the engine does: an attempt that takes too long is lost."""
    try:
        async with asyncio.timeout(seconds):
            return await transport.send(url, HEADERS, asking(request_id))
    except TimeoutError:
        return Lost(Reason("no answer in time"))


async def check_next(transport: Transport, url: str, request_id: str = "PartaN3") -> None:
    """Check that a request is answered with its own card."""
    check_own(await attempt(transport, url, request_id, 10), request_id)


def check_own(answer: Exchanged, request_id: str) -> None:
    assert isinstance(answer, Reply), answer
    assert json.loads(answer.body)["creationRequestId"] == request_id


def kind_of(answer: Exchanged) -> str:
    """Return what the engine makes of it."""
    outcome = JUDGES["create"](answer) if isinstance(answer, Reply) else answer
    return type(outcome).__name__


@pytest.mark.parametrize("behaviour", BAD)
@pytest.mark.parametrize("kind", ALL)
def test_a_hostile_server_is_no_card_and_the_next_requests_get_their_own(
    kind: str, behaviour: str
) -> None:
    async def main() -> None:
        async with (
            asyncio.timeout(20),
            serving(then_silent(BAD[behaviour])) as served,
            opened(kind) as transport,
        ):
            first = await attempt(transport, served.url, REQUEST_ID)
            assert kind_of(first) in ("Lost", "Unclear")
            assert "127.0.0.1" not in str(first)
            assert len(served.requests) == 1
            # A connection that looked sound is silent from now on: that one, too, is lost only.
            second = await attempt(transport, served.url, "PartaN2")
            assert kind_of(second) in ("Lost", "Unclear")
            await check_next(transport, served.url)

    asyncio.run(main())


FLOODS: Final = tuple(name for name in BAD if "endless" in name or "flood" in name)


@pytest.mark.parametrize("behaviour", [*FLOODS, "packed to a 64th of a million"])
@pytest.mark.parametrize("kind", ALL)
def test_a_flood_takes_a_bounded_amount_of_memory(kind: str, behaviour: str) -> None:
    async def main() -> int:
        script = then_silent(BAD[behaviour])
        async with asyncio.timeout(20), serving(script) as served, opened(kind) as transport:
            tracemalloc.start()
            try:
                await attempt(transport, served.url, REQUEST_ID, FLOOD_SECONDS)
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

    assert asyncio.run(main()) <= PEAK_MAX


# --- replies that are whole, but not all that comes -----------------------------------------------

_LEFT_OVER: Final = http(json.dumps(card(gcId="7LEFTOVER", creationRequestId="PartaN2")).encode())
"""It would even be believed: the next request has this very ID."""

BEHIND: Final[dict[str, tuple[bytes, ...]]] = {
    "in one piece": (http(LIVE, JSON) + _LEFT_OVER,),
    "in two pieces": (http(LIVE, JSON), _LEFT_OVER),
    "half of it": (http(LIVE, JSON) + _LEFT_OVER[:30],),
    "most of it": (http(LIVE, JSON) + _LEFT_OVER[:-20],),
    "its body": (http(LIVE, JSON) + _LEFT_OVER.partition(b"\r\n\r\n")[2],),
    "after an empty chunk": (CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (len(LIVE), LIVE) + _LEFT_OVER,),
    "a refusal": (http(LIVE, JSON) + http(b"{}", status="403 No"),),
    "two of them": (http(LIVE, JSON) + _LEFT_OVER * 2,),
}


@pytest.mark.parametrize("pause_seconds", [0, 0.02])
@pytest.mark.parametrize("behind", BEHIND)
# Not on httpcore, where it does: docs/how-to/choose-a-transport.md warns of that.
@pytest.mark.parametrize("kind", [*OURS, "aiohttp, brought", ON_AIOHTTP])
def test_what_comes_behind_a_reply_answers_no_other_request(
    kind: str, behind: str, pause_seconds: float
) -> None:
    async def main() -> None:
        script = then_well(saying(*BEHIND[behind]))
        async with asyncio.timeout(20), serving(script) as served, opened(kind) as transport:
            first = await attempt(transport, served.url, REQUEST_ID, 10)
            # Told in one piece, aiohttp takes the whole for a reply that is broken.
            assert kind_of(first) in ("Applied", "Lost")
            await asyncio.sleep(pause_seconds)
            second = await attempt(transport, served.url, "PartaN2", 10)
            if isinstance(second, Reply):
                assert b"7LEFTOVER" not in second.body
            if not isinstance(second, Lost):
                check_own(second, "PartaN2")
            await check_next(transport, served.url)

    asyncio.run(main())


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Again", "308 Moved"])
@pytest.mark.parametrize("kind", ALL)
def test_a_redirect_with_a_card_in_it_is_neither_followed_nor_believed(
    kind: str, status: str
) -> None:
    async def main() -> None:
        async def redirects(connection: Connection) -> None:
            where = f"location: {connection.served.url}"
            await connection.reply(http(LIVE, JSON, where, status=status))

        script = then_well(redirects)
        async with asyncio.timeout(20), serving(script) as served, opened(kind) as transport:
            answer = await attempt(transport, served.url, REQUEST_ID, 10)
            assert kind_of(answer) == "Unclear"
            assert len(served.requests) == 1
            await check_next(transport, served.url)

    asyncio.run(main())


@pytest.mark.parametrize("early", [http(_OTHER, JSON), http(b"{}", status="403 No"), b"HTTP/1.1 "])
@pytest.mark.parametrize("kind", ALL)
def test_a_reply_before_the_request_was_read_is_no_card_and_never_untouched(
    kind: str, early: bytes
) -> None:
    async def main() -> None:
        async def script(connection: Connection) -> None:
            if connection.number == 0:
                await connection.reply(early)
                await silence(connection)
            await well(connection)

        async with asyncio.timeout(20), serving(script) as served, opened(kind) as transport:
            assert kind_of(await attempt(transport, served.url, REQUEST_ID)) in ("Lost", "Unclear")
            while served.connections < 2:
                await attempt(transport, served.url, "PartaN2")
            await check_next(transport, served.url)

    asyncio.run(main())


# --- a session -----------------------------------------------------------------------------------

KEYS: Final = Credentials(access_key_id="AKIATEST", secret_access_key="secret")


@pytest.mark.parametrize(
    "behaviour",
    ["drips the body", "a flood of 100", "resets within the body", "too short a length", "garbage"],
)
@pytest.mark.parametrize("kind", ALL)
def test_a_session_gets_its_card_from_a_server_that_was_hostile_once(
    kind: str, behaviour: str
) -> None:
    async def main() -> None:
        script = then_silent(BAD[behaviour])
        async with asyncio.timeout(20), serving(script) as served, opened(kind) as transport:
            settings = Settings(
                credentials=KEYS,
                partner_id=PARTNER,
                base_url=served.url.removesuffix("/CreateGiftCard"),
                requests_per_second=100.0,
                attempt_timeout_seconds=0.3,
            )
            async with AgcodSession(settings, transport=transport) as session:
                issued = await session.create_gift_card(
                    request_id=REQUEST_ID, amount=Money("12.50", "USD"), deadline_seconds=5
                )
                other = await session.create_gift_card(
                    request_id=f"{PARTNER}N2", amount=Money("12.50", "USD"), deadline_seconds=5
                )

        assert issued.request_id == REQUEST_ID
        assert issued.attempts in (2, 3)
        assert (other.request_id, other.attempts) == (f"{PARTNER}N2", 1)

    asyncio.run(main())


def test_the_kinds_of_outcome_are_those_that_the_engine_knows() -> None:
    assert kind_of(Lost(Reason("x"))) == "Lost"
    assert kind_of(Unclear(Reason("x"))) == "Unclear"
    assert kind_of(Reply(200, "", LIVE)) == "Applied"
