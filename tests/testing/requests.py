"""Requests as a client sends them, and a service that is asked without a network."""

import json
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from defusedxml.ElementTree import fromstring

from agcod_async.core.outcomes import Reply
from agcod_async.testing import EMULATOR_CREDENTIALS, EMULATOR_PARTNER_ID, EmulatorConfig
from agcod_async.testing.authentication import Incoming
from agcod_async.testing.cards import Moment
from agcod_async.testing.clock import WALL_AT_START
from agcod_async.testing.service import Answer, Service
from agcod_async.values import Credentials
from agcod_async.wire.sigv4 import Signer

JSON = {"accept": "application/json", "content-type": "application/json"}
XML = {"content-type": "application/xml"}
URL = "http://127.0.0.1:8080"
ID = EMULATOR_PARTNER_ID + "0001"
CARD = "3400000000004400616"  # the one in Amazon's examples


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


def activate(
    request_id: Any = ID, card: Any = CARD, amount: Any = 25, currency: Any = "USD", **more: Any
) -> bytes:
    return body(
        activationRequestId=request_id,
        cardNumber=card,
        value={"currencyCode": currency, "amount": amount},
        **more,
    )


def deactivate(request_id: Any = ID, card: Any = CARD, **more: Any) -> bytes:
    return body(activationRequestId=request_id, cardNumber=card, **more)


def check(request_id: Any = ID, card: Any = CARD, **more: Any) -> bytes:
    return body(statusCheckRequestId=request_id, cardNumber=card, **more)


def load(
    request_id: Any = ID,
    value: Any = 2500,
    currency: Any = "USD",
    account: Any = "amzn1.account.A",
    kind: Any = 1,
    **more: Any,
) -> bytes:
    """Return the body of a load, a void or a validation; the value is in minor units."""
    return body(
        **{
            "loadBalanceRequestId": request_id,
            "account": {"id": account, "type": kind},
            "amount": {"currencyCode": currency, "value": value},
            **more,
        }
    )


def report(start: Any, end: Any, index: Any = 0, size: Any = 100, **more: Any) -> bytes:
    """Return the body of a request for a page of the activity report."""
    return body(
        **{
            "requestId": EMULATOR_PARTNER_ID + "page",
            "utcStartDate": start,
            "utcEndDate": end,
            "pageIndex": index,
            "pageSize": size,
            **more,
        }
    )


def body(**members: Any) -> bytes:
    return json.dumps({"partnerId": EMULATOR_PARTNER_ID, **members}).encode()


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

    def moment(self) -> Moment:
        return Moment(self.now, self.now, WALL_AT_START + self.now)

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.service.advance(self.now, WALL_AT_START + self.now)


def as_xml(operation: str, json_body: bytes) -> bytes:
    """Return the same request in XML; what is null in it is absent."""
    inside = _as_xml(json.loads(json_body, parse_float=str, parse_int=str))
    return f"<{operation}Request>{inside}</{operation}Request>".encode()


def _as_xml(value: Any) -> str:
    if isinstance(value, dict):
        return "".join(
            f"<{name}>{_as_xml(inside)}</{name}>"
            for name, inside in value.items()
            if inside is not None
        )
    return str(value).lower() if isinstance(value, bool) else escape(str(value))


def from_xml(reply: Reply) -> dict[str, Any]:
    """Return what is in the answer, under the name of its root; everything is text."""
    assert reply.content_type == "application/xml"
    root = fromstring(reply.body)
    return {root.tag: _from_xml(root)}


def _from_xml(element: Element) -> Any:
    if not len(element):
        return element.text or ""
    if {child.tag for child in element} == {"member"}:
        return [_from_xml(child) for child in element]
    return {child.tag: _from_xml(child) for child in element}


def members(reply: Reply) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(reply.body, parse_float=Decimal)
    return found
