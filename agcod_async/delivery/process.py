"""The processes that cards are written to: how they are started, and how they end.

Rules of this file:

1. No shell, and no card in the arguments or the environment: every user of the machine could read
   it there. The child does not inherit our own keys either: it has no business with the account.
2. A child has a session of its own, since Ctrl-C in the terminal is for us: it must still take
   what is under way.
3. Every wait for a child has a limit, and behind the limit stands SIGKILL, for all that it has
   started.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from agcod_async.core.outcomes import Reason
from agcod_async.errors import UsageError

OWN_VARIABLES: Final = "AGCOD_"
"""What begins like this is not in a child's environment: the access key among it."""

END_SECONDS_MAX: Final = 60.0
"""How long a command may take to end by itself, once its standard input is closed."""

KILL_SECONDS_MAX: Final = 5.0
"""How long the operating system may take to bury a child that was killed."""

ANSWER_LINE_MAX: Final = 4096
"""The longest line that is read from a child, in bytes. A request ID has 40 at most."""


def check_command(command: Sequence[str]) -> None:
    """Raise `UsageError` unless there is something to be run."""
    if not command or not command[0]:
        raise UsageError(Reason("the command is empty"))


async def start_process(
    command: Sequence[str], *, answers: bool
) -> asyncio.subprocess.Process | str:
    """Start a command, or say why it cannot be. Unless it `answers`, its output is dropped.

    What it prints could quote a code, so it is never shown, and its standard error is dropped.
    """
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(OWN_VARIABLES)
    }
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE if answers else asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            limit=ANSWER_LINE_MAX,
        )
    except (OSError, ValueError) as error:
        problem = error.strerror if isinstance(error, OSError) else "it has a NUL character"
        return f"cannot be started: {command[0]}: {problem}"
    if process.stdin is not None:
        # What is still in our own buffer when a command dies has not been handed over.
        process.stdin.transport.set_write_buffer_limits(high=0)
    return process


def kill(process: asyncio.subprocess.Process) -> None:
    """Kill a child and all that it has started, unless it has ended."""
    if process.stdin is not None:
        pipe = process.stdin.transport
        if not pipe.is_closing() or pipe.get_write_buffer_size():  # asyncio cannot abort twice
            pipe.abort()
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)


async def wait_for_end(process: asyncio.subprocess.Process, seconds_max: float) -> None:
    """Wait until a child has ended; kill it when the time is over, or nobody waits any more."""
    try:
        async with asyncio.timeout(seconds_max):
            await process.wait()
    except TimeoutError:
        kill(process)
        with suppress(TimeoutError):
            async with asyncio.timeout(KILL_SECONDS_MAX):
                await process.wait()
    except asyncio.CancelledError:
        kill(process)
        raise
