"""`agcod reconcile`: finish what a journal has open, then hold it against Amazon's books."""

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from agcod_async.agcod import AgcodSession
from agcod_async.agcod.comparison import SCAN_PAUSE_SECONDS
from agcod_async.cli.exits import ExitCode, of_error
from agcod_async.cli.printing import plain
from agcod_async.cli.reconcile_report import JsonReport, LineReport, Report
from agcod_async.clock import Clock
from agcod_async.core.outcomes import Reason
from agcod_async.errors import AgcodError, UsageError
from agcod_async.journal.base import JournalError
from agcod_async.journal.lock_file import JournalInUseError
from agcod_async.journal.sqlite import SqliteJournal
from agcod_async.reconciliation.books import Frame, Scan
from agcod_async.reconciliation.findings import Finding
from agcod_async.reconciliation.portal import read_portal
from agcod_async.settings import Settings

MOVES_VALUE = True

DEADLINE_SECONDS: Final = 3600.0
SINCE_SECONDS: Final = 2 * 86_400
UNTIL_SECONDS: Final = 1_800
"""The age of the orders that are compared with the activity report unless told otherwise: for a run
each day, and without those of which nothing can be said yet."""

_SWITCHED_OFF: Final = "APIGetGiftCardActivityPageIsDisabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The command line, understood."""

    journal: Path
    activity: bool
    exports: tuple[Path, ...]
    since: datetime | None
    until: datetime | None
    prefix: str | None
    read_only: bool
    deadline_seconds: float
    pause_seconds: float
    pages_per_minute: float
    as_json: bool


def add_arguments(parser: ArgumentParser) -> None:
    """Add what the command takes."""
    parser.add_argument(
        "--journal", type=Path, required=True, metavar="FILE", help="the journal of the session"
    )
    books = parser.add_mutually_exclusive_group()
    books.add_argument(
        "--activity",
        action="store_true",
        help="compare with the activity report: two scans, about a minute for each 1,000 rows",
    )
    books.add_argument(
        "--portal-csv",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="compare with an export of the portal; give two, taken at different times",
    )
    parser.add_argument(
        "--since",
        type=_moment,
        metavar="TIME",
        help="compare orders first sent from then on, such as 2026-01-31 or 2026-01-31T08:00Z"
        " (default: two days ago, or the first row of the exports)",
    )
    parser.add_argument(
        "--until",
        type=_moment,
        metavar="TIME",
        help="and before then (default: half an hour ago, or the last row of the exports)",
    )
    parser.add_argument(
        "--prefix",
        metavar="TEXT",
        help="what your request IDs begin with, where other systems share the account",
    )
    parser.add_argument(
        "--read-only", action="store_true", help="finish nothing, and put nothing on record"
    )
    parser.add_argument(
        "--deadline",
        type=float,
        default=DEADLINE_SECONDS,
        metavar="SECONDS",
        help=f"give up on an open call after so long (default: {DEADLINE_SECONDS:.0f})",
    )
    parser.add_argument(
        "--pause",
        type=float,
        default=SCAN_PAUSE_SECONDS,
        metavar="SECONDS",
        help=f"between the two scans (default: {SCAN_PAUSE_SECONDS:.0f}); the report lags",
    )
    parser.add_argument(
        "--pages-per-minute",
        type=float,
        default=1.0,
        metavar="RATE",
        help="pages of the activity report a minute (default: 1)",
    )
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object for each finding, and a summary"
    )


def run(arguments: Namespace) -> ExitCode:
    """Reconcile, audit and compare."""
    options = _options(arguments)
    settings = replace(Settings.from_env(), activity_pages_per_minute=options.pages_per_minute)
    if not options.journal.is_file():
        raise UsageError(Reason(f"--journal: {options.journal} is not a file"))
    report: Report = JsonReport() if options.as_json else LineReport()
    try:
        journal = SqliteJournal(options.journal)
    except JournalInUseError as error:
        return _unavailable(str(error))
    except JournalError as error:
        raise UsageError(Reason(f"--journal: {error}")) from error
    try:
        return asyncio.run(_reconciled(settings, options, journal, report))
    except JournalError as error:
        return _unavailable(str(error))


