"""What a batch has come to so far: counts, sums, and the lists that somebody must act on."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, assert_never

from agcod_async.batch import (
    Declined,
    InDoubt,
    Issued,
    Order,
    Receipt,
    Reversed,
    Unavailable,
    Verdict,
)
from agcod_async.batch.settled import Handed
from agcod_async.cli.exits import ExitCode
from agcod_async.errors import InDoubtError
from agcod_async.figures import Worth
from agcod_async.figures.figures import IN_DOUBT_LISTED_MAX, REFUSALS_MAX, Standing
from agcod_async.values import Money

LISTED_MAX: Final = 10_000
"""A list names this many orders. Each was also reported when it ended, so none is lost."""

_ErrorName = tuple[str | None, str | None]
_NAME_LENGTH_MAX: Final = 100


@dataclass(slots=True)
class Total:
    """A number of orders and their amounts, while they are being added up."""

    orders: int = 0
    amounts: dict[str, Decimal] = field(default_factory=dict[str, Decimal])

    def add(self, money: Money) -> None:
        """Add one order."""
        self.orders += 1
        before = self.amounts.get(money.currency, Decimal(0))
        self.amounts[money.currency] = before + money.amount

    def worth(self) -> Worth:
        """Return what it has come to."""
        return Worth(self.orders, dict(self.amounts))


@dataclass(slots=True)
class Tally:
    """Counts of one batch: `add` a receipt for each order, and count a row that is none."""

    counts: dict[type[Verdict], int] = field(
        default_factory=lambda: dict.fromkeys((Issued, Declined, Reversed, Unavailable, InDoubt), 0)
    )
    rows_refused: int = 0
    delivered: int = 0
    undelivered: int = 0
    taken: Total = field(default_factory=Total)
    """What was ordered, counted when it was taken on and not when it ended."""
    taken_again: dict[Standing, Total] = field(default_factory=dict["Standing", Total])
    """What of it an earlier run of the same job had left in which standing."""
    settled_ids: list[str] = field(default_factory=list[str])
    """Orders that an earlier run had left in doubt or open, and that were taken again."""
    totals: dict[type[Verdict], Total] = field(default_factory=dict[type[Verdict], Total])
    refusals: dict[_ErrorName, int] = field(default_factory=dict[_ErrorName, int])
    """How many were declined with which code and error type; (None, None) is any other."""
    in_doubt: list[InDoubtError] = field(default_factory=list[InDoubtError])
    undelivered_ids: list[str] = field(default_factory=list[str])
    open_ids: dict[str, None] = field(default_factory=dict[str, None])
    """The orders that are under way, in the order in which they were taken."""
    stopped: str | None = None
    """Why orders were left in the file, if some were."""

    @property
    def orders(self) -> int:
        """How many orders have a verdict."""
        return sum(self.counts.values())

    @property
    def rows(self) -> int:
        """How many rows are done with, one way or the other."""
        return self.orders + self.rows_refused

    @property
    def sums(self) -> dict[str, Decimal]:
        """The issued amounts by currency."""
        return self.totals[Issued].amounts if Issued in self.totals else {}

    def take(self, order: Order, left: Standing | None = None) -> None:
        """Count an order that is under way from now on.

        `left` is where an earlier run of the same job has left it: there it counts no more.
        """
        self.open_ids[order.request_id] = None
        self.taken.add(order.amount)
        self._take_again(order, left)

    def add(self, receipt: Receipt, delivered: Handed) -> None:
        """Count the verdict on one order, and what became of its code."""
        kind, amount = type(receipt.verdict), receipt.order.amount
        self.counts[kind] += 1
        self.open_ids.pop(receipt.order.request_id, None)
        match receipt.verdict:
            case Issued(card):
                amount = card.amount
                self._add_delivery(receipt.order.request_id, delivered)
            case InDoubt(error):
                if len(self.in_doubt) < LISTED_MAX:
                    self.in_doubt.append(error)
            case Declined(error):
                self._add_refusal(error.code, error.error_type)
            case Reversed() | Unavailable():
                pass
            case _:
                assert_never(receipt.verdict)
        self.totals.setdefault(kind, Total()).add(amount)

    def add_issued(self, receipt: Receipt, delivered: Handed) -> None:
        """Count an order that is on record as issued, also where its code could not be read back.

        A question for a code that got no answer puts no card in doubt.
        """
        if isinstance(receipt.verdict, Issued):
            self.add(receipt, delivered)
            return
        self.counts[Issued] += 1
        self.open_ids.pop(receipt.order.request_id, None)
        self._add_delivery(receipt.order.request_id, delivered)
        self.totals.setdefault(Issued, Total()).add(receipt.order.amount)

    def put_back(self, order: Order, left: Standing | None = None) -> None:
        """Count an order that went back into the plan of its job, for another run; `left` as above.

        It is unavailable to this one. In the figures it counts nowhere until it is taken again.
        """
        self.counts[Unavailable] += 1
        self.forget(order, left)

    def forget(self, order: Order, left: Standing | None = None) -> None:
        """Count an order nowhere any more that is planned again; `left` as above."""
        self.open_ids.pop(order.request_id, None)
        self._take_again(order, left)

    @property
    def exit_code(self) -> ExitCode:
        """How the command ends: in doubt matters more than declined, that more than unavailable."""
        if self.counts[InDoubt] or self.open_ids:
            return ExitCode.IN_DOUBT
        if self.counts[Declined] or self.counts[Reversed]:
            return ExitCode.DECLINED
        if self.rows_refused or self.undelivered:
            return ExitCode.DECLINED
        if self.counts[Unavailable] or self.stopped is not None:
            return ExitCode.UNAVAILABLE
        return ExitCode.DONE

    def _take_again(self, order: Order, left: Standing | None) -> None:
        if left is None:
            return
        self.taken_again.setdefault(left, Total()).add(order.amount)
        if left in ("in_doubt", "open") and len(self.settled_ids) < IN_DOUBT_LISTED_MAX:
            self.settled_ids.append(str(order.request_id))

    def _add_refusal(self, code: str | None, error_type: str | None) -> None:
        # Names come from the wire: neither their length nor their number may be left to it.
        name = (code and code[:_NAME_LENGTH_MAX], error_type and error_type[:_NAME_LENGTH_MAX])
        if name not in self.refusals and len(self.refusals) >= REFUSALS_MAX:
            name = (None, None)
        self.refusals[name] = self.refusals.get(name, 0) + 1

    def _add_delivery(self, request_id: str, delivered: Handed) -> None:
        match delivered:
            case "done":
                self.delivered += 1
            case "failed":
                self.undelivered += 1
                if len(self.undelivered_ids) < LISTED_MAX:
                    self.undelivered_ids.append(request_id)
            case "none":
                pass
            case _:
                assert_never(delivered)
