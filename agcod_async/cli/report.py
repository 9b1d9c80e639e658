"""What a batch tells of single orders as they end, and of itself in the end.

Rules of this file:

1. Results go to standard output: the closing table, or with `--json` one object a line.
2. A claim code is in none of them.
"""

import sys
from collections.abc import Iterator
from typing import Protocol, assert_never

from agcod_async.batch import (
    Declined,
    InDoubt,
    Issued,
    Receipt,
    Reversed,
    Unavailable,
    Verdict,
)
from agcod_async.batch.settled import Handed
from agcod_async.cli.display import Display
from agcod_async.cli.orders_file import RefusedRow
from agcod_async.cli.page.words import reply_time
from agcod_async.cli.printing import Shown, error_fields, plain, print_json, print_table
from agcod_async.cli.tally import Tally
from agcod_async.cli.traffic import Traffic
from agcod_async.errors import InDoubtError
from agcod_async.figures.merging import most_frequent

VERDICT_NAMES: dict[type[Verdict], str] = {
    Issued: "issued",
    Declined: "declined",
    Reversed: "reversed",
    Unavailable: "unavailable",
    InDoubt: "in doubt",
}


_ERRORS_LISTED_MAX = 5
_NAME_SHOWN_MAX = 66


class Report(Protocol):
    """Tells of single orders. It may raise `OSError` where nobody listens any more."""

    def refused(self, row: RefusedRow) -> None:
        """Tell of a row that is no order."""
        ...

    def ended(self, receipt: Receipt, delivered: Handed, problem: str) -> None:
        """Tell of an order that has a verdict; `problem` says why its code is not delivered."""
        ...


class NoteReport:
    """One line beside the progress for each order that is not simply done."""

    def __init__(self, display: Display) -> None:
        """Tell by notes on this display."""
        self._display = display

    def refused(self, row: RefusedRow) -> None:
        """Note the row."""
        self._display.note(f"refused      {row}")

    def ended(self, receipt: Receipt, delivered: Handed, problem: str) -> None:
        """Note an order that was not issued, or whose code was not delivered."""
        request_id = receipt.order.request_id
        if not isinstance(receipt.verdict, Issued):
            name = VERDICT_NAMES[type(receipt.verdict)]
            self._display.note(f"{name:12} {request_id}: {receipt.verdict.error.reason}")
        elif delivered == "failed":
            self._display.note(f"{'undelivered':12} {request_id}: {problem}")


class JsonReport:
    """One JSON object on standard output for each row."""

    def refused(self, row: RefusedRow) -> None:
        """Print the row's line, field, problem and limit."""
        print_json(
            {
                "kind": "row",
                "verdict": "refused",
                "line": row.line,
                "last_line": row.last_line,
                "field": row.field,
                "problem": row.problem,
                "limit": row.limit,
            }
        )

    def ended(self, receipt: Receipt, delivered: Handed, problem: str) -> None:
        """Print the receipt."""
        shown = {"kind": "receipt", **_receipt(receipt), "delivered": delivered}
        print_json(shown | ({"delivery_problem": problem} if delivered == "failed" else {}))


def _receipt(receipt: Receipt) -> Shown:
    order, verdict = receipt.order, receipt.verdict
    fields: Shown = {
        "request_id": order.request_id,
        "verdict": VERDICT_NAMES[type(verdict)].replace(" ", "_"),
        "amount": str(order.amount.amount),
        "currency": order.amount.currency,
    }
    match verdict:
        case Issued(card):
            expires_at = None if card.expires_at is None else card.expires_at.isoformat()
            return fields | {
                "live_request_id": str(card.request_id),
                "gc_id": card.gc_id,
                "expires_at": expires_at,
                "replayed": card.replayed,
                "attempts": card.attempts,
            }
        case Declined(error) | Reversed(error) | Unavailable(error) | InDoubt(error):
            return fields | error_fields(error)
        case _:
            assert_never(verdict)


# --- the end -------------------------------------------------------------------------------------


