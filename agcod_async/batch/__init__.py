"""Many orders through one session."""

from agcod_async.batch.fan_out import CONCURRENCY, DEADLINE_SECONDS, issue_many
from agcod_async.batch.orders import Order
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
    "Declined",
    "InDoubt",
    "Issued",
    "Order",
    "Receipt",
    "Reversed",
    "Unavailable",
    "Verdict",
    "issue_many",
]
