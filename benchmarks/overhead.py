"""What the SDK itself costs for one gift card: everything but the exchange, in CPU time.

The transport answers in this process, from a template, and lets the other calls run first as a
socket would. The limiter is effectively off. So what is left is check, encode, pace, sign, journal,
decode and the course of a call, with 64 calls at a time. The parts are then measured one by one,
by the same functions that the engine calls; "rest" is what no part accounts for: tasks, futures and
the code in between.

    python benchmarks/overhead.py [--cards 960] [--rounds 15] [--directory /var/tmp]

Every round measures every mode once, so that a busy machine is busy for all of them, and the
medians are shown. Microseconds are of this machine, ratios travel. The yardstick of most ratios is
the hashes that no signature can do without: two SHA-256 and one HMAC. With SqliteJournal the CPU
time of its thread counts too.

Exit code 1 if signing costs more than 1.5 times its hashes.
"""

import argparse
import asyncio
import hashlib
import hmac
import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from agcod_async.agcod import AgcodSession
from agcod_async.batch import Order, issue_many
from agcod_async.batch.verdicts import Issued
from agcod_async.core import verdicts
from agcod_async.core.facts import NOTHING_KNOWN, Proof
from agcod_async.core.outcomes import Applied, Leg, Reply
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.core.resumption import on_record, resume
from agcod_async.core.saga import Forward
from agcod_async.engine.record import Record
from agcod_async.journal.base import Journal
from agcod_async.journal.memory import MemoryJournal
from agcod_async.journal.sqlite import SqliteJournal
from agcod_async.pacing.pacer import LocalPacer
from agcod_async.pacing.port import Lane
from agcod_async.providers.agcod.operations import AGCOD, CREATE_GIFT_CARD
from agcod_async.providers.agcod.requests import create_gift_card_request
from agcod_async.providers.base import Intent
from agcod_async.settings import Settings
from agcod_async.values import Credentials, Money
from agcod_async.wire.sigv4 import Signer

CONCURRENCY = 64
RATE = 100_000.0  # the highest that the settings take: nobody waits for a permit
SIGNING_PROMISED = 1.5
PARTNER = "Emula"
SETTINGS = Settings(
    credentials=Credentials(access_key_id="BENCHMARK", secret_access_key="no/secret"),  # noqa: S106  made up
    partner_id=PARTNER,
    requests_per_second=RATE,
)
AMOUNT = Money("25.00", "USD")
POLICY = RecoveryPolicy()
CANNED = (
    b'","gcClaimCode":"AQ2F-ABCDEF-XYZW","gcExpirationDate":null,"gcId":"A1B2C3D4E5F6G7",'
    b'"cardInfo":{"cardNumber":null,"cardStatus":"Fulfilled","expirationDate":null,"value":'
    b'{"amount":25.0,"currencyCode":"USD"}},"status":"SUCCESS"}'
)
IDS = (f"{PARTNER}BENCH{number:010}" for number in itertools.count())
CPU = time.process_time

Mode = Callable[[int], Awaitable[float]]
"""Does something for so many cards and returns the CPU seconds that it took."""


