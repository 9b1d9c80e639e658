from pathlib import Path

import pytest

from agcod_async.batch import Order, PlannedOrder, RefusedRow
from agcod_async.cli.order_fields import JobKeys
from agcod_async.cli.orders_file import LINE_BYTES_MAX, count_rows, open_orders, open_plan
from agcod_async.errors import UsageError
from agcod_async.settings import Settings
from agcod_async.values import Money, RequestId


def rows_of(
    tmp_path: Path, settings: Settings, content: str | bytes, keys: JobKeys | None = None
) -> list[PlannedOrder | RefusedRow]:
    path = tmp_path / "orders.jsonl"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with open_plan(path, settings, keys) as rows:
        return list(rows)


@pytest.mark.parametrize("amount", ["25.00", '"25.00"', "25", '" 25.0 "'])
def test_an_amount_is_text_or_a_number_whose_digits_count(
    tmp_path: Path, settings: Settings, amount: str
) -> None:
    content = f'\n{{"request_id": "EmulaA", "amount": {amount}, "currency": "USD"}}\r\n\n'

    (row,) = rows_of(tmp_path, settings, content)
    assert row == PlannedOrder(
        number=2, order=Order(request_id="EmulaA", amount=Money("25", "USD"))
    )


def test_members_reach_the_order_and_null_or_empty_ones_are_absent(
    tmp_path: Path, settings: Settings
) -> None:
    content = (
        '{"request_id":"EmulaA","amount":1,"currency":"USD","program_id":null,'
        '"product_type":"","external_reference":"a, \\"b\\""}'
    )
    (row,) = rows_of(tmp_path, settings, content)

    assert isinstance(row, PlannedOrder)
    assert row.order.external_reference == 'a, "b"'
    assert (row.order.program_id, row.order.product_type) == (None, None)


@pytest.mark.parametrize(
    ("line", "field", "problem"),
    [
        ("{", "row", "is no JSON object"),
        ("[1]", "row", "is no JSON object"),
        ("[" * 20_000, "row", "is no JSON object"),
        ('"EmulaA"', "row", "is no JSON object"),
        ('{"request_id":"EmulaA","amount":NaN,"currency":"USD"}', "amount", "is not text"),
        ('{"request_id":"EmulaA","amount":true,"currency":"USD"}', "amount", "is not text"),
        ('{"request_id":"EmulaA","amount":1e3,"currency":"USD"}', "amount", "plain amount"),
        ('{"request_id":"EmulaA","amount":-1,"currency":"USD"}', "amount", "plain amount"),
        ('{"request_id":"EmulaA","currency":"USD"}', "amount", "is empty"),
        ('{"request_id":7,"amount":1,"currency":"USD"}', "request_id", "is not text"),
        ('{"amount":1,"currency":"USD"}', "request_id", "is empty"),
        ('{"request_id":"EmulaA","amount":1,"currency":["USD"]}', "currency", "is not text"),
        ('{"request_id":"EmulaA","amount":1,"amount":2,"currency":"USD"}', "row", "twice"),
        ('{"request_id":"EmulaA","amount":1,"currency":"USD","to":"x"}', "row", "unknown member"),
        ('{"request_id":"Other","amount":1,"currency":"USD"}', "request_id", "does not begin"),
        (
            '{"request_id":"EmulaA","amount":1,"currency":"USD","business_key":"k"}',
            "business_key",
            "needs a job",
        ),
        ('{"request_id":"' + "A" * LINE_BYTES_MAX + '"}', "row", "is too long"),
    ],
    ids=range(17),
)
def test_a_row_that_is_no_order_is_refused_with_its_line(
    tmp_path: Path, settings: Settings, line: str, field: str, problem: str
) -> None:
    good = '{"request_id":"EmulaZ","amount":"1","currency":"USD"}'
    first, refused, last = rows_of(tmp_path, settings, f"{good}\n{line}\n{good}\n")

    assert isinstance(refused, RefusedRow)
    assert (refused.line, refused.field) == (2, field)
    assert problem in refused.problem
    assert isinstance(first, PlannedOrder)
    assert isinstance(last, PlannedOrder)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path, settings: Settings) -> None:
    (refused,) = rows_of(tmp_path, settings, b'{"request_id":"\xff"}\n')

    assert isinstance(refused, RefusedRow)
    assert "not UTF-8" in refused.problem


def test_a_repeated_id_is_refused_without_a_job_too(tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "orders.ndjson"
    path.write_text('{"request_id":"EmulaA","amount":"1","currency":"USD"}\n' * 2, "utf-8")
    with open_orders(path, settings) as rows:
        order, refused = rows

    assert isinstance(order, Order)
    assert isinstance(refused, RefusedRow)
    assert (refused.line, refused.first_line) == (2, 1)
    assert count_rows(path) == 2


# --- keys -----------------------------------------------------------------------------------------


def test_an_id_is_derived_from_name_and_key_and_from_nothing_else(
    tmp_path: Path, settings: Settings
) -> None:
    line = '{{"business_key":"{}","amount":"1","currency":"USD"}}'

    def derived(name: str, key: str) -> str:
        (row,) = rows_of(tmp_path, settings, line.format(key), JobKeys(name))
        assert isinstance(row, PlannedOrder)
        assert row.business_key == key
        return row.order.request_id

    assert derived("may", "1") == RequestId.derive("Emula", "may\0001")
    assert derived("may", "1") == derived("may", "1")
    assert len({derived("may", "1"), derived("june", "1"), derived("ma", "y1")}) == 3


def test_a_key_needs_a_name_and_an_end(tmp_path: Path, settings: Settings) -> None:
    content = '{{"business_key":"{}","amount":"1","currency":"USD"}}'

    (nameless,) = rows_of(tmp_path, settings, content.format("k"), JobKeys())
    (endless,) = rows_of(tmp_path, settings, content.format("k" * 201), JobKeys("may"))
    assert isinstance(nameless, RefusedRow)
    assert "--name" in nameless.limit
    assert isinstance(endless, RefusedRow)
    assert (endless.field, endless.limit) == ("business_key", "at most 200")


@pytest.mark.parametrize(
    ("header", "keys", "problem"),
    [
        ("business_key,request_id,amount,currency", None, "need a job"),
        ("business_key,amount,currency", JobKeys(), "--name"),
        ("amount,currency", JobKeys("may"), "it lacks request_id"),
        ("business_key,amount", JobKeys("may"), "it lacks currency"),
    ],
)
def test_columns_of_which_no_orders_can_be_made_are_a_usage_error(
    tmp_path: Path, settings: Settings, header: str, keys: JobKeys | None, problem: str
) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(f"{header}\n", "utf-8")

    with pytest.raises(UsageError, match=problem), open_plan(path, settings, keys):
        pass
