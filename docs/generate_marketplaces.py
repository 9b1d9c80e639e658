#!/usr/bin/env python3
"""Write docs/reference/marketplaces.md from the marketplaces as the code knows them.

With `--check` it writes nothing and fails if the page is not what the code says.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from agcod_async.endpoints import Endpoint
from agcod_async.providers.agcod.contacts import OPERATIONS_CONTACTS
from agcod_async.providers.agcod.marketplaces import MARKETPLACES, Marketplace
from agcod_async.providers.agcod.sourced import Confidence, Sourced
from agcod_async.values import Money
from docs import page_writer
from docs.page_writer import table

PAGE: Final = Path(__file__).parent / "reference" / "marketplaces.md"
_BASIS: Final = ("Source", "Confidence")


def page() -> str:
    """Return the whole page."""
    return page_writer.joined(_blocks())


def _blocks() -> Iterator[str]:
    yield "<!-- Written by docs/generate_marketplaces.py. Do not edit: `make docs` writes it. -->"
    yield _INTRODUCTION
    yield table(("Confidence", "Meaning"), _MEANINGS.items())
    yield _ENDPOINTS
    yield table(("Endpoint", "Host", "Signing region", "Countries"), _endpoints())
    yield _CURRENCIES
    yield table(("Country", "Currency", "Decimal places", *_BASIS), _currencies())
    yield _FRACTIONS
    yield table(("Country", "Fractions", *_BASIS), _fractions())
    yield _AMOUNTS
    yield table(("Country", "Product", "Smallest", "Largest", *_BASIS), _amounts())
    yield _VALIDITY
    yield table(("Country", "A code can be used", *_BASIS), _validity())
    yield _TEAMS
    yield table(("Countries", "Address", *_BASIS, "Elsewhere"), _teams())
    unknown = ", ".join(one.country for one in MARKETPLACES if one.contact is None)
    yield f"None is known of {unknown}: ask your account manager."


_MEANINGS: Final = {
    Confidence.HIGH.value: "Amazon says so, or the service was recorded doing so",
    Confidence.MEDIUM.value: "several public clients say so, or Amazon's own pages differ",
    Confidence.LOW.value: "one source that may be wrong, sources that disagree, or an inference",
}

_INTRODUCTION = """\
# Marketplaces

What is known of each country in which gift cards are sold through AGCOD, written by
[a script](../generate_marketplaces.py) from the code. What is not here is not known: ask, do not
guess. A contract may allow less or more than this page, and nothing here stops a request: a session
only logs a warning (`agcod_async`), once for each amount that is unlikely in the country of
`Settings.country`, or in those of its endpoint.
"""

_ENDPOINTS = """\
## Endpoints

From Amazon's guide. An account has one endpoint, decided by its country, and the sandbox has keys
of its own. The United Kingdom is UK on Amazon's pages; AE and SA are what they also call UAE and
KSA. The command line takes all of them, and GB.
"""

_CURRENCIES = """\
## Currencies

A request in another currency than the account's is refused. Decimal places are those of ISO 4217.
"""

_FRACTIONS = """\
Whether Amazon takes amounts with a fraction is known of two countries:
"""

_AMOUNTS = """\
## Amounts

For other countries and products no limit is known here; Amazon's guide has a table of its own.
"""

_VALIDITY = """\
## How long a code can be used

Where a reply names a date of expiry, that date counts (`card.expires_at`). Of other countries
nothing is known; of the UK neither, since the FAQ speaks of Amazon's EU websites without a list.
"""

_TEAMS = """\
## Operations teams

They answer questions about the contract, payments and funds within a business day. *Elsewhere* is
what another page of Amazon's says.
"""


def _endpoints() -> Iterator[tuple[str, ...]]:
    for one in Endpoint:
        yield f"`{one.value}`", f"`{one.host}`", f"`{one.region}`", ", ".join(one.countries)


def _currencies() -> Iterator[tuple[str, ...]]:
    for place in MARKETPLACES:
        places = place.decimal_places
        yield (
            _named(place),
            " or ".join(place.currencies.value),
            " or ".join(sorted({str(count) for count in places.values()})),
            *_basis(place.currencies),
        )


def _fractions() -> Iterator[tuple[str, ...]]:
    for place in MARKETPLACES:
        if place.fractions is not None:
            taken = "taken" if place.fractions.value else "refused"
            yield _named(place), taken, *_basis(place.fractions)


def _amounts() -> Iterator[tuple[str, ...]]:
    for place in MARKETPLACES:
        for product, bounds in place.bounds.items():
            low, high = bounds.value.minimum, bounds.value.maximum
            yield _named(place), product.value, _amount(low), _amount(high), *_basis(bounds)


def _validity() -> Iterator[tuple[str, ...]]:
    for place in MARKETPLACES:
        if place.validity is not None:
            years = place.validity.value.years
            yield (
                _named(place),
                "for ever" if years is None else f"for {years} years",
                *_basis(place.validity),
            )


def _teams() -> Iterator[tuple[str, ...]]:
    for contact in OPERATIONS_CONTACTS:
        yield (
            ", ".join(contact.countries),
            contact.address.value,
            *_basis(contact.address),
            "<br>".join(f"{one.value} ({one.source})" for one in contact.elsewhere),
        )


def _named(place: Marketplace) -> str:
    return f"{place.country} ({place.name})"


def _amount(amount: Money | None) -> str:
    return "" if amount is None else str(amount)


def _basis(fact: Sourced[object]) -> tuple[str, str]:
    return fact.source, fact.confidence.value


if __name__ == "__main__":
    sys.exit(page_writer.main(PAGE, page, __doc__))
