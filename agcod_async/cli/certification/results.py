"""What became of a case: what was seen, and whether it is what was expected. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Final

from agcod_async.cli.certification.cases import SUCCESS, Case, Expected
from agcod_async.errors import AgcodError
from agcod_async.providers.agcod.activation_messages import (
    ACTIVE_STATUS,
    Activation,
    ActivationStatus,
    Deactivation,
)
from agcod_async.providers.agcod.activity_messages import ActivityPage
from agcod_async.providers.agcod.messages import AvailableFunds, GiftCard

_UNREACHED: Final = "UnavailableError"


class Status(Enum):
    """The result of a case."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_POSSIBLE = "not possible"
    """It could not be shown: something that it needs is not there, or Amazon was not reached."""
    NOT_ENABLED = "not enabled"
    """Amazon says that this partner may not call the operation (F3006, F3008)."""
    NOTED = "noted"
    """A probe: there is nothing that it must answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """How a call ended. The answer may hold a claim code, so it is in no text."""

    ending: str
    code: str | None = None
    error_type: str | None = None
    detail: str = ""
    answer: object = field(default=None, repr=False)

    @property
    def is_unreached(self) -> bool:
        """Whether Amazon was not reached, or has throttled."""
        return self.ending == _UNREACHED

    @property
    def is_shut_out(self) -> bool:
        """Whether it was refused before AGCOD has seen it: for its key, signature or endpoint."""
        return self.ending == "AccountError" and self.code is None

    def __str__(self) -> str:
        named = " ".join(part for part in (self.code, self.error_type) if part)
        return ": ".join(part for part in (self.ending, named or self.detail) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One case, carried out. `requests` were sent for it, under `request_id`, if there is one.

    `seen` is None where nothing was sent.
    """

    case: Case
    request_id: str | None
    started_at: datetime
    seconds: float
    requests: int
    seen: Seen | None
    status: Status
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """What was done to take back what a case had issued."""

    operation: str
    request_id: str
    seen: Seen

    @property
    def is_left(self) -> bool:
        """Whether it is not known to be taken back."""
        return self.seen.ending != SUCCESS


def seen_answer(answer: object) -> Seen:
    """Return what an answer shows, without what is hidden in it."""
    return Seen(ending=SUCCESS, detail=_shown(answer), answer=answer)


def seen_error(error: AgcodError) -> Seen:
    """Return what an exception says."""
    return Seen(
        ending=type(error).__name__,
        code=error.code,
        error_type=error.error_type,
        detail=error.reason.message,
    )


def _shown(answer: object) -> str:
    match answer:
        case GiftCard():
            return f"{answer.card_status}, gcId {answer.gc_id}, claim code hidden"
        case Activation() | ActivationStatus() | Deactivation():
            return answer.card_status or ""
        case AvailableFunds():
            return str(answer.amount)
        case ActivityPage():
            return f"{len(answer.rows)} rows"
        case _:
            return ""


_NOT_ENABLED: Final = frozenset({"OperationNotPermitted", "APIGetGiftCardActivityPageIsDisabled"})
_NOT_ENABLED_MOCKS: Final = frozenset({"F3006", "F3008"})


def judged(case: Case, seen: Seen, before: Mapping[str, Result]) -> tuple[Status, str]:
    """Return the result of `case`, and a note on it; `before` are the results so far, by name."""
    expected = case.expected
    if seen.error_type in _NOT_ENABLED and case.asked.mock not in _NOT_ENABLED_MOCKS:
        return Status.NOT_ENABLED, ""
    if expected is None:
        return Status.NOTED, ""
    if seen.ending not in expected.endings:
        return _unexpected(seen)
    if expected.code is not None and seen.code != expected.code:
        return Status.FAILED, f"expected {expected.code}"
    problem = "" if seen.ending != SUCCESS else _problem(expected, seen, before)
    return (Status.FAILED, problem) if problem else (Status.PASSED, "")


def _unexpected(seen: Seen) -> tuple[Status, str]:
    if seen.is_unreached:
        return Status.NOT_POSSIBLE, seen.detail
    if seen.ending == "ReversedError":
        return Status.NOT_POSSIBLE, "an earlier run under this name has taken it back"
    return Status.FAILED, seen.detail


def _problem(expected: Expected, seen: Seen, before: Mapping[str, Result]) -> str:
    if expected.same_card_as is not None:
        first = before[expected.same_card_as].seen
        if first is None or not _same_card(first.answer, seen.answer):
            return "another card was answered"
    if expected.is_active is not None:
        status = getattr(seen.answer, "card_status", None)
        if (status == ACTIVE_STATUS) is not expected.is_active:
            return f"the card is {status}"
    return ""


def _same_card(first: object, again: object) -> bool:
    return (
        isinstance(first, GiftCard)
        and isinstance(again, GiftCard)
        and (first.gc_id, first.claim_code) == (again.gc_id, again.claim_code)
    )
