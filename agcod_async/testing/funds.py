"""The prepaid funds of the account. Exact, whatever the caller's decimal context."""

from collections.abc import Iterable
from decimal import Context, Decimal, Inexact
from typing import Final

from agcod_async.testing.cards import Balance
from agcod_async.testing.catalogue import REFUSALS, Refusal
from agcod_async.values import InvalidValueError, Money

AMOUNT_MAX_BY_CURRENCY: Final = {"USD": Decimal(2000), "GBP": Decimal(5000)}
AMOUNT_MAX: Final = Decimal(500_000)
"""The most one card may be worth, where `AMOUNT_MAX_BY_CURRENCY` does not say."""

# Our own, because the caller's could round, and this runs in the caller's process.
EXACT: Final = Context(prec=40, traps=[Inexact])


class Funds:
    """One amount per currency of the account; the first is the account's own currency."""

    def __init__(self, prepaid: Iterable[Money]) -> None:
        """Open the account with nothing debited."""
        self._prepaid = {money.currency: money.amount for money in prepaid}
        self._debited = {currency: Decimal(0) for currency in self._prepaid}

    @property
    def currency(self) -> str:
        """The account's own currency."""
        return next(iter(self._prepaid))

    def hold(self, currency: str) -> bool:
        """Return whether the account has this currency."""
        return currency in self._prepaid

    def available(self, currency: str) -> Decimal:
        """Return what can still be spent in a currency of the account."""
        return EXACT.subtract(self._prepaid[currency], self._debited[currency])

    def suffice_for(self, value: Money) -> bool:
        """Return whether this much can be debited."""
        return value.amount <= self.available(value.currency)

    def debit(self, value: Money) -> None:
        """Take this much from the funds, which the caller has found to suffice."""
        self._debited[value.currency] = EXACT.add(self._debited[value.currency], value.amount)

    def refund(self, value: Money) -> None:
        """Put back what was debited."""
        self._debited[value.currency] = EXACT.subtract(self._debited[value.currency], value.amount)

    def worth(self, amount: Decimal, currency: str, amount_max: Decimal | None) -> Money | Refusal:
        """Return what a card of this amount is worth, or why there can be no such card."""
        if not self.hold(currency):
            return REFUSALS["F2016"]
        if amount_max is None:
            amount_max = AMOUNT_MAX_BY_CURRENCY.get(currency, AMOUNT_MAX)
        if amount > amount_max:
            return REFUSALS["F2015"]
        try:
            return Money(amount, currency)
        except InvalidValueError:
            return REFUSALS["F2017"]

    def balances(self, live_values: Iterable[Money]) -> tuple[Balance, ...]:
        """Return the funds of every currency, with the sum of what is live beside them."""
        live = dict.fromkeys(self._prepaid, Decimal(0))
        for value in live_values:
            live[value.currency] = EXACT.add(live[value.currency], value.amount)
        return tuple(
            Balance(
                currency=currency,
                prepaid=prepaid,
                debited=self._debited[currency],
                live=live[currency],
                available=self.available(currency),
            )
            for currency, prepaid in self._prepaid.items()
        )
