"""The forms in which Amazon writes a date, read into UTC. An unreadable date is no date.

A date never decides whether a card is handed out, so nothing here raises.
"""

import re
from datetime import UTC, datetime
from functools import lru_cache

# Java's Date.toString(). Read by hand: strptime's names of days and months follow the locale.
_JAVA = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) "
    r"(?P<month>[A-Z][a-z]{2}) (?P<day>\d{2}) (?P<hour>\d{2}):(?P<minute>\d{2}):(?P<second>\d{2}) "
    r"(?:UTC|GMT|Z) (?P<year>\d{4})",
    re.ASCII,
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ISO = re.compile(r"\d{4}-?\d{2}-?\d{2}(?:T[0-9:.]{4,20}(?:Z|[+-]\d{2}:?\d{2})?)?", re.ASCII)


def utc_time(written: object) -> datetime | None:
    """Return the moment meant by `written`, or None.

    Reads `Thu Jun 10 14:59:59 UTC 2032` (gift cards), `20220610T085450Z` (funds) and ISO 8601 in
    general. A time without a zone is taken as UTC, the zone of all of Amazon's other times; the
    names of other zones are ambiguous and not read.
    """
    if not isinstance(written, str):
        return None
    try:
        return _moment(written.strip())
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=64)  # the cards of one day expire together; what is no date is not kept
def _moment(text: str) -> datetime:
    java = _JAVA.fullmatch(text)
    if java is not None:
        return _from_java(java)
    if _ISO.fullmatch(text) is None:
        raise ValueError
    return _in_utc(datetime.fromisoformat(text))


def _from_java(found: re.Match[str]) -> datetime:
    return datetime(
        int(found["year"]),
        _MONTHS.index(found["month"]) + 1,
        int(found["day"]),
        int(found["hour"]),
        int(found["minute"]),
        int(found["second"]),
        tzinfo=UTC,
    )


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
