"""What no figure can be. Figures may come from a file that somebody else has written."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

COUNT_MAX: Final = 10**15
SECONDS_MAX: Final = 1e9
"""Some 30 years."""
NAME_LENGTH_MAX: Final = 200
_YEAR_MIN, _YEAR_MAX = 1971, 9000


def check_counts(name: str, counts: Iterable[int], *, how_many_max: int) -> None:
    """Raise `ValueError` unless these are counts, and not too many of them."""
    given = tuple(counts)
    if len(given) > how_many_max or not all(0 <= count <= COUNT_MAX for count in given):
        raise ValueError(f"{name}: not at most {how_many_max} counts of 0 to {COUNT_MAX}")


def check_measure(name: str, measure: float, *, above: float, at_most: float) -> None:
    """Raise `ValueError` unless this is a number in the range."""
    if not above < measure <= at_most:  # which NaN is not either
        raise ValueError(f"{name}: not above {above:g} and at most {at_most:g}")


def check_name(name: str, text: str | None) -> None:
    """Raise `ValueError` if a text is too long for a name."""
    if len(text or "") > NAME_LENGTH_MAX:
        raise ValueError(f"{name}: longer than {NAME_LENGTH_MAX} characters")


def check_time(name: str, at: datetime | None) -> None:
    """Raise `ValueError` unless this is a time in UTC that can be written."""
    if at is None:
        return
    if at.utcoffset() != timedelta(0) or not _YEAR_MIN <= at.year <= _YEAR_MAX:
        raise ValueError(f"{name}: not a time in UTC")
