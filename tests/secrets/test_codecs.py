"""A codec that refuses what it reads does not quote it, whatever stands where."""

import json
from collections.abc import Iterator

import msgspec
import pytest

from agcod_async.core.outcomes import Reply
from agcod_async.providers.agcod import codec
from agcod_async.providers.agcod.activation_messages import ActivateGiftCardRequest
from agcod_async.providers.agcod.balance_messages import LoadAmazonBalanceRequest
from agcod_async.providers.agcod.messages import CreateGiftCardRequest
from agcod_async.wire.authorization import Authorization
from tests.providers.replies import LEGS, card, error
from tests.secrets.net import MARK, Net

CODE = f"{MARK}-0000"


def spoilt(whole: object) -> Iterator[object]:
    """Return the answer with the code in the place of each member, and of each name."""
    if not isinstance(whole, dict):
        yield from (CODE, [CODE], {CODE: CODE}, f"{CODE}\ud800")
        return
    for name, value in whole.items():
        rest = {key: one for key, one in whole.items() if key != name}
        yield from ({**whole, name: one} for one in spoilt(value))
        yield {**rest, CODE: value}
        yield {**whole, name: None, CODE: CODE}


BODIES = [
    *spoilt(card(gcClaimCode=CODE, gcId=None)),
    *spoilt(error("F200", "InvalidAmountValue", gcClaimCode=CODE)),
    *spoilt(error("F400", "SystemTemporarilyUnavailable")),
]


@pytest.mark.parametrize("status", [200, 400])
def test_no_outcome_quotes_the_code_that_stands_where_something_else_should(
    net: Net, status: int
) -> None:
    for whole in BODIES:
        if whole.get("gcId") == CODE:
            continue  # a gcId may be shown, and has no form that a code has not
        body = json.dumps(whole).encode()
        for text in (body, body[:-1], b"<a>" + body, body.replace(b"{", b"{'"), b"\xff" + body):
            for leg in LEGS.values():
                net.text("an outcome", repr(leg()(Reply(status, "application/json", text))))
    assert net.texts > 1_000


@pytest.mark.parametrize(
    "kind", [CreateGiftCardRequest, ActivateGiftCardRequest, LoadAmazonBalanceRequest]
)
def test_a_request_that_cannot_be_read_back_is_not_quoted(net: Net, kind: type) -> None:
    whole = {
        "creationRequestId": "Emula1",
        "partnerId": "Emula",
        "value": {"currencyCode": "USD", "amount": 1},
        "account": {"id": "a", "type": 1},
        "cardInfo": {"cardNumber": "0" * 19},
    }
    refused = 0
    for one in spoilt(whole):
        try:
            codec.decode_request(json.dumps(one).encode(), kind)
        except (msgspec.MsgspecError, ValueError) as failure:
            refused += 1
            net.text("a refusal", f"{failure} {failure!r}")
    assert refused > 10


@pytest.mark.parametrize(
    "header",
    [f"AWS4-HMAC-SHA256 {CODE}", CODE, f"AWS4-HMAC-SHA256 Signature={CODE}"],
    ids=["no parts", "no algorithm", "no signature"],
)
def test_a_header_that_is_no_signature_is_not_quoted(net: Net, header: str) -> None:
    with pytest.raises(ValueError, match="authorization") as refused:
        Authorization.parse(header)

    net.text("a refusal", f"{refused.value} {refused.value!r}")
