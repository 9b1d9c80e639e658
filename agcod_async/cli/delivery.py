"""Handing cards to a sink: within a time, and not for ever to one that fails."""

import asyncio
from typing import Final

from agcod_async.batch import Order
from agcod_async.cli.sinks import DeliveryError, Sink
from agcod_async.cli.tally import Delivered
from agcod_async.providers.agcod.messages import GiftCard

DELIVERY_SECONDS_MAX: Final = 60.0
HURRIED_SECONDS_MAX: Final = 5.0
"""The time for each delivery once the user has asked a second time to stop."""

FAILURES_MAX: Final = 10
"""After so many failures in a row no more orders are taken: the codes would go nowhere."""


class Delivery:
    """Hands over one card at a time. Without a sink it does nothing."""

    def __init__(self, sink: Sink | None) -> None:
        """Begin with a sink that is trusted."""
        self._sink = sink
        self._seconds_max = DELIVERY_SECONDS_MAX
        self._limit: asyncio.Timeout | None = None
        self._failures = 0
        self.problem = ""
        """What was wrong the last time; it never quotes the sink's own words."""

    @property
    def is_hopeless(self) -> bool:
        """Whether the sink seems to be broken."""
        return self._failures >= FAILURES_MAX

    async def hand_over(self, card: GiftCard, order: Order) -> Delivered:
        """Hand over one card. Raises nothing: a broken sink must not stop a batch half-way."""
        if self._sink is None:
            return "none"
        try:
            async with asyncio.timeout(self._seconds_max) as self._limit:
                await self._sink.deliver(card, order)
        except TimeoutError:
            return self._failed("took too long")
        except DeliveryError as error:
            return self._failed(str(error))
        except (Exception, SystemExit) as error:  # noqa: BLE001  a sink may raise anything
            return self._failed(f"raised {type(error).__name__}")
        finally:
            self._limit = None
        self._failures = 0
        return "done"

    def hurry(self) -> None:
        """Give the delivery under way, and each after it, little more time."""
        self._seconds_max = HURRIED_SECONDS_MAX
        if self._limit is not None:
            self._limit.reschedule(asyncio.get_running_loop().time() + HURRIED_SECONDS_MAX)

    async def finish(self) -> None:
        """Close the sink. Raises `DeliveryError` if what it took may not have been delivered."""
        if self._sink is not None:
            await self._sink.finish()

    def _failed(self, problem: str) -> Delivered:
        self._failures += 1
        self.problem = problem
        return "failed"
