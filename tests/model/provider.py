"""Amazon as an adversary: every outcome that a world allows, and the world that comes of it.

Nothing here knows the saga. A request whose fate is unknown is *late*: from then on it may take
effect at any moment, at once, years later, several times or never. That one mark for each ID and
leg stands for every lost, delayed and duplicated copy, which is why no case of "had its effect at
once" is listed apart.

This file has what is common to all operations; `cards`, `activations` and `loads` say what is
particular to each.
"""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cache
from itertools import product
from typing import ClassVar

from agcod_async.core.facts import Facts, Proof
from agcod_async.core.outcomes import (
    Conflict,
    Leg,
    Lost,
    Outcome,
    Reason,
    Refused,
    Throttled,
    TooLate,
    Unclear,
    UndoFirst,
    Untouched,
)
from tests.model.world import Card, Cell, Held, World

ASSUMPTIONS = """\
- A request that was refused, throttled or in conflict had no effect, and neither has one that never
  left (`Untouched`). Of every other request, answered or not, copies may land later, also more than
  once. Where something may deliver a request twice (`network_may_duplicate`) the same goes for
  every request that left; where nothing does, an undo with a definite answer leaves no copy behind.
- After a SETTLE pause nothing can land any more that it waits for: the engine signs, records and
  only then sends, and AWS refuses a signature older than five minutes. It waits for undos where the
  replay proves, for requests where nothing does, and for both where a lookup does. Of what it does
  not wait for no such bound is assumed.
- Crashes, calls that run out of time and later calls under the same ID are unlimited. What
  survives is the record: before an attempt leaves, the `facts_when_sent`; after its answer,
  those of the next state or of `on_record()`, unless the crash came first. One process at a time
  works on a record: the journal's compare-and-set sees to that.
- What a request does under an ID that was undone is the same for ever. The undo of an unknown ID
  answers "not found", or SUCCESS without an effect (no-op), or leaves the ID dead (fence). "Too
  late" may be answered to any undo.
- A card counts as handed out as soon as `Issued` is on record, also if the process dies then.
- Somebody else (the caller who has it, an operator) may undo a live card before any attempt
  arrives, though not so that it lands late. The promises about that card end there. Where no answer
  shows it, he does so only after it was handed out.
- An honest provider does not refuse, throttle or lose anything; what is late may still land. Where
  even so a call may end in doubt is said below: no answer tells more.
- A pause that a crash cuts short is not made up for by the next call. The cooldown after a throttle
  is therefore kept by the session's pacer as well.
"""

WHY = Reason("as the model has it")


class AfterUndo(Enum):
    """What a request does under an ID that was undone."""

    TOMBSTONE = "tombstone"  # it answers that what was there is dead
    HIDDEN = "hidden"  # it answers as the first one did
    REISSUE = "re-issue"
    REFUSE = "refuse"


class UnknownUndo(Enum):
    """What the undo of an unknown ID does."""

    NOT_FOUND = "not found"
    NO_OP = "no-op"
    FENCE = "fence"


