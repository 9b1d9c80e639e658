"""What a batch is made of."""

from dataclasses import KW_ONLY, dataclass

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


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedOrder:
    """An order and where it stands: `number` is its line, or its place in whatever it came from.

    `business_key` is what the order is called in your own books, where its request ID was derived
    from that.
    """

    number: int
    order: Order
    business_key: str | None = None


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that is no order, and why. It spans `line` to `last_line`.

    `first_line` is the line whose ID or key it repeats, where that is what is wrong with it.
    """

    line: int
    last_line: int
    _: KW_ONLY
    field: str
    problem: str
    limit: str
    first_line: int | None = None

    def __str__(self) -> str:
        where = f"line {self.line}"
        if self.last_line > self.line:
            where = f"lines {self.line} to {self.last_line}"
        return f"{where}: {self.field}: {self.problem} ({self.limit})"
