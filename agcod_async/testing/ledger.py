"""The money of the emulated account: which gift cards live, and what was debited for them.

Rules of this file:

1. Pure and synchronous: time is an argument, chance is a seed, nothing is waited for.
2. The funds debited are the sum of the live cards, the active activations and the effective loads,
   always. Every change of a gift card goes through `_record`, and the other two tables have one.
3. One request ID has at most one live card, whatever the semantics; with tombstones it never
   has a second card at all.
4. A claim code is shown by the answer to a create, and by nothing else in here.
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import chain
from typing import Final

from agcod_async.testing.balance_loads import BalanceLoads
from agcod_async.testing.by_request_id import ByRequestId
from agcod_async.testing.cards import Balance, Card, CardStatus, Happening, LedgerEvent, Moment
from agcod_async.testing.catalogue import CANCEL_NOT_FOUND, REFUSALS, Refusal
from agcod_async.testing.customers import LoadRules
from agcod_async.testing.funds import Funds
from agcod_async.testing.history import HISTORY_MAX, History
from agcod_async.testing.physical_cards import PhysicalCardRules, PhysicalCards
from agcod_async.testing.semantics import AfterCancel, Semantics
from agcod_async.values import ClaimCode, Money

CANCEL_WINDOW_SECONDS: Final = 900.0
"""A cancel must arrive within 15 minutes of the create (Amazon's FAQ)."""

_YEAR_SECONDS = 365.25 * 86_400
_NEVER_EXPIRING = frozenset({"USD", "CAD", "MXN"})
_CODE_SPACE = 1 << 70
# Multiplying by an odd number permutes the numbers below a power of two: no code comes twice.
_CODE_STEP = 0x2D_9B3C_5A71_E64D_8F35
_GC_ID_STEP = 0x1A_6E95_D3C8_470B_F2A9


class Ledger:
    """Gift cards by request ID, and the prepaid funds of one partner account.

    `funds` holds one amount per currency of the account; the first is the account's own currency.
    Every card, activation and load is kept for as long as the ledger lives; of the history, the
    latest `history_max` changes.
    """

    def __init__(
        self,
        funds: Iterable[Money],
        *,
        semantics: Semantics | None = None,
        seed: int = 0,
        cancel_window_seconds: float = CANCEL_WINDOW_SECONDS,
        amount_max: Decimal | None = None,
        history_max: int = HISTORY_MAX,
        physical_card_rules: PhysicalCardRules | None = None,
        load_rules: LoadRules | None = None,
    ) -> None:
        """Open the account. Equal seeds give equal codes for equal sequences of creates."""
        self._funds = Funds(funds)
        self._history = History(history_max)
        self._semantics = semantics or Semantics()
        self._cancel_window_seconds = cancel_window_seconds
        self._amount_max = amount_max
        self.physical = PhysicalCards(
            self._funds, self._history, self._semantics, physical_card_rules or PhysicalCardRules()
        )
        self.balance = BalanceLoads(
            self._funds, self._history, self._semantics, load_rules or LoadRules()
        )
        digest = hashlib.sha256(f"agcod-emulator\0{seed}".encode()).digest()
        self._code_offset = int.from_bytes(digest, "big")
        self._minted = 0
        self._cards = ByRequestId[Card]()

    @property
    def currency(self) -> str:
        """The account's own currency."""
        return self._funds.currency

    @property
    def history(self) -> tuple[LedgerEvent, ...]:
        """The changes so far, in order; the oldest of very many are forgotten."""
        return self._history.latest

    @property
    def changes(self) -> int:
        """How many changes there were, the forgotten ones too."""
        return self._history.total

    def card(self, request_id: str) -> Card | None:
        """Return the latest card under this ID."""
        return self._cards.latest(request_id)

    def cards(self) -> Iterator[Card]:
        """Iterate over all cards; the dead ones that a reissue has replaced are among them."""
        return iter(self._cards)

    def available(self, currency: str) -> Decimal:
        """Return what can still be spent in a currency of the account."""
        return self._funds.available(currency)

    def balances(self) -> tuple[Balance, ...]:
        """Return the funds of every currency, with the sum of what is live beside them."""
        own = (card.value for card in self.cards() if card.status is CardStatus.LIVE)
        return self._funds.balances(
            chain(own, self.physical.live_values(), self.balance.live_values())
        )

    # --- what requests do ----------------------------------------------------------------------

    def create(
        self, request_id: str, amount: Decimal, currency: str, moment: Moment
    ) -> Card | Refusal:
        """Make a card, or answer the one that this ID already has.

        The caller has checked that the ID is well formed and the amount above zero.
        """
        known = self.card(request_id)
        if known is not None and not self._replaceable(known):
            same = known.value.amount == amount and known.value.currency == currency
            return known if same else REFUSALS["F2008"]
        value = self._funds.worth(amount, currency, self._amount_max)
        if isinstance(value, Refusal):
            return value
        if self._cards.is_fenced(request_id):
            return self._record(
                Happening.FENCED, self._mint(request_id, value, CardStatus.DEAD, moment), moment
            )
        if not self._funds.suffice_for(value):
            return REFUSALS["F3003"]
        return self._record(
            Happening.CREATED, self._mint(request_id, value, CardStatus.LIVE, moment), moment
        )

    def cancel(self, request_id: str, moment: Moment) -> Card | Refusal | None:
        """Kill the card under this ID; None is a SUCCESS for an ID that has no card.

        A cancelled card stays cancelled, and cancelling it again is a SUCCESS at any time: it is
        not a new transaction.
        """
        card = self.card(request_id)
        if card is None:
            unknown = self._semantics.unknown_cancel
            return self._cards.undo_unknown(request_id, unknown, CANCEL_NOT_FOUND)
        if card.status is CardStatus.DEAD:
            return card
        if card.claimed:
            return REFUSALS["F2012"]
        if moment.arrived_at - card.requested_at > self._cancel_window_seconds:
            return REFUSALS["F2047"]
        return self._record(Happening.CANCELLED, replace(card, status=CardStatus.DEAD), moment)

    def claim(self, request_id: str, moment: Moment) -> Card | None:
        """Let a customer use the card under this ID; None if there is no live one to use."""
        card = self.card(request_id)
        if card is None or card.status is CardStatus.DEAD:
            return None
        if card.claimed:
            return card
        return self._record(Happening.CLAIMED, replace(card, claimed=True), moment)

    # --- how they do it ------------------------------------------------------------------------

    def _replaceable(self, card: Card) -> bool:
        return (
            card.status is CardStatus.DEAD
            and self._semantics.after_cancel is AfterCancel.REISSUE
            and not self._cards.is_fenced(card.request_id)
        )

    def _mint(self, request_id: str, value: Money, status: CardStatus, moment: Moment) -> Card:
        self._minted += 1
        code = _letters(self._minted * _CODE_STEP + self._code_offset)
        never = value.currency in _NEVER_EXPIRING
        return Card(
            request_id=request_id,
            value=value,
            gc_id=_letters(self._minted * _GC_ID_STEP + self._code_offset),
            claim_code=ClaimCode(f"{code[:4]}-{code[4:10]}-{code[10:]}"),
            status=status,
            claimed=False,
            requested_at=moment.arrived_at,
            created_at=moment.now,
            expires_at_wall=None if never else moment.wall + 10 * _YEAR_SECONDS,
        )

    def _record(self, happening: Happening, card: Card, moment: Moment) -> Card:
        """Enter a change: the card, the funds and the history, together or not at all."""
        if happening in (Happening.CREATED, Happening.FENCED):
            self._cards.add(card.request_id, card)
        else:
            self._cards.change(card.request_id, card)
        if happening is Happening.CREATED:
            self._funds.debit(card.value)
        elif happening is Happening.CANCELLED:
            self._funds.refund(card.value)
        self._history.add(
            LedgerEvent(moment.now, happening, card.request_id, card.gc_id, card.value)
        )
        return card


def _letters(number: int) -> str:
    """Write the last 70 bits of a number as 14 letters and digits, different for each."""
    packed = (number % _CODE_SPACE) << 2  # 70 bits end in the middle of a byte
    return base64.b32encode(packed.to_bytes(9, "big"))[:14].decode("ascii")
