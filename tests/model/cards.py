"""Gift cards: the replay of a create names the card's status."""

from collections.abc import Iterator
from dataclasses import dataclass

from agcod_async.core.facts import Facts, Proof
from agcod_async.core.outcomes import (
    Applied,
    AppliedDead,
    Claimed,
    Conflict,
    NothingToUndo,
    Outcome,
    Refused,
    Undone,
)
from tests.model.provider import STATUS_NOT_READ, WHY, AfterUndo, Provider, UnknownUndo
from tests.model.world import Card, Cell, World

ASSUMPTIONS = """\
- `Applied` is answered only for a card that is live at that moment: rule R1, which the codec keeps.
  Without it the answer of a create would be worth no more than that of an activation.
- A create under a cancelled ID answers with the dead card (tombstone), makes a new card (re-issue)
  or is refused. "Not found" may be answered to any cancel, "claimed" to any cancel of a live card.
- Somebody else may take the order's own ID for a card with other content while nothing lives under
  it. An undo after F400 may then hit that card: only `Conflict` would have told, and F400 came
  instead. One ID belongs to one order.
- With an honest provider too a call may end in doubt where a foreign card sits under the ID, or
  where the provider refuses what is dead.
"""


@dataclass(frozen=True)
class Cards(Provider):
    """Creates, and cancels that undo them."""

    proof = Proof.REPLAY
    answers = (AfterUndo.TOMBSTONE, AfterUndo.REISSUE, AfterUndo.REFUSE)

    def created(self, cell: Cell) -> Cell:
        mints = cell.card is Card.NOTHING or (
            cell.card is Card.DEAD and self.after_undo is AfterUndo.REISSUE
        )
        return cell._replace(card=Card.LIVE) if mints else cell

    def undone(self, cell: Cell) -> Cell:
        fenced = cell.card is Card.NOTHING and self.unknown_undo is UnknownUndo.FENCE
        if fenced or cell.card in (Card.LIVE, Card.FOREIGN):
            return self.plain(cell._replace(card=Card.DEAD))
        return cell

    def meddled(self, now: World, epoch: int) -> Iterator[World]:
        first = now.cells[0]
        takes = not epoch and self.created(first).card is not first.card
        if takes:  # somebody else may take the ID
            yield now.put(0, first._replace(card=Card.FOREIGN))
        yield from self.revoked(now, epoch)

    def forward_replies(self, world: World, epoch: int) -> Iterator[tuple[Outcome, World]]:
        cell = self.created(world.cells[epoch])
        if cell.card is Card.LIVE:
            yield Applied("a card"), world.put(epoch, cell)
        elif cell.card is Card.DEAD and self.flaw == STATUS_NOT_READ:
            yield Applied("a dead card"), world
        elif cell.card is Card.DEAD and self.after_undo is AfterUndo.TOMBSTONE:
            yield AppliedDead(WHY), world

    def undo_replies(self, world: World, epoch: int) -> Iterator[tuple[Outcome, World]]:
        cell = world.cells[epoch]
        after = world.put(epoch, self.undone(cell))
        if cell.card is not Card.NOTHING or self.unknown_undo is not UnknownUndo.NOT_FOUND:
            yield Undone(), after
        # "Not found" may also come of a replica that lags behind: it proves nothing.
        yield NothingToUndo(WHY), after if cell.card is Card.NOTHING else world
        if cell.card is Card.LIVE:
            yield Claimed(WHY), world

    def refusal(self, world: World, epoch: int) -> Outcome:
        return (Conflict if world.cells[epoch].card is Card.FOREIGN else Refused)(WHY)

    def excuses(self, world: World, epoch: int, facts: Facts) -> bool:  # noqa: ARG002  whatever it knows
        card = world.cells[epoch].card
        refuses = self.after_undo is AfterUndo.REFUSE
        return card is Card.FOREIGN or (refuses and card is Card.DEAD)
