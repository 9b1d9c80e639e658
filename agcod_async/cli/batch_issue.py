"""`agcod batch issue`: issue the orders of a file."""

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from agcod_async.cli.delivery import Delivery
from agcod_async.cli.display import Display, ProgressKind, open_display
from agcod_async.cli.exits import ExitCode
from agcod_async.cli.issuing import Batch, open_line
from agcod_async.cli.job_command import (
    CONCURRENCY_MAX,
    JobOptions,
    add_job_arguments,
    add_run_arguments,
    run_job_command,
)
from agcod_async.cli.job_sink import open_sink
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
from agcod_async.cli.sinks import CommandSink, FunctionSink, Sink
from agcod_async.core.outcomes import Reason
from agcod_async.errors import UsageError
from agcod_async.journal.sqlite import SqliteJournal
from agcod_async.settings import Settings
from agcod_async.wire.aiohttp_transport import AiohttpTransport

SUMMARY = "issue the orders of a file, at the account's rate"
MOVES_VALUE = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The command line, understood."""

    path: Path
    journal: Path | None
    concurrency: int
    deadline_seconds: float
    strict: bool
    deliver_command: str | None
    deliver_to: str | None
    as_json: bool
    progress: ProgressKind


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
    sinks = parser.add_mutually_exclusive_group()
    sinks.add_argument(
        "--deliver-command",
        metavar="CMD",
        help="run CMD once, without a shell; it reads one line of JSON for each card",
    )
    sinks.add_argument(
        "--deliver-to",
        metavar="MODULE:FUNCTION",
        help="call function(card, order) for each card; it may be async",
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
    return batch.tally.exit_code


def _run_job(arguments: Namespace) -> ExitCode:
    options = JobOptions.of(arguments, directory=arguments.job, file=arguments.file)
    if arguments.deliver_command is not None:
        raise UsageError(
            Reason("--deliver-command: does not acknowledge single cards: use --deliver-to")
        )
    return run_job_command(options, partial(open_sink, arguments))


def _check_no_job(arguments: Namespace) -> None:
    """Raise `UsageError` for an option that needs a job."""
    for option in ("name", "spend_cap", "funds", "warn_below", "stop_below"):
        if getattr(arguments, option) is not None:
            raise UsageError(Reason(f"--{option.replace('_', '-')}: needs --job"))


async def _issued(
    settings: Settings, options: Options, orders: OrdersFile, display: Display
) -> Batch:
    report: Report = JsonReport() if options.as_json else NoteReport(display)
    delivery = Delivery(await _sink(options))
    async with AsyncExitStack() as at_the_end:
        journal = None
        if options.journal is not None:
            journal = await at_the_end.enter_async_context(SqliteJournal(options.journal))
            await journal.bind(settings.partner_id, settings.host)
        # Half the CPU time of the default transport, which counts at some hundred orders a second.
        line = await at_the_end.enter_async_context(
            open_line(settings, transport=AiohttpTransport(), journal=journal)
        )
        batch = Batch(
            line,
            orders,
            count_rows(options.path),
            display=display,
            report=report,
            delivery=delivery,
            concurrency=options.concurrency,
            deadline_seconds=options.deadline_seconds,
        )
        await batch.issue()
        return batch


async def _sink(options: Options) -> Sink | None:
    if options.deliver_command is not None:
        return await CommandSink.start(options.deliver_command)
    if options.deliver_to is not None:
        return FunctionSink.find(options.deliver_to)
    return None


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
        journal=arguments.journal,
        concurrency=arguments.concurrency,
        deadline_seconds=arguments.deadline,
        strict=arguments.strict,
        deliver_command=arguments.deliver_command,
        deliver_to=arguments.deliver_to,
        as_json=arguments.json,
        progress=progress,
    )
    if not 1 <= options.concurrency <= CONCURRENCY_MAX:
        raise UsageError(
            Reason(f"--concurrency: {options.concurrency} is out of range (1 to {CONCURRENCY_MAX})")
        )
    if not options.deadline_seconds > 0:
        raise UsageError(Reason(f"--deadline: {options.deadline_seconds} is not above 0"))
    return options
