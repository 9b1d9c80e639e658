"""The tutorial is followed from its first line to its last, by somebody who types quickly."""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from agcod_async.cli.main import parser
from agcod_async.testing import Emulator, EmulatorConfig
from tests.cli.stage import Agcod, assert_no_code
from tests.tidy import tree

PAGE = tree.DOCS / "tutorial.md"
STEPS = [
    fence
    for language in ("console", "python")
    for fence in tree.fences(language)
    if fence.page == PAGE
]
STEPS.sort(key=lambda fence: fence.line)
INTERRUPTED_AFTER = 20


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    # Another test of this process may have had a shop of its own.
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    sys.modules.pop("shop", None)
    yield tmp_path
    sys.modules.pop("shop", None)


def words_of(step: tree.Fence) -> tuple[list[str], list[str]]:
    command, *lines = step.text.splitlines()
    return shlex.split(command.removeprefix("$ agcod ")), lines


def interrupted(words: list[str], delivered: Path) -> str:
    """Run the command in a process of its own, press Ctrl-C there, and return what it printed."""
    process = subprocess.Popen(  # noqa: S603  our own command
        [sys.executable, "-m", "agcod_async.cli", *words],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(tree.ROOT), "AGCOD_TPS": "50"},  # time to interrupt it
    )
    try:
        while not delivered.exists() or len(delivered.read_text().splitlines()) < INTERRUPTED_AFTER:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=20)
        return printed
    finally:
        process.kill()
        process.wait()


def check(lines: list[str], printed: str) -> None:
    """See that each line that the page shows begins one that was printed."""
    said = [" ".join(line.split()) for line in printed.splitlines()]
    for line in lines:
        start = " ".join(line.partition("…")[0].split())
        assert any(one.startswith(start) for one in said), (line, printed)


@pytest.mark.timeout(60)
def test_the_tutorial_can_be_followed(
    agcod: Agcod,
    serve: Callable[[EmulatorConfig], Emulator],
    folder: Path,
) -> None:
    emulator = serve(EmulatorConfig(requests_per_second=None))
    delivered = folder / "delivered.txt"
    everything = ""
    for step in STEPS:
        kind = step.info.split()
        if kind[0] == "python":
            script = folder / step.text.partition("\n")[0].removeprefix("# ")
            if script.suffix == ".py":
                script.write_text(step.text, encoding="utf-8")
            if script.name != "shop.py":
                exec(compile(step.text, str(step), "exec"), {})  # noqa: S102  our own page
        elif "interrupt" in kind:
            printed = interrupted(words_of(step)[0], delivered)
            assert "Stopped before the end of the plan: it was interrupted." in printed
            assert 0 < len(delivered.read_text().splitlines()) < 200
            everything += printed
        elif "run" in kind:
            words, lines = words_of(step)
            run = agcod(*words)
            assert run.code == (4 if "status" in words else 0), run.everything
            check(lines, run.out)
            everything += run.everything
    orders = [line.split()[0] for line in delivered.read_text().splitlines()]
    assert len(orders) == len(set(orders)) == 200
    (balance,) = emulator.ledger.balances()
    assert balance.debited == balance.live == Decimal("2950.00")
    everything += (folder / "may.html").read_text(encoding="utf-8")
    assert_no_code(emulator, everything)


def test_every_step_of_the_tutorial_is_taken_or_known() -> None:
    shown = [step.text.partition("\n")[0] for step in STEPS if "run" not in step.info.split()]

    assert shown == [
        "$ agcod emulator --port 8080",
        "# make_orders.py",
        "# shop.py",
        next(line for line in shown if line.startswith("$ agcod batch issue")),
        next(line for line in shown if line.startswith("$ curl")),
    ]
    assert parser().parse_args(shlex.split(shown[0])[2:]).port == 8080
