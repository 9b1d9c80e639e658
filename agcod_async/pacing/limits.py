"""The account's cap and the lower caps of single operations, each with its confirmed window."""

import math
from collections.abc import Mapping

from agcod_async.pacing.window import ConfirmedWindow, Lease

Group = str | None
"""The operation, for one that has its own limit; None for all others together."""


class Limits:
    """All windows of a pacer. Raises `ValueError` for a number that is not above 0."""

    def __init__(
        self,
        *,
        requests_per_second: float,
        sub_limits: Mapping[str, float],
        arrival_bound_seconds: float,
    ) -> None:
        _check_above_0("arrival_bound_seconds", arrival_bound_seconds)
        self._rates: dict[Group, float] = {None: requests_per_second}
        self._rates.update(sub_limits)
        self._windows: dict[Group, ConfirmedWindow] = {}
        for group, rate in self._rates.items():
            _check_above_0(f"sub_limits[{group!r}]" if group else "requests_per_second", rate)
            self._windows[group] = ConfirmedWindow(
                requests_per_second=rate, arrival_bound_seconds=arrival_bound_seconds
            )
        self._account = self._windows[None]

    @property
    def window_seconds(self) -> float:
        """The length of the account's window."""
        return self._account.seconds

    def group(self, operation: str) -> Group:
        """Return the group that an operation waits in."""
        return operation if operation in self._windows else None

    def free_at(self, group: Group) -> float:
        """Return when the group's own limit and the account's have room; inf: not known yet."""
        free_at = self._account.free_at()
        return free_at if group is None else max(free_at, self._windows[group].free_at())

    def take(self, group: Group) -> tuple[Lease, ...]:
        """Occupy a slot in each window that counts. To be called only when `free_at` has come."""
        if group is None:
            return (self._account.take(),)
        return self._account.take(), self._windows[group].take()

    def wait_seconds(self, group: Group, now: float, permits_ahead: int) -> float:
        """Estimate the wait behind so many permits in one window."""
        free_at = self._windows[group].expected_free_at()
        free_in = max(0.0, free_at - now) if free_at < math.inf else 0.0
        return free_in + permits_ahead / self._rates[group]


def _check_above_0(name: str, value: float) -> None:
    if not 0.0 < value < math.inf:
        raise ValueError(f"{name}: {value} is not a number above 0")
