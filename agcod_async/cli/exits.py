"""Exit codes: what a script may do next."""

from enum import IntEnum

from agcod_async.errors import (
    AgcodError,
    IdempotencyConflictError,
    InDoubtError,
    UnavailableError,
    UsageError,
)


class ExitCode(IntEnum):
    """How a command ended."""

    DONE = 0
    """All issued."""
    DECLINED = 1
    """Something was declined, reversed, refused, or issued and not delivered: look at it."""
    USAGE = 2
    """The command, its file or the environment is wrong. Nothing was sent."""
    IN_DOUBT = 3
    """Something is in doubt: run it again under the same ID, never under another."""
    UNAVAILABLE = 4
    """Something was not issued: run it again later."""


def of_error(error: AgcodError) -> ExitCode:
    """Return the exit code for a single call that ended with `error`."""
    match error:
        case IdempotencyConflictError():
            return ExitCode.DECLINED  # the command is right, but the ID belongs to something else
        case UsageError():
            return ExitCode.USAGE
        case InDoubtError():
            return ExitCode.IN_DOUBT
        case UnavailableError():
            return ExitCode.UNAVAILABLE
        case _:
            return ExitCode.DECLINED
