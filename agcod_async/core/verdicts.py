"""How a call ends."""

from dataclasses import dataclass

from agcod_async.core.outcomes import Reason


@dataclass(frozen=True, slots=True)
class Issued:
    """Done. It cannot be built without the answer."""

    answer: object


@dataclass(frozen=True, slots=True)
class Declined:
    """Nothing was issued, and somebody must change something first."""

    reason: Reason
    conflict: bool = False


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Nothing was issued; the same call may be made again later."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Reversed:
    """Something was issued and is dead: it was undone."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class InDoubt:
    """Unknown. The journal entry stays open until it is reconciled."""

    reason: Reason


Verdict = Issued | Declined | Unavailable | Reversed | InDoubt
