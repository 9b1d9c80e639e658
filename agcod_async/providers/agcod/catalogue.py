"""Amazon's error tables as data: every class, name and mock code, and what a reader should do.

Sources: Amazon's error page ("Amazon Gift Card On Demand Errors" and "Other Endpoint Errors", one
row here where both list the same error), and the outage page for one name. The wire does not
always use the documented names: what it has been seen to use instead is an alias. All of it is for
people; what an error proves about a request is decided in `faults`, and only there.
"""

from collections.abc import Iterable, Iterator
from types import MappingProxyType
from typing import Final

from agcod_async.core.outcomes import Reason, Refused, Unclear, UndoFirst
from agcod_async.providers.agcod.account_errors import CONTRACT
from agcod_async.providers.agcod.advice import Advice, ErrorRow
from agcod_async.providers.agcod.contacts import Team, operations_address
from agcod_async.providers.agcod.error_tables import GROUPS, REPLAY, UNDO
from agcod_async.providers.agcod.request_errors import MEND

_ALIASES: Final = MappingProxyType(
    {
        "CardAlreadyActivatedWithDifferentRequestId": "CardActivatedWithDifferentRequestId",
        "RequestedDenominationMismatch": "PreDenominationMismatch",
        "CardNotFound": "CardNumberNotFound",
        "InvalidAwsAccessKeyId": "InvalidAccessKey",
        # Where a client lists these two, Amazon's table has F3000 and F3002.
        "UnknownCustomer": "InvalidPartnerId",
        "BlockedCustomer": "AccessDenied",
    }
)


def _rows() -> Iterator[ErrorRow]:
    for group in GROUPS:
        for mock_ids, name, family, meaning, action in group.rows:
            yield ErrorRow(
                code=group.code,
                name=name,
                mock_ids=tuple(mock_ids.split()),
                family=family,
                meaning=meaning,
                action=action,
                team=group.team,
                forward=group.forward,
                undo=group.undo,
                aliases=tuple(
                    alias for alias, documented in _ALIASES.items() if documented == name
                ),
            )


ROWS: Final = tuple(_rows())
"""Every known error, each (class, name) once."""

CLASSES: Final = MappingProxyType(
    {
        "F100": Advice(
            meaning="Something failed inside Amazon.",
            action=REPLAY,
            team=Team.INTEGRATION,
            forward=Unclear,
            undo=Unclear,
        ),
        "F200": Advice(
            meaning="Amazon found the request at fault.",
            action=MEND,
            team=Team.INTEGRATION,
            forward=Refused,
            undo=Refused,
        ),
        "F300": Advice(
            meaning="Amazon found the account at fault.",
            action=CONTRACT,
            team=Team.OPERATIONS,
            forward=Refused,
            undo=Refused,
        ),
        "F400": Advice(
            meaning="Amazon is temporarily unavailable.",
            action=UNDO,
            team=Team.INTEGRATION,
            forward=UndoFirst,
            undo=UndoFirst,
        ),
        "F500": Advice(
            meaning="Amazon reports an unknown error.",
            action=REPLAY,
            team=Team.INTEGRATION,
            forward=Unclear,
            undo=Unclear,
        ),
    }
)
"""What a class says where its name is in no table."""

CLASS_MEANINGS: Final = MappingProxyType(
    {code: f"{advice.meaning} {advice.remedy}" for code, advice in CLASSES.items()}
)
"""The same in whole sentences."""

_BY_KEY: Final = MappingProxyType({(row.code, row.name): row for row in ROWS})


def find(code: str | None, error_type: str | None) -> ErrorRow | None:
    """Return the row of this class and name (or alias); None for what no table lists."""
    if code is None or error_type is None:
        return None
    return _BY_KEY.get((code, documented_name(error_type)))


def documented_name(error_type: str) -> str:
    """Return the name under which Amazon documents what the wire calls `error_type`."""
    return _ALIASES.get(error_type, error_type)


def contact(reason: Reason, countries: Iterable[str]) -> str | None:
    """Return the address at Amazon to ask about an error of an account in one of `countries`.

    None where it depends on which of them it is, or on the contract. A refusal without a code
    comes from Amazon's front door, and is a technical matter.
    """
    advice = find(reason.code, reason.error_type) or CLASSES.get(reason.code or "")
    team = Team.INTEGRATION if advice is None else advice.team
    if team is Team.OPERATIONS:
        return operations_address(countries)
    return None if team is None else team.address


def by_mock(mock_id: str) -> tuple[ErrorRow, ...]:
    """Return what a mock code stands for, first what the sandbox is known to answer with."""
    return tuple(row for row in ROWS if mock_id in row.mock_ids)