async def _reconciled(
    settings: Settings, options: Options, journal: SqliteJournal, report: Report
) -> ExitCode:
    code = ExitCode.DONE
    async with journal, AgcodSession(settings, journal=journal) as session:
        if not options.read_only:
            async for ended in session.reconciling(deadline_seconds=options.deadline_seconds):
                report.ended(ended)
            async for audited in session.audit(deadline_seconds=options.deadline_seconds):
                report.audited(audited)
        try:
            async for finding in _findings(session, options):
                settles = finding.kind.is_proof and not options.read_only
                report.found(finding, is_settled=settles and await session.settle(finding))
        except UsageError:
            raise
        except AgcodError as error:
            code = _not_compared(error)
        report.finish()
    return next(one for one in _WORST_FIRST if one in (code, report.exit_code))


def _not_compared(error: AgcodError) -> ExitCode:
    if error.error_type != _SWITCHED_OFF:
        _unavailable(f"not compared: {error}")
        return of_error(error)
    return _unavailable(
        "not compared: Amazon has switched the activity report off for this account (F3008);"
        " export the transactions from the portal and use --portal-csv"
    )


_WORST_FIRST = (ExitCode.IN_DOUBT, ExitCode.DECLINED, ExitCode.UNAVAILABLE, ExitCode.DONE)


async def _findings(session: AgcodSession, options: Options) -> AsyncIterator[Finding]:
    if options.exports:
        since, until = options.since, options.until
        scans = [_export(path, since, until) for path in options.exports]
        shown = [scan.frame for scan in scans if scan.frame is not None]
        if since is None or until is None:
            if not shown:
                raise UsageError(
                    Reason("--portal-csv: no row has a time; give --since and --until")
                )
            since = since or datetime.fromtimestamp(min(frame.start for frame in shown), UTC)
            until = until or datetime.fromtimestamp(max(frame.end for frame in shown), UTC)
        findings = session.compare_with(scans, since=since, until=until, prefix=options.prefix)
    elif options.activity:
        now = Clock().wall()
        since = options.since or datetime.fromtimestamp(now - SINCE_SECONDS, UTC)
        findings = session.compare(
            since=since,
            until=options.until or datetime.fromtimestamp(now - UNTIL_SECONDS, UTC),
            prefix=options.prefix,
            pause_seconds=options.pause_seconds,
            on_page=_note_page,
        )
    else:
        return
    async for finding in findings:
        yield finding


def _export(path: Path, since: datetime | None, until: datetime | None) -> Scan:
    frame = None
    if since is not None and until is not None:
        frame = Frame(since.timestamp(), until.timestamp())
    try:
        with path.open("rb") as file:
            is_wide = file.read(2) in (b"\xff\xfe", b"\xfe\xff")  # as Excel writes it
        with path.open(encoding="utf-16" if is_wide else "utf-8-sig", newline="") as lines:
            return read_portal(lines, frame=frame)
    except OSError as error:
        raise UsageError(Reason(f"--portal-csv: {path}: {error.strerror}")) from error
    except UnicodeError as error:
        raise UsageError(Reason(f"--portal-csv: {path}: is neither UTF-8 nor UTF-16")) from error
    except UsageError as error:
        raise UsageError(Reason(f"--portal-csv: {path}: {error.reason.message}")) from error


def _note_page(scan: int, rows: int) -> None:
    print(f"scan {scan} of 2: reading on from row {rows}", file=sys.stderr, flush=True)


def _unavailable(problem: str) -> ExitCode:
    print(plain(f"agcod reconcile: {problem}"), file=sys.stderr)
    return ExitCode.UNAVAILABLE


def _moment(text: str) -> datetime:
    """Read a time in ISO 8601; without a zone it is UTC."""
    moment = datetime.fromisoformat(text)  # argparse makes a usage error of a ValueError
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _options(arguments: Namespace) -> Options:
    options = Options(
        journal=arguments.journal,
        activity=arguments.activity,
        exports=tuple(arguments.portal_csv),
        since=arguments.since,
        until=arguments.until,
        prefix=arguments.prefix,
        read_only=arguments.read_only,
        deadline_seconds=arguments.deadline,
        pause_seconds=arguments.pause,
        pages_per_minute=arguments.pages_per_minute,
        as_json=arguments.json,
    )
    if not options.pause_seconds >= 0:
        raise UsageError(Reason(f"--pause: {options.pause_seconds} is below 0"))
    if options.since is not None and options.until is not None and options.since >= options.until:
        raise UsageError(Reason("--since: is not before --until"))
    return options
