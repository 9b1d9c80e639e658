"""Answer all questions, or some, and draw the page anew.

    python -m benchmarks.suite [--quick] [--only issuing pacing …]

Everything stays on loopback. A whole run takes about a quarter of an hour, `--quick` three
minutes; what it found is less sure then, and the page says so. `make bench` makes the environment
first, so that every peer is there.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.suite import (
    elsewhere,
    growth,
    issuing,
    machine,
    pacing,
    results,
    startup,
    storms,
    tail,
)
from benchmarks.suite.processes import ROOT

QUESTIONS: Mapping[str, Callable[..., dict[str, Any]]] = {
    "issuing": issuing.run,
    "elsewhere": elsewhere.run,
    "startup": startup.run,
    "pacing": pacing.run,
    "tail": tail.run,
    "storms": storms.run,
    "growth": growth.run,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds, smaller sizes")
    parser.add_argument("--only", nargs="+", choices=QUESTIONS, default=list(QUESTIONS))
    parser.add_argument("--orders-max", type=int, default=100_000, help="of the question `growth`")
    arguments = parser.parse_args()
    missed: list[str] = []
    for name in arguments.only:
        print(f"\n== {name} (load {machine.load():.2f})", flush=True)
        answer, load, began = QUESTIONS[name], machine.load(), time.monotonic()
        # A process of its own: questions pin themselves to a core and warm what the next one times.
        options = {"orders_max": arguments.orders_max} if name == "growth" else {}
        found = results.in_own_process(answer, quick=arguments.quick, **options)
        results.write(name, found, quick=arguments.quick, load_before=load)
        missed += [
            f"{name}: {one['of']} / {one['to']} is {one['ratio']['median']:.3g}"
            for one in found.get("comparisons", ())
            if one["kept"] is False and not one["close"]
        ]
        print(f"   {time.monotonic() - began:.0f} s", flush=True)
    print("\nAims that were missed:" if missed else "\nEvery aim was reached.")
    for line in missed:
        print(f"  {line}")
    page = subprocess.run(
        (sys.executable, "docs/generate_performance.py"),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    return page.returncode


if __name__ == "__main__":
    sys.exit(main())
