"""The `agcod` command: finds the command that is meant, runs it, and ends with its exit code."""

import logging
import os
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from typing import Final, Protocol

from agcod_async._version import __version__
from agcod_async.cli import (
    batch_issue,
    batch_resume,
    batch_status,
    cancel,
    certify,
    create,
    emulator,
    explain,
    funds,
    journal_prune,
    reconcile,
    redraw,
    rotate_key,
)
from agcod_async.cli.display import plain
from agcod_async.cli.exits import ExitCode
from agcod_async.errors import UsageError
from agcod_async.journal.base import JournalError
from agcod_async.values import InvalidValueError

DESCRIPTION = """\
Issue Amazon gift cards on demand (AGCOD).

The account is read from the environment: AGCOD_ACCESS_KEY_ID, AGCOD_SECRET_ACCESS_KEY,
AGCOD_PARTNER_ID; optional: AGCOD_ENDPOINT (na-sandbox unless you say otherwise),
AGCOD_BASE_URL, AGCOD_REGION, AGCOD_COUNTRY, AGCOD_TPS, AGCOD_KEY_CREATED_AT.
`agcod emulator` prints a set to try it with.
"""

EXIT_CODES = """\
exit codes, the worst first:
  2  usage: the command, the file or the environment is wrong; nothing was issued
  3  something is in doubt: run it again under the same IDs, never under others
  1  something was declined, reversed or refused, or issued and not delivered
  4  something is unavailable: not issued, run it again later
  0  all done
"""


class Command(Protocol):
    """One command: a module of this package."""

    @property
    def SUMMARY(self) -> str:  # noqa: N802  a constant of the module
        """What it does, in a few words."""
        ...

    @property
    def MOVES_VALUE(self) -> bool:  # noqa: N802  as above
        """Whether an interrupt leaves something in doubt."""
        ...

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add what the command takes."""
        ...

    def run(self, arguments: Namespace) -> ExitCode:
        """Do it. Raises `UsageError` or `InvalidValueError` where it cannot be done like this."""
        ...


GROUPS: Final[Mapping[str, str]] = {
    "batch": "many cards at once: issue, resume, status",
    "journal": "a journal in a file: prune",
    "rotate-key": "replace an access key: check",
}

COMMANDS: Final[Mapping[str, Command]] = {
    "emulator": emulator,
    "create": create,
    "cancel": cancel,
    "funds": funds,
    "batch issue": batch_issue,
    "batch resume": batch_resume,
    "batch status": batch_status,
    "journal prune": journal_prune,
    "reconcile": reconcile,
    "report": redraw,
    "explain": explain,
    "certify": certify,
    "rotate-key check": rotate_key,
}


def run() -> None:
    """Run the command that the process was started with."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    code = main()
    try:
        sys.stdout.flush()
    except OSError:
        # Nobody reads any more, which is no success. Python would complain once more at its end.
        code = code or ExitCode.DECLINED
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that `argv` asks for and return its exit code."""
    arguments = parser().parse_args(argv)
    name: str = arguments.command
    command = COMMANDS[name]
    try:
        with _shown_warnings():
            return command.run(arguments)
    except (UsageError, InvalidValueError, JournalError) as error:
        print(plain(f"agcod {name}: {error}"), file=sys.stderr)
        return ExitCode.USAGE
    except BrokenPipeError:
        return ExitCode.DECLINED  # it may have worked, but nobody has read the result
    except KeyboardInterrupt:
        if not command.MOVES_VALUE:
            print(f"agcod {name}: interrupted", file=sys.stderr)
            return ExitCode.UNAVAILABLE
        again = "what was under way is in doubt: run the same command again"
        print(f"agcod {name}: interrupted; {again}", file=sys.stderr)
        return ExitCode.IN_DOUBT


def parser() -> ArgumentParser:
    """Return the parser of all commands."""
    top = ArgumentParser(
        prog="agcod",
        description=DESCRIPTION,
        epilog=EXIT_CODES,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"agcod {__version__}")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    groups = {"": commands}
    for name, command in COMMANDS.items():
        group, _, word = name.rpartition(" ")
        if group not in groups:
            head = commands.add_parser(group, help=GROUPS[group], description=GROUPS[group])
            groups[group] = head.add_subparsers(metavar="COMMAND", required=True)
        one = groups[group].add_parser(
            word,
            help=command.SUMMARY,
            description=f"{command.SUMMARY[0].upper()}{command.SUMMARY[1:]}.",
            allow_abbrev=False,
        )
        command.add_arguments(one)
        one.set_defaults(command=name)
    return top


class _PlainLine(logging.Formatter):
    """One line, in which nothing steers a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        return plain(f"agcod: {record.getMessage()}")


@contextmanager
def _shown_warnings() -> Generator[None, None, None]:
    """Show what the package warns of, such as an unlikely amount, on standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_PlainLine())
    handler.setLevel(logging.WARNING)
    log = logging.getLogger("agcod_async")
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
