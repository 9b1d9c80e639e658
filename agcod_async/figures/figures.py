"""What a run came to, as plain data that can be kept, compared and drawn.

There is no place for a claim code in it: numbers, amounts, error names, and the request IDs of
what is in doubt. Whatever could grow with the number of orders has a limit.
"""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal, get_args

from agcod_async.errors import NextSafeAction
from agcod_async.figures.checks import COUNT_MAX, check_counts, check_name, check_time
from agcod_async.figures.latency import Latency
from agcod_async.figures.pace import Pace

VerdictName = Literal["issued", "declined", "reversed", "unavailable", "in_doubt"]
VERDICT_NAMES: Final[tuple[VerdictName, ...]] = get_args(VerdictName)

Standing = VerdictName | Literal["open"]
"""Where an earlier run has left an order; "open" is without a verdict."""

IN_DOUBT_LISTED_MAX: Final = 1000
REFUSALS_MAX: Final = 100
"""Kinds of errors that are counted by name. A name comes from the wire and may be anything."""
PACES_MAX: Final = 24
CURRENCIES_MAX: Final = 1000
_AMOUNT_DIGITS_MAX: Final = 30
_PLACES_MAX: Final = 9


@dataclass(frozen=True, slots=True)
class Worth:
    """A number of orders, and their exact amounts by currency.

    Raises `ValueError` for what is no such thing.
    """

    orders: int = 0
    amounts: Mapping[str, Decimal] = field(default_factory=dict[str, Decimal])

    def __post_init__(self) -> None:
        if not abs(self.orders) <= COUNT_MAX or len(self.amounts) > CURRENCIES_MAX:
            raise ValueError("orders, amounts: too many")
        for currency, amount in self.amounts.items():
            if not (len(currency) == len("USD") and currency.isascii() and currency.isalpha()):
                raise ValueError("amounts: not a currency")
            if not _is_money(amount):
                raise ValueError(f"amounts: {currency}: not an amount of money")

    def plus(self, other: "Worth") -> "Worth":
        """Return both together."""
        return Worth(self.orders + other.orders, self._with(other.amounts, 1))

    def minus(self, other: "Worth") -> "Worth":
        """Return what is left without `other`."""
        return Worth(self.orders - other.orders, self._with(other.amounts, -1))

    def _with(self, amounts: Mapping[str, Decimal], sign: int) -> dict[str, Decimal]:
        both = dict(self.amounts)
        for currency, amount in amounts.items():
            both[currency] = both.get(currency, Decimal(0)) + sign * amount
        return {currency: amount for currency, amount in sorted(both.items()) if amount}


@dataclass(frozen=True, slots=True)
class Refusal:
    """How many orders were declined with one error of Amazon's; without names: with any other."""

    code: str | None
    error_type: str | None
    orders: int

    def __post_init__(self) -> None:
        check_counts("orders", (self.orders,), how_many_max=1)
        check_name("code", self.code)
        check_name("error_type", self.error_type)


@dataclass(frozen=True, slots=True)
class OrderInDoubt:
    """An order that may have been issued, and what settles it without harm.

    `at` is when the run began that has left it so.
    """

    request_id: str
    next_safe_action: NextSafeAction
    not_before: datetime | None = None
    _: KW_ONLY
    at: datetime

    def __post_init__(self) -> None:
        check_name("request_id", self.request_id)
        check_time("not_before", self.not_before)
        check_time("at", self.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One run, or several runs of one job (`merged`).

    `taken` is what was ordered, counted when it was taken on; `verdicts` is counted when it ended.
    They are counted apart so that they can be compared. `taken_again` is what earlier runs of the
    same job had left in each standing and this run took up again: there it counts no more once the
    runs are merged.

    `retries` counts requests after the first of an order, by the outcome of the one before them.
    `replays` of them went under the same ID as a request before, `undos` took something back.
    """

    form: Literal["agcod figures 1"] = "agcod figures 1"
    paces: tuple[Pace, ...]
    """One for each run, the earliest first; of many runs the first one and the latest."""
    runs: int = 1
    taken: Worth
    taken_again: Mapping[Standing, Worth] = field(default_factory=dict["Standing", "Worth"])
    verdicts: Mapping[VerdictName, Worth]
    rows_refused: int = 0
    has_sink: bool = False
    """Whether codes were to be handed to somebody, in any of the runs."""
    delivered: int = 0
    undelivered: int = 0
    """Cards that were issued and not delivered; 0 where nobody was to have them."""
    declined: tuple[Refusal, ...] = ()
    in_doubt: tuple[OrderInDoubt, ...] = ()
    """Those in doubt and those under way when it was stopped; the first ones, if there are many."""
    settled: Mapping[str, datetime] = field(default_factory=dict[str, datetime])
    """Which orders of earlier runs' `in_doubt` were taken up again, and when that run began."""
    requests: int = 0
    throttles: int = 0
    undos: int = 0
    replays: int = 0
    successors: int = 0
    retries: Mapping[str, int] = field(default_factory=dict[str, int])
    latency: Latency = field(default_factory=Latency)
    stopped: str | None = None
    """Why orders were left in the file, if some were."""

    def __post_init__(self) -> None:
        if not 1 <= len(self.paces) <= PACES_MAX:
            raise ValueError(f"paces: not 1 to {PACES_MAX} of them")
        if len(self.declined) > REFUSALS_MAX + 1:
            raise ValueError(f"declined: more than {REFUSALS_MAX} kinds of errors")
        if max(len(self.in_doubt), len(self.settled)) > IN_DOUBT_LISTED_MAX:
            raise ValueError(f"in_doubt, settled: more than {IN_DOUBT_LISTED_MAX} orders")
        check_counts("retries", self.retries.values(), how_many_max=REFUSALS_MAX)
        for name in (*self.retries, *self.settled, self.stopped):
            check_name("retries, settled, stopped", name)
        for at in self.settled.values():
            check_time("settled", at)
        counted = (
            *(self.runs, self.rows_refused, self.delivered, self.undelivered),
            *(self.requests, self.throttles, self.undos, self.replays, self.successors),
        )
        check_counts("counts", counted, how_many_max=len(counted))

    def ended(self, name: VerdictName) -> Worth:
        """Return what has ended with this verdict."""
        return self.verdicts.get(name, Worth())

    @property
    def open(self) -> Worth:
        """What had no verdict when it was stopped: what is left of what was taken."""
        left = self.taken
        for ended in self.verdicts.values():
            left = left.minus(ended)
        return left

    @property
    def seconds(self) -> float:
        """How long the runs took that `paces` lists."""
        return sum(pace.seconds for pace in self.paces)


def _is_money(amount: Decimal) -> bool:
    """Return whether an amount can be written out, as 1e999999999 cannot."""
    if not amount.is_finite():
        return False
    _, digits, exponent = amount.as_tuple()
    return len(digits) <= _AMOUNT_DIGITS_MAX and -_PLACES_MAX <= int(exponent) <= 0
