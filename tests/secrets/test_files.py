"""No secret is in any file that a job leaves, nor in what the command prints."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agcod_async.agcod import AgcodSession
from agcod_async.batch import issue_many
from agcod_async.batch.job_run import JobRun
from agcod_async.credentials import RotatingCredentials
from agcod_async.delivery import DeliveryLine, WebhookSink
from agcod_async.journal.sqlite import SqliteJournal
from agcod_async.testing import Emulator, EmulatorConfig, FaultKind, FaultMix, FaultScript
from agcod_async.testing.clock import run, virtual_clock
from tests.cli.stage import HEADER, Served
from tests.delivery.receiver import received
from tests.secrets.amazon import PARTNER_ID, SECRET, SETTINGS, BadAmazon
from tests.secrets.issuing import POLICY, FreePacer, orders
from tests.secrets.net import MARK, Net
from tests.secrets.showing import show
from tests.secrets.test_operations import KEY
from tests.support.jobs import Taker, planned

WEBHOOK_SECRET = f"{MARK}-webhook-secret"
ORDERS = 300


def look_at_files(net: Net, directory: Path) -> set[str]:
    """Hold every file under a directory over the net, and return their names."""
    files = [one for one in directory.rglob("*") if one.is_file()]
    for file in files:
        net.data(file.name, file.read_bytes())
    return {file.name for file in files}


def test_no_secret_is_in_the_files_of_a_job_while_it_runs_or_afterwards(
    net: Net, tmp_path: Path
) -> None:
    sink = Taker()

    async def main() -> None:
        job = await planned(tmp_path / "job", orders(ORDERS))
        session = AgcodSession(
            SETTINGS,
            transport=BadAmazon(net, seed=3),
            journal=job.journal,
            pacer=FreePacer(),
            policy=POLICY,
            clock=virtual_clock(),
        )
        async with session:
            running = JobRun(session, job, sink=sink, clock=virtual_clock())
            async for settled in running.settled():
                net.text("what is settled", repr(settled))
        show(net, "the job", job)
        show(net, "the run", running)
        assert {"journal.sqlite-wal", "job.sqlite-wal"} & look_at_files(net, tmp_path)
        await job.aclose()

    run(main())

    assert len(sink.cards) > ORDERS / 2
    assert look_at_files(net, tmp_path)


def test_no_secret_is_in_the_journal_file_nor_in_what_is_written_ahead(
    net: Net, tmp_path: Path
) -> None:
    async def main() -> None:
        journal = SqliteJournal(tmp_path / "journal.db")
        session = AgcodSession(
            SETTINGS,
            transport=BadAmazon(net, seed=4),
            journal=journal,
            pacer=FreePacer(),
            policy=POLICY,
        )
        async with session:
            async for receipt in issue_many(session, orders(ORDERS)):
                net.text("a receipt", repr(receipt))
        assert "journal.db-wal" in look_at_files(net, tmp_path)
        show(net, "the journal", journal)
        await journal.aclose()

    asyncio.run(main())

    assert "journal.db" in look_at_files(net, tmp_path)


@pytest.fixture
def served() -> Iterator[Served]:
    kinds = (FaultKind.F400_AFTER, FaultKind.RESET_AFTER, FaultKind.GARBAGE, FaultKind.TRUNCATED)
    faults = FaultScript(random=FaultMix(probabilities=dict.fromkeys(kinds, 0.05)))
    config = EmulatorConfig(
        partner_id=PARTNER_ID, credentials=(KEY,), faults=faults, requests_per_second=None
    )
    server = Served(Emulator(config))
    yield server
    server.stop()


@pytest.mark.parametrize("status", [200, 500], ids=["delivered", "not delivered"])
def test_no_secret_is_in_what_the_command_prints_and_writes(
    net: Net, served: Served, tmp_path: Path, status: int
) -> None:
    rows = [f"{PARTNER_ID}{number},{number + 1}.00,USD" for number in range(30)]
    (tmp_path / "orders.csv").write_text("\n".join([HEADER, *rows, f"{PARTNER_ID}x,nothing,USD"]))
    environment = {
        **os.environ,
        **served.environment,
        "AGCOD_ACCESS_KEY_ID": KEY.access_key_id,
        "AGCOD_SECRET_ACCESS_KEY": SECRET,
        "HOOK": WEBHOOK_SECRET,
        "PYTHONASYNCIODEBUG": "1",
    }
    with received(status=status) as (url, posts):
        words = "batch issue orders.csv --job job --report r.html --report r.json --json"
        hook = f"--deliver-webhook {url} --deliver-secret-env HOOK --deliver-attempts 1"
        ran = subprocess.run(  # noqa: S603  our own command
            [sys.executable, "-X", "dev", "-m", "agcod_async.cli", *words.split(), *hook.split()],
            check=False,
            capture_output=True,
            cwd=tmp_path,
            env=environment,
        )

    net.data("stdout", ran.stdout)
    net.data("stderr", ran.stderr)
    names = look_at_files(net, tmp_path)
    assert {"r.html", "r.json", "journal.sqlite", "job.sqlite"} <= names
    assert MARK.encode() in posts[0].body, "or nothing is tested"
    assert json.loads((tmp_path / "r.json").read_text())["requests"] >= len(posts)


def test_a_webhook_shows_neither_its_secret_nor_the_card(net: Net) -> None:
    sink = WebhookSink("http://127.0.0.1:9/cards", secret=WEBHOOK_SECRET.encode)
    show(net, "a webhook", sink)
    show(net, "its line", DeliveryLine(sink))
    asyncio.run(sink.aclose())


def test_every_way_to_show_a_key_hides_it(net: Net) -> None:
    for value in (KEY, SETTINGS, RotatingCredentials(KEY)):
        show(net, type(value).__name__, value)
