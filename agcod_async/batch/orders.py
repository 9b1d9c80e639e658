"""What a batch is made of."""

from dataclasses import dataclass

from agcod_async.providers.agcod.messages import TransactionSource
from agcod_async.values import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One gift card to be created. The fields are those of `create_gift_card`."""

    request_id: str
    amount: Money
    program_id: str | None = None
    product_type: str | None = None
    external_reference: str | None = None
    transaction_source: TransactionSource | None = None
