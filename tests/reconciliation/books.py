"""Entries and rows for comparisons, written by hand."""

from collections.abc import Iterable
from datetime import UTC, datetime

from msgspec.structs import replace

from agcod_async.core.facts import Facts
from agcod_async.journal.records import Entry
from agcod_async.providers.agcod.activity_messages import Activity
from agcod_async.reconciliation.books import Frame, Scan
from agcod_async.reconciliation.comparison import Comparison, Selection, Survey
from agcod_async.reconciliation.findings import Finding
from agcod_async.values import Money, RequestId

PARTNER = "Testa"
SENT_AT = 1_767_225_600.0
"""When every order here was sent: 2026-01-01 00:00:00 UTC."""
HORIZON_SECONDS = 330.0
SELECTION = Selection(
    since=SENT_AT - 3600, until=SENT_AT + 3600, late_horizon_seconds=HORIZON_SECONDS
)
WIDE = Frame(SENT_AT - 7200, SENT_AT + 7200)

IN_DOUBT = Facts(doubtful=True)
CONFIRMED = Facts(doubtful=True, confirmed=True)


def entry(
    request_id: str = "Testa1",
    verdict: str = "Issued",
    facts: Facts | None = None,
    **changes: object,
) -> Entry:
    """Return the entry of an order of 10 USD."""
    if facts is None:
        facts = CONFIRMED if verdict == "Issued" else IN_DOUBT if not verdict else Facts()
    made = Entry(
        request_id=request_id,
        partner_id=PARTNER,
        operation="CreateGiftCard",
        amount="10.00 USD",
        body=b"",
        created_at=SENT_AT,
        live_id=request_id,
        facts=facts,
        first_sent_at=SENT_AT,
        last_sent_at=SENT_AT,
        gc_id="GC1" if facts.confirmed else None,
        verdict=verdict,
        updated_at=SENT_AT + 1,
        version=3,
    )
    return replace(made, **changes)


def row(
    request_id: str | None = "Testa1", kind: str | None = "Create", **changes: object
) -> Activity:
    """Return a row of a card of 10 USD."""
    fields: dict[str, object] = {
        "time": datetime.fromtimestamp(SENT_AT + 1, UTC),
        "type": kind,
        "status": "SUCCESS",
        "request_id": request_id,
        "partner_id": PARTNER,
        "gc_id": "GC1",
        "card_number": None,
        "amount": Money("10.00", "USD"),
        "failure_code": None,
        "is_real": True,
    }
    return Activity(**(fields | changes))


def scan(*rows: Activity, frame: Frame | None = WIDE) -> Scan:
    """Return a reading of these rows."""
    made = Scan(frame)
    for one in rows:
        made.add(one)
    return made


def twice(*rows: Activity) -> list[Scan]:
    """Return two scans that agree."""
    return [scan(*rows), scan(*rows)]


def compared(
    entries: Iterable[Entry], scans: list[Scan], *, selection: Selection = SELECTION
) -> list[Finding]:
    """Compare as the session does."""
    kept = list(entries)
    survey = Survey(selection)
    for one in kept:
        survey.add(one)
    comparison = Comparison(selection, survey.asked, scans)
    told = [comparison.compare(one) for one in kept]
    return [*filter(None, told), *comparison.unknown(PARTNER)]


def successor(request_id: str, epoch: int = 1) -> str:
    return str(RequestId(request_id).successor(PARTNER, epoch))
