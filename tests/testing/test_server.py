"""The emulator over HTTP, on real loopback sockets."""

import asyncio
import io
import json
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from agcod_async.clock import Clock
from agcod_async.core.outcomes import Lost, Reply, Unclear
from agcod_async.testing import EMULATOR_CREDENTIALS, Emulator, EmulatorConfig
from agcod_async.testing.server import serve, serve_forever
from agcod_async.values import Credentials
from agcod_async.wire.aiohttp_transport import AiohttpTransport
from agcod_async.wire.sigv4 import Signer
from tests.testing.requests import (
    CARD,
    ID,
    JSON,
    XML,
    activate,
    as_xml,
    cancel,
    config,
    create,
    from_xml,
    load,
    members,
    signed,
)

Client = aiohttp.ClientSession
TARGET = {"target_prefix": "com.amazonaws.agcod.AGCODService"}


def served(use: Callable[[str, Client], Awaitable[None]], local: Emulator, **options: Any) -> None:
    """Serve an emulator for as long as `use` runs, with a client at hand."""

    async def main() -> None:
        async with serve(local, **options) as url, Client() as client:
            await use(url, client)

    asyncio.run(main())


def unsigned(**knobs: Any) -> Emulator:
    return Emulator(config(**knobs))


async def ask(client: Client, url: str, operation: str, body: bytes) -> Any:
    async with client.post(f"{url}/{operation}", data=body, headers=JSON) as reply:
        return await reply.json()


async def control(client: Client, method: str, url: str, body: object = None) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body)
    async with client.request(method, url, data=data) as reply:
        return reply.status, await reply.json()


def test_a_signed_request_is_served_over_http_with_the_clients_own_transport() -> None:
    local = Emulator()

    async def main() -> None:
        async with serve(local) as url:
            transport = AiohttpTransport()
            headers = signed("CreateGiftCard", create(), at=Clock().wall(), url=url)
            reply = await transport.send(f"{url}/CreateGiftCard", headers, create())
            await transport.aclose()
            assert isinstance(reply, Reply)
            assert members(reply)["creationRequestId"] == ID

    asyncio.run(main())
    assert local.arrivals.by_result == {"SUCCESS": 1}


def test_it_listens_on_loopback_unless_it_is_told_otherwise() -> None:
    async def use(url: str, client: Client) -> None:
        assert url.startswith("http://127.0.0.1:")  # what the socket says, not what was asked for

    served(use, unsigned())


def test_only_posts_are_operations() -> None:
    async def use(url: str, client: Client) -> None:
        status, answer = await control(client, "GET", f"{url}/CreateGiftCard")
        assert status == 400
        assert "supported protocols" in answer["Message"]

    served(use, unsigned())


def test_the_ledger_and_the_requests_can_be_read_without_claim_codes() -> None:
    async def use(url: str, client: Client) -> None:
        code = (await ask(client, url, "CreateGiftCard", create()))["gcClaimCode"]
        await ask(client, url, "CreateGiftCard", create("Emula0002"))
        await ask(client, url, "CancelGiftCard", cancel())

        _, ledger = await control(client, "GET", f"{url}/_emulator/ledger")
        _, one = await control(client, "GET", f"{url}/_emulator/ledger?request_id={ID}")
        _, requests = await control(client, "GET", f"{url}/_emulator/requests")
        _, latest = await control(client, "GET", f"{url}/_emulator/requests?limit=1")

        assert [card["status"] for card in ledger["cards"]] == ["RefundedToPurchaser", "Fulfilled"]
        assert ledger["funds"][0]["debited"] == ledger["funds"][0]["live"] == "25.00"
        assert [card["request_id"] for card in one["cards"]] == [ID]
        assert one["counts"] == ledger["counts"]
        assert (requests["total"], len(requests["arrivals"])) == (3, 3)
        assert requests["busiest_second"]["requests"] == 3
        assert latest["arrivals"] == requests["arrivals"][-1:]
        assert code not in json.dumps([ledger, one, requests, latest])

    served(use, unsigned())


