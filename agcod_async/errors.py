"""Exceptions, grouped by what the caller may do next.

AgcodError
├── UsageError                 the call itself is wrong: mend it
│   └── IdempotencyConflictError   something else already runs or lives under this request ID
├── NothingIssuedError         certain: no value has moved
│   ├── DeclinedError          somebody must change something first
│   │   ├── InvalidRequestError    F200: the request
│   │   └── AccountError           F300: the account, contract, funds or keys
│   ├── UnavailableError       the same ID may be sent again later (`retry_after_seconds`)
│   └── ReversedError          an attempt may have worked; it is dead now
└── InDoubtError               unknown: never use a new ID; `reconcile()` settles it

What went wrong in detail is data (`code`, `error_type`), not more classes. No exception holds a
claim code, a secret key or a signature. Cancellation is never wrapped.
"""

from datetime import datetime
from typing import Literal

from agcod_async.core.outcomes import AttemptRecord, Reason

NextSafeAction = Literal["wait_until", "replay_same_id", "activity_page"]
"""`wait_until`: nothing can be learnt before `not_before`, then `reconcile()`. `replay_same_id`:
call again under the same ID, or `reconcile()`. `activity_page`: the ID is too old to be sent
again, look it up in the account's activity."""


class AgcodError(Exception):
    """Anything that this package raises on purpose."""

    def __init__(
        self,
        reason: Reason,
        *,
        request_id: str | None = None,
        operation: str | None = None,
        attempts: tuple[AttemptRecord, ...] = (),
    ) -> None:
        """Say why, for which request ID and operation, and after which attempts."""
        about = " ".join(part for part in (operation, request_id) if part)
        super().__init__(f"{about}: {reason}" if about else str(reason))
        self.reason = reason
        self.request_id = request_id
        self.operation = operation
        self.attempts = attempts

    @property
    def code(self) -> str | None:
        """Amazon's error code, such as "F200", where it sent one."""
        return self.reason.code

    @property
    def error_type(self) -> str | None:
        """Amazon's name of the error, such as "InsufficientFunds", where it sent one."""
        return self.reason.error_type


class UsageError(AgcodError, ValueError):
    """The call itself is wrong. It moved no value; mend it and call again."""


class IdempotencyConflictError(UsageError):
    """Something else runs, is on record, or lives at Amazon under this request ID.

    Nothing is undone because of it: what lives there may be somebody's card.
    """


class NothingIssuedError(AgcodError):
    """Certain: no value has moved."""


class DeclinedError(NothingIssuedError):
    """Refused; it will be refused again until somebody changes something."""


class InvalidRequestError(DeclinedError):
    """F200: the request is at fault."""


class AccountError(DeclinedError):
    """F300: the account, its contract, funds or keys are at fault.

    `contact` is the address at Amazon to ask (its outage page, and its FAQ), or None where it is
    not known: who answers for an account depends on its country (`Settings.country`).
    """

    contact: str | None = None

    def __str__(self) -> str:
        said = super().__str__()
        return said if self.contact is None or self.contact in said else f"{said} {self._whom}"

    @property
    def _whom(self) -> str:
        return f"The address is {self.contact}."


class UnavailableError(NothingIssuedError):
    """It never left, or was throttled, before anything could have worked. The ID may be reused."""

    retry_after_seconds: float = 0.0
    """An estimate of when a permit could be had; 0 where nothing is known."""


class ReversedError(NothingIssuedError):
    """What may have been issued under this request ID is dead. The ID cannot be used again."""


class InDoubtError(AgcodError):
    """Unknown whether value has moved. Never send this order under a new request ID.

    `not_before` is the time (UTC) before which nothing certain can be learnt, or None.
    """

    not_before: datetime | None = None
    next_safe_action: NextSafeAction = "replay_same_id"
