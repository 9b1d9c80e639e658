"""Where answers go: a file for each question, from which the page and its charts are drawn."""

import json
import multiprocessing
import subprocess
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.suite import machine
from benchmarks.suite.processes import ROOT
from benchmarks.suite.ratios import rounded

RESULTS = ROOT / "benchmarks" / "results"


def write(name: str, answer: dict[str, Any], *, quick: bool, load_before: float) -> Path:
    """Keep the answer to one question, with the machine that gave it."""
    data = {
        "quick": quick,
        "revision": _revision(),
        "load": {"before": load_before, "after": machine.load()},
        "machine": machine.facts(),
        **answer,
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(rounded(data), indent=1) + "\n", encoding="utf-8")
    return path


def _revision() -> str:
    """Return the revision of the package that was measured; empty where git does not tell."""
    try:
        revision = _git("rev-parse", "--short", "HEAD")
        return f"{revision}, changed" if _git("status", "--short", "agcod_async") else revision
    except (OSError, subprocess.CalledProcessError):
        return ""


def _git(*arguments: str) -> str:
    command = ("git", *arguments)
    told = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603  our own
    return told.stdout.strip()


def in_own_process(answer: Callable[..., dict[str, Any]], **options: int) -> dict[str, Any]:
    """Run one question where nothing of another one is left, and return its answer."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(answer, **options).result()
