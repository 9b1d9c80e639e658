"""What the tests of the command stand on: an emulator on loopback, and the command itself."""

import asyncio
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agcod_async.cli.main import main
from agcod_async.testing import EMULATOR_CREDENTIALS, EMULATOR_PARTNER_ID, Emulator, EmulatorConfig
from agcod_async.testing.server import serve

HEADER = "request_id,amount,currency"

FileOf = Callable[..., Path]


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the command."""

    code: int
    out: str
    err: str

    @property
    def everything(self) -> str:
        return self.out + self.err

    @property
    def objects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


class Agcod:
    """`agcod ...`"""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture

    def __call__(self, *arguments: object) -> Run:
        self._capture.readouterr()
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as error:  # argparse's own way to say "usage"
            code = int(error.code or 0)
        printed = self._capture.readouterr()
        return Run(int(code), printed.out, printed.err)


class Served:
    """An emulator that is served by a thread of its own, so that commands may have the main one."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.url = ""
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._ready.wait(10)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AGCOD_ACCESS_KEY_ID": EMULATOR_CREDENTIALS.access_key_id,
            "AGCOD_SECRET_ACCESS_KEY": EMULATOR_CREDENTIALS.secret_access_key.reveal(),
            "AGCOD_PARTNER_ID": EMULATOR_PARTNER_ID,
            "AGCOD_BASE_URL": self.url,
            "AGCOD_TPS": "1000",
        }

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        async with serve(self.emulator) as self.url:
            self._ready.set()
            await self._over.wait()


def served(config: EmulatorConfig) -> Served:
    """Serve a fresh emulator."""
    return Served(Emulator(config))


def codes(emulator: Emulator) -> list[str]:
    """Return every claim code that the emulator has ever made: canaries, all of them."""
    return [card.claim_code.reveal() for card in emulator.ledger.cards()]


def assert_no_code(emulator: Emulator, text: str) -> None:
    """Fail if one of the codes stands in the text."""
    canaries = codes(emulator)
    assert canaries, "no card was made, so nothing is tested"
    assert [code for code in canaries if code in text] == []
