"""What a card costs in units that a busy machine does not change: function calls, and a yardstick.

    python -m benchmarks.suite.calls [--calls-only]

Prints {"calls": …, "calls_again": …, "ratio": …}.

`calls` is how many functions in Python are called for a card, and coroutines resumed: 64 at a time,
in virtual time, without an exchange. It is the same in every run. (Calls of C are left out: whether
the interpreter reports them depends on what it has specialised up to then.)

`ratio` is the CPU of such a card in multiples of a yardstick that does what no such client can do
without: write JSON, hash it twice and sign it, read JSON, in a task. Both are measured in turn in
this process, and the least of each counts, because whatever disturbs a run can only add to it.
"""

import asyncio
import gc
import hashlib
import hmac
import json
import sys
import time
from types import FrameType

from agcod_async.testing.clock import run as run_virtually
from agcod_async.testing.clock import virtual_clock
from benchmarks.suite import request
from benchmarks.suite.contender import CONCURRENCY, spread
from benchmarks.suite.sdk import Sdk

CARDS = 2 * CONCURRENCY
SLICES = 10
_NOWHERE = "http://127.0.0.1:1"
_REPLY = json.dumps({"status": "SUCCESS", "cardInfo": {"cardStatus": "Fulfilled"}}).encode()


async def calls_a_card() -> float:
    """Count. To be run in virtual time."""
    sdk, counted = Sdk("canned", _NOWHERE, virtual_clock()), 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal counted
        counted += event == "call"

    await sdk.open()
    await spread(sdk.issue, range(CARDS))  # until every cache is full
    gc.collect()
    gc.disable()
    sys.setprofile(count)
    try:
        await spread(sdk.issue, range(CARDS, 2 * CARDS))
    finally:
        sys.setprofile(None)
        gc.enable()
    await sdk.close()
    return counted / CARDS


async def yardstick(number: int) -> None:
    """Do the least that any client does for a card."""
    asked = {"creationRequestId": request.request_id(number), "partnerId": request.PARTNER_ID}
    body = json.dumps({**asked, "value": {"currencyCode": "USD", "amount": 25.0}}).encode()
    digest = hashlib.sha256(hashlib.sha256(body).digest()).digest()
    hmac.new(b"key", digest, hashlib.sha256).hexdigest()
    await asyncio.create_task(asyncio.sleep(0))
    json.loads(_REPLY)


async def times_the_yardstick() -> float:
    """Measure the one and the other in turn."""
    sdk = Sdk("canned", _NOWHERE)
    await sdk.open()
    cards, yardsticks = [], []
    for number in range(SLICES):
        numbers = range(number * CARDS, (number + 1) * CARDS)
        began = time.process_time()
        await spread(sdk.issue, numbers)
        middle = time.process_time()
        await spread(yardstick, numbers)
        cards.append(middle - began)
        yardsticks.append(time.process_time() - middle)
    await sdk.close()
    return min(cards) / min(yardsticks)


def main() -> None:
    cost = {"calls": run_virtually(calls_a_card())}
    if "--calls-only" not in sys.argv:
        cost["calls_again"] = run_virtually(calls_a_card())
        cost["ratio"] = asyncio.run(times_the_yardstick())
    print(json.dumps(cost), flush=True)


if __name__ == "__main__":
    main()
