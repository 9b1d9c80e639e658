"""`agcod batch issue`: issue the orders of a CSV file."""

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from agcod_async.batch import CONCURRENCY, DEADLINE_SECONDS
from agcod_async.cli.display import Display, ProgressKind, open_display
from agcod_async.cli.exits import ExitCode
from agcod_async.cli.issuing import Batch, open_line
from agcod_async.cli.orders_file import (
    OPTIONAL_COLUMNS,
    REQUIRED_COLUMNS,
    OrdersFile,
    RefusedRow,
    count_rows,
    open_orders,
)
from agcod_async.cli.report import (
    JsonReport,
    NoteReport,
    Report,
    print_json,
    print_summary,
    summary_fields,
)
from agcod_async.cli.report_file import add_report_argument, check_report_path, write_reports
from agcod_async.cli.sinks import SinkOptions, add_sink_arguments, open_sink, sink_options
from agcod_async.core.outcomes import Reason
from agcod_async.errors import UsageError
from agcod_async.settings import Settings
from agcod_async.wire.aiohttp_transport import AiohttpTransport

SUMMARY = "issue the orders of a CSV file, at the account's rate"
MOVES_VALUE = True

CONCURRENCY_MAX = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The command line, understood."""

    path: Path
    concurrency: int
    deadline_seconds: float
    strict: bool
    sink: SinkOptions
    as_json: bool
    progress: ProgressKind
    reports: Sequence[Path]


def add_arguments(parser: ArgumentParser) -> None:
    """Add what the command takes."""
    parser.add_argument(
        "file",
        type=Path,
        metavar="FILE.csv",
        help=f"columns: {', '.join(REQUIRED_COLUMNS)}; optional: {', '.join(OPTIONAL_COLUMNS)}",
    )
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
        "--strict", action="store_true", help="check all rows first; issue nothing if one is bad"
    )
    add_sink_arguments(parser)
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object for each row, and a summary"
    )
    parser.add_argument(
        "--progress",
        choices=("auto", "bar", "lines", "none"),
        default="auto",
        help="how to show progress on standard error (default: auto)",
    )
    add_report_argument(parser)


def run(arguments: Namespace) -> ExitCode:
    """Issue the orders."""
    options = _options(arguments)
    settings = Settings.from_env()
    if options.strict and (refused := _refused(options.path, settings)):
        print(f"agcod batch issue: nothing was issued: {refused} bad rows", file=sys.stderr)
        return ExitCode.USAGE
    with open_orders(options.path, settings) as orders, open_display(options.progress) as display:
        batch = asyncio.run(_issued(settings, options, orders, display))
    with suppress(BrokenPipeError):  # nobody reads: the exit code is still the batch's
        if options.as_json:
            print_json(summary_fields(batch.tally, batch.line.traffic, batch.elapsed_seconds))
        else:
            print_summary(batch.tally, batch.line.traffic, batch.elapsed_seconds)
    if batch.figures is not None:
        write_reports(options.reports, batch.figures)
    return batch.tally.exit_code


async def _issued(
    settings: Settings, options: Options, orders: OrdersFile, display: Display
) -> Batch:
    report: Report = JsonReport() if options.as_json else NoteReport(display)
    policy = options.sink.policy
    sink = await open_sink(options.sink)
    # Half the CPU time of the default transport, which counts at some hundred orders a second.
    async with open_line(settings, transport=AiohttpTransport()) as line:
        batch = Batch(
            line,
            orders,
            count_rows(options.path),
            display=display,
            report=report,
            sink=sink,
            delivery_policy=policy,
            concurrency=options.concurrency,
            deadline_seconds=options.deadline_seconds,
        )
        await batch.issue()
        return batch


def _refused(path: Path, settings: Settings) -> int:
    """Print every bad row of the file on standard error and return how many there are."""
    refused = 0
    with open_orders(path, settings) as rows:
        for row in rows:
            if isinstance(row, RefusedRow):
                print(f"refused      {row}", file=sys.stderr)
                refused += 1
    return refused


def _options(arguments: Namespace) -> Options:
    progress: ProgressKind = arguments.progress
    if progress == "auto" and arguments.json and sys.stdout.isatty():
        progress = "lines"  # results on the same terminal would tear a bar
    options = Options(
        path=arguments.file,
        concurrency=arguments.concurrency,
        deadline_seconds=arguments.deadline,
        strict=arguments.strict,
        sink=sink_options(arguments),
        as_json=arguments.json,
        progress=progress,
        reports=arguments.report,
    )
    for path in options.reports:
        check_report_path(path)
    if not 1 <= options.concurrency <= CONCURRENCY_MAX:
        raise UsageError(
            Reason(f"--concurrency: {options.concurrency} is out of range (1 to {CONCURRENCY_MAX})")
        )
    if not options.deadline_seconds > 0:
        raise UsageError(Reason(f"--deadline: {options.deadline_seconds} is not above 0"))
    return options
