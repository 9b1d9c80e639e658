"""Errors explained to people: by code, by name, or from a reply that somebody has pasted.

Rules of this file:

1. What a pasted reply proves is decided where every reply is read (`codec`, `faults`).
2. Nothing that was given is repeated: a reply may hold a claim code. What is shown comes from the
   catalogue.
"""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from agcod_async.core.outcomes import (
    Applied,
    AppliedDead,
    Both,
    ForwardOutcome,
    Unclear,
    Undone,
    UndoOutcome,
)
from agcod_async.providers.agcod import catalogue, consequences, faults, framework, pasted
from agcod_async.providers.agcod.advice import Advice, ErrorRow, Family
from agcod_async.providers.agcod.consequences import Consequence
from agcod_async.providers.agcod.contacts import Team
from agcod_async.providers.agcod.envelope import Fault
from agcod_async.providers.agcod.error_tables import REPLAY
from agcod_async.providers.agcod.faults import FaultTable
from agcod_async.providers.agcod.framework import FrameworkError

LENGTH_MAX: Final = 100_000
"""In characters. Longer texts are not looked at."""

NEAR_MAX: Final = 3
_NEAR_LENGTH_MAX: Final = 80
_CONTAINED_LENGTH_MIN: Final = 8

MOCK_SUCCESS_ID: Final = "F0000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One error as a reader needs it. `code` is the class; `name` is Amazon's or a few words.

    `includes` are the names of a class where all of it is explained. `forward` and `undo` are what
    it proves as the answer to a request, and to what undoes it.
    """

    code: str | None = None
    name: str
    aliases: tuple[str, ...] = ()
    mock_ids: tuple[str, ...] = ()
    includes: tuple[str, ...] = ()
    family: Family | None = None
    cause: str
    action: str
    team: Team | None
    forward: type[ForwardOutcome]
    undo: type[UndoOutcome]

    @property
    def consequence(self) -> Consequence:
        """What follows for the request that was answered with it."""
        return consequences.FORWARD[self.forward]

    @property
    def undo_consequence(self) -> str:
        """What follows for an undo that was answered with it."""
        return consequences.UNDO[self.undo]


def explain(text: str) -> tuple[Explanation, ...]:
    """Return everything that `text` may mean; nothing if that is unknown or it is too long.

    `text` is a mock code (F3003), a class (F300), a name in any case and spacing, the message of a
    refusal without a code, an exception of this package, or a whole reply in JSON or XML.
    """
    if len(text) > LENGTH_MAX:
        return ()
    if pasted.looks_like_a_reply(text):
        said = pasted.read(text)
        if said is None:
            return ()
        return (_of_fault(said) if isinstance(said, Fault) else _SUCCESS[said.outcome],)
    return _named(text)


def near(text: str) -> tuple[str, ...]:
    """Return the names and codes that look most like `text`."""
    if len(text) > _NEAR_LENGTH_MAX:
        return ()
    keys = difflib.get_close_matches(_key(text), _index(), n=NEAR_MAX)
    return tuple(_index()[key].shown for key in keys)


# --- by code and name ----------------------------------------------------------------------------


def _named(text: str) -> tuple[Explanation, ...]:
    refusal = framework.recognise(None, text) or _on_this_side(text)
    if refusal is not None:
        return (_of_framework(refusal),)
    codes = [code.upper() for code in _CODE.findall(text)]
    names = _contained(_key(_CODE.sub(" ", text)))
    found = [one for key in names for one in _index()[key].explanations]
    if not codes:
        return _unique(found)
    classes = {f"{code[:2]}00" for code in codes}
    in_class = [one for one in found if one.code in classes]
    if in_class:
        return _unique(in_class)
    return _unique([one for code in codes for one in _by_code(code)])


_CODE: Final = re.compile(r"(?<![A-Z0-9])F\d{3,4}(?![A-Z0-9])", re.IGNORECASE | re.ASCII)


def _by_code(code: str) -> tuple[Explanation, ...]:
    entry = _index().get(_key(code))
    return () if entry is None else entry.explanations


def _on_this_side(text: str) -> FrameworkError | None:
    said = text.casefold()
    mine = framework.UNTRUSTED
    return mine if any(phrase in said for phrase in mine.phrases) else None


def _contained(words: str) -> list[str]:
    """Return the names that occur in `words`, but not those that are part of another one."""
    if words in _index():
        return [words]
    inside = [key for key in _index() if len(key) >= _CONTAINED_LENGTH_MIN and key in words]
    return [key for key in inside if not any(key != other and key in other for other in inside)]


def _unique(found: list[Explanation]) -> tuple[Explanation, ...]:
    return tuple(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class _Entry:
    """What a key of the index stands for, and how it is written."""

    shown: str
    explanations: tuple[Explanation, ...]


def _key(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.casefold())


@cache
def _index() -> dict[str, _Entry]:
    """Return everything that can be asked for, by its letters and digits."""
    known: list[tuple[str, Explanation]] = []
    for row in catalogue.ROWS:
        known += [(name, _of_row(row)) for name in (row.name, *row.aliases)]
    for mock_id in sorted({mock_id for row in catalogue.ROWS for mock_id in row.mock_ids}):
        known += [(mock_id, _of_row(row)) for row in catalogue.by_mock(mock_id)]
    known += [(code, _of_class(code)) for code in catalogue.CLASSES]
    for refusal in (framework.THROTTLED, *framework.REFUSED, framework.UNTRUSTED):
        known += [(name, _of_framework(refusal)) for name in (*refusal.names, refusal.title)]
    known.append((MOCK_SUCCESS_ID, replace(_SUCCESS[Applied], mock_ids=(MOCK_SUCCESS_ID,))))
    index: dict[str, _Entry] = {}
    for shown, explanation in known:
        before = index.get(_key(shown), _Entry(shown, ()))
        index[_key(shown)] = _Entry(before.shown, (*before.explanations, explanation))
    return index


# --- one explanation -----------------------------------------------------------------------------


def _of_fault(fault: Fault) -> Explanation:
    row = catalogue.find(fault.code, fault.name)
    if fault.framework is not None:
        explanation = _of_framework(fault.framework)
    elif row is not None:
        explanation = _of_row(row)
    else:
        known = catalogue.CLASSES.get(fault.code or "")
        code = None if known is None else fault.code
        explanation = _of_advice(known or _UNKNOWN, name="a name that is in no table", code=code)
    forward, undo = _judges(row)
    return replace(
        explanation, forward=type(forward.outcome(fault)), undo=type(undo.outcome(fault))
    )


def _judges(row: ErrorRow | None) -> tuple[FaultTable[Both], FaultTable[UndoOutcome]]:
    """Return what decides for the operation that answers with this row; a name tells which."""
    if row is not None and row.family is Family.BALANCE:
        return faults.LOAD, faults.VOID
    if row is not None and row.name == "ActivationRequestIdAlreadyBeenUsed":
        return faults.ACTIVATE, faults.UNDO
    return faults.WITH_UNDO, faults.UNDO


_UNKNOWN: Final = Advice(
    meaning="The reply is not one that Amazon documents.",
    action=REPLAY,
    team=Team.INTEGRATION,
    forward=Unclear,
    undo=Unclear,
)


def _of_row(row: ErrorRow) -> Explanation:
    return replace(
        _of_advice(row, name=row.name, code=row.code),
        aliases=row.aliases,
        mock_ids=row.mock_ids,
        family=row.family,
    )


def _of_class(code: str) -> Explanation:
    names = tuple(row.name for row in catalogue.ROWS if row.code == code)
    explanation = _of_advice(catalogue.CLASSES[code], name="the whole class", code=code)
    return replace(explanation, includes=names)


def _of_framework(refusal: FrameworkError) -> Explanation:
    explanation = _of_advice(refusal, name=refusal.title)
    return replace(explanation, aliases=tuple(sorted(refusal.names)))


def _of_advice(advice: Advice, *, name: str, code: str | None = None) -> Explanation:
    return Explanation(
        code=code,
        name=name,
        cause=advice.meaning,
        action=advice.action,
        team=advice.team,
        forward=advice.forward,
        undo=advice.undo,
    )


def _success(
    cause: str, action: str, forward: type[ForwardOutcome], undo: type[UndoOutcome] = Unclear
) -> Explanation:
    return Explanation(
        name="SUCCESS", cause=cause, action=action, team=None, forward=forward, undo=undo
    )


_SUCCESS: Final[Mapping[type[ForwardOutcome], Explanation]] = {
    Applied: _success(
        "Amazon answers with a live card.", "Hand the code on, and do not keep it.", Applied
    ),
    AppliedDead: _success(
        "Amazon answers with a card that was cancelled: its code is dead.",
        "Do not hand it on. Only if no successor of this ID is on record, order it anew.",
        AppliedDead,
    ),
    Unclear: _success(
        "Amazon says that it is done, but shows no live gift card: so it answers whatever is not a"
        " create. As the answer to a create it cannot be relied on.",
        REPLAY,
        Unclear,
        Undone,
    ),
}
