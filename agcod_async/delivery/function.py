"""A function as a sink."""

import asyncio
import inspect
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from agcod_async.providers.agcod.messages import GiftCard

if TYPE_CHECKING:
    from agcod_async.batch import Order


class FunctionSink:
    """A function of the user's: `async def deliver(card, order)`, or without the `async`.

    Returning acknowledges the card, whatever is returned; raising does not. A plain function runs
    in a thread of its own, always the same, so that it may block and need not be thread-safe: its
    deliveries come one after the other.
    """

    def __init__(self, function: "Callable[[GiftCard, Order], object]") -> None:
        """Call this function."""
        self._function = function
        self._thread: ThreadPoolExecutor | None = None
        if not inspect.iscoroutinefunction(function):
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="agcod-deliver")

    async def deliver(self, card: GiftCard, order: "Order") -> None:
        """Call the function, and await what it returns if that is to be awaited."""
        if self._thread is None:
            result = self._function(card, order)
        else:
            loop = asyncio.get_running_loop()
            result = await loop.run_in_executor(self._thread, self._function, card, order)
        if inspect.isawaitable(result):
            await result

    async def aclose(self) -> None:
        """Let the thread go. A call that hangs in it is not waited for."""
        if self._thread is not None:
            self._thread.shutdown(wait=False, cancel_futures=True)
