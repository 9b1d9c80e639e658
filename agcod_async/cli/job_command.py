"""Running a job from the command line: what `batch issue --job` and `batch resume` share."""

import asyncio
import math
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from agcod_async.batch import CONCURRENCY, DEADLINE_SECONDS
from agcod_async.batch.funds import FundsWatch
from agcod_async.batch.job import Job
from agcod_async.batch.job_rows import RowState
from agcod_async.batch.job_run import JobRun
from agcod_async.batch.job_view import view_job
from agcod_async.batch.orders import RefusedRow
from agcod_async.batch.planning import plan_job
from agcod_async.cli.amounts import money
from agcod_async.cli.display import Display, ProgressKind, open_display
from agcod_async.cli.exits import ExitCode
from agcod_async.cli.issuing import open_line
from agcod_async.cli.job_batch import JobBatch
from agcod_async.cli.job_status import JobStatus
from agcod_async.cli.order_fields import JobKeys
from agcod_async.cli.orders_file import digest, open_plan
from agcod_async.cli.printing import plain, print_json, print_table
from agcod_async.cli.report import JsonReport, NoteReport, Report, summary_fields
from agcod_async.cli.report_file import add_report_argument, check_report_path, write_reports
from agcod_async.cli.sinks import SinkOptions, open_sink, sink_options
from agcod_async.core.outcomes import Reason
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.delivery import DeliveryLine
from agcod_async.errors import UsageError
from agcod_async.settings import Settings
from agcod_async.wire.aiohttp_transport import AiohttpTransport

CONCURRENCY_MAX = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOptions:
    """The command line of a job, understood. `file` is None where the plan is there already."""

    directory: Path
    file: Path | None
    name: str | None
    strict: bool
    spend_cap: str | None
    funds: bool | None
    warn_below: str | None
    stop_below: str | None
    patience_seconds: float
    concurrency: int
    deadline_seconds: float
    sink: SinkOptions
    reports: Sequence[Path]
    as_json: bool
    progress: ProgressKind
    policy: RecoveryPolicy = field(default_factory=RecoveryPolicy)

    @classmethod
    def of(cls, arguments: Namespace, *, directory: Path, file: Path | None) -> "JobOptions":
        """Read them; raises `UsageError` for what is out of range."""
        progress: ProgressKind = arguments.progress
        if progress == "auto" and arguments.json and sys.stdout.isatty():
            progress = "lines"  # results on the same terminal would tear a bar
        options = cls(
            directory=directory,
            file=file,
            name=getattr(arguments, "name", None),
            strict=getattr(arguments, "strict", False),
            spend_cap=arguments.spend_cap,
            funds=arguments.funds,
            warn_below=arguments.warn_below,
            stop_below=arguments.stop_below,
            patience_seconds=math.inf if arguments.patience is None else arguments.patience,
            concurrency=arguments.concurrency,
            deadline_seconds=arguments.deadline,
            sink=sink_options(arguments),
            reports=arguments.report,
            as_json=arguments.json,
            progress=progress,
        )
        for path in options.reports:
            check_report_path(path)
        _check("--concurrency", 1 <= options.concurrency <= CONCURRENCY_MAX, "1 to 10000")
        _check("--deadline", options.deadline_seconds > 0, "above 0")
        _check("--patience", options.patience_seconds >= 0, "0 or more")
        return options


def add_job_arguments(parser: ArgumentParser) -> None:
    """Add what every run of a job takes."""
    parser.add_argument(
        "--spend-cap",
        metavar="AMOUNT",
        help="let the job as a whole spend no more, such as 5000.00; what is in doubt counts",
    )
    parser.add_argument(
        "--patience",
        type=float,
        metavar="SECONDS",
        help="end the run when the line has stood still for so long (default: never)",
    )
    parser.add_argument(
        "--warn-below", metavar="AMOUNT", help="say so when the funds are below (default: the rest)"
    )
    parser.add_argument(
        "--stop-below", metavar="AMOUNT", help="stop the line while the funds are below"
    )
    funds = parser.add_mutually_exclusive_group()
    funds.add_argument(
        "--funds",
        action="store_true",
        default=None,
        help="watch the account's funds (the default in production; a sandbox always says 0)",
    )
    funds.add_argument("--no-funds", dest="funds", action="store_false", help="do not")


def add_run_arguments(parser: ArgumentParser) -> None:
    """Add what every batch takes."""
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


def run_job_command(options: JobOptions, settings: Settings) -> ExitCode:
    """Plan the job if there is a file, run it, and show how it stands then."""
    with open_display(options.progress) as display:
        batch = asyncio.run(_ran(settings, options, display))
    return _closed(options, batch)


