"""How long a pause is. Pure: chance is an argument, a number of at least 0 and below 1."""

from typing import Protocol

from agcod_async.core.policy import RecoveryPolicy


class Backoff(Protocol):
    """The two figures of a backoff: where it begins, and where it stops doubling."""

    @property
    def backoff_base_seconds(self) -> float:
        """The pause before the first repeat."""
        ...

    @property
    def backoff_max_seconds(self) -> float:
        """The longest pause."""
        ...


def backoff_seconds(policy: Backoff, repeats: int, chance: float) -> float:
    """Return the pause before repeat number `repeats` (1, 2, …): doubling, half of it jitter."""
    full = _doubled(policy.backoff_base_seconds, repeats, policy.backoff_max_seconds)
    return full * (0.5 + 0.5 * chance)


def cooldown_seconds(policy: RecoveryPolicy, throttles: int, chance: float) -> float:
    """Return the pause after the n-th throttle in a row: never below its floor.

    The jitter comes on top: drawn from zero it would allow the instant retry that Amazon forbids.
    """
    floor = _doubled(policy.cooldown_floor_seconds, throttles, policy.cooldown_max_seconds)
    return floor * (1.0 + 0.25 * chance)


def settle_seconds(now: float, effects_until: float) -> float:
    """Return how long it takes until nothing sent before `effects_until` can still land."""
    return max(0.0, effects_until - now)


_DOUBLINGS_MAX = 62  # beyond it every limit is reached, and a float would overflow in the end


def _doubled(base: float, count: int, limit: float) -> float:
    return min(limit, base * 2.0 ** min(max(count, 1) - 1, _DOUBLINGS_MAX))
