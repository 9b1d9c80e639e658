"""What is known of the countries in which Amazon sells gift cards through AGCOD, as data.

Nothing here decides about a request: a contract may allow less or more, and Amazon judges. What is
not known is None. `amount_bounds` warns of amounts that Amazon is known to refuse.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

from agcod_async.endpoints import Endpoint
from agcod_async.providers.agcod.contacts import OperationsContact, operations_contact
from agcod_async.providers.agcod.sourced import CLIENTS, ERROR_PAGE, FAQ, Confidence, Sourced
from agcod_async.values import CURRENCY_EXPONENTS, InvalidValueError, Money


class Product(Enum):
    """What an amount is meant for: limits differ."""

    DIGITAL = "digital gift card"
    PHYSICAL = "physical gift card"
    BALANCE = "balance load"


@dataclass(frozen=True, slots=True)
class Bounds:
    """The smallest and the largest amount; None where only the other one is known."""

    minimum: Money | None
    maximum: Money | None


@dataclass(frozen=True, slots=True)
class Validity:
    """How long a code can be used: so many years, or for ever (None)."""

    years: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Marketplace:
    """One country, by the two letters that Amazon's pages use for it (the United Kingdom is UK).

    `currencies` has several where sources disagree. `fractions` says whether Amazon takes amounts
    with decimal places there.
    """

    country: str
    name: str
    also_called: tuple[str, ...] = ()
    currencies: Sourced[tuple[str, ...]]
    fractions: Sourced[bool] | None = None
    bounds: Mapping[Product, Sourced[Bounds]]
    validity: Sourced[Validity] | None = None

    @property
    def endpoints(self) -> tuple[Endpoint, Endpoint]:
        """Where requests go: the sandbox, then production (Amazon's guide)."""
        sandbox, production = (one for one in Endpoint if self.country in one.countries)
        return sandbox, production

    @property
    def decimal_places(self) -> Mapping[str, int]:
        """The decimal places of each currency that may be the account's (ISO 4217)."""
        return {currency: CURRENCY_EXPONENTS[currency] for currency in self.currencies.value}

    @property
    def contact(self) -> OperationsContact | None:
        """The operations team; None where Amazon's pages name none."""
        return operations_contact(self.country)


# --- the facts -----------------------------------------------------------------------------------

_NO_BOUNDS: Final[Mapping[Product, Sourced[Bounds]]] = MappingProxyType({})

_US_BOUNDS: Final = MappingProxyType(
    {
        Product.DIGITAL: Sourced(Bounds(Money("0.15", "USD"), Money(2000, "USD")), FAQ),
        Product.PHYSICAL: Sourced(Bounds(Money(1, "USD"), Money(2000, "USD")), FAQ),
        Product.BALANCE: Sourced(
            Bounds(None, Money(500, "USD")), f"{ERROR_PAGE}, as an example", Confidence.MEDIUM
        ),
    }
)
_UK_BOUNDS: Final = MappingProxyType(
    {
        Product.DIGITAL: Sourced(
            Bounds(Money(1, "GBP"), Money(5000, "GBP")), "one public client", Confidence.LOW
        )
    }
)

_NEVER_EXPIRES: Final = Sourced(Validity(None), FAQ)
_TEN_YEARS: Final = Sourced(Validity(10), FAQ)


def _in_euro(country: str, name: str, confidence: Confidence = Confidence.MEDIUM) -> Marketplace:
    return Marketplace(
        country=country,
        name=name,
        currencies=Sourced(("EUR",), CLIENTS, confidence),
        bounds=_NO_BOUNDS,
        validity=_TEN_YEARS,
    )


def _elsewhere(
    country: str, name: str, currencies: Sourced[tuple[str, ...]], *also_called: str
) -> Marketplace:
    return Marketplace(
        country=country,
        name=name,
        also_called=also_called,
        currencies=currencies,
        bounds=_NO_BOUNDS,
    )


def _seen(currency: str) -> Sourced[tuple[str, ...]]:
    return Sourced((currency,), CLIENTS, Confidence.MEDIUM)


def _seen_once(currency: str) -> Sourced[tuple[str, ...]]:
    return Sourced((currency,), "one public client", Confidence.LOW)


def _disputed(*currencies: str) -> Sourced[tuple[str, ...]]:
    return Sourced(currencies, "public clients, which disagree", Confidence.LOW)


MARKETPLACES: Final = (
    Marketplace(
        country="US",
        name="United States",
        currencies=Sourced(("USD",), FAQ),
        fractions=Sourced(True, FAQ),
        bounds=_US_BOUNDS,
        validity=_NEVER_EXPIRES,
    ),
    Marketplace(
        country="CA",
        name="Canada",
        currencies=_seen("CAD"),
        bounds=_NO_BOUNDS,
        validity=_NEVER_EXPIRES,
    ),
    _elsewhere("MX", "Mexico", _seen("MXN")),
    _in_euro("IT", "Italy"),
    _in_euro("ES", "Spain"),
    _in_euro("DE", "Germany"),
    _in_euro("FR", "France"),
    # The FAQ speaks of Amazon's EU websites and does not say whether this is one of them.
    Marketplace(
        country="UK",
        name="United Kingdom",
        also_called=("GB",),
        currencies=_seen("GBP"),
        bounds=_UK_BOUNDS,
    ),
    _elsewhere("TR", "Turkey", _seen("TRY")),
    _elsewhere("AE", "United Arab Emirates", _seen("AED"), "UAE"),
    _elsewhere("SA", "Saudi Arabia", _seen("SAR"), "KSA"),
    Marketplace(
        country="PL",
        name="Poland",
        currencies=_disputed("PLN", "EUR"),
        bounds=_NO_BOUNDS,
        validity=_TEN_YEARS,
    ),
    _in_euro("NL", "Netherlands"),
    Marketplace(
        country="SE",
        name="Sweden",
        currencies=_disputed("SEK", "EUR"),
        bounds=_NO_BOUNDS,
        validity=_TEN_YEARS,
    ),
    _elsewhere("EG", "Egypt", _seen_once("EGP")),
    # Younger than the FAQ, which does not list it yet.
    Marketplace(
        country="BE",
        name="Belgium",
        currencies=Sourced(("EUR",), "the country's own currency", Confidence.LOW),
        bounds=_NO_BOUNDS,
        validity=Sourced(Validity(10), f"{FAQ}, which is older than this one", Confidence.MEDIUM),
    ),
    _elsewhere("ZA", "South Africa", _seen_once("ZAR")),
    Marketplace(
        country="JP",
        name="Japan",
        currencies=Sourced(("JPY",), "recorded replies of the sandbox"),
        fractions=Sourced(False, ERROR_PAGE),
        bounds=_NO_BOUNDS,
        validity=_TEN_YEARS,
    ),
    _elsewhere("AU", "Australia", _seen("AUD")),
    _elsewhere("SG", "Singapore", _seen("SGD")),
)
"""Every country that Amazon's guide lists, in the order of its endpoints."""

_BY_NAME: Final = {
    name: place for place in MARKETPLACES for name in (place.country, *place.also_called)
}


def marketplace(country: str) -> Marketplace:
    """Return the marketplace of a country, by two letters in either case (GB, KSA and UAE too).

    Raises `InvalidValueError` for a country that Amazon's guide does not list.
    """
    place = _BY_NAME.get(country.upper())
    if place is None:
        raise InvalidValueError(
            "country",
            "is none that Amazon's guide lists",
            f"one of {', '.join(one.country for one in MARKETPLACES)}",
        )
    return place


def marketplaces_at(endpoint: Endpoint) -> tuple[Marketplace, ...]:
    """Return the marketplaces that an account with this endpoint may belong to."""
    return tuple(_BY_NAME[country] for country in endpoint.countries)
