"""Whom to ask at Amazon, as data.

Sources: Amazon's outage page ("Operations Contacts", "Emergencies & Outages") and its FAQ ("How do
I contact the Gift Card Operations Team"). Where the two differ, the outage page is the newer one
and stands first; the other address is kept beside it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final, Self

from agcod_async.providers.agcod.sourced import FAQ, OUTAGE_PAGE, Confidence, Sourced

INTEGRATION_SUPPORT: Final = "incentives-api@giftcards.amazon.com"
"""For technical questions that can wait, and for changes that you plan."""

URGENT: Final = (
    "amazon-agcod-partner-urgent@amazon.com",
    "amazon-agcod-partner-urgent-t2@amazon.com",
    "amazon-agcod-partner-urgent-t3@amazon.com",
)
"""Only while no call succeeds at all: the first at any hour, each next one if the one before it
has not answered for `URGENT_MINUTES`."""

URGENT_MINUTES: Final = 30


class Team(Enum):
    """Who at Amazon answers for an error. `advice` is a whole sentence.

    `address` is None where it depends on the country (`operations_contact`) or on the contract.
    """

    OPERATIONS = (
        "regional operations team",
        None,
        "Ask your regional Amazon gift card operations team; they answer within one business day.",
    )
    INTEGRATION = (
        "integration support",
        INTEGRATION_SUPPORT,
        f"If it goes on, ask Amazon's integration support, {INTEGRATION_SUPPORT}.",
    )
    ACCOUNT_MANAGER = (
        "account manager",
        None,
        f"Ask your account manager at Amazon; about the sandbox, {INTEGRATION_SUPPORT}.",
    )

    address: str | None
    advice: str

    def __new__(cls, name: str, address: str | None, advice: str) -> Self:
        """Make the name the value, and the rest attributes."""
        member = object.__new__(cls)
        member._value_ = name
        member.address = address
        member.advice = advice
        return member


@dataclass(frozen=True, slots=True)
class OperationsContact:
    """The operations team of some countries; `elsewhere` is what other pages of Amazon say."""

    countries: tuple[str, ...]
    address: Sourced[str]
    elsewhere: tuple[Sourced[str], ...] = ()


def _agreed(address: str, *countries: str) -> OperationsContact:
    return OperationsContact(countries, Sourced(address, f"{OUTAGE_PAGE} and FAQ"))


def _outage_page_only(address: str, country: str) -> OperationsContact:
    return OperationsContact((country,), Sourced(address, OUTAGE_PAGE))


def _differing(address: str, country: str, in_faq: str) -> OperationsContact:
    return OperationsContact(
        (country,),
        Sourced(address, OUTAGE_PAGE, Confidence.MEDIUM),
        (Sourced(in_faq, FAQ, Confidence.MEDIUM),),
    )


OPERATIONS_CONTACTS: Final = (
    OperationsContact(
        ("US", "CA", "MX"),
        Sourced("corp-gc-salesops@giftcards.amazon.com", f"{OUTAGE_PAGE} and FAQ"),
        (Sourced("corp-gc-salesops@amazon.com", f"{FAQ}, about payments only", Confidence.MEDIUM),),
    ),
    _agreed("gutscheine-grosskunden@giftcards.amazon.com", "DE"),
    _agreed("cartes-cadeaux-entreprises@giftcards.amazon.com", "FR"),
    _agreed("jp-gc-salesops@giftcards.amazon.com", "JP"),
    _agreed("corporate-gifts@giftcards.amazon.com", "UK"),
    _agreed("cheques-regalo-empresas@giftcards.amazon.com", "ES"),
    _agreed("buoni-regalo-imprese@giftcards.amazon.com", "IT"),
    _agreed("amazon-incentives-nl@giftcards.amazon.com", "NL"),
    _differing(
        "amazon-bm-gc-inbox-eu@giftcards.amazon.com", "TR", "amazon-bm-gc-inbox-eu@amazon.com"
    ),
    _outage_page_only("amazon-incentives-se@giftcards.amazon.com", "SE"),
    _outage_page_only("incentives-contact-ksa@giftcards.amazon.com", "SA"),
    _differing(
        "incentives-contact-uae@giftcards.amazon.com",
        "AE",
        "uae-gc-operations@giftcards.amazon.com",
    ),
    _differing(
        "amazon-au-gift-card@giftcards.amazon.com", "SG", "sg-gc-salesops@giftcards.amazon.com"
    ),
    _differing(
        "amazon-au-gift-card@giftcards.amazon.com", "AU", "amazonaucorpgc@giftcards.amazon.com"
    ),
    _outage_page_only("mena-gc-ops@amazon.com", "EG"),
)
"""Every operations team that Amazon names. For other countries none is known."""

_BY_COUNTRY: Final = {
    country: contact for contact in OPERATIONS_CONTACTS for country in contact.countries
}


def operations_contact(country: str) -> OperationsContact | None:
    """Return the operations team of a country, by its two letters; None where none is known."""
    return _BY_COUNTRY.get(country)


def operations_contacts(countries: Iterable[str]) -> tuple[OperationsContact, ...]:
    """Return the operations teams that may be the right one, such as of `endpoint.countries`."""
    asked = frozenset(countries)
    return tuple(
        contact for contact in OPERATIONS_CONTACTS if not asked.isdisjoint(contact.countries)
    )


def operations_address(countries: Iterable[str]) -> str | None:
    """Return the address that is right whichever of `countries` it is; None if there is none.

    Where the account's country is unknown, `endpoint.countries` is enough in North America.
    """
    asked = frozenset(countries)
    for contact in OPERATIONS_CONTACTS:
        if asked and asked.issubset(contact.countries):
            return contact.address.value
    return None
