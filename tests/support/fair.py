"""Many orders against the emulator, through faults of every kind, and the account afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from agcod_async.agcod import AgcodSession
from agcod_async.batch import InDoubt, Issued, Order, Receipt
from agcod_async.journal.memory import MemoryJournal
from agcod_async.settings import Settings
from agcod_async.testing import (
    EMULATOR_CREDENTIALS,
    EMULATOR_PARTNER_ID,
    Card,
    CardStatus,
    Emulator,
    EmulatorConfig,
    FaultKind,
    FaultMix,
    FaultScript,
    Semantics,
)
from agcod_async.testing.clock import virtual_clock
from agcod_async.values import Money, RequestId

SETTINGS = Settings(credentials=EMULATOR_CREDENTIALS, partner_id=EMULATOR_PARTNER_ID)
LATE_SECONDS_MAX = 290.0
"""A request cannot land later than its signature is accepted, which is five minutes."""
SUCCESSORS_MAX = 3


def troubled(share: float, seed: int, kinds: Sequence[FaultKind] = tuple(FaultKind)) -> FaultScript:
    """Return faults of all these kinds, which together meet a share of the requests."""
    return FaultScript(
        random=FaultMix(
            probabilities=dict.fromkeys(kinds, share / len(kinds)),
            seed=seed,
            seconds_min=0.5,
            seconds_max=LATE_SECONDS_MAX,
        )
    )


def emulator(
    share: float,
    seed: int,
    *,
    semantics: Semantics | None = None,
    kinds: Sequence[FaultKind] = tuple(FaultKind),
    funds: str = "1000000",
) -> Emulator:
    config = EmulatorConfig(
        faults=troubled(share, seed, kinds),
        semantics=semantics or Semantics(),
        seed=seed,
        funds=(Money(funds, "USD"),),
    )
    return Emulator(config, clock=virtual_clock(seed))


def order(number: int) -> Order:
    """Return the n-th order; the amounts differ, so that a mix-up would show in the sums."""
    return Order(
        request_id=RequestId.derive(EMULATOR_PARTNER_ID, f"order {number}"),
        amount=Money(Decimal(number % 50 + 1) + Decimal(number % 4) / 4, "USD"),
    )


@dataclass(slots=True)
class Fair:
    """An emulator, a session in front of it, and what is known afterwards."""

    emulator: Emulator
    seed: int = 0
    settings: Settings = SETTINGS
    journal: MemoryJournal = field(default_factory=MemoryJournal)

    def session(self) -> AgcodSession:
        return AgcodSession(
            self.settings,
            transport=self.emulator.transport(),
            journal=self.journal,
            clock=virtual_clock(self.seed),
        )

    def cards_of(self, given: Order) -> list[Card]:
        """Return the live cards of an order, over all IDs that it can ever have used."""
        root = RequestId(given.request_id)
        ids = {
            str(root),
            *(root.successor(EMULATOR_PARTNER_ID, n + 1) for n in range(SUCCESSORS_MAX)),
        }
        return [
            card
            for card in self.emulator.ledger.cards()
            if card.request_id in ids and card.status is CardStatus.LIVE
        ]

    def check(self, receipts: Sequence[Receipt]) -> None:
        """Hold the receipts to the ledger, once everything late has landed."""
        self.emulator.land_everything()
        told = Decimal(0)
        known = {
            entry.request_id
            for entry in self.journal._entries.values()
            if entry.is_open or entry.facts.confirmed
        }
        for receipt in receipts:
            live, verdict = self.cards_of(receipt.order), receipt.verdict
            assert len(live) <= 1, f"{receipt.order.request_id} has {len(live)} live cards"
            if isinstance(verdict, Issued):
                (card,) = live
                assert verdict.card.claim_code == card.claim_code
                assert verdict.card.gc_id == card.gc_id
                assert verdict.card.request_id == card.request_id == receipt.request_id
                assert verdict.card.amount == card.value == receipt.order.amount
            elif isinstance(verdict, InDoubt):
                assert receipt.order.request_id in known
            else:
                assert live == [], f"{receipt.order.request_id} was told {verdict}"
            told += sum((card.value.amount for card in live), Decimal(0))
        (balance,) = self.emulator.ledger.balances()
        assert balance.debited == balance.live == told

    def history(self) -> tuple[object, ...]:
        """Return everything that has happened at the server, for a comparison."""
        return self.emulator.arrivals.latest, self.emulator.ledger.history
