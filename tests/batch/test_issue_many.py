"""Many orders: so many at a time, one receipt each, and nothing that one of them does stops it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from agcod_async.batch import Declined, InDoubt, Issued, Order, Reversed, Unavailable, Verdict
from agcod_async.core.outcomes import Reason
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.errors import (
    AccountError,
    AgcodError,
    DeclinedError,
    IdempotencyConflictError,
    InDoubtError,
    InvalidRequestError,
    NothingIssuedError,
    ReversedError,
    UnavailableError,
    UsageError,
)
from agcod_async.pacing.port import Lane
from agcod_async.providers.agcod.messages import GiftCard, TransactionSource
from agcod_async.testing.clock import run
from tests.support.counter import AMOUNT, Counter, card, orders, receipts_of


@pytest.mark.parametrize("concurrency", [1, 3, 64])
def test_never_more_than_so_many_are_under_way_and_never_fewer_without_need(
    concurrency: int,
) -> None:
    async def main() -> None:
        counter = Counter()
        receipts = await receipts_of(counter, orders(192), concurrency=concurrency)

        assert counter.most == concurrency
        seconds = asyncio.get_running_loop().time()
        assert seconds == pytest.approx(192 / concurrency, abs=0.01)
        assert {one.request_id for one in receipts} == {f"Toy{n}" for n in range(192)}
        assert all(isinstance(one.verdict, Issued) for one in receipts)

    run(main())


def test_every_order_has_one_receipt_that_carries_it() -> None:
    async def main() -> None:
        given = list(orders(10))
        receipts = await receipts_of(Counter(), given, concurrency=4)

        assert sorted((one.order for one in receipts), key=given.index) == given
        for one in receipts:
            assert isinstance(one.verdict, Issued)
            assert one.request_id == one.order.request_id == one.verdict.card.request_id

    run(main())


def test_receipts_come_as_they_are_ready() -> None:
    async def answer(request_id: str) -> GiftCard:
        await asyncio.sleep(10 if request_id == "Toy0" else 0)
        return card(request_id)

    async def main() -> None:
        receipts = await receipts_of(Counter(answer=answer), orders(5), concurrency=2)

        assert [one.request_id for one in receipts] == ["Toy1", "Toy2", "Toy3", "Toy4", "Toy0"]

    run(main())


def test_everything_that_an_order_says_is_asked_for() -> None:
    async def main() -> None:
        source = TransactionSource(source_id="shop 1")
        full = Order(
            request_id="Toy1",
            amount=AMOUNT,
            program_id="1",
            product_type="2",
            external_reference="3",
            transaction_source=source,
        )
        counter, policy = Counter(), RecoveryPolicy(turns_max=1)
        await receipts_of(counter, [full], deadline_seconds=5, lane=Lane.PROBE, policy=policy)

        assert counter.asked == [
            {
                "request_id": "Toy1",
                "amount": AMOUNT,
                "program_id": "1",
                "product_type": "2",
                "external_reference": "3",
                "transaction_source": source,
                "deadline_seconds": 5,
                "lane": Lane.PROBE,
                "policy": policy,
            }
        ]

    run(main())


def test_a_batch_is_patient_and_lets_others_go_first() -> None:
    async def main() -> None:
        counter = Counter()
        await receipts_of(counter, orders(1))

        assert counter.asked[0]["lane"] is Lane.BATCH
        assert counter.asked[0]["deadline_seconds"] == 3600
        assert counter.asked[0]["policy"] is None

    run(main())


REASON = Reason("so it is", "F200")


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (DeclinedError(REASON), Declined),
        (InvalidRequestError(REASON), Declined),
        (AccountError(REASON), Declined),
        (UsageError(REASON), Declined),
        (IdempotencyConflictError(REASON), Declined),
        (UnavailableError(REASON), Unavailable),
        (ReversedError(REASON), Reversed),
        (InDoubtError(REASON), InDoubt),
    ],
)
def test_each_error_is_a_verdict(error: AgcodError, verdict: type[Verdict]) -> None:
    async def answer(_: str) -> GiftCard:
        raise error

    async def main() -> None:
        (one,) = await receipts_of(Counter(answer=answer), orders(1))

        assert type(one.verdict) is verdict
        assert one.verdict.error is error
        assert one.request_id == "Toy0"

    run(main())


@pytest.mark.parametrize("error", [AgcodError(REASON), NothingIssuedError(REASON)])
def test_an_error_that_nobody_has_thought_of_is_in_doubt(error: AgcodError) -> None:
    async def answer(_: str) -> GiftCard:
        raise error

    async def main() -> None:
        (one,) = await receipts_of(Counter(answer=answer), orders(1))

        assert isinstance(one.verdict, InDoubt)
        assert one.verdict.error.reason is REASON

    run(main())


def test_a_fault_of_the_sdk_is_in_doubt_and_does_not_show_its_text() -> None:
    async def answer(_: str) -> GiftCard:
        raise KeyError("AXLQ-SECRET")

    async def main() -> None:
        (one,) = await receipts_of(Counter(answer=answer), orders(1))

        assert isinstance(one.verdict, InDoubt)
        assert str(one.verdict.error) == "CreateGiftCard Toy0: the SDK failed with KeyError"

    run(main())


def test_one_bad_order_does_not_stop_the_others() -> None:
    async def answer(request_id: str) -> GiftCard:
        if request_id in {"Toy0", "Toy3", "Toy9"}:
            raise RuntimeError
        return card(request_id)

    async def main() -> None:
        receipts = await receipts_of(Counter(answer=answer), orders(10), concurrency=2)

        assert sum(isinstance(one.verdict, Issued) for one in receipts) == 7
        assert sum(isinstance(one.verdict, InDoubt) for one in receipts) == 3

    run(main())


def test_a_successors_id_is_on_the_receipt() -> None:
    async def answer(_: str) -> GiftCard:
        return card("ToySuccessor")

    async def main() -> None:
        (one,) = await receipts_of(Counter(answer=answer), orders(1))

        assert one.request_id == "ToySuccessor"
        assert one.order.request_id == "Toy0"

    run(main())


@pytest.mark.parametrize("concurrency", [0, -1])
def test_at_least_one_must_be_allowed_under_way(concurrency: int) -> None:
    async def main() -> None:
        with pytest.raises(UsageError, match="concurrency"):
            await receipts_of(Counter(), orders(1), concurrency=concurrency)

    run(main())


def test_no_orders_have_no_receipts() -> None:
    assert run(receipts_of(Counter(), [])) == []


def test_orders_may_come_in_their_own_time() -> None:
    async def slowly() -> AsyncIterator[Order]:
        for order in orders(5):
            await asyncio.sleep(3)
            yield order

    async def main() -> None:
        counter = Counter()
        assert len(await receipts_of(counter, slowly(), concurrency=4)) == 5
        assert asyncio.get_running_loop().time() == pytest.approx(16, abs=0.01)

    run(main())
