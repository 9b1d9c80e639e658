"""Issue a batch against the local emulator while much goes wrong, then check its books.

Run it with `make demo`. It starts `agcod emulator` as a process of its own on loopback, plays a
seeded script of faults, issues orders.csv through the code behind `agcod batch issue`, and asks
the emulator's ledger, not the client, what became of the money. It exits with 1 if anything does
not add up. The batch's figures are left as a page in a temporary folder.
"""

import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from agcod_async import Money, RecoveryPolicy, RequestId, Settings
from agcod_async.batch import Declined, InDoubt, Issued, Order, Reversed, Unavailable
from agcod_async.cli.display import open_display
from agcod_async.cli.issuing import Batch
from agcod_async.cli.line import Line, open_line
from agcod_async.cli.orders_file import count_rows, open_orders
from agcod_async.cli.report import NoteReport, print_table
from agcod_async.cli.report_file import write_reports
from agcod_async.providers.agcod.messages import GiftCard
from agcod_async.testing import EMULATOR_CREDENTIALS, EMULATOR_PARTNER_ID

ORDERS = Path(__file__).with_name("orders.csv")
SEED = 7
REQUESTS_PER_SECOND = 20
CONCURRENCY = 16  # more would only queue longer, and late effects would find nobody to hurt
CARD_MAX_USD = 2000

# A real request may have its effect until its signature expires: 330 seconds. That is long for a
# demonstration, so here the emulator lets nothing land later than LATE_SECONDS, and the client is
# told so. The timeout of an attempt is short for the same reason (Amazon recommends 6 seconds), and
# so is the patience with the one order that is never answered (8 attempts by default).
LATE_SECONDS = 3.0
POLICY = RecoveryPolicy(late_horizon_seconds=5.0, forward_attempts_max=6)
ATTEMPT_TIMEOUT_SECONDS = 1.0

Shown = dict[str, Any]

CREATE_FAULTS: tuple[tuple[int, Shown], ...] = (
    (2, {"fault": "throttle"}),
    (8, {"fault": "f400_before"}),
    (8, {"fault": "f400_after"}),
    (3, {"fault": "f400_late", "seconds": LATE_SECONDS}),
    (6, {"fault": "lose_request"}),
    (6, {"fault": "lose_reply"}),
    (4, {"fault": "land_late", "seconds": LATE_SECONDS}),
    (4, {"fault": "slow", "seconds": ATTEMPT_TIMEOUT_SECONDS + 0.5}),
    (5, {"fault": "f500"}),
    (5, {"fault": "f500_after"}),
    (3, {"fault": "f100_after"}),
    (3, {"fault": "http_503_after"}),
    (3, {"fault": "garbage"}),
    (4, {"fault": "reset"}),
    (4, {"fault": "reset_after"}),
)
"""How many orders meet which fault, once each."""

LOST_UNDOS = 3
"""Orders whose F400 is followed by an undo that is not answered, and lands late."""


@dataclass(slots=True)
class Handover:
    """Where this demonstration's cards go: their names are kept, their codes are not."""

    cards: dict[str, tuple[str, str, Decimal]] = field(default_factory=dict)
    repeated: int = 0

    async def deliver(self, card: GiftCard, order: Order) -> None:
        """Take one card."""
        self.repeated += order.request_id in self.cards
        self.cards[order.request_id] = (card.request_id, card.gc_id, card.amount.amount)

    async def aclose(self) -> None:
        """Do nothing."""


