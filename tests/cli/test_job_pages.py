"""What the pages about jobs show is what the commands do: each `console run` fence is run."""

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from agcod_async.testing import Emulator, EmulatorConfig
from agcod_async.values import Money
from tests.cli.stage import Agcod
from tests.tidy import tree

ORDERS = """business_key,amount,currency
INV-1001,25.00,USD
INV-1002,40.00,USD
INV-1003,15.50,USD
"""
SHOP = "def deliver(card, order): pass\n"

Serve = Callable[[EmulatorConfig], Emulator]


def commands(page: str) -> list[tuple[list[str], list[str]]]:
    """Return each command that the page shows, with the lines that are to come of it."""
    fences = [
        fence
        for fence in tree.fences("console")
        if "run" in fence.info.split() and fence.page.name == page
    ]
    shown = [fence.text.strip().splitlines() for fence in fences]
    return [(shlex.split(lines[0].removeprefix("$ agcod ")), lines[1:]) for lines in shown]


def check(agcod: Agcod, words: list[str], lines: list[str]) -> None:
    run = agcod(*words)
    assert run.code != 2, run.everything
    printed = [" ".join(line.split()) for line in run.out.splitlines()]
    for line in lines:
        start = " ".join(line.partition("…")[0].split())
        assert any(one.startswith(start) for one in printed), (line, run.out)


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("rewards.csv", "bonus.csv"):
        (tmp_path / name).write_text(ORDERS, encoding="utf-8")
    (tmp_path / "shop.py").write_text(SHOP, encoding="utf-8")


def test_a_batch_is_resumed_as_the_page_says(agcod: Agcod, serve: Serve) -> None:
    serve(EmulatorConfig(requests_per_second=None))
    shown = commands("resume-a-batch.md")

    assert [words[1] for words, _ in shown] == ["issue", "status", "resume"]
    for words, lines in shown:
        check(agcod, words, lines)


def test_a_batch_runs_out_of_funds_as_the_page_says(agcod: Agcod, serve: Serve) -> None:
    emulator = serve(EmulatorConfig(requests_per_second=None, funds=(Money("75", "USD"),)))
    first, resume, capped = commands("run-out-of-funds.md")

    check(agcod, [*first[0], "--concurrency", "1"], first[1])
    emulator.ledger._funds._prepaid["USD"] += 1000
    check(agcod, *resume)
    check(agcod, [*capped[0], "--concurrency", "1"], capped[1])