def test_faults_are_scripted_over_http_and_a_bad_script_changes_nothing() -> None:
    async def use(url: str, client: Client) -> None:
        faults = f"{url}/_emulator/faults"
        script = {"rules": [{"fault": "f400_after", "times": 5}]}
        assert await control(client, "POST", faults, script) == (200, {"status": "ok"})
        assert (await ask(client, url, "CreateGiftCard", create()))["errorCode"] == "F400"

        status, answer = await control(client, "POST", faults, {"rules": [{"fault": "nonsense"}]})
        assert status == 400
        assert "'nonsense' - at `$.rules[0].fault`" in answer["error"]
        assert (await ask(client, url, "CreateGiftCard", create()))["errorCode"] == "F400"

    served(use, unsigned())


def test_access_keys_are_revoked_and_accepted_over_http_while_it_runs() -> None:
    async def use(url: str, client: Client) -> None:
        async def status(key: Credentials) -> int:
            signer = Signer(key, region="us-east-1", service="AGCODService", url=url, **TARGET)
            headers = signer.sign("CreateGiftCard", create(), Clock().wall())
            async with client.post(
                f"{url}/CreateGiftCard", data=create(), headers=headers
            ) as reply:
                return reply.status

        old, new = EMULATOR_CREDENTIALS, Credentials(access_key_id="N", secret_access_key="n-key")
        accept, revoke = f"{url}/_emulator/accept-key", f"{url}/_emulator/revoke-key"
        assert (await status(old), await status(new)) == (200, 403)
        given = {"access_key_id": "N", "secret_access_key": "n-key"}
        assert await control(client, "POST", accept, given) == (200, {"status": "ok"})
        assert (await status(old), await status(new)) == (200, 200)
        gone = {"access_key_id": old.access_key_id}
        assert await control(client, "POST", revoke, gone) == (200, {"revoked": True})
        assert await control(client, "POST", revoke, gone) == (200, {"revoked": False})
        assert (await status(old), await status(new)) == (403, 200)

        await control(client, "POST", f"{url}/_emulator/reset")
        assert (await status(old), await status(new)) == (200, 403)
        for endpoint in (accept, revoke):
            assert (await control(client, "POST", endpoint, {"key": "N"}))[0] == 400
        blank = {"access_key_id": "N", "secret_access_key": "two words"}
        code, answer = await control(client, "POST", accept, blank)
        assert code == 400
        assert "words" not in answer["error"]

    served(use, Emulator())


def test_claim_reset_and_health_are_there_and_nothing_else_is() -> None:
    async def use(url: str, client: Client) -> None:
        await ask(client, url, "CreateGiftCard", create())
        claim = f"{url}/_emulator/claim"
        assert await control(client, "POST", claim, {"request_id": ID}) == (200, {"claimed": True})
        assert await control(client, "POST", claim, {"request_id": "X"}) == (
            200,
            {"claimed": False},
        )
        assert (await control(client, "POST", claim, {}))[0] == 400
        assert (await control(client, "POST", claim))[0] == 400
        assert (await control(client, "GET", f"{url}/_emulator/requests?limit=-1"))[0] == 400
        assert (await control(client, "GET", f"{url}/_emulator/reset"))[0] == 404
        assert (await control(client, "POST", f"{url}/_emulator/reset"))[0] == 200
        _, ledger = await control(client, "GET", f"{url}/_emulator/ledger")
        assert ledger["cards"] == []
        _, health = await control(client, "GET", f"{url}/_emulator/health")
        assert (health["status"], health["partner_id"]) == ("ok", "Emula")

    served(use, unsigned())