def main() -> int:
    """Run the demonstration."""
    started_at = time.monotonic()
    settings = Settings(
        credentials=EMULATOR_CREDENTIALS,
        partner_id=EMULATOR_PARTNER_ID,
        requests_per_second=REQUESTS_PER_SECOND,
        attempt_timeout_seconds=ATTEMPT_TIMEOUT_SECONDS,
    )
    script = fault_script(settings)
    print(
        f"{count_rows(ORDERS)} rows at {REQUESTS_PER_SECOND} requests a second, "
        f"{len(script['rules'])} scripted faults (seed {SEED}).\n"
        f"Nothing lands later than {LATE_SECONDS:g} s here, so the client may trust an ID after "
        f"{POLICY.late_horizon_seconds:g} s\ninstead of 330.\n",
        flush=True,
    )
    with emulator(script) as url:
        balanced = asyncio.run(issue(url, replace(settings, base_url=url)))
    print(f"\n{time.monotonic() - started_at:.0f} seconds. ", end="")
    print("The books balance." if balanced else "THE BOOKS DO NOT BALANCE.")
    return 0 if balanced else 1


async def issue(url: str, settings: Settings) -> bool:
    """Issue the orders, settle what is in doubt, and compare with the ledger."""
    handover = Handover()
    with open_orders(ORDERS, settings) as orders, open_display("auto") as display:
        async with open_line(settings, policy=POLICY) as line:
            batch = Batch(
                line,
                orders,
                total=count_rows(ORDERS),
                display=display,
                report=NoteReport(display),
                sink=handover,
                concurrency=CONCURRENCY,
            )
            await batch.issue()
            elapsed_seconds = batch.elapsed_seconds
            settled = await settle(url, line, handover)
    page = Path(tempfile.mkdtemp(prefix="agcod-demo-"), "report.html")
    if batch.figures is not None:
        write_reports([page], batch.figures)
    ledger = asked(f"{url}/_emulator/ledger")
    requests = asked(f"{url}/_emulator/requests?limit=0")
    print_figures(batch, settled, elapsed_seconds, requests)
    return books_balance(ledger, settings.partner_id, handover)


async def settle(url: str, line: Line, handover: Handover) -> int:
    """Let the faults stop, and reconcile what they have left in doubt."""
    await asyncio.to_thread(asked, f"{url}/_emulator/faults", b"{}")
    still_in_doubt = 0
    for ended in await line.session.reconcile():
        if isinstance(ended.answer, GiftCard):
            order = Order(request_id=ended.request_id, amount=ended.answer.amount)
            await handover.deliver(ended.answer, order)
        else:
            still_in_doubt += 1
    await asyncio.sleep(LATE_SECONDS)  # whatever may land has landed
    return still_in_doubt


def print_figures(batch: Batch, still_in_doubt: int, seconds: float, requests: Shown) -> None:
    """Print what the client says, and what the emulator saw of it."""
    counts, traffic = batch.tally.counts, batch.line.traffic
    rate = traffic.requests / seconds
    print()
    print_table(
        [
            ("orders", str(batch.tally.orders)),
            ("  issued", str(counts[Issued])),
            ("  declined", str(counts[Declined])),
            ("  reversed", str(counts[Reversed])),
            ("  unavailable", str(counts[Unavailable])),
            ("  in doubt, then reconciled", f"{counts[InDoubt]}, then {still_in_doubt}"),
            ("rows refused", str(batch.tally.rows_refused)),
            ("throttles seen", str(traffic.throttles)),
            ("  of them earned, not scripted", str(requests["by_result"].get("throttled", 0))),
            ("undos", str(traffic.undos)),
            ("successors", str(traffic.successors)),
            ("replays", str(traffic.replays)),
            ("requests a second", f"{rate:.1f} of {REQUESTS_PER_SECOND}"),
            (
                "most in any one second",
                f"{requests['busiest_second']['requests']} of {REQUESTS_PER_SECOND}",
            ),
        ]
    )


