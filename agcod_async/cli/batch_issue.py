"""`agcod batch issue`: issue the orders of a file."""

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from contextlib import AsyncExitStack, suppress
from pathlib import Path

from agcod_async.cli.display import Display, open_display
from agcod_async.cli.exits import ExitCode
from agcod_async.cli.issuing import Batch
from agcod_async.cli.job_command import run_job_command
from agcod_async.cli.job_options import JobOptions, add_job_arguments
from agcod_async.cli.line import open_line
from agcod_async.cli.orders_file import (
    OPTIONAL_COLUMNS,
    REQUIRED_COLUMNS,
    OrdersFile,
    RefusedRow,
    count_rows,
    open_orders,
)
from agcod_async.cli.printing import print_json
from agcod_async.cli.report import JsonReport, NoteReport, Report, print_summary, summary_fields
from agcod_async.cli.report_file import write_reports
from agcod_async.cli.run_options import RunOptions, add_run_arguments
from agcod_async.cli.sinks import open_sink
from agcod_async.core.outcomes import Reason
from agcod_async.errors import UsageError
from agcod_async.journal.sqlite import SqliteJournal
from agcod_async.settings import Settings
from agcod_async.wire.aiohttp_transport import AiohttpTransport

MOVES_VALUE = True


def add_arguments(parser: ArgumentParser) -> None:
    """Add what the command takes."""
    parser.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help=f"CSV or JSON lines (.jsonl); columns: {', '.join(REQUIRED_COLUMNS)};"
        f" optional: {', '.join(OPTIONAL_COLUMNS)}",
    )
    parser.add_argument(
        "--strict", action="store_true", help="check all rows first; issue nothing if one is bad"
    )
    kept = parser.add_mutually_exclusive_group()
    kept.add_argument(
        "--job",
        type=Path,
        metavar="DIR",
        help="keep plan and progress there; the same command, or `batch resume DIR`, goes on",
    )
    kept.add_argument(
        "--journal",
        type=Path,
        metavar="FILE",
        help="keep what was sent there, and no plan (default: in memory)",
    )
    parser.add_argument(
        "--name",
        metavar="NAME",
        help="the job's name, from which request IDs are derived where the file has none",
    )
    add_job_arguments(parser)
    add_run_arguments(parser)


def run(arguments: Namespace) -> ExitCode:
    """Issue the orders."""
    if arguments.job is not None:
        return _run_job(arguments)
    _check_no_job(arguments)
    options = RunOptions.of(arguments)
    settings = Settings.from_env()
    if arguments.strict and (refused := _refused(arguments.file, settings)):
        print(f"agcod batch issue: nothing was issued: {refused} bad rows", file=sys.stderr)
        return ExitCode.USAGE
    with open_orders(arguments.file, settings) as rows, open_display(options.progress) as display:
        batch = asyncio.run(_issued(settings, arguments, options, rows, display))
    with suppress(BrokenPipeError):  # nobody reads: the exit code is still the batch's
        if options.as_json:
            print_json(summary_fields(batch.tally, batch.line.traffic, batch.elapsed_seconds))
        else:
            print_summary(batch.tally, batch.line.traffic, batch.elapsed_seconds)
    if batch.figures is not None:
        write_reports(options.reports, batch.figures)
    return batch.tally.exit_code


def _run_job(arguments: Namespace) -> ExitCode:
    options = JobOptions.of(arguments, directory=arguments.job, file=arguments.file)
    return run_job_command(options, Settings.from_env())


def _check_no_job(arguments: Namespace) -> None:
    """Raise `UsageError` for an option that needs a job."""
    for option in ("name", "spend_cap", "patience", "funds", "warn_below", "stop_below"):
        if getattr(arguments, option) is not None:
            raise UsageError(Reason(f"--{option.replace('_', '-')}: needs --job"))


async def _issued(
    settings: Settings,
    arguments: Namespace,
    options: RunOptions,
    rows: OrdersFile,
    display: Display,
) -> Batch:
    report: Report = JsonReport() if options.as_json else NoteReport(display)
    async with AsyncExitStack() as at_the_end:
        journal = None
        if arguments.journal is not None:
            journal = await at_the_end.enter_async_context(SqliteJournal(arguments.journal))
            await journal.bind(settings.partner_id, settings.host)
        # Half the CPU time of the default transport, which counts at some hundred orders a second.
        line = await at_the_end.enter_async_context(
            open_line(settings, transport=AiohttpTransport(), journal=journal)
        )
        batch = Batch(
            line,
            rows,
            total=count_rows(arguments.file),
            display=display,
            report=report,
            sink=await open_sink(options.sink),
            delivery_policy=options.sink.policy,
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
