"""Handing cards over: so many at a time, and not for ever to a sink that fails."""

import asyncio
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from agcod_async.batch.orders import Order
from agcod_async.core.outcomes import Reason
from agcod_async.errors import UsageError
from agcod_async.providers.agcod.messages import GiftCard

FAILURES_MAX: Final = 10
"""After so many failures in a row no more orders are taken: the codes would go nowhere."""

Delivered = Literal["done", "failed", "none"]
"""What became of a claim code; "none" where there is no code, or nobody to hand it to."""


class Sink(Protocol):
    """Takes issued cards: at least once each, keyed by `order.request_id`."""

    async def deliver(self, card: GiftCard, order: Order) -> None:
        """Take one card. Returning acknowledges it; whatever is raised means "not taken"."""
        ...

    async def aclose(self) -> None:
        """Take no more."""
        ...


@dataclass(frozen=True, slots=True)
class Handed:
    """What became of one card. `problem` never quotes the sink: it could repeat the code."""

    delivered: Delivered
    problem: str = ""


class Handover:
    """Gives a sink `at_once` cards at a time. Without a sink it does nothing."""

    def __init__(self, sink: Sink | None, *, at_once: int) -> None:
        """Begin with a sink that is trusted."""
        if at_once < 1:
            raise UsageError(Reason(f"deliveries_at_once: {at_once} is too small (at least 1)"))
        self._sink = sink
        self._places = asyncio.Semaphore(at_once)
        self._failures = 0

    @property
    def is_wanted(self) -> bool:
        """Whether anybody takes cards."""
        return self._sink is not None

    @property
    def is_hopeless(self) -> bool:
        """Whether the sink seems to be broken."""
        return self._failures >= FAILURES_MAX

    async def give(self, card: GiftCard, order: Order) -> Handed:
        """Hand over one card. Raises nothing: a broken sink must not stop a job half-way."""
        if self._sink is None:
            return Handed("none")
        async with self._places:
            try:
                await self._sink.deliver(card, order)
            except (Exception, SystemExit) as error:  # noqa: BLE001  a sink may raise anything
                self._failures += 1
                return Handed("failed", f"raised {type(error).__name__}")
            self._failures = 0
            return Handed("done")
