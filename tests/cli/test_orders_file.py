from pathlib import Path

import pytest

from agcod_async.batch import Order
from agcod_async.cli.order_fields import OrderFields
from agcod_async.cli.orders_file import (
    LINE_BYTES_MAX,
    CsvRows,
    OrdersFile,
    RefusedRow,
    Row,
    count_rows,
    open_orders,
)
from agcod_async.cli.seen_ids import SeenIds
from agcod_async.errors import UsageError
from agcod_async.settings import Settings
from agcod_async.values import Money
from tests.cli.stage import HEADER

GOOD = "EmulaGood,25.00,USD"


def rows_of(tmp_path: Path, settings: Settings, content: str | bytes) -> list[Row]:
    path = tmp_path / "orders.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with open_orders(path, settings) as orders:
        return list(orders)


@pytest.mark.parametrize(
    "content",
    [
        f"{HEADER}\n{GOOD}\n",
        f"{HEADER}\n{GOOD}",
        f"{HEADER}\r\n{GOOD}\r\n",
        f"\ufeff{HEADER}\n{GOOD}\n",
        f"\n\n{HEADER}\n\n  \n{GOOD}\n\n,,\n",
        '"request_id","amount","currency"\n"EmulaGood","25.00","USD"\n',
        " request_id , amount , currency \n EmulaGood , 25 , USD \n",
        "currency,request_id,amount\nUSD,EmulaGood,25.0\n",
    ],
    ids=["plain", "no-end", "crlf", "bom", "blank-lines", "quoted", "spaces", "other-order"],
)
def test_a_file_is_read_in_every_usual_form(
    content: str, tmp_path: Path, settings: Settings
) -> None:
    assert rows_of(tmp_path, settings, content) == [
        Order(request_id="EmulaGood", amount=Money("25.00", "USD"))
    ]


def test_optional_columns_reach_the_order_and_empty_ones_are_absent(
    tmp_path: Path, settings: Settings
) -> None:
    header = f"{HEADER},external_reference,program_id,product_type"
    rows = rows_of(
        tmp_path, settings, f'{header}\nEmula1,1,USD,"one, two",P1,T1\nEmula2,1,USD,,,\n'
    )

    assert rows == [
        Order(
            request_id="Emula1",
            amount=Money(1, "USD"),
            external_reference="one, two",
            program_id="P1",
            product_type="T1",
        ),
        Order(request_id="Emula2", amount=Money(1, "USD")),
    ]


@pytest.mark.parametrize(
    ("bad", "field", "problem"),
    [
        ("Emula1,25.005,USD", "amount", "more decimal places"),
        ("Emula1,twenty,USD", "amount", "'twenty' is not a plain amount"),
        ('Emula1,"25,00",USD', "amount", "not a plain amount"),
        ("Emula1,1e3,USD", "amount", "not a plain amount"),
        ("Emula1,1_000,USD", "amount", "not a plain amount"),
        ("Emula1,-5,USD", "amount", "not a plain amount"),
        ("Emula1,0.00,USD", "amount", "not above zero"),
        ("Emula1,,USD", "amount", "is empty"),
        ("Emula1,25.00,usd", "currency", "'usd' is not a currency code"),
        ("Emula1,25.00,", "currency", "not a currency code"),
        (",25.00,USD", "request_id", "is empty"),
        ("Other1,25.00,USD", "request_id", "does not begin with the partner ID"),
        (f"Emula{'1' * 36},25.00,USD", "request_id", "has 41 characters"),
        ("Emula 1,25.00,USD", "request_id", "cannot be sent"),
        ("Emula1,25.00", "row", "has 2 fields"),
        ("Emula1,25.00,USD,more", "row", "has 4 fields"),
        ('"Emula1"x,25.00,USD', "row", "cannot be read"),
        (b"Emula\xe91,25.00,USD", "row", "not UTF-8"),
        ("Emula" + "1" * LINE_BYTES_MAX + ",25.00,USD", "row", "is too long"),
        ("EmulaGood,75.00,USD", "request_id", "stands on line 2 already"),
    ],
)
def test_a_bad_row_is_refused_with_its_place_and_the_rest_is_read(
    bad: str | bytes, field: str, problem: str, tmp_path: Path, settings: Settings
) -> None:
    raw = bad if isinstance(bad, bytes) else bad.encode()
    content = b"\n".join((f"{HEADER}\n{GOOD}".encode(), raw, b"EmulaLast,1,USD\n"))

    before, refused, after = rows_of(tmp_path, settings, content)

    assert isinstance(before, Order)
    assert isinstance(after, Order)
    assert isinstance(refused, RefusedRow)
    assert (refused.line, refused.last_line, refused.field) == (3, 3, field)
    assert problem in refused.problem
    assert refused.limit
    assert str(refused).startswith(f"line 3: {field}: ")


