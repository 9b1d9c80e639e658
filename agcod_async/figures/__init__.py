"""What a run came to, as data: to be kept as JSON, merged with other runs, or drawn."""

from agcod_async.figures.figures import Figures, OrderInDoubt, Refusal, Worth
from agcod_async.figures.latency import Latency
from agcod_async.figures.merging import merged
from agcod_async.figures.pace import Pace
from agcod_async.figures.saved import from_json, to_json

__all__ = [
    "Figures",
    "Latency",
    "OrderInDoubt",
    "Pace",
    "Refusal",
    "Worth",
    "from_json",
    "merged",
    "to_json",
]
