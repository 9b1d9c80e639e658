"""The transport that is used where none is brought."""

from agcod_async.wire.port import Transport


def usual_transport() -> Transport:
    """Return a new `AiohttpTransport`.

    It is imported here, so that aiohttp is loaded by whoever needs it alone: when a session or a
    sink is made, which is before anything is sent. No other third party carries the requests.
    """
    from agcod_async.wire.aiohttp_transport import AiohttpTransport  # noqa: PLC0415

    return AiohttpTransport()
