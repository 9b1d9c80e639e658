"""A web service that gives one card for each order, however often it is asked.

    POST /orders/1001/card {"amount": "25.00"}

The account comes from the environment; `agcod emulator` prints one to try it with.
"""

from collections.abc import AsyncIterator

from aiohttp import web

from agcod_async import (
    AgcodError,
    AgcodSession,
    DeclinedError,
    InDoubtError,
    Money,
    RequestId,
    ReversedError,
    Settings,
    UnavailableError,
)

SESSION = web.AppKey("session", AgcodSession)


async def create_card(request: web.Request) -> web.Response:
    """Answer with the card of this order: the same one each time."""
    session = request.app[SESSION]
    order_id = request.match_info["order_id"]
    try:
        # In a real shop the amount comes from your own order, never from whoever asks.
        card = await session.create_gift_card(
            request_id=RequestId.derive(session.settings.partner_id, order_id),
            amount=Money((await request.json())["amount"], "USD"),
            deadline_seconds=20,
        )
    except InDoubtError as error:
        # The order stays open, and asking again settles it. It is no failure: promise nothing.
        return answer(202, error, {"Retry-After": "30"})
    except UnavailableError as error:
        return answer(503, error, {"Retry-After": str(int(error.retry_after_seconds) + 1)})
    except (DeclinedError, ReversedError) as error:
        return answer(502, error)
    except ValueError as error:  # a bad amount; `UsageError` is one too
        return web.json_response({"status": "BadRequest", "reason": str(error)}, status=400)
    return web.json_response(
        {"status": "Issued", "gc_id": card.gc_id, "claim_code": card.claim_code.reveal()},
        headers={"Cache-Control": "no-store"},
    )


def answer(status: int, error: AgcodError, headers: dict[str, str] | None = None) -> web.Response:
    """Say why there is no card."""
    body = {"status": type(error).__name__.removesuffix("Error"), "reason": str(error.reason)}
    return web.json_response(body, status=status, headers=headers)


async def open_session(app: web.Application) -> AsyncIterator[None]:
    """Keep one session for as long as the service runs: it paces all requests together."""
    async with AgcodSession(Settings.from_env()) as session:
        app[SESSION] = session
        yield


def service() -> web.Application:
    """Return the service."""
    app = web.Application()
    app.router.add_post("/orders/{order_id}/card", create_card)
    app.cleanup_ctx.append(open_session)
    return app


if __name__ == "__main__":
    web.run_app(service(), host="127.0.0.1", port=8000)
