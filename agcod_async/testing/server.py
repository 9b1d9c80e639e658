"""The emulator as an HTTP server, for clients in any language.

It listens on loopback only, unless it is told otherwise: it accepts a key that everybody knows.
aiohttp's low-level server is used without its router and without an access log: the operations
are looked up in a table anyway, and arrivals are logged by the emulator itself.
"""

import asyncio
import socket
import struct
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import Final, assert_never

import msgspec
from aiohttp import web

from agcod_async.core.outcomes import Reply
from agcod_async.testing import views
from agcod_async.testing.authentication import Incoming
from agcod_async.testing.emulator import Emulator
from agcod_async.testing.faults import FaultScript
from agcod_async.testing.json_format import json_reply
from agcod_async.testing.protocol import UNSUPPORTED_PROTOCOL
from agcod_async.testing.service import Answer, ConnectionReset, Silence
from agcod_async.values import Credentials, InvalidValueError
from agcod_async.wire.date_header import date_of

LOOPBACK: Final = "127.0.0.1"

SILENCE_SECONDS: Final = 60.0
"""A request that is never answered holds its connection for this long, then it is reset."""

_SHUTDOWN_SECONDS = 0.2
_CONTROL_PREFIX = "/_emulator/"


@asynccontextmanager
async def serve(
    emulator: Emulator,
    *,
    host: str = LOOPBACK,
    port: int = 0,
    silence_seconds: float = SILENCE_SECONDS,
) -> AsyncGenerator[str, None]:
    """Serve the emulator for as long as the block runs; the value is its base URL.

    The URL names the address that is listened on, and loopback if that is all of them. Port 0
    takes a free one. Raises `OSError` where the port is taken.
    """
    front = _Front(emulator, silence_seconds)
    server = web.Server(front.respond, handler_cancellation=True, access_log=None)
    runner = web.ServerRunner(server, shutdown_timeout=_SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        bound_host, bound_port = runner.addresses[0][:2]
        yield _url(str(bound_host), int(bound_port))
    finally:
        await runner.cleanup()


async def serve_forever(
    emulator: Emulator,
    *,
    host: str = LOOPBACK,
    port: int = 8080,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serve the emulator until cancelled; `on_ready` is told the base URL once it listens."""
    async with serve(emulator, host=host, port=port) as url:
        if on_ready is not None:
            on_ready(url)
        await asyncio.Event().wait()


def _url(bound_host: str, port: int) -> str:
    address = ip_address(bound_host)
    if address.version == 6:  # noqa: PLR2004 - IPv6, not a number of something
        return f"http://[{'::1' if address.is_unspecified else bound_host}]:{port}"
    return f"http://{LOOPBACK if address.is_unspecified else bound_host}:{port}"


class _Front:
    """Turns HTTP into requests and decisions into HTTP."""

    def __init__(self, emulator: Emulator, silence_seconds: float) -> None:
        self._emulator = emulator
        self._silence_seconds = silence_seconds

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request: an operation, or a control endpoint."""
        if request.path.startswith(_CONTROL_PREFIX):
            return _response(await self._control(request))
        if request.method != "POST":
            return _response(json_reply(400, {"Message": UNSUPPORTED_PROTOCOL}))
        headers = {name.lower(): value for name, value in request.headers.items()}
        incoming = Incoming(request.raw_path, headers, await request.read())
        match self._emulator.handle(incoming):
            case Answer(reply, after_seconds):
                if after_seconds:
                    await asyncio.sleep(after_seconds)
                return _response(reply, date=date_of(self._emulator.wall))
            case Silence():
                await asyncio.sleep(self._silence_seconds)
                return _reset(request)
            case ConnectionReset():
                return _reset(request)
            case _ as never:
                assert_never(never)

    async def _control(self, request: web.BaseRequest) -> Reply:
        endpoint = request.path.removeprefix(_CONTROL_PREFIX)
        try:
            match request.method:
                case "GET":
                    shown = self._shown(endpoint, request)
                case "POST":
                    shown = self._done(endpoint, await request.read())
                case _:
                    shown = None
        except InvalidValueError as error:
            return json_reply(400, {"error": str(error)})
        if shown is None:
            return json_reply(404, {"error": "there is no such endpoint"})
        return json_reply(200, shown)

    def _shown(self, endpoint: str, request: web.BaseRequest) -> views.Shown | None:
        match endpoint:
            case "health":
                return views.health(self._emulator)
            case "ledger":
                return views.ledger(self._emulator, request.query.get("request_id"))
            case "requests":
                return views.requests(self._emulator, _limit(request))
            case _:
                return None

    def _done(self, endpoint: str, body: bytes) -> views.Shown | None:
        match endpoint:
            case "faults":
                self._emulator.play(FaultScript.from_json(body))
                return {"status": "ok"}
            case "claim":
                return {"claimed": self._claim(body)}
            case "spend":
                return {"spent": self._spend(body)}
            case "accept-key":
                self._accept_key(body)
                return {"status": "ok"}
            case "revoke-key":
                return {"revoked": self._revoke_key(body)}
            case "reset":
                self._emulator.reset()
                return {"status": "ok"}
            case _:
                return None

    def _claim(self, body: bytes) -> bool:
        match _texts(body):
            case {"request_id": request_id}:
                return self._emulator.claim(request_id)
            case {"card_number": card_number}:
                return self._emulator.claim_card(card_number)
            case _:
                raise InvalidValueError("claim", "names no card", "request_id or card_number")

    def _spend(self, body: bytes) -> bool:
        match _texts(body):
            case {"request_id": request_id}:
                return self._emulator.spend(request_id)
            case _:
                raise InvalidValueError("spend", "names no load", "request_id")

    def _accept_key(self, body: bytes) -> None:
        match _texts(body):
            case {"access_key_id": key_id, "secret_access_key": secret}:
                self._emulator.accept_key(
                    Credentials(access_key_id=key_id, secret_access_key=secret)
                )
            case _:
                needs = "access_key_id and secret_access_key"
                raise InvalidValueError("accept-key", "names no key", needs)

    def _revoke_key(self, body: bytes) -> bool:
        match _texts(body):
            case {"access_key_id": access_key_id}:
                return self._emulator.revoke_key(access_key_id)
            case _:
                raise InvalidValueError("revoke-key", "names no key", "access_key_id")


def _texts(body: bytes) -> dict[str, str]:
    try:
        return msgspec.json.decode(body, type=dict[str, str])
    except msgspec.MsgspecError as error:
        raise InvalidValueError("body", str(error), "a JSON object of texts") from error


def _limit(request: web.BaseRequest) -> int | None:
    text = request.query.get("limit")
    if text is None:
        return None
    if not text.isdecimal():
        raise InvalidValueError("limit", f"{text!r} is not a number", "at least 0")
    return int(text)


def _response(reply: Reply, **headers: str) -> web.Response:
    told = {"content-type": reply.content_type, **headers}
    return web.Response(status=reply.status, body=reply.body, headers=told)


def _reset(request: web.BaseRequest) -> web.Response:
    """Break the connection off so that the client sees a reset, not an orderly end."""
    transport = request.transport
    if transport is not None:
        connection = transport.get_extra_info("socket")
        no_linger = struct.pack("ii", 1, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_linger)
        transport.abort()
    return web.Response()  # goes nowhere
