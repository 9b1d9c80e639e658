"""The promise: a strict sliding window at the server never throttles, and the cap is used."""

import asyncio
import math
import random
from contextvars import Context
from itertools import pairwise
from typing import Any

import pytest

from agcod_async.pacing.pacer import LocalPacer
from agcod_async.testing.clock import VirtualLoop, run, virtual_clock
from tests.pacing.model import (
    LOST,
    Client,
    Network,
    SlidingServer,
    constant,
    heavy_tail,
    jittery,
    sometimes,
    uniform,
)

SENDS = {0.5: 150, 2.5: 600, 10.0: 2_000, 100.0: 3_000, 1_000.0: 6_000}


def new_client(
    rate: float, network: Network, *, seed: int = 1, bound: float = 1.0
) -> tuple[Client, SlidingServer]:
    slots = max(1, math.floor(rate))
    server = SlidingServer(slots, slots / rate)
    pacer = LocalPacer(
        requests_per_second=rate, clock=virtual_clock(seed), arrival_bound_seconds=bound
    )
    return Client(pacer, server, network, seed), server


def saturate(rate: float, network: Network, *, seed: int = 1) -> SlidingServer:
    client, server = new_client(rate, network, seed=seed)
    workers = min(SENDS[rate] // 4, 2_000)
    run(client.saturate(SENDS[rate], workers))
    assert len(client.sends) == SENDS[rate]
    return server


@pytest.mark.parametrize("rate", SENDS)
@pytest.mark.parametrize(("jitter_ms", "share"), [(0, 0.97), (1, 0.97), (10, 0.97), (50, 0.93)])
def test_jitter_is_never_throttled_and_the_cap_is_used(
    rate: float, jitter_ms: float, share: float
) -> None:
    server = saturate(rate, jittery(jitter_ms / 1000))
    assert server.throttled == 0
    assert share <= server.share_of_cap() <= 1.01


OTHER_LAWS = {
    "jitter both ways": Network(uniform(0.01, 0.03), constant(0.001), uniform(0.01, 0.03)),
    "a heavy tail both ways": Network(heavy_tail(0.01, 0.9), constant(0.02), heavy_tail(0.01, 9)),
    "a slow server": Network(constant(0.02), constant(0.7), constant(0.02)),
    "a server that is sometimes quick": Network(
        uniform(0.02, 0.03), sometimes(constant(0.3), constant(0.001), 0.05), constant(0.02)
    ),
    "lost replies": Network(
        uniform(0.01, 0.05), constant(0.02), sometimes(constant(0.02), constant(LOST), 0.02)
    ),
    "late ones that the client no longer waits for": Network(
        sometimes(constant(0.02), uniform(0.5, 1.0), 0.05),
        constant(0.01),
        constant(0.02),
        timeout_seconds=0.2,
    ),
    "a journal between permit and send": Network(
        uniform(0.01, 0.02), constant(0.01), constant(0.01), before=uniform(0, 0.01)
    ),
}
SHARES = {
    "jitter both ways": 0.96,
    "a heavy tail both ways": 0.88,
    "a slow server": 0.97,
    "a server that is sometimes quick": 0.75,
    "lost replies": 0.93,
    "late ones that the client no longer waits for": 0.92,
    "a journal between permit and send": 0.97,
}


@pytest.mark.parametrize("rate", [2.5, 10.0, 100.0, 1_000.0])
@pytest.mark.parametrize("law", OTHER_LAWS)
def test_no_law_of_latency_is_throttled(law: str, rate: float) -> None:
    server = saturate(rate, OTHER_LAWS[law])
    assert server.throttled == 0
    # At 2.5/s the window is 0.8 s, so what a slow reply costs weighs more.
    assert SHARES[law] - (0.1 if rate < 10 else 0) <= server.share_of_cap() <= 1.01


@pytest.mark.parametrize("rate", [10.0, 100.0, 1_000.0])
@pytest.mark.parametrize("share_of_a_window", [0.1, 0.5, 0.9])
def test_first_requests_that_open_their_connections_leave_no_floor_behind(
    rate: float, share_of_a_window: float
) -> None:
    """Their round trips are long and alike; those after them are short."""
    openings = iter([0.02] * int(rate * share_of_a_window))
    network = Network(lambda _chance: next(openings, 0.0005), constant(0.0005), constant(0.0005))
    server = saturate(rate, network)
    assert server.throttled == 0
    assert 0.97 <= server.share_of_cap() <= 1.01


@pytest.mark.parametrize("seed", range(4))
def test_bursts_and_idle_gaps_are_not_throttled(seed: int) -> None:
    client, server = new_client(
        10.0, Network(uniform(0.01, 0.2), constant(0.05), uniform(0.01, 0.2)), seed=seed
    )
    chance = random.Random(seed)

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(100):
                for _ in range(chance.choice([1, 3, 12, 40])):
                    group.create_task(client.send())
                await asyncio.sleep(chance.choice([0, 0.05, 0.7, 1.1, 5]))

    run(main())
    assert server.throttled == 0
    assert len(server.arrivals) > 800


def test_a_server_that_takes_seconds_gets_requests_before_it_has_answered() -> None:
    server = saturate(10.0, Network(uniform(0.01, 0.9), constant(3.0), constant(0.01)))
    assert server.throttled == 0
    # A slot is held for the arrival bound (1 s) and the window (1 s).
    assert server.share_of_cap() == pytest.approx(0.5, abs=0.02)


def test_a_smaller_arrival_bound_gives_more_of_the_cap_where_nothing_else_tells() -> None:
    network = Network(uniform(0.01, 0.09), uniform(0.2, 0.8), constant(0.01))
    shares: list[float] = []
    for bound in (1.0, 0.1):
        client, server = new_client(10.0, network, bound=bound)
        run(client.saturate(1_000, 64))
        assert server.throttled == 0
        shares.append(server.share_of_cap())
    assert shares[0] < 0.85
    assert shares[1] > 0.9


def test_the_traffic_is_smooth_from_the_first_second_on() -> None:
    client, _ = new_client(10.0, jittery(0.0))
    run(client.saturate(50, 20))
    assert min(after - before for before, after in pairwise(client.sends)) >= 0.098


def test_at_high_rates_no_more_than_a_few_milliseconds_worth_leaves_at_once() -> None:
    client, _ = new_client(1_000.0, jittery(0.01))
    run(client.saturate(3_000, 1_500))
    for number, sent_at in enumerate(client.sends):
        # The bucket holds 20 ms worth of requests, and the rate goes on meanwhile.
        later = client.sends[number + 42 : number + 43]
        assert all(moment - sent_at >= 0.02 for moment in later)


class LateLoop(VirtualLoop):
    """Its timers are two milliseconds late, as those of a busy loop are."""

    def call_at(
        self, when: float, callback: Any, *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return super().call_at(when + 0.002, callback, *args, context=context)


@pytest.mark.parametrize(("rate", "sends"), [(10.0, 500), (100.0, 1_500), (1_000.0, 4_000)])
def test_timers_that_are_late_cost_next_to_nothing_of_the_cap(rate: float, sends: int) -> None:
    client, server = new_client(rate, jittery(0.0))
    with asyncio.Runner(loop_factory=LateLoop) as runner:
        runner.run(client.saturate(sends, sends // 8))
    assert server.throttled == 0
    assert server.share_of_cap() >= 0.985


def test_a_first_request_does_not_wait() -> None:
    client, _ = new_client(0.5, jittery(0.0))
    run(client.send())
    assert client.sends[0] < 0.001


def test_the_same_seed_gives_the_same_run() -> None:
    runs: list[list[float]] = []
    for _ in range(2):
        client, server = new_client(10.0, jittery(0.05), seed=5)
        run(client.saturate(300, 20))
        runs.append(server.arrivals)
    assert runs[0] == runs[1]
