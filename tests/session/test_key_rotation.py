"""Access keys replaced in the middle of a batch: every order is issued once, and none fails."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from agcod_async.agcod import AgcodSession
from agcod_async.batch import InDoubt, Issued, Receipt, Unavailable, issue_many
from agcod_async.credentials import RotatingCredentials
from agcod_async.errors import AccountError, AgcodError, UnavailableError
from agcod_async.testing import EMULATOR_CREDENTIALS, FaultKind
from agcod_async.testing.clock import run
from agcod_async.values import Credentials
from tests.support.fair import SETTINGS, Fair, emulator, order

OLD = EMULATOR_CREDENTIALS
NEW = Credentials(access_key_id="SECONDKEYEXAMPLE", secret_access_key="second-secret-access-key")
WRONG_SECRET = Credentials(access_key_id=OLD.access_key_id, secret_access_key="a-typing-mistake")
ORDERS = 300
REFUSED = "unauthenticated"


def fair_with(keys: RotatingCredentials, share: float = 0.0, seed: int = 0) -> Fair:
    return Fair(emulator(share, seed), seed=seed, settings=replace(SETTINGS, credentials=keys))


async def batch(session: AgcodSession, count: int = ORDERS, **options: object) -> list[Receipt]:
    orders = (order(number) for number in range(count))
    return [one async for one in issue_many(session, orders, **options)]  # type: ignore[arg-type]


def test_a_key_that_is_revoked_before_the_new_one_comes_costs_no_order() -> None:
    async def main() -> None:
        keys = RotatingCredentials(OLD)
        fair = fair_with(keys)
        async with fair.session() as session:
            running = asyncio.create_task(batch(session))
            await asyncio.sleep(10)
            assert fair.emulator.revoke_key(OLD.access_key_id)
            await asyncio.sleep(20)
            issued = fair.emulator.ledger.balances()[0].debited
            await asyncio.sleep(20)
            assert fair.emulator.ledger.balances()[0].debited == issued  # all wait

            fair.emulator.accept_key(NEW)
            await keys.rotate(NEW, verify=session.verify_key)
            told = await running

        fair.check(told)
        assert len(told) == ORDERS
        assert all(isinstance(one.verdict, Issued) for one in told)
        results = fair.emulator.arrivals.by_result
        assert results["SUCCESS"] == ORDERS + 1  # and one balance, which verified the key
        assert 0 < results[REFUSED] < 12  # what was under way, and an attempt now and then

    run(main())


@pytest.mark.parametrize("seed", range(3))
def test_the_same_among_faults_of_every_kind(seed: int) -> None:
    async def main() -> None:
        keys = RotatingCredentials(OLD)
        fair = fair_with(keys, 0.3, seed)
        async with fair.session() as session:
            running = asyncio.create_task(batch(session, 200))
            await asyncio.sleep(8)
            fair.emulator.revoke_key(OLD.access_key_id)
            await asyncio.sleep(100)
            fair.emulator.accept_key(NEW)
            keys.use(NEW)
            told = await running

        fair.check(told)
        kinds = Counter(type(one.verdict) for one in told)
        assert set(kinds) <= {Issued, InDoubt}
        assert kinds[Issued] >= 190
        assert len(fair.emulator.arrivals.by_fault) > len(FaultKind) / 2

    run(main())


def test_amazons_own_procedure_loses_no_request_at_all() -> None:
    async def main() -> None:
        keys = RotatingCredentials(OLD)
        fair = fair_with(keys)
        async with fair.session() as session:
            running = asyncio.create_task(batch(session))
            await asyncio.sleep(10)
            fair.emulator.accept_key(NEW)
            await keys.rotate(NEW, verify=session.verify_key)
            await asyncio.sleep(5)
            fair.emulator.revoke_key(OLD.access_key_id)
            keys.drop_previous()
            told = await running

        fair.check(told)
        assert all(isinstance(one.verdict, Issued) for one in told)
        assert fair.emulator.arrivals.by_result == {"SUCCESS": ORDERS + 1}

    run(main())


def test_a_new_key_that_dies_is_replaced_by_the_one_before() -> None:
    async def main() -> None:
        keys = RotatingCredentials(OLD)
        fair = fair_with(keys)
        fair.emulator.accept_key(NEW)
        async with fair.session() as session:
            running = asyncio.create_task(batch(session, 200))
            await keys.rotate(NEW, verify=session.verify_key)
            await asyncio.sleep(5)
            fair.emulator.revoke_key(NEW.access_key_id)
            told = await running

        fair.check(told)
        assert all(isinstance(one.verdict, Issued) for one in told)

    run(main())


def test_a_key_that_is_not_accepted_is_not_rotated_in() -> None:
    async def main() -> None:
        keys = RotatingCredentials(OLD)
        async with fair_with(keys).session() as session:
            for bad, said in ((NEW, "does not know"), (WRONG_SECRET, "secret key")):
                with pytest.raises(AccountError, match=said):
                    await keys.rotate(bad, verify=session.verify_key)
                assert keys.keys() == (OLD,)
            assert (await session.verify_key(OLD)).amount.currency == "USD"

    run(main())


def test_orders_that_nobody_gives_a_key_in_time_end_as_not_issued() -> None:
    async def main() -> None:
        keys = RotatingCredentials(WRONG_SECRET)
        fair = fair_with(keys)
        async with fair.session() as session:
            told = await batch(session, 50, deadline_seconds=60.0)

        fair.check(told)
        assert all(isinstance(one.verdict, Unavailable) for one in told)
        error = told[0].verdict.error  # type: ignore[union-attr]
        assert isinstance(error, UnavailableError)
        assert "no access key is accepted" in str(error)
        assert "incentives-api@giftcards.amazon.com" in str(error)

    run(main())


def test_no_key_is_shown_by_anything_that_a_rotation_leaves_behind(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> str:
        keys = RotatingCredentials(NEW, OLD)
        fair = fair_with(keys)
        shown = [repr(keys), str(keys.current)]
        async with fair.session() as session:
            shown += [repr(one) for one in await batch(session, 5)]
            fair.emulator.revoke_key(OLD.access_key_id)
            try:
                await session.verify_key(OLD)
            except AgcodError as error:
                shown += [str(error), repr(error.attempts)]
        return "\n".join(shown)

    seen = run(main()) + caplog.text
    for key in (OLD, NEW):
        assert key.access_key_id[-5:] not in seen
        assert key.access_key_id[-4:] in seen
        assert key.secret_access_key.reveal() not in seen
