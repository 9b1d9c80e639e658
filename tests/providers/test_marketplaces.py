import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from agcod_async.endpoints import Endpoint
from agcod_async.providers.agcod.amount_bounds import amount_warnings
from agcod_async.providers.agcod.contacts import (
    INTEGRATION_SUPPORT,
    OPERATIONS_CONTACTS,
    URGENT,
    operations_address,
    operations_contact,
    operations_contacts,
)
from agcod_async.providers.agcod.marketplaces import (
    MARKETPLACES,
    Bounds,
    Marketplace,
    Product,
    Validity,
    marketplace,
    marketplaces_at,
)
from agcod_async.providers.agcod.sourced import FAQ, Confidence, Sourced
from agcod_async.values import CURRENCY_EXPONENTS, InvalidValueError, Money

_TABLE = Path(__file__).parent / "data" / "marketplaces.tsv"


def _rows() -> Iterator[dict[str, str]]:
    lines = _TABLE.read_text(encoding="utf-8").splitlines()
    yield from csv.DictReader((line for line in lines if line[0] != "#"), delimiter="\t")


ROWS = {row["country"]: row for row in _rows()}


def _bounds(text: str) -> Bounds | None:
    if text == "-":
        return None
    amounts, currency = text.split(" ")
    low, high = amounts.split("-")
    return Bounds(Money(low, currency), Money(high, currency))


def _value(fact: Sourced[Bounds] | None) -> Bounds | None:
    return None if fact is None else fact.value


def test_every_country_of_the_endpoints_is_a_marketplace_and_no_other() -> None:
    served = [country for one in Endpoint if one.is_sandbox for country in one.countries]

    assert [place.country for place in MARKETPLACES] == served == list(ROWS)


@pytest.mark.parametrize("country", ROWS)
def test_a_marketplace_has_its_sandbox_and_its_production(country: str) -> None:
    sandbox, production = marketplace(country).endpoints

    assert production.value == ROWS[country]["endpoint"]
    assert sandbox.value == f"{production.value}-sandbox"


@pytest.mark.parametrize("country", ROWS)
def test_what_amazons_pages_say_of_a_country_is_known_and_nothing_else(country: str) -> None:
    row, place = ROWS[country], marketplace(country)

    years = {"-": None, "never": Validity(None), "10": Validity(10)}[row["years"]]
    assert (None if place.validity is None else place.validity.value) == years
    assert _value(place.bounds.get(Product.DIGITAL)) == _bounds(row["digital"])
    assert _value(place.bounds.get(Product.PHYSICAL)) == _bounds(row["physical"])


@pytest.mark.parametrize("country", ROWS)
def test_the_team_of_a_country_is_the_outage_pages_and_the_faqs_is_beside_it(country: str) -> None:
    row, contact = ROWS[country], marketplace(country).contact

    if row["outage-page"] == "-":
        assert contact is None
        return
    assert contact is not None
    assert country in contact.countries
    assert contact.address.value == row["outage-page"]
    in_faq = [one.value for one in contact.elsewhere if one.source == FAQ]
    differs = row["faq"] not in {"-", row["outage-page"]}
    assert in_faq == ([row["faq"]] if differs else [])
    assert (contact.address.confidence is Confidence.MEDIUM) == differs
    assert ("FAQ" in contact.address.source) == (row["faq"] == row["outage-page"])


def test_no_address_has_been_through_a_proxy() -> None:
    addresses = [INTEGRATION_SUPPORT, *URGENT]
    for contact in OPERATIONS_CONTACTS:
        addresses += [one.value for one in (contact.address, *contact.elsewhere)]

    for address in addresses:
        assert address.endswith(("@giftcards.amazon.com", "@amazon.com")), address


@pytest.mark.parametrize(
    ("name", "country"),
    [("UK", "UK"), ("gb", "UK"), ("UAE", "AE"), ("ksa", "SA"), ("us", "US"), ("de", "DE")],
)
def test_a_country_is_found_by_amazons_letters_and_by_the_iso_ones(name: str, country: str) -> None:
    assert marketplace(name).country == country


