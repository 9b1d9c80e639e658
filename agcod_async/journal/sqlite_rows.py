"""How an `Entry` is a row of a SQLite journal, and the statements that write and read it.

The key and the version come last: so one and the same row of values serves both the insert and
the compare-and-set.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from agcod_async.core.facts import Facts
from agcod_async.core.outcomes import Leg
from agcod_async.journal.base import Which
from agcod_async.journal.records import Entry

INSERT: Final = """
    INSERT INTO entry (
        partner_id, amount, body, created_at, live_id,
        leg, epoch, doubtful, undone, tainted, confirmed,
        sends, first_sent_at, last_sent_at, effects_until, last_undo_at, audited_at,
        gc_id, error_code, error_type, verdict, updated_at,
        operation, request_id, version
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (operation, request_id) DO NOTHING
"""
"""Takes what `row_of` returns."""

ADVANCE: Final = """
    UPDATE entry SET
        partner_id = ?, amount = ?, body = ?, created_at = ?, live_id = ?,
        leg = ?, epoch = ?, doubtful = ?, undone = ?, tainted = ?, confirmed = ?,
        sends = ?, first_sent_at = ?, last_sent_at = ?, effects_until = ?,
        last_undo_at = ?, audited_at = ?,
        gc_id = ?, error_code = ?, error_type = ?, verdict = ?, updated_at = ?,
        version = version + 1
    WHERE operation = ? AND request_id = ? AND version = ?
"""
"""Takes what `row_of` returns, and changes no row unless that holds the latest version."""

_SELECT = """
    SELECT
        partner_id, amount, body, created_at, live_id,
        leg, epoch, doubtful, undone, tainted, confirmed,
        sends, first_sent_at, last_sent_at, effects_until, last_undo_at, audited_at,
        gc_id, error_code, error_type, verdict, updated_at,
        operation, request_id, version, number
    FROM entry
"""
FIND: Final = _SELECT + "WHERE operation = ? AND request_id = ?"

_PAGE = "number > ? ORDER BY number LIMIT ?"
PAGES: Final[Mapping[Which, str]] = MappingProxyType(
    {
        Which.ALL: f"{_SELECT} WHERE {_PAGE}",
        Which.OPEN: f"{_SELECT} INDEXED BY open_entries WHERE verdict = '' AND {_PAGE}",
        Which.UNAUDITED: f"{_SELECT} INDEXED BY unaudited_entries"
        f" WHERE confirmed AND last_undo_at IS NOT NULL AND audited_at IS NULL AND {_PAGE}",
    }
)
"""Some rows after a number. Each index holds nothing but what its page shows."""

Row = tuple[
    # partner_id, amount, body, created_at, live_id
    *tuple[str, str, bytes, float, str],
    # leg, epoch, doubtful, undone, tainted, confirmed
    *tuple[str, int, bool, bool, bool, bool],
    # sends, first_sent_at, last_sent_at, effects_until, last_undo_at, audited_at
    *tuple[int, float | None, float | None, float | None, float | None, float | None],
    # gc_id, error_code, error_type, verdict, updated_at
    *tuple[str | None, str | None, str | None, str, float],
    # operation, request_id, version
    *tuple[str, str, int],
]
NumberedRow = tuple[*Row, int]
"""What is read: a row, and the number that it has in the order of opening."""


def row_of(entry: Entry) -> Row:
    """Return an entry as the statements take it."""
    facts = entry.facts
    return (
        entry.partner_id,
        entry.amount,
        entry.body,
        entry.created_at,
        entry.live_id,
        entry.leg.value,
        facts.epoch,
        facts.doubtful,
        facts.undone,
        facts.tainted,
        facts.confirmed,
        entry.sends,
        entry.first_sent_at,
        entry.last_sent_at,
        entry.effects_until,
        entry.last_undo_at,
        entry.audited_at,
        entry.gc_id,
        entry.code,
        entry.error_type,
        entry.verdict,
        entry.updated_at,
        entry.operation,
        entry.request_id,
        entry.version,
    )


def entry_of(row: NumberedRow) -> Entry:
    """Return the entry that a row was made of."""
    return Entry(
        partner_id=row[0],
        amount=row[1],
        body=row[2],
        created_at=row[3],
        live_id=row[4],
        leg=Leg(row[5]),
        facts=Facts(
            epoch=row[6],
            doubtful=bool(row[7]),
            undone=bool(row[8]),
            tainted=bool(row[9]),
            confirmed=bool(row[10]),
        ),
        sends=row[11],
        first_sent_at=row[12],
        last_sent_at=row[13],
        effects_until=row[14],
        last_undo_at=row[15],
        audited_at=row[16],
        gc_id=row[17],
        code=row[18],
        error_type=row[19],
        verdict=row[20],
        updated_at=row[21],
        operation=row[22],
        request_id=row[23],
        version=row[24],
    )
