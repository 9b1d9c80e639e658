"""How many transitions a second a journal takes, and how long a call waits for one.

Each task makes calls one after the other, as the engine does: an entry is opened, advanced before
the send, and advanced with the answer. So a call is three transitions, each of them awaited.
SqliteJournal makes each durable before it returns; MemoryJournal promises nothing and shows what
the waiting itself costs. Both are measured in turn, in the same run.

    python benchmarks/journal.py [--seconds 2] [--directory /var/tmp]

Exit code 1 if SqliteJournal with 64 tasks takes fewer than 2,000 transitions a second. What it can
take at all is decided by the disk: the time of a bare `fsync` is printed first. A directory in
memory (tmpfs) measures nothing.
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agcod_async.core.facts import Facts
from agcod_async.journal.base import Journal
from agcod_async.journal.memory import MemoryJournal
from agcod_async.journal.records import Entry, replace
from agcod_async.journal.sqlite import SqliteJournal

TASKS = (1, 10, 64)
TASKS_PROMISED = 64
RATE_PROMISED = 2_000
BODY = (
    b'{"creationRequestId":"EmulaBENCH0000000001","partnerId":"Emula",'
    b'"value":{"currencyCode":"USD","amount":25.00}}'
)


@dataclass(frozen=True, slots=True)
class Run:
    """One journal under so many tasks. The waits are of single transitions."""

    transitions: int
    seconds: float
    waits: list[float]

    @property
    def rate(self) -> float:
        """Transitions a second."""
        return self.transitions / self.seconds

    def wait_ms(self, share: float) -> float:
        """Return the wait that this share of the transitions does not exceed."""
        return sorted(self.waits)[int(share * (len(self.waits) - 1))] * 1e3


async def call(journal: Journal, request_id: str, waits: list[float]) -> None:
    """Write what the engine writes for one card."""
    began = time.perf_counter()
    entry = await journal.open(
        Entry(
            request_id=request_id,
            partner_id="Emula",
            operation="CreateGiftCard",
            amount="25.00 USD",
            body=BODY,
            created_at=1_767_225_600.0,
            live_id=request_id,
        )
    )
    opened = time.perf_counter()
    entry = await journal.advance(replace(entry, facts=Facts(doubtful=True), sends=1))
    sent = time.perf_counter()
    facts = Facts(doubtful=True, confirmed=True)
    await journal.advance(replace(entry, facts=facts, gc_id="A1B2C3D4E5F6G7", verdict="Issued"))
    waits += (opened - began, sent - opened, time.perf_counter() - sent)


async def measure(journal: Journal, tasks: int, seconds: float) -> Run:
    """Let so many tasks make calls for this long."""
    waits: list[float] = []
    began = time.perf_counter()

    async def work(task: int) -> None:
        number = 0
        while time.perf_counter() - began < seconds:
            number += 1
            await call(journal, f"Emula{tasks:03}x{task:03}x{number:08}", waits)

    await asyncio.gather(*(work(task) for task in range(tasks)))
    return Run(len(waits), time.perf_counter() - began, waits)


async def measured(opened: Callable[[], Journal], tasks: int, seconds: float) -> Run:
    journal = opened()
    run = await measure(journal, tasks, seconds)
    await journal.aclose()
    return run


def fsync_ms(folder: Path) -> float:
    """Return how long the disk takes to keep 4 KiB, in the median."""
    times: list[float] = []
    with (folder / "fsync").open("wb", buffering=0) as file:
        for _ in range(50):
            file.write(b"x" * 4096)
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - began)
    return statistics.median(times) * 1e3


def print_comparison(folder: Path, seconds: float) -> float:
    """Measure and print everything; return the rate that was promised."""
    print(f"fsync of 4 KiB in {folder.parent}: {fsync_ms(folder):.2f} ms")
    print(f"{'tasks':>5} {'memory/s':>9} {'sqlite/s':>9} {'ratio':>7} {'p50 ms':>7} {'p99 ms':>7}")
    promised = 0.0
    for tasks in TASKS:
        memory = asyncio.run(measured(MemoryJournal, tasks, min(seconds, 0.5)))
        path = folder / f"{tasks}.db"
        sqlite = asyncio.run(measured(lambda path=path: SqliteJournal(path), tasks, seconds))
        ratio, p50, p99 = sqlite.rate / memory.rate, sqlite.wait_ms(0.5), sqlite.wait_ms(0.99)
        rates = f"{tasks:>5} {memory.rate:>9,.0f} {sqlite.rate:>9,.0f} {ratio:>7.3f}"
        print(f"{rates} {p50:>7.2f} {p99:>7.2f}", flush=True)
        if tasks == TASKS_PROMISED:
            promised = sqlite.rate
    return promised


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=2.0, help="of one run of SqliteJournal")
    default = "/var/tmp" if Path("/var/tmp").is_dir() else None  # noqa: S108  a real disk, mostly
    parser.add_argument("--directory", default=default, help="where the files are made and removed")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.directory) as folder:
        rate = print_comparison(Path(folder), min(arguments.seconds, 4.0))
    is_kept = rate >= RATE_PROMISED
    print(f"{RATE_PROMISED:,} a second with {TASKS_PROMISED}: {'kept' if is_kept else 'BROKEN'}")
    return 0 if is_kept else 1


if __name__ == "__main__":
    sys.exit(main())
