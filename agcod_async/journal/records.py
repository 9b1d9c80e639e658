"""One journal entry: what is on record about one call. It has no place for a claim code.

`body` is the forward request as it was encoded, kept so that a call can be finished by a process
that no longer has the caller's arguments. It holds what Amazon is told: IDs, amount, programme,
your external reference (keep recipients out of that one), never a code.
"""

import msgspec
from msgspec.structs import replace

from agcod_async.core.facts import NOTHING_KNOWN, Facts
from agcod_async.core.outcomes import Leg

__all__ = ["Entry", "replace"]


class Entry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One call, under the ID that the caller gave it. All times are UTC seconds since 1970.

    `verdict` is empty while the call is open; an entry in doubt stays open. `effects_until` is
    the time from which on nothing sent so far can still land that a SETTLE waits for. `version`
    counts transitions: a journal takes a transition only from the version that it holds.

    `last_undo_at` is when this order last sent an undo, under whichever of its IDs. A card that was
    handed out after one is looked at once more; `audited_at` is when that has ended.
    """

    request_id: str
    partner_id: str
    operation: str
    amount: str
    body: bytes
    created_at: float
    live_id: str
    leg: Leg = Leg.FORWARD
    facts: Facts = NOTHING_KNOWN
    sends: int = 0
    first_sent_at: float | None = None
    last_sent_at: float | None = None
    effects_until: float | None = None
    last_undo_at: float | None = None
    audited_at: float | None = None
    gc_id: str | None = None
    code: str | None = None
    error_type: str | None = None
    verdict: str = ""
    updated_at: float = 0.0
    version: int = 0

    @property
    def key(self) -> tuple[str, str]:
        """What an entry is found by: the operation, and the ID that the caller gave it."""
        return self.operation, self.request_id

    @property
    def is_open(self) -> bool:
        """Whether the call still has to be finished."""
        return not self.verdict

    @property
    def is_unaudited(self) -> bool:
        """Whether its card was handed out after an undo, and has not been looked at since."""
        return self.facts.confirmed and self.last_undo_at is not None and self.audited_at is None
