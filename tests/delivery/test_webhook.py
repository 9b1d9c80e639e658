"""A webhook as a sink: signed, protected, and acknowledged by a 2xx alone."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest

from agcod_async.core.outcomes import Lost, Reason, Reply, Unclear, Untouched
from agcod_async.delivery import DeliveryError, WebhookSink, secret_from_env
from agcod_async.delivery.webhook import signature
from agcod_async.errors import UsageError
from agcod_async.testing.clock import WALL_AT_START, run, virtual_clock
from agcod_async.wire.port import Exchanged
from tests.delivery.cards import CANARY, card_of, order_of
from tests.wire.scripted_server import answering, http, serving

URL = "https://shop.example/cards"
SECRET = b"sixteen bytes or more"
OPENSSL_SAYS = "99902517b3069f78750aa0520b0493482454c2d30a579c7acc839f3363ca1b88"


def secret() -> bytes:
    return SECRET


@dataclass
class Wire:
    """A transport that keeps what it is given."""

    answer: Exchanged | Exception = field(default_factory=lambda: Reply(204, "", b""))
    seconds: float = 0.0
    sent: list[tuple[str, Mapping[str, str], bytes]] = field(default_factory=list)
    closed: bool = False

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Exchanged:
        self.sent.append((url, headers, body))
        await asyncio.sleep(self.seconds)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def aclose(self) -> None:
        self.closed = True


def sink_of(wire: Wire, secret: Callable[[], bytes] = secret) -> WebhookSink:
    return WebhookSink(URL, secret=secret, transport=wire, clock=virtual_clock())


def problem_of(wire: Wire, secret: Callable[[], bytes] = secret) -> str:
    """Deliver one card; return what went wrong, or ""."""

    async def main() -> str:
        try:
            await sink_of(wire, secret).deliver(card_of(1), order_of(1))
        except DeliveryError as error:
            return error.reason.message
        return ""

    return run(main())


# --- the request -----------------------------------------------------------------------------


def test_a_card_is_posted_as_json_with_its_live_id_as_the_key() -> None:
    wire = Wire()

    run(sink_of(wire).deliver(card_of(1, live_id="ToyLive"), order_of(1)))

    ((url, headers, body),) = wire.sent
    assert url == URL
    assert headers["content-type"] == "application/json"
    assert headers["idempotency-key"] == "ToyLive"
    assert json.loads(body) == {
        "request_id": "Toy1",
        "live_request_id": "ToyLive",
        "gc_id": "GC1",
        "claim_code": f"{CANARY}-0001",
        "amount": "25.00",
        "currency": "USD",
        "expires_at": None,
    }


def test_the_signature_covers_the_time_and_the_body() -> None:
    wire = Wire()

    run(sink_of(wire).deliver(card_of(1), order_of(1)))

    ((_, headers, body),) = wire.sent
    timestamp = headers["agcod-timestamp"]
    assert int(timestamp) == pytest.approx(WALL_AT_START, abs=1)
    signed = timestamp.encode() + b"." + body
    assert headers["agcod-signature"] == (
        "v1=" + hmac.new(SECRET, signed, hashlib.sha256).hexdigest()
    )


def test_the_signature_is_the_one_that_anybody_would_compute() -> None:
    # printf '1767225600.{}' | openssl dgst -sha256 -hmac 0123456789abcdef
    assert signature(b"0123456789abcdef", "1767225600", b"{}") == f"v1={OPENSSL_SAYS}"


def test_a_new_secret_signs_the_next_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_SECRET", "the first secret")
    wire = Wire()
    sink = sink_of(wire, secret_from_env("SHOP_SECRET"))

    run(sink.deliver(card_of(1), order_of(1)))
    monkeypatch.setenv("SHOP_SECRET", "the second secret")
    run(sink.deliver(card_of(1), order_of(1)))

    first, second = (headers["agcod-signature"] for _, headers, _ in wire.sent)
    assert first != second


# --- the answer ------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_acknowledges(status: int) -> None:
    assert problem_of(Wire(Reply(status, "text/html", b"thanks"))) == ""


@pytest.mark.parametrize("status", [100, 199, 300, 302, 307, 400, 401, 409, 429, 500, 503])
def test_no_other_status_does(status: int) -> None:
    wire = Wire(Reply(status, "", b""))

    assert problem_of(wire) == f"the webhook answered with status {status}"
    assert len(wire.sent) == 1, "a repeat is the line's"


@pytest.mark.parametrize("kind", [Untouched, Lost, Unclear])
def test_no_answer_is_no_acknowledgement(kind: type[Untouched | Lost | Unclear]) -> None:
    problem = problem_of(Wire(kind(Reason("sent, but no whole answer came"))))

    assert problem == "the webhook gave no answer: sent, but no whole answer came"


def test_an_answer_is_waited_for_in_bounded_time() -> None:
    async def main() -> float:
        with pytest.raises(DeliveryError, match="the webhook did not answer in time"):
            await sink_of(Wire(seconds=1000)).deliver(card_of(1), order_of(1))
        return asyncio.get_running_loop().time()

    assert run(main()) == pytest.approx(10.0, abs=0.01)


def test_a_secret_that_is_gone_and_a_transport_that_raises_are_failed_deliveries() -> None:
    secrets = [SECRET]

    assert problem_of(Wire(), secrets.pop) == "the webhook could not be called: IndexError"
    assert problem_of(Wire(OSError(CANARY))) == "the webhook could not be called: OSError"


# --- the settings ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url", ["http://shop.example/", "ftp://127.0.0.1/", "", "shop.example", "https://[broken/"]
)
def test_a_url_that_is_not_protected_is_refused_and_not_quoted(url: str) -> None:
    with pytest.raises(UsageError, match="webhook URL") as raised:
        WebhookSink(url, secret=secret)

    assert "shop" not in str(raised.value)


@pytest.mark.parametrize(
    ("given", "problem"), [(b"", "has 0 bytes"), (b"fifteen bytes..", "has 15 bytes")]
)
def test_a_short_secret_is_refused(given: bytes, problem: str) -> None:
    with pytest.raises(UsageError, match=problem) as raised:
        WebhookSink(URL, secret=lambda: given)

    assert "fifteen" not in str(raised.value)


def test_a_secret_that_cannot_be_read_is_refused_at_once() -> None:
    with pytest.raises(UsageError, match=r"could not be read: KeyError: is it set\?"):
        WebhookSink(URL, secret=secret_from_env("NO_SUCH_VARIABLE"))


def test_a_transport_that_was_brought_is_not_closed() -> None:
    wire = Wire()

    run(sink_of(wire).aclose())

    assert not wire.closed


# --- over loopback ---------------------------------------------------------------------------


def test_a_redirect_is_not_followed_and_the_environment_is_not_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    moved = http(b"", "location: /elsewhere", status="307 Temporary Redirect")

    async def main() -> None:
        async with serving(answering(moved, http(b"taken"))) as served:
            sink = WebhookSink(served.url, secret=secret)
            with pytest.raises(DeliveryError, match="answered with status 307"):
                await sink.deliver(card_of(1), order_of(1))
            assert len(served.requests) == 1
            await sink.deliver(card_of(1), order_of(1))
            await sink.aclose()
            head, _, body = served.requests[1].partition(b"\r\n\r\n")
            assert head.startswith(b"POST /CreateGiftCard HTTP/1.1\r\n")
            assert b"\r\nagcod-signature: v1=" in head.lower()
            assert json.loads(body)["claim_code"] == f"{CANARY}-0001"
            with pytest.raises(DeliveryError, match="closed"):
                await sink.deliver(card_of(1), order_of(1))

    asyncio.run(main())
