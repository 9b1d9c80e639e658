"""What a request is refused for before the ledger is asked, in the order of Amazon's table.

Each check returns the checked value or raises `RefusedError`: what has passed is not asked again.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple, TypeVar

import msgspec

from agcod_async.testing.answers import Members, value_of
from agcod_async.testing.card_numbers import CARD_NUMBER_LENGTH
from agcod_async.testing.catalogue import (
    CARD_NUMBER_TOO_SHORT,
    INVALID_PROGRAM_ID,
    REFUSALS,
    Refusal,
)
from agcod_async.testing.config import EmulatorConfig
from agcod_async.testing.requests import Value
from agcod_async.values import RequestId

EXTERNAL_REFERENCE_LENGTH_MAX = 100

_DIGITS_SHOWN_MAX = 15  # a mocked amount may be anything at all

Granted = TypeVar("Granted")


class RefusedError(Exception):
    """The request is refused."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal


class Asked(NamedTuple):
    """An amount above zero and a currency, neither of which the ledger has seen yet."""

    amount: Decimal
    currency: str


def granted(answer: Granted | Refusal) -> Granted:
    """Return what the ledger granted."""
    if isinstance(answer, Refusal):
        raise RefusedError(answer)
    return answer


def partner(
    partner_id: str | None, expected: str, refusals: Mapping[str, Refusal] = REFUSALS
) -> str:
    """Return the partner ID; F2002 if it is missing, F3000 if it is another's."""
    if not partner_id:
        raise RefusedError(refusals["F2002"])
    if partner_id != expected:
        raise RefusedError(refusals["F3000"])
    return partner_id


def order_id(
    partner_id: str | None,
    request_id: str | None,
    expected: str,
    refusals: Mapping[str, Refusal] = REFUSALS,
) -> str:
    """Return the request ID: there, at most 40 characters, begins with the partner ID."""
    owner = partner(partner_id, expected, refusals)
    if not request_id:
        raise RefusedError(refusals["F2006"])
    if len(request_id) > RequestId.LENGTH_MAX:
        raise RefusedError(refusals["F2021"])
    if not request_id.startswith(owner):
        raise RefusedError(refusals["F2022"])
    return request_id


def asked(amount: Decimal | None, currency: str | None) -> Asked:
    """Return an amount above zero and its currency."""
    if amount is None:
        raise RefusedError(REFUSALS["F2003"])
    if not currency:
        raise RefusedError(REFUSALS["F2005"])
    if amount == 0:
        raise RefusedError(REFUSALS["F2004"])
    if amount < 0:
        raise RefusedError(REFUSALS["F2014"])
    return Asked(amount, currency)


def sound_value(value: Value | None) -> Members | None:
    """Return the value of a mocked request as it is answered, if it could be one."""
    given = value or Value()
    try:
        amount, currency = asked(given.amount, given.currency_code)
    except RefusedError:
        return None
    return value_of(amount, currency) if amount.adjusted() <= _DIGITS_SHOWN_MAX else None


def card_number(number: str | None, config: EmulatorConfig) -> str:
    """Return the number of a physical card: 19 digits, and whatever the emulator was told."""
    if not number:
        raise RefusedError(REFUSALS["F2001"])
    if len(number) < CARD_NUMBER_LENGTH:
        raise RefusedError(CARD_NUMBER_TOO_SHORT)
    is_whole = len(number) == CARD_NUMBER_LENGTH and number.isascii() and number.isdecimal()
    if not is_whole or (config.card_checksum is not None and not config.card_checksum(number)):
        raise RefusedError(REFUSALS["F2023"])
    return number


def program(program_id: str | None, config: EmulatorConfig) -> None:
    """Pass a request whose program may issue cards; where there are no programs, all may."""
    if config.programs is None:
        return
    if not program_id:
        raise RefusedError(REFUSALS["F2048"])
    is_approved = config.programs.get(program_id)
    if is_approved is None:
        raise RefusedError(INVALID_PROGRAM_ID)
    if not is_approved:
        raise RefusedError(REFUSALS["F3011"])


def external_reference(text: str | None, refusals: Mapping[str, Refusal] = REFUSALS) -> None:
    """Pass a reference that is not too long."""
    if len(text or "") > EXTERNAL_REFERENCE_LENGTH_MAX:
        raise RefusedError(refusals["F2042"])


def till(text: str | None) -> None:
    """Pass the identity of a till: a JSON object, as text."""
    if text is None:
        return
    try:
        msgspec.json.decode(text, type=dict[str, object])
    except msgspec.MsgspecError as error:
        raise RefusedError(REFUSALS["F3007"]) from error
