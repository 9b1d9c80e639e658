"""Where claim codes go: to a command or a function that the user names, and nowhere else.

Rules of this file:

1. A sink is found and started before the first order is sent, so that a misspelt one costs nothing.
2. What a sink prints or raises is not shown: it could quote the code that it was given.
3. Cards are handed over one after the other, and the next one waits until the last was taken.
"""

import asyncio
import importlib
import inspect
import json
import shlex
import sys
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

from agcod_async.batch import Order
from agcod_async.cli.tally import LISTED_MAX
from agcod_async.core.outcomes import Reason
from agcod_async.errors import UsageError
from agcod_async.providers.agcod.messages import GiftCard

COMMAND_END_SECONDS_MAX: Final = 60.0
"""How long a command may take to end once it has been given everything."""

Function = Callable[[GiftCard, Order], object]


class DeliveryError(Exception):
    """The sink has not taken a card, or cannot vouch for those it has taken (`request_ids`)."""

    def __init__(self, problem: str, request_ids: Sequence[str] = ()) -> None:
        super().__init__(problem)
        self.request_ids = request_ids


class Sink(Protocol):
    """Takes issued cards."""

    async def deliver(self, card: GiftCard, order: Order) -> None:
        """Take one card; whatever it raises means that the card was not taken."""
        ...

    async def finish(self) -> None:
        """Take no more. Raises `DeliveryError` if what was taken may not have been delivered."""
        ...


class CommandSink:
    """A command that reads one line of JSON for each card from its standard input.

    It runs once for the whole batch, without a shell. Its exit status is its receipt: 0 says that
    it has delivered what it was given. Anything else says nothing about any single card.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """Write to this process; `start` makes one."""
        self._process = process
        self._latest_ids: deque[str] = deque(maxlen=LISTED_MAX)

    @classmethod
    async def start(cls, command: str) -> "CommandSink":
        """Start the command; raises `UsageError` where it cannot be."""
        try:
            words = shlex.split(command)
        except ValueError as error:
            raise UsageError(Reason(f"--deliver-command: {error}")) from error
        if not words:
            raise UsageError(Reason("--deliver-command: is empty"))
        try:
            process = await asyncio.create_subprocess_exec(
                *words,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for us: it must still take what is under way
            )
        except OSError as error:
            raise UsageError(Reason(f"--deliver-command: {words[0]}: {error.strerror}")) from error
        if process.stdin is not None:
            # What is still in our own buffer when the command dies has not been handed over.
            process.stdin.transport.set_write_buffer_limits(high=0)
        return cls(process)

    async def deliver(self, card: GiftCard, order: Order) -> None:
        """Write one line."""
        stdin = self._process.stdin
        if stdin is None or self._process.returncode is not None:
            raise DeliveryError(f"the command has ended{self._status()}")
        line = json.dumps(_fields(card, order)) + "\n"
        try:
            stdin.write(line.encode())
            await stdin.drain()
        except ConnectionError:
            raise DeliveryError("the command reads no more") from None
        self._latest_ids.append(order.request_id)

    async def finish(self) -> None:
        """Close the command's standard input and wait for its exit status."""
        process = self._process
        if process.stdin is not None:
            process.stdin.close()
            with suppress(ConnectionError):
                await process.stdin.wait_closed()
        try:
            async with asyncio.timeout(COMMAND_END_SECONDS_MAX):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        if process.returncode != 0:
            raise DeliveryError(
                f"the delivery command ended{self._status()}: it does not vouch for the cards "
                "that it was given",
                tuple(self._latest_ids),
            )

    def _status(self) -> str:
        status = self._process.returncode
        if status is None:
            return ""
        return f" with status {status}" if status >= 0 else f" on signal {-status}"


class FunctionSink:
    """A function of the user's: `async def deliver(card, order)`, or without the `async`.

    A plain function runs in a thread of its own, always the same, so that it may block.
    """

    def __init__(self, function: Function) -> None:
        """Call this function; `find` looks one up."""
        self._function = function
        self._thread: ThreadPoolExecutor | None = None
        if not inspect.iscoroutinefunction(function):
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="agcod-deliver")

    @classmethod
    def find(cls, name: str) -> "FunctionSink":
        """Import "module:function"; raises `UsageError` where that is none."""
        module_name, _, function_name = name.partition(":")
        here = str(Path.cwd())
        if here not in sys.path:
            sys.path.append(here)
        try:
            function = getattr(importlib.import_module(module_name), function_name)
            inspect.signature(function).bind(None, None)
        except Exception as error:  # the module is the user's, and may raise anything
            problem = f"--deliver-to: {name!r} is no function(card, order): {error}"
            raise UsageError(Reason(problem)) from error
        return cls(function)

    async def deliver(self, card: GiftCard, order: Order) -> None:
        """Call the function, and await what it returns if that is to be awaited."""
        if self._thread is None:
            result = self._function(card, order)
        else:
            loop = asyncio.get_running_loop()
            result = await loop.run_in_executor(self._thread, self._function, card, order)
        if inspect.isawaitable(result):
            await result

    async def finish(self) -> None:
        """Let the thread go."""
        if self._thread is not None:
            self._thread.shutdown(wait=False)


def _fields(card: GiftCard, order: Order) -> dict[str, str | None]:
    return {
        "request_id": order.request_id,
        "live_request_id": str(card.request_id),
        "gc_id": card.gc_id,
        "claim_code": card.claim_code.reveal(),
        "amount": str(card.amount.amount),
        "currency": card.amount.currency,
        "expires_at": None if card.expires_at is None else card.expires_at.isoformat(),
    }
