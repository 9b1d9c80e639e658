"""Kill a job at a system call, or make the call fail, and see what its files and Amazon say then.

strace does it, to the code that ships, from outside. Amazon is the emulator, in this process and
over a real socket, so it outlives every worker and its books are the truth.
"""

import asyncio
import json
import os
import re
import shutil
import signal
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from agcod_async.batch.job_rows import RowState
from agcod_async.batch.job_store import JobStore
from agcod_async.testing import (
    CardStatus,
    Emulator,
    EmulatorConfig,
    FaultKind,
    FaultRule,
    FaultScript,
    Semantics,
)
from agcod_async.testing.server import serve
from tests.crash.zygote import STORAGE_FAILED, orders

KILL, EIO, ENOSPC = "signal=KILL", "error=EIO", "error=ENOSPC"

FILES = ("journal.sqlite", "journal.sqlite-wal", "job.sqlite", "job.sqlite-wal")
CALLS = ("openat", "pwrite64", "fdatasync", "fsync", "ftruncate", "unlink", "rename")
SENDS = "sendto"
DELIVERIES = "deliveries"

ORDERS = 4
CONCURRENCY = 2
RUNS_MAX = 6
STRACE = shutil.which("strace")

FAULTS = FaultScript(
    rules=tuple(
        FaultRule(fault=fault, request_id=order.request_id, operation="CreateGiftCard")
        for fault, order in zip(
            (FaultKind.F400_AFTER, FaultKind.LOSE_REPLY, FaultKind.F400_BEFORE, FaultKind.RESET),
            orders(ORDERS),
            strict=False,
        )
    )
)


@dataclass(frozen=True, slots=True)
class Point:
    """Where it happens: at the n-th of these calls by one thread, and to which file if to one."""

    call: str
    file: str | None
    nth: int
    what: str
    is_planned: bool = False
    lasts: bool = False

    def __str__(self) -> str:
        """Return it as pytest shows it, and as `parse` reads it."""
        plan = "planned" if self.is_planned else "new"
        lasts = "+" if self.lasts else ""
        return f"{plan}:{self.call}:{self.file or ''}:{self.nth}{lasts}:{self.what}"

    @classmethod
    def parse(cls, text: str) -> "Point":
        """Read what `str` has written."""
        plan, call, file, nth, what = text.split(":")
        number = int(nth.rstrip("+"))
        return cls(call, file or None, number, what, plan == "planned", nth.endswith("+"))


