"""What a request is refused for before the ledger is asked, in the order of Amazon's table.

Each check returns the checked value, or why there is none: what has passed is not asked again.
"""

from decimal import Decimal
from typing import NamedTuple

from agcod_async.testing.answers import Unusable
from agcod_async.testing.catalogue import REFUSALS, Refusal
from agcod_async.values import RequestId


class Asked(NamedTuple):
    """An amount above zero and a currency, neither of which the ledger has seen yet."""

    amount: Decimal
    currency: str


def partner(partner_id: str | None, expected: str) -> str | Refusal:
    """Return the partner ID; F2002 if it is missing, F3000 if it is another's."""
    if not partner_id:
        return REFUSALS["F2002"]
    return partner_id if partner_id == expected else REFUSALS["F3000"]


def order_id(partner_id: str | None, request_id: str | None, expected: str) -> str | Refusal:
    """Return the request ID: there, at most 40 characters, begins with the partner ID."""
    owner = partner(partner_id, expected)
    if isinstance(owner, Refusal):
        return owner
    if not request_id:
        return REFUSALS["F2006"]
    if len(request_id) > RequestId.LENGTH_MAX:
        return REFUSALS["F2021"]
    return request_id if request_id.startswith(owner) else REFUSALS["F2022"]


def asked(amount: object, currency: str | None) -> Asked | Refusal | Unusable:
    """Return an amount above zero and its currency.

    The amount is any JSON value: a text or a truth value is not a number, and the service would
    not get as far as an error of its own.
    """
    if amount is None:
        return REFUSALS["F2003"]
    if isinstance(amount, bool) or not isinstance(amount, int | Decimal):
        return Unusable(
            "A member is not an expected Json type: "
            f"Expected a number, got `{type(amount).__name__}` - at `$.value.amount`"
        )
    if not currency:
        return REFUSALS["F2005"]
    if amount == 0:
        return REFUSALS["F2004"]
    if amount < 0:
        return REFUSALS["F2014"]
    return Asked(Decimal(amount), currency)