@pytest.mark.parametrize("name", ["", "XX", "CN", "Germany", "U K"])
def test_an_unknown_country_is_refused_and_the_known_ones_are_named(name: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        marketplace(name)

    assert caught.value.field == "country"
    assert "US, CA, MX" in caught.value.limit


def test_where_the_country_is_unknown_the_endpoint_tells_who_it_may_be() -> None:
    (na,) = operations_contacts(Endpoint.NA.countries)
    fe = operations_contacts(Endpoint.FE_SANDBOX.countries)

    assert na.countries == ("US", "CA", "MX")
    assert {contact.countries for contact in fe} == {("JP",), ("AU",), ("SG",)}
    assert len(operations_contacts(Endpoint.EU.countries)) == 11
    assert operations_contacts(()) == ()
    assert operations_contact("PL") is None


def test_one_address_is_named_only_where_it_is_right_whatever_the_country() -> None:
    assert operations_address(Endpoint.NA.countries) == "corp-gc-salesops@giftcards.amazon.com"
    assert operations_address(("UK",)) == "corporate-gifts@giftcards.amazon.com"
    for countries in (Endpoint.EU.countries, Endpoint.FE.countries, ("UK", "PL"), ("PL",), ()):
        assert operations_address(countries) is None


def test_every_team_belongs_to_marketplaces_that_exist() -> None:
    named = [country for contact in OPERATIONS_CONTACTS for country in contact.countries]

    assert len(named) == len(set(named))
    assert set(named) <= set(ROWS)


@pytest.mark.parametrize("place", MARKETPLACES, ids=lambda place: place.country)
def test_every_currency_has_known_decimal_places_and_bounds_are_in_it(place: Marketplace) -> None:
    assert place.currencies.value
    assert dict(place.decimal_places) == {
        currency: CURRENCY_EXPONENTS[currency] for currency in place.currencies.value
    }
    for bounds in place.bounds.values():
        for amount in (bounds.value.minimum, bounds.value.maximum):
            assert amount is None or amount.currency in place.currencies.value


def test_several_currencies_are_never_said_to_be_certain() -> None:
    for place in MARKETPLACES:
        if len(place.currencies.value) > 1:
            assert place.currencies.confidence is Confidence.LOW


def test_fractions_are_known_where_amazon_speaks_of_them() -> None:
    known = {one.country: one.fractions.value for one in MARKETPLACES if one.fractions is not None}

    assert known == {"US": True, "JP": False}
    assert marketplace("JP").decimal_places == {"JPY": 0}


# --- warnings about amounts ----------------------------------------------------------------------


def _warned(amount: str, currency: str, *where: str, product: Product = Product.DIGITAL) -> str:
    places = [marketplace(country) for country in where]
    return "\n".join(amount_warnings(Money(amount, currency), places, product=product))


@pytest.mark.parametrize("amount", ["0.15", "25.00", "2000.00"])
def test_an_amount_within_the_known_bounds_warns_of_nothing(amount: str) -> None:
    assert _warned(amount, "USD", "US") == ""


@pytest.mark.parametrize(
    ("amount", "product", "said"),
    [
        ("0.14", Product.DIGITAL, "below the smallest known amount, 0.15 USD"),
        ("2000.01", Product.DIGITAL, "above the largest known amount, 2000.00 USD"),
        ("0.99", Product.PHYSICAL, "below the smallest known amount, 1.00 USD"),
        ("500.01", Product.BALANCE, "above the largest known amount, 500.00 USD"),
    ],
)
def test_an_amount_outside_warns_with_the_bound_and_its_source(
    amount: str, product: Product, said: str
) -> None:
    warned = _warned(amount, "USD", "US", product=product)

    assert warned.startswith(f"{amount} USD is {said}, for a {product.value} in US (Amazon's")
    assert "contract may say otherwise" in warned


def test_a_load_has_no_known_smallest_amount() -> None:
    assert _warned("0.01", "USD", "US", product=Product.BALANCE) == ""


def test_a_bound_that_may_be_wrong_says_so() -> None:
    assert "confidence low" in _warned("5000.01", "GBP", "UK")
    assert "confidence" not in _warned("2000.01", "USD", "US")


def test_where_no_bounds_are_known_no_amount_warns() -> None:
    assert _warned("0.01", "EUR", "DE") == ""
    assert _warned("9999999", "JPY", "JP") == ""
    assert _warned("5000.01", "GBP", "UK", product=Product.PHYSICAL) == ""


def test_the_currency_tells_which_country_of_an_endpoint_is_meant() -> None:
    na = marketplaces_at(Endpoint.NA)
    eu = marketplaces_at(Endpoint.EU_SANDBOX)

    assert list(amount_warnings(Money("1999.99", "USD"), na)) == []
    assert "in US" in next(amount_warnings(Money("2000.01", "USD"), na))
    assert list(amount_warnings(Money("2000.01", "CAD"), na)) == []
    assert "in UK" in next(amount_warnings(Money("0.99", "GBP"), eu))
    assert list(amount_warnings(Money("0.01", "EUR"), eu)) == []


def test_a_currency_that_no_account_there_has_warns() -> None:
    assert "EUR is not known to be the currency of an account in US" in _warned("5", "EUR", "US")
    assert "PL, SE" in _warned("5", "USD", "PL", "SE")
    assert _warned("5", "PLN", "PL") == ""
    assert _warned("5", "EUR", "PL") == ""


def test_one_country_with_other_or_unknown_bounds_is_enough_to_be_silent() -> None:
    us = marketplace("US")
    unknown = Marketplace(
        country="YY", name="Elsewhere", currencies=Sourced(("USD",), "this test"), bounds={}
    )
    higher = Marketplace(
        country="ZZ",
        name="Elsewhere",
        currencies=Sourced(("USD",), "this test"),
        bounds={
            Product.DIGITAL: Sourced(Bounds(None, Money(9000, "USD")), "this test"),
            Product.PHYSICAL: Sourced(Bounds(None, Money(9000, "EUR")), "this test"),
        },
    )

    for other in (unknown, higher):
        assert list(amount_warnings(Money(3000, "USD"), (us, other))) == []
    both = list(amount_warnings(Money(9001, "USD"), (us, higher)))
    assert ["in US" in both[0], "in ZZ" in both[1]] == [True, True]
    physical = amount_warnings(Money(9001, "USD"), (higher,), product=Product.PHYSICAL)
    assert list(physical) == []
