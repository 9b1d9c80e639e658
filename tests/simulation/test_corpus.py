"""Runs that have shown a seeded bug, the shortest of each: the code that ships passes them all."""

import pytest

from tests.simulation.choices import Listed, parsed
from tests.simulation.loop import SimLoop
from tests.simulation.schedules import Setup, played
from tests.simulation.swarm import flown

SCHEDULES = (
    "activate:not-found,after_deactivate=hidden:default:290:3600/4.3",
    "activate:not-found,after_deactivate=hidden:default:290:3600/5",
    "create:reissue,noop:default:290:3600/6",
    "create:tombstone,not-found:default:290:10/1.1",
    "create:tombstone,not-found:default:290:10/1.2",
    "create:tombstone,not-found:default:290:10/1.5.0.0.2",
    "create:tombstone,not-found:default:290:10/1.5.1",
    "create:tombstone,not-found:default:290:3600/0",
    "create:tombstone,not-found:default:290:3600/1",
    "create:tombstone,not-found:default:290:3600/2",
    "create:tombstone,not-found:default:290:3600/2.8",
    "create:tombstone,not-found:default:290:3600/4",
    "create:tombstone,not-found:default:290:3600/4.1",
    "create:tombstone,not-found:default:290:3600/4.3",
    "create:tombstone,not-found:default:290:3600/4.3.9",
    "create:tombstone,not-found:default:290:3600/5",
    "create:tombstone,not-found:default:290:3600/5.8",
    "create:tombstone,not-found:default:290:3600/6",
    "create:tombstone,not-found:default:290:3600:again/0",
    "create:tombstone,not-found:default:290:3600:again/0.4",
    "create:tombstone,not-found:default:290:3600:codeless/1",
    "create:tombstone,not-found:default:290:3600:half-a-day/9.9",
    "create:tombstone,not-found:default:290:3600:killed-late/4.9",
    "create:tombstone,not-found:default:290:3600:orphaned/9",
    "create:tombstone,not-found:default:520:3600:fast/4.3",
    "create:tombstone,not-found:default:60:3600:slow/4.0.4",
    "create:tombstone,not-found:default:290:3600:told-to-end/9.8",
    "create:tombstone,not-found:duplicating:290:3600:twice/4.1",
    "create:tombstone,not-found:raise:290:3600/5",
    "create:tombstone,not-found:short:290:3600/4.0.5",
    "load:not-found,after_void=hidden:default:290:3600/5",
    "load:not-found,after_void=hidden:default:290:3600/6.1",
    # Not by a seeded bug: the void comes when the time for it is over. It must stay in doubt.
    "load:not-found,after_void=hidden,repeated_load=same-load:default:290:3600:half-a-day/6.9",
)
# 6277 and 12191 are no seeded bugs: the pacer believed in a way that was too long, by luck.
SEEDS = (
    0,
    4,
    5,
    6,
    9,
    16,
    20,
    65,
    74,
    111,
    139,
    147,
    197,
    211,
    226,
    241,
    243,
    308,
    528,
    998,
    1004,
    2860,
    3259,
    6277,
    6651,
    8400,
    12191,
)


@pytest.mark.parametrize("line", SCHEDULES)
def test_a_schedule_that_found_a_bug_is_passed(line: str) -> None:
    setup, _, choices = line.rpartition("/")
    loop = SimLoop()
    played(Setup.parsed(setup), Listed(parsed(choices)), loop)
    loop.close()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_world_that_found_a_bug_is_passed(seed: int) -> None:
    loop = SimLoop()
    flown(seed, loop)
    loop.close()
