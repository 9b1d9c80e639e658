"""What the recovery tables have in common: an answer is judged, or its fault is.

Nothing here knows an operation. A SUCCESS is believed only by the function that knows what it must
say; everything that is not a SUCCESS is judged by a table of faults.
"""

from collections.abc import Callable
from typing import Final, TypeVar

from agcod_async.core.outcomes import Both, Reason, Unclear
from agcod_async.providers.agcod.codec import Fault, Unreadable
from agcod_async.providers.agcod.faults import FaultTable
from agcod_async.providers.agcod.messages import Value, ValueAnswer
from agcod_async.values import InvalidValueError, Money

ANOTHER_REQUEST: Final = "it answers another request"

AnswerT = TypeVar("AnswerT")
OutcomeT = TypeVar("OutcomeT")


def judged(
    answer: AnswerT | Fault | Unreadable,
    table: FaultTable[OutcomeT],
    succeeded: Callable[[AnswerT], OutcomeT | Both],
) -> OutcomeT | Both:
    """Return what a reply proves: by the table of faults, or by what its SUCCESS says."""
    if isinstance(answer, Fault):
        return table.outcome(answer)
    if isinstance(answer, Unreadable):
        return unclear(answer.problem)
    return succeeded(answer)


def unclear(problem: str) -> Unclear:
    """Return that an answer proves nothing, and why."""
    return Unclear(Reason(f"The answer cannot be relied on: {problem}."))


def echoes(answered: ValueAnswer | None, asked: Value) -> bool:
    """Return whether this very amount was answered."""
    # A signalling NaN cannot be compared: it would raise.
    return (
        answered is not None
        and answered.currency_code == asked.currency_code
        and answered.amount is not None
        and answered.amount.is_finite()
        and answered.amount == asked.amount
    )


def money_of(answered: ValueAnswer | None) -> Money | None:
    """Return the amount that was answered, if it is one."""
    if answered is None or answered.amount is None or answered.currency_code is None:
        return None
    try:
        return Money(answered.amount, answered.currency_code)
    except InvalidValueError:
        return None
