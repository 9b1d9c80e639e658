"""Making the plan of a job: every order on record before the first one is sent.

Rules of this file:

1. Nothing is loaded whole: memory holds so many rows at a time, whatever there are.
2. A row is an order, or it is refused and on record by its line. A request ID or business key
   stands in one row: the second row that has it is refused, with both lines.
3. A plan is complete or it does not count: one that was interrupted is begun anew.
"""

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from agcod_async.batch.fan_out import stream
from agcod_async.batch.job import Job, one_currency
from agcod_async.batch.orders import Order, PlannedOrder, RefusedRow
from agcod_async.providers.agcod.requests import create_gift_card_request
from agcod_async.settings import Settings
from agcod_async.values import InvalidValueError, Money

PLANNED_AT_ONCE: Final = 8_192
"""How many rows share a commit."""

PlanRow = Order | PlannedOrder | RefusedRow


@dataclass(frozen=True, slots=True)
class Planned:
    """What planning has come to."""

    orders: int
    refused: int


async def plan_job(
    job: Job,
    rows: Iterable[PlanRow] | AsyncIterable[PlanRow],
    *,
    spend_cap: Decimal | str | None = None,
    on_refused: Callable[[RefusedRow], None] | None = None,
    verify: Callable[[], Awaitable[None]] | None = None,
) -> Planned:
    """Put all orders on record; nothing may be sent before this has returned.

    An order that comes without a number gets its place as one, and is checked as the session
    would. Refused rows are told to `on_refused`. `spend_cap` is an amount in the orders' currency
    and holds for the job as a whole. `verify` is awaited before the plan is complete: what it
    raises leaves the plan to be made again. Raises `UsageError` if the job has a plan, or a cap
    and orders in several currencies.
    """
    await job.begin_plan()
    planned, refused = 0, 0
    currencies: set[str] = set()
    async for orders, bad in _chunks(_numbered(rows, job.settings)):
        repeated = await job.add(orders, bad)
        if on_refused is not None:
            for one in sorted((*bad, *repeated), key=lambda one: one.line):
                on_refused(one)
        refused += len(bad) + len(repeated)
        planned += len(orders) - len(repeated)
        currencies.update(one.order.amount.currency for one in orders)
    cap = None if spend_cap is None else Money(spend_cap, one_currency(currencies))
    if verify is not None:
        await verify()
    await job.complete_plan(spend_cap=cap)
    return Planned(planned, refused)


async def _numbered(
    rows: Iterable[PlanRow] | AsyncIterable[PlanRow], settings: Settings
) -> AsyncIterator[PlannedOrder | RefusedRow]:
    number = 0
    async for row in stream(rows):
        number += 1
        yield _checked(number, row, settings) if isinstance(row, Order) else row


def _checked(number: int, order: Order, settings: Settings) -> PlannedOrder | RefusedRow:
    """Return the order if the session would take it: now it is known which one is at fault."""
    try:
        create_gift_card_request(
            request_id=order.request_id,
            amount=order.amount,
            partner_id=settings.partner_id,
            mock_ids_allowed=settings.mock_ids_allowed,
            program_id=order.program_id,
            product_type=order.product_type,
            external_reference=order.external_reference,
            transaction_source=order.transaction_source,
        )
    except InvalidValueError as error:
        return RefusedRow(
            number, number, field=error.field, problem=error.problem, limit=error.limit
        )
    return PlannedOrder(number=number, order=order)


async def _chunks(
    rows: AsyncIterator[PlannedOrder | RefusedRow],
) -> AsyncIterator[tuple[list[PlannedOrder], list[RefusedRow]]]:
    orders: list[PlannedOrder] = []
    refused: list[RefusedRow] = []
    async for row in rows:
        if isinstance(row, PlannedOrder):
            orders.append(row)
        else:
            refused.append(row)
        if len(orders) + len(refused) == PLANNED_AT_ONCE:
            yield orders, refused
            orders, refused = [], []
    yield orders, refused
