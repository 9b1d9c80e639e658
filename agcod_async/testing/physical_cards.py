"""Physical cards: which are active, under which request ID, and what a replay says about that.

Rules of this file:

1. Pure and synchronous, like the ledger that it is a part of. Every change goes through `_record`.
2. One card number is active under at most one request ID, and its funds are debited while it is.
3. The answer to an activation may hide that the card was deactivated since; a status check never
   does.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from agcod_async.testing.by_request_id import ByRequestId
from agcod_async.testing.cards import (
    Activation,
    ActivationStatus,
    Happening,
    LedgerEvent,
    Moment,
    PhysicalCard,
)
from agcod_async.testing.catalogue import REFUSALS, Refusal
from agcod_async.testing.funds import Funds
from agcod_async.testing.history import History
from agcod_async.testing.semantics import AfterUndo, RepeatedDeactivate, Semantics
from agcod_async.values import Money


@dataclass(frozen=True, slots=True)
class PhysicalCardRules:
    """Which cards there are, and what one may be worth at most (None: as a gift card).

    `others_exist`: whether card numbers that are not among `cards` are cards, too.
    """

    cards: tuple[PhysicalCard, ...] = ()
    others_exist: bool = True
    amount_max: Decimal | None = None


class PhysicalCards:
    """The activations of one account, paid from its funds."""

    def __init__(
        self, funds: Funds, history: History, semantics: Semantics, rules: PhysicalCardRules
    ) -> None:
        """Begin with no card activated."""
        self._funds = funds
        self._history = history
        self._semantics = semantics
        self._rules = rules
        self._cards = {card.card_number: card for card in rules.cards}
        self._activations = ByRequestId[Activation]()
        self._active: dict[str, str] = {}
        """The request ID of each card that is active."""

    def activation(self, request_id: str) -> Activation | None:
        """Return the latest activation under this ID."""
        return self._activations.latest(request_id)

    def activations(self) -> Iterator[Activation]:
        """Iterate over all activations; those that a reissue has replaced are among them."""
        return iter(self._activations)

    def live_values(self) -> Iterator[Money]:
        """Iterate over what the active cards are worth."""
        for activation in self.activations():
            if activation.status is ActivationStatus.ACTIVE:
                yield activation.value

    # --- what requests do ----------------------------------------------------------------------

    def activate(
        self, request_id: str, card_number: str, asked: tuple[Decimal, str], moment: Moment
    ) -> Activation | Refusal:
        """Activate a card for an amount and currency, or answer what this ID did before.

        The caller has checked that ID and card number are well formed and the amount above zero.
        """
        card = self._card(card_number)
        if card is None:
            return REFUSALS["F2007"]
        known = self.activation(request_id)
        if known is not None and not self._is_free_again(known):
            return self._repeated(known, card_number, asked)
        value = self._worth(card, asked)
        if isinstance(value, Refusal):
            return value
        activation = Activation(
            request_id=request_id,
            card_number=card_number,
            value=value,
            status=ActivationStatus.ACTIVE,
            claimed=False,
            requested_at=moment.arrived_at,
            activated_at=moment.now,
        )
        if self._activations.is_fenced(request_id):
            dead = replace(activation, status=ActivationStatus.AWAITING)
            return self._after_undo(self._record(Happening.FENCED, dead, moment))
        if not self._funds.suffice_for(value):
            return REFUSALS["F3003"]
        return self._record(Happening.ACTIVATED, activation, moment)

    def deactivate(
        self, request_id: str, card_number: str, moment: Moment
    ) -> Activation | Refusal | None:
        """Undo the activation under this ID; None is a SUCCESS for an ID that did nothing."""
        if self._card(card_number) is None:
            return REFUSALS["F2007"]
        known = self.activation(request_id)
        if known is None:
            unknown = self._semantics.unknown_cancel
            return self._activations.undo_unknown(request_id, unknown, REFUSALS["F2018"])
        if known.card_number != card_number:
            return REFUSALS["F2019"]
        if known.status is ActivationStatus.AWAITING:
            repeats = self._semantics.repeated_deactivate is RepeatedDeactivate.SUCCESS
            return known if repeats else REFUSALS["F2012"]
        if known.claimed:
            return REFUSALS["F2012"]
        dead = replace(known, status=ActivationStatus.AWAITING)
        return self._record(Happening.DEACTIVATED, dead, moment)

    def check(self, request_id: str, card_number: str) -> Activation | Refusal:
        """Tell the true state of the activation under this ID."""
        if self._card(card_number) is None:
            return REFUSALS["F2007"]
        known = self.activation(request_id)
        if known is None:
            return REFUSALS["F2018"]
        is_this_ones = self._active.get(card_number, request_id) == request_id
        return known if is_this_ones and known.card_number == card_number else REFUSALS["F2019"]

    def claim(self, card_number: str, moment: Moment) -> Activation | None:
        """Let a customer use this card; None if it is not active."""
        request_id = self._active.get(card_number)
        known = None if request_id is None else self.activation(request_id)
        if known is None or known.claimed:
            return known
        return self._record(Happening.CLAIMED, replace(known, claimed=True), moment)

    # --- how they do it ------------------------------------------------------------------------

    def _card(self, card_number: str) -> PhysicalCard | None:
        known = self._cards.get(card_number)
        if known is None and self._rules.others_exist:
            return PhysicalCard(card_number)
        return known

    def _worth(self, card: PhysicalCard, asked: tuple[Decimal, str]) -> Money | Refusal:
        """Return what the card will be worth, or why it cannot be activated for that."""
        holder = self._active.get(card.card_number)
        active = None if holder is None else self.activation(holder)
        if active is not None:
            return REFUSALS["F2011" if active.claimed else "F2010"]
        if card.is_invalid:
            return REFUSALS["F2011"]
        value = self._funds.worth(*asked, self._rules.amount_max)
        if isinstance(value, Money) and card.preset not in (None, value):
            return REFUSALS["F2008"]
        return value

    def _is_free_again(self, known: Activation) -> bool:
        return (
            known.status is ActivationStatus.AWAITING
            and self._semantics.after_deactivate is AfterUndo.REISSUE
            and not self._activations.is_fenced(known.request_id)
        )

    def _repeated(
        self, known: Activation, card_number: str, asked: tuple[Decimal, str]
    ) -> Activation | Refusal:
        if known.card_number != card_number:
            return REFUSALS["F2013"]
        if (known.value.amount, known.value.currency) != asked:
            return REFUSALS["F2009"]
        return known if known.status is ActivationStatus.ACTIVE else self._after_undo(known)

    def _after_undo(self, known: Activation) -> Activation | Refusal:
        if self._semantics.after_deactivate is AfterUndo.HIDDEN:
            return replace(known, status=ActivationStatus.ACTIVE)
        return REFUSALS["F2013"]

    def _record(self, happening: Happening, activation: Activation, moment: Moment) -> Activation:
        """Enter a change: the activation, the funds and the history, together or not at all."""
        if happening in (Happening.ACTIVATED, Happening.FENCED):
            self._activations.add(activation.request_id, activation)
        else:
            self._activations.change(activation.request_id, activation)
        if happening is Happening.ACTIVATED:
            self._active[activation.card_number] = activation.request_id
            self._funds.debit(activation.value)
        elif happening is Happening.DEACTIVATED:
            del self._active[activation.card_number]
            self._funds.refund(activation.value)
        self._history.add(
            LedgerEvent(
                moment.now,
                happening,
                activation.request_id,
                None,
                activation.value,
                activation.card_number,
            )
        )
        return activation
