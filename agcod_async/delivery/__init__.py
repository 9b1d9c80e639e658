"""Delivery of claim codes, which are kept nowhere: from the memory of a batch to a sink.

A sink takes a card over and says so; the line in front of it hands over, repeats and stops. What
is not delivered is not lost: the same create, under the same request ID, brings the card again.
"""

from agcod_async.delivery.command import CommandPerCardSink, CommandSink
from agcod_async.delivery.function import FunctionSink
from agcod_async.delivery.line import (
    Delivered,
    DeliveryLine,
    Handover,
    LineState,
    Undelivered,
)
from agcod_async.delivery.policy import DeliveryPolicy
from agcod_async.delivery.port import DeliveryError, Sink
from agcod_async.delivery.webhook import WebhookSink, secret_from_env

__all__ = [
    "CommandPerCardSink",
    "CommandSink",
    "Delivered",
    "DeliveryError",
    "DeliveryLine",
    "DeliveryPolicy",
    "FunctionSink",
    "Handover",
    "LineState",
    "Sink",
    "Undelivered",
    "WebhookSink",
    "secret_from_env",
]
