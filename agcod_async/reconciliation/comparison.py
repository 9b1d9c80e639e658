"""The journal and Amazon's books side by side: one finding for each order.

The entries of the journal are gone through twice, and never held: once before the books are read,
to know which time they must show (`Survey`), and once afterwards (`Comparison`). What is held are
the IDs that the books show in that time.

1. What the books do not show has not happened only if at least two scans agree on it, every row of
   them could be read, and they cover all the time in which the order can have had an effect. Until
   then it is still open.
2. What they do show is believed from the latest scan.
3. An order that has moved on since the books were read is still open, unless it matches.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import assert_never

from agcod_async.core.verdicts import Issued
from agcod_async.journal.records import Entry
from agcod_async.reconciliation.books import Frame, Scan, Shown
from agcod_async.reconciliation.findings import NEXT_ACTIONS, Finding, Kind, NextAction
from agcod_async.reconciliation.orders import ORDER_OF, ORDERS, Placed, Recorded


class Asked(Enum):
    """Whether the caller has asked for the undo of a card itself."""

    NO = "no"
    PERHAPS = "perhaps"
    YES = "yes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which orders are compared: those first sent from `since` on and before `until`.

    Both are UTC seconds since 1970. `late_horizon_seconds` is how late a request may land.
    """

    since: float
    until: float
    late_horizon_seconds: float

    def placed(self, entry: Entry) -> Placed | None:
        """Return the order of an entry, if it is to be compared."""
        placed = Placed.of(entry, late_horizon_seconds=self.late_horizon_seconds)
        return placed if self.since <= placed.sent_at < self.until else None


@dataclass(slots=True)
class Survey:
    """What must be known of the whole journal before the books are read."""

    selection: Selection
    orders: int = 0
    asked: dict[tuple[str, str], Asked] = field(default_factory=dict[tuple[str, str], Asked])
    """The undos that the caller asked for itself, by the operation and ID of the order."""
    _start: float = math.inf
    _end: float = -math.inf

    def add(self, entry: Entry) -> None:
        """Look at one entry."""
        undone = ORDER_OF.get(entry.operation)
        if undone is not None and (entry.is_open or entry.verdict == Issued.__name__):
            asked = Asked.PERHAPS if entry.is_open else Asked.YES
            self.asked[undone, entry.request_id] = asked
        placed = self.selection.placed(entry) if entry.operation in ORDERS else None
        if placed is not None:
            self.orders += 1
            self._start = min(self._start, placed.starts_at)
            self._end = max(self._end, placed.ends_at)

    def frame(self, now: float) -> Frame:
        """Return the time that the books have to show: nothing of the future is in them."""
        start = min(self._start, self.selection.since)
        end = max(self._end, self.selection.until)
        return Frame(math.floor(start), min(math.ceil(end), math.floor(now)))  # whole seconds


@dataclass(slots=True)
class Comparison:
    """Compares entry by entry. `scans` are readings of the books, the latest last."""

    selection: Selection
    asked: dict[tuple[str, str], Asked]
    scans: Sequence[Scan]

    def compare(self, entry: Entry) -> Finding | None:
        """Return what is found of one entry; None if there is nothing to be said of it."""
        if entry.operation in ORDER_OF:
            return self._of_undo(entry)
        if entry.operation not in ORDERS:
            return None
        placed = Placed.of(entry, late_horizon_seconds=self.selection.late_horizon_seconds)
        finding = None
        if self.selection.since <= placed.sent_at < self.selection.until:
            finding = self._of_order(placed)
        for scan in self.scans:
            for request_id in placed.ids:
                scan.forget(placed.operation, request_id)
        return finding

    def unknown(self, prefix: str) -> Iterator[Finding]:
        """Iterate over the issues under this prefix of which no compared entry has told."""
        told: set[tuple[str, str]] = set()
        for scan in reversed(self.scans):
            for operation, request_id in scan.issues(prefix):
                if (operation, request_id) in told:
                    continue
                told.add((operation, request_id))
                shown = scan.under(operation, request_id)
                note = "" if shown.live else "it has been undone"
                if shown.is_unclear:
                    note = "a row of it is not understood"
                yield _finding(Kind.UNKNOWN, operation, request_id, shown, note=note)

    def _of_undo(self, entry: Entry) -> Finding | None:
        if not entry.is_open or self.selection.placed(entry) is None:
            return None
        return _finding(
            Kind.STILL_OPEN,
            entry.operation,
            entry.request_id,
            Shown(),
            note="an undo that you asked for is in doubt",
            action=NextAction.RECONCILE,
        )

    def _of_order(self, placed: Placed) -> Finding:
        shown = [scan.under_all(placed.operation, placed.ids) for scan in self.scans]
        latest = shown[-1]
        asked = max(
            (self.asked.get((placed.operation, one), Asked.NO) for one in placed.ids),
            key=_ASKED.index,
        )
        doubt, kind = self._doubt(placed, shown), _kind(placed, latest, asked)
        enough = kind is Kind.DOUBLED or (kind in _SHOWN_IS_ENOUGH and not latest.is_unclear)
        if doubt and not enough:
            kind = Kind.STILL_OPEN
        finding = _finding(
            kind,
            placed.operation,
            placed.request_id,
            latest,
            note=doubt if kind is Kind.STILL_OPEN else "",
        )
        undone = placed.recorded is Recorded.NOTHING or asked is Asked.YES
        return replace(finding, recorded=None if undone else placed.amount, version=placed.version)

    def _doubt(self, placed: Placed, shown: Sequence[Shown]) -> str:
        """Say why nothing follows from what the books do not show; "" if it does follow."""
        if any(one.is_unclear for one in shown):
            return "a row of it is not understood"
        if any(scan.unreadable for scan in self.scans):
            return "rows that cannot be read may be of any order"
        if len(shown) < _SCANS_MIN:
            return "one scan proves nothing: the report lags"
        if any(one != shown[0] for one in shown):
            return "the report has changed between two scans"
        for scan in self.scans:
            if scan.frame is None or not scan.frame.covers(placed.starts_at, placed.ends_at):
                return "the scans do not cover all the time in which it can have had an effect"
            if placed.updated_at > scan.frame.end:
                return "it has moved on since the books were read"
        return ""


