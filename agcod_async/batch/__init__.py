"""Many orders through one session: at once, or as a job that survives its process."""

from agcod_async.batch.fan_out import CONCURRENCY, DEADLINE_SECONDS, issue_many
from agcod_async.batch.funds import Funds, FundsWatch
from agcod_async.batch.job import Job
from agcod_async.batch.job_queries import JobFacts
from agcod_async.batch.job_rows import JobRow, Outcome, RowState, Sum, Totals
from agcod_async.batch.job_run import JobRun
from agcod_async.batch.job_view import JobView, view_job
from agcod_async.batch.orders import Order, PlannedOrder, RefusedRow
from agcod_async.batch.planning import Planned, plan_job
from agcod_async.batch.settled import Settled
from agcod_async.batch.stop_line import Cause, Stop
from agcod_async.batch.verdicts import (
    Declined,
    InDoubt,
    Issued,
    Receipt,
    Reversed,
    Unavailable,
    Verdict,
)

__all__ = [
    "CONCURRENCY",
    "DEADLINE_SECONDS",
    "Cause",
    "Declined",
    "Funds",
    "FundsWatch",
    "InDoubt",
    "Issued",
    "Job",
    "JobFacts",
    "JobRow",
    "JobRun",
    "JobView",
    "Order",
    "Outcome",
    "Planned",
    "PlannedOrder",
    "Receipt",
    "RefusedRow",
    "Reversed",
    "RowState",
    "Settled",
    "Stop",
    "Sum",
    "Totals",
    "Unavailable",
    "Verdict",
    "issue_many",
    "plan_job",
    "view_job",
]
