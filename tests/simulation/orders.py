"""The three ways in which value moves, and the orders that are placed in a run."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from agcod_async.agcod import AgcodSession
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.pacing.port import Lane
from agcod_async.providers.agcod.activation_messages import Activation
from agcod_async.providers.agcod.balance_messages import BalanceLoad
from agcod_async.providers.agcod.messages import GiftCard
from agcod_async.providers.agcod.recipients import Account
from agcod_async.testing import (
    EMULATOR_PARTNER_ID,
    ActivationStatus,
    CardStatus,
    Ledger,
    LoadStatus,
)
from agcod_async.values import Money, RequestId

Issued = GiftCard | Activation | BalanceLoad


@dataclass(frozen=True, slots=True)
class Live:
    """What lives at Amazon under one ID."""

    request_id: str
    value: Money
    gc_id: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """One order: what is asked for, in which family, under which ID of the caller."""

    number: int
    family: "Family"
    request_id: RequestId
    amount: Money

    @property
    def card_number(self) -> str:
        return f"62841905377155{self.number:05d}"

    @property
    def account(self) -> Account:
        return Account(id=f"851{self.number:09d}", type=1)

    def id_of_epoch(self, epoch: int) -> str:
        """Return the n-th ID that the order may use."""
        if not epoch:
            return str(self.request_id)
        return str(self.request_id.successor(EMULATOR_PARTNER_ID, epoch))


@dataclass(frozen=True, slots=True)
class Options:
    """How one call is made."""

    deadline_seconds: float
    lane: Lane = Lane.INTERACTIVE
    policy: RecoveryPolicy | None = None


Call = Callable[[AgcodSession, Order, Options], Awaitable[Issued]]


@dataclass(frozen=True, slots=True)
class Family:
    """A pair of operations, and where the ledger keeps what they do."""

    name: str
    forward: str
    undo: str
    call: Call
    live_under: Callable[[Ledger, str], Live | None]


def _create(session: AgcodSession, order: Order, options: Options) -> Awaitable[Issued]:
    return session.create_gift_card(
        request_id=order.request_id,
        amount=order.amount,
        lane=options.lane,
        deadline_seconds=options.deadline_seconds,
        policy=options.policy,
    )


def _activate(session: AgcodSession, order: Order, options: Options) -> Awaitable[Issued]:
    return session.activate_gift_card(
        request_id=order.request_id,
        card_number=order.card_number,
        amount=order.amount,
        lane=options.lane,
        deadline_seconds=options.deadline_seconds,
        policy=options.policy,
    )


def _load(session: AgcodSession, order: Order, options: Options) -> Awaitable[Issued]:
    return session.load_amazon_balance(
        request_id=order.request_id,
        account=order.account,
        amount=order.amount,
        lane=options.lane,
        deadline_seconds=options.deadline_seconds,
        policy=options.policy,
    )


def _card(ledger: Ledger, request_id: str) -> Live | None:
    card = ledger.card(request_id)
    if card is None or card.status is not CardStatus.LIVE:
        return None
    return Live(request_id, card.value, card.gc_id)


def _activation(ledger: Ledger, request_id: str) -> Live | None:
    activation = ledger.physical.activation(request_id)
    if activation is None or activation.status is not ActivationStatus.ACTIVE:
        return None
    return Live(request_id, activation.value)


def _balance_load(ledger: Ledger, request_id: str) -> Live | None:
    load = ledger.balance.load_under(request_id)
    if load is None or load.status is not LoadStatus.EFFECTIVE:
        return None
    return Live(request_id, load.value)


FAMILIES = {
    family.name: family
    for family in (
        Family("create", "CreateGiftCard", "CancelGiftCard", _create, _card),
        Family("activate", "ActivateGiftCard", "DeactivateGiftCard", _activate, _activation),
        Family("load", "LoadAmazonBalance", "VoidAmazonBalanceLoad", _load, _balance_load),
    )
}
"""The families by name."""


def made(number: int, family: str) -> Order:
    """Return the n-th order.

    The amounts differ, so that a mix-up would show in the sums; but neighbours have the same, so
    that an answer to the one could pass for an answer to the other.
    """
    pair = number // 2
    return Order(
        number=number,
        family=FAMILIES[family],
        request_id=RequestId(f"{EMULATOR_PARTNER_ID}Order{number:06d}"),
        amount=Money(Decimal(pair % 50 + 1) + Decimal(pair % 4) / 4, "USD"),
    )


def every_live(ledger: Ledger) -> Iterator[Live]:
    """Yield everything that lives at Amazon."""
    for card in ledger.cards():
        if card.status is CardStatus.LIVE:
            yield Live(card.request_id, card.value, card.gc_id)
    for activation in ledger.physical.activations():
        if activation.status is ActivationStatus.ACTIVE:
            yield Live(activation.request_id, activation.value)
    for load in ledger.balance.loads():
        if load.status is LoadStatus.EFFECTIVE:
            yield Live(load.request_id, load.value)
