"""Amazon's books as one reading of them shows: which cards live under which ID.

Amazon documents the words of the report nowhere, so they are read by what they contain. A row that
is not understood is never passed over in silence: it makes its ID unclear, and one without an ID
makes the whole scan one from which nothing follows of what is absent.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from agcod_async.providers.agcod.activation_operations import ACTIVATE_GIFT_CARD
from agcod_async.providers.agcod.activity_messages import Activity
from agcod_async.providers.agcod.balance_operations import LOAD_AMAZON_BALANCE
from agcod_async.providers.agcod.operations import CREATE_GIFT_CARD
from agcod_async.reconciliation.orders import ORDERS
from agcod_async.values import Money

_SUCCEEDED: Final = frozenset({"success", "succeeded", "successful", "complete", "completed", "ok"})
_FAILED: Final = frozenset({"failure", "failed", "fail", "error", "declined", "resend", "rejected"})
_DEAD: Final = frozenset({"refundedtopurchaser", "refunded", "cancelled", "canceled", "voided"})
_LIVE: Final = frozenset({"fulfilled", "activated", "loaded", "issued", "active"})

# The first of these that a type contains is what it is: "deactivate" contains "activate".
_TYPES: Final[tuple[tuple[str, str, bool], ...]] = (
    ("deactivat", ACTIVATE_GIFT_CARD.name, True),
    ("activat", ACTIVATE_GIFT_CARD.name, False),
    ("void", LOAD_AMAZON_BALANCE.name, True),
    ("load", LOAD_AMAZON_BALANCE.name, False),
    ("cancel", CREATE_GIFT_CARD.name, True),
    ("refund", CREATE_GIFT_CARD.name, True),
    ("creat", CREATE_GIFT_CARD.name, False),
    ("issu", CREATE_GIFT_CARD.name, False),
)


class Card(NamedTuple):
    """A card as the books name it."""

    gc_id: str | None
    amount: Money | None


@dataclass(frozen=True, slots=True)
class Shown:
    """What lives and what has died under some IDs. Unclear is what has a row not understood."""

    live: tuple[Card, ...] = ()
    dead: tuple[Card, ...] = ()
    is_unclear: bool = False


class _Effect(NamedTuple):
    """What one row has done."""

    is_undo: bool
    card: Card


_UNCLEAR: Final = _Effect(is_undo=False, card=Card("?", None))


@dataclass(frozen=True, slots=True)
class Frame:
    """From `start` on and before `end`, in UTC seconds since 1970."""

    start: float
    end: float

    def covers(self, start: float, end: float) -> bool:
        """Whether all of that time is inside."""
        return self.start <= start and end <= self.end


class Scan:
    """One reading of the books over one frame, in memory that grows with the IDs in it."""

    def __init__(self, frame: Frame | None) -> None:
        """Begin to read. Of a reading without a frame it is not known what it has left out."""
        self.frame = frame
        self.rows = 0
        self.unreadable = 0
        self._effects: dict[str, dict[str, tuple[_Effect, ...]]] = {name: {} for name in ORDERS}
        self._unclear: dict[str, bool] = {}  # IDs with a row of whatever kind; whether known here
        self._amounts: dict[Money, Money] = {}

    def add(self, row: Activity) -> None:
        """Enter one row."""
        self.rows += 1
        if row.is_real is False:
            return  # it has repeated what another row shows
        kind, status = _kind(row.type), _plain(row.status)
        if row.failure_code is not None or status in _FAILED:
            return
        if row.request_id is None or kind is None:
            self._not_understood(row.request_id)
            return
        operation, is_undo = kind
        card = Card(row.gc_id, self._shared(row.amount))
        if status in _SUCCEEDED or (status in _LIVE and not is_undo):
            self._enter(operation, row.request_id, _Effect(is_undo, card))
        elif status in _DEAD:
            if not is_undo:
                self._enter(operation, row.request_id, _Effect(is_undo=False, card=card))
            self._enter(operation, row.request_id, _Effect(is_undo=True, card=card))
        else:
            self._enter(operation, row.request_id, _UNCLEAR)

    def add_unreadable(self) -> None:
        """Enter a row of which not even the ID can be read."""
        self.rows += 1
        self.unreadable += 1

    def under(self, operation: str, request_id: str) -> Shown:
        """Return what is shown under one ID."""
        return self.under_all(operation, (request_id,))

    def under_all(self, operation: str, request_ids: Iterable[str]) -> Shown:
        """Return what is shown under several IDs together."""
        by_id, ids = self._effects.get(operation, {}), tuple(request_ids)
        shown = [_shown(by_id.get(request_id, ())) for request_id in ids]
        return Shown(
            live=tuple(card for one in shown for card in one.live),
            dead=tuple(card for one in shown for card in one.dead),
            is_unclear=any(one.is_unclear for one in shown)
            or any(request_id in self._unclear for request_id in ids),
        )

    def forget(self, operation: str, request_id: str) -> None:
        """Drop an ID that has been dealt with."""
        self._effects[operation].pop(request_id, None)
        if request_id in self._unclear:
            self._unclear[request_id] = True

    def issues(self, prefix: str) -> Iterator[tuple[str, str]]:
        """Iterate over the operations and IDs with this prefix under which anything was issued.

        The operation is empty where a row does not say it, or not in words that are known.
        """
        for request_id, is_known in self._unclear.items():
            if request_id.startswith(prefix) and not is_known:
                yield "", request_id
        for operation, by_id in self._effects.items():
            for request_id, effects in by_id.items():
                if request_id.startswith(prefix) and not all(one.is_undo for one in effects):
                    yield operation, request_id

    def _enter(self, operation: str, request_id: str, effect: _Effect) -> None:
        by_id = self._effects[operation]
        before = by_id.get(request_id, ())
        if effect not in before:  # an export may have a row twice
            by_id[request_id] = (*before, effect)

    def _not_understood(self, request_id: str | None) -> None:
        if request_id is None:
            self.unreadable += 1
        else:
            self._unclear.setdefault(request_id, False)

    def _shared(self, amount: Money | None) -> Money | None:
        # A million cards have a handful of amounts.
        return None if amount is None else self._amounts.setdefault(amount, amount)


def _shown(effects: tuple[_Effect, ...]) -> Shown:
    issued = {one.card.gc_id: one.card for one in effects if not one.is_undo and one != _UNCLEAR}
    undone = {one.card.gc_id for one in effects if one.is_undo}
    live = [card for gc_id, card in issued.items() if gc_id not in undone]
    dead = [card for gc_id, card in issued.items() if gc_id in undone]
    strangers = undone - issued.keys()
    if strangers and live:
        # An undo that names no card, or one whose issue is not shown, or an issue without a name.
        nameless = [card for card in live if card.gc_id is None]
        if None in strangers or nameless:
            first = live.pop(0)
            dead.append(first)
    return Shown(tuple(live), tuple(dead), _UNCLEAR in effects)


def _kind(text: str | None) -> tuple[str, bool] | None:
    plain = _plain(text)
    found = ((operation, is_undo) for part, operation, is_undo in _TYPES if part in plain)
    return next(found, None)


def _plain(text: str | None) -> str:
    return "".join(letter for letter in (text or "").casefold() if letter.isalnum())
