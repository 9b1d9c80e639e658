"""One process that reads cards and answers with their IDs, for as long as it lives.

Rules of this file:

1. Only a whole line that is the ID of a card under way is an acknowledgement. A line written to
   a pipe is none, and neither is what stands in a last line without an end: the ID of one order
   may be the beginning of another's.
2. Whatever else the process does ends the conversation or is passed over; nothing of what it says
   is shown, since it could quote a code.
3. Nothing here grows: not by cards, not by answers, not by what the process prints.
"""

import asyncio
from typing import TYPE_CHECKING, Final

from agcod_async.delivery.message import card_message
from agcod_async.delivery.process import ANSWER_LINE_MAX, END_SECONDS_MAX, kill, wait_for_end
from agcod_async.providers.agcod.messages import GiftCard

if TYPE_CHECKING:
    from agcod_async.batch import Order

STRAYS_MAX: Final = 1000
"""After so many lines in a row that acknowledge nothing, the process is held to be mad."""


class Conversation:
    """Hands cards to one process and listens for their IDs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """Talk to this process, whose input and output are pipes."""
        if process.stdin is None or process.stdout is None:
            raise ValueError("process: has no pipes (it needs stdin and stdout)")
        self._process = process
        self._stdin = process.stdin
        self._stdout = process.stdout
        self._turn = asyncio.Lock()
        self._waiting: dict[asyncio.Future[str | None], tuple[str, str]] = {}
        self._over: str | None = None
        self._listener = asyncio.create_task(self._listen())

    @property
    def is_over(self) -> bool:
        """Whether the process takes or answers no more. Whoever waited for it has been told."""
        return self._over is not None

    async def hand_over(self, card: GiftCard, order: "Order", seconds_max: float) -> str | None:
        """Write one card and wait for its ID. Return what went wrong, or None."""
        answer: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._waiting[answer] = (str(card.request_id), order.request_id)
        try:
            async with asyncio.timeout(seconds_max):
                await self._write(card, order)
                return await answer
        except TimeoutError:
            return self._over or "did not answer in time"
        finally:
            del self._waiting[answer]

    async def close(self) -> None:
        """Say that there is no more, and wait for the end of the process."""
        self._stdin.close()
        await wait_for_end(self._process, END_SECONDS_MAX)
        await self._stop_listening()

    async def abandon(self) -> None:
        """End a conversation that is over, whatever the process still does."""
        kill(self._process)
        await wait_for_end(self._process, 0.0)
        await self._stop_listening()

    async def _write(self, card: GiftCard, order: "Order") -> None:
        async with self._turn:
            if self._over is not None:
                self._finish(self._over)
                return
            self._stdin.write(card_message(card, order) + b"\n")
            try:
                await self._stdin.drain()
            except OSError:
                self._finish("reads no more")
            except asyncio.CancelledError:
                # Half a card may be in the pipe, and nobody knows when the rest would follow.
                self._finish("stopped reading")
                raise

    async def _listen(self) -> None:
        strays = 0
        while strays < STRAYS_MAX:
            try:
                line = await self._stdout.readline()
            except ValueError:  # too long for an ID; the reader has dropped it
                strays += 1
                continue
            if not line.endswith(b"\n"):
                self._finish("answers no more")
                return
            strays = 0 if self._acknowledge(line) else strays + 1
        self._finish("answers with what is no request ID")
        kill(self._process)
        while await self._stdout.read(ANSWER_LINE_MAX):
            pass  # asyncio does not bury a process while a pipe of it holds anything

    def _acknowledge(self, line: bytes) -> bool:
        request_id = line.decode("utf-8", "replace").strip()
        found = False
        for answer, ids in self._waiting.items():
            if request_id in ids:
                found = True
                if not answer.done():
                    answer.set_result(None)
        return found

    def _finish(self, problem: str) -> None:
        if self._over is None:
            self._over = problem
        for answer in self._waiting:
            if not answer.done():
                answer.set_result(self._over)

    async def _stop_listening(self) -> None:
        self._listener.cancel()
        await asyncio.gather(self._listener, return_exceptions=True)
