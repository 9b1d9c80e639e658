"""Physical cards and balance loads through F400, lost undos and every way Amazon may behave.

Whatever happens: at most one live activation or load for an order, and the verdict agrees with the
ledger once everything late has landed.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from agcod_async.agcod import AgcodSession
from agcod_async.errors import AgcodError, InDoubtError, NothingIssuedError
from agcod_async.journal.memory import MemoryJournal
from agcod_async.pacing.port import Lane
from agcod_async.providers.agcod.activation_messages import Activation
from agcod_async.providers.agcod.balance_messages import BalanceLoad
from agcod_async.providers.agcod.recipients import Account
from agcod_async.settings import Settings
from agcod_async.testing import (
    EMULATOR_CREDENTIALS,
    EMULATOR_PARTNER_ID,
    ActivationStatus,
    AfterUndo,
    Emulator,
    EmulatorConfig,
    FaultKind,
    FaultRule,
    FaultScript,
    LoadStatus,
    RepeatedDeactivate,
    RepeatedLoad,
    Semantics,
    UnknownCancel,
)
from agcod_async.testing.clock import run, virtual_clock
from agcod_async.values import Money, RequestId
from tests.support.fair import troubled
from tests.support.journals import open_entries

SETTINGS = Settings(credentials=EMULATOR_CREDENTIALS, partner_id=EMULATOR_PARTNER_ID)
PATIENT_SECONDS = 7200.0
SEMANTICS = [
    Semantics(unknown_cancel=unknown, after_deactivate=after, after_void=after)
    for unknown in UnknownCancel
    for after in AfterUndo
]
SEMANTICS.append(Semantics(repeated_deactivate=RepeatedDeactivate.SUCCESS))
SEMANTICS.append(Semantics(repeated_load=RepeatedLoad.SAME_REQUEST))
Order = Callable[[AgcodSession, int, float], Awaitable[Activation | BalanceLoad]]


def order_id(number: int) -> str:
    return RequestId.derive(EMULATOR_PARTNER_ID, f"order {number}")


def amount(number: int) -> Money:
    return Money(Decimal(number % 50 + 1) + Decimal(number % 4) / 4, "USD")


def card_number(number: int) -> str:
    return f"62841905377155{number:05d}"


def activate(session: AgcodSession, number: int, seconds: float) -> Awaitable[Activation]:
    return session.activate_gift_card(
        request_id=order_id(number),
        card_number=card_number(number),
        amount=amount(number),
        deadline_seconds=seconds,
    )


def load(session: AgcodSession, number: int, seconds: float) -> Awaitable[BalanceLoad]:
    return session.load_amazon_balance(
        request_id=order_id(number),
        account=Account(id=f"851{number:09d}", type=1),
        amount=amount(number),
        deadline_seconds=seconds,
    )


FAMILIES: dict[str, Order] = {"activate": activate, "load": load}
FAMILY = pytest.mark.parametrize("family", FAMILIES)


@dataclass
class Shop:
    """An emulator, and what lives there of each order."""

    emulator: Emulator
    journal: MemoryJournal = field(default_factory=MemoryJournal)

    def session(self) -> AgcodSession:
        return AgcodSession(
            SETTINGS,
            transport=self.emulator.transport(),
            journal=self.journal,
            clock=virtual_clock(),
        )

    def live(self, family: str, number: int) -> dict[str, Money]:
        """Return what lives of one order, by the ID that it lives under."""
        root = RequestId(order_id(number))
        ids = {str(root), *(root.successor(EMULATOR_PARTNER_ID, n) for n in range(1, 9))}
        ledger = self.emulator.ledger
        if family == "activate":
            return {
                one.request_id: one.value
                for one in ledger.physical.activations()
                if one.request_id in ids and one.status is ActivationStatus.ACTIVE
            }
        return {
            one.request_id: one.value
            for one in ledger.balance.loads()
            if one.request_id in ids and one.status is LoadStatus.EFFECTIVE
        }

    def check(self, family: str, told: dict[int, object]) -> None:
        """Hold what was told to the ledger, once everything late has landed."""
        self.emulator.land_everything()
        total = Decimal(0)
        for number, verdict in told.items():
            live = self.live(family, number)
            assert len(live) <= 1, f"order {number} lives {len(live)} times"
            total += sum((money.amount for money in live.values()), Decimal(0))
            if isinstance(verdict, Activation | BalanceLoad):
                assert live == {str(verdict.request_id): amount(number)}, number
                assert verdict.amount == amount(number)
            elif isinstance(verdict, NothingIssuedError):
                assert live == {}, f"order {number} was told {verdict}"
            else:
                assert isinstance(verdict, InDoubtError), repr(verdict)
        (balance,) = self.emulator.ledger.balances()
        assert balance.debited == balance.live == total


def shop(script: FaultScript | None = None, semantics: Semantics | None = None) -> Shop:
    config = EmulatorConfig(faults=script or FaultScript(), semantics=semantics or Semantics())
    return Shop(Emulator(config, clock=virtual_clock()))


async def told(order: Order, session: AgcodSession, number: int, seconds: float) -> object:
    try:
        return await order(session, number, seconds)
    except AgcodError as error:
        return error


def once(kind: FaultKind, operation: str, seconds: float = 0.0) -> FaultRule:
    return FaultRule(fault=kind, operation=operation, seconds=seconds)


@FAMILY
@pytest.mark.parametrize("semantics", SEMANTICS, ids=str)
@pytest.mark.parametrize(
    "kind", [FaultKind.F400_BEFORE, FaultKind.F400_AFTER, FaultKind.F400_LATE], ids=str
)
def test_an_order_that_met_an_f400_is_issued_once_by_who_waits(
    kind: FaultKind, semantics: Semantics, family: str
) -> None:
    forward = {"activate": "ActivateGiftCard", "load": "LoadAmazonBalance"}[family]

    async def main() -> None:
        seconds = 100.0 if kind is FaultKind.F400_LATE else 0.0
        made = shop(FaultScript(rules=(once(kind, forward, seconds),)), semantics)
        async with made.session() as session:
            verdict = await told(FAMILIES[family], session, 1, PATIENT_SECONDS)

        made.check(family, {1: verdict})
        assert isinstance(verdict, Activation | BalanceLoad), repr(verdict)
        assert verdict.attempts >= 3

    run(main())


@FAMILY
def test_who_does_not_wait_is_told_when_it_will_be_known(family: str) -> None:
    forward = {"activate": "ActivateGiftCard", "load": "LoadAmazonBalance"}[family]

    async def main() -> None:
        made = shop(FaultScript(rules=(once(FaultKind.F400_AFTER, forward),)))
        async with made.session() as session:
            verdict = await told(FAMILIES[family], session, 1, 30)
            assert isinstance(verdict, InDoubtError)
            assert verdict.next_safe_action == "wait_until"
            assert verdict.not_before is not None
            wait = verdict.not_before.timestamp() - virtual_clock().wall()
            assert 0 < wait < 400
            await asyncio.sleep(wait)
            again = await told(FAMILIES[family], session, 1, 600)
        made.check(family, {1: again})
        assert isinstance(again, Activation | BalanceLoad)

    run(main())


@FAMILY
@pytest.mark.parametrize("semantics", SEMANTICS, ids=str)
def test_many_orders_through_every_fault(semantics: Semantics, family: str) -> None:
    async def main() -> None:
        made = shop(troubled(0.3, 7), semantics)
        async with made.session() as session:
            patient = session.with_options(lane=Lane.BATCH)
            verdicts = await asyncio.gather(
                *(told(FAMILIES[family], patient, n, PATIENT_SECONDS) for n in range(60))
            )
        made.check(family, dict(enumerate(verdicts)))
        kinds = Counter(type(verdict).__name__ for verdict in verdicts)
        assert kinds["Activation"] + kinds["BalanceLoad"] >= 30, kinds

    run(main())


def test_a_load_that_amazon_does_not_know_again_is_in_doubt_and_never_failed() -> None:
    async def main() -> None:
        lost = FaultScript(rules=(once(FaultKind.RESET_AFTER, "LoadAmazonBalance"),))
        made = shop(lost, Semantics(repeated_load=RepeatedLoad.NONE))
        async with made.session() as session:
            verdict = await told(load, session, 1, PATIENT_SECONDS)
            assert isinstance(verdict, InDoubtError)
            assert verdict.error_type == "LoadBalanceRequestIdAlreadyUsed"
        made.check("load", {1: verdict})
        assert len(made.live("load", 1)) == 1

    run(main())


def test_hasty_activations_are_settled_by_reconciling() -> None:
    async def main() -> None:
        made = shop(troubled(0.5, 3))
        async with made.session() as session:
            verdicts = await asyncio.gather(
                *(told(activate, session, number, 12.0) for number in range(40))
            )
            made.check("activate", dict(enumerate(verdicts)))
            assert any(isinstance(verdict, InDoubtError) for verdict in verdicts)
            made.emulator.play(FaultScript())
            await asyncio.sleep(10)  # what runs at this moment is left alone
            for _ in range(3):
                await session.reconcile(deadline_seconds=PATIENT_SECONDS)
            assert await open_entries(made.journal) == []
            settled = await asyncio.gather(
                *(told(activate, session, number, PATIENT_SECONDS) for number in range(40))
            )
        made.check("activate", dict(enumerate(settled)))
        assert all(isinstance(verdict, Activation) for verdict in settled)

    run(main())


def test_a_card_that_is_used_at_once_is_never_deactivated() -> None:
    async def main() -> None:
        made = shop(troubled(0.4, 5))
        async with made.session() as session:
            verdicts: dict[int, object] = {}
            for number in range(25):
                verdicts[number] = await told(activate, session, number, PATIENT_SECONDS)
                if isinstance(verdicts[number], Activation):
                    assert made.emulator.claim_card(card_number(number))
        made.check("activate", verdicts)

    run(main())
