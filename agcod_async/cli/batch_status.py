"""`agcod batch status`: how a job stands, also while another process runs it."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from agcod_async.batch.job_view import view_job
from agcod_async.cli.exits import ExitCode
from agcod_async.cli.job_status import JobStatus
from agcod_async.cli.printing import print_json

MOVES_VALUE = False


def add_arguments(parser: ArgumentParser) -> None:
    """Add what the command takes."""
    parser.add_argument("job", type=Path, metavar="DIR", help="the job's directory")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: Namespace) -> ExitCode:
    """Show the job. It needs no account and sends nothing."""
    with view_job(arguments.job) as view:
        status = JobStatus.of(view)
    if arguments.json:
        print_json(status.fields)
    else:
        status.show()
    return status.exit_code
