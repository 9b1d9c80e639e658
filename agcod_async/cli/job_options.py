"""What a job takes from the command line."""

import math
from argparse import ArgumentParser, Namespace
from dataclasses import dataclass, field
from pathlib import Path

from agcod_async.cli.run_options import RunOptions, check_range
from agcod_async.core.policy import RecoveryPolicy


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
    run: RunOptions
    policy: RecoveryPolicy = field(default_factory=RecoveryPolicy)

    @classmethod
    def of(cls, arguments: Namespace, *, directory: Path, file: Path | None) -> "JobOptions":
        """Read them; raises `UsageError` for what is out of range."""
        patience = math.inf if arguments.patience is None else arguments.patience
        check_range("--patience", patience, patience >= 0, "0 or more")
        return cls(
            directory=directory,
            file=file,
            name=getattr(arguments, "name", None),
            strict=getattr(arguments, "strict", False),
            spend_cap=arguments.spend_cap,
            funds=arguments.funds,
            warn_below=arguments.warn_below,
            stop_below=arguments.stop_below,
            patience_seconds=patience,
            run=RunOptions.of(arguments),
        )


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
