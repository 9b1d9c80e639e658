"""What every batch takes from the command line, with a job and without."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agcod_async.batch import CONCURRENCY, DEADLINE_SECONDS
from agcod_async.cli.display import ProgressKind
from agcod_async.cli.report_file import add_report_argument, check_report_path
from agcod_async.cli.sinks import SinkOptions, add_sink_arguments, sink_options
from agcod_async.core.outcomes import Reason
from agcod_async.errors import UsageError

CONCURRENCY_MAX: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """The part of the command line that is about one run, understood."""

    concurrency: int
    deadline_seconds: float
    sink: SinkOptions
    reports: Sequence[Path]
    as_json: bool
    progress: ProgressKind

    @classmethod
    def of(cls, arguments: Namespace) -> "RunOptions":
        """Read it; raises `UsageError` for what is out of range."""
        progress: ProgressKind = arguments.progress
        if progress == "auto" and arguments.json and sys.stdout.isatty():
            progress = "lines"  # results on the same terminal would tear a bar
        options = cls(
            concurrency=arguments.concurrency,
            deadline_seconds=arguments.deadline,
            sink=sink_options(arguments),
            reports=arguments.report,
            as_json=arguments.json,
            progress=progress,
        )
        for path in options.reports:
            check_report_path(path)
        fits = 1 <= options.concurrency <= CONCURRENCY_MAX
        check_range("--concurrency", options.concurrency, fits, f"1 to {CONCURRENCY_MAX}")
        deadline = options.deadline_seconds
        check_range("--deadline", deadline, deadline > 0, "above 0")
        return options


def add_run_arguments(parser: ArgumentParser) -> None:
    """Add what every batch takes."""
    add_sink_arguments(parser)
    add_report_argument(parser)
    parser.add_argument(
        "--concurrency",
        type=int,
        default=CONCURRENCY,
        metavar="N",
        help=f"orders under way at a time (default: {CONCURRENCY})",
    )
    parser.add_argument(
        "--deadline",
        type=float,
        default=DEADLINE_SECONDS,
        metavar="SECONDS",
        help=f"give up on an order after so long (default: {DEADLINE_SECONDS:.0f})",
    )
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object for each row, and a summary"
    )
    parser.add_argument(
        "--progress",
        choices=("auto", "bar", "lines", "none"),
        default="auto",
        help="how to show progress on standard error (default: auto)",
    )


def check_range(option: str, given: object, fits: bool, limit: str) -> None:  # noqa: FBT001  what was found
    """Raise `UsageError`, which names the option and its limit, unless it fits."""
    if not fits:
        raise UsageError(Reason(f"{option}: {given} is out of range ({limit})"))
