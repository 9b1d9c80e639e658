"""Many hostile replies over several processes, and what came of them."""

import argparse
import json
import multiprocessing
import sys
import time
from collections.abc import Iterator
from itertools import islice
from typing import Final

from tests.hostile.hunting import BATCH, Tally, batch

FIRST_SEED: Final = 0
REPORTED_MAX: Final = 20
HUNTED_MAX: Final = 50_000
"""A planted bug must be noticed within so many inputs."""


def run(words: list[str]) -> int:
    """Do what the command line asks for, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile")
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=FIRST_SEED, help="of the first thousand")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--part", default="1/1", help="such as 2/4: the second quarter")
    asked = parser.parse_args(words)
    part, parts = map(int, asked.part.split("/"))
    seeds = range(asked.seed, asked.seed + -(-asked.inputs // BATCH))[part - 1 :: parts]
    started, total, busy = time.monotonic(), Tally(), 0.0
    for tally, seconds in _all(seeds, asked.workers):
        total.inputs += tally.inputs
        total.kinds += tally.kinds
        busy += seconds
        for line in tally.broken[: max(0, REPORTED_MAX - len(total.broken))]:
            _say(line)
        total.broken += tally.broken
    _say(", ".join(f"{count} {kind}" for kind, count in sorted(total.kinds.items())))
    _say(
        f"{total.inputs} hostile replies, {len(total.broken)} judged wrongly;"
        f" {total.inputs / max(busy, 0.001):.0f} a second and core,"
        f" {time.monotonic() - started:.0f} s"
    )
    return 1 if total.broken else 0


def _all(seeds: range, workers: int) -> Iterator[tuple[Tally, float]]:
    if workers == 1:
        yield from map(timed, seeds)
        return
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        yield from pool.imap_unordered(timed, seeds, chunksize=10)
        pool.close()
        pool.join()


def timed(seed: int) -> tuple[Tally, float]:
    """Judge the replies of one seed, and say how much CPU time it took."""
    started = time.process_time()
    tally = batch(seed)
    return tally, time.process_time() - started


def hunt() -> int:
    """Look for a bug that is planted in this process, and print how soon it shows, as JSON."""
    inputs = 0
    for tally in islice(map(batch, range(FIRST_SEED, sys.maxsize)), HUNTED_MAX // BATCH):
        if tally.broken:
            seen = tally.broken[0]
            inputs += int(seen.split(" input ")[1].split(":")[0]) + 1
            _say(json.dumps({"inputs": inputs, "seen": seen}))
            return 0
        inputs += tally.inputs
    _say(json.dumps(None))
    return 0


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  it is a program
