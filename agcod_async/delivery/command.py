"""Commands as sinks: one that lives as long as the batch, and one for each card."""

import asyncio
import shutil
from typing import TYPE_CHECKING, Final, Self

from agcod_async.core.outcomes import Reason
from agcod_async.delivery.conversation import Conversation
from agcod_async.delivery.message import card_message
from agcod_async.delivery.port import DeliveryError
from agcod_async.delivery.process import check_command, kill, start_process, wait_for_end
from agcod_async.errors import UsageError
from agcod_async.providers.agcod.messages import GiftCard

if TYPE_CHECKING:
    from agcod_async.batch import Order

ANSWER_SECONDS_MAX: Final = 50.0
"""How long a command may take to acknowledge one card. Less than the 60 seconds of the line in
front of it, which knows less of what went wrong."""


class CommandSink:
    """A command that reads one line of JSON for each card, and answers one line with its ID.

    It answers once it has taken the card over, in any order, with the card's `request_id` or
    `live_request_id`. A command that dies, stops reading or answers nonsense has acknowledged
    nothing that it has not answered; it is started anew for the next delivery.
    """

    def __init__(self, *command: str, answer_seconds_max: float = ANSWER_SECONDS_MAX) -> None:
        """Run these words without a shell; prefer `start`, which finds a misspelt one at once."""
        check_command(command)
        self._command = command
        self._answer_seconds_max = answer_seconds_max
        self._conversation: Conversation | None = None
        self._starting = asyncio.Lock()
        self._closed = False

    @classmethod
    async def start(cls, *command: str, answer_seconds_max: float = ANSWER_SECONDS_MAX) -> Self:
        """Start the command; raises `UsageError` where it cannot be."""
        sink = cls(*command, answer_seconds_max=answer_seconds_max)
        started = await sink._living()
        if isinstance(started, str):
            raise UsageError(Reason(f"the command {started}"))
        return sink

    async def deliver(self, card: GiftCard, order: "Order") -> None:
        """Hand one card to the command; raises `DeliveryError` unless it is acknowledged."""
        living = await self._living()
        if isinstance(living, Conversation):
            problem = await living.hand_over(card, order, self._answer_seconds_max)
        else:
            problem = living
        if problem is not None:
            raise DeliveryError(Reason(f"the command {problem}"), request_id=order.request_id)

    async def aclose(self) -> None:
        """Close the command's standard input and wait for it to end, with a limit."""
        self._closed = True
        async with self._starting:
            if self._conversation is None:
                return
            if self._conversation.is_over:
                await self._conversation.abandon()
            else:
                await self._conversation.close()

    async def _living(self) -> Conversation | str:
        """Return a conversation that is not over, or why there is none."""
        async with self._starting:
            if self._closed:
                return "is closed"
            if self._conversation is not None:
                if not self._conversation.is_over:
                    return self._conversation
                await self._conversation.abandon()
                self._conversation = None
            process = await start_process(self._command, answers=True)
            if isinstance(process, str):
                return process
            self._conversation = Conversation(process)
            return self._conversation


class CommandPerCardSink:
    """A command that is run once for each card, and acknowledges it by ending with status 0.

    For commands that cannot answer. It gets one line of JSON and then the end of its standard
    input. Any other status, a signal, or an end before it has read its line acknowledges nothing.
    """

    def __init__(self, *command: str, end_seconds_max: float = ANSWER_SECONDS_MAX) -> None:
        """Run these words without a shell; raises `UsageError` where they name no command."""
        check_command(command)
        if shutil.which(command[0]) is None:
            raise UsageError(
                Reason(f"the command cannot be started: {command[0]}: No such file or directory")
            )
        self._command = command
        self._end_seconds_max = end_seconds_max

    async def deliver(self, card: GiftCard, order: "Order") -> None:
        """Run the command for one card; raises `DeliveryError` unless it ends with status 0."""
        process = await start_process(self._command, answers=False)
        if isinstance(process, str):
            problem: str | None = process
        else:
            problem = await self._run(process, card, order)
        if problem is not None:
            raise DeliveryError(Reason(f"the command {problem}"), request_id=order.request_id)

    async def aclose(self) -> None:
        """Nothing is left open between two cards."""

    async def _run(
        self, process: asyncio.subprocess.Process, card: GiftCard, order: "Order"
    ) -> str | None:
        try:
            async with asyncio.timeout(self._end_seconds_max):
                has_read = await _write(process, card, order)
                status = await process.wait()
        except TimeoutError:
            return "did not end in time"
        finally:
            kill(process)
            await wait_for_end(process, 0.0)
        if status == 0:
            return None if has_read else "ended before it had read the card"
        return f"ended with status {status}" if status > 0 else f"ended on signal {-status}"


async def _write(process: asyncio.subprocess.Process, card: GiftCard, order: "Order") -> bool:
    """Write the card and close the pipe. Return whether all of it went into the pipe."""
    if process.stdin is None:
        return False
    try:
        process.stdin.write(card_message(card, order) + b"\n")
        await process.stdin.drain()
        process.stdin.close()
        await process.stdin.wait_closed()
    except OSError:
        return False
    return True
