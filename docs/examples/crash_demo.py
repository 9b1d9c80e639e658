"""Issue a job of many orders whose process is killed again and again, then check all its books.

Run it with `make crash-demo`. It starts `agcod emulator` as a process of its own on loopback with a
seeded script of faults, runs the code behind `agcod batch issue --job` in another one, kills that
with SIGKILL at seeded moments, and runs it again each time. In the end it holds four books against
each other: the orders, the emulator's ledger, the job's status, and what its sink was given. It
exits with 1 if anything does not add up.

    python docs/examples/crash_demo.py --orders 2000 --kills 5 --rate 500 --seed 1
"""

import asyncio
import json
import os
import random
import re
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp

from agcod_async import RecoveryPolicy, RequestId, Settings
from agcod_async.batch import RowState
from agcod_async.batch.job_view import view_job
from agcod_async.batch.orders import PlannedOrder
from agcod_async.cli import batch_issue
from agcod_async.cli.job_command import run_job_command
from agcod_async.cli.job_options import JobOptions
from agcod_async.cli.job_status import JobStatus
from agcod_async.cli.order_fields import JobKeys
from agcod_async.cli.orders_file import open_plan
from agcod_async.cli.report import print_table
from agcod_async.testing import EMULATOR_CREDENTIALS, EMULATOR_PARTNER_ID

# A real request may have its effect until its signature expires: 330 seconds. That is long for a
# demonstration, so here the emulator lets nothing land later than LATE_SECONDS, and the client is
# told so. The timeout of an attempt is short for the same reason (Amazon recommends 6 seconds).
LATE_SECONDS = 1.0
POLICY = RecoveryPolicy(late_horizon_seconds=4.0)
ATTEMPT_TIMEOUT_SECONDS = 1.0
CONCURRENCY = 128

ORDERS_MAX = 50_000  # the emulator's log of arrivals, which is counted in the end, holds them all
FUNDS_USD = 100_000_000
SINK = Path(__file__).with_name("deliver_to_socket.py")

Shown = dict[str, Any]

FAULTS_PER_THOUSAND: tuple[tuple[int, Shown], ...] = (
    (10, {"fault": "f400_before"}),
    (10, {"fault": "f400_after"}),
    (2, {"fault": "f400_late", "seconds": LATE_SECONDS}),
    (5, {"fault": "lose_request"}),
    (8, {"fault": "lose_reply"}),
    (2, {"fault": "land_late", "seconds": LATE_SECONDS}),
    (2, {"fault": "f500_after"}),
    (1, {"fault": "garbage"}),
    (5, {"fault": "reset"}),
    (5, {"fault": "reset_after"}),
)
"""How many of a thousand orders meet which fault, once each."""

LOST_UNDOS_PER_THOUSAND = 2
"""Orders whose F400 is followed by an undo that is not answered, and lands late."""

ORDERS_PER_THROTTLE = 5000

EARLY_KILLS = 4
"""One kill of so many hits the process while it starts or takes up what was left behind."""

RUNS_TO_THE_END_MAX = 10
"""How often the job is run once nobody kills it any more. Once should do."""

WORDS_SHOWN_MAX = 20

CODE = re.compile(rb"[A-Z0-9]{4}-[A-Z0-9]{6}-[A-Z0-9]{4}")
"""The form of a claim code. Nothing else in the job's files has it: no key or ID has a hyphen."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When to kill: so many seconds after the process began, or after so many orders are done."""

    delivered: int | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Delivery:
    """One card, as the sink was given it. Its code is kept in memory only, to be searched for."""

    live_request_id: str
    gc_id: str
    amount: Decimal
    code: str = field(repr=False)