class Zygote:
    """The process that forks the workers."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    @asynccontextmanager
    async def started(cls) -> AsyncIterator["Zygote"]:
        """Start one, and end it."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-W", "error", "-m", "tests.crash.zygote"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            yield cls(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            await process.wait()

    async def run(self, task: dict[str, object], tracer: list[str] | None = None) -> int:
        """Let a worker do `task`, under a tracer if one is given; return how it ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        line = json.dumps({**task, "traced": tracer is not None})
        self._process.stdin.write(f"{line}\n".encode())
        pid = int(await self._process.stdout.readline())
        ended = asyncio.create_task(self._process.stdout.readline())
        tracing = None
        if tracer is not None:
            tracing = await asyncio.create_subprocess_exec(*tracer, "-p", str(pid))
            while not _is_traced(pid):
                assert tracing.returncode is None, "strace has ended: is tracing allowed here?"
                await asyncio.sleep(0.001)
        while not (await asyncio.wait([ended], timeout=0.02))[0]:
            if _is_stopped(pid):  # strace may still have been taking hold when it was let go
                os.kill(pid, signal.SIGCONT)
        if tracing is not None:
            await tracing.wait()
        return int(ended.result())


def _is_traced(pid: int) -> bool:
    return "TracerPid:\t0\n" not in _status(pid)


def _is_stopped(pid: int) -> bool:
    return bool(re.search(r"State:\t[Tt]", _status(pid)))


def _status(pid: int) -> str:
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/status").read_text()
    return ""  # it has ended


@dataclass(slots=True)
class Scene:
    """One job, one Amazon, one customer."""

    zygote: Zygote
    emulator: Emulator
    directory: Path
    url: str

    @classmethod
    @asynccontextmanager
    async def opened(cls, zygote: Zygote, semantics: str = "tombstone") -> AsyncIterator["Scene"]:
        """Make a scene, and clear it away."""
        config = EmulatorConfig(
            faults=FAULTS, semantics=Semantics.from_text(semantics), requests_per_second=None
        )
        emulator = Emulator(config)
        with tempfile.TemporaryDirectory() as place:
            async with serve(emulator, silence_seconds=0.2) as url:
                yield cls(zygote, emulator, Path(place), url)

    @property
    def job(self) -> Path:
        """The directory of the job."""
        return self.directory / "job"

    async def run(self, tracer: list[str] | None = None, orders: int = ORDERS) -> int:
        """Run the job once."""
        task: dict[str, object] = {
            "directory": str(self.job),
            "url": self.url,
            "deliveries": str(self.directory / DELIVERIES),
            "errors": str(self.directory / "errors"),
            "orders": orders,
            "concurrency": CONCURRENCY,
        }
        return await self.zygote.run(task, tracer)

    async def crash(self, point: Point) -> "Tried":
        """Run with a fault at `point`."""
        log = self.directory / "log"
        when = f"when={point.nth}{'+' if point.lasts else ''}"
        inject = f"--inject={point.call}:{point.what}:{when}"
        status = await self.run([*self._strace(point.call, point.file, str(log)), inject])
        was_reached = status == -signal.SIGKILL or "(INJECTED)" in log.read_text()
        return Tried(point, was_reached, status)

    async def counted(self) -> Counter[tuple[str, str]]:
        """Run without a fault; return how often one thread made each call on each file, at most."""
        log = self.directory / "log"
        status = await self.run(self._strace(",".join((*CALLS, SENDS, "write")), None, str(log)))
        assert status == 0, self.errors()
        by_thread: Counter[tuple[str, str, str]] = Counter()
        for line in log.read_text().splitlines():
            found = re.match(r"(\d+) +(\w+)\((.*)", line)
            if found is None:
                continue
            thread, call, rest = found.groups()
            named = re.search(rf"/({'|'.join((*FILES[::-1], DELIVERIES))})[>\"]", rest)
            file = named.group(1) if named else ""
            by_thread[thread, call, file] += 1
        most: Counter[tuple[str, str]] = Counter()
        for (_, call, file), times in by_thread.items():
            most[call, file] = max(most[call, file], times)
        return most

    def _strace(self, calls: str, file: str | None, log: str) -> list[str]:
        assert STRACE is not None
        path: list[str] = []
        if file is not None:
            path = ["-P", str((self.directory if file == DELIVERIES else self.job) / file)]
        return [STRACE, "-f", "-qqq", "-y", "-o", log, "-e", f"trace={calls}", *path]

    def errors(self) -> str:
        """Return what the workers had to say."""
        file = self.directory / "errors"
        return file.read_text() if file.exists() else ""

    def delivered(self) -> dict[str, set[str]]:
        """Return the codes that the customer has for each order."""
        codes: dict[str, set[str]] = {}
        file = self.directory / DELIVERIES
        for line in file.read_text().splitlines() if file.exists() else ():
            order, code = json.loads(line)
            codes.setdefault(order, set()).add(code)
        return codes

    def check_record(self) -> None:
        """See that nothing has arrived at Amazon that was not on record before it left."""
        if not (self.job / FILES[0]).exists():
            assert not self.emulator.arrivals.total
            return
        with tempfile.TemporaryDirectory() as place:  # looking must not mend what a crash has left
            copy = shutil.copytree(self.job, place, dirs_exist_ok=True)
            connection = sqlite3.connect(Path(copy) / FILES[0])
            try:
                sends = dict(connection.execute("SELECT live_id, sends FROM entry").fetchall())
                known = {root for (root,) in connection.execute("SELECT request_id FROM entry")}
            except sqlite3.OperationalError:  # the table was not there yet
                sends, known = {}, set()
            connection.close()
        arrived = Counter(
            one.request_id
            for one in self.emulator.arrivals.latest
            if one.operation == "CreateGiftCard"
        )
        assert arrived.keys() <= {*sends, *known}
        # An ID that has a successor is not sent any more, and its sends are forgotten.
        assert all(arrived[live_id] <= times for live_id, times in sends.items())

    def check(self) -> None:
        """Hold files and customer against the books: every order once, live, delivered."""
        cards = self.emulator.ledger.cards()
        live = {card.claim_code.reveal(): card for card in cards if card.status is CardStatus.LIVE}
        wanted = {order.request_id: order.amount for order in orders(ORDERS)}
        delivered = self.delivered()
        assert delivered.keys() == wanted.keys()
        for order, codes in delivered.items():
            assert len(codes) == 1, f"{order} was given {len(codes)} codes"
            (code,) = codes
            assert code in live, f"{order} was given a dead code"
            assert live[code].value == wanted[order]
        assert len(live) == ORDERS, "there is a card that nobody has"
        (balance,) = self.emulator.ledger.balances()
        total = sum((amount.amount for amount in wanted.values()), Decimal(0))
        assert balance.debited == balance.live == total
        self._check_files([card.claim_code.reveal() for card in cards])

    def _check_files(self, codes: list[str]) -> None:
        for file in self.job.iterdir():
            held = file.read_bytes()
            assert not any(code.encode() in held for code in codes), f"a code is in {file.name}"
        store = JobStore.at(self.job / "job.sqlite")
        try:
            totals = store.totals()
        finally:
            store.close()
        states = {state: sum(one.orders for one in sums) for state, sums in totals.items() if sums}
        assert states == {RowState.DELIVERED: ORDERS}


@dataclass(frozen=True, slots=True)
class Tried:
    """What a point came to."""

    point: Point
    was_reached: bool
    status: int


async def tried(zygote: Zygote, *points: Point, semantics: str = "tombstone") -> list[Tried]:
    """Crash at one point after the other, then run the job to its end, and check everything."""
    found: list[Tried] = []
    async with Scene.opened(zygote, semantics) as scene:
        if points[0].is_planned:
            planned = Point("openat", DELIVERIES, 1, KILL)  # the plan is complete, nothing is sent
            assert (await scene.crash(planned)).status == -signal.SIGKILL
            assert not scene.emulator.arrivals.total
        for point in points:
            found.append(await scene.crash(point))
            assert found[-1].status in {0, -signal.SIGKILL, STORAGE_FAILED}, scene.errors()
            scene.check_record()
        assert await scene.run() == 0, scene.errors()
        scene.check()
    return found


def points(counts: Counter[tuple[str, str]], *, is_planned: bool) -> Iterator[Point]:
    """Yield every point that a run has, by kind of fault."""
    for (call, file), times in sorted(counts.items()):
        if not file and call != SENDS:
            continue
        for nth in range(1, times + 1):
            yield Point(call, file or None, nth, KILL, is_planned)
            if file in FILES and call in {"pwrite64", "fdatasync", "fsync", "openat"}:
                yield Point(call, file, nth, EIO, is_planned)
                yield Point(call, file, nth, ENOSPC, is_planned, lasts=True)
