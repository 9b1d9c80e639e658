"""What a call goes by: what is on record of its ID, what it waits for, and what proves anything."""

from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from typing import Final, assert_never

from agcod_async.core.outcomes import Leg


class Proof(Enum):
    """What shows whether an order lives once an undo was sent under its ID: data of an operation.

    Until then every operation is the same: the replay of a request answers as the first one did.
    """

    REPLAY = "replay"
    """A create: its replay names the status of the card."""
    LOOKUP = "lookup"
    """An activation: its replay may repeat the first answer, so the card's status is asked for."""
    NOTHING = "nothing"
    """A balance load: no answer under that ID shows anything any more, a second void makes sure."""

    def outwaits(self, leg: Leg) -> bool:
        """Whether a SETTLE lasts until nothing that was sent on `leg` can land any more.

        It ends before "it lives" is believed, so no undo may be late, or before "it is dead" is,
        so no request may be. A lookup says either. A replay says the first, because what has died
        under its ID stays dead; and where nothing proves, only the second is ever asked. An undo
        that was waited for there would put the end off each time that it is sent.
        """
        match self:
            case Proof.REPLAY:
                return leg is Leg.UNDO
            case Proof.LOOKUP:
                return leg is not Leg.LOOKUP
            case Proof.NOTHING:
                return leg is Leg.FORWARD
            case _:
                assert_never(self)


class Pause(Enum):
    """What to wait for before the next attempt."""

    NONE = "none"
    BACKOFF = "backoff"
    COOLDOWN = "cooldown"  # after a throttle: never shorter than its floor
    SETTLE = "settle"  # until nothing that could change the answer can still land


@dataclass(frozen=True, slots=True)
class Facts:
    """What is on record about the ID in use. Everything else may be forgotten in a crash."""

    epoch: int = 0
    """0 for the caller's own ID, n for its n-th successor."""
    doubtful: bool = False
    """An earlier attempt under this ID may have worked, or may still."""
    undone: bool = False
    """This call has sent an undo under this ID that may have worked."""
    tainted: bool = False
    """An undo under this ID may still land."""
    confirmed: bool = False
    """A live card was put on record under this ID."""

    @property
    def perhaps_undone(self) -> bool:
        """Whether an undo under this ID may have worked, or may still."""
        return self.undone or self.tainted

    # Every card comes by these two. There are few different facts, so they are made once.

    @lru_cache(maxsize=256)  # noqa: B019  what it keeps alive are values
    def doubting(self) -> "Facts":
        """Return these facts once an attempt under the ID may have worked."""
        return replace(self, doubtful=True)

    @lru_cache(maxsize=256)  # noqa: B019  what it keeps alive are values
    def confirming(self) -> "Facts":
        """Return these facts once a live card is on record that no undo can reach any more."""
        return replace(self, tainted=False, confirmed=True)


NOTHING_KNOWN: Final = Facts()
"""What is on record before the first attempt."""