@dataclass(slots=True)
class Shop:
    """Where the cards go. It outlives every process of the job."""

    deliveries: dict[str, list[Delivery]] = field(default_factory=dict)
    open_connections: int = 0
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take what one sink brings; the last may still empty its pipe when the next comes."""
        self.open_connections += 1
        try:
            while line := await reader.readline():
                card = json.loads(line)
                self.take(card["request_id"], card)
                writer.write(f"{card['request_id']}\n".encode())
                async with self._changed:
                    self._changed.notify_all()
        finally:
            self.open_connections -= 1
            writer.close()
            async with self._changed:
                self._changed.notify_all()

    def take(self, order_id: str, card: Mapping[str, str]) -> None:
        """Take one card."""
        delivery = Delivery(
            live_request_id=card["live_request_id"],
            gc_id=card["gc_id"],
            amount=Decimal(card["amount"]),
            code=card["claim_code"],
        )
        self.deliveries.setdefault(order_id, []).append(delivery)

    async def has(self, orders: int) -> None:
        """Wait until so many orders have a card."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self.deliveries) >= orders)

    async def empty(self) -> None:
        """Wait until no sink brings anything any more."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self.open_connections)


@dataclass(frozen=True, slots=True)
class Books:
    """Everything that is compared in the end."""

    orders: Mapping[str, Decimal]
    status: JobStatus
    ledger: Shown
    requests: Shown
    deliveries: Mapping[str, Sequence[Delivery]]
    codes_in_files: int


def main() -> int:
    """Run the demonstration, or the job's process in it."""
    if sys.argv[1:2] == ["worker"]:
        return work(sys.argv[2:])
    options = understood(sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="agcod-crash-demo-") as place:
        return asyncio.run(demonstrate(options, Path(place)))


def work(words: Sequence[str]) -> int:
    """Do what `agcod batch issue` does with these words, but under the policy above."""
    parser = ArgumentParser(prog="crash_demo.py worker")
    batch_issue.add_arguments(parser)
    arguments = parser.parse_args(words)
    options = JobOptions.of(arguments, directory=arguments.job, file=arguments.file)
    settings = replace(Settings.from_env(), attempt_timeout_seconds=ATTEMPT_TIMEOUT_SECONDS)
    return run_job_command(replace(options, policy=POLICY), settings)


def understood(words: Sequence[str]) -> Namespace:
    """Read the command line."""
    parser = ArgumentParser(description="Kill a job again and again, and check its books.")
    parser.add_argument("--orders", type=int, default=20_000, metavar="N")
    parser.add_argument("--kills", type=int, default=20, metavar="N")
    parser.add_argument("--rate", type=float, default=500.0, metavar="REQUESTS_PER_SECOND")
    parser.add_argument("--seed", type=int, default=7, metavar="N")
    options = parser.parse_args(words)
    if not 1 <= options.orders <= ORDERS_MAX:
        parser.error(f"--orders: {options.orders} is out of range (1 to {ORDERS_MAX})")
    if not 0 <= options.kills < options.orders:
        parser.error(f"--kills: {options.kills} is out of range (0 to --orders)")
    return options


async def demonstrate(options: Namespace, place: Path) -> int:
    """Issue the orders, kill the job meanwhile, and compare the books."""
    name = f"crash-demo-{options.seed}"
    file = place / "orders.csv"
    write_orders(file, options)
    orders = planned(file, name)
    script = fault_script(list(orders), random.Random(options.seed))  # noqa: S311  no secrets
    moments = kill_moments(options, random.Random(options.seed))  # noqa: S311  as above
    print(
        f"{len(orders):,} orders at {options.rate:g} requests a second, {len(script['rules']):,}"
        f" scripted faults, {options.kills} kills (seed {options.seed}).\n"
        f"Nothing lands later than {LATE_SECONDS:g} s here, so the client may trust an ID after "
        f"{POLICY.late_horizon_seconds:g} s\ninstead of 330.\n",
        flush=True,
    )
    shop = Shop()
    server = await asyncio.start_server(shop.serve, "127.0.0.1", 0)
    async with server, emulator(script, options, place) as running:
        port = server.sockets[0].getsockname()[1]
        job = Job(shop, place, command_of(file, place / "job", name, port), running["environment"])
        began_at = time.monotonic()
        for moment in moments:
            await job.killed(moment)
        runs = await job.finished()
        seconds = time.monotonic() - began_at
        await asyncio.sleep(LATE_SECONDS)  # whatever may land has landed
        await shop.empty()
        books = Books(
            orders=orders,
            status=status_of(place / "job"),
            ledger=await asked(running["base_url"], "ledger"),
            requests=await asked(running["base_url"], "requests"),
            deliveries=shop.deliveries,
            codes_in_files=job.codes_found + codes_in(place),
        )
    wrong = compared(books)
    print_figures(books, wrong)
    print_run(job, runs, len(moments), seconds, books)
    if not any(wrong.values()):
        print("\nThe books balance.")
        return 0
    print("\nTHE BOOKS DO NOT BALANCE.")
    said = (place / "worker.log").read_text("utf-8").splitlines()[-WORDS_SHOWN_MAX:]
    print("The job's last words:", *said, sep="\n  ", file=sys.stderr)
    return 1