async def _ran(settings: Settings, options: JobOptions, display: Display) -> JobBatch:
    report: Report = JsonReport() if options.as_json else NoteReport(display)
    delivery = options.sink.policy
    async with await _job(settings, options, report) as job:
        sink = await open_sink(options.sink)
        try:
            async with open_line(
                settings, policy=options.policy, transport=AiohttpTransport(), journal=job.journal
            ) as line:
                run = JobRun(
                    line.session,
                    job,
                    sink=sink,
                    delivery=delivery,
                    concurrency=options.concurrency,
                    deadline_seconds=options.deadline_seconds,
                    funds=await _funds(settings, options, job),
                    patience_seconds=options.patience_seconds,
                    tell=display.note,
                )
                left = [RowState.PLANNED, RowState.UNDER_WAY, RowState.IN_DOUBT]
                if sink is not None:
                    left.append(RowState.ISSUED)
                totals = await job.totals()
                total = sum(one.orders for state in left for one in totals[state])
                batch = JobBatch(line, run, total, display=display, report=report)
                await batch.issue()
                return batch
        finally:
            if sink is not None:  # a line closes it in bounded time, and raises nothing
                await DeliveryLine(sink, policy=delivery).aclose()


async def _job(settings: Settings, options: JobOptions, report: Report) -> Job:
    """Open the job; plan it first where that has not been done."""
    if options.file is None:
        job = await Job.open(options.directory, settings)
    else:
        job = await _planned(settings, options, options.file, report)
    try:
        if options.spend_cap is not None:
            await job.set_spend_cap(options.spend_cap)
    except BaseException:
        await job.aclose()
        raise
    return job


async def _planned(settings: Settings, options: JobOptions, file: Path, report: Report) -> Job:
    """Open the job that was made of this file, and make it if there is none."""
    with open_plan(file, settings, JobKeys(options.name)) as rows:
        before = digest(file)
        job = await Job.create(options.directory, settings, name=options.name, source_digest=before)

        bad_rows = 0

        def refuse(row: RefusedRow) -> None:
            nonlocal bad_rows
            bad_rows += 1
            report.refused(row)

        async def verify() -> None:
            if digest(file) != before:
                raise UsageError(Reason(f"{file}: has changed while it was read"))
            if options.strict and bad_rows:
                raise UsageError(Reason(f"nothing was issued: {bad_rows} bad rows"))

        try:
            if (await job.facts()).planned_at is None:
                await plan_job(
                    job,
                    rows,
                    spend_cap=options.spend_cap,
                    on_refused=refuse,
                    verify=verify,
                )
        except BaseException:
            await job.aclose()
            raise
    return job


async def _funds(settings: Settings, options: JobOptions, job: Job) -> FundsWatch | None:
    """Return how the funds are watched: in production by default, for a sandbox says 0."""
    is_wanted = not settings.endpoint.is_sandbox if options.funds is None else options.funds
    marks = [
        None if mark is None else money(mark, await job.currency())
        for mark in (options.warn_below, options.stop_below)
    ]
    if not is_wanted:
        _check("--warn-below, --stop-below", marks == [None, None], "with --funds alone")
        return None
    return FundsWatch(warn_below=marks[0], stop_below=marks[1])


def _closed(options: JobOptions, batch: JobBatch) -> ExitCode:
    """Show what the run came to and how the job stands, and return the exit code."""
    tally, traffic = batch.tally, batch.line.traffic
    with view_job(options.directory) as view:
        status = JobStatus.of(view)
    code = status.exit_code if batch.failure is None else ExitCode.IN_DOUBT
    with suppress(BrokenPipeError):  # nobody reads: the exit code is still the job's
        if options.as_json:
            print_json(summary_fields(tally, traffic, batch.elapsed_seconds))
            print_json(status.fields | {"exit_code": int(code)})
        else:
            status.show()
            print_table(
                (
                    ("orders of this run", str(tally.orders)),
                    ("requests sent", f"{traffic.requests} in {batch.elapsed_seconds:.1f} s"),
                )
            )
            if tally.stopped is not None:
                print(f"\nStopped before the end of the plan: {tally.stopped}.")
                print(f"agcod batch resume {options.directory} goes on.")
    if batch.figures is not None:
        write_reports(options.reports, batch.figures)
    if batch.failure is not None:
        print(
            plain(f"agcod: the job's files could not be written: {batch.failure}"), file=sys.stderr
        )
    return code


def _check(option: str, fits: bool, limit: str) -> None:  # noqa: FBT001  what is checked
    if not fits:
        raise UsageError(Reason(f"{option}: is out of range ({limit})"))
