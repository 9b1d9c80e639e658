"""From the members of a body, in whatever format they came, to the request of an operation."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple, cast

import msgspec

from agcod_async.testing.answers import Failure, Unusable
from agcod_async.testing.operations import OPERATIONS
from agcod_async.testing.requests import Number, OperationRequest

Parsed = OperationRequest | Failure | Unusable
"""A request, or why there is none."""


def request_of(
    operation: str,
    members: dict[str, object] | None,
    *,
    number: Callable[[object], Number],
    is_text: bool,
) -> Parsed:
    """Return the request that has these members.

    No body at all is F2000; a member in another case, such as PartnerId, is F500 (both Amazon's
    error page); a member of another type is unusable. `number` reads a number as the format writes
    it, and raises `TypeError`; `is_text`: the format writes all members as text.
    """
    kind = OPERATIONS[operation]
    if members is None:
        return Failure(kind.refusals["F2000"])
    if _is_misspelt(members, _SPELLINGS[operation]):
        return Failure(kind.refusals["F5000"])

    def read(wanted: type, given: object) -> object:
        return number(given) if wanted is Number else given

    try:
        return msgspec.convert(members, kind, strict=not is_text, dec_hook=read)
    except msgspec.ValidationError as error:
        return Unusable(f"A member is not an expected type: {error}")


class _Spelling(NamedTuple):
    """How a member is spelt, and those inside it, by their names in lower case."""

    name: str
    inside: "Mapping[str, _Spelling]"


def _is_misspelt(members: dict[str, object], spellings: Mapping[str, _Spelling]) -> bool:
    """Return whether a member is spelt like a known one but for its case."""
    for name, value in members.items():
        spelling = spellings.get(name.lower())
        if spelling is None:
            continue
        inside = cast("dict[str, object]", value) if isinstance(value, dict) else {}
        if spelling.name != name or _is_misspelt(inside, spelling.inside):
            return True
    return False


def _spellings(kind: msgspec.inspect.Type) -> Mapping[str, _Spelling]:
    """Return the spelling of every member that a value of this type has."""
    match kind:
        case msgspec.inspect.StructType(fields=fields):
            return {
                field.encode_name.lower(): _Spelling(field.encode_name, _spellings(field.type))
                for field in fields
            }
        case msgspec.inspect.UnionType(types=types):
            return {lower: one for inner in types for lower, one in _spellings(inner).items()}
        case _:
            return {}


_SPELLINGS: Final[Mapping[str, Mapping[str, _Spelling]]] = MappingProxyType(
    {name: _spellings(msgspec.inspect.type_info(kind)) for name, kind in OPERATIONS.items()}
)
