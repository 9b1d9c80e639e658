"""Requests as a client sends them, and a service that is asked without a network."""

import json
from decimal import Decimal
from typing import Any

from agcod_async.core.outcomes import Reply
from agcod_async.testing import EMULATOR_CREDENTIALS, EMULATOR_PARTNER_ID, EmulatorConfig
from agcod_async.testing.authentication import Incoming
from agcod_async.testing.clock import WALL_AT_START
from agcod_async.testing.service import Answer, Service
from agcod_async.values import Credentials
from agcod_async.wire.sigv4 import Signer

JSON = {"accept": "application/json", "content-type": "application/json"}
URL = "http://127.0.0.1:8080"
ID = EMULATOR_PARTNER_ID + "0001"


def create(request_id: Any = ID, amount: Any = 25, currency: Any = "USD", **more: Any) -> bytes:
    """Return the body of a create; an amount may be given as the text of a number."""
    number = amount if isinstance(amount, str) else json.dumps(amount)
    members = {
        "creationRequestId": request_id,
        "partnerId": EMULATOR_PARTNER_ID,
        "value": {"currencyCode": currency, "amount": "AMOUNT"},
        **more,
    }
    return json.dumps(members).replace('"AMOUNT"', number).encode()


def cancel(request_id: Any = ID, **more: Any) -> bytes:
    members = {"creationRequestId": request_id, "partnerId": EMULATOR_PARTNER_ID, **more}
    return json.dumps(members).encode()


FUNDS = json.dumps({"partnerId": EMULATOR_PARTNER_ID}).encode()


def signed(
    operation: str,
    body: bytes,
    *,
    at: float = WALL_AT_START,
    credentials: Credentials = EMULATOR_CREDENTIALS,
    region: str = "us-east-1",
    service: str = "AGCODService",
    url: str = URL,
) -> dict[str, str]:
    """Return all headers of a request."""
    signer = Signer(
        credentials,
        region=region,
        service=service,
        url=url,
        target_prefix="com.amazonaws.agcod.AGCODService",
    )
    return signer.sign(operation, body, at)


def config(**knobs: Any) -> EmulatorConfig:
    """Return a configuration without signatures and caps, unless a knob says otherwise."""
    return EmulatorConfig(
        **{
            "verify_signatures": False,
            "requests_per_second": None,
            "operation_caps": {},
            **knobs,
        }
    )


class Asker:
    """Asks a service, at times that it is told."""

    def __init__(self, **knobs: Any) -> None:
        self.service = Service(config(**knobs))
        self.now = 0.0

    def decide(self, operation: str, body: bytes, *, headers: dict[str, str] = JSON) -> Any:
        incoming = Incoming(f"/{operation}", headers, body)
        return self.service.handle(incoming, self.now, WALL_AT_START + self.now)

    def reply(self, operation: str, body: bytes) -> Reply:
        decision = self.decide(operation, body)
        assert isinstance(decision, Answer)
        return decision.reply

    def ask(self, operation: str, body: bytes) -> dict[str, Any]:
        """Return the members of the answer; every number with a point is a Decimal."""
        return members(self.reply(operation, body))

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.service.advance(self.now, WALL_AT_START + self.now)


def members(reply: Reply) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(reply.body, parse_float=Decimal)
    return found
