"""I8: the retry budget of a session, kept once more from outside.

Only what has really left is counted as spent here, and each good end as the most that it can give
back. So there is never less left here than in the session: when nothing is left here, the session
must slow down.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

TOKENS_MAX = 500
RETRY_COST = 14
ROUNDING_SECONDS = 1e-3
SLOWED = frozenset(("Lost", "Unclear", "Untouched"))
"""After these outcomes the same request goes again, after a backoff."""


@dataclass(slots=True)
class _Call:
    """What has been seen of the call that runs for an order."""

    tries: int = 0
    ended_at: float | None = None
    """When an attempt has ended after which there must be a backoff, if that was the last one."""


@dataclass(slots=True)
class Retries:
    """The budget of one process, and the calls that draw on it. `violated` is told what was seen.

    `longest_seconds` is the pause that a retry without a budget must keep at least.
    """

    longest_seconds: float
    violated: Callable[[str], None]
    tokens: int = TOKENS_MAX
    dry_since: float | None = None
    calls: defaultdict[int, _Call] = field(default_factory=lambda: defaultdict(_Call))

    def sending(self, order: int, now: float, *, is_undo: bool) -> None:
        """Hold a request that leaves now to the budget."""
        call = self.calls[order]
        if is_undo or not call.tries:
            return
        ended_at, dry_since = call.ended_at, self.dry_since
        if ended_at is not None and dry_since is not None and dry_since < ended_at:
            pause = now - ended_at
            if pause < self.longest_seconds - ROUNDING_SECONDS:
                self.violated(f"order {order} was retried {pause:.3f} s later, without a budget")
        self._have(max(0, self.tokens - RETRY_COST), now)

    def attempted(self, order: int, outcome: str, now: float, *, is_undo: bool) -> None:
        """Note the end of an attempt."""
        call = self.calls[order]
        call.tries += 1
        call.ended_at = now if outcome in SLOWED and not is_undo else None

    def ended(self, order: int, verdict: str, now: float) -> None:
        """Note the end of a call."""
        self.gone(order)
        if verdict in ("Issued", "Declined"):
            self._have(min(TOKENS_MAX, self.tokens + RETRY_COST), now)

    def gone(self, order: int) -> None:
        """Note that a call for this order has no more callers, or is over."""
        self.calls.pop(order, None)

    def _have(self, tokens: int, now: float) -> None:
        self.tokens = tokens
        if tokens >= RETRY_COST:
            self.dry_since = None
        elif self.dry_since is None:
            self.dry_since = now
