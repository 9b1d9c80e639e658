"""What the whole pacer does after a throttle: for every lane, over many runs."""

import asyncio
import random
from dataclasses import replace
from itertools import pairwise

import pytest

from agcod_async.clock import Clock
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.pacing.pacer import LocalPacer
from agcod_async.pacing.port import Lane, Permit
from agcod_async.pacing.window import SAMPLES
from agcod_async.testing.clock import run, virtual_clock
from tests.pacing.model import Client, Network, SlidingServer, constant, sometimes, uniform

FLOOR = 1.0


def no_jitter_clock() -> Clock:
    return replace(virtual_clock(), chance=lambda: 0.0)


def now() -> float:
    return asyncio.get_running_loop().time()


async def admit(pacer: LocalPacer, lane: Lane = Lane.BATCH) -> Permit:
    return await pacer.admit(lane, "CreateGiftCard", within_seconds=None)


async def throttle(pacer: LocalPacer) -> None:
    permit = await admit(pacer)
    permit.sending()
    permit.answered(throttled=True)


async def answer(pacer: LocalPacer) -> None:
    permit = await admit(pacer)
    permit.sending()
    permit.answered(throttled=False)


@pytest.mark.parametrize("seed", range(8))
def test_nobody_sends_before_the_floor_after_any_throttle(seed: int) -> None:
    # The server allows half of what the client believes, so it throttles again and again.
    server = SlidingServer(5, 1.0)
    pacer = LocalPacer(requests_per_second=10, clock=virtual_clock(seed))
    network = Network(
        uniform(0.01, 0.3),
        constant(0.01),
        sometimes(uniform(0.01, 0.1), uniform(1.0, 5.0), 0.2),
        before=uniform(0, 0.2),
    )
    client = Client(pacer, server, network, seed)
    chance = random.Random(seed)

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(400):
                group.create_task(client.send(chance.choice(list(Lane))))
                await asyncio.sleep(chance.choice([0, 0.1, 0.5]))

    run(main())
    assert len(client.throttles) >= 10
    for throttled_at in client.throttles:
        assert not [sent for sent in client.sends if throttled_at < sent < throttled_at + FLOOR]


def test_exactly_one_probe_goes_while_sixty_four_wait() -> None:
    async def main() -> None:
        pacer = LocalPacer(requests_per_second=10, clock=no_jitter_clock())
        await throttle(pacer)
        waiters = [asyncio.create_task(admit(pacer, Lane(n % 4))) for n in range(64)]
        await asyncio.sleep(30.0)
        given = [waiter for waiter in waiters if waiter.done()]
        assert len(given) == 1
        assert given[0] is waiters[0]  # of the best lane
        probe = given[0].result()
        probe.sending()
        await asyncio.sleep(5.0)
        assert pacer.stats().permits_given == 2
        probe.answered(throttled=False)
        await asyncio.sleep(3.0)
        assert pacer.stats().permits_given > 10
        await pacer.aclose()

    run(main())


def test_after_the_probe_the_rate_rises_in_steps() -> None:
    async def main() -> list[float]:
        clock = no_jitter_clock()
        pacer = LocalPacer(requests_per_second=20, clock=clock)
        client = Client(
            pacer,
            SlidingServer(20, 1.0),
            Network(constant(0.001), constant(0.0), constant(0.001)),
        )
        await throttle(pacer)
        await client.saturate(60, 40)
        assert not client.throttles
        return client.sends

    sends = run(main())
    opened_at = sends[0]
    assert opened_at == pytest.approx(1.0, abs=0.01)
    in_second = [sum(opened_at + n < sent <= opened_at + n + 1 for sent in sends) for n in range(4)]
    assert in_second[0] in (4, 5)
    assert in_second[1] in (9, 10)
    assert in_second[2] in (19, 20)


def test_each_throttled_probe_doubles_the_pause_up_to_a_minute() -> None:
    async def main() -> list[float]:
        pacer = LocalPacer(requests_per_second=10, clock=no_jitter_clock())
        probes: list[float] = []
        for _ in range(9):
            await throttle(pacer)
            probes.append(now())
        return [after - before for before, after in pairwise(probes)]

    assert run(main()) == pytest.approx([1, 2, 4, 8, 16, 32, 60, 60], abs=0.01)


