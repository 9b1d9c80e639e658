"""A pacer that gives permits at once, and holds everybody to ending each of them once."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from agcod_async.pacing.port import Lane, NotInTimeError


@dataclass(slots=True)
class CountedPermit:
    """A permit that notes how it was used."""

    operation: str
    lane: Lane
    revoked: bool = False
    left: bool = False
    ends: list[str] = field(default_factory=list)

    @property
    def is_revoked(self) -> bool:
        return self.revoked

    def sending(self) -> None:
        assert not self.left, "sent twice under one permit"
        assert not self.ends, "sent under a permit that has ended"
        self.left = True

    def answered(self, *, throttled: bool) -> None:
        self._end("throttled" if throttled else "answered")

    def lost(self) -> None:
        self._end("lost")

    def unused(self) -> None:
        self._end("unused")

    def _end(self, how: str) -> None:
        assert not self.ends, f"ended as {how} after {self.ends}"
        self.ends.append(how)


@dataclass(frozen=True, slots=True)
class Wait:
    """Gives the permit after so many seconds, or not in time."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Revoked:
    """Gives a permit that a throttle has already taken back."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """Says at once that the permit is so many seconds away."""

    wait_seconds: float


Admission = Wait | Revoked | Refuse


@dataclass(slots=True)
class FreePacer:
    """Gives every permit at once, except where `plan` says otherwise for the next ones.

    Without `estimates` it is too late with what it should have refused beforehand.
    """

    plan: Iterable[Admission] = ()
    estimates: bool = True
    log: list[str] = field(default_factory=list)
    permits: list[CountedPermit] = field(default_factory=list)
    waiting: int = 0
    closed: int = 0

    def __post_init__(self) -> None:
        self.plan = iter(self.plan)

    async def admit(
        self, lane: Lane, operation: str, *, within_seconds: float | None
    ) -> CountedPermit:
        self.log.append(f"admit {lane.name} {operation}")
        admission = next(iter(self.plan), Wait(0.0))
        if isinstance(admission, Refuse):
            raise NotInTimeError(admission.wait_seconds)
        seconds = admission.seconds if isinstance(admission, Wait) else 0.0
        if self.estimates and within_seconds is not None and seconds > within_seconds:
            raise NotInTimeError(seconds)
        self.waiting += 1
        try:
            await asyncio.sleep(seconds)
        finally:
            self.waiting -= 1
        permit = CountedPermit(operation, lane, revoked=isinstance(admission, Revoked))
        self.permits.append(permit)
        return permit

    @property
    def ends(self) -> list[str]:
        return [" and ".join(permit.ends) or "open" for permit in self.permits]

    async def aclose(self) -> None:
        self.closed += 1