# --- the job, and its death ----------------------------------------------------------------------


@dataclass(slots=True)
class Job:
    """A job that is run by one process after the other."""

    shop: Shop
    place: Path
    command: Sequence[str]
    environment: Mapping[str, str]
    kills: int = 0
    codes_found: int = 0

    @asynccontextmanager
    async def _process(self) -> AsyncIterator[asyncio.subprocess.Process]:
        with (self.place / "worker.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *self.command, env={**os.environ, **self.environment}, stdout=log, stderr=log
            )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def killed(self, moment: Moment) -> None:
        """Run the job, and kill it at this moment if it has not ended before."""
        async with self._process() as process:
            ended = asyncio.create_task(process.wait())
            await asyncio.wait(
                [ended, due := asyncio.create_task(self._due(moment))],
                return_when=asyncio.FIRST_COMPLETED,
            )
            due.cancel()
            was_running = process.returncode is None
        await ended
        self.kills += was_running
        self.codes_found += codes_in(self.place)  # as the crash has left them
        what = "killed" if was_running else f"ended with {process.returncode}"
        print(f"  {what} with {len(self.shop.deliveries):,} orders delivered", flush=True)

    async def _due(self, moment: Moment) -> None:
        if moment.delivered is not None:
            await self.shop.has(moment.delivered)
        await asyncio.sleep(moment.seconds)

    async def finished(self) -> int:
        """Run the job until it says that all is done; return how many runs that took."""
        for run in range(1, RUNS_TO_THE_END_MAX + 1):
            async with self._process() as process:
                if await process.wait() == 0:
                    return run
            await asyncio.sleep(POLICY.late_horizon_seconds)
        return RUNS_TO_THE_END_MAX


def command_of(file: Path, job: Path, name: str, port: int) -> list[str]:
    """Return how the job is run, the first time and every time."""
    sink = f"'{sys.executable}' '{SINK}' {port}"
    return [
        *(sys.executable, str(Path(__file__).resolve()), "worker", str(file), "--job", str(job)),
        *("--name", name, "--deliver-command", sink),
        *("--concurrency", str(CONCURRENCY), "--progress", "none"),
    ]


