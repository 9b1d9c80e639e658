"""Entries that a crash or a caller that has gone has left open."""

from msgspec.structs import replace

from agcod_async.core.facts import Facts
from agcod_async.journal.records import Entry
from agcod_async.testing.clock import WALL_AT_START
from tests.support.stage import Stage
from tests.support.toy import ISSUE, order

DOUBTFUL = Facts(doubtful=True)


def left_open(request_id: str = "Toy1", facts: Facts = DOUBTFUL, **changes: object) -> Entry:
    """Return the entry of a call whose process died after it had sent once."""
    entry = Entry(
        request_id=request_id,
        partner_id="Toy",
        operation="Issue",
        amount="10.00 USD",
        body=ISSUE.encode(order(request_id)),
        created_at=WALL_AT_START - 60,
        live_id=request_id,
        facts=facts,
        sends=1,
        first_sent_at=WALL_AT_START - 60,
        last_sent_at=WALL_AT_START - 60,
    )
    return replace(entry, **changes)


async def put(s: Stage, *entries: Entry) -> None:
    for entry in entries:
        await s.journal.inner.open(entry)
