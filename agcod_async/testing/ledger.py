"""The money of the emulated account: which cards live, and what was debited for them.

Rules of this file:

1. Pure and synchronous: time is an argument, chance is a seed, nothing is waited for.
2. The funds debited are the sum of the live cards, always. Every change goes through `_record`.
3. One request ID has at most one live card, whatever the semantics; with tombstones it never
   has a second card at all.
4. A claim code is shown by the answer to a create, and by nothing else in here.
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Context, Decimal, Inexact
from typing import Final, assert_never

from agcod_async.testing.cards import (
    AfterCancel,
    Balance,
    Card,
    CardStatus,
    Happening,
    LedgerEvent,
    Moment,
    Semantics,
    UnknownCancel,
)
from agcod_async.testing.catalogue import CANCEL_NOT_FOUND, REFUSALS, Refusal
from agcod_async.values import ClaimCode, InvalidValueError, Money

CANCEL_WINDOW_SECONDS: Final = 900.0
"""A cancel must arrive within 15 minutes of the create (Amazon's FAQ)."""

AMOUNT_MAX_BY_CURRENCY: Final = {"USD": Decimal(2000), "GBP": Decimal(5000)}
AMOUNT_MAX: Final = Decimal(500_000)
"""The most one card may be worth, where `AMOUNT_MAX_BY_CURRENCY` does not say."""

# Our own, because the caller's could round, and this runs in the caller's process.
_EXACT = Context(prec=40, traps=[Inexact])

_YEAR_SECONDS = 365.25 * 86_400
_NEVER_EXPIRING = frozenset({"USD", "CAD", "MXN"})
_CODE_SPACE = 1 << 70
# Multiplying by an odd number permutes the numbers below a power of two: no code comes twice.
_CODE_STEP = 0x2D_9B3C_5A71_E64D_8F35
_GC_ID_STEP = 0x1A_6E95_D3C8_470B_F2A9


class Ledger:
    """Cards by request ID, and the prepaid funds of one partner account.

    `funds` holds one amount per currency of the account; the first is the account's own currency.
    Everything is kept for as long as the ledger lives.
    """

    def __init__(
        self,
        funds: Iterable[Money],
        *,
        semantics: Semantics | None = None,
        seed: int = 0,
        cancel_window_seconds: float = CANCEL_WINDOW_SECONDS,
        amount_max: Decimal | None = None,
    ) -> None:
        """Open the account. Equal seeds give equal codes for equal sequences of creates."""
        self._prepaid = {money.currency: money.amount for money in funds}
        self._debited = {currency: Decimal(0) for currency in self._prepaid}
        self._semantics = semantics or Semantics()
        self._cancel_window_seconds = cancel_window_seconds
        self._amount_max = amount_max
        digest = hashlib.sha256(f"agcod-emulator\0{seed}".encode()).digest()
        self._code_offset = int.from_bytes(digest, "big")
        self._minted = 0
        self._cards: dict[str, list[Card]] = {}
        self._fenced: set[str] = set()
        self._history: list[LedgerEvent] = []

    @property
    def currency(self) -> str:
        """The account's own currency."""
        return next(iter(self._prepaid))

    @property
    def history(self) -> tuple[LedgerEvent, ...]:
        """Every change so far, in order."""
        return tuple(self._history)

    def card(self, request_id: str) -> Card | None:
        """Return the latest card under this ID."""
        cards = self._cards.get(request_id)
        return cards[-1] if cards else None

    def cards(self) -> Iterator[Card]:
        """Iterate over all cards; the dead ones that a reissue has replaced are among them."""
        for cards in self._cards.values():
            yield from cards

    def available(self, currency: str) -> Decimal:
        """Return what can still be spent in a currency of the account."""
        return _EXACT.subtract(self._prepaid[currency], self._debited[currency])

    def balances(self) -> tuple[Balance, ...]:
        """Return the funds of every currency, with the sum of the live cards beside them."""
        live = dict.fromkeys(self._prepaid, Decimal(0))
        for card in self.cards():
            if card.status is CardStatus.LIVE:
                so_far = live[card.value.currency]
                live[card.value.currency] = _EXACT.add(so_far, card.value.amount)
        return tuple(
            Balance(
                currency=currency,
                prepaid=prepaid,
                debited=self._debited[currency],
                live=live[currency],
                available=self.available(currency),
            )
            for currency, prepaid in self._prepaid.items()
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
        value = self._worth(amount, currency)
        if isinstance(value, Refusal):
            return value
        if request_id in self._fenced:
            return self._record(
                Happening.FENCED, self._mint(request_id, value, CardStatus.DEAD, moment), moment
            )
        if value.amount > self.available(currency):
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
            return self._cancel_unknown(request_id)
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
            and card.request_id not in self._fenced
        )

    def _worth(self, amount: Decimal, currency: str) -> Money | Refusal:
        if currency not in self._prepaid:
            return REFUSALS["F2016"]
        limit = self._amount_max or AMOUNT_MAX_BY_CURRENCY.get(currency, AMOUNT_MAX)
        if amount > limit:
            return REFUSALS["F2015"]
        try:
            return Money(amount, currency)
        except InvalidValueError:
            return REFUSALS["F2017"]

    def _cancel_unknown(self, request_id: str) -> Refusal | None:
        match self._semantics.unknown_cancel:
            case UnknownCancel.NOT_FOUND:
                return CANCEL_NOT_FOUND
            case UnknownCancel.NOOP:
                return None
            case UnknownCancel.FENCE:
                self._fenced.add(request_id)
                return None
            case _ as never:
                assert_never(never)

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
        cards = self._cards.setdefault(card.request_id, [])
        if happening in (Happening.CREATED, Happening.FENCED):
            cards.append(card)
        else:
            cards[-1] = card
        debited, amount = self._debited[card.value.currency], card.value.amount
        if happening is Happening.CREATED:
            self._debited[card.value.currency] = _EXACT.add(debited, amount)
        elif happening is Happening.CANCELLED:
            self._debited[card.value.currency] = _EXACT.subtract(debited, amount)
        self._history.append(
            LedgerEvent(moment.now, happening, card.request_id, card.gc_id, card.value)
        )
        return card


def _letters(number: int) -> str:
    """Write the last 70 bits of a number as 14 letters and digits, different for each."""
    packed = (number % _CODE_SPACE) << 2  # 70 bits end in the middle of a byte
    return base64.b32encode(packed.to_bytes(9, "big"))[:14].decode("ascii")
