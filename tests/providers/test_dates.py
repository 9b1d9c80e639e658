from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agcod_async.providers.agcod.dates import utc_time

_ARABIC_DIGITS = {ord("0") + digit: 0x0660 + digit for digit in range(10)}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Thu Jun 10 14:59:59 UTC 2032", datetime(2032, 6, 10, 14, 59, 59, tzinfo=UTC)),
        ("Sat Feb 29 00:00:00 GMT 2048", datetime(2048, 2, 29, tzinfo=UTC)),
        ("20220610T085450Z", datetime(2022, 6, 10, 8, 54, 50, tzinfo=UTC)),
        ("2022-06-10T08:54:50Z", datetime(2022, 6, 10, 8, 54, 50, tzinfo=UTC)),
        ("2022-06-10T10:54:50.25+02:00", datetime(2022, 6, 10, 8, 54, 50, 250_000, tzinfo=UTC)),
        ("2022-06-10T08:54:50", datetime(2022, 6, 10, 8, 54, 50, tzinfo=UTC)),
        ("2022-06-10", datetime(2022, 6, 10, tzinfo=UTC)),
        (" 20220610T085450Z\n", datetime(2022, 6, 10, 8, 54, 50, tzinfo=UTC)),
    ],
)
def test_every_form_of_date_that_amazon_sends_is_read_into_utc(
    written: str, meant: datetime
) -> None:
    read = utc_time(written)

    assert read == meant
    assert read is not None
    assert read.tzinfo is UTC


@pytest.mark.parametrize(
    "written",
    [
        None,
        "",
        "soon",
        "Thu Jun 31 14:59:59 UTC 2032",
        "Thu Jux 10 14:59:59 UTC 2032",
        "Thu Jun 10 14:59:59 PST 2032",
        "Thu Jun 10 24:59:59 UTC 2032",
        "jeu. juin 10 14:59:59 UTC 2032",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-01:00",
        "2022-13-01",
        "2022-W23-5",
        "20220610T085450Z, or so",
        "2022-06-10".translate(_ARABIC_DIGITS),
        "Thu Jun 10 14:59:59 UTC 2032".translate(_ARABIC_DIGITS),
        1_654_851_290_000,
        1.5,
        True,
        ["2022-06-10"],
        {"seconds": 1},
    ],
)
def test_an_unreadable_date_is_no_date_and_no_error(written: object) -> None:
    assert utc_time(written) is None


@given(st.text(alphabet="0123456789-:T.Z+ ", max_size=40) | st.text(max_size=40))
@settings(deadline=None)
def test_no_text_makes_a_date_raise(written: str) -> None:
    read = utc_time(written)

    assert read is None or read.tzinfo is UTC
