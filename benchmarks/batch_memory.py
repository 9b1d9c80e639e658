"""How much memory a job takes, from a thousand orders to a million: the curve is to be flat.

For each size a process of its own plans a job in a temporary directory and runs it through a real
session, against a transport inside the process that answers every create at once. What is printed
is the process's peak beyond what it had after its imports, how long both steps took, and the CPU
that an order cost in both together.

    python benchmarks/batch_memory.py [--orders 1000 10000 100000] [--directory /var/tmp]

`--orders 1000 10000 100000 1000000` takes half an hour. Exit code 1 if the largest
job takes over 32 MiB more than the smallest.
"""

import argparse
import asyncio
import json
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from agcod_async import (
    AgcodSession,
    Job,
    JobRun,
    Money,
    Order,
    RequestId,
    Settings,
    plan_job,
)
from agcod_async.core.outcomes import Reply
from agcod_async.testing import EMULATOR_CREDENTIALS
from agcod_async.wire.port import Exchanged

SETTINGS = Settings(
    credentials=EMULATOR_CREDENTIALS,
    partner_id="Bench",
    requests_per_second=2_000,  # the pacer remembers as many permits as this
)
GROWTH_MIB_MAX = 32
CONCURRENCY = 64


class Answering:
    """A transport that issues whatever is asked for."""

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Exchanged:
        """Answer SUCCESS, with a code that is nobody's."""
        del url, headers
        asked = json.loads(body)
        request_id = asked["creationRequestId"]
        answer = {
            "creationRequestId": request_id,
            "gcClaimCode": f"CODE-{request_id[-10:]}",
            "gcId": f"GC{request_id[-10:]}",
            "cardInfo": {"cardStatus": "Fulfilled", "value": asked["value"]},
            "status": "SUCCESS",
        }
        return Reply(200, "application/json", json.dumps(answer).encode())

    async def aclose(self) -> None:
        """Do nothing."""


class Sink:
    """Takes every card and forgets it."""

    taken = 0

    async def deliver(self, card: object, order: Order) -> None:
        """Count it."""
        del card, order
        self.taken += 1

    async def aclose(self) -> None:
        """Do nothing."""


def orders(count: int) -> Iterator[Order]:
    for number in range(count):
        request_id = RequestId.derive(SETTINGS.partner_id, f"order {number}")
        yield Order(request_id=request_id, amount=Money("25.00", "USD"))


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@dataclass(frozen=True, slots=True)
class Growth:
    """What a job of so many orders took."""

    orders: int
    mib: float
    plan_seconds: float
    run_seconds: float
    cpu_micros: float

    def __str__(self) -> str:
        return (
            f"{self.orders:9,} {self.mib:9.1f} {self.plan_seconds:9.2f} s {self.run_seconds:7.1f} s"
            f" {self.orders / self.run_seconds:8.0f} {self.cpu_micros:12.0f}"
        )


HEADS = (
    f"{'orders':>9} {'MiB more':>9} {'planned in':>11} {'run in':>9} {'cards/s':>8}"
    f" {'CPU us/order':>12}"
)


async def measure(directory: Path, count: int) -> Growth:
    before, started_at, cpu = peak_mib(), time.monotonic(), time.process_time()
    async with await Job.create(directory / "job", SETTINGS) as job:
        await plan_job(job, orders(count))
        planned_at = time.monotonic()
        sink = Sink()
        async with AgcodSession(SETTINGS, transport=Answering(), journal=job.journal) as session:
            await JobRun(session, job, sink=sink, concurrency=CONCURRENCY).finish()
    if sink.taken != count:
        raise RuntimeError(f"{sink.taken} cards of {count} orders")
    return Growth(
        orders=count,
        mib=peak_mib() - before,
        plan_seconds=planned_at - started_at,
        run_seconds=time.monotonic() - planned_at,
        cpu_micros=(time.process_time() - cpu) / count * 1e6,
    )


def measured(directory: str, count: int) -> Growth:
    """Run one job, in a process of its own: its peak is then that of this job alone."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (directory, count))


def _measured(directory: str, count: int) -> Growth:
    with tempfile.TemporaryDirectory(dir=directory) as temporary:
        return asyncio.run(measure(Path(temporary), count))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--orders", type=int, nargs="+", default=[1_000, 5_000, 20_000])
    parser.add_argument("--directory", default=tempfile.gettempdir())
    arguments = parser.parse_args()
    print(HEADS)
    growths: list[Growth] = []
    for count in arguments.orders:
        growths.append(measured(arguments.directory, count))
        print(growths[-1], flush=True)
    grew = growths[-1].mib - growths[0].mib
    print(f"the largest took {grew:.1f} MiB more than the smallest (at most {GROWTH_MIB_MAX})")
    return int(grew > GROWTH_MIB_MAX)


if __name__ == "__main__":
    sys.exit(main())
