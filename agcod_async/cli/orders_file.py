"""Orders from a file, one at a time: CSV, or JSON lines where its name ends so.

Rules of this file:

1. Nothing is loaded whole: a file of ten million orders takes no more memory than one of ten.
2. A row is an order, or it is refused with its line, the field, the problem and the limit. Only
   blank rows are passed over.
3. One request ID stands in one row: the second row that has it is refused.
4. What makes the file as a whole unusable is found before the first order is taken.
"""

import csv
import hashlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from agcod_async.batch import Order
from agcod_async.batch.orders import PlannedOrder, RefusedRow
from agcod_async.cli.json_lines import SUFFIXES, JsonLines
from agcod_async.cli.order_fields import (
    KNOWN_COLUMNS,
    OPTIONAL_COLUMNS,
    REQUIRED_COLUMNS,
    JobKeys,
    OrderFields,
)
from agcod_async.cli.seen_ids import SeenIds
from agcod_async.cli.text_lines import LINE_BYTES_MAX, TextLines, raw_lines
from agcod_async.core.outcomes import Reason
from agcod_async.errors import UsageError
from agcod_async.settings import Settings
from agcod_async.values import InvalidValueError

__all__ = [
    "LINE_BYTES_MAX",
    "OPTIONAL_COLUMNS",
    "REQUIRED_COLUMNS",
    "CsvRows",
    "OrdersFile",
    "RefusedRow",
    "Row",
    "count_rows",
    "digest",
    "open_orders",
    "open_plan",
]

Row = Order | RefusedRow


class OrderRows(Protocol):
    """The rows of a file in one form, each with its line."""

    def __iter__(self) -> Iterator[PlannedOrder | RefusedRow]:
        """Iterate over it once."""
        ...


class OrdersFile:
    """The rows of one open file, in which no request ID stands twice. Iterate over it once."""

    def __init__(self, rows: OrderRows, seen: SeenIds) -> None:
        """Take these rows, and remember their IDs in `seen`."""
        self._rows = rows
        self._seen = seen

    def __iter__(self) -> Iterator[Row]:
        for row in self._rows:
            if isinstance(row, RefusedRow):
                yield row
                continue
            before = self._seen.line_of(row.order.request_id, row.number)
            if before is None:
                yield row.order
            else:
                yield RefusedRow(
                    row.number,
                    row.number,
                    field="request_id",
                    problem=f"{row.order.request_id!r} stands on line {before} already",
                    limit="every order has an ID of its own",
                    first_line=before,
                )


class CsvRows:
    """The rows of an open CSV file."""

    def __init__(self, file: BinaryIO, fields: OrderFields) -> None:
        """Read the header; raises `UsageError` where the file cannot be used."""
        self._lines = TextLines(file)
        self._cells = csv.reader(self._lines, skipinitialspace=True, strict=True)
        self._fields = fields
        self._columns = self._header()

    def __iter__(self) -> Iterator[PlannedOrder | RefusedRow]:
        while True:
            self._lines.problem = None
            first = self._cells.line_num + 1
            try:
                cells = [cell.strip() for cell in next(self._cells)]
            except StopIteration:
                return
            except csv.Error as error:
                yield self._refused(first, "row", f"cannot be read: {error}", "quotes in pairs")
                continue
            if any(cells) or self._lines.problem is not None:
                yield self._row(first, cells)

    def _row(self, first: int, cells: list[str]) -> PlannedOrder | RefusedRow:
        if self._lines.problem is not None:
            return self._refused(first, "row", *self._lines.problem)
        if self._cells.line_num > first:
            return self._refused(first, "row", "goes on over a line break", "one row, one line")
        if len(cells) != len(self._columns):
            has, should = len(cells), len(self._columns)
            return self._refused(first, "row", f"has {has} fields", f"{should}, like the header")
        try:
            return self._fields.order(first, dict(zip(self._columns, cells, strict=True)))
        except InvalidValueError as error:
            return self._refused(first, error.field, error.problem, error.limit)

    def _refused(self, first: int, field: str, problem: str, limit: str) -> RefusedRow:
        return RefusedRow(first, self._cells.line_num, field=field, problem=problem, limit=limit)

    def _header(self) -> list[str]:
        try:
            header = next((cells for cells in self._cells if any(map(str.strip, cells))), None)
        except csv.Error as error:
            raise _unusable(f"its first line is no header: {error}") from error
        if self._lines.problem is not None:
            raise _unusable(f"its first line {self._lines.problem[0]}; is it a CSV file in UTF-8?")
        if header is None:
            raise _unusable("it is empty")
        columns = [column.strip() for column in header]
        self._fields.check_columns(columns)
        twice = [column for column in KNOWN_COLUMNS if columns.count(column) > 1]
        if twice:
            raise _unusable(f"it has columns twice: {', '.join(twice)}")
        return columns


@contextmanager
def open_orders(path: Path, settings: Settings) -> Generator[OrdersFile, None, None]:
    """Open an orders file; raises `UsageError` where it cannot be used as one."""
    with open_plan(path, settings, None) as rows, SeenIds() as seen:
        yield OrdersFile(rows, seen)


@contextmanager
def open_plan(
    path: Path, settings: Settings, keys: JobKeys | None
) -> Generator[OrderRows, None, None]:
    """Open an orders file for a job, which sees by itself to it that no ID stands twice."""
    try:
        if not path.is_file():
            # A pipe would hold up the event loop, and cannot be read twice.
            raise _unusable(f"{path}: is not a file")
        file = path.open("rb")
    except OSError as error:
        raise _unusable(f"{path}: {error.strerror}") from error
    form = JsonLines if path.suffix.lower() in SUFFIXES else CsvRows
    with file:
        try:
            rows = form(file, OrderFields(settings, keys))
        except UsageError as error:
            raise _unusable(f"{path}: {error.reason}") from error
        yield rows


def count_rows(path: Path) -> int:
    """Return how many rows there seem to be, for a progress display: lines that are not blank."""
    headers = 0 if path.suffix.lower() in SUFFIXES else 1
    with path.open("rb") as file:
        return max(sum(1 for line in raw_lines(file) if line.strip(b" \t\r\n,")) - headers, 0)


def digest(path: Path) -> str:
    """Return the SHA-256 of a file; raises `UsageError` where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _unusable(f"{path}: {error.strerror}") from error


def _unusable(problem: str) -> UsageError:
    return UsageError(Reason(problem))
