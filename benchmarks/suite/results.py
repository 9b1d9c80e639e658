"""Where answers go: a file for each question, from which the page and its charts are drawn."""

import json
import multiprocessing
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
        "load": {"before": load_before, "after": machine.load()},
        "machine": machine.facts(),
        **answer,
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(rounded(data), indent=1) + "\n", encoding="utf-8")
    return path


def in_own_process(answer: Callable[..., dict[str, Any]], **options: int) -> dict[str, Any]:
    """Run one question where nothing of another one is left, and return its answer."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(answer, **options).result()
