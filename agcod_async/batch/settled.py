"""What one order came to in one run of its job."""

from dataclasses import dataclass
from typing import Literal

from agcod_async.batch.job_rows import JobRow, RowState
from agcod_async.batch.verdicts import Receipt

Handed = Literal["done", "failed", "none"]
"""What became of a claim code; "none" where there is no code, or nobody to hand it to."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What one order came to in this run: `row` is how it stands on record now.

    `left` is the state in which this run has found it. `problem` says why a code was not delivered;
    it never quotes the sink, who could repeat it. `again`: any other order would have met the same,
    so this one is taken once more by the same run, and counts when that has ended.
    """

    row: JobRow
    left: RowState
    receipt: Receipt
    delivered: Handed
    problem: str = ""
    again: bool = False