def test_the_pauses_follow_the_policy() -> None:
    async def main() -> None:
        policy = RecoveryPolicy(cooldown_floor_seconds=10.0, cooldown_max_seconds=15.0)
        pacer = LocalPacer(requests_per_second=10, clock=no_jitter_clock(), policy=policy)
        await throttle(pacer)
        assert pacer.stats().closed_for_seconds == pytest.approx(10.0)
        await throttle(pacer)
        assert pacer.stats().closed_for_seconds == pytest.approx(15.0)
        assert pacer.stats().throttles_seen == 2

    run(main())


def test_the_jitter_is_drawn_from_the_clock() -> None:
    async def main() -> None:
        clock = replace(virtual_clock(), chance=lambda: 0.5)
        pacer = LocalPacer(requests_per_second=10, clock=clock)
        await throttle(pacer)
        assert pacer.stats().closed_for_seconds == pytest.approx(1.125)

    run(main())


def test_a_good_while_after_a_throttle_the_next_one_starts_from_the_floor() -> None:
    async def main() -> None:
        pacer = LocalPacer(requests_per_second=10, clock=no_jitter_clock())
        await throttle(pacer)
        await throttle(pacer)
        await answer(pacer)
        await asyncio.sleep(3.1)
        await throttle(pacer)
        assert pacer.stats().closed_for_seconds == pytest.approx(1.0)

    run(main())


def test_permits_that_are_not_sent_yet_are_revoked_in_every_lane() -> None:
    async def main() -> None:
        pacer = LocalPacer(requests_per_second=10, clock=no_jitter_clock())
        held = [await admit(pacer, lane) for lane in Lane]
        sent = await admit(pacer)
        sent.sending()
        assert not any(permit.is_revoked for permit in held)
        await throttle(pacer)
        assert all(permit.is_revoked for permit in held)
        assert not sent.is_revoked  # it has left; nothing can be revoked
        for permit in held:
            permit.unused()
            assert not permit.is_revoked
        fresh = await admit(pacer)
        assert now() >= 1.0
        assert not fresh.is_revoked

    run(main())


def test_a_probe_that_is_not_sent_lets_another_go_at_once() -> None:
    async def main() -> None:
        pacer = LocalPacer(requests_per_second=10, clock=no_jitter_clock())
        await throttle(pacer)
        probe = await admit(pacer)
        at = now()
        probe.unused()
        await admit(pacer)
        assert now() - at < 0.01

    run(main())


def test_a_probe_that_is_lost_lets_another_go_after_the_floor() -> None:
    async def main() -> None:
        pacer = LocalPacer(requests_per_second=10, clock=no_jitter_clock())
        await throttle(pacer)
        probe = await admit(pacer)
        probe.sending()
        await asyncio.sleep(6.0)
        probe.lost()
        at = now()
        await admit(pacer)
        assert now() - at == pytest.approx(1.0, abs=0.01)

    run(main())


def test_somebody_who_waits_while_the_probe_is_lost_becomes_the_next_one() -> None:
    async def main() -> None:
        pacer = LocalPacer(requests_per_second=10, clock=no_jitter_clock())
        await throttle(pacer)
        probe = await admit(pacer)
        probe.sending()
        waiter = asyncio.create_task(admit(pacer))
        await asyncio.sleep(6.0)
        probe.lost()
        at = now()
        await waiter
        assert now() - at == pytest.approx(1.0, abs=0.01)

    run(main())


def test_a_throttle_that_comes_while_the_pump_waits_for_its_turn_holds_the_permit_back() -> None:
    async def main() -> None:
        pacer = LocalPacer(requests_per_second=10, clock=no_jitter_clock())
        first = await admit(pacer)
        first.sending()
        waiter = asyncio.create_task(admit(pacer))
        await asyncio.sleep(0.05)
        first.answered(throttled=True)
        await asyncio.sleep(0.9)
        assert not waiter.done()
        await waiter
        assert now() >= 1.05

    run(main())


def test_a_throttle_says_nothing_about_the_usual_round_trip() -> None:
    async def main() -> None:
        pacer = LocalPacer(requests_per_second=10, clock=no_jitter_clock())
        for _ in range(SAMPLES + 2):
            permit = await admit(pacer)
            permit.sending()
            await asyncio.sleep(0.5)
            permit.answered(throttled=False)
        assert pacer._floors["CreateGiftCard"].seconds == pytest.approx(0.5, abs=0.001)
        await throttle(pacer)
        assert pacer._floors["CreateGiftCard"].seconds == pytest.approx(0.5, abs=0.001)

    run(main())
