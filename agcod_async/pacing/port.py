"""The pacer's port: lanes, permits, and the answer "not in time"."""

from enum import IntEnum
from typing import Protocol


class Lane(IntEnum):
    """Who goes first when permits are scarce. First in, first out within a lane."""

    RECOVERY = 0
    """Undos and reconciliation: an order hangs on them."""
    INTERACTIVE = 1
    """Somebody is waiting."""
    BATCH = 2
    """Nobody is waiting."""
    PROBE = 3
    """Health checks."""


class NotInTimeError(Exception):
    """The permit cannot be had within the time allowed; raised at once, not after waiting."""

    def __init__(self, wait_seconds: float) -> None:
        super().__init__(f"a permit is about {wait_seconds:.1f} s away")
        self.wait_seconds = wait_seconds


class Permit(Protocol):
    """Leave to send one request. Exactly one of `answered`, `lost` and `unused` must follow."""

    @property
    def is_revoked(self) -> bool:
        """Whether a throttle has closed the gate since: call `unused()` and do not send."""
        ...

    def sending(self) -> None:
        """Say that the request leaves now."""
        ...

    def answered(self, *, throttled: bool) -> None:
        """Say that a reply has come, and whether it was a throttle."""
        ...

    def lost(self) -> None:
        """Say that no reply will come any more."""
        ...

    def unused(self) -> None:
        """Say that nothing has left and nothing will."""
        ...


class Pacer(Protocol):
    """Gives permits so that the provider never sees more than the agreed rate."""

    async def admit(self, lane: Lane, operation: str, *, within_seconds: float | None) -> Permit:
        """Wait for a permit. Raises `NotInTimeError` if it cannot come `within_seconds`."""
        ...

    async def aclose(self) -> None:
        """Stop; waiters that are left are cancelled."""
        ...
