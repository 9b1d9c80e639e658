"""The rows of an orders file in JSON lines: one object a line, members named like the columns.

A value is text, or for the amount a number: its digits are taken as they stand, so that 25.10 is
exactly that. Members are absent, null or "" alike.
"""

import json
from collections.abc import Iterator, Mapping
from typing import BinaryIO, Final

from agcod_async.batch.orders import PlannedOrder, RefusedRow
from agcod_async.cli.order_fields import KNOWN_COLUMNS, OrderFields
from agcod_async.cli.text_lines import TextLines
from agcod_async.values import InvalidValueError

SUFFIXES: Final = (".jsonl", ".ndjson")


class JsonLines:
    """The rows of an open file."""

    def __init__(self, file: BinaryIO, fields: OrderFields) -> None:
        """Begin with the first line."""
        self._lines = TextLines(file)
        self._fields = fields

    def __iter__(self) -> Iterator[PlannedOrder | RefusedRow]:
        number = 0
        while True:
            self._lines.problem = None
            number += 1
            try:
                text = next(self._lines)
            except StopIteration:
                return
            if text.strip() or self._lines.problem is not None:
                yield self._row(number, text)

    def _row(self, number: int, text: str) -> PlannedOrder | RefusedRow:
        if self._lines.problem is not None:
            return _refused(number, "row", *self._lines.problem)
        try:
            fields = _fields(text)
            return self._fields.order(number, fields)
        except InvalidValueError as error:
            return _refused(number, error.field, error.problem, error.limit)


def _fields(text: str) -> Mapping[str, str]:
    """Return the members of the object; raises `InvalidValueError` for anything else."""
    try:
        # Numbers stay as they are written.
        members: object = json.loads(
            text, parse_float=_Number, parse_int=_Number, object_pairs_hook=_once
        )
    except (json.JSONDecodeError, RecursionError):
        members = None
    if not isinstance(members, dict):
        raise InvalidValueError("row", "is no JSON object", "one object a line")
    fields: dict[str, str] = {}
    for name, value in members.items():  # pyright: ignore[reportUnknownVariableType]  any JSON
        if name not in KNOWN_COLUMNS:
            raise InvalidValueError("row", f"has an unknown member {name!r}", _KNOWN)
        if value is None:
            continue
        if not isinstance(value, str) or (isinstance(value, _Number) and name != "amount"):
            raise InvalidValueError(name, "is not text", "text in quotes")
        fields[name] = value.strip()
    return fields


class _Number(str):
    """The digits of a JSON number."""

    __slots__ = ()


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise InvalidValueError("row", "has a member twice", "each member once")
    return members


def _refused(line: int, field: str, problem: str, limit: str) -> RefusedRow:
    return RefusedRow(line, line, field=field, problem=problem, limit=limit)


_KNOWN: Final = f"known: {', '.join(KNOWN_COLUMNS)}"
