"""The activity report: a row for each request that moved value, repeated it, or was refused.

The rows are bounded. A page that would have to show forgotten rows is not made up from the rest:
there is no page, so that nobody takes what is missing for what never happened.
"""

from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

from agcod_async.testing.catalogue import Refusal
from agcod_async.testing.history import HISTORY_MAX
from agcod_async.values import Money


class ActivityType(Enum):
    """What a request was for, as `activityType` spells it."""

    CREATE = "Create"
    CANCEL = "Cancel"
    ACTIVATE = "Activate"
    DEACTIVATE = "Deactivate"
    LOAD = "Load"
    VOID = "Void"


class Subject(NamedTuple):
    """What a request was about. A refused one was about nothing."""

    value: Money | None = None
    gc_id: str | None = None
    card_number: str | None = None


NO_SUBJECT: Final = Subject()


@dataclass(frozen=True, slots=True)
class Activity:
    """One row. `is_real` is false for a request that only repeated what had been done before."""

    wall: float
    type: ActivityType
    request_id: str
    subject: Subject
    refusal: Refusal | None
    is_real: bool


class Page(NamedTuple):
    """Some rows of a time frame, and how many it has altogether."""

    rows: tuple[Activity, ...]
    total: int


class ActivityReport:
    """The latest rows, in the order in which the requests took effect."""

    def __init__(self, kept_max: int = HISTORY_MAX) -> None:
        """Begin empty."""
        self._rows: deque[Activity] = deque()
        self._kept_max = kept_max
        self._forgotten_until: float | None = None
        self.total = 0

    @property
    def forgotten(self) -> int:
        """How many rows are no longer kept."""
        return self.total - len(self._rows)

    def add(self, row: Activity) -> None:
        """Enter one row, and forget the oldest if there are too many."""
        self._rows.append(row)
        self.total += 1
        if len(self._rows) > self._kept_max:
            self._forgotten_until = self._rows.popleft().wall

    def page(
        self,
        start: float,
        end: float,
        *,
        shown_until: float,
        first: int,
        size: int,
        with_repeats: bool,
    ) -> Page | None:
        """Return the rows from the `first` on, at most `size`; None where some are forgotten.

        The frame is from `start` to before `end`, in seconds since 1970. Of what happened after
        `shown_until` nothing shows yet.
        """
        end = min(end, shown_until)
        if self._forgotten_until is not None and start <= self._forgotten_until:
            return None
        rows = [
            row for row in self._rows if start <= row.wall < end and (row.is_real or with_repeats)
        ]
        return Page(tuple(rows[first : first + size]), len(rows))
