"""Issuances by the ten thousand, with everything that they leave behind held over the net."""

from agcod_async.agcod import AgcodSession
from agcod_async.batch import InDoubt, Issued, Order, Receipt, issue_many
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.errors import AgcodError
from agcod_async.journal.memory import MemoryJournal
from agcod_async.pacing.port import Lane
from agcod_async.testing.clock import run, virtual_clock
from agcod_async.values import Money, RequestId
from tests.secrets.amazon import PARTNER_ID, SETTINGS, BadAmazon, code_of
from tests.secrets.net import Net
from tests.secrets.showing import show

SHOWN_EVERY = 200
RICH_EVERY = 100
POLICY = RecoveryPolicy(forward_attempts_max=3, backoff_base_seconds=0.01, backoff_max_seconds=0.1)
AMOUNT = Money("25", "USD")


def orders(count: int) -> list[Order]:
    return [
        Order(request_id=RequestId.derive(PARTNER_ID, f"order {number}"), amount=AMOUNT)
        for number in range(count)
    ]


def issued(net: Net, count: int, seed: int) -> dict[str, int]:
    """Issue so many orders, and return how they ended, by verdict."""
    with net.under_the_logs():
        return run(_issue(net, count, seed))


class FreePacer:
    """A pacer for whom everybody may send at once: it is told no secret."""

    async def admit(self, _lane: Lane, _operation: str, **_within: float | None) -> "FreePermit":
        return FreePermit()

    async def aclose(self) -> None:
        pass


class FreePermit:
    is_revoked = False

    def sending(self) -> None:
        pass

    def answered(self, *, throttled: bool) -> None:
        pass

    def lost(self) -> None:
        pass

    def unused(self) -> None:
        pass


async def _issue(net: Net, count: int, seed: int) -> dict[str, int]:
    journal = MemoryJournal(closed_entries_max=count)
    amazon, ends = BadAmazon(net, seed), dict[str, int]()
    session = AgcodSession(
        SETTINGS,
        transport=amazon,
        journal=journal,
        pacer=FreePacer(),
        policy=POLICY,
        observers=[lambda event: net.text("an event", repr(event))],
        clock=virtual_clock(seed),
    )
    async with session:
        async for receipt in issue_many(session, orders(count)):
            verdict = receipt.verdict
            name = type(verdict).__name__
            ends[name] = ends.get(name, 0) + 1
            _look(net, receipt, sum(ends.values()))
    show(net, "the session", session)
    show(net, "the journal", journal)
    async for entry in journal.entries():
        net.text("an entry", repr(entry))
        net.data("an entry", entry.body)
    return ends


def _look(net: Net, receipt: Receipt, number: int) -> None:
    verdict = receipt.verdict
    net.text("a receipt", repr(receipt))
    if isinstance(verdict, Issued):
        # The caller does get it, or nothing is tested.
        assert verdict.card.claim_code.reveal() == code_of(verdict.card.request_id)
    else:
        error = verdict.error
        assert isinstance(error, AgcodError)
        net.error("an error", error)
        if number % RICH_EVERY == 0:
            net.rich_error("an error in rich", error)
    if number % SHOWN_EVERY == 0 or (isinstance(verdict, InDoubt) and number % RICH_EVERY == 0):
        show(net, type(verdict).__name__, verdict)
        show(net, "a receipt", receipt)
