"""How the emulated service counts requests against its cap. Pure: time is an argument.

Amazon says "no more than 10 per second" and not how it counts, so there are three ways to choose
from. The sliding window is the strictest: who passes it passes the other two (with the default
burst).
"""

from collections import deque
from collections.abc import Mapping
from enum import Enum
from typing import Final, Protocol, assert_never

from agcod_async.values import InvalidValueError

ROUNDING_SECONDS: Final = 1e-6
"""Two arrivals that are this much short of a window apart count as a whole window apart: times
are floating point sums, and a client that keeps to the cap exactly must not lose by rounding."""


class Limit(Protocol):
    """One cap. `has_room` asks, `count` takes: a request must find room under several at once."""

    def has_room(self, now: float) -> bool:
        """Return whether one more request fits at `now`, which never goes backwards."""
        ...

    def count(self, now: float) -> None:
        """Count one request at `now`, whether there was room or not."""
        ...


class TokenBucket:
    """`rate` tokens a second flow into a bucket that holds `burst` and starts full."""

    def __init__(self, rate: float, burst: float) -> None:
        """Start full: a client may begin with a burst."""
        self._rate = rate
        self._burst = max(burst, 1.0)
        self._tokens = self._burst
        self._filled_at: float | None = None

    def has_room(self, now: float) -> bool:
        """Return whether a whole token is there."""
        self._fill(now)
        return self._tokens >= 1.0 - self._rate * ROUNDING_SECONDS

    def count(self, now: float) -> None:
        """Take a token; an empty bucket stays empty."""
        self._fill(now)
        self._tokens = max(self._tokens - 1.0, 0.0)

    def _fill(self, now: float) -> None:
        if self._filled_at is not None:
            gained = (now - self._filled_at) * self._rate
            self._tokens = min(self._tokens + gained, self._burst)
        self._filled_at = now


class FixedWindow:
    """At most `requests` in each window on the clock: 0 to 1, 1 to 2, and so on."""

    def __init__(self, requests: int, window_seconds: float) -> None:
        """Begin with an empty window."""
        self._requests = requests
        self._window_seconds = window_seconds
        self._window: int | None = None
        self._counted = 0

    def has_room(self, now: float) -> bool:
        """Return whether the window that `now` is in has a place left."""
        self._turn(now)
        return self._counted < self._requests

    def count(self, now: float) -> None:
        """Count one in the window that `now` is in."""
        self._turn(now)
        self._counted += 1

    def _turn(self, now: float) -> None:
        window = int((now + ROUNDING_SECONDS) // self._window_seconds)
        if window != self._window:
            self._window = window
            self._counted = 0


class SlidingWindow:
    """At most `requests` in any half-open window of `window_seconds`, wherever it begins."""

    def __init__(self, requests: int, window_seconds: float) -> None:
        """Begin with no request counted."""
        self._window_seconds = window_seconds
        self._latest: deque[float] = deque(maxlen=requests)
        self._requests = requests

    def has_room(self, now: float) -> bool:
        """Return whether the n-th latest request is at least a window ago."""
        if len(self._latest) < self._requests:
            return True
        return now - self._latest[0] >= self._window_seconds - ROUNDING_SECONDS

    def count(self, now: float) -> None:
        """Count one at `now`."""
        self._latest.append(now)


class ThrottleModel(Enum):
    """The ways of counting."""

    TOKEN_BUCKET = "token-bucket"  # noqa: S105 - a way of counting, not a secret
    FIXED_WINDOW = "fixed-window"
    SLIDING_WINDOW = "sliding-window"


def limit_of(model: ThrottleModel, requests_per_second: float, burst: float | None = None) -> Limit:
    """Return a fresh limit. Raises `InvalidValueError` for a rate that is not above zero.

    The windows last a second for whole rates. For others they last as long as the rate takes for
    a whole number of requests: 0.5 a second is one in two seconds. `burst` is the size of the
    token bucket and defaults to one second's worth.
    """
    if not requests_per_second > 0:
        raise InvalidValueError(
            "requests_per_second", f"{requests_per_second} is not a rate", "above 0"
        )
    requests = max(int(requests_per_second), 1)
    window_seconds = requests / requests_per_second
    match model:
        case ThrottleModel.TOKEN_BUCKET:
            return TokenBucket(requests_per_second, requests_per_second if burst is None else burst)
        case ThrottleModel.FIXED_WINDOW:
            return FixedWindow(requests, window_seconds)
        case ThrottleModel.SLIDING_WINDOW:
            return SlidingWindow(requests, window_seconds)
        case _ as never:
            assert_never(never)


class Throttle:
    """The account's cap and the caps of single operations, which a request must all fit under."""

    def __init__(
        self,
        account: Limit | None,
        by_operation: Mapping[str, Limit],
        *,
        throttled_requests_count: bool = False,
    ) -> None:
        """Without an account limit only the operations with limits of their own are throttled.

        `throttled_requests_count` makes refused requests use up the cap too: who keeps
        hammering is then never let in again.
        """
        self._account = account
        self._by_operation = by_operation
        self._throttled_requests_count = throttled_requests_count

    def admits(self, operation: str, now: float) -> bool:
        """Return whether the request is let in, and count it."""
        limits = [
            limit
            for limit in (self._account, self._by_operation.get(operation))
            if limit is not None
        ]
        admitted = all(limit.has_room(now) for limit in limits)
        if admitted or self._throttled_requests_count:
            for limit in limits:
                limit.count(now)
        return admitted
