"""The port of delivery: who takes a claim code over, and how it says that it has.

The package is imported by whoever runs a batch, and `Order` belongs to the batch. It is therefore
named here for type checkers alone: at run time nothing of the delivery imports the batch.
"""

from typing import TYPE_CHECKING, Protocol

from agcod_async.errors import AgcodError
from agcod_async.providers.agcod.messages import GiftCard

if TYPE_CHECKING:
    from agcod_async.batch import Order


class DeliveryError(AgcodError):
    """The sink has not acknowledged a card. The card lives; only its code is not delivered.

    A sink of your own may raise anything else as well. What this one says is shown and logged, so
    it must not quote a claim code.
    """


class Sink(Protocol):
    """Takes cards over, for good.

    Amazon forbids partners to store claim codes, so nothing but a sink ever holds one for longer
    than its delivery takes. After a failure, a crash or a lost acknowledgement the same card is
    handed over again: at least once, never "exactly once". `card.request_id` is the key; a sink
    that has had it before takes it again without harm.
    """

    async def deliver(self, card: GiftCard, order: "Order") -> None:
        """Take one card over: returning acknowledges it, raising anything does not.

        Called by several tasks at once.
        """
        ...

    async def aclose(self) -> None:
        """Take no more, and let go of what was opened. Called once no delivery is under way."""
        ...
