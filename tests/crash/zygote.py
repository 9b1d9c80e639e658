"""A process that has imported everything and forks a worker for each run: a fork costs a
hundredth of a start.

It reads one JSON object a line and answers two lines: the worker's process ID, and how it ended.
A worker that is to be traced stops itself before it begins, until somebody lets it go on.

    python -m tests.crash.zygote
"""

import asyncio
import functools
import gc
import json
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agcod_async.agcod import AgcodSession
from agcod_async.batch.job import Job
from agcod_async.batch.job_run import JobRun
from agcod_async.batch.orders import Order
from agcod_async.batch.planning import plan_job
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.journal.base import JournalError
from agcod_async.providers.agcod.messages import GiftCard
from agcod_async.settings import Settings
from agcod_async.testing import EMULATOR_CREDENTIALS, EMULATOR_PARTNER_ID
from agcod_async.values import Money
from agcod_async.wire import exchange
from agcod_async.wire.aiohttp_transport import AiohttpTransport

STORAGE_FAILED = 9
"""The exit code of a worker that was told, clearly, that its files cannot be written."""

POLICY = RecoveryPolicy(
    backoff_base_seconds=0.005, backoff_max_seconds=0.02, late_horizon_seconds=0.3
)
"""Short pauses, because this is real time. Nothing here lands later than the horizon."""

ATTEMPT_TIMEOUT_SECONDS = 0.1


class Deliveries:
    """A sink that writes what it is given at the end of a file: the customer, who keeps it."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    async def deliver(self, card: GiftCard, order: Order) -> None:
        line = json.dumps([order.request_id, card.claim_code.reveal()])
        os.write(self._file, f"{line}\n".encode())

    async def aclose(self) -> None:
        os.close(self._file)


def orders(number: int) -> Iterator[Order]:
    for n in range(number):
        yield Order(
            request_id=f"{EMULATOR_PARTNER_ID}Crash{n:02d}", amount=Money(f"{n + 1}.25", "USD")
        )


async def work(task: dict[str, Any]) -> None:
    """Plan the job if it has no plan, and run it to its end."""
    settings = Settings(
        credentials=EMULATOR_CREDENTIALS,
        partner_id=EMULATOR_PARTNER_ID,
        base_url=task["url"],
        requests_per_second=1_000,
        attempt_timeout_seconds=ATTEMPT_TIMEOUT_SECONDS,
    )
    transport = AiohttpTransport()
    async with await Job.create(task["directory"], settings) as job:
        if (await job.facts()).planned_at is None:
            await plan_job(job, orders(task["orders"]))
        async with AgcodSession(
            settings, transport=transport, journal=job.journal, policy=POLICY
        ) as session:
            sink = Deliveries(task["deliveries"])
            run = JobRun(session, job, sink=sink, concurrency=task["concurrency"])
            async for _ in run.settled():
                pass
    await transport.aclose()


def worker(task: dict[str, Any]) -> None:
    """Do one run and leave with its exit code."""
    if task["traced"]:
        os.kill(os.getpid(), signal.SIGSTOP)
    status = 1
    with Path(task["errors"]).open("a") as errors:
        try:
            asyncio.run(work(task))
            status = 0
        except JournalError as error:
            errors.write(f"JournalError: {error}\n")
            status = STORAGE_FAILED
        except BaseException:  # noqa: BLE001  the driver reads what it was
            traceback.print_exc(file=errors)
    os._exit(status)


def main() -> None:
    # Reading all certificates takes longer than a run, and here nothing is encrypted.
    exchange.tls_context = functools.cache(exchange.tls_context)
    exchange.tls_context()
    gc.freeze()
    for line in sys.stdin:
        task = json.loads(line)
        pid = os.fork()
        if pid == 0:
            worker(task)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
