"""Amazon's books from a file: what the portal exports as CSV, in whatever dialect it does so.

No column name, date or amount of the export is documented, and they differ from country to country.
So columns are found by name in several spellings, in any order; unknown ones are passed over. What
cannot be read for certain is not guessed: such a row counts as unreadable, and then nothing follows
from what the file does not show.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final, TextIO

from agcod_async.core.outcomes import Reason
from agcod_async.errors import UsageError
from agcod_async.providers.agcod.activity_messages import Activity
from agcod_async.providers.agcod.dates import utc_time
from agcod_async.reconciliation.books import Frame, Scan
from agcod_async.values import InvalidValueError, Money

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "request_id": (
            *("requestid", "creationrequestid", "activationrequestid", "loadbalancerequestid"),
            *("gcrequestid", "clientrequestid"),
        ),
        "type": ("activitytype", "type", "transactiontype", "operation", "action", "activity"),
        "status": ("activitystatus", "status", "transactionstatus", "result", "cardstatus"),
        "amount": ("amount", "cardvalue", "value", "cardamount", "gcamount", "transactionamount"),
        "currency": ("currency", "currencycode", "cardcurrency", "gccurrency"),
        "gc_id": ("gcid", "giftcardid", "gcidentifier"),
        "time": (
            *("activitytime", "time", "timestamp", "date", "datetime", "activitydate"),
            *("transactiondate", "transactiontime", "creationdate", "createdat", "dateutc"),
        ),
        "failure_code": ("failurecode", "errorcode"),
        "is_real": ("isrealop", "isreal"),
    }
)
"""The spellings of each column, without blanks and in lower case."""

REQUIRED: Final = ("request_id", "type", "status")

_DELIMITERS = ",;\t|"
_AMOUNT = re.compile(r"(?P<before>[A-Z]{3})? ?(?P<amount>\d+(?:\.\d+)?) ?(?P<after>[A-Z]{3})?")


def read_portal(file: TextIO, *, frame: Frame | None = None) -> Scan:
    """Read an export. `frame` is the time that it shows; without it, that of its rows.

    Raises `UsageError` where it has no header with the columns that are needed.
    """
    rows = _rows(file)
    scan, times = Scan(frame), list[float]()
    for row in rows:
        if row is None:
            scan.add_unreadable()
            continue
        scan.add(row)
        if row.time is not None:
            at = row.time.timestamp()
            times = [min((at, *times)), max((at, *times))]
    if frame is None and times:
        scan.frame = Frame(times[0], times[-1])
    return scan


def _rows(file: TextIO) -> Iterator[Activity | None]:
    """Read the header, and return an iterator over the rows: None for one that cannot be read."""
    first = file.readline()
    while first and not first.strip():
        first = file.readline()
    delimiter = max(_DELIMITERS, key=first.count)
    header: list[str] = next(csv.reader([first], delimiter=delimiter), list[str]())
    columns = _columns(header)
    missing = [name for name in REQUIRED if name not in columns]
    if missing:
        raise UsageError(
            Reason(
                f"the export lacks a column for {', '.join(missing)}; its first line names"
                f" {', '.join(header) or 'none'}"
            )
        )
    return _read(file, delimiter, len(header), columns)


def _read(
    lines: Iterable[str], delimiter: str, width: int, columns: Mapping[str, int]
) -> Iterator[Activity | None]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error:
            yield None
            continue
        if not any(cells):
            continue
        fitting = len(cells) == width
        fields = {name: cells[at] or None for name, at in columns.items()} if fitting else {}
        yield _activity(fields) if fields.get("request_id") else None


def _columns(header: list[str]) -> dict[str, int]:
    """Return where each column stands: the spelling that is named first counts."""
    places: dict[str, int] = {}
    for at, title in enumerate(header):
        places.setdefault(re.sub(r"[^a-z]", "", title.casefold()), at)
    found = {
        name: next((places[one] for one in spellings if one in places), None)
        for name, spellings in COLUMNS.items()
    }
    return {name: at for name, at in found.items() if at is not None}


def _activity(fields: Mapping[str, str | None]) -> Activity:
    return Activity(
        time=_time(fields.get("time")),
        type=fields.get("type"),
        status=fields.get("status"),
        request_id=fields.get("request_id"),
        partner_id=None,
        gc_id=fields.get("gc_id"),
        card_number=None,
        amount=_money(fields.get("amount"), fields.get("currency")),
        failure_code=fields.get("failure_code"),
        is_real={"true": True, "false": False}.get((fields.get("is_real") or "").casefold()),
    )


def _money(amount: str | None, currency: str | None) -> Money | None:
    """Return an amount that can be read for certain: no thousands separator, no sign."""
    found = None if amount is None else _AMOUNT.fullmatch(amount)
    if found is None:
        return None
    code = found["before"] or found["after"] or (currency or "").upper()
    try:
        return Money(found["amount"], code)
    except InvalidValueError:
        return None


def _time(text: str | None) -> datetime | None:
    """Return a time whose year comes first, or None; one without a zone is taken for UTC."""
    written = text or ""
    plain = written.removesuffix(" UTC").replace("/", "-").replace(" ", "T")
    return utc_time(written) or utc_time(plain)
