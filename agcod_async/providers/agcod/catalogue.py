"""Amazon's error tables as data: every class, name and mock code, and what a reader should do.

Sources: Amazon's error page ("Amazon Gift Card On Demand Errors" and "Other Endpoint Errors", one
row here where both list the same error), and the outage page for one name. The wire does not
always use the documented names: what it has been seen to use instead is an alias. The meanings are
for people; what an error proves about a request is decided in `recovery`, and only there.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from agcod_async.providers.agcod.error_tables import GROUPS, MEND, OPERATIONS_TEAM, REPLAY


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """One documented error: its class, its name, its mock codes, and what to do about it.

    `aliases` are other names under which the wire has been seen to send it. `mock_ids` are the
    request IDs that make Amazon's sandbox answer with it (none where Amazon documents none).
    """

    code: str
    name: str
    mock_ids: tuple[str, ...]
    meaning: str
    remedy: str
    aliases: tuple[str, ...] = ()


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


def _rows() -> tuple[ErrorRow, ...]:
    return tuple(
        ErrorRow(
            code=code,
            name=name,
            mock_ids=tuple(mock_ids.split()),
            meaning=meaning,
            remedy=remedy,
            aliases=tuple(alias for alias, documented in _ALIASES.items() if documented == name),
        )
        for code, remedy, rows in GROUPS
        for mock_ids, name, meaning in rows
    )


ROWS: Final = _rows()
"""Every known error, each (class, name) once."""

CLASS_MEANINGS: Final = MappingProxyType(
    {
        "F100": f"Something failed inside Amazon. {REPLAY}",
        "F200": f"Amazon found the request at fault. {MEND}",
        "F300": f"Amazon found the account at fault. {OPERATIONS_TEAM}",
        "F400": "Amazon is temporarily unavailable.",
        "F500": f"Amazon reports an unknown error. {REPLAY}",
    }
)
"""What a class says where its name is in no table."""

_BY_KEY: Final = MappingProxyType({(row.code, row.name): row for row in ROWS})


def find(code: str | None, error_type: str | None) -> ErrorRow | None:
    """Return the row of this class and name (or alias); None for what no table lists."""
    if code is None or error_type is None:
        return None
    return _BY_KEY.get((code, documented_name(error_type)))


def documented_name(error_type: str) -> str:
    """Return the name under which Amazon documents what the wire calls `error_type`."""
    return _ALIASES.get(error_type, error_type)


def by_mock(mock_id: str) -> tuple[ErrorRow, ...]:
    """Return what a mock code stands for, first what the sandbox is known to answer with."""
    return tuple(row for row in ROWS if mock_id in row.mock_ids)
