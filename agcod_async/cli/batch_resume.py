"""`agcod batch resume`: go on with a job that was interrupted, stopped or killed."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from agcod_async.cli.exits import ExitCode
from agcod_async.cli.job_command import run_job_command
from agcod_async.cli.job_options import JobOptions, add_job_arguments
from agcod_async.cli.run_options import add_run_arguments
from agcod_async.settings import Settings

MOVES_VALUE = True


def add_arguments(parser: ArgumentParser) -> None:
    """Add what the command takes."""
    parser.add_argument("job", type=Path, metavar="DIR", help="the job's directory")
    add_job_arguments(parser)
    add_run_arguments(parser)


def run(arguments: Namespace) -> ExitCode:
    """Issue what is planned or in doubt, and deliver what is issued and not delivered."""
    options = JobOptions.of(arguments, directory=arguments.job, file=None)
    return run_job_command(options, Settings.from_env())
