"""Balance loads: what was loaded can be spent at once, and nothing shows whether it is there."""

from collections.abc import Iterator
from dataclasses import dataclass

from agcod_async.core.facts import Facts, Proof
from agcod_async.core.outcomes import (
    Applied,
    Claimed,
    Conflict,
    NothingToUndo,
    Outcome,
    Unclear,
    Undone,
)
from tests.model.provider import WHY, AfterUndo, Provider, UnknownUndo
from tests.model.world import Card, Cell, World

ASSUMPTIONS = """\
- A load may be spent as soon as it lives. Then it cannot be voided any more, and still counts as
  issued.
- A load under a voided ID answers as the first one did (hidden), loads again (re-issue) or is
  refused, in words that do not say whether it lives ("already used").
- A void says "does not exist" only where nothing lives, except that a load may not be found yet
  while a copy of it may still land. Nothing answers SUCCESS to a load that never was.
- Somebody else may take the order's own ID for a load with other content while nothing lives under
  it; a void does not concern that.
- With an honest provider too a call may end in doubt where somebody else's load sits under the ID;
  where the load is spent before a void of it is answered; where the provider refuses what somebody
  else has voided, or fences off an ID that it calls unknown. It must also answer the replay of a
  load that lives as it did the first one: if it only says "already used", a load whose answer was
  lost stays in doubt.
"""


@dataclass(frozen=True)
class Loads(Provider):
    """Balance loads, and voids that undo them unless they were spent."""

    proof = Proof.NOTHING
    answers = (AfterUndo.HIDDEN, AfterUndo.REISSUE, AfterUndo.REFUSE)

    def created(self, cell: Cell) -> Cell:
        loads = cell.card is Card.NOTHING or (
            cell.card is Card.DEAD and self.after_undo is AfterUndo.REISSUE
        )
        return cell._replace(card=Card.LIVE) if loads else cell

    def undone(self, cell: Cell) -> Cell:
        if cell.card is Card.LIVE:
            return self.plain(cell._replace(card=Card.DEAD))
        if cell.card is Card.NOTHING and self.unknown_undo is UnknownUndo.FENCE:
            return self.plain(cell._replace(card=Card.FENCED))
        return cell

    def meddled(self, now: World, epoch: int) -> Iterator[World]:
        first, cell = now.cells[0], now.cells[epoch]
        takes = not epoch and self.created(first).card is not first.card
        if takes:  # somebody else may take the ID
            yield now.put(0, first._replace(card=Card.FOREIGN))
        if cell.card is Card.LIVE:  # the customer may spend it
            yield now.put(epoch, cell._replace(card=Card.SPENT))
        yield from self.revoked(now, epoch)

    def forward_replies(self, world: World, epoch: int) -> Iterator[tuple[Outcome, World]]:
        cell = self.created(world.cells[epoch])
        hidden = cell.card is Card.DEAD and self.hides
        if cell.lives or hidden:
            yield Applied("a load"), world.put(epoch, cell)

    def undo_replies(self, world: World, epoch: int) -> Iterator[tuple[Outcome, World]]:
        cell = world.cells[epoch]
        after = world.put(epoch, self.undone(cell))
        unknown = cell.card is Card.NOTHING and self.unknown_undo is UnknownUndo.NOT_FOUND
        if cell.card is Card.SPENT:
            yield Claimed(WHY), world
        elif cell.card is not Card.FOREIGN and not unknown:
            yield Undone(), after
        if cell.card in (Card.NOTHING, Card.DEAD, Card.FENCED):
            yield NothingToUndo(WHY), after
        elif cell.lives and cell.late_create:  # as young as that, it may not be found yet
            yield NothingToUndo(WHY), world

    def refusal(self, world: World, epoch: int) -> Outcome:
        # "Already used" does not say by whom, nor whether it is still there.
        return (Conflict if world.cells[epoch].card is Card.FOREIGN else Unclear)(WHY)

    def excuses(self, world: World, epoch: int, facts: Facts) -> bool:
        match world.cells[epoch].card:
            case Card.FOREIGN:
                return True
            case Card.SPENT:
                return facts.perhaps_undone or self.network_may_duplicate
            case Card.FENCED:
                return not facts.perhaps_undone
            case Card.DEAD:
                return not facts.perhaps_undone and self.after_undo is AfterUndo.REFUSE
            case _:
                return False
