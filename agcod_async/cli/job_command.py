"""Running a job from the command line: what `batch issue --job` and `batch resume` share."""

import asyncio
import sys
from contextlib import suppress
from pathlib import Path

from agcod_async.batch.funds import FundsWatch
from agcod_async.batch.job import Job
from agcod_async.batch.job_rows import RowState
from agcod_async.batch.job_run import JobRun
from agcod_async.batch.job_view import view_job
from agcod_async.batch.orders import RefusedRow
from agcod_async.batch.planning import plan_job
from agcod_async.cli.amounts import money
from agcod_async.cli.display import Display, open_display
from agcod_async.cli.exits import ExitCode
from agcod_async.cli.job_batch import JobBatch
from agcod_async.cli.job_options import JobOptions
from agcod_async.cli.job_status import JobStatus, exit_code_of
from agcod_async.cli.line import open_line
from agcod_async.cli.order_fields import JobKeys
from agcod_async.cli.orders_file import digest, open_plan
from agcod_async.cli.printing import Shown, plain, print_json, print_table
from agcod_async.cli.report import JsonReport, NoteReport, Report, summary_fields
from agcod_async.cli.report_file import write_reports
from agcod_async.cli.sinks import open_sink
from agcod_async.cli.tally import Tally
from agcod_async.core.outcomes import Reason
from agcod_async.errors import UsageError
from agcod_async.settings import Settings
from agcod_async.wire.aiohttp_transport import AiohttpTransport


def run_job_command(options: JobOptions, settings: Settings) -> ExitCode:
    """Plan the job if there is a file, run it, and show how it stands then."""
    with open_display(options.run.progress) as display:
        batch = asyncio.run(_ran(settings, options, display))
    return _closed(options, batch)


async def _ran(settings: Settings, options: JobOptions, display: Display) -> JobBatch:
    report: Report = JsonReport() if options.run.as_json else NoteReport(display)
    tally = Tally()
    async with (
        await _job(settings, options, report, tally) as job,
        open_line(
            settings, policy=options.policy, transport=AiohttpTransport(), journal=job.journal
        ) as line,
    ):
        funds = await _funds(settings, options, job)
        refused = await job.refused()
        total = await _to_be_taken(job, has_sink=options.run.sink.is_given)
        run = JobRun(
            line.session,
            job,
            sink=await open_sink(options.run.sink),  # last: nothing but the run closes it
            delivery=options.run.sink.policy,
            concurrency=options.run.concurrency,
            deadline_seconds=options.run.deadline_seconds,
            funds=funds,
            patience_seconds=options.patience_seconds,
            tell=display.note,
        )
        batch = JobBatch(
            line,
            run,
            total=total + tally.rows_refused,
            display=display,
            report=report,
            tally=tally,
            refused=refused,
        )
        await batch.issue()
        return batch


async def _to_be_taken(job: Job, *, has_sink: bool) -> int:
    left = [RowState.PLANNED, RowState.UNDER_WAY, RowState.IN_DOUBT]
    if has_sink:
        left.append(RowState.ISSUED)
    totals = await job.totals()
    return sum(one.orders for state in left for one in totals[state])


async def _job(settings: Settings, options: JobOptions, report: Report, tally: Tally) -> Job:
    """Open the job; plan it first where that has not been done."""
    if options.file is None:
        job = await Job.open(options.directory, settings)
    else:
        job = await _planned(settings, options, options.file, report, tally)
    try:
        if options.spend_cap is not None:
            await job.set_spend_cap(options.spend_cap)
    except BaseException:
        await job.aclose()
        raise
    return job


async def _planned(
    settings: Settings, options: JobOptions, file: Path, report: Report, tally: Tally
) -> Job:
    """Open the job that was made of this file, and make it if there is none."""
    with open_plan(file, settings, JobKeys(options.name)) as rows:
        before = digest(file)
        job = await Job.create(options.directory, settings, name=options.name, source_digest=before)

        def refuse(row: RefusedRow) -> None:
            tally.rows_refused += 1
            report.refused(row)

        async def verify() -> None:
            if digest(file) != before:
                raise UsageError(Reason(f"{file}: has changed while it was read"))
            if options.strict and tally.rows_refused:
                raise UsageError(Reason(f"nothing was issued: {tally.rows_refused} bad rows"))

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
        if marks != [None, None]:
            raise UsageError(
                Reason("--warn-below, --stop-below: need --funds: nobody looks at them")
            )
        return None
    return FundsWatch(warn_below=marks[0], stop_below=marks[1])


def _closed(options: JobOptions, batch: JobBatch) -> ExitCode:
    """Show what the run came to and how the job stands, and return the exit code.

    Orders were sent: whatever goes wrong in here, the exit code says what happened to the money.
    """
    status = problem = None
    try:
        with view_job(options.directory) as view:
            status = JobStatus.of(view)
        code = status.exit_code
    except (UsageError, OSError) as error:
        problem = f"how the job stands cannot be read, this is what the run has counted: {error}"
        code = exit_code_of(batch.run.counts, batch.refused)
    if batch.failure is not None:
        problem = f"the job's files could not be written: {batch.failure}"
        code = ExitCode.IN_DOUBT
    with suppress(BrokenPipeError):  # nobody reads: the exit code is still the job's
        if options.run.as_json:
            _print_objects(batch, status, code, problem)
        else:
            _print_tables(options, batch, status)
    if batch.figures is not None:
        write_reports(options.run.reports, batch.figures)
    if problem is not None:
        print(plain(f"agcod: {problem}"), file=sys.stderr)
    return code


def _print_objects(
    batch: JobBatch, status: JobStatus | None, code: ExitCode, problem: str | None
) -> None:
    print_json(summary_fields(batch.tally, batch.line.traffic, batch.elapsed_seconds))
    counted = {state.value: {"orders": count} for state, count in batch.run.counts.items()}
    job: Shown = {"kind": "job", "states": counted} if status is None else status.fields
    print_json(job | {"exit_code": int(code)} | ({"problem": problem} if problem else {}))


def _print_tables(options: JobOptions, batch: JobBatch, status: JobStatus | None) -> None:
    if status is None:
        print_table((state.value, str(count)) for state, count in batch.run.counts.items())
    else:
        status.show()
    tally, traffic = batch.tally, batch.line.traffic
    print_table(
        (
            ("orders of this run", str(tally.orders)),
            ("requests sent", f"{traffic.requests} in {batch.elapsed_seconds:.1f} s"),
        )
    )
    if tally.stopped is not None:
        print(f"\nStopped before the end of the plan: {tally.stopped}.")
        print(f"agcod batch resume {options.directory} goes on.")
