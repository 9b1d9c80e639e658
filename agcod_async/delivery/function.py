"""A function as a sink."""

import asyncio
import inspect
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
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
        self._thread = None if inspect.iscoroutinefunction(function) else _Thread()

    async def deliver(self, card: GiftCard, order: "Order") -> None:
        """Call the function, and await what it returns if that is to be awaited."""
        if self._thread is None:
            result = self._function(card, order)
        else:
            result = await self._thread.ask(lambda: self._function(card, order))
        if inspect.isawaitable(result):
            await result

    async def aclose(self) -> None:
        """Let the thread go. A call that hangs in it is not waited for."""
        if self._thread is not None:
            self._thread.stop()


class _Thread:
    """Makes one call after the other.

    No executor: its threads are waited for at the interpreter's exit, so that a function that hangs
    would keep the process for ever. A daemon ends with it.
    """

    def __init__(self) -> None:
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        threading.Thread(target=self._serve, name="agcod-deliver", daemon=True).start()

    async def ask(self, call: Callable[[], object]) -> object:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[object] = loop.create_future()

        def resolve(value: object, error: BaseException | None) -> None:
            if future.done():
                return  # nobody waits any more
            if error is None:
                future.set_result(value)
            else:
                future.set_exception(error)

        def tell(value: object, error: BaseException | None) -> None:
            with suppress(RuntimeError):  # that loop has closed
                loop.call_soon_threadsafe(resolve, value, error)

        def answer() -> None:
            if future.cancelled():
                return  # its time was over before its turn came
            try:
                value = call()
            except BaseException as error:  # noqa: BLE001  whoever waits gets it
                tell(None, error)
            else:
                tell(value, None)

        self._calls.put(answer)
        return await future

    def stop(self) -> None:
        self._calls.put(None)

    def _serve(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
            del call  # it holds a card, and the next one may be long in coming
