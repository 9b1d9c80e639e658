"""Orders through every short plan of faults, in the engine's own time, and the truth afterwards.

The model check takes it for granted that a SETTLE lasts as long as it must; here it is seen to.
"""

import asyncio
import random
from collections.abc import Iterator
from itertools import product

import pytest

from agcod_async.core.policy import RecoveryPolicy
from agcod_async.errors import InDoubtError, NothingIssuedError
from agcod_async.providers.base import Operation
from agcod_async.session import Session
from agcod_async.testing.clock import run, virtual_clock
from tests.support.forgetful_server import ForgetfulServer, Undone
from tests.support.journals import JournalSpy
from tests.support.permits import FreePacer
from tests.support.stage import SETTINGS
from tests.support.toy import POUR, TOY, WAKE, ToyCard, ToyRequest, order
from tests.support.toy_server import Fault

PATIENT_SECONDS = 3600.0
POLICIES = [
    RecoveryPolicy(backoff_base_seconds=20, backoff_max_seconds=20, on_burnt_id="successor"),
    RecoveryPolicy(backoff_base_seconds=20, backoff_max_seconds=20, on_burnt_id="raise"),
]
"""The pauses are long, so that it matters which request a SETTLE waits for."""
LATE_SECONDS = 329.0
"""As late as a signature allows."""

UNDOING = (Fault.RESEND_BEFORE, Fault.RESEND_AFTER)
TELLING = (Fault.CALM, Fault.LANDS_LATE, Fault.RESEND_AFTER, Fault.REFUSED)


def plans() -> Iterator[tuple[Fault, ...]]:
    """Yield every short plan of the faults that matter, and some longer ones of all faults."""
    yield from product(UNDOING, TELLING, TELLING, TELLING)
    chance = random.Random(20)
    for _ in range(60):
        first = (Fault.LANDS_LATE, chance.choice(UNDOING))
        yield (*first, *chance.choices((*Fault, *UNDOING), k=chance.randrange(3, 9)))


PLANS = list(plans())


async def known_to_a_caller(
    session: Session, operation: Operation[ToyRequest, ToyCard]
) -> list[str] | None:
    """Return the IDs under which an order lives as far as its caller knows, None if in doubt."""
    try:
        done = await session.call(operation, order(), deadline_seconds=PATIENT_SECONDS)
    except NothingIssuedError:
        return []
    except InDoubtError:
        return None
    return [done.answer.request_id]


async def known_in_the_end(
    server: ForgetfulServer, operation: Operation[ToyRequest, ToyCard], policy: RecoveryPolicy
) -> list[str] | None:
    """Return what is known after two more calls, once everything late has landed."""
    session = Session(
        TOY,
        SETTINGS,
        transport=server,
        journal=JournalSpy(),
        pacer=FreePacer(),
        policy=policy,
        clock=virtual_clock(),
    )
    known = await known_to_a_caller(session, operation)
    for _ in range(2):
        if known is None:
            known = await known_to_a_caller(session, operation)
    await asyncio.sleep(LATE_SECONDS + 1)
    if known is not None:
        assert server.live == known
    return known


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.on_burnt_id)
@pytest.mark.parametrize("undone", Undone)
@pytest.mark.parametrize("operation", [WAKE, POUR], ids=["lookup", "nothing"])
def test_what_a_caller_knows_is_the_truth_once_everything_late_has_landed(
    operation: Operation[ToyRequest, ToyCard], undone: Undone, policy: RecoveryPolicy
) -> None:
    in_doubt = 0
    for plan in PLANS:
        server = ForgetfulServer(plan, late_seconds=LATE_SECONDS, undone=undone)
        in_doubt += run(known_in_the_end(server, operation, policy)) is None
    # Where nothing proves and a used ID is refused, a lost answer cannot be had any more.
    refused = operation is POUR and undone is Undone.REFUSED
    assert in_doubt == 0 or refused
    assert in_doubt < len(PLANS) / 4
