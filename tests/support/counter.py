"""What stands at the place of a session in the tests of a batch."""

import asyncio
from collections.abc import AsyncIterable, Awaitable, Callable, Iterator
from dataclasses import dataclass, field

from agcod_async.batch import Order, Receipt, issue_many
from agcod_async.providers.agcod.messages import GiftCard
from agcod_async.values import ClaimCode, Money, RequestId

AMOUNT = Money("10", "USD")


def card(request_id: str) -> GiftCard:
    return GiftCard(
        claim_code=ClaimCode("AXLQ"),
        gc_id=f"gc-{request_id}",
        request_id=RequestId(request_id),
        amount=AMOUNT,
        expires_at=None,
        card_status="Fulfilled",
    )


@dataclass
class Counter:
    """Stands at the place of a session: every card takes a second, and is counted."""

    seconds: float = 1.0
    answer: Callable[[str], Awaitable[GiftCard]] | None = None
    asked: list[dict[str, object]] = field(default_factory=list)
    under_way: int = 0
    most: int = 0

    async def create_gift_card(self, **asked: object) -> GiftCard:
        request_id = str(asked["request_id"])
        self.asked.append(asked)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await asyncio.sleep(self.seconds)
            return card(request_id) if self.answer is None else await self.answer(request_id)
        finally:
            self.under_way -= 1


def orders(count: int) -> Iterator[Order]:
    return (Order(request_id=f"Toy{n}", amount=AMOUNT) for n in range(count))


async def receipts_of(counter: Counter, *args: object, **options: object) -> list[Receipt]:
    return [receipt async for receipt in issue_many(counter, *args, **options)]


async def collect(receipts: AsyncIterable[Receipt], seen: list[Receipt]) -> None:
    """Read to the end; what was read before an exception is seen all the same."""
    async for receipt in receipts:
        seen.append(receipt)  # noqa: PERF401  a comprehension would lose them


class Forgetful(list[dict[str, object]]):
    def append(self, _: dict[str, object]) -> None:
        pass