@dataclass(frozen=True)
class Provider:
    """One way in which Amazon may behave.

    `flaw` names an assumption that does not hold: the check must notice what comes of it.
    """

    after_undo: AfterUndo
    unknown_undo: UnknownUndo
    network_may_duplicate: bool = False
    flaw: str = ""

    proof: ClassVar[Proof]
    answers: ClassVar[tuple[AfterUndo, ...]]
    """What may happen after an undo. It is the premise of the proof."""

    def __str__(self) -> str:
        return f"{self.after_undo.value}, {self.unknown_undo.value}"

    @property
    def hides(self) -> bool:
        """Whether an answer does not show what somebody else has undone."""
        return self.after_undo is AfterUndo.HIDDEN

    # --- what requests do ----------------------------------------------------------------------

    @abstractmethod
    def created(self, cell: Cell) -> Cell:
        """Return the cell after a request for it had its effect."""

    @abstractmethod
    def undone(self, cell: Cell) -> Cell:
        """Return the cell after an undo had its effect."""

    def plain(self, cell: Cell) -> Cell:
        """Return the one cell that stands for all that nothing late can change any more."""
        dead = cell.card is Card.DEAD and self.after_undo is not AfterUndo.REISSUE
        return Cell(cell.card) if dead or cell.card is Card.FENCED else cell

    # --- what happens by itself ----------------------------------------------------------------

    def futures(self, world: World) -> frozenset[World]:
        """Return every world that late requests may bring about, this one included."""
        return _futures(self, world)

    def presents(self, world: World, epoch: int, *, settled: bool) -> Iterator[World]:
        """Yield what may be true when the next attempt arrives; after a SETTLE if `settled`."""
        for now in self.honest_presents(world, settled=settled):
            yield now
            yield from self.meddled(now, epoch)

    @abstractmethod
    def meddled(self, now: World, epoch: int) -> Iterator[World]:
        """Yield what somebody else may make of this world."""

    def revoked(self, now: World, epoch: int) -> Iterator[World]:
        """Yield the world in which somebody else undoes the card, which he may."""
        cell = now.cells[epoch]
        if cell.card is Card.LIVE and (now.held is not Held.NO or not self.hides):
            held = now.held and Held.REVOKED
            yield now.put(epoch, self.undone(cell))._replace(held=held)

    def honest_presents(self, world: World, *, settled: bool) -> Iterator[World]:
        """Yield what may be true then if nobody else interferes."""
        for landed in self.futures(world):
            yield self._settled(landed) if settled else landed

    def _settled(self, world: World) -> World:
        # What was late has landed or died: `futures` has gone through both.
        create = self.proof.outwaits(Leg.FORWARD) and self.flaw != REQUESTS_NOT_OUTWAITED
        undo = self.proof.outwaits(Leg.UNDO) and self.flaw != UNDOS_NOT_OUTWAITED
        cells = (
            self.plain(Cell(card, late_create and not create, late_undo and not undo))
            for card, late_create, late_undo in world.cells
        )
        return world._replace(cells=tuple(cells))

    # --- what is answered ----------------------------------------------------------------------

    def replies(self, leg: Leg, world: World, epoch: int) -> Iterator[tuple[Outcome, World]]:
        """Yield every outcome of an attempt that arrives now, and the world after it."""
        yield Untouched(WHY), world
        late = world.put(epoch, self._late(leg, world.cells[epoch]))
        for unknown in (UndoFirst(WHY), Unclear(WHY), Lost(WHY)):
            yield unknown, late
        copies = late if self.network_may_duplicate else world
        for without_effect in (Refused(WHY), Conflict(WHY), Throttled(WHY)):
            yield without_effect, copies
        match leg:
            case Leg.FORWARD:
                yield from self.forward_replies(late, epoch)
            case Leg.UNDO:
                yield TooLate(WHY), copies
                yield from self.undo_replies(copies, epoch)
            case Leg.LOOKUP:
                yield from self.lookup_replies(world, epoch)

    def _late(self, leg: Leg, cell: Cell) -> Cell:
        match leg:
            case Leg.FORWARD:
                return self.plain(cell._replace(late_create=True))
            case Leg.UNDO:
                return self.plain(cell._replace(late_undo=True))
            case Leg.LOOKUP:
                return cell

    @abstractmethod
    def forward_replies(self, world: World, epoch: int) -> Iterator[tuple[Outcome, World]]:
        """Yield what only a request may be answered; the one in good health comes first."""

    @abstractmethod
    def undo_replies(self, world: World, epoch: int) -> Iterator[tuple[Outcome, World]]:
        """Yield what only an undo may be answered; the one in good health comes first."""

    def lookup_replies(self, world: World, epoch: int) -> Iterator[tuple[Outcome, World]]:
        """Yield what only a lookup may be answered; the one in good health comes first."""
        raise AssertionError(f"there is nothing to look up: {world}, {epoch}")

    def honest_reply(self, leg: Leg, world: World, epoch: int) -> tuple[Outcome, World]:
        """Return what a provider in good health answers, and the world after it."""
        match leg:
            case Leg.FORWARD:
                for answered in self.forward_replies(world, epoch):
                    return answered
            case Leg.UNDO:
                for answered in self.undo_replies(world, epoch):
                    return answered
            case Leg.LOOKUP:
                for answered in self.lookup_replies(world, epoch):
                    return answered
        return self.refusal(world, epoch), world

    @abstractmethod
    def refusal(self, world: World, epoch: int) -> Outcome:
        """Return what a request is honestly answered that cannot be fulfilled."""

    @abstractmethod
    def excuses(self, world: World, epoch: int, facts: Facts) -> bool:
        """Whether a call that knows `facts` must end in doubt here, with an honest provider too."""


STATUS_NOT_READ = "SUCCESS alone is taken for a live card"
REQUESTS_NOT_OUTWAITED = "a SETTLE does not wait for requests"
UNDOS_NOT_OUTWAITED = "a SETTLE does not wait for undos"


@cache
def _cell_futures(provider: Provider, cell: Cell) -> frozenset[Cell]:
    seen, fresh = {cell}, [cell]
    while fresh:
        now = fresh.pop()
        landed = [provider.created(now)] if now.late_create else []
        landed += [provider.undone(now)] if now.late_undo else []
        new = [after for after in landed if after not in seen]
        seen.update(new)
        fresh += new
    return frozenset(seen)


@cache
def _futures(provider: Provider, world: World) -> frozenset[World]:
    alternatives = product(*(_cell_futures(provider, cell) for cell in world.cells))
    return frozenset(world._replace(cells=cells) for cells in alternatives)
