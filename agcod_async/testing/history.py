"""What was done with the money: the latest changes, and how many there were."""

from collections import deque
from typing import Final

from agcod_async.testing.cards import LedgerEvent

HISTORY_MAX: Final = 100_000
"""The latest changes that are kept, unless the configuration says otherwise."""


class History:
    """The latest changes of the ledger, and how many there were."""

    def __init__(self, kept_max: int = HISTORY_MAX) -> None:
        """Begin empty."""
        self._latest: deque[LedgerEvent] = deque(maxlen=kept_max)
        self.total = 0

    @property
    def latest(self) -> tuple[LedgerEvent, ...]:
        """The changes that are still kept, in order."""
        return tuple(self._latest)

    @property
    def forgotten(self) -> int:
        """How many changes are no longer kept."""
        return self.total - len(self._latest)

    def add(self, event: LedgerEvent) -> None:
        """Enter one change."""
        self._latest.append(event)
        self.total += 1
