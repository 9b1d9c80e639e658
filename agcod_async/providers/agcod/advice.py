"""What one kind of error means and what to do about it: the form of every row of the tables."""

from dataclasses import dataclass
from enum import Enum

from agcod_async.core.outcomes import Both, UndoOutcome
from agcod_async.providers.agcod.contacts import Team


class Family(Enum):
    """The operations that answer with an error."""

    GIFT_CARD = "gift cards"
    BALANCE = "balance loads"
    BOTH = "gift cards and balance loads"


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """`meaning` is the cause, `action` what to do first, `team` whom to ask if that is not enough.

    `forward` and `undo` say what the error proves as the answer to a request that may be answered
    with it, and to what undoes it. They are here for people: what a reply proves is decided in
    `faults`, and a test compares.
    """

    meaning: str
    action: str
    team: Team | None = None
    forward: type[Both]
    undo: type[UndoOutcome]

    @property
    def remedy(self) -> str:
        """What to do and whom to ask, in whole sentences."""
        return self.action if self.team is None else f"{self.action} {self.team.advice}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRow(Advice):
    """One documented error: its class, its name, its mock codes, and the advice.

    `mock_ids` are the request IDs that make Amazon's sandbox answer with it (none where Amazon
    documents none). `aliases` are other names under which the wire has been seen to send it.
    """

    code: str
    name: str
    mock_ids: tuple[str, ...]
    family: Family
    aliases: tuple[str, ...] = ()


Row = tuple[str, str, Family, str, str]
"""Mock codes with blanks between, name, who answers with it, meaning, action."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Errors of one class that prove the same and are asked about at the same team."""

    code: str
    team: Team | None
    forward: type[Both]
    undo: type[UndoOutcome]
    rows: tuple[Row, ...]
