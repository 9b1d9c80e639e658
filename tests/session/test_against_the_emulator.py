"""Hundreds of cards through faults of every kind: the sums add up, whatever happens.

A failure names its seed and its parameters; the same ones bring the same history again.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from agcod_async.batch import InDoubt, Issued, Receipt, issue_many
from agcod_async.errors import InDoubtError, UnavailableError
from agcod_async.testing import AfterCancel, CardStatus, FaultKind, Semantics, UnknownCancel
from agcod_async.testing.clock import run
from tests.support.fair import Fair, emulator, order
from tests.support.journals import open_entries

RECONCILE_SECONDS = 7200.0
SEMANTICS = [Semantics(after, unknown) for after in AfterCancel for unknown in UnknownCancel]


async def receipts(fair: Fair, count: int, **options: object) -> list[Receipt]:
    async with fair.session() as session:
        orders = (order(number) for number in range(count))
        return [one async for one in issue_many(session, orders, **options)]


async def settled(fair: Fair, given: list[Receipt]) -> list[Receipt]:
    """Reconcile, and return the receipts as they are then."""
    async with fair.session() as session:
        for _ in range(5):
            await session.reconcile(deadline_seconds=RECONCILE_SECONDS)
        again = (one.order for one in given)
        return [one async for one in issue_many(session, again, deadline_seconds=RECONCILE_SECONDS)]


def test_without_faults_every_order_is_issued_at_the_accounts_rate() -> None:
    async def main() -> None:
        fair = Fair(emulator(0.0, 0))
        told = await receipts(fair, 300)

        fair.check(told)
        assert all(isinstance(one.verdict, Issued) for one in told)
        assert fair.emulator.arrivals.total == 300
        assert fair.emulator.arrivals.by_result == {"SUCCESS": 300}
        assert fair.emulator.arrivals.busiest.requests <= 10
        assert asyncio.get_running_loop().time() < 32

    run(main())


@pytest.mark.parametrize("semantics", SEMANTICS, ids=str)
def test_a_patient_batch_settles_every_order_in_spite_of_every_fault(semantics: Semantics) -> None:
    async def main() -> None:
        fair = Fair(emulator(0.3, 7, semantics=semantics), seed=7)
        told = await receipts(fair, 250)

        fair.check(told)
        assert set(fair.emulator.arrivals.by_fault) == {kind.value for kind in FaultKind}
        assert sum(isinstance(one.verdict, Issued) for one in told) >= 240
        assert sum(isinstance(one.verdict, Issued | InDoubt) for one in told) == 250

    run(main())


@pytest.mark.parametrize("seed", range(3))
def test_hasty_callers_are_often_in_doubt_and_reconciling_settles_them(seed: int) -> None:
    async def main() -> None:
        fair = Fair(emulator(0.5, seed), seed=seed)
        told = await receipts(fair, 150, deadline_seconds=12.0)
        kinds = Counter(type(one.verdict).__name__ for one in told)
        assert kinds["InDoubt"] > 10
        assert kinds["Issued"] > 10
        open_then = {entry.request_id for entry in await open_entries(fair.journal)}
        assert {one.order.request_id for one in told if isinstance(one.verdict, InDoubt)} <= (
            open_then | live_ids(fair)
        )

        fair.emulator.play(emulator(0.0, 0).config.faults)
        again = await settled(fair, told)

        fair.check(again)
        assert all(isinstance(one.verdict, Issued) for one in again)
        assert await open_entries(fair.journal) == []

    run(main())


def live_ids(fair: Fair) -> set[str]:
    """Return the callers' IDs of the orders that are on record as confirmed."""
    return {e.request_id for e in fair.journal._entries.values() if e.verdict == "Issued"}


def test_what_was_issued_before_is_the_same_card_when_it_is_asked_for_again() -> None:
    async def main() -> None:
        fair = Fair(emulator(0.3, 11), seed=11)
        told = await receipts(fair, 100)
        again = await settled(fair, told)
        codes = {
            one.order.request_id: one.verdict.card.claim_code
            for one in told
            if isinstance(one.verdict, Issued)
        }

        for one in again:
            if one.order.request_id in codes and isinstance(one.verdict, Issued):
                assert one.verdict.card.claim_code == codes[one.order.request_id]
                assert one.verdict.card.replayed

    run(main())


