"""What is true while a call runs: what lives under each ID, what is still late, who has the card.

A `World` holds one `Cell` for each ID that an order may use: the caller's own (epoch 0) and its
successors.
"""

from enum import IntEnum
from typing import NamedTuple


class Card(IntEnum):
    """What lives under an ID."""

    NOTHING = 0
    LIVE = 1
    DEAD = 2  # cancelled, or fenced off
    FOREIGN = 3  # live, but with other content than this order's


class Cell(NamedTuple):
    """What is true of one ID, and what may still happen to it by requests of this order."""

    card: Card = Card.NOTHING
    late_create: bool = False
    late_undo: bool = False


class Held(IntEnum):
    """What became of the card that the caller was given."""

    NO = 0  # none was given yet
    OUT = 1
    REVOKED = 2  # it was given, and then somebody else cancelled it


class World(NamedTuple):
    """One cell for each ID, and what has passed between caller and call.

    `undo_begun` is whether this order has gone over to undoing under the ID in use.
    """

    cells: tuple[Cell, ...]
    held: Held = Held.NO
    undo_begun: bool = False

    def put(self, epoch: int, cell: Cell) -> "World":
        """Return the world with another cell under the ID of `epoch`."""
        cells = self.cells
        return self._replace(cells=(*cells[:epoch], cell, *cells[epoch + 1 :]))

    def __str__(self) -> str:
        return "; ".join(f"ID {epoch} {_told(cell)}" for epoch, cell in enumerate(self.cells))


def _told(cell: Cell) -> str:
    late_create = " + late create" if cell.late_create else ""
    late_undo = " + late undo" if cell.late_undo else ""
    return f"{cell.card.name.lower()}{late_create}{late_undo}"
