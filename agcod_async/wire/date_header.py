"""The Date header of HTTP, in the one form that is not obsolete (RFC 9110, section 5.6.7)."""

import re
from datetime import UTC, datetime
from email.utils import formatdate
from functools import lru_cache
from typing import Final

_MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
_FORM: Final = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?P<day>[0-9]{2}) (?P<month>"
    + "|".join(_MONTHS)
    + r") (?P<year>[0-9]{4}) (?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2}) GMT"
)


@lru_cache(maxsize=16)  # many replies come within one second
def seconds_of(date: str) -> float | None:
    """Return the time that a Date names, in seconds since 1970; None for anything else.

    The weekday is not held against the day. A leap second is nothing that a clock of ours shows.
    """
    found = _FORM.fullmatch(date)
    if found is None:
        return None
    year, day = int(found["year"]), int(found["day"])
    hour, minute, second = int(found["hour"]), int(found["minute"]), int(found["second"])
    month = _MONTHS.index(found["month"]) + 1
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()
    except ValueError:
        return None


def date_of(seconds: float) -> str:
    """Return the Date of a time: the second that has begun."""
    return formatdate(int(seconds), usegmt=True)
