"""Nobody who listens, and no file that breaks, can stop an order that is under way."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from agcod_async.cli import batch_issue, orders_file
from agcod_async.cli.orders_file import OrdersFile, Row
from agcod_async.testing import Emulator
from tests.cli.stage import HEADER, Agcod, FileOf, codes

ORDERS = [f"Emula{n},1.00,USD" for n in range(60)]


@dataclass
class OneLine:
    """A reader of standard output that goes away after one line."""

    lines: int = 0

    def __call__(self, *_: object, **__: object) -> None:
        self.lines += 1
        if self.lines > 1:
            raise BrokenPipeError


def test_when_nobody_reads_the_receipts_no_more_orders_are_taken(
    agcod: Agcod, emulator: Emulator, file_of: FileOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = OneLine()
    monkeypatch.setattr("agcod_async.cli.report.print_json", reader)
    monkeypatch.setattr(batch_issue, "print_json", reader)

    run = agcod("batch", "issue", file_of(HEADER, *ORDERS), "--json", "--concurrency", "2")

    assert run.code == 4, "orders are left in the file"
    assert 2 <= len(codes(emulator)) <= 6
    assert reader.lines == 3, "the first line, the one that failed, and the summary"


def test_a_result_that_nobody_reads_is_not_called_a_success(
    agcod: Agcod, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("agcod_async.cli.one_call.print_json", broken)

    assert agcod("funds", "--json").code == 1
    assert emulator.arrivals.total == 1


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), MemoryError("no room")])
def test_a_file_that_breaks_off_ends_the_intake_and_is_told(
    error: Exception,
    agcod: Agcod,
    emulator: Emulator,
    file_of: FileOf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = OrdersFile.__iter__

    def broken(orders: OrdersFile) -> Iterator[Row]:
        rows = whole(orders)
        for _ in range(3):
            yield next(rows)
        raise error

    monkeypatch.setattr(orders_file.OrdersFile, "__iter__", broken)

    run = agcod("batch", "issue", file_of(HEADER, *ORDERS))

    assert run.code == 4
    assert "Stopped before the end of the file: it could not be read further" in run.out
    assert len(codes(emulator)) == 3


def test_a_file_that_cannot_be_opened_is_a_usage_error(
    agcod: Agcod, emulator: Emulator, file_of: FileOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(_path: Path, _mode: str) -> None:
        raise PermissionError(13, "Permission denied")

    path = file_of(HEADER, *ORDERS)
    monkeypatch.setattr(Path, "open", denied)

    run = agcod("batch", "issue", path)

    assert (run.code, run.err) == (2, f"agcod batch issue: {path}: Permission denied\n")
    assert emulator.arrivals.total == 0
