"""Activations: all IDs of an order are about one card number, and its status can be asked for."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from agcod_async.core.facts import Facts, Proof
from agcod_async.core.outcomes import (
    Applied,
    AppliedDead,
    Conflict,
    Found,
    NotFound,
    NothingToUndo,
    Outcome,
    Refused,
    Undone,
)
from tests.model.provider import WHY, AfterUndo, Provider, UnknownUndo
from tests.model.world import Card, Cell, World

ASSUMPTIONS = """\
- All IDs of an order name one card number. It is active under one ID at a time; an activation under
  another one is a conflict, and a deactivation concerns what was activated under its own ID.
- An activation under a deactivated ID answers as the first one did (hidden), activates again
  (re-issue), is refused, or says that the card is not active (tombstone).
- A status check tells the truth of the moment in which it is answered, except that a card may not
  show as active yet while a copy of its activation may still land.
- Somebody else's order may activate the card while it is not active. One card number belongs to one
  order: a status check does not say under which ID a card is active, only that it is active with
  another amount (`Conflict`).
- With an honest provider too a call may end in doubt where another order has the card, or where the
  provider refuses an activation that somebody else has undone.
"""


@dataclass(frozen=True)
class Activations(Provider):
    """Activations, deactivations that undo them, and status checks."""

    proof = Proof.LOOKUP
    answers = tuple(AfterUndo)

    def created(self, cell: Cell) -> Cell:
        activates = cell.card is Card.NOTHING or (
            cell.card is Card.DEAD and self.after_undo is AfterUndo.REISSUE
        )
        return cell._replace(card=Card.LIVE) if activates else cell

    def undone(self, cell: Cell) -> Cell:
        fenced = cell.card is Card.NOTHING and self.unknown_undo is UnknownUndo.FENCE
        return (
            self.plain(cell._replace(card=Card.DEAD)) if fenced or cell.card is Card.LIVE else cell
        )

    def activated(self, world: World, epoch: int) -> World:
        """Return the world after an activation: nothing comes of it while the card is active."""
        free = not (world.alive or world.taken)
        return world.put(epoch, self.created(world.cells[epoch])) if free else world

    def futures(self, world: World) -> frozenset[World]:
        return _futures(self, world)

    def meddled(self, now: World, epoch: int) -> Iterator[World]:
        if not (now.alive or now.taken):  # another order may activate the card
            yield now._replace(taken=True)
        yield from self.revoked(now, epoch)

    def forward_replies(self, world: World, epoch: int) -> Iterator[tuple[Outcome, World]]:
        after = self.activated(world, epoch)
        card = after.cells[epoch].card
        if card is Card.LIVE or (card is Card.DEAD and self.after_undo is AfterUndo.HIDDEN):
            yield Applied("an activation"), after
        elif card is Card.DEAD and self.after_undo is AfterUndo.TOMBSTONE:
            yield AppliedDead(WHY), after

    def undo_replies(self, world: World, epoch: int) -> Iterator[tuple[Outcome, World]]:
        cell = world.cells[epoch]
        after = world.put(epoch, self.undone(cell))
        if cell.card is not Card.NOTHING or self.unknown_undo is not UnknownUndo.NOT_FOUND:
            yield Undone(), after
        yield NothingToUndo(WHY), after if cell.card is Card.NOTHING else world

    def lookup_replies(self, world: World, epoch: int) -> Iterator[tuple[Outcome, World]]:  # noqa: ARG002  one card for all IDs
        if world.taken:
            yield Conflict(WHY), world
        for alive in world.alive:
            yield Found("an activation"), world
            if world.cells[alive].late_create:  # as young as that, it may not show yet
                yield NotFound(WHY), world
        if not (world.alive or world.taken):
            yield NotFound(WHY), world

    def refusal(self, world: World, epoch: int) -> Outcome:
        another = world.taken or world.alive not in ([], [epoch])
        return (Conflict if another else Refused)(WHY)

    def excuses(self, world: World, epoch: int, facts: Facts) -> bool:
        looks = facts.perhaps_undone and not facts.confirmed
        dead = world.cells[epoch].card is Card.DEAD and not looks
        return world.taken or (dead and self.after_undo is AfterUndo.REFUSE)


@cache
def _futures(provider: Activations, world: World) -> frozenset[World]:
    seen, fresh = {world}, [world]
    while fresh:
        now = fresh.pop()
        for epoch, cell in enumerate(now.cells):
            landed = [provider.activated(now, epoch)] if cell.late_create else []
            landed += [now.put(epoch, provider.undone(cell))] if cell.late_undo else []
            new = [after for after in landed if after not in seen]
            seen.update(new)
            fresh += new
    return frozenset(seen)
