"""What an outcome means for somebody who reads an error: has anything been issued, and what next.

The state machine decides with the same outcomes (`core.saga`); this is its advice in words.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from agcod_async.core.outcomes import (
    Applied,
    AppliedDead,
    Claimed,
    Conflict,
    ForwardOutcome,
    Lost,
    NothingToUndo,
    Outdated,
    Refused,
    Throttled,
    TooLate,
    Unclear,
    UndoFirst,
    Undone,
    UndoOutcome,
    Untouched,
)


@dataclass(frozen=True, slots=True)
class Consequence:
    """What follows from one answer to a request that moves value.

    `may_be_issued` is about this one request: where others went before it under the same ID, one
    of them may have worked. `issued` and `same_id` say it in words.
    """

    may_be_issued: bool
    issued: str
    same_id: str


_SETTLE: Final = (
    "Yes, with the same contents; never order it under another ID before this one is settled."
)
_NOT_BY_THIS: Final = "Not by this request; an earlier one under the same ID may have worked."

FORWARD: Final[Mapping[type[ForwardOutcome], Consequence]] = MappingProxyType(
    {
        Applied: Consequence(
            may_be_issued=True,
            issued="Yes, if the reply names the request ID, amount and currency that you sent.",
            same_id="Yes: it brings the same card again, never a second one.",
        ),
        AppliedDead: Consequence(
            may_be_issued=False,
            issued="No: the card under this ID was cancelled, and its code is dead.",
            same_id="No: this ID can never be used again.",
        ),
        Refused: Consequence(
            may_be_issued=False,
            issued=_NOT_BY_THIS,
            same_id="Yes, once the cause is mended.",
        ),
        Outdated: Consequence(
            may_be_issued=False,
            issued=_NOT_BY_THIS,
            same_id="Yes, signed with the right time; a session corrects a small error itself.",
        ),
        Conflict: Consequence(
            may_be_issued=False,
            issued="Not by this request; but what it names already exists, with other contents.",
            same_id="Only with the contents that were first sent under it.",
        ),
        Untouched: Consequence(
            may_be_issued=False,
            issued="Not by this request: it never left.",
            same_id="Yes.",
        ),
        Throttled: Consequence(
            may_be_issued=False,
            issued=_NOT_BY_THIS,
            same_id="Yes, after a pause; never at once.",
        ),
        UndoFirst: Consequence(
            may_be_issued=True,
            issued="Possibly.",
            same_id="Yes, after it was undone (cancel, deactivate, void); then look whether the"
            " card that it brings is alive. A session does all of this.",
        ),
        Unclear: Consequence(may_be_issued=True, issued="Possibly.", same_id=_SETTLE),
        Lost: Consequence(may_be_issued=True, issued="Possibly.", same_id=_SETTLE),
    }
)
"""For every outcome of a create, an activation or a load."""

UNDO: Final[Mapping[type[UndoOutcome], str]] = MappingProxyType(
    {
        Undone: "It is undone, and this ID can never be used again.",
        Refused: "This undo changed nothing. Send what was to be undone once more, unchanged: its"
        " answer shows what lives.",
        Outdated: "This undo changed nothing: send it again, signed with the right time.",
        Conflict: "This undo changed nothing: what it names belongs to something else.",
        Throttled: "This undo changed nothing yet: send it again after a pause.",
        UndoFirst: "The undo may have worked, or may still: send it again.",
        Unclear: "The undo may have worked, or may still: send it again.",
        Lost: "The undo may have worked, or may still: send it again.",
        NothingToUndo: "Nothing lives under this ID so far; what is late may still arrive.",
        Claimed: "Somebody has already used it: what was issued stays.",
        TooLate: "Too late to undo: what was issued stays.",
        Untouched: "This undo never left: send it again.",
    }
)
"""For every outcome of a cancel, a deactivation or a void."""