def test_a_row_over_several_lines_is_refused_with_all_of_them(
    tmp_path: Path, settings: Settings
) -> None:
    content = f'{HEADER}\n"Emula1,1,USD\nEmula2,1,USD\n",1,USD\nEmula3,1,USD\n'

    refused, after = rows_of(tmp_path, settings, content)

    assert isinstance(refused, RefusedRow)
    assert str(refused).startswith("lines 2 to 4: row: goes on over a line break")
    assert after == Order(request_id="Emula3", amount=Money(1, "USD"))


def test_a_quote_that_is_never_closed_is_refused_with_all_that_it_swallowed(
    tmp_path: Path, settings: Settings
) -> None:
    content = f'{HEADER}\n{GOOD}\n"Emula1,1,USD\nEmula2,1,USD\n'

    _, refused = rows_of(tmp_path, settings, content)

    assert isinstance(refused, RefusedRow)
    assert (refused.line, refused.last_line, refused.field) == (3, 4, "row")


def test_the_same_id_in_other_letters_is_another_id(tmp_path: Path, settings: Settings) -> None:
    rows = rows_of(tmp_path, settings, f"{HEADER}\nEmulaA,1,USD\nEmulaa,1,USD\n")

    assert [type(row) for row in rows] == [Order, Order]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "it is empty"),
        (b"\n \n", "it is empty"),
        (b"request_id,amount\nEmula1,1\n", "it lacks currency; its first line names"),
        (b"request_id;amount;currency\nEmula1;1;USD\n", "it lacks request_id, amount, currency"),
        (f"{HEADER},recipient,email\n".encode(), "unknown columns: 'recipient', 'email'"),
        (f"{HEADER},amount\n".encode(), "columns twice: amount"),
        (HEADER.encode("utf-16"), "is in UTF-16"),
        (b"PK\x03\x04\x14\x00\x06\x00\x08\xff\xfe\n", "is it a CSV file in UTF-8?"),
        (b'request_id,amount,currency"x"\n', "lacks currency"),
        (b'"request_id"x,amount,currency\n', "is no header"),
    ],
)
def test_an_unusable_file_is_a_usage_error_that_says_why(
    content: bytes, problem: str, tmp_path: Path, settings: Settings
) -> None:
    with pytest.raises(UsageError, match=r"orders\.csv: ") as raised:
        rows_of(tmp_path, settings, content)

    assert problem in str(raised.value)


def test_a_file_that_is_none_is_a_usage_error(tmp_path: Path, settings: Settings) -> None:
    for path in (tmp_path, tmp_path / "missing.csv"):
        with pytest.raises(UsageError, match="is not a file"), open_orders(path, settings):
            pass


def test_a_header_alone_is_a_file_of_no_orders(tmp_path: Path, settings: Settings) -> None:
    assert rows_of(tmp_path, settings, f"{HEADER}\n") == []


def test_rows_are_read_as_they_are_asked_for(tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(HEADER + "\n" + "".join(f"Emula{n},1,USD\n" for n in range(20_000)), "utf-8")

    with path.open("rb") as file, SeenIds() as seen:
        first = next(iter(OrdersFile(CsvRows(file, OrderFields(settings)), seen)))

        assert first == Order(request_id="Emula0", amount=Money(1, "USD"))
        assert file.tell() < 20_000


def test_the_expected_number_of_rows_leaves_the_header_and_blanks_out(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(f"{HEADER}\nEmula1,1,USD\n\n,,\nEmula2,1,USD\n", encoding="utf-8")

    assert count_rows(path) == 2
