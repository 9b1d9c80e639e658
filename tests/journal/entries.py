"""Entries as a call writes them, one after the other."""

from msgspec.structs import replace

from agcod_async.core.facts import Facts
from agcod_async.core.outcomes import Leg
from agcod_async.journal.records import Entry


def fresh(request_id: str = "Toy1", operation: str = "Issue") -> Entry:
    """Return the entry of a call that has just begun."""
    return Entry(
        request_id=request_id,
        partner_id="Toy",
        operation=operation,
        amount="10.00 USD",
        body=f"{request_id} 10.00 USD".encode(),
        created_at=1.0,
        live_id=request_id,
        updated_at=1.0,
    )


def sending(entry: Entry) -> Entry:
    """Return the entry as it is before the first byte leaves."""
    return replace(entry, facts=Facts(doubtful=True), sends=entry.sends + 1, first_sent_at=2.0)


def issued(entry: Entry, at: float = 3.0) -> Entry:
    """Return the entry of a card that may be handed out."""
    return replace(
        entry,
        facts=Facts(doubtful=True, confirmed=True),
        gc_id=f"GC{entry.request_id}",
        verdict="Issued",
        updated_at=at,
    )


def everything() -> Entry:
    """Return an entry in which no field is what it is by default."""
    return replace(
        fresh(),
        live_id="Toy1successor",
        leg=Leg.LOOKUP,
        facts=Facts(epoch=3, doubtful=True, undone=True, tainted=True, confirmed=True),
        sends=4,
        first_sent_at=1_767_225_600.123456,
        last_sent_at=1_767_225_601.654321,
        effects_until=1_767_225_931.25,
        last_undo_at=1_767_225_601.125,
        audited_at=1_767_226_800.5,
        gc_id="A2B3C4",
        code="F400",
        error_type="SystemTemporarilyUnavailable",
        verdict="Declined",
        updated_at=1_767_225_602.5,
    )
