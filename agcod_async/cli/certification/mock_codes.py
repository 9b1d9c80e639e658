"""The cases of the mock codes: one for every row of Amazon's error tables, from the catalogue.

Amazon's error page puts mock codes into CreateGiftCard and ActivateGiftCard (in place of the
request ID) and into LoadAmazonBalance (in place of the account). How a session must end is what
the catalogue says that the error proves.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from agcod_async.cli.certification.cases import Asked, Case, Expected
from agcod_async.core.outcomes import Both, Conflict, Refused, Throttled, Unclear, UndoFirst
from agcod_async.errors import IdempotencyConflictError, InDoubtError, UnavailableError
from agcod_async.providers.agcod import catalogue
from agcod_async.providers.agcod.advice import ErrorRow, Family
from agcod_async.providers.agcod.explanation import MOCK_SUCCESS_ID
from agcod_async.providers.agcod.operations import AGCOD

_AMOUNT: Final = "10.00"
_SOURCE: Final = "Amazon's error page"

_FAMILY: Final[Mapping[str, Family]] = MappingProxyType(
    {
        "CreateGiftCard": Family.GIFT_CARD,
        "ActivateGiftCard": Family.GIFT_CARD,
        "LoadAmazonBalance": Family.BALANCE,
    }
)

# The catalogue speaks of the request that an error answers: this one answers activations. As the
# answer to a create it says that something else lives under the ID.
_NOT_ITS_OWN: Final[Mapping[tuple[str, str], type[Both]]] = MappingProxyType(
    {("CreateGiftCard", "F2013"): Conflict}
)


def mock_cases(operation: str) -> tuple[Case, ...]:
    """Return the success and all errors that can be mocked for one of the three operations."""
    return (
        _case(operation, MOCK_SUCCESS_ID, Expected()),
        *(_case(operation, code, _expected(operation, code)) for code in _codes(operation)),
    )


def _case(operation: str, code: str, expected: Expected) -> Case:
    return Case(
        name=f"{operation}-{code}",
        source=_SOURCE,
        operation=operation,
        asked=Asked(order=f"mock {code}", mock=code, amount=_AMOUNT),
        expected=expected,
    )


def _codes(operation: str) -> Iterator[str]:
    rows = (row for row in catalogue.ROWS if _answers(row, operation))
    yield from sorted({code for row in rows for code in row.mock_ids})


def _answers(row: ErrorRow, operation: str) -> bool:
    return row.family in (_FAMILY[operation], Family.BOTH)


def _expected(operation: str, code: str) -> Expected:
    rows = [row for row in catalogue.by_mock(code) if _answers(row, operation)]
    proved = [_NOT_ITS_OWN.get((operation, code), row.forward) for row in rows]
    endings = dict.fromkeys(_ending(kind, rows[0].code) for kind in proved)
    return Expected(endings=tuple(endings), code=rows[0].code)


def _ending(proved: type[Both], code: str) -> str:
    """Return the name of what a session raises once this is all that it was answered."""
    if proved is Refused:
        return AGCOD.declined_errors[code].__name__
    return _RAISED[proved].__name__


_RAISED: Final[Mapping[type[Both], type[Exception]]] = MappingProxyType(
    {
        Conflict: IdempotencyConflictError,
        Unclear: InDoubtError,
        UndoFirst: InDoubtError,
        Throttled: UnavailableError,
    }
)
