"""`agcod journal prune`: make room in a journal by forgetting calls that are long over."""

import asyncio
from argparse import ArgumentParser, Namespace
from pathlib import Path

from agcod_async.batch.job import PLAN_NAME
from agcod_async.cli.exits import ExitCode
from agcod_async.cli.printing import print_json
from agcod_async.clock import Clock
from agcod_async.core.outcomes import Reason
from agcod_async.errors import UsageError
from agcod_async.journal.sqlite import PRUNE_AGE_SECONDS_MIN, SqliteJournal

MOVES_VALUE = False

_DAY_SECONDS = 86_400.0


def add_arguments(parser: ArgumentParser) -> None:
    """Add what the command takes."""
    parser.add_argument("file", type=Path, metavar="FILE", help="the journal")
    parser.add_argument(
        "--older-than",
        type=float,
        required=True,
        metavar="DAYS",
        help="forget what last changed so many days ago, at least 1",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: Namespace) -> ExitCode:
    """Prune the journal. Open entries always stay."""
    path: Path = arguments.file
    older_than_seconds = arguments.older_than * _DAY_SECONDS
    if not older_than_seconds >= PRUNE_AGE_SECONDS_MIN:
        raise UsageError(Reason(f"--older-than: {arguments.older_than} is too young (at least 1)"))
    if not path.is_file():
        raise UsageError(Reason(f"{path}: there is no journal here"))
    if (path.parent / PLAN_NAME).exists():
        raise UsageError(
            Reason(f"{path}: is a job's, which needs all of it: keep it as long as the job")
        )
    removed = asyncio.run(_pruned(path, older_than_seconds))
    if arguments.json:
        print_json({"removed": removed})
    else:
        print(f"{removed} calls forgotten")
    return ExitCode.DONE


async def _pruned(path: Path, older_than_seconds: float) -> int:
    async with SqliteJournal(path) as journal:
        return await journal.prune(older_than_seconds=older_than_seconds, now=Clock().wall())
