"""What the recovery tables have in common: an answer is judged, or its fault is.

Nothing here knows an operation. A SUCCESS is believed only by the function that knows what it must
say; everything that is not a SUCCESS is judged by a table of faults.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Final, TypeVar

from agcod_async.core.outcomes import Both, Reason, Unclear
from agcod_async.providers.agcod.envelope import Fault, Unreadable
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
    return (
        answered is not None
        and answered.currency_code == asked.currency_code
        and number_of(answered.amount) == asked.amount
    )


def number_of(answered: object) -> Decimal | None:
    """Return the number that was answered, if it is one that everybody reads in the same way.

    In XML it is a text. Python's Decimal reads more than others do: `1_250`, and the digits of
    every script.
    """
    match answered:
        case Decimal():
            return answered
        case int() if not isinstance(answered, bool):
            return Decimal(answered)
        case str() if _NUMBER.fullmatch(answered):
            return Decimal(answered)
        case _:
            return None


_NUMBER = re.compile(
    r"\s{0,9}[+-]?[0-9]{1,40}(\.[0-9]{0,40})?([eE][+-]?[0-9]{1,4})?\s{0,9}", re.ASCII
)


def looks_like_a_code(text: str) -> bool:
    """Return whether there is something of the form of a claim code in this.

    What is not expected to be one is kept and shown.
    """
    return _CLAIM_CODE.search(text) is not None


# All that have been shown have 4, 6 and 4 characters; a mock one has 4, 4 and 4.
_CLAIM_CODE = re.compile(r"[A-Za-z0-9]{4}-[A-Za-z0-9]{4,6}-[A-Za-z0-9]{4}")


def is_null(answered: ValueAnswer) -> bool:
    """Return whether this says nothing, as an amount that is not to be told does."""
    return answered.amount is None and answered.currency_code is None


def money_of(answered: ValueAnswer | None) -> Money | None:
    """Return the amount that was answered, if it is one."""
    amount = None if answered is None else number_of(answered.amount)
    if answered is None or amount is None or answered.currency_code is None:
        return None
    try:
        return Money(amount, answered.currency_code)
    except InvalidValueError:
        return None
