"""A webhook as a sink: one signed POST for each card.

Rules of this file:

1. A card leaves by https, or by plain http on this machine; redirects are not followed and the
   environment names no proxy (see `wire/exchange.py`, whose protection this is).
2. Any 2xx acknowledges the card, and nothing else does. The body of a reply is neither kept nor
   shown: the other side could echo the code.
3. The signature covers the time and the body, so that neither an altered card nor an old one,
   sent again, is taken for ours.
"""

import asyncio
import hashlib
import hmac
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, assert_never

from agcod_async.clock import Clock
from agcod_async.core.outcomes import Lost, Reason, Reply, Unclear, Untouched
from agcod_async.delivery.message import card_message
from agcod_async.delivery.port import DeliveryError
from agcod_async.errors import UsageError
from agcod_async.providers.agcod.messages import GiftCard
from agcod_async.wire.exchange import refusal
from agcod_async.wire.port import Transport
from agcod_async.wire.usual import usual_transport

if TYPE_CHECKING:
    from agcod_async.batch import Order

REPLY_SECONDS_MAX: Final = 10.0
"""How long the other side may take to answer."""

SECRET_BYTES_MIN: Final = 16
"""A shorter secret could be guessed from one signed card."""

_OK = range(200, 300)

Secret = Callable[[], bytes]
"""Asked for each card, so that the secret may change while a batch runs."""


class WebhookSink:
    """POSTs each card as JSON to a URL, signed with a secret that both sides know.

    The headers are `agcod-timestamp` (seconds since 1970), `agcod-signature` (`v1=` and the hex
    HMAC-SHA256 of the timestamp, a dot and the body) and `idempotency-key` (`card.request_id`).
    A `transport` that you bring carries the requests and is not closed; it is where a private
    certificate authority or a client certificate belongs.
    """

    def __init__(
        self,
        url: str,
        *,
        secret: Secret,
        reply_seconds_max: float = REPLY_SECONDS_MAX,
        transport: Transport | None = None,
        clock: Clock = Clock(),  # noqa: B008  immutable
    ) -> None:
        """Check the URL and ask for the secret once; raises `UsageError` where one is no good."""
        problem = _problem_with(url, secret)
        if problem is not None:
            raise UsageError(Reason(problem))
        self._url = url
        self._secret = secret
        self._reply_seconds_max = reply_seconds_max
        self._transport = usual_transport() if transport is None else transport
        self._transport_is_ours = transport is None
        self._clock = clock

    async def deliver(self, card: GiftCard, order: "Order") -> None:
        """Send one card, once; raises `DeliveryError` unless a 2xx comes back."""
        problem = await self._problem(card, order)
        if problem is not None:
            raise DeliveryError(Reason(f"the webhook {problem}"), request_id=order.request_id)

    async def aclose(self) -> None:
        """Close the connections."""
        if self._transport_is_ours:
            await self._transport.aclose()

    async def _problem(self, card: GiftCard, order: "Order") -> str | None:
        """Send the card. Return what went wrong, or None."""
        try:
            async with asyncio.timeout(self._reply_seconds_max):
                return await self._post(str(card.request_id), card_message(card, order))
        except TimeoutError:
            return "did not answer in time"
        except asyncio.CancelledError as error:
            # The traceback leads through the transport, whose variables hold the body.
            raise error.with_traceback(None) from None
        except Exception as error:  # noqa: BLE001  a secret or a transport of the user's
            return f"could not be called: {type(error).__name__}"

    async def _post(self, key: str, body: bytes) -> str | None:
        timestamp = f"{self._clock.wall():.0f}"
        headers = {
            "content-type": "application/json",
            "agcod-timestamp": timestamp,
            "agcod-signature": signature(self._secret(), timestamp, body),
            "idempotency-key": key,
        }
        answer = await self._transport.send(self._url, headers, body)
        match answer:
            case Reply(status=status):
                return None if status in _OK else f"answered with status {status}"
            case Untouched(reason) | Lost(reason) | Unclear(reason):
                return f"gave no answer: {reason.message}"
            case _:
                assert_never(answer)


def signature(secret: bytes, timestamp: str, body: bytes) -> str:
    """Return what stands in the header `agcod-signature`."""
    signed = hmac.new(secret, timestamp.encode() + b"." + body, hashlib.sha256)
    return f"v1={signed.hexdigest()}"


def secret_from_env(name: str) -> Secret:
    """Return a secret that is read from this environment variable, in UTF-8."""

    def secret() -> bytes:
        return os.environ[name].encode()

    return secret


def _problem_with(url: str, secret: Secret) -> str | None:
    """Return what is wrong, without quoting either: a URL may hold a key, too."""
    try:
        refused = refusal(url)
    except ValueError:
        return "webhook URL: is none"
    if refused is not None:
        return "webhook URL: must be https, or http on loopback"
    try:
        length = len(secret())
    except Exception as error:  # noqa: BLE001  it is the user's function
        return f"webhook secret: could not be read: {type(error).__name__}: is it set?"
    if length < SECRET_BYTES_MIN:
        return f"webhook secret: has {length} bytes (at least {SECRET_BYTES_MIN})"
    return None
