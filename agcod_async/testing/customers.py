"""Customers' accounts: which there are, and what may be loaded into them.

Amazon publishes neither its account types nor the limits of each country, so both can be chosen.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Final

from agcod_async.testing.balance_errors import BALANCE_REFUSALS
from agcod_async.testing.catalogue import Refusal
from agcod_async.testing.funds import AMOUNT_MAX, EXACT, Funds
from agcod_async.values import CURRENCY_EXPONENTS, InvalidValueError, Money

VOID_WINDOW_SECONDS: Final = 900.0
"""A void must arrive within this time of the load. Amazon names no figure: ours is the cancel's."""

LOAD_MAX_BY_CURRENCY: Final = {"USD": Decimal(500)}  # the example on Amazon's error page
"""The most one load may be worth in major units; elsewhere it is what a card may be worth."""

_DECIMAL_PLACES_ELSEWHERE = 2


class AccountStatus(Enum):
    """What may be wrong with a customer's account."""

    OPEN = "open"
    DEACTIVATED = "deactivated"
    BLOCKED = "blocked"
    OVER_DAILY_LIMIT = "over-daily-limit"


_REFUSED: Final = MappingProxyType(
    {
        AccountStatus.DEACTIVATED: "F2035",
        AccountStatus.BLOCKED: "F3011",
        AccountStatus.OVER_DAILY_LIMIT: "F3010",
    }
)


@dataclass(frozen=True, slots=True)
class CustomerAccount:
    """A customer's account. `currency` is that of its marketplace, None for any."""

    id: str
    type: int
    status: AccountStatus = AccountStatus.OPEN
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class LoadRules:
    """Which accounts there are, and what may be loaded.

    `others_exist`: whether IDs that are not among `accounts` are accounts, too. `types`: the
    account types that are defined, None for all from 0 on. `amount_max` and `amount_min` are in
    major units; None for what Amazon's error page gives as an example.
    """

    accounts: tuple[CustomerAccount, ...] = ()
    others_exist: bool = True
    types: frozenset[int] | None = None
    amount_max: Decimal | None = None
    amount_min: Decimal | None = None
    void_window_seconds: float = VOID_WINDOW_SECONDS


@dataclass(frozen=True, slots=True)
class AskedLoad:
    """What is to be loaded, made void or validated: `minor_units` of `currency`, above zero."""

    account_id: str
    account_type: int
    minor_units: Decimal
    currency: str


class CustomerAccounts:
    """The customers' accounts, and the limits of what may be loaded into them."""

    def __init__(self, funds: Funds, rules: LoadRules) -> None:
        """Know the accounts of the rules."""
        self._funds = funds
        self._rules = rules
        self._accounts = {(account.id, account.type): account for account in rules.accounts}

    def value_of(self, asked: AskedLoad) -> Money | Refusal:
        """Return what would be loaded, or why it cannot be: all that a validation checks."""
        code = self._account_refused(asked) or self._amount_refused(asked)
        if code is not None:
            return BALANCE_REFUSALS[code]
        try:
            return Money(EXACT.scaleb(asked.minor_units, -_places(asked.currency)), asked.currency)
        except InvalidValueError:  # the configured limit is above what can be counted
            return BALANCE_REFUSALS["F2015"]

    def _account_refused(self, asked: AskedLoad) -> str | None:
        types = self._rules.types
        if asked.account_type < 0 or (types is not None and asked.account_type not in types):
            return "F2033"
        account = self._accounts.get((asked.account_id, asked.account_type))
        if account is None:
            return None if self._rules.others_exist else "F2034"
        if account.currency not in (None, asked.currency):
            return "F2036"
        return _REFUSED.get(account.status)

    def _amount_refused(self, asked: AskedLoad) -> str | None:
        if not self._funds.hold(asked.currency):
            return "F2036"
        if asked.minor_units != asked.minor_units.to_integral_value():
            return "F2017"
        most, least = self._rules.amount_max, self._rules.amount_min
        if most is None:
            most = LOAD_MAX_BY_CURRENCY.get(asked.currency, AMOUNT_MAX)
        places = _places(asked.currency)
        if asked.minor_units > EXACT.scaleb(most, places):
            return "F2015"
        is_too_little = least is not None and asked.minor_units < EXACT.scaleb(least, places)
        return "F2037" if is_too_little else None


def _places(currency: str) -> int:
    return CURRENCY_EXPONENTS.get(currency, _DECIMAL_PLACES_ELSEWHERE)
