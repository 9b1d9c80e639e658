"""`agcod report`: draw the figures of earlier runs. It needs no account and sends nothing."""

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from agcod_async.cli.exits import ExitCode
from agcod_async.cli.printing import plain
from agcod_async.cli.report_file import check_report_path, write_report
from agcod_async.core.outcomes import Reason
from agcod_async.errors import UsageError
from agcod_async.figures import Figures, from_json, merged
from agcod_async.figures.saved import BYTES_MAX

MOVES_VALUE = False


def add_arguments(parser: ArgumentParser) -> None:
    """Add what the command takes."""
    parser.add_argument(
        "file",
        nargs="+",
        type=Path,
        metavar="FILE.json",
        help="figures of the runs of one job, each of them once",
    )
    parser.add_argument(
        "--output",
        "-o",
        required=True,
        type=Path,
        metavar="FILE",
        help="the page (FILE.html), or the figures of all runs as one (FILE.json)",
    )


def run(arguments: Namespace) -> ExitCode:
    """Draw the figures. Raises `UsageError` for a file that cannot be read or written."""
    output: Path = arguments.output
    check_report_path(output)
    figures = merged([_read(path) for path in arguments.file])
    try:
        write_report(output, figures)
    except OSError as error:
        raise UsageError(Reason(f"{output}: {error.strerror}")) from error
    print(plain(f"report: {output}"), file=sys.stderr)
    return ExitCode.DONE


def _read(path: Path) -> Figures:
    try:
        with path.open("rb") as file:
            return from_json(file.read(BYTES_MAX + 1))
    except OSError as error:
        raise UsageError(Reason(f"{path}: {error.strerror}")) from error
    except ValueError as error:
        raise UsageError(Reason(f"{path}: no figures of a run: {error}")) from error
