"""The `agcod` command: finds the command that is meant, runs it, and ends with its exit code.

Only the command that is meant is imported: `agcod --help` needs none, `agcod funds` no emulator.
"""

import logging
import os
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from io import TextIOWrapper
from typing import Final, NamedTuple, Protocol, cast

from agcod_async._version import __version__
from agcod_async.cli.exits import ExitCode
from agcod_async.cli.printing import plain
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
    def MOVES_VALUE(self) -> bool:  # noqa: N802  a constant of the module
        """Whether an interrupt leaves something in doubt."""
        ...

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add what the command takes."""
        ...

    def run(self, arguments: Namespace) -> ExitCode:
        """Do it. Raises `UsageError` or `InvalidValueError` where it cannot be done like this."""
        ...


class Listed(NamedTuple):
    """A command that is not imported yet."""

    module: str
    summary: str

    def imported(self) -> Command:
        """Import it."""
        return cast(Command, import_module(f"agcod_async.cli.{self.module}"))


GROUPS: Final[Mapping[str, str]] = {
    "batch": "many cards at once: issue, resume, status",
    "journal": "a journal in a file: prune",
    "rotate-key": "replace an access key: check",
}

COMMANDS: Final[Mapping[str, Listed]] = {
    "emulator": Listed("emulator", "serve a local AGCOD to test against, until Ctrl-C"),
    "create": Listed("create", "issue one gift card"),
    "cancel": Listed("cancel", "cancel one gift card, within 15 minutes of its creation"),
    "funds": Listed("funds", "show what the account can still spend"),
    "batch issue": Listed("batch_issue", "issue the orders of a file, at the account's rate"),
    "batch resume": Listed(
        "batch_resume", "go on with a job that was interrupted, stopped or killed"
    ),
    "batch status": Listed("batch_status", "show how a job stands, also while it runs"),
    "journal prune": Listed(
        "journal_prune", "forget finished calls of a journal that are older than so many days"
    ),
    "reconcile": Listed(
        "reconcile", "finish what a journal has open, and compare it with Amazon's books"
    ),
    "report": Listed("redraw", "draw the figures that earlier runs of a batch have kept"),
    "explain": Listed("explain", "say what an error of Amazon's means, and what to do about it"),
    "certify": Listed(
        "certify", "carry out Amazon's test plan against a sandbox, and report on it"
    ),
    "rotate-key check": Listed(
        "rotate_key", "check the access key in use and the new one, and say what to do next"
    ),
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
    meant, _ = parser(()).parse_known_args(argv)
    name: str = meant.command
    command = COMMANDS[name].imported()
    arguments = parser((name,)).parse_args(argv)
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


def parser(whole: Collection[str] = tuple(COMMANDS)) -> ArgumentParser:
    """Return the parser of all commands, of which those in `whole` are imported.

    Of the others it knows the name, and takes whatever stands behind it for unknown.
    """
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
    for name, listed in COMMANDS.items():
        group, _, word = name.rpartition(" ")
        if group not in groups:
            head = commands.add_parser(group, help=GROUPS[group], description=GROUPS[group])
            groups[group] = head.add_subparsers(metavar="COMMAND", required=True)
        one = groups[group].add_parser(
            word,
            help=listed.summary,
            description=f"{listed.summary[0].upper()}{listed.summary[1:]}.",
            allow_abbrev=False,
            add_help=name in whole,
        )
        one.set_defaults(command=name)
        if name in whole:
            listed.imported().add_arguments(one)
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
