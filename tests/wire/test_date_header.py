"""The Date of a reply, read strictly: what is not one is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agcod_async.wire.date_header import date_of, seconds_of


@given(seconds=st.integers(0, 250_000_000_000))
def test_what_is_written_is_read_back(seconds: int) -> None:
    assert seconds_of(date_of(seconds)) == seconds


def test_the_example_of_the_standard_is_understood() -> None:
    assert seconds_of("Sun, 06 Nov 1994 08:49:37 GMT") == 784_111_777
    assert date_of(784_111_777.999) == "Sun, 06 Nov 1994 08:49:37 GMT"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Sun, 06 Nov 1994 08:49:37 +0100",
        "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:38 GMT",
        "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 25:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:60 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        "Sun, ٠٦ Nov 1994 08:49:37 GMT",
    ],
)
def test_anything_else_is_no_date(text: str) -> None:
    assert seconds_of(text) is None