def kill_moments(options: Namespace, chance: random.Random) -> list[Moment]:
    """Return when to kill: some early in a process's life, the others all over the job."""
    early = options.kills // EARLY_KILLS
    done_max = max(options.orders * 19 // 20, options.kills)
    late = iter(sorted(chance.sample(range(1, done_max + 1), options.kills - early)))
    places = set(chance.sample(range(options.kills - 1), early)) if early else set()
    return [
        Moment(None, chance.uniform(0.1, 1.5))
        if number in places
        else Moment(next(late), chance.uniform(0.0, 0.05))
        for number in range(options.kills)
    ]


def codes_in(place: Path) -> int:
    """Count what has the form of a claim code in the job's files, and in what it has printed."""
    return sum(
        len(CODE.findall(path.read_bytes()))
        for path in (*(place / "job").glob("*"), place / "worker.log")
        if path.is_file()
    )


def status_of(directory: Path) -> JobStatus:
    """Return how the job stands."""
    with view_job(directory) as view:
        return JobStatus.of(view)


# --- comparing -----------------------------------------------------------------------------------


def compared(books: Books) -> dict[str, int]:
    """Return how much is wrong, under the names of the table; all is well if all are 0."""
    status = {card["gc_id"]: card["status"] for card in books.ledger["cards"]}
    live = {gc_id for gc_id, is_now in status.items() if is_now == "Fulfilled"}
    cards = {
        order: {(one.gc_id, one.code, one.amount) for one in given}
        for order, given in books.deliveries.items()
    }
    handed = Counter(gc_id for given in cards.values() for gc_id in {one[0] for one in given})
    second_cards = sum(len(given) - 1 for given in cards.values())
    second_owners = sum(owners - 1 for owners in handed.values())
    nobodys = len(live - handed.keys())
    debited, worth, given = sums(books)
    return {
        "orders without a card": len(books.orders.keys() - cards.keys()),
        "cards without an order": len(cards.keys() - books.orders.keys()),
        "duplicates": second_cards + second_owners + sum(live_twice(books)),
        "dead codes": sum(status.get(gc_id) != "Fulfilled" for gc_id in handed),
        "live cards that nobody has": nobodys,
        "wrong amounts": sum(
            amount != books.orders.get(order)
            for order, given_cards in cards.items()
            for _, _, amount in given_cards
        ),
        "orders not delivered, says the job": len(books.orders)
        - books.status.count(RowState.DELIVERED),
        "in doubt, says the job": books.status.count(RowState.IN_DOUBT),
        "codes in the job's files": books.codes_in_files,
        "codes that would not be found": sum(
            CODE.fullmatch(code.encode()) is None
            for given_cards in cards.values()
            for _, code, _ in given_cards
        ),
        "cents between the sums": int(
            100 * max(abs(debited - worth), abs(worth - given), abs(given - ordered(books)))
        ),
    }


def live_twice(books: Books) -> Iterator[int]:
    """Yield how many live cards each order has beyond one, over all IDs that it may have used."""
    live = Counter(
        card["request_id"] for card in books.ledger["cards"] if card["status"] == "Fulfilled"
    )
    for order in books.orders:
        family = [order, *(successors(order))]
        yield max(sum(live[request_id] for request_id in family) - 1, 0)


def successors(order: str) -> list[str]:
    """Return the IDs that may take over from an order's own."""
    numbers = range(1, POLICY.successors_max + 1)
    return [str(RequestId(order).successor(EMULATOR_PARTNER_ID, number)) for number in numbers]


def sums(books: Books) -> tuple[Decimal, Decimal, Decimal]:
    """Return what was debited, what the live cards are worth, and what the sink was given."""
    live = [card for card in books.ledger["cards"] if card["status"] == "Fulfilled"]
    return (
        Decimal(books.ledger["funds"][0]["debited"]),
        sum((Decimal(card["amount"]) for card in live), Decimal()),
        sum((given[0].amount for given in books.deliveries.values()), Decimal()),
    )


def ordered(books: Books) -> Decimal:
    """Return what was ordered."""
    return sum(books.orders.values(), Decimal())


def print_figures(books: Books, wrong: Mapping[str, int]) -> None:
    """Print the books beside each other."""
    debited, worth, given = sums(books)
    print()
    print_table(
        [
            ("ordered", f"{ordered(books):,} USD"),
            ("debited, says the ledger", f"{debited:,} USD"),
            ("live cards, says the ledger", f"{worth:,} USD"),
            ("delivered, says the sink", f"{given:,} USD"),
            *((what, f"{count:,}") for what, count in wrong.items()),
        ]
    )


def print_run(job: Job, runs: int, kills: int, seconds: float, books: Books) -> None:
    """Print what it took."""
    requests = books.requests
    creates = Counter(
        one["request_id"]
        for one in requests["arrivals"]
        if one["operation"] == "CreateGiftCard" and one["result"] != "throttled"
    )
    deliveries = [len(given) for given in books.deliveries.values()]
    throttled = requests["by_result"].get("throttled", 0)
    print("\n  what it took")
    print_table(
        [
            ("kills", f"{job.kills} of {kills}"),
            ("runs after the last", str(runs)),
            ("orders", f"{len(books.orders):,}"),
            ("deliveries", f"{sum(deliveries):,}"),
            ("  more than once", f"{sum(times > 1 for times in deliveries):,}"),
            ("faults met", f"{sum(requests['by_fault'].values()):,}"),
            ("throttled", f"{throttled + requests['by_fault'].get('throttle', 0):,}"),
            ("  of them earned, not scripted", f"{throttled:,}"),
            ("replays", f"{creates.total() - len(creates):,}"),
            ("undos", f"{requests['by_operation'].get('CancelGiftCard', 0):,}"),
            ("successors", f"{len(creates.keys() - books.orders.keys()):,}"),
            ("requests", f"{requests['total']:,}"),
            ("most in any one second", f"{requests['busiest_second']['requests']:,}"),
            ("seconds", f"{seconds:.1f}"),
            ("orders a second", f"{len(books.orders) / seconds:.1f}"),
        ]
    )


# --- the orders and the emulator -----------------------------------------------------------------


def write_orders(file: Path, options: Namespace) -> None:
    """Write a file of orders, the same ones for the same seed."""
    chance = random.Random(options.seed)  # noqa: S311  amounts, not secrets
    rows = (
        f"ORDER{number:06},{chance.randint(1, 200)}.{chance.randint(0, 99):02},USD\n"
        for number in range(options.orders)
    )
    file.write_text("business_key,amount,currency\n" + "".join(rows), encoding="utf-8")


def planned(file: Path, name: str) -> dict[str, Decimal]:
    """Return the amount of each order by its request ID, as the job will plan them."""
    settings = Settings(credentials=EMULATOR_CREDENTIALS, partner_id=EMULATOR_PARTNER_ID)
    with open_plan(file, settings, JobKeys(name)) as rows:
        return {
            row.order.request_id: row.order.amount.amount
            for row in rows
            if isinstance(row, PlannedOrder)
        }


def fault_script(orders: Sequence[str], chance: random.Random) -> Shown:
    """Return which order meets which fault: the same ones for the same seed."""
    chosen = iter(chance.sample(orders, len(orders)))

    def some(per_thousand: float) -> Iterator[Shown]:
        for _ in range(max(round(per_thousand * len(orders) / 1000), 1)):
            if (order := next(chosen, None)) is not None:
                yield {"request_id": order}

    rules: list[Shown] = [
        {"operation": "CreateGiftCard", **fault, **order}
        for per_thousand, fault in FAULTS_PER_THOUSAND
        for order in some(per_thousand)
    ]
    throttle = {"operation": "CreateGiftCard", "fault": "throttle"}
    rules += [throttle | order for order in some(1000 / ORDERS_PER_THROTTLE)]
    undo = {"operation": "CancelGiftCard", "fault": "land_late", "seconds": LATE_SECONDS}
    for order in some(LOST_UNDOS_PER_THOUSAND):
        rules += [{"operation": "CreateGiftCard", "fault": "f400_before", **order}, undo | order]
    return {"rules": rules}


@asynccontextmanager
async def emulator(script: Shown, options: Namespace, place: Path) -> AsyncIterator[Shown]:
    """Run `agcod emulator` in a process of its own, and end it. The value is what it says."""
    faults = place / "faults.json"
    faults.write_text(json.dumps(script), encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "agcod_async.cli", "emulator", "--json", "--port", "0"),
        *("--tps", f"{options.rate:g}", "--funds", str(FUNDS_USD), "--faults", str(faults)),
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for this process, which then ends it
    )
    try:
        if process.stdout is None:
            raise RuntimeError
        yield json.loads(await process.stdout.readline())
    finally:
        process.terminate()
        await process.wait()


async def asked(url: str, what: str) -> Shown:
    """Ask one of the emulator's control endpoints, directly and not through a proxy."""
    async with aiohttp.ClientSession() as client, client.get(f"{url}/_emulator/{what}") as answer:
        shown: Shown = await answer.json()
        return shown


if __name__ == "__main__":
    sys.exit(main())
