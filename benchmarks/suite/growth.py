"""What an order costs as jobs grow: memory and CPU, from a thousand orders to a hundred thousand.

The job is planned and run as `agcod batch issue --job` does, with its plan and journal on disk,
against a transport inside the process. `make bench ONLY=growth ORDERS_MAX=1000000` goes on to a
million, which takes a quarter of an hour more.
"""

from dataclasses import asdict
from typing import Any

from benchmarks.batch_memory import GROWTH_MIB_MAX, HEADS, measured
from benchmarks.suite.machine import a_disk
from benchmarks.suite.ratios import Comparison, paired

SIZES = (1_000, 10_000, 100_000, 1_000_000)
CPU_GROWTH_MAX = 1.25
"""The cost of an order may not depend on how many there are; what is above 1 is mostly noise."""


def run(*, quick: bool, orders_max: int = 100_000) -> dict[str, Any]:
    """Answer the question, for jobs of up to so many orders."""
    most = 10_000 if quick else orders_max
    sizes = [size for size in SIZES if size <= most]
    print(HEADS)
    growths = []
    for size in sizes:
        growths.append(measured(a_disk(), size))
        print(growths[-1], flush=True)
    first, last = growths[0], growths[-1]
    comparison = Comparison(
        of=f"CPU an order of {last.orders:,}",
        to=f"of {first.orders:,}",
        ratio=paired([last.cpu_micros], [first.cpu_micros]),
        at_most=CPU_GROWTH_MAX,
    )
    print(comparison)
    return {
        "sizes": [asdict(one) for one in growths],
        "mib_more": last.mib - first.mib,
        "mib_more_max": GROWTH_MIB_MAX,
        "comparisons": [comparison.as_data()],
    }
