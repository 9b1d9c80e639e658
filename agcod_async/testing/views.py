"""What the control endpoints show: never a claim code, a key or a signature."""

from agcod_async._version import __version__
from agcod_async.testing.arrivals import Arrival
from agcod_async.testing.balance_loads import BalanceLoad, LoadStatus
from agcod_async.testing.cards import Activation, ActivationStatus, Balance, Card, CardStatus
from agcod_async.testing.emulator import Emulator
from agcod_async.testing.operations import OPERATIONS

Shown = dict[str, object]


def health(emulator: Emulator) -> Shown:
    """Say who is there."""
    return {
        "status": "ok",
        "version": __version__,
        "partner_id": emulator.config.partner_id,
        "operations": sorted(OPERATIONS),
    }


def ledger(emulator: Emulator, request_id: str | None = None) -> Shown:
    """Show the funds, the counts, and every card, activation and load (or those of one ID).

    `live` is summed up from those that live, `debited` is what the account was charged: they are
    equal. The counts are of everything, whatever is shown.
    """
    book = emulator.ledger
    cards, activations = list(book.cards()), list(book.physical.activations())
    loads = list(book.balance.loads())
    live = sum(card.status is CardStatus.LIVE for card in cards)
    return {
        "funds": [_balance(balance) for balance in book.balances()],
        "counts": {
            "cards": len(cards),
            "live": live,
            "dead": len(cards) - live,
            "claimed": sum(card.claimed for card in cards),
            "activations": len(activations),
            "active": sum(one.status is ActivationStatus.ACTIVE for one in activations),
            "loads": len(loads),
            "loaded": sum(load.status is LoadStatus.EFFECTIVE for load in loads),
            "in_flight": emulator.in_flight,
        },
        "history": {"kept": len(book.history), "total": book.changes},
        "cards": [_card(card) for card in cards if request_id in (None, card.request_id)],
        "activations": [
            _activation(one) for one in activations if request_id in (None, one.request_id)
        ],
        "loads": [_load(load) for load in loads if request_id in (None, load.request_id)],
    }


def requests(emulator: Emulator, limit: int | None = None) -> Shown:
    """Show the counters, the busiest second, and the latest arrivals, oldest first."""
    arrivals = emulator.arrivals
    latest = arrivals.latest if limit is None else arrivals.latest[-limit:] if limit else ()
    return {
        "total": arrivals.total,
        "forgotten": arrivals.forgotten,
        "by_operation": dict(arrivals.by_operation),
        "by_result": dict(arrivals.by_result),
        "by_fault": dict(arrivals.by_fault),
        "busiest_second": {
            "requests": arrivals.busiest.requests,
            "began_at": arrivals.busiest.began_at,
        },
        "arrivals": [_arrival(arrival) for arrival in latest],
    }


def _balance(balance: Balance) -> Shown:
    return {
        "currency": balance.currency,
        "prepaid": str(balance.prepaid),
        "debited": str(balance.debited),
        "live": str(balance.live),
        "available": str(balance.available),
    }


def _card(card: Card) -> Shown:
    return {
        "request_id": card.request_id,
        "gc_id": card.gc_id,
        "amount": str(card.value.amount),
        "currency": card.value.currency,
        "status": card.status.value,
        "claimed": card.claimed,
        "requested_at": card.requested_at,
        "created_at": card.created_at,
    }


def _activation(activation: Activation) -> Shown:
    return {
        "request_id": activation.request_id,
        "card_number": activation.card_number,
        "amount": str(activation.value.amount),
        "currency": activation.value.currency,
        "status": activation.status.value,
        "claimed": activation.claimed,
        "requested_at": activation.requested_at,
        "activated_at": activation.activated_at,
    }


def _load(load: BalanceLoad) -> Shown:
    return {
        "request_id": load.request_id,
        "account_id": load.asked.account_id,
        "account_type": load.asked.account_type,
        "amount": str(load.value.amount),
        "currency": load.value.currency,
        "status": load.status.value,
        "spent": load.spent,
        "requested_at": load.requested_at,
        "loaded_at": load.loaded_at,
    }


def _arrival(arrival: Arrival) -> Shown:
    return {
        "at": arrival.at,
        "operation": arrival.operation,
        "request_id": arrival.request_id,
        "result": arrival.result,
        "fault": arrival.fault,
    }
