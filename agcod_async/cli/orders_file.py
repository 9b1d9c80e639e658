"""Orders from a CSV file, one at a time.

Rules of this file:

1. Nothing is loaded whole: a file of ten million orders takes no more memory than one of ten.
2. A row is an order, or it is refused with its line, the field, the problem and the limit. Only
   blank rows are passed over.
3. One request ID stands in one row: the second row that has it is refused.
4. What makes the file as a whole unusable is found before the first order is taken.
"""

import csv
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import BinaryIO, Final

from agcod_async.batch import Order
from agcod_async.cli.amounts import money
from agcod_async.cli.seen_ids import SeenIds
from agcod_async.core.outcomes import Reason
from agcod_async.errors import UsageError
from agcod_async.providers.agcod.requests import create_gift_card_request
from agcod_async.settings import Settings
from agcod_async.values import InvalidValueError

REQUIRED_COLUMNS: Final = ("request_id", "amount", "currency")
OPTIONAL_COLUMNS: Final = ("program_id", "product_type", "external_reference")

LINE_BYTES_MAX: Final = 65_536

_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that is no order, and why. It spans `line` to `last_line`."""

    line: int
    last_line: int
    _: KW_ONLY
    field: str
    problem: str
    limit: str

    def __str__(self) -> str:
        where = f"line {self.line}"
        if self.last_line > self.line:
            where = f"lines {self.line} to {self.last_line}"
        return f"{where}: {self.field}: {self.problem} ({self.limit})"


Row = Order | RefusedRow


class OrdersFile:
    """The rows of one open file. Iterate over it once."""

    def __init__(self, file: BinaryIO, settings: Settings, seen: SeenIds) -> None:
        """Read the header; raises `UsageError` where the file cannot be used."""
        self._lines = _Lines(file)
        self._cells = csv.reader(self._lines, skipinitialspace=True, strict=True)
        self._settings = settings
        self._seen = seen
        self._columns = self._header()

    def __iter__(self) -> Iterator[Row]:
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

    def _row(self, first: int, cells: list[str]) -> Row:
        if self._lines.problem is not None:
            return self._refused(first, "row", *self._lines.problem)
        if self._cells.line_num > first:
            return self._refused(first, "row", "goes on over a line break", "one row, one line")
        if len(cells) != len(self._columns):
            has, should = len(cells), len(self._columns)
            return self._refused(first, "row", f"has {has} fields", f"{should}, like the header")
        try:
            order = _order(dict(zip(self._columns, cells, strict=True)), self._settings)
        except InvalidValueError as error:
            return self._refused(first, error.field, error.problem, error.limit)
        before = self._seen.line_of(order.request_id, first)
        if before is not None:
            problem = f"{order.request_id!r} stands on line {before} already"
            return self._refused(first, "request_id", problem, "every order has an ID of its own")
        return order

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
        known = REQUIRED_COLUMNS + OPTIONAL_COLUMNS
        missing = [column for column in REQUIRED_COLUMNS if column not in columns]
        unknown = [repr(column) for column in columns if column not in known]
        twice = [column for column in known if columns.count(column) > 1]
        for names, problem in (
            (missing, f"it lacks {', '.join(missing)}; its first line names {', '.join(columns)}"),
            (unknown, f"it has unknown columns: {', '.join(unknown)} (known: {', '.join(known)})"),
            (twice, f"it has columns twice: {', '.join(twice)}"),
        ):
            if names:
                raise _unusable(problem)
        return columns


@contextmanager
def open_orders(path: Path, settings: Settings) -> Generator[OrdersFile, None, None]:
    """Open an orders file; raises `UsageError` where it cannot be used as one."""
    try:
        if not path.is_file():
            # A pipe would hold up the event loop, and cannot be read twice.
            raise UsageError(Reason(f"{path}: is not a file"))
        file = path.open("rb")
    except OSError as error:
        raise UsageError(Reason(f"{path}: {error.strerror}")) from error
    with file, SeenIds() as seen:
        try:
            orders = OrdersFile(file, settings, seen)
        except UsageError as error:
            raise UsageError(Reason(f"{path}: {error.reason}")) from error
        yield orders


def count_rows(path: Path) -> int:
    """Return how many rows there seem to be, for a progress display: lines that are not blank."""
    with path.open("rb") as file:
        return max(sum(1 for line in _raw_lines(file) if line.strip(b" \t\r\n,")) - 1, 0)


def _order(fields: Mapping[str, str], settings: Settings) -> Order:
    order = Order(
        request_id=fields["request_id"],
        amount=money(fields["amount"], fields["currency"]),
        program_id=fields.get("program_id") or None,
        product_type=fields.get("product_type") or None,
        external_reference=fields.get("external_reference") or None,
    )
    # The session checks the same again; here it is known which line is at fault.
    create_gift_card_request(
        request_id=order.request_id,
        amount=order.amount,
        partner_id=settings.partner_id,
        mock_ids_allowed=settings.mock_ids_allowed,
        program_id=order.program_id,
        product_type=order.product_type,
        external_reference=order.external_reference,
    )
    return order


class _Lines:
    """The lines of a file as text. `problem` says what is wrong with those read last."""

    def __init__(self, file: BinaryIO) -> None:
        self.problem: tuple[str, str] | None = None
        self._raw = _raw_lines(file)
        self._is_first = True

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._raw)
        if self._is_first:
            self._is_first = False
            if line.startswith(_UTF16_MARKS):
                self.problem = ("is in UTF-16", "UTF-8")
            line = line.removeprefix(_UTF8_MARK)
        if len(line) > LINE_BYTES_MAX:
            self.problem = ("is too long", f"at most {LINE_BYTES_MAX} bytes")
            return "\n"
        try:
            return line.decode()
        except UnicodeDecodeError:
            self.problem = self.problem or ("has bytes that are not UTF-8", "UTF-8")
            return "\n"


def _raw_lines(file: BinaryIO) -> Iterator[bytes]:
    """Return the lines; of one that is too long, just enough to tell."""
    while line := file.readline(LINE_BYTES_MAX + 1):
        rest = line
        while rest and not rest.endswith(b"\n") and len(line) > LINE_BYTES_MAX:
            rest = file.readline(LINE_BYTES_MAX)
        yield line


def _unusable(problem: str) -> UsageError:
    return UsageError(Reason(problem))
