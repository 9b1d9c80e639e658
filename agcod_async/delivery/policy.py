"""The limits of a delivery line."""

from dataclasses import dataclass

from agcod_async.core.outcomes import Reason
from agcod_async.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPolicy:
    """How long a card is held for a sink that does not take it, and when to take no more.

    `at_a_time_max` deliveries are under way at one time; whoever brings another card waits. One
    attempt may take `attempt_seconds_max`. A card is handed over `attempts_max` times at most,
    with pauses that double from `backoff_base_seconds` to `backoff_max_seconds`, half of each
    jitter: by default for about seven minutes. `repeats_max` bounds the repeats of all cards of a
    line together; after that each card has one attempt. After `failures_max` failures in a row
    the line stops.
    """

    at_a_time_max: int = 8
    attempt_seconds_max: float = 60.0
    attempts_max: int = 15
    repeats_max: int = 100_000
    failures_max: int = 20
    backoff_base_seconds: float = 1.0
    backoff_max_seconds: float = 60.0

    def __post_init__(self) -> None:
        """Raise `UsageError` for a limit that cannot be kept; it names the field."""
        for field in ("at_a_time_max", "attempts_max", "failures_max"):
            _check(field, getattr(self, field) >= 1, "at least 1")
        _check("repeats_max", self.repeats_max >= 0, "at least 0")
        _check("attempt_seconds_max", self.attempt_seconds_max > 0, "above 0")
        _check("backoff_base_seconds", self.backoff_base_seconds >= 0, "at least 0")
        _check(
            "backoff_max_seconds",
            self.backoff_max_seconds >= self.backoff_base_seconds,
            "at least backoff_base_seconds",
        )


def _check(field: str, fits: bool, limit: str) -> None:  # noqa: FBT001  what was found, not a switch
    if not fits:
        raise UsageError(Reason(f"{field}: is out of range ({limit})"))
