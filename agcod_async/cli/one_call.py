"""What the commands for a single call share: settings, session, verdict, exit code."""

import asyncio
import sys
from argparse import ArgumentParser
from collections.abc import Awaitable, Callable
from typing import TypeVar

from agcod_async.agcod import AgcodSession
from agcod_async.cli.exits import ExitCode, of_error
from agcod_async.cli.printing import Shown, error_fields, plain, print_json
from agcod_async.errors import AgcodError, InDoubtError
from agcod_async.settings import Settings

AnswerT = TypeVar("AnswerT")


def add_common_arguments(parser: ArgumentParser) -> None:
    """Add what every such command takes."""
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--deadline", type=float, metavar="SECONDS", help="give up after so long (default: 60)"
    )


def run_call(
    call: Callable[[AgcodSession], Awaitable[AnswerT]],
    show: Callable[[AnswerT], Shown],
    *,
    as_json: bool,
) -> ExitCode:
    """Make one call with the settings of the environment and print what comes of it.

    `show` returns the answer's fields. An error is printed as one line on standard error, or with
    `as_json` as an object on standard output. `UsageError` is left to the caller.
    """
    settings = Settings.from_env()
    try:
        answer = asyncio.run(_made(settings, call))
    except AgcodError as error:
        if of_error(error) is ExitCode.USAGE:
            raise
        _print_error(error, as_json=as_json)
        return of_error(error)
    _print_fields(show(answer), as_json=as_json)
    return ExitCode.DONE


async def _made(settings: Settings, call: Callable[[AgcodSession], Awaitable[AnswerT]]) -> AnswerT:
    async with AgcodSession(settings) as session:
        return await call(session)


def _print_fields(fields: Shown, *, as_json: bool) -> None:
    if as_json:
        print_json(fields)
        return
    for name, text in fields.items():
        if text is not None:
            print(f"{name.replace('_', ' '):<16} {plain(str(text))}")


def _print_error(error: AgcodError, *, as_json: bool) -> None:
    verdict = type(error).__name__.removesuffix("Error")
    if as_json:
        print_json({"error": verdict, "request_id": error.request_id, **error_fields(error)})
        return
    print(plain(f"agcod: {verdict}: {error}"), file=sys.stderr)
    if isinstance(error, InDoubtError):
        when = "" if error.not_before is None else f" after {error.not_before:%H:%M:%S} UTC"
        print(
            f"agcod: run the same command again{when}; never use another request ID for this order",
            file=sys.stderr,
        )