def test_cards_that_customers_use_at_once_are_never_undone() -> None:
    async def main() -> None:
        fair = Fair(emulator(0.4, 5), seed=5)
        async with fair.session() as session:
            orders = (order(number) for number in range(150))
            told = []
            async for one in issue_many(session, orders):
                told.append(one)
                if isinstance(one.verdict, Issued):
                    assert fair.emulator.claim(one.request_id)
            for one in told:
                if isinstance(one.verdict, Issued):
                    card = fair.emulator.ledger.card(one.request_id)
                    assert card is not None
                    assert card.claimed
                    assert card.status is CardStatus.LIVE
        fair.check(told)

    run(main())


def test_an_account_that_runs_dry_declines_what_it_cannot_pay() -> None:
    async def main() -> None:
        fair = Fair(emulator(0.0, 0, funds="500"))
        told = await receipts(fair, 100)

        fair.check(told)
        kinds = Counter(type(one.verdict).__name__ for one in told)
        assert set(kinds) == {"Issued", "Declined"}
        assert 0 <= fair.emulator.ledger.available("USD") < 51

    run(main())


def test_the_same_seed_is_the_same_history() -> None:
    async def main() -> tuple[object, ...]:
        fair = Fair(emulator(0.4, 3), seed=3)
        told = await receipts(fair, 120)
        kinds = [(one.order.request_id, type(one.verdict).__name__) for one in told]
        return (*fair.history(), kinds)

    first, second = run(main()), run(main())

    assert first == second
    assert len(first[0]) > 150


def test_another_seed_is_another_history() -> None:
    async def main(seed: int) -> tuple[object, ...]:
        fair = Fair(emulator(0.4, seed), seed=seed)
        await receipts(fair, 60)
        return fair.history()

    assert run(main(1)) != run(main(2))


def test_a_session_that_is_closed_in_the_middle_leaves_nothing_unaccounted_for() -> None:
    async def main() -> None:
        fair = Fair(emulator(0.4, 9), seed=9)
        told: list[Receipt] = []
        session = fair.session()

        async def read() -> None:
            async for one in issue_many(session, (order(number) for number in range(200))):
                told.append(one)  # noqa: PERF401  what was read before the end counts

        reader = asyncio.create_task(read())
        await asyncio.sleep(12)
        await session.aclose(drain_seconds=1)
        await reader
        given = [one.order for one in told]
        assert len(given) == 200, "the rest is refused, one by one"

        fair.emulator.play(emulator(0.0, 0).config.faults)
        again = await settled(fair, told)
        fair.check(again)
        assert all(isinstance(one.verdict, Issued) for one in again)

    run(main())


def test_one_order_after_the_other_each_method_does_what_it_says() -> None:
    async def main() -> None:
        fair = Fair(emulator(0.0, 0))
        async with fair.session() as session:
            assert (await session.get_available_funds()).amount.amount == 1_000_000
            card = await session.create_gift_card(
                request_id=order(1).request_id, amount=order(1).amount
            )
            assert (card.replayed, card.attempts) == (False, 1)
            await asyncio.sleep(1)
            funds = await session.get_available_funds()
            assert funds.amount.amount == 1_000_000 - order(1).amount.amount
            gone = await session.cancel_gift_card(request_id=card.request_id, gc_id=card.gc_id)
            assert gone.gc_id == card.gc_id
            assert fair.cards_of(order(1)) == []

    run(main())


def test_a_silent_service_leaves_a_create_in_doubt_and_a_read_unavailable() -> None:
    async def main() -> None:
        fair = Fair(emulator(1.0, 0, kinds=[FaultKind.LOSE_REQUEST]))
        async with fair.session() as session:
            with pytest.raises(InDoubtError):
                await session.create_gift_card(
                    request_id=order(1).request_id, amount=order(1).amount, deadline_seconds=20
                )
            with pytest.raises(UnavailableError):
                await session.get_available_funds(deadline_seconds=20)

    run(main())


async def slowly(count: int, seconds: float) -> AsyncIterator[object]:
    for number in range(count):
        await asyncio.sleep(seconds)
        yield order(number)


def test_orders_that_trickle_in_are_issued_as_they_come() -> None:
    async def main() -> None:
        fair = Fair(emulator(0.2, 4), seed=4)
        async with fair.session() as session:
            told = [one async for one in issue_many(session, slowly(60, 1.7), concurrency=8)]

        fair.check(told)
        assert len(told) == 60

    run(main())
