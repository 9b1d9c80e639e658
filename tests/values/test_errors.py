import copy
import pickle
from datetime import UTC, datetime

import pytest

from agcod_async import errors
from agcod_async.core.outcomes import AttemptRecord, Leg, Reason
from agcod_async.errors import (
    AccountError,
    AgcodError,
    DeclinedError,
    IdempotencyConflictError,
    InDoubtError,
    InvalidRequestError,
    NothingIssuedError,
    ReversedError,
    UnavailableError,
    UsageError,
)
from agcod_async.values import InvalidValueError

REASON = Reason("no funds", "F300", "InsufficientFunds")
ATTEMPTS = (AttemptRecord("Toy1", Leg.FORWARD, "Refused", REASON, 0.25),)
CLASSES = [
    thing
    for thing in vars(errors).values()
    if isinstance(thing, type) and issubclass(thing, AgcodError)
]


def test_the_tree_says_what_a_caller_may_do_next() -> None:
    parents = {thing.__name__: thing.__mro__[1].__name__ for thing in CLASSES}

    assert parents == {
        "AgcodError": "Exception",
        "UsageError": "AgcodError",
        "IdempotencyConflictError": "UsageError",
        "NothingIssuedError": "AgcodError",
        "DeclinedError": "NothingIssuedError",
        "InvalidRequestError": "DeclinedError",
        "AccountError": "DeclinedError",
        "UnavailableError": "NothingIssuedError",
        "ReversedError": "NothingIssuedError",
        "InDoubtError": "AgcodError",
    }


def test_what_is_in_doubt_or_in_conflict_is_never_taken_for_nothing_issued() -> None:
    for uncertain in (InDoubtError, IdempotencyConflictError, UsageError):
        assert not issubclass(uncertain, NothingIssuedError)
    for certain in (InvalidRequestError, AccountError, DeclinedError, UnavailableError):
        assert issubclass(certain, NothingIssuedError)
    assert issubclass(ReversedError, NothingIssuedError)
    assert issubclass(UsageError, ValueError)


@pytest.mark.parametrize("kind", CLASSES)
def test_an_error_says_what_went_wrong_and_where(kind: type[AgcodError]) -> None:
    error = kind(REASON, request_id="Toy1", operation="Issue", attempts=ATTEMPTS)

    assert str(error) == "Issue Toy1: F300 InsufficientFunds: no funds"
    assert (error.code, error.error_type) == ("F300", "InsufficientFunds")
    assert error.reason is REASON
    assert error.request_id == "Toy1"
    assert error.operation == "Issue"
    assert error.attempts == ATTEMPTS


def test_an_error_without_details_is_only_its_message() -> None:
    error = AgcodError(Reason("something"))

    assert str(error) == "something"
    assert error.code is None
    assert error.error_type is None
    assert error.attempts == ()


@pytest.mark.parametrize("kind", CLASSES)
def test_an_error_can_go_to_another_process(kind: type[AgcodError]) -> None:
    error = kind(REASON, request_id="Toy1", operation="Issue", attempts=ATTEMPTS)
    error.__dict__["not_before"] = datetime(2026, 1, 1, tzinfo=UTC)

    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301  our own
        assert type(twin) is kind
        assert str(twin) == str(error)
        assert vars(twin) == vars(error)


def test_a_bad_value_can_go_to_another_process() -> None:
    error = InvalidValueError("amount", "is too fine", "at most 2 decimal places")

    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301  our own
        assert str(twin) == str(error) == "amount: is too fine (at most 2 decimal places)"
        assert vars(twin) == vars(error)


def test_by_default_the_same_id_may_be_sent_again_and_no_time_is_promised() -> None:
    assert InDoubtError(REASON).next_safe_action == "replay_same_id"
    assert InDoubtError(REASON).not_before is None
    assert UnavailableError(REASON).retry_after_seconds == 0
