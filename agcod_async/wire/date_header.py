"""The Date header of HTTP, in the one form that is not obsolete (RFC 9110, section 5.6.7)."""

import re
from email.utils import formatdate, parsedate_to_datetime
from functools import lru_cache

_FORM = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{2} "
    r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT"
)


@lru_cache(maxsize=16)  # many replies come within one second
def seconds_of(date: str) -> float | None:
    """Return the time that a Date names, in seconds since 1970; None for anything else.

    The weekday is not held against the day. A leap second is nothing that a clock of ours shows.
    """
    if not _FORM.fullmatch(date):
        return None
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None


def date_of(seconds: float) -> str:
    """Return the Date of a time: the second that has begun."""
    return formatdate(int(seconds), usegmt=True)