def print_summary(tally: Tally, traffic: Traffic, elapsed_seconds: float) -> None:
    """Print the closing table and the lists of what somebody must look at."""
    rows = [
        ("orders", str(tally.orders)),
        *((f"  {VERDICT_NAMES[kind]}", str(count)) for kind, count in tally.counts.items()),
        ("rows refused", str(tally.rows_refused)),
        ("codes delivered", str(tally.delivered)),
        ("codes not delivered", str(tally.undelivered)),
        *((f"issued, {currency}", f"{total:,}") for currency, total in sorted(tally.sums.items())),
        ("requests sent", f"{traffic.requests} in {elapsed_seconds:.1f} s"),
        ("replies, half within", _within(traffic, 0.5)),
        ("  99 % within", _within(traffic, 0.99)),
        ("throttles", str(traffic.throttles)),
        ("undos", str(traffic.undos)),
        ("replays", str(traffic.replays)),
        ("successors", str(traffic.successors)),
    ]
    print_table(rows)
    for line in _attention(tally):
        print(plain(line))
    sys.stdout.flush()


def summary_fields(tally: Tally, traffic: Traffic, elapsed_seconds: float) -> Shown:
    """Return the summary as JSON has it."""
    counts = {VERDICT_NAMES[kind].replace(" ", "_"): count for kind, count in tally.counts.items()}
    return {
        "kind": "summary",
        "orders": tally.orders,
        **counts,
        "rows_refused": tally.rows_refused,
        "delivered": tally.delivered,
        "undelivered": tally.undelivered,
        "undelivered_request_ids": tally.undelivered_ids,
        "issued_amounts": {currency: str(total) for currency, total in tally.sums.items()},
        "requests": traffic.requests,
        "throttles": traffic.throttles,
        "undos": traffic.undos,
        "replays": traffic.replays,
        "successors": traffic.successors,
        "seconds": round(elapsed_seconds, 3),
        "open_request_ids": list(tally.open_ids),
        "stopped": tally.stopped,
        "exit_code": int(tally.exit_code),
    }


def _within(traffic: Traffic, share: float) -> str:
    seconds = traffic.latency.percentile_seconds(share)
    return "-" if seconds is None else reply_time(seconds)


def _attention(tally: Tally) -> Iterator[str]:
    yield from _declined(tally)
    in_doubt = tally.counts[InDoubt]
    if in_doubt:
        yield ""
        yield "In doubt. Never send these orders under other IDs; the same IDs settle them:"
        for error in tally.in_doubt:
            yield f"  {error.request_id}  {_next_step(error)}"
        yield from _and_more(in_doubt, len(tally.in_doubt))
    if tally.counts[Reversed]:
        yield ""
        yield "Reversed: the code under this ID is dead. An earlier run may have issued the order"
        yield "under a successor; look for its live_request_id before you order it anew."
    if tally.open_ids:
        yield ""
        yield "Under way when it was stopped, so in doubt as well:"
        yield from (f"  {request_id}  run again" for request_id in tally.open_ids)
    if tally.undelivered:
        yield ""
        yield "Issued, but the code is not known to be delivered. The same order under the"
        yield "same ID brings the same card again:"
        yield from (f"  {request_id}" for request_id in tally.undelivered_ids)
        yield from _and_more(tally.undelivered, len(tally.undelivered_ids))
    if tally.counts[Issued] and not (tally.delivered or tally.undelivered):
        yield ""
        yield "No code was handed to anybody: there was no --deliver-… option."
        yield "The same file, run again with one, brings the same cards."
    if tally.stopped:
        yield ""
        yield f"Stopped before the end of the file: {tally.stopped}."
        yield "The same file can be run again: what was issued is not issued twice."


def _declined(tally: Tally) -> Iterator[str]:
    if not tally.refusals:
        return
    yield ""
    yield "Declined, by error; `agcod explain` says of each what to do:"
    refusals = most_frequent(tally.refusals)
    for refusal in refusals[:_ERRORS_LISTED_MAX]:
        name = " ".join(part for part in (refusal.code, refusal.error_type) if part)
        yield f"  {refusal.orders:>8}  {name[:_NAME_SHOWN_MAX] or 'any other'}"
    if more := sum(refusal.orders for refusal in refusals[_ERRORS_LISTED_MAX:]):
        yield f"  {more:>8}  others"


def _next_step(error: InDoubtError) -> str:
    match error.next_safe_action:
        case "wait_until":
            when = "later" if error.not_before is None else f"after {error.not_before:%H:%M:%S} UTC"
            return f"run again {when}"
        case "replay_same_id":
            return "run again"
        case "activity_page":
            return "too old to be sent again: look it up in the account's activity"
        case _:
            assert_never(error.next_safe_action)


def _and_more(count: int, listed: int) -> Iterator[str]:
    if count > listed:
        yield f"  and {count - listed} more, which were reported above"
