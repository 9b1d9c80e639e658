"""One process at a time has a journal, and a process that has died does not have it."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agcod_async.journal import lock_file, sqlite_file
from agcod_async.journal.base import JournalError
from agcod_async.journal.lock_file import JournalInUseError, LockFile
from agcod_async.journal.sqlite import SqliteJournal
from tests.journal.entries import fresh
from tests.support.journals import open_entries
from tests.tidy import tree

HOLDER = """
import os, sys
from agcod_async.journal.sqlite import SqliteJournal

journal = SqliteJournal(sys.argv[1])
print(os.getpid(), flush=True)
sys.stdin.read()
"""

FORKER = """
import asyncio, os, signal, sys
from agcod_async.journal.base import JournalError
from agcod_async.journal.sqlite import SqliteJournal
from tests.journal.entries import fresh

journal = SqliteJournal(sys.argv[1])
asyncio.run(journal.open(fresh()))
if os.fork():
    while True:
        signal.pause()
try:
    asyncio.run(journal.open(fresh("Toy2")))
except JournalError as error:
    asyncio.run(journal.aclose())
    print(error, flush=True)
sys.stdin.read()
"""
"""The parent waits for its death, the child for the end of its standard input."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@contextmanager
def process(script: str, path: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a script; it ends when its standard input does."""
    with subprocess.Popen(  # noqa: S603  a script of ours
        [sys.executable, "-c", script, str(path)],
        cwd=tree.ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        try:
            yield running
        finally:
            assert running.stdin is not None
            running.stdin.close()
            running.wait(20)


def line_of(running: subprocess.Popen[str]) -> str:
    assert running.stdout is not None
    return running.stdout.readline().strip()


def open_and_close(path: Path) -> None:
    asyncio.run(SqliteJournal(path).aclose())


def test_a_second_process_is_told_who_has_the_journal(path: Path) -> None:
    with process(HOLDER, path) as holder:
        assert line_of(holder) == str(holder.pid)
        for _ in range(2):
            with pytest.raises(JournalInUseError) as caught:
                SqliteJournal(path)

        assert (caught.value.path, caught.value.pid) == (path, holder.pid)
        assert str(path) in str(caught.value)
        assert f"in use by process {holder.pid}" in str(caught.value)
        assert holder.stdin is not None
        holder.stdin.close()
        holder.wait(20)
    assert path.with_name("journal.db.lock").read_text() == ""
    open_and_close(path)


def test_a_process_that_was_killed_leaves_no_lock(path: Path) -> None:
    with process(HOLDER, path) as holder:
        line_of(holder)
        holder.kill()
        holder.wait(20)
        assert path.with_name("journal.db.lock").read_text() == str(holder.pid)

        open_and_close(path)


def test_a_forked_child_cannot_use_the_journal_nor_keep_it_locked(path: Path) -> None:
    with process(FORKER, path) as parent:
        assert "has no thread here: open it after forking" in line_of(parent)
        with pytest.raises(JournalInUseError) as caught:
            SqliteJournal(path)
        assert caught.value.pid == parent.pid
        parent.kill()
        parent.wait(20)

        open_and_close(path)  # although the child still lives


def test_a_lock_is_released_although_its_file_cannot_be_written(path: Path) -> None:
    lock = LockFile.take(path)
    lock._file.close()
    read_only = path.with_name("journal.db.lock").open("rb", buffering=0)
    LockFile(read_only).release()

    assert read_only.closed


def test_a_child_closes_its_copy_of_every_lock(path: Path) -> None:
    lock = LockFile.take(path)
    with pytest.raises(JournalInUseError):
        LockFile.take(path)
    lock_file.forget_in_child()

    LockFile.take(path).release()
    lock.forget()


def test_two_journals_of_one_process_cannot_have_the_same_file(path: Path) -> None:
    journal = SqliteJournal(path)
    with pytest.raises(JournalInUseError, match=f"in use by process {os.getpid()}"):
        SqliteJournal(path)

    asyncio.run(journal.open(fresh()))  # the refusal has not harmed the first one
    asyncio.run(journal.aclose())
    open_and_close(path)


def test_a_file_is_locked_under_all_its_names(path: Path) -> None:
    open_and_close(path)
    other = path.with_name("other.db")
    other.symlink_to(path)
    journal = SqliteJournal(other)
    with pytest.raises(JournalInUseError):
        SqliteJournal(path)
    asyncio.run(journal.aclose())


def test_a_holder_that_is_not_known_is_not_named(path: Path) -> None:
    journal = SqliteJournal(path)
    path.with_name("journal.db.lock").write_text("")
    with pytest.raises(JournalInUseError, match="in use by another process") as caught:
        SqliteJournal(path)

    assert caught.value.pid is None
    asyncio.run(journal.aclose())


def test_a_lock_file_that_cannot_be_made_is_reported(path: Path) -> None:
    path.with_name("journal.db.lock").mkdir()
    with pytest.raises(JournalError, match=r"journal\.db cannot be opened: Is a directory"):
        SqliteJournal(path)


def test_a_lock_that_the_system_cannot_give_is_reported(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(_: int) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(lock_file, "_flock", no_locks)
    with pytest.raises(JournalError, match="cannot be opened: No locks available"):
        SqliteJournal(path)


def test_without_flock_sqlite_itself_keeps_others_out(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "HAS_FLOCK", False)
    monkeypatch.setattr(sqlite_file, "BUSY_SECONDS_MAX", 0.05)
    journal = SqliteJournal(path)
    for _ in range(2):
        with pytest.raises(JournalInUseError) as caught:
            SqliteJournal(path)
        assert caught.value.pid is None
        asyncio.run(journal.open(fresh()))

    asyncio.run(journal.aclose())
    again = SqliteJournal(path)
    assert len(asyncio.run(open_entries(again))) == 1
    asyncio.run(again.aclose())
    assert not path.with_name("journal.db.lock").exists()
