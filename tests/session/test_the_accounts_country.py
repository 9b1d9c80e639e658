"""What the account's country is good for: warnings of unlikely amounts, and whom to ask."""

import logging
import pickle
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest

from agcod_async.agcod import AgcodSession
from agcod_async.endpoints import Endpoint
from agcod_async.errors import AccountError, AgcodError
from agcod_async.providers.agcod.contacts import INTEGRATION_SUPPORT
from agcod_async.providers.agcod.recipients import Account
from agcod_async.settings import Settings
from agcod_async.testing import (
    EMULATOR_CREDENTIALS,
    EMULATOR_PARTNER_ID,
    Emulator,
    EmulatorConfig,
    card_number,
)
from agcod_async.testing.clock import run, virtual_clock
from agcod_async.values import Money

SETTINGS = Settings(credentials=EMULATOR_CREDENTIALS, partner_id=EMULATOR_PARTNER_ID)
IN_EUROPE = replace(SETTINGS, endpoint=Endpoint.EU_SANDBOX)
NA_TEAM = "corp-gc-salesops@giftcards.amazon.com"


@asynccontextmanager
async def session(settings: Settings = SETTINGS) -> AsyncIterator[AgcodSession]:
    emulator = Emulator(EmulatorConfig(), clock=virtual_clock())
    async with AgcodSession(
        settings, transport=emulator.transport(), clock=virtual_clock()
    ) as opened:
        yield opened


async def create(opened: AgcodSession, amount: Money, number: int = 1) -> None:
    with suppress(AgcodError):  # what Amazon says of it is its own matter
        await opened.create_gift_card(request_id=f"Emula{number}", amount=amount)


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        one.getMessage()
        for one in caplog.records
        if one.name == "agcod_async" and one.levelno == logging.WARNING
    ]


def test_an_unlikely_amount_is_logged_once_and_sent_all_the_same(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        async with session() as opened:
            for number in range(3):
                await create(opened, Money("0.05", "USD"), number)
            await create(opened.with_options(deadline_seconds=9), Money("0.05", "USD"), 7)
            assert (
                await opened.create_gift_card(request_id="Emula8", amount=Money("0.05", "USD"))
            ).amount == Money("0.05", "USD")
            await create(opened, Money(2001, "USD"), 9)

    run(main())

    small, large = warnings_of(caplog)
    assert small.startswith("0.05 USD is below the smallest known amount, 0.15 USD,")
    assert large.startswith("2001.00 USD is above the largest known amount, 2000.00 USD,")


def test_a_likely_amount_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with session() as opened:
            await create(opened, Money(2000, "USD"))

    run(main())

    assert warnings_of(caplog) == []


@pytest.mark.parametrize(
    ("settings", "currency", "countries"),
    [
        (SETTINGS, "EUR", "US, CA, MX"),
        (SETTINGS, "CHF", "US, CA, MX"),
        (replace(IN_EUROPE, country="DE"), "GBP", "DE"),
    ],
)
def test_a_currency_that_is_unknown_there_is_logged_and_sent(
    settings: Settings, currency: str, countries: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with session(settings) as opened:
            await create(opened, Money(5, currency))
            await create(opened, Money(5, currency), 2)

    run(main())

    assert warnings_of(caplog) == [
        f"{currency} is not known to be the currency of an account in {countries}"
    ]


def test_every_operation_with_an_amount_is_looked_at(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with session() as opened:
            await opened.activate_gift_card(
                request_id="Emula1", card_number=card_number(1), amount=Money("0.50", "USD")
            )
            with pytest.raises(AgcodError):
                await opened.load_amazon_balance(
                    request_id="Emula2",
                    account=Account(id="amzn1", type=1),
                    amount=Money(600, "USD"),
                )

    run(main())

    physical, load = warnings_of(caplog)
    assert "for a physical gift card in US" in physical
    assert "for a balance load in US" in load


def test_the_memory_of_warnings_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with session() as opened:
            opened._warned = {str(number) for number in range(1_000)}
            await create(opened, Money("0.05", "USD"))

    run(main())

    assert warnings_of(caplog) == []


# --- whom to ask -------------------------------------------------------------------------------


def refused(settings: Settings, mock_code: str) -> AccountError:
    async def main() -> AccountError:
        async with session(settings) as opened:
            with pytest.raises(AccountError) as caught:
                await opened.create_gift_card(request_id=mock_code, amount=Money(5, "EUR"))
            return caught.value

    return run(main())


@pytest.mark.parametrize(
    ("settings", "mock_code", "contact"),
    [
        (SETTINGS, "F3003", NA_TEAM),  # one team for all countries of the endpoint
        (replace(IN_EUROPE, country="UK"), "F3003", "corporate-gifts@giftcards.amazon.com"),
        (replace(IN_EUROPE, country="UK"), "F3009", "corporate-gifts@giftcards.amazon.com"),
        (IN_EUROPE, "F3003", None),  # any of fourteen countries
        (replace(IN_EUROPE, country="PL"), "F3003", None),  # Amazon names no team for Poland
        (IN_EUROPE, "F3001", INTEGRATION_SUPPORT),
        (IN_EUROPE, "F3004", None),  # the account manager, whose address the contract has
        (IN_EUROPE, "F3010", None),  # the customer's own limit: nobody at Amazon
    ],
)
def test_an_account_error_names_whom_to_ask_where_that_is_known(
    settings: Settings, mock_code: str, contact: str | None
) -> None:
    error = refused(settings, mock_code)

    assert error.contact == contact
    assert "None" not in str(error)
    assert contact is None or str(error).count(contact) == 1


def test_a_refusal_at_the_door_is_a_matter_for_integration_support() -> None:
    async def main() -> AccountError:
        wrong = EmulatorConfig(region="eu-west-1")
        emulator = Emulator(wrong, clock=virtual_clock())
        async with AgcodSession(
            SETTINGS, transport=emulator.transport(), clock=virtual_clock()
        ) as opened:
            with pytest.raises(AccountError) as caught:
                await opened.get_available_funds()
            return caught.value

    error = run(main())

    assert error.contact == INTEGRATION_SUPPORT
    # Amazon sends no code for it, so the text has to say what is wrong and what to do.
    assert error.code is None
    assert "wrong region or service in its scope. Check that the signing region" in str(error)


def test_the_contact_survives_a_pickle() -> None:
    error = refused(SETTINGS, "F3003")

    copied = pickle.loads(pickle.dumps(error))  # noqa: S301  our own bytes

    assert (copied.contact, str(copied)) == (NA_TEAM, str(error))


def test_an_error_without_a_contact_reads_as_before() -> None:
    error = refused(IN_EUROPE, "F3003")

    assert str(error) == f"CreateGiftCard F3003: {error.reason}"
