"""What was acknowledged survives `kill -9`."""

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from agcod_async.journal.sqlite import SqliteJournal
from tests.journal.entries import fresh
from tests.support.journals import open_entries
from tests.tidy import tree

DEATHS = 12
LINES_MAX = 600


@dataclass(frozen=True, slots=True)
class Writers:
    """The process that forks a writer for each path."""

    process: subprocess.Popen[str]

    def acknowledged_until_killed(self, path: Path, lines: int) -> dict[str, int]:
        """Let a writer write, kill it after so many lines, and return the versions it has seen."""
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None
        print(path, file=stdin, flush=True)
        pid = int(stdout.readline())
        seen: dict[str, int] = {}
        for n, line in enumerate(stdout):
            request_id, version = line.split()
            if request_id == "ended":
                assert int(version) == -signal.SIGKILL
                break
            seen[request_id] = int(version)
            if n == lines:
                os.kill(pid, signal.SIGKILL)
        return seen


@pytest.fixture
def writers() -> Iterator[Writers]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.journal.killed_writer"],
        cwd=tree.ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Writers(process)


async def check(path: Path, acknowledged: dict[str, int]) -> None:
    async with SqliteJournal(path) as journal:
        unfinished = {entry.request_id for entry in await open_entries(journal)}
        for request_id, version in acknowledged.items():
            entry = await journal.open(fresh(request_id))
            # The write after the last one that was acknowledged may have been done, too.
            assert entry.version in {version, version + 1}
            assert entry.facts.doubtful == (entry.version >= 1)
            assert (entry.verdict == "Issued") == (entry.version == 2)
            assert (request_id in unfinished) == (entry.version < 2)


def test_every_acknowledged_transition_survives_a_kill(tmp_path: Path, writers: Writers) -> None:
    chance = random.Random(20260101)
    for death in range(DEATHS):
        path = tmp_path / f"{death}.db"
        acknowledged = writers.acknowledged_until_killed(path, chance.randrange(LINES_MAX))
        asyncio.run(check(path, acknowledged))
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_journal_survives_one_kill_after_the_other(tmp_path: Path, writers: Writers) -> None:
    path = tmp_path / "journal.db"
    acknowledged: dict[str, int] = {}
    for lines in (200, 500, 1_000):
        for request_id, version in writers.acknowledged_until_killed(path, lines).items():
            assert version >= acknowledged.get(request_id, 0)
            acknowledged[request_id] = version
    asyncio.run(check(path, acknowledged))
