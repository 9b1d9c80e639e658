"""The way of a card from the caller who has it to the sink that takes it over.

Rules of this file:

1. A card is delivered when the sink's `deliver` has returned, and not before.
2. A failure is repeated here, with the card that is in memory; Amazon is not asked again.
3. Nothing is kept: a card that is given up is dropped. The same create under the same request ID
   brings it back, whenever somebody asks for it again.
4. What a sink raises is neither shown nor chained, only its class is named: it could quote a code.
5. While the sink takes nothing, no more orders should be taken: their codes would go nowhere.
"""

import asyncio
import logging
import math
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, Self, assert_never

from agcod_async.clock import Clock
from agcod_async.core.delays import backoff_seconds
from agcod_async.delivery.policy import DeliveryPolicy
from agcod_async.delivery.port import DeliveryError, Sink
from agcod_async.providers.agcod.messages import GiftCard

if TYPE_CHECKING:
    from agcod_async.batch import Order

HURRIED_SECONDS_MAX: Final = 5.0
"""The time for all deliveries together once the line has been told to hurry."""

CLOSE_SECONDS_MAX: Final = 90.0
"""The time in which a sink must have closed; a command has 60 seconds of it to end."""

HURRIED_CLOSE_SECONDS_MIN: Final = 1.0
"""So much time has a sink to close in any case, also where the deliveries have used up theirs."""

_log = logging.getLogger("agcod_async")


