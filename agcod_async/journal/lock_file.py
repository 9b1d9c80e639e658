"""One process at a time: the lock file beside a journal.

The lock is the operating system's own (`flock`) and ends with the process that holds it, however
that process ends. So a lock file that lies about means nothing, and it is never removed: whoever
removes it while another opens it lets two processes in.
"""

import os
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO, Final
from weakref import WeakSet

from agcod_async.journal.base import JournalError

HAS_FLOCK: Final = find_spec("fcntl") is not None
"""Whether this platform has `flock`. Where it has not, SQLite's own exclusive lock stands in."""

PRIVATE: Final = 0o600
"""What a journal creates is for its owner's eyes: request bodies are nobody else's business."""


class JournalInUseError(JournalError):
    """Another process has this journal open, or another journal object of this process has."""

    def __init__(self, path: Path, pid: int | None) -> None:
        """`pid` is the process that holds the journal, where that is known."""
        super().__init__(path, pid)
        self.path = path
        self.pid = pid

    def __str__(self) -> str:
        holder = "another process" if self.pid is None else f"process {self.pid}"
        return f"the journal {self.path} is in use by {holder}: give each process its own file"


class LockFile:
    """The lock on one journal, held from `take` to `release`."""

    def __init__(self, file: BinaryIO) -> None:
        """Hold the lock that `file` has been given."""
        self._file = file
        _held.add(self)

    @classmethod
    def take(cls, journal: Path) -> "LockFile":
        """Lock `journal` for this process.

        Raises `JournalInUseError` if it is locked, and `OSError` if there can be no lock file.
        """
        path = f"{journal}.lock"
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE), "r+b", buffering=0)
        try:
            _flock(file.fileno())
            file.truncate(0)
            file.write(str(os.getpid()).encode())
        except BlockingIOError:
            with file:
                raise JournalInUseError(journal, _pid_in(file)) from None
        except BaseException:
            file.close()
            raise
        return cls(file)

    def release(self) -> None:
        """Let the next process in."""
        with suppress(OSError):  # a name that stays there does no harm
            self._file.truncate(0)
        self.forget()

    def forget(self) -> None:
        """Close the file, as a forked child must: its copy would outlive the parent's lock."""
        self._file.close()


def _flock(descriptor: int) -> None:
    import fcntl  # noqa: PLC0415  not on every platform: see HAS_FLOCK

    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _pid_in(file: BinaryIO) -> int | None:
    try:
        return int(file.read(20))
    except ValueError:
        return None  # its owner is just about to write or to go


_held: WeakSet[LockFile] = WeakSet()


def forget_in_child() -> None:
    """Leave the locks to the parent that forked this process."""
    for lock in tuple(_held):
        lock.forget()


with suppress(AttributeError):  # where there is no fork there is nothing to forget
    os.register_at_fork(after_in_child=forget_in_child)