def test_physical_cards_and_loads_are_used_over_http() -> None:
    async def use(url: str, client: Client) -> None:
        await ask(client, url, "ActivateGiftCard", activate())
        await ask(client, url, "LoadAmazonBalance", load())
        claim, spend = f"{url}/_emulator/claim", f"{url}/_emulator/spend"
        for endpoint, body, answer in (
            (claim, {"card_number": CARD}, {"claimed": True}),
            (claim, {"card_number": "X"}, {"claimed": False}),
            (spend, {"request_id": ID}, {"spent": True}),
            (spend, {"request_id": "X"}, {"spent": False}),
        ):
            assert await control(client, "POST", endpoint, body) == (200, answer)
        for endpoint, nonsense in (
            (spend, {}),
            (spend, {"card_number": CARD}),
            (claim, {"x": "1"}),
        ):
            assert (await control(client, "POST", endpoint, nonsense))[0] == 400
        _, ledger = await control(client, "GET", f"{url}/_emulator/ledger")
        assert (ledger["activations"][0]["claimed"], ledger["loads"][0]["spent"]) == (True, True)

    served(use, unsigned())


def test_a_client_that_speaks_xml_is_served_over_http() -> None:
    async def use(url: str, client: Client) -> None:
        body = as_xml("CreateGiftCard", create())
        async with client.post(f"{url}/CreateGiftCard", data=body, headers=XML) as reply:
            assert reply.status == 200
            answer = Reply(reply.status, reply.content_type, await reply.read())
        assert from_xml(answer)["CreateGiftCardResponse"]["status"] == "SUCCESS"

    served(use, unsigned())


@pytest.mark.parametrize(
    ("kind", "outcome"), [("reset_after", Lost), ("oversized", Unclear), ("garbage", Reply)]
)
def test_faults_reach_a_real_client(kind: str, outcome: type) -> None:
    local = unsigned()

    async def use(url: str, client: Client) -> None:
        script = {"rules": [{"fault": kind}]}
        await control(client, "POST", f"{url}/_emulator/faults", script)
        transport = AiohttpTransport()
        assert isinstance(await transport.send(f"{url}/CreateGiftCard", JSON, create()), outcome)
        assert isinstance(await transport.send(f"{url}/CreateGiftCard", JSON, create()), Reply)
        await transport.aclose()

    served(use, local)
    assert local.ledger.card(ID) is not None


def test_a_reply_that_is_lost_keeps_the_client_waiting_and_the_card_alive() -> None:
    local = unsigned()

    async def use(url: str, client: Client) -> None:
        script = {"rules": [{"fault": "lose_reply"}]}
        await control(client, "POST", f"{url}/_emulator/faults", script)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await ask(client, url, "CreateGiftCard", create())
        assert (await ask(client, url, "CreateGiftCard", create()))["status"] == "SUCCESS"

    served(use, local)
    assert len(list(local.ledger.cards())) == 1


def test_a_connection_without_an_answer_is_broken_off_in_the_end() -> None:
    async def use(url: str, client: Client) -> None:
        script = {"rules": [{"fault": "lose_request"}]}
        await control(client, "POST", f"{url}/_emulator/faults", script)
        async with asyncio.timeout(2):
            with pytest.raises(aiohttp.ClientError):
                await ask(client, url, "CreateGiftCard", create())

    served(use, unsigned(), silence_seconds=0.05)


def test_a_body_that_no_request_needs_is_refused() -> None:
    async def use(url: str, client: Client) -> None:
        body = io.BytesIO(b" " * 2**21)
        async with client.post(f"{url}/CreateGiftCard", data=body, headers=JSON) as reply:
            assert reply.status == 413

    local = unsigned()
    served(use, local)
    assert local.arrivals.total == 0


def test_serving_forever_tells_when_it_is_ready_and_frees_the_port_when_it_is_cancelled() -> None:
    async def main() -> None:
        ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(
            serve_forever(Emulator(EmulatorConfig()), port=0, on_ready=ready.set_result)
        )
        url = await ready
        async with Client() as client:
            assert (await control(client, "GET", f"{url}/_emulator/health"))[0] == 200
        task.cancel()
        await asyncio.wait([task])
        host, _, port = url.removeprefix("http://").rpartition(":")
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(host, int(port))

    asyncio.run(main())
