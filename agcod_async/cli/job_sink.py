"""Who takes the cards of a job: a function of the user's, which acknowledges one at a time.

A command that reads all cards from one pipe acknowledges them with its exit status, when the run
is over. A job must know of each card whether it was taken, before it calls it delivered.
"""

from argparse import ArgumentParser, Namespace

from agcod_async.batch.handover import Sink
from agcod_async.batch.orders import Order
from agcod_async.cli.delivery import Delivery
from agcod_async.cli.sinks import DeliveryError, FunctionSink
from agcod_async.providers.agcod.messages import GiftCard


class FunctionTaker:
    """A function as a sink: what it raises, or too long a time, means that it took nothing."""

    def __init__(self, delivery: Delivery) -> None:
        """Hand cards over through `delivery`, which keeps the time."""
        self._delivery = delivery

    async def deliver(self, card: GiftCard, order: Order) -> None:
        """Hand over one card."""
        if await self._delivery.hand_over(card, order) == "failed":
            raise DeliveryError(self._delivery.problem)

    async def aclose(self) -> None:
        """Let the function's thread go."""
        await self._delivery.finish()


def add_sink_arguments(parser: ArgumentParser) -> None:
    """Add how a sink is named."""
    parser.add_argument(
        "--deliver-to",
        metavar="MODULE:FUNCTION",
        help="call function(card, order) for each card; it may be async",
    )


async def open_sink(arguments: Namespace) -> Sink | None:
    """Return the sink that was named; raises `UsageError` where there is none of that name."""
    if arguments.deliver_to is None:
        return None
    return FunctionTaker(Delivery(FunctionSink.find(arguments.deliver_to)))
