"""How a row becomes a call of the session: one short function for each operation."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from agcod_async.agcod import AgcodSession
from agcod_async.cli.certification.cases import Asked
from agcod_async.providers.agcod.recipients import Account, CardNumber
from agcod_async.values import Money, RequestId

_SAMPLE_CARD: Final = CardNumber("3400000000004400616")  # the one in Amazon's examples
_MOCK_ACCOUNT_TYPE: Final = 0
_WITHOUT_ORDER: Final = frozenset({"GetAvailableFunds", "GetGiftCardActivityPage"})
_LOADS: Final = frozenset(
    {"LoadAmazonBalance", "VoidAmazonBalanceLoad", "ValidateAccountForAmazonBalanceLoad"}
)
_ACTIVITY_HOURS: Final = 1
_ACTIVITY_ROWS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a run has to work with. Without a card or an account of its own, some is not possible.

    `run` names the run: its request IDs are derived from it, and the same name brings the same.
    """

    run: str
    partner_id: str
    now: datetime
    currency: str
    program_id: str | None = None
    card_number: CardNumber | None = None
    card_amount: str = "25.00"
    account: Account | None = None

    def order_id(self, order: str) -> RequestId:
        """Return the request ID of an order of this run."""
        return RequestId.derive(self.partner_id, f"certification {self.run}: {order}")

    def card_id(self, asked: Asked) -> RequestId:
        """Return the request ID of a call about cards, where a mock code stands in its place."""
        return self.order_id(asked.order) if asked.mock is None else RequestId(asked.mock)

    def request_id(self, operation: str, asked: Asked) -> RequestId | None:
        """Return the request ID of a call, as it is reported; None if it has none of the run's."""
        if operation in _WITHOUT_ORDER:
            return None
        return self.order_id(asked.order) if operation in _LOADS else self.card_id(asked)

    def money(self, asked: Asked) -> Money:
        """Return the amount in the account's currency."""
        return Money(asked.amount or self.card_amount, self.currency)

    def card(self, asked: Asked) -> CardNumber:
        """Return the card that a call is about; a mocked one can be about any."""
        if asked.mock is not None:
            return _SAMPLE_CARD
        if self.card_number is None:
            raise LackingError("no card was given (--card-number)")
        return self.card_number

    def customer(self, asked: Asked) -> Account:
        """Return the customer's account, where a mock code stands in its place."""
        if asked.mock is not None:
            return Account(id=asked.mock, type=_MOCK_ACCOUNT_TYPE)
        if self.account is None:
            raise LackingError("no customer's account was given (--account)")
        return self.account


class LackingError(Exception):
    """A case needs what this run was not given. Nothing was sent."""


Call = Callable[[AgcodSession, Asked, Means], Awaitable[object]]


def _create(session: AgcodSession, asked: Asked, means: Means) -> Awaitable[object]:
    return session.create_gift_card(
        request_id=means.card_id(asked), amount=means.money(asked), program_id=means.program_id
    )


def _cancel(session: AgcodSession, asked: Asked, means: Means) -> Awaitable[object]:
    return session.cancel_gift_card(request_id=means.card_id(asked))


def _funds(session: AgcodSession, _asked: Asked, _means: Means) -> Awaitable[object]:
    return session.get_available_funds()


def _activate(session: AgcodSession, asked: Asked, means: Means) -> Awaitable[object]:
    return session.activate_gift_card(
        request_id=means.card_id(asked),
        card_number=means.card(asked),
        amount=means.money(asked),
        program_id=means.program_id,
    )


def _deactivate(session: AgcodSession, asked: Asked, means: Means) -> Awaitable[object]:
    return session.deactivate_gift_card(
        request_id=means.card_id(asked), card_number=means.card(asked)
    )


def _status(session: AgcodSession, asked: Asked, means: Means) -> Awaitable[object]:
    return session.activation_status_check(
        request_id=means.card_id(asked), card_number=means.card(asked)
    )


def _load(session: AgcodSession, asked: Asked, means: Means) -> Awaitable[object]:
    return session.load_amazon_balance(
        request_id=means.order_id(asked.order),
        account=means.customer(asked),
        amount=means.money(asked),
    )


def _void(session: AgcodSession, asked: Asked, means: Means) -> Awaitable[object]:
    return session.void_amazon_balance_load(
        request_id=means.order_id(asked.order),
        account=means.customer(asked),
        amount=means.money(asked),
    )


def _validate(session: AgcodSession, asked: Asked, means: Means) -> Awaitable[object]:
    return session.validate_account_for_amazon_balance_load(
        request_id=means.order_id(asked.order),
        account=means.customer(asked),
        amount=means.money(asked),
    )


def _activity(session: AgcodSession, _asked: Asked, means: Means) -> Awaitable[object]:
    return session.get_gift_card_activity_page(
        start=means.now - timedelta(hours=_ACTIVITY_HOURS),
        end=means.now,
        page_index=0,
        page_size=_ACTIVITY_ROWS,
    )


CALLS: Final[Mapping[str, Call]] = MappingProxyType(
    {
        "CreateGiftCard": _create,
        "CancelGiftCard": _cancel,
        "GetAvailableFunds": _funds,
        "ActivateGiftCard": _activate,
        "DeactivateGiftCard": _deactivate,
        "ActivationStatusCheck": _status,
        "LoadAmazonBalance": _load,
        "VoidAmazonBalanceLoad": _void,
        "ValidateAccountForAmazonBalanceLoad": _validate,
        "GetGiftCardActivityPage": _activity,
    }
)
"""Every operation. What a call lacks, it says with `LackingError` before anything is sent."""
