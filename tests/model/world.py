"""What is true while a call runs: what lives under each ID, what is still late, who has the card.

A `World` holds one `Cell` for each ID that an order may use: the caller's own (epoch 0) and its
successors. A card, an activation and a balance load are all called a card here.
"""

from enum import IntEnum
from typing import NamedTuple


class Card(IntEnum):
    """What lives under an ID."""

    NOTHING = 0
    LIVE = 1
    DEAD = 2  # undone
    FOREIGN = 3  # live, but with other content than this order's
    SPENT = 4  # used by the one for whom it was ordered, and not to be undone any more
    FENCED = 5  # undone before it ever lived


class Cell(NamedTuple):
    """What is true of one ID, and what may still happen to it by requests of this order."""

    card: Card = Card.NOTHING
    late_create: bool = False
    late_undo: bool = False

    @property
    def lives(self) -> bool:
        """Whether this order has been issued under this ID."""
        return self.card in (Card.LIVE, Card.SPENT)


class Held(IntEnum):
    """What became of the card that the caller was given."""

    NO = 0  # none was given yet
    OUT = 1
    REVOKED = 2  # it was given, and then somebody else cancelled it


class World(NamedTuple):
    """One cell for each ID, and what has passed between caller and call.

    `undo_begun` is whether this order has gone over to undoing under the ID in use. `taken` is
    whether somebody else's order has the card that this one names, where an order names one.
    """

    cells: tuple[Cell, ...]
    held: Held = Held.NO
    undo_begun: bool = False
    taken: bool = False

    def put(self, epoch: int, cell: Cell) -> "World":
        """Return the world with another cell under the ID of `epoch`."""
        cells = self.cells
        return self._replace(cells=(*cells[:epoch], cell, *cells[epoch + 1 :]))

    def left(self, epoch: int) -> "World":
        """Return the world in which the ID of `epoch` is not used any more.

        What does not live there, with nothing late that could bring it to life, never will: all
        such IDs are the same.
        """
        cell = self.cells[epoch]
        return self if cell.lives or cell.late_create else self.put(epoch, Cell())

    @property
    def alive(self) -> list[int]:
        """The IDs under which this order has been issued."""
        return [epoch for epoch, cell in enumerate(self.cells) if cell.lives]

    def __str__(self) -> str:
        cells = [f"ID {epoch} {_told(cell)}" for epoch, cell in enumerate(self.cells)]
        return "; ".join([*cells, "another order has the card"] if self.taken else cells)


def _told(cell: Cell) -> str:
    late_create = " + late create" if cell.late_create else ""
    late_undo = " + late undo" if cell.late_undo else ""
    return f"{cell.card.name.lower()}{late_create}{late_undo}"
