"""What has happened in a run, in order: calls, attempts, requests, crashes. It holds no code."""

import hashlib
from dataclasses import dataclass, field


class ViolationError(AssertionError):
    """A promise is broken. It names the invariant of the design, and what was seen."""

    def __init__(self, invariant: str, seen: str) -> None:
        super().__init__(f"{invariant}: {seen}")
        self.invariant = invariant


Event = tuple[object, ...]
"""A time in seconds, what happened, and to which order or request."""


@dataclass(slots=True)
class History:
    """The events of one run."""

    events: list[Event] = field(default_factory=list)

    def add(self, at: float, what: str, *about: object) -> None:
        self.events.append((round(at, 6), what, *about))

    def lines(self) -> list[str]:
        """Return the events as text, one a line."""
        return [
            f"{event[0]:>12.6f}  " + " ".join(str(part) for part in event[1:])
            for event in self.events
        ]

    def digest(self) -> str:
        """Return a hash of everything that has happened."""
        digest = hashlib.blake2b(digest_size=16)
        for event in self.events:
            digest.update(repr(event).encode())
        return digest.hexdigest()
