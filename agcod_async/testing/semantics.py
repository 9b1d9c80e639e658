"""How the ledger behaves where Amazon's documents leave it open: one choice for each question."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import Enum
from types import MappingProxyType
from typing import Any, Final, cast

from agcod_async.values import InvalidValueError


class AfterCancel(Enum):
    """What a create under a cancelled ID does."""

    TOMBSTONE = "tombstone"
    """SUCCESS with the dead card, as recorded from the sandbox."""
    REISSUE = "reissue"
    """A new live card, of any amount: one reading of Amazon's text on F2008."""


class AfterUndo(Enum):
    """What an activation does under an ID that was deactivated, or a load under a void one."""

    HIDDEN = "hidden"
    """SUCCESS as if nothing had been undone, and no effect: Amazon's guide to physical cards says
    that a second call answers the original status."""
    REISSUE = "reissue"
    """The ID is free again: the card is activated, or the balance loaded, once more."""
    REFUSE = "refuse"
    """F2013 for an activation, F2038 for a load: the ID has been used."""


class UnknownCancel(Enum):
    """What undoing an ID that was never used does. Amazon documents no answer for a cancel."""

    NOT_FOUND = "not-found"
    """The refusal that is documented for it, or the likeliest: F2007, F2018, F2039."""
    NOOP = "noop"
    """SUCCESS, and nothing else: what arrives later under this ID still has its effect."""
    FENCE = "fence"
    """SUCCESS, and the ID is dead: what arrives later is answered as if it had been undone."""


class RepeatedDeactivate(Enum):
    """What deactivating once more does, under the same ID."""

    REFUSE = "refuse"
    """F2012, whose text on Amazon's error page names "already deactivated" among its causes."""
    SUCCESS = "success"
    """SUCCESS, as a repeated cancel is."""


class RepeatedLoad(Enum):
    """Which load is the same load, and so answered again, under an ID that has been used."""

    SAME_LOAD = "same-load"
    """The same account and amount."""
    SAME_REQUEST = "same-request"
    """The whole request: a new timestamp is another load, and F2038."""
    NONE = "none"
    """None at all: whatever comes under a used ID is F2038."""


@dataclass(frozen=True, slots=True)
class Semantics:
    """How the ledger behaves where Amazon's documents leave it open.

    `unknown_cancel` holds for cancels, deactivations and voids alike.
    """

    after_cancel: AfterCancel = AfterCancel.TOMBSTONE
    unknown_cancel: UnknownCancel = UnknownCancel.NOT_FOUND
    after_deactivate: AfterUndo = AfterUndo.HIDDEN
    repeated_deactivate: RepeatedDeactivate = RepeatedDeactivate.REFUSE
    after_void: AfterUndo = AfterUndo.HIDDEN
    repeated_load: RepeatedLoad = RepeatedLoad.SAME_LOAD

    @classmethod
    def from_text(cls, text: str) -> "Semantics":
        """Read "tombstone", "fence,after_void=refuse" and so on; raises `InvalidValueError`.

        The values of `after_cancel` and `unknown_cancel` need no name before them.
        """
        chosen: dict[str, Any] = {}
        for word in filter(None, (part.strip() for part in text.split(","))):
            field, separator, value = word.partition("=")
            choice = _CHOICES.get((field.strip(), value.strip()) if separator else (None, word))
            if choice is None:
                known = ", ".join("=".join(filter(None, key)) for key in _CHOICES)
                raise InvalidValueError("semantics", f"{word!r} is unknown", known)
            name, member = choice
            chosen[name] = member
        return cls(**chosen)


_UNNAMED: Final = ("after_cancel", "unknown_cancel")


def _choices() -> Mapping[tuple[str | None, str], tuple[str, Enum]]:
    """Return the field and the member that a value with its field, or with None, stands for."""
    found: dict[tuple[str | None, str], tuple[str, Enum]] = {}
    for field in fields(Semantics):
        for member in type(cast("Enum", field.default)):
            found[field.name, str(member.value)] = (field.name, member)
            if field.name in _UNNAMED:
                found[None, str(member.value)] = (field.name, member)
    return MappingProxyType(found)


_CHOICES: Final = _choices()
