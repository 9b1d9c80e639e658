"""One row of a job's plan: an order, and how far it has come.

planned → under way → issued → delivered, or declined, or reversed, or in doubt. An order that is
unavailable is planned again. `under_way` is on record before the order is handed to the session: a
process that dies leaves exactly those behind that may have been sent, and the spend cap counts
them.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Context, Decimal, Inexact
from enum import Enum
from typing import Final, cast

from agcod_async.batch.orders import Order
from agcod_async.errors import NextSafeAction
from agcod_async.providers.agcod.messages import TransactionSource
from agcod_async.values import CURRENCY_EXPONENTS, Money


class RowState(Enum):
    """How far an order has come. A member's `value` is its name in the file."""

    PLANNED = "planned"
    UNDER_WAY = "under_way"
    ISSUED = "issued"
    DELIVERED = "delivered"
    DECLINED = "declined"
    REVERSED = "reversed"
    IN_DOUBT = "in_doubt"


PERHAPS_SPENT: Final = (
    RowState.UNDER_WAY,
    RowState.IN_DOUBT,
    RowState.ISSUED,
    RowState.DELIVERED,
)
"""What the spend cap counts: all that has been issued, and all that may have been."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What is known of an order beside its state. None where there is nothing to know.

    `error_type` is a documented name: the wire's own words are not kept.
    """

    live_request_id: str | None = None
    gc_id: str | None = None
    error_code: str | None = None
    error_type: str | None = None
    not_before: datetime | None = None
    next_safe_action: NextSafeAction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """One order of a job, as it is on record. `number` is its line, or its place in the source."""

    number: int
    order: Order
    business_key: str | None
    state: RowState
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Sum:
    """So many orders, and what they are worth together in one currency."""

    orders: int
    amount: Decimal
    currency: str


Totals = Mapping[RowState, Sequence[Sum]]
"""What a plan comes to, by state, with one sum for each currency. Every state is there."""


Cells = tuple[
    int,
    str,
    str | None,
    int,
    str,
    str | None,
    str | None,
    str | None,
    str | None,
    str,
    str | None,
    str | None,
    str | None,
    str | None,
    float | None,
    str | None,
]

COLUMNS: Final = (
    "number, request_id, business_key, amount, currency, program_id, product_type,"
    " external_reference, transaction_source, state, live_request_id, gc_id, error_code,"
    " error_type, not_before, next_safe_action"
)
"""In the order of `Cells`, for a SELECT."""

INSERT: Final = (
    "INSERT INTO orders (number, request_id, business_key, amount, currency, program_id,"
    " product_type, external_reference, transaction_source) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT DO NOTHING"
)
"""Takes what `new_cells` returns."""

MOVE: Final = (
    "UPDATE orders SET state = ?, live_request_id = ?, gc_id = ?, error_code = ?, error_type = ?,"
    " not_before = ?, next_safe_action = ?, updated_at = ? WHERE number = ? AND state = ?"
)
"""The compare-and-set of every transition; takes what `move_cells` returns."""


def new_cells(number: int, order: Order, business_key: str | None) -> tuple[object, ...]:
    """Return a new row."""
    source = order.transaction_source
    return (
        number,
        str(order.request_id),
        business_key,
        units_of(order.amount),
        order.amount.currency,
        order.program_id,
        order.product_type,
        order.external_reference,
        None if source is None else _source_text(source),
    )


def move_cells(
    number: int, before: RowState, after: RowState, outcome: Outcome, now: float
) -> tuple[object, ...]:
    """Return what `MOVE` takes."""
    not_before = outcome.not_before
    return (
        after.value,
        outcome.live_request_id,
        outcome.gc_id,
        outcome.error_code,
        outcome.error_type,
        None if not_before is None else not_before.timestamp(),
        outcome.next_safe_action,
        now,
        number,
        before.value,
    )


def row_of(cells: Cells) -> JobRow:
    """Return the row that was selected as `COLUMNS`."""
    not_before = cells[14]
    return JobRow(
        number=cells[0],
        order=Order(
            request_id=cells[1],
            amount=Money(amount_of(cells[3], cells[4]), cells[4]),
            program_id=cells[5],
            product_type=cells[6],
            external_reference=cells[7],
            transaction_source=None if cells[8] is None else _source(cells[8]),
        ),
        business_key=cells[2],
        state=RowState(cells[9]),
        outcome=Outcome(
            live_request_id=cells[10],
            gc_id=cells[11],
            error_code=cells[12],
            error_type=cells[13],
            not_before=None if not_before is None else datetime.fromtimestamp(not_before, UTC),
            next_safe_action=cast("NextSafeAction | None", cells[15]),
        ),
    )


# --- amounts --------------------------------------------------------------------------------------

_PLACES: Final = 4  # the most that `Money` allows
# Our own, because the caller's could round.
_EXACT: Final = Context(prec=40, traps=[Inexact])


def units_of(money: Money) -> int:
    """Return the amount in whole ten-thousandths, which the file can add up exactly."""
    return int(_EXACT.scaleb(money.amount, _PLACES))


def amount_of(units: int, currency: str) -> Decimal:
    """Return so many ten-thousandths of a currency as an amount, with that currency's places."""
    exact = _EXACT.scaleb(Decimal(units), -_PLACES)
    places = CURRENCY_EXPONENTS.get(currency, _PLACES)
    return exact.quantize(Decimal(1).scaleb(-places), context=_EXACT)


# --- where a card is sold -------------------------------------------------------------------------


def _source_text(source: TransactionSource) -> str:
    return json.dumps([source.source_id, source.institution_id, source.source_details])


def _source(text: str) -> TransactionSource:
    source_id, institution_id, source_details = json.loads(text)
    return TransactionSource(
        source_id=source_id, institution_id=institution_id, source_details=source_details
    )
