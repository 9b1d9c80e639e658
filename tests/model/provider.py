"""Amazon as an adversary: every outcome that a world allows, and the world that comes of it.

Nothing here knows the saga. A request whose fate is unknown is *late*: from then on it may take
effect at any moment, at once, years later, several times or never. That one mark for each ID and
leg stands for every lost, delayed and duplicated copy, which is why no case of "had its effect at
once" is listed apart.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cache
from itertools import product

from agcod_async.core.outcomes import (
    Applied,
    AppliedDead,
    Claimed,
    Conflict,
    Leg,
    Lost,
    NothingToUndo,
    Outcome,
    Reason,
    Refused,
    Throttled,
    TooLate,
    Unclear,
    UndoFirst,
    Undone,
    Untouched,
)
from tests.model.world import Card, Cell, Held, World

ASSUMPTIONS = """\
- A create that was refused, throttled or in conflict had no effect, and neither has one that never
  left (`Untouched`). Of every other create, answered or not, copies may land for ever. Where
  something may deliver a request twice (`network_may_duplicate`) the same goes for every request
  that left; where nothing does, an undo with a definite answer leaves no copy behind.
- After a SETTLE pause no undo that was sent before it can land any more: the engine signs, records
  and only then sends, and AWS refuses a signature older than five minutes. No such bound is
  assumed for creates.
- `Applied` is answered only for a card that is live at that moment: rule R1, which the codec keeps.
  An operation whose replay answers SUCCESS for something dead would break it, and the check shows
  how: the first mutant of R1.
- A create under a cancelled ID answers with the dead card (tombstone), makes a new card (re-issue)
  or is refused, for ever in the same way. The cancel of an unknown ID answers "not found", or
  SUCCESS without an effect (no-op), or leaves the ID dead (fence). "Not found" and "too late" may
  be answered to any cancel, "claimed" to any cancel of a live card.
- Crashes, calls that run out of time and later calls under the same ID are unlimited. What
  survives is the record: before an attempt leaves, the facts of `sending()`; after its answer,
  those of the next state or of `on_record()`, unless the crash came first. One process at a time
  works on a record: the journal's compare-and-set sees to that.
- A card counts as handed out as soon as `Issued` is on record, also if the process dies then.
- Somebody else (the caller who has it, an operator) may cancel a live card before any attempt
  arrives, though not so that it lands late. The promises about that card end there.
- Somebody else may take the order's own ID for a card with other content while nothing lives under
  it. An undo after F400 may then hit that card: only `Conflict` would have told, and F400 came
  instead. One ID belongs to one order.
- An honest provider does not refuse, throttle or lose anything; what is late may still land. The
  end may be in doubt even so where a foreign card sits under the ID, or where the provider refuses
  what is dead: no answer tells more.
- A pause that a crash cuts short is not made up for by the next call. The cooldown after a throttle
  is therefore kept by the session's pacer as well.
