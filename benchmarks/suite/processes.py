"""The processes of a run: the mock server, and one for each contender, all ended with the run.

A contender stays alive between its turns, so that the rounds can be interleaved: every contender
has a turn in every round, each time with everything warm.
"""

import json
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer
from types import MappingProxyType, TracebackType
from typing import Any, Self

from benchmarks.suite.mock import AUTHORITY

ROOT = Path(__file__).resolve().parents[2]

ANSWER_SECONDS_MAX = 300.0
"""Whoever takes longer for an answer is ended, and has failed."""


class ContenderFailedError(RuntimeError):
    """A contender has ended, or could not begin: what it said is on standard error."""


class Child:
    """A Python process that answers one line of JSON with one line of JSON."""

    def __init__(
        self,
        *arguments: str,
        python_path: Sequence[Path] = (ROOT,),
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        path = os.pathsep.join(map(str, python_path))
        # -P: what is imported is decided by PYTHONPATH, and not by where this was started.
        self._process = subprocess.Popen(  # noqa: S603  our own command
            (sys.executable, "-P", "-m", *arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **environment, "PYTHONPATH": path},
            text=True,
        )
        self.first = self._line()

    def ask(self, **question: float) -> Mapping[str, Any]:
        """Send a question and return the answer."""
        assert self._process.stdin is not None  # noqa: S101  a pipe was asked for
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return self._line()

    def _line(self) -> Mapping[str, Any]:
        assert self._process.stdout is not None  # noqa: S101  as above
        watch = Timer(ANSWER_SECONDS_MAX, self._process.kill)
        watch.start()
        line = self._process.stdout.readline()
        watch.cancel()
        if not line:
            raise ContenderFailedError(" ".join(map(str, self._process.args[3:])))  # type: ignore[index]
        return dict(json.loads(line))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@dataclass(frozen=True, slots=True)
class MockStats:
    """What the mock server has done since it began. `busy` and `at` are in seconds."""

    requests: int
    busy: float
    at: float


@dataclass(frozen=True, slots=True)
class MockUse:
    """What the mock server did between two moments."""

    requests: int
    busy_seconds: float
    seconds: float

    @property
    def busy(self) -> float:
        """The share of the time in which it was answering."""
        return self.busy_seconds / self.seconds

    @property
    def per_second(self) -> float:
        """The rate at which it answered."""
        return self.requests / self.seconds


class Mock:
    """The running mock server. It speaks TLS if there is an `authority` to trust."""

    def __init__(self, port: int, authority: Path | None = None) -> None:
        self.port = port
        self.authority = authority

    @property
    def url(self) -> str:
        """What clients are given."""
        return f"http{'s' if self.authority else ''}://127.0.0.1:{self.port}"

    def stats(self) -> MockStats:
        """Ask it."""
        with self._connected() as connection:
            connection.sendall(b"GET /stats HTTP/1.1\r\n\r\n")
            answer = connection.recv(4096)
        return MockStats(**json.loads(answer.partition(b"\r\n\r\n")[2]))

    def _connected(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port))
        if self.authority is None:
            return connection
        tls = ssl.create_default_context(cafile=str(self.authority))
        return tls.wrap_socket(connection, server_hostname="127.0.0.1")

    def use_since(self, before: MockStats) -> MockUse:
        """Return what it has done since."""
        now = self.stats()
        return MockUse(now.requests - before.requests, now.busy - before.busy, now.at - before.at)


@contextmanager
def mock_server(*, tls: bool = False) -> Iterator[Mock]:
    """Run the mock server."""
    with TemporaryDirectory() as folder:
        arguments = (folder,) if tls else ()
        with Child("benchmarks.suite.mock", *arguments) as child:
            authority = Path(folder) / AUTHORITY if tls else None
            yield Mock(int(child.first["port"]), authority)
