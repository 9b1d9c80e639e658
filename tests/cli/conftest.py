from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agcod_async.settings import Settings
from agcod_async.testing import EMULATOR_CREDENTIALS, EMULATOR_PARTNER_ID, Emulator, EmulatorConfig
from tests.cli.stage import Agcod, FileOf, Served, served


@pytest.fixture
def settings() -> Settings:
    return Settings(credentials=EMULATOR_CREDENTIALS, partner_id=EMULATOR_PARTNER_ID)


@pytest.fixture
def agcod(capfd: pytest.CaptureFixture[str]) -> Agcod:
    """The command, run in this process; what its own children print is caught too."""
    return Agcod(capfd)


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[EmulatorConfig], Emulator]]:
    """Start an emulator on loopback and point the environment at it."""
    running: list[Served] = []

    def start(config: EmulatorConfig) -> Emulator:
        running.append(served(config))
        for name, value in running[-1].environment.items():
            monkeypatch.setenv(name, value)
        return running[-1].emulator

    yield start
    for server in running:
        server.stop()


@pytest.fixture
def emulator(serve: Callable[[EmulatorConfig], Emulator]) -> Emulator:
    """An emulator without faults and without a cap."""
    return serve(EmulatorConfig(requests_per_second=None))


@pytest.fixture
def file_of(tmp_path: Path) -> FileOf:
    """Write an orders file."""

    def write(*lines: str, name: str = "orders.csv") -> Path:
        path = tmp_path / name
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return path

    return write
