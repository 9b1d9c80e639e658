"""What a batch has come to so far: counts, sums, and the lists that somebody must act on."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Literal, assert_never

from agcod_async.batch import (
    Declined,
    InDoubt,
    Issued,
    Receipt,
    Reversed,
    Unavailable,
    Verdict,
)
from agcod_async.cli.exits import ExitCode
from agcod_async.errors import InDoubtError

LISTED_MAX: Final = 10_000
"""A list names this many orders. Each was also reported when it ended, so none is lost."""

Delivered = Literal["done", "failed", "none"]
"""What became of a claim code; "none" where there is no code, or nobody to hand it to."""


@dataclass(slots=True)
class Tally:
    """Counts of one batch: `add` a receipt for each order, and count a row that is none."""

    counts: dict[type[Verdict], int] = field(
        default_factory=lambda: dict.fromkeys((Issued, Declined, Reversed, Unavailable, InDoubt), 0)
    )
    rows_refused: int = 0
    delivered: int = 0
    undelivered: int = 0
    sums: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    """The issued amounts by currency."""
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

    def add(self, receipt: Receipt, delivered: Delivered) -> None:
        """Count the verdict on one order, and what became of its code."""
        self.counts[type(receipt.verdict)] += 1
        self.open_ids.pop(receipt.order.request_id, None)
        match receipt.verdict:
            case Issued(card):
                before = self.sums.get(card.amount.currency, Decimal(0))
                self.sums[card.amount.currency] = before + card.amount.amount
                self._add_delivery(receipt.order.request_id, delivered)
            case InDoubt(error):
                if len(self.in_doubt) < LISTED_MAX:
                    self.in_doubt.append(error)
            case Declined() | Reversed() | Unavailable():
                pass
            case _:
                assert_never(receipt.verdict)

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

    def _add_delivery(self, request_id: str, delivered: Delivered) -> None:
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