_SCANS_MIN = 2
_ASKED = (Asked.NO, Asked.PERHAPS, Asked.YES)

_SHOWN_IS_ENOUGH = frozenset(
    {
        Kind.MATCHED,
        Kind.NOTHING,
        Kind.DOUBLED,
        Kind.REFUNDED,
        Kind.REPLACED,
        Kind.AMOUNT_MISMATCH,
        Kind.CURRENCY_MISMATCH,
    }
)
"""What follows from what one scan shows. Everything else hangs on what it does not show, or on a
journal that may have moved on."""


def _kind(placed: Placed, shown: Shown, asked: Asked) -> Kind:
    """Return what the latest scan says of an order, if all that it lacks has not happened."""
    if len(shown.live) > 1:
        return Kind.DOUBLED
    if not shown.live:
        return _kind_without_card(placed, shown, asked)
    (card,) = shown.live
    if placed.recorded is Recorded.NOTHING or asked is Asked.YES:
        return Kind.ORPHANED
    if card.amount is not None and placed.amount is not None and card.amount != placed.amount:
        same = card.amount.currency == placed.amount.currency
        return Kind.AMOUNT_MISMATCH if same else Kind.CURRENCY_MISMATCH
    if placed.recorded is Recorded.OPEN:
        return Kind.PROVEN_ISSUED
    has_names = card.gc_id is not None and placed.gc_id is not None
    return Kind.REPLACED if has_names and card.gc_id != placed.gc_id else Kind.MATCHED


def _kind_without_card(placed: Placed, shown: Shown, asked: Asked) -> Kind:
    match placed.recorded:
        case Recorded.OPEN:
            return Kind.PROVEN_NOT_ISSUED
        case Recorded.NOTHING | Recorded.ISSUED if not placed.was_handed_out:
            return Kind.NOTHING
        case Recorded.NOTHING | Recorded.ISSUED if asked is Asked.YES:
            return Kind.NOTHING
        case Recorded.NOTHING | Recorded.ISSUED if _has_died(placed, shown):
            # An undo of the caller's that is in doubt explains it, and is told of by itself.
            return Kind.REFUNDED if asked is Asked.NO else Kind.NOTHING
        case Recorded.NOTHING:
            return Kind.NOTHING
        case Recorded.ISSUED:
            return Kind.MISSING
        case _:
            assert_never(placed.recorded)


def _has_died(placed: Placed, shown: Shown) -> bool:
    """Whether the card that was handed out is among the dead: another one of the order may be."""
    return any(placed.gc_id in (None, card.gc_id) or card.gc_id is None for card in shown.dead)


def _finding(
    kind: Kind,
    operation: str,
    request_id: str,
    shown: Shown,
    *,
    note: str = "",
    action: NextAction | None = None,
) -> Finding:
    cards = (*shown.live, *shown.dead)
    return Finding(
        kind=kind,
        operation=operation,
        request_id=request_id,
        action=NEXT_ACTIONS[kind] if action is None else action,
        note=note,
        booked=tuple(card.amount for card in shown.live if card.amount is not None),
        gc_ids=tuple(card.gc_id for card in cards if card.gc_id is not None),
        was_undone=bool(shown.dead),
    )