class CannedTransport:
    """Answers a create with a card, in the next turn of the event loop."""

    async def send(self, _url: str, _headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer `body`."""
        await asyncio.sleep(0)
        return canned_reply(body)

    async def aclose(self) -> None:
        """Hold nothing."""


def canned_reply(body: bytes) -> Reply:
    request_id = body.split(b'"', 4)[3]
    answer = b'{"creationRequestId":"' + request_id + CANNED
    return Reply(200, "application/json", answer, float(int(time.time())))


def intent() -> Intent:
    request = create_gift_card_request(
        request_id=next(IDS), amount=AMOUNT, partner_id=PARTNER, mock_ids_allowed=True
    )
    return CREATE_GIFT_CARD.bind(request)


async def at_once(cards: int, one: Callable[[], Awaitable[object]]) -> float:
    """Do `one` so many times, 64 at a time."""

    async def work() -> None:
        for _ in range(cards // CONCURRENCY):
            await one()

    began = CPU()
    await asyncio.gather(*(work() for _ in range(CONCURRENCY)))
    return CPU() - began


# --- the whole ------------------------------------------------------------------------------------


async def created(journal: Journal, cards: int) -> float:
    async with AgcodSession(SETTINGS, transport=CannedTransport(), journal=journal) as session:
        return await at_once(
            cards, lambda: session.create_gift_card(request_id=next(IDS), amount=AMOUNT)
        )


async def in_memory(cards: int) -> float:
    return await created(MemoryJournal(), cards)


def in_files(folder: Path) -> Mode:
    async def in_file(cards: int) -> float:
        async with SqliteJournal(folder / f"{next(IDS)}.db") as journal:
            return await created(journal, cards)

    return in_file


async def in_batch(cards: int) -> float:
    orders = [Order(request_id=next(IDS), amount=AMOUNT) for _ in range(cards)]
    async with AgcodSession(SETTINGS, transport=CannedTransport()) as session:
        began = CPU()
        async for receipt in issue_many(session, orders, concurrency=CONCURRENCY):
            if not isinstance(receipt.verdict, Issued):
                raise TypeError(f"not issued: {receipt.verdict}")
        return CPU() - began


# --- its parts ------------------------------------------------------------------------------------


async def encode(cards: int) -> float:
    began = CPU()
    for _ in range(cards):
        bound = intent()
        bound.legs(bound.request_id)
    return CPU() - began


async def sign(cards: int) -> float:
    signer = Signer(
        SETTINGS.credentials,
        region=SETTINGS.signing_region,
        service=AGCOD.signing_service,
        url=SETTINGS.url,
        target_prefix=AGCOD.target_prefix,
    )
    body = intent().body
    began = CPU()
    for _ in range(cards):
        signer.sign("CreateGiftCard", body, time.time())
    return CPU() - began


async def pace(cards: int) -> float:
    pacer = LocalPacer(requests_per_second=RATE, sub_limits=AGCOD.sub_limits)

    async def one() -> None:
        permit = await pacer.admit(Lane.INTERACTIVE, "CreateGiftCard", within_seconds=60.0)
        permit.sending()
        await asyncio.sleep(0)
        permit.answered(throttled=False)

    seconds = await at_once(cards, one)
    await pacer.aclose()
    return seconds


async def journal(cards: int) -> float:
    kept, state = MemoryJournal(), Forward()
    outcome, verdict = Applied(None, "A1B2C3D4E5F6G7"), verdicts.Issued(None)
    intents = [intent() for _ in range(cards)]
    began = CPU()
    for one in intents:
        record = await Record.open(kept, one, partner_id=PARTNER, now=0.0)
        await record.sending(state, now=0.0, effects_until=330.0)
        await record.answered(state, outcome, verdict, now=1.0)
    return CPU() - began


async def decode(cards: int) -> float:
    intents = [intent() for _ in range(cards)]
    asked = [(one.legs(one.request_id).forward, canned_reply(one.body)) for one in intents]
    began = CPU()
    for message, reply in asked:
        if not isinstance(message.outcome(reply), Applied):
            raise TypeError("the canned reply is not understood")
    return CPU() - began


async def saga(cards: int) -> float:
    outcome = Applied(None, "A1B2C3D4E5F6G7")
    began = CPU()
    for _ in range(cards):
        state = resume(Leg.FORWARD, NOTHING_KNOWN, Proof.REPLAY)
        if isinstance(state, Forward) and state.facts_when_sent.doubtful:
            on_record(state, state.next(outcome, POLICY))
    return CPU() - began


# --- what it is held against ----------------------------------------------------------------------


async def hashes(cards: int) -> float:
    body, key = intent().body, b"k" * 32
    canonical, to_sign = b"c" * 420, b"s" * 140  # as long as those of a create
    began = CPU()
    for _ in range(cards):
        hashlib.sha256(body).hexdigest()
        hashlib.sha256(canonical).hexdigest()
        hmac.digest(key, to_sign, "sha256").hex()
    return CPU() - began


async def exchange(cards: int) -> float:
    transport, body = CannedTransport(), intent().body
    return await at_once(cards, lambda: transport.send("", {}, body))


async def task(cards: int) -> float:
    async def nothing() -> None:
        await asyncio.sleep(0)

    return await at_once(cards, lambda: asyncio.create_task(nothing()))


# --- the table ------------------------------------------------------------------------------------

PARTS: Mapping[str, Mode] = {
    "encode": encode,
    "sign": sign,
    "pace": pace,
    "journal": journal,
    "decode": decode,
    "saga": saga,
}


def measured(modes: Mapping[str, Mode], *, cards: int, rounds: int) -> dict[str, float]:
    """Return the median CPU time of each mode, in microseconds for one card."""
    cards -= cards % CONCURRENCY
    times: dict[str, list[float]] = {name: [] for name in modes}
    for _ in range(rounds):
        for name, mode in modes.items():
            times[name].append(asyncio.run(mode(cards)) / cards * 1e6)
    return {name: statistics.median(taken) for name, taken in times.items()}


def show(name: str, micros: float, yardstick: float) -> None:
    print(f"{name:<34} {micros:>8.1f} {micros / yardstick:>8.2f}")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cards", type=int, default=960, help="for each mode in each round")
    parser.add_argument("--rounds", type=int, default=15)
    default = "/var/tmp" if Path("/var/tmp").is_dir() else None  # noqa: S108  a real disk, mostly
    parser.add_argument("--directory", default=default, help="where journals are made and removed")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.directory) as folder:
        modes = {
            "hashes": hashes,
            "task": task,
            "exchange": exchange,
            "memory": in_memory,
            "batch": in_batch,
            "sqlite": in_files(Path(folder)),
            **PARTS,
        }
        took = measured(modes, cards=arguments.cards, rounds=arguments.rounds)
    yardstick, whole = took["hashes"], took["memory"] - took["exchange"]
    print(f"{'one card':<34} {'us':>8} {'/hashes':>8}")
    show("two SHA-256 and one HMAC", yardstick, yardstick)
    show("a bare task", took["task"], yardstick)
    show("the canned exchange", took["exchange"], yardstick)
    show("create_gift_card", whole, yardstick)
    for name in PARTS:
        show(f"  {name}", took[name], yardstick)
    show("  rest", whole - sum(took[name] for name in PARTS), yardstick)
    show("issue_many", took["batch"] - took["exchange"], yardstick)
    show("create_gift_card, SqliteJournal", took["sqlite"] - took["exchange"], yardstick)
    print(f"SqliteJournal / MemoryJournal: {took['sqlite'] / took['memory']:.2f}")
    is_kept = took["sign"] <= SIGNING_PROMISED * yardstick
    print(f"signing within {SIGNING_PROMISED} x its hashes: {'kept' if is_kept else 'BROKEN'}")
    return 0 if is_kept else 1


if __name__ == "__main__":
    sys.exit(main())
