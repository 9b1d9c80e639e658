"""What a command or a webhook is told of one card. The only place where a claim code is written."""

import json
from typing import TYPE_CHECKING

from agcod_async.providers.agcod.messages import GiftCard

if TYPE_CHECKING:
    from agcod_async.batch import Order


def card_message(card: GiftCard, order: "Order") -> bytes:
    """Return one card as one line of JSON, without a line end.

    Whoever calls this holds a code in the clear: pass the result on and bind no name to it, for a
    traceback may be shown with its locals.
    """
    return json.dumps(
        {
            "request_id": order.request_id,
            "live_request_id": str(card.request_id),
            "gc_id": card.gc_id,
            "claim_code": card.claim_code.reveal(),
            "amount": str(card.amount.amount),
            "currency": card.amount.currency,
            "expires_at": None if card.expires_at is None else card.expires_at.isoformat(),
        }
    ).encode()