"""

_WHY = Reason("as the model has it")


class AfterCancel(Enum):
    """What a create under a cancelled ID does."""

    TOMBSTONE = "tombstone"
    REISSUE = "re-issue"
    REFUSE = "refuse"


class UnknownCancel(Enum):
    """What the cancel of an unknown ID does."""

    NOT_FOUND = "not found"
    NO_OP = "no-op"
    FENCE = "fence"


@dataclass(frozen=True)
class Provider:
    """One way in which Amazon may behave. `reads_status` is whether the codec keeps rule R1."""

    after_cancel: AfterCancel
    unknown_cancel: UnknownCancel
    network_may_duplicate: bool = False
    reads_status: bool = True

    def __str__(self) -> str:
        return f"{self.after_cancel.value}, {self.unknown_cancel.value}"

    # --- what requests do ----------------------------------------------------------------------

    def created(self, cell: Cell) -> Cell:
        """Return the cell after a create had its effect."""
        mints = cell.card is Card.NOTHING or (
            cell.card is Card.DEAD and self.after_cancel is AfterCancel.REISSUE
        )
        return cell._replace(card=Card.LIVE) if mints else cell

    def cancelled(self, cell: Cell) -> Cell:
        """Return the cell after an undo had its effect."""
        fenced = cell.card is Card.NOTHING and self.unknown_cancel is UnknownCancel.FENCE
        if fenced or cell.card in (Card.LIVE, Card.FOREIGN):
            return self._plain(cell._replace(card=Card.DEAD))
        return cell

    def _plain(self, cell: Cell) -> Cell:
        # Nothing late can change an ID that is dead for good, so such cells are all the same one.
        for_good = cell.card is Card.DEAD and self.after_cancel is not AfterCancel.REISSUE
        return Cell(Card.DEAD) if for_good else cell

    # --- what happens by itself ----------------------------------------------------------------

    def futures(self, world: World) -> frozenset[World]:
        """Return every world that late requests may bring about, this one included."""
        return _futures(self, world)

    def presents(self, world: World, epoch: int, *, settled: bool) -> Iterator[World]:
        """Yield what may be true when the next attempt arrives; after a SETTLE if `settled`."""
        for landed in self.futures(world):
            now = self._settled(landed) if settled else landed
            yield now
            first = now.cells[0]
            if self.created(first).card is not first.card:  # somebody else may take the ID
                yield now.put(0, first._replace(card=Card.FOREIGN))
            if now.cells[epoch].card is Card.LIVE:  # somebody else may cancel the card
                held = now.held and Held.REVOKED
                yield now.put(epoch, self.cancelled(now.cells[epoch]))._replace(held=held)

    def honest_presents(self, world: World, *, settled: bool) -> Iterator[World]:
        """Yield what may be true then if nobody else interferes."""
        for landed in self.futures(world):
            yield self._settled(landed) if settled else landed

    def _settled(self, world: World) -> World:
        # What was late has landed or died: `futures` has gone through both.
        cells = (self._plain(cell._replace(late_undo=False)) for cell in world.cells)
        return world._replace(cells=tuple(cells))

    # --- what is answered ----------------------------------------------------------------------

    def replies(self, leg: Leg, world: World, epoch: int) -> Iterator[tuple[Outcome, World]]:
        """Yield every outcome of an attempt that arrives now, and the world after it."""
        yield Untouched(_WHY), world
        forward = leg is Leg.FORWARD
        cell = world.cells[epoch]
        pending = cell._replace(late_create=True) if forward else cell._replace(late_undo=True)
        late = world.put(epoch, self._plain(pending))
        for unknown in (UndoFirst(_WHY), Unclear(_WHY), Lost(_WHY)):
            yield unknown, late
        copies = late if self.network_may_duplicate else world
        for without_effect in (Refused(_WHY), Conflict(_WHY), Throttled(_WHY)):
            yield without_effect, copies
        if forward:
            yield from self._created_replies(late, epoch)
        else:
            yield from self._cancelled_replies(copies, epoch)

    def _created_replies(self, world: World, epoch: int) -> Iterator[tuple[Outcome, World]]:
        cell = self.created(world.cells[epoch])
        if cell.card is Card.LIVE:
            yield Applied("a card"), world.put(epoch, cell)
        elif cell.card is Card.DEAD and not self.reads_status:
            yield Applied("a dead card"), world
        elif cell.card is Card.DEAD and self.after_cancel is AfterCancel.TOMBSTONE:
            yield AppliedDead(_WHY), world

    def _cancelled_replies(self, world: World, epoch: int) -> Iterator[tuple[Outcome, World]]:
        cell = world.cells[epoch]
        after = world.put(epoch, self.cancelled(cell))
        yield TooLate(_WHY), world
        # "Not found" may also come of a replica that lags behind: it proves nothing.
        yield NothingToUndo(_WHY), after if cell.card is Card.NOTHING else world
        if cell.card is Card.LIVE:
            yield Claimed(_WHY), world
        if cell.card is not Card.NOTHING or self.unknown_cancel is not UnknownCancel.NOT_FOUND:
            yield Undone(), after

    def honest_reply(self, leg: Leg, world: World, epoch: int) -> tuple[Outcome, World]:
        """Return what a provider in good health answers, and the world after it."""
        cell = world.cells[epoch]
        if leg is Leg.UNDO:
            not_found = self.unknown_cancel is UnknownCancel.NOT_FOUND
            unknown = cell.card is Card.NOTHING and not_found
            after = world.put(epoch, self.cancelled(cell))
            return (NothingToUndo(_WHY) if unknown else Undone()), after
        for outcome, after in self._created_replies(world, epoch):
            return outcome, after
        return (Conflict if cell.card is Card.FOREIGN else Refused)(_WHY), world


@cache
def _cell_futures(provider: Provider, cell: Cell) -> frozenset[Cell]:
    seen, fresh = {cell}, [cell]
    while fresh:
        now = fresh.pop()
        landed = [provider.created(now)] if now.late_create else []
        landed += [provider.cancelled(now)] if now.late_undo else []
        new = [after for after in landed if after not in seen]
        seen.update(new)
        fresh += new
    return frozenset(seen)


@cache
def _futures(provider: Provider, world: World) -> frozenset[World]:
    alternatives = product(*(_cell_futures(provider, cell) for cell in world.cells))
    return frozenset(world._replace(cells=cells) for cells in alternatives)