class LineState(Enum):
    """Whether more orders should be taken."""

    OPEN = "open"
    """The sink takes cards, or nothing is known to the contrary."""
    STOPPED = "stopped"
    """Too many failures in a row. The cards in hand are tried again; one success opens it."""
    GIVEN_UP = "given up"
    """Stopped, and a card in hand has been given up. A success would still open it."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """The sink has acknowledged the card, at this attempt."""

    attempts: int


@dataclass(frozen=True, slots=True)
class Undelivered:
    """The card is live, but nobody has acknowledged its code. `problem` is safe to be shown."""

    problem: str
    attempts: int


Handover = Delivered | Undelivered


class DeliveryLine:
    """Hands cards to a sink: a bounded number at a time, and again if it fails.

    Ask `ready()` before each order is taken, and `hand_over()` its card. The line closes its sink;
    use it as an async context manager. `on_change` is told of each new state; it must not block.
    """

    def __init__(
        self,
        sink: Sink,
        *,
        policy: DeliveryPolicy = DeliveryPolicy(),  # noqa: B008  immutable
        clock: Clock = Clock(),  # noqa: B008  immutable
        on_change: Callable[["DeliveryLine"], None] | None = None,
    ) -> None:
        """Begin with a sink that is trusted."""
        self.policy = policy
        self.state = LineState.OPEN
        self.failures_in_row = 0
        self.last_problem = ""
        """What went wrong the last time, in words that are safe to be shown."""
        self._sink = sink
        self._clock = clock
        self._on_change = on_change
        self._places = asyncio.Semaphore(policy.at_a_time_max)
        self._repeats = 0
        self._in_hand = 0
        self._decided = asyncio.Event()  # not set while it is open whether the line goes on
        self._decided.set()
        self._hurried = asyncio.Event()
        self._hurried_until = math.inf  # on the loop's clock
        self._limits: set[asyncio.Timeout] = set()

    @property
    def words(self) -> str:
        """What its state is, for people; nothing of a code is in it."""
        failures = self.failures_in_row
        match self.state:
            case LineState.OPEN:
                return "goes on"
            case LineState.STOPPED:
                return (
                    f"has failed {failures} times in a row, the last time: {self.last_problem};"
                    " no order is taken until a card is"
                )
            case LineState.GIVEN_UP:
                return f"{failures} deliveries in a row have failed"
            case _:
                assert_never(self.state)

    async def ready(self) -> bool:
        """Wait while the line is stopped. Return whether another order should be taken."""
        await self._decided.wait()
        return self.state is LineState.OPEN

    async def hand_over(self, card: GiftCard, order: "Order") -> Handover:
        """Hand one card over. Raises nothing: a broken sink must not stop a batch half-way.

        Waits while too many deliveries are under way, so that a slow sink slows down whoever
        issues the cards.
        """
        self._in_hand += 1
        try:
            async with self._places:
                return await self._hand_over(card, order)
        except asyncio.CancelledError as error:
            # The traceback leads through the sink, whose variables may hold the code.
            raise error.with_traceback(None) from None
        finally:
            self._in_hand -= 1
            if not self._in_hand and self.state is LineState.STOPPED:
                self._change(LineState.GIVEN_UP)  # nothing is left whose success could open it

    def hurry(self) -> None:
        """Give all deliveries together little more time, and no repeat; close as quickly.

        A card for which no time is left counts as undelivered. May be called again.
        """
        if self._hurried.is_set():
            return
        self._hurried.set()
        self._hurried_until = asyncio.get_running_loop().time() + HURRIED_SECONDS_MAX
        for limit in self._limits:
            if (limit.when() or 0.0) > self._hurried_until:  # it is earlier where it is over
                limit.reschedule(self._hurried_until)

    async def aclose(self) -> None:
        """Close the sink, in bounded time. Raises nothing: what it took, it took."""
        problem = await self._closed()
        if problem is not None:
            _log.warning("the sink did not close: it %s", problem)

    async def __aenter__(self) -> Self:
        """Return the line itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the sink."""
        await self.aclose()

    # --- one card --------------------------------------------------------------------------

    async def _hand_over(self, card: GiftCard, order: "Order") -> Handover:
        attempts = 0
        while True:
            if self._left_seconds() <= 0:  # a sink that is not asked has not failed
                return Undelivered("no time was left for it", attempts)
            attempts += 1
            problem = await self._attempt(card, order)
            if problem is None:
                self._succeeded()
                return Delivered(attempts)
            self._failed(problem)
            if not self._may_repeat(attempts):
                if self.state is LineState.STOPPED:
                    self._change(LineState.GIVEN_UP)
                return Undelivered(problem, attempts)
            self._repeats += 1
            await self._pause(attempts)

    async def _attempt(self, card: GiftCard, order: "Order") -> str | None:
        """Return what went wrong, or None if the sink has acknowledged the card."""
        seconds = min(self.policy.attempt_seconds_max, self._left_seconds())
        try:
            async with self._limited(seconds):
                await self._sink.deliver(card, order)
        except TimeoutError:
            return "the sink took too long"
        except DeliveryError as error:
            said = error.reason.message
            return "the sink quoted a code" if card.claim_code.reveal() in said else said
        except asyncio.CancelledError:
            if _is_cancelled():
                raise
            return "the sink raised CancelledError"  # by a task of its own: nobody has asked us
        except (Exception, SystemExit) as error:  # noqa: BLE001  a sink may raise anything
            return f"the sink raised {type(error).__name__}"
        return None

    def _may_repeat(self, attempts: int) -> bool:
        return (
            attempts < self.policy.attempts_max
            and self._repeats < self.policy.repeats_max
            and not self._hurried.is_set()
        )

    async def _pause(self, repeats: int) -> None:
        seconds = backoff_seconds(self.policy, repeats, self._clock.chance())
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._hurried.wait()

    @asynccontextmanager
    async def _limited(self, seconds: float) -> AsyncGenerator[None, None]:
        """Raise `TimeoutError` after so long, or when a hurry is over that begins meanwhile."""
        async with asyncio.timeout(seconds) as limit:
            self._limits.add(limit)
            try:
                yield
            finally:
                self._limits.discard(limit)

    def _left_seconds(self) -> float:
        return self._hurried_until - asyncio.get_running_loop().time()

    # --- the line --------------------------------------------------------------------------

    def _succeeded(self) -> None:
        self.failures_in_row = 0
        if self.state is not LineState.OPEN:
            _log.warning("delivery goes on: the sink has taken a card")
            self._change(LineState.OPEN)

    def _failed(self, problem: str) -> None:
        self.failures_in_row += 1
        self.last_problem = problem
        if self.state is LineState.OPEN and self.failures_in_row >= self.policy.failures_max:
            _log.warning(
                "delivery has stopped after %d failures in a row, the last one: %s",
                self.failures_in_row,
                problem,
            )
            self._change(LineState.STOPPED)

    def _change(self, state: LineState) -> None:
        self.state = state
        if state is LineState.STOPPED:
            self._decided.clear()
        else:
            self._decided.set()
        if self._on_change is not None:
            try:
                self._on_change(self)
            except Exception as error:  # noqa: BLE001  who watches must not stop what is watched
                _log.warning("on_change raised %s", type(error).__name__)

    async def _closed(self) -> str | None:
        seconds = min(CLOSE_SECONDS_MAX, max(HURRIED_CLOSE_SECONDS_MIN, self._left_seconds()))
        try:
            async with self._limited(seconds):
                await self._sink.aclose()
        except TimeoutError:
            return "took too long"
        except Exception as error:  # noqa: BLE001  a sink may raise anything
            return f"raised {type(error).__name__}"
        return None


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0