def books_balance(ledger: Shown, partner_id: str, handover: Handover) -> bool:
    """Print the ledger beside what was handed over; whether they agree to the cent."""
    status = {card["gc_id"]: card["status"] for card in ledger["cards"]}
    live = {card["request_id"]: card["gc_id"] for card in ledger["cards"] if is_live(card)}
    handed = {gc_id for _, gc_id, _ in handover.cards.values()}
    duplicates = handover.repeated + len(handover.cards) - len(handed)
    for order_id in handover.cards:
        family = [order_id, *(RequestId(order_id).successor(partner_id, n) for n in (1, 2, 3))]
        duplicates += max(sum(request_id in live for request_id in family) - 1, 0)
    dead = sum(status.get(gc_id) != "Fulfilled" for gc_id in handed)
    unknown = len(set(live.values()) - handed)
    debited = Decimal(ledger["funds"][0]["debited"])
    worth = sum((Decimal(card["amount"]) for card in ledger["cards"] if is_live(card)), Decimal())
    issued = sum((amount for _, _, amount in handover.cards.values()), Decimal())
    print("\n  the emulator's ledger")
    print_table(
        [
            ("cards handed over", str(len(handed))),
            ("  duplicates", str(duplicates)),
            ("  dead codes", str(dead)),
            ("live cards nobody has", str(unknown)),
            ("funds debited", f"{debited:,} USD"),
            ("  sum of the live cards", f"{worth:,} USD"),
            ("  sum of the cards handed over", f"{issued:,} USD"),
        ]
    )
    return not (duplicates or dead or unknown) and debited == worth == issued > 0


def is_live(card: Shown) -> bool:
    """Whether a card of the ledger can be redeemed."""
    return card["status"] == "Fulfilled"


# --- the emulator --------------------------------------------------------------------------------


def fault_script(settings: Settings) -> Shown:
    """Return which order meets which fault: the same ones in every run."""
    with open_orders(ORDERS, settings) as rows:
        orders = [row for row in rows if isinstance(row, Order)]
    # Not the orders that are to be declined: a refusal is certain only if nothing went wrong
    # before it, and the table would tell another story.
    ids = [order.request_id for order in orders if is_acceptable(order.amount)]
    never_answered = {"operation": "CreateGiftCard", "fault": "reset_after", "times": 100}
    rules: list[Shown] = [never_answered | {"request_id": ids.pop(0)}]
    chosen = iter(random.Random(SEED).sample(ids, len(ids)))  # noqa: S311  faults, not secrets
    rules += [
        {"operation": "CreateGiftCard", "request_id": next(chosen), **fault}
        for times, fault in CREATE_FAULTS
        for _ in range(times)
    ]
    for _ in range(LOST_UNDOS):
        order = {"request_id": next(chosen)}
        undo = {"operation": "CancelGiftCard", "fault": "land_late", "seconds": LATE_SECONDS}
        rules += [{"operation": "CreateGiftCard", "fault": "f400_before", **order}, undo | order]
    return {"rules": rules}


def is_acceptable(amount: Money) -> bool:
    """Whether the emulator's account may issue it."""
    return amount.currency == "USD" and amount.amount <= CARD_MAX_USD


@contextmanager
def emulator(script: Shown) -> Iterator[str]:
    """Run `agcod emulator` in a process of its own, and end it. The value is its base URL."""
    with tempfile.TemporaryDirectory() as folder:
        faults = Path(folder, "faults.json")
        faults.write_text(json.dumps(script), encoding="utf-8")
        options = ("--port", "0", "--tps", str(REQUESTS_PER_SECOND), "--faults", str(faults))
        command = [sys.executable, "-m", "agcod_async.cli", "emulator", "--json", *options]
        # A session of its own: Ctrl-C is for the batch, which still needs the emulator then.
        with subprocess.Popen(  # noqa: S603  our own command
            command, stdout=subprocess.PIPE, start_new_session=True
        ) as process:
            try:
                yield json.loads(process.stdout.readline())["base_url"]
            finally:
                process.terminate()


def asked(url: str, body: bytes | None = None) -> Shown:
    """Ask the emulator's control endpoints, directly and not through a proxy."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, data=body, timeout=10) as answer:
        return json.load(answer)


if __name__ == "__main__":
    sys.exit(main())
