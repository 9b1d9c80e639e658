"""The transport that is used where none is brought."""

from agcod_async.wire.port import Transport


def usual_transport() -> Transport:
    """Return a new `HttpxTransport`.

    It is imported here, so that httpx and aiohttp are loaded by whoever needs them alone: when a
    session or a sink is made, which is before anything is sent.
    """
    from agcod_async.wire.httpx_transport import HttpxTransport  # noqa: PLC0415

    return HttpxTransport()
