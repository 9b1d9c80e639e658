"""All ten operations against the emulator, in both forms of the wire; recipients leave no trace."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from agcod_async.agcod import AgcodSession
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.errors import (
    AccountError,
    AgcodError,
    IdempotencyConflictError,
    InDoubtError,
    InvalidRequestError,
    UnavailableError,
)
from agcod_async.events import Event
from agcod_async.journal.base import Journal
from agcod_async.journal.memory import MemoryJournal
from agcod_async.journal.sqlite import SqliteJournal
from agcod_async.pacing.port import Lane
from agcod_async.providers.agcod.activity_messages import Activity
from agcod_async.providers.agcod.messages import TransactionSource
from agcod_async.providers.agcod.recipients import Account
from agcod_async.settings import Settings
from agcod_async.testing import (
    EMULATOR_CREDENTIALS,
    EMULATOR_PARTNER_ID,
    ActivationStatus,
    Emulator,
    EmulatorConfig,
    FaultKind,
    FaultRule,
    FaultScript,
    LoadStatus,
)
from agcod_async.testing.clock import run, virtual_clock
from agcod_async.values import Money
from tests.support.journals import open_entries

CARD_NUMBER = "6284190537715502918"
ACCOUNT_ID = "851CANARY6129930055412"
ACCOUNT = Account(id=ACCOUNT_ID, type=1)
NOTIFICATION = "CANARY: thank you, Jane"
AMOUNT = Money("25.50", "USD")
SETTINGS = Settings(credentials=EMULATOR_CREDENTIALS, partner_id=EMULATOR_PARTNER_ID)
FORMS = ("json", "xml")
FORM = pytest.mark.parametrize("form", FORMS)


def order(number: int = 1) -> str:
    return f"{EMULATOR_PARTNER_ID}{number}"


def once(kind: FaultKind, operation: str) -> FaultScript:
    """Return a script that spoils the first request of one operation."""
    return FaultScript(rules=(FaultRule(fault=kind, operation=operation),))


@dataclass
class Stage:
    """An emulator and everything that was heard while sessions talked to it."""

    emulator: Emulator
    settings: Settings
    journal: Journal = field(default_factory=MemoryJournal)
    events: list[Event] = field(default_factory=list)

    def session(self) -> AgcodSession:
        return AgcodSession(
            self.settings,
            transport=self.emulator.transport(),
            journal=self.journal,
            observers=(self.events.append,),
            clock=virtual_clock(),
        )


@asynccontextmanager
async def stage(
    form: str = "json",
    config: EmulatorConfig | None = None,
    journal: Journal | None = None,
    **settings: object,
) -> AsyncIterator[tuple[AgcodSession, Stage]]:
    emulator = Emulator(config or EmulatorConfig(), clock=virtual_clock())
    chosen = replace(SETTINGS, wire_format=form, **settings)
    made = Stage(emulator, chosen)
    if journal is not None:
        made.journal = journal
    async with made.session() as session:
        yield session, made


# --- each operation ----------------------------------------------------------------------------


@FORM
def test_gift_cards(form: str) -> None:
    async def main() -> None:
        async with stage(form) as (session, made):
            card = await session.create_gift_card(
                request_id=order(), amount=AMOUNT, external_reference="<order> & 'co' \r\n7"
            )
            again = await session.create_gift_card(
                request_id=order(), amount=AMOUNT, external_reference="<order> & 'co' \r\n7"
            )
            assert again.claim_code == card.claim_code
            assert again.replayed
            live = made.emulator.ledger.card(order())
            assert live is not None
            assert live.claim_code == card.claim_code
            assert (await session.get_available_funds()).amount == Money("999974.50", "USD")
            await session.cancel_gift_card(request_id=order(), gc_id=card.gc_id)
            assert (await session.get_available_funds()).amount == Money("1000000", "USD")
            with pytest.raises(IdempotencyConflictError):
                await session.create_gift_card(request_id=order(), amount=Money(26, "USD"))

    run(main())


@FORM
def test_physical_cards(form: str) -> None:
    async def main() -> None:
        async with stage(form) as (session, made):
            active = await session.activate_gift_card(
                request_id=order(),
                card_number=CARD_NUMBER,
                amount=AMOUNT,
                program_id="Spring31",
                transaction_source=TransactionSource(source_id="till 4", institution_id="shop"),
            )
            assert (active.amount, active.card_status) == (AMOUNT, "Activated")
            assert active.request_id == order()
            known = made.emulator.ledger.physical.activation(order())
            assert known is not None
            assert known.status is ActivationStatus.ACTIVE

            status = await session.activation_status_check(
                request_id=order(), card_number=CARD_NUMBER
            )
            assert status.is_active
            assert status.amount == AMOUNT
            undone = await session.deactivate_gift_card(
                request_id=order(), card_number=active.card_number
            )
            assert undone.card_status == "AwaitingActivation"
            status = await session.activation_status_check(
                request_id=order(), card_number=CARD_NUMBER
            )
            assert not status.is_active
            with pytest.raises(InvalidRequestError) as caught:
                await session.activation_status_check(request_id=order(2), card_number=CARD_NUMBER)
            assert caught.value.error_type == "NonExistingActivationRequestId"

    run(main())


@FORM
def test_balances(form: str) -> None:
    async def main() -> None:
        async with stage(form) as (session, made):
            await session.validate_account_for_amazon_balance_load(
                request_id=order(), account=ACCOUNT, amount=AMOUNT
            )
            load = await session.load_amazon_balance(
                request_id=order(),
                account=ACCOUNT,
                amount=AMOUNT,
                notification_message=NOTIFICATION,
                external_reference="order 7",
                transaction_source=TransactionSource(source_id="till", source_details='{"a": 1}'),
                timestamp=1_922_400_000_000,
            )
            assert (load.request_id, load.amount, load.claim_code) == (order(), AMOUNT, None)
            known = made.emulator.ledger.balance.load_under(order())
            assert known is not None
            assert (known.value, known.status) == (AMOUNT, LoadStatus.EFFECTIVE)
            void = await session.void_amazon_balance_load(
                request_id=order(), account=ACCOUNT, amount=AMOUNT
            )
            assert void.amount == AMOUNT
            known = made.emulator.ledger.balance.load_under(order())
            assert known is not None
            assert known.status is LoadStatus.VOID

    run(main())


@FORM
def test_a_spent_balance_is_taken_back_only_if_the_caller_says_so(form: str) -> None:
    async def main() -> None:
        async with stage(form) as (session, made):
            asked = {"request_id": order(), "account": ACCOUNT, "amount": AMOUNT}
            await session.load_amazon_balance(**asked)
            assert made.emulator.spend(order())
            with pytest.raises(InvalidRequestError) as caught:
                await session.void_amazon_balance_load(**asked)
            assert caught.value.error_type == "BalanceLoadCannotBeVoided"
            await asyncio.sleep(1)
            with pytest.raises(IdempotencyConflictError):
                await session.void_amazon_balance_load(**asked, void_if_used=True)
        made.journal = MemoryJournal()
        async with made.session() as forgetful:
            await forgetful.void_amazon_balance_load(**asked, void_if_used=True)

    run(main())


@FORM
def test_mock_codes_stand_where_amazon_puts_them(form: str) -> None:
    async def main() -> None:
        async with stage(form) as (session, _):
            with pytest.raises(InvalidRequestError) as caught:
                await session.activate_gift_card(
                    request_id="F2005", card_number=CARD_NUMBER, amount=AMOUNT
                )
            assert caught.value.error_type == "InvalidCurrencyCodeInput"
            with pytest.raises(InvalidRequestError) as caught:
                await session.load_amazon_balance(
                    request_id=order(), account=Account(id="F2034", type=0), amount=AMOUNT
                )
            assert caught.value.error_type == "UndefinedAccountId"
            with pytest.raises(AccountError) as refused:
                await session.validate_account_for_amazon_balance_load(
                    request_id=order(), account=Account(id="F3011", type=0), amount=AMOUNT
                )
            assert refused.value.code == "F300"

    run(main())


# --- the report --------------------------------------------------------------------------------


async def _cards(session: AgcodSession, count: int) -> list[str]:
    for number in range(count):
        await session.create_gift_card(request_id=order(number), amount=AMOUNT)
    return [order(number) for number in range(count)]


def _frame(clock_wall: float) -> dict[str, datetime]:
    end = datetime.fromtimestamp(clock_wall, UTC) + timedelta(days=1)
    return {"start": end - timedelta(days=2), "end": end}


@FORM
@pytest.mark.parametrize("counts", ["pages", "rows"])
def test_all_rows_are_read_once_and_a_page_a_minute(form: str, counts: str) -> None:
    async def main() -> None:
        config = EmulatorConfig(activity_index="page" if counts == "pages" else "row")
        async with stage(form, config, activity_index_counts=counts) as (session, made):
            ids = await _cards(session, 25)
            frame = _frame(virtual_clock().wall())

            rows = [row async for row in session.activity(**frame, page_size=10)]
            assert [row.request_id for row in rows] == ids
            assert {row.type for row in rows} == {"Create"}
            assert {row.amount for row in rows} == {AMOUNT}
            assert all(row.is_real and row.gc_id and row.time for row in rows)

            pages = [
                arrival
                for arrival in made.emulator.arrivals.latest
                if arrival.operation == "GetGiftCardActivityPage"
            ]
            assert [arrival.result for arrival in pages] == ["SUCCESS"] * 3
            gaps = [after.at - before.at for before, after in pairwise(pages)]
            assert all(60 <= gap < 70 for gap in gaps)

            rest = [row async for row in session.activity(**frame, page_size=10, first_page=2)]
            assert [row.request_id for row in rest] == ids[20:]
            page = await session.get_gift_card_activity_page(
                **frame, page_index=0, page_size=100, deadline_seconds=200
            )
            assert (page.total, len(page.rows)) == (25, 25)

    run(main())


def test_a_throttled_page_is_asked_for_again_and_no_row_is_lost_or_doubled() -> None:
    async def main() -> None:
        config = EmulatorConfig(operation_caps={"GetGiftCardActivityPage": 1 / 200})
        async with stage("json", config) as (session, made):
            ids = await _cards(session, 5)
            frame = _frame(virtual_clock().wall())

            rows = [row async for row in session.activity(**frame, page_size=2)]

            assert [row.request_id for row in rows] == ids
            assert made.emulator.arrivals.by_result["throttled"] >= 2

    run(main())


def test_pages_come_as_fast_as_the_settings_say() -> None:
    async def main() -> None:
        config = EmulatorConfig(operation_caps={"GetGiftCardActivityPage": 2})
        async with stage("json", config, activity_pages_per_minute=120) as (session, made):
            await _cards(session, 20)
            began = asyncio.get_running_loop().time()
            frame = _frame(virtual_clock().wall())
            assert len([row async for row in session.activity(**frame, page_size=2)]) == 20

            assert 4 < asyncio.get_running_loop().time() - began < 7
            assert "throttled" not in made.emulator.arrivals.by_result

    run(main())


def test_a_slow_pace_is_waited_for() -> None:
    async def main() -> None:
        config = EmulatorConfig(operation_caps={"GetGiftCardActivityPage": 1 / 3600})
        async with stage("json", config, activity_pages_per_minute=1 / 60) as (session, _):
            ids = await _cards(session, 3)
            frame = _frame(virtual_clock().wall())
            rows = [row async for row in session.activity(**frame, page_size=1)]
            assert [row.request_id for row in rows] == ids

    run(main())


@pytest.mark.parametrize(
    ("server", "settings", "words"),
    [("row", "pages", "repeats rows"), ("page", "rows", "ends after 10 of 25 rows")],
)
def test_an_index_that_counts_otherwise_is_noticed(server: str, settings: str, words: str) -> None:
    async def main() -> None:
        config = EmulatorConfig(activity_index=server, operation_caps={})
        async with stage("json", config, activity_index_counts=settings) as (session, _):
            await _cards(session, 25)
            rows: list[Activity] = []
            with pytest.raises(AgcodError, match=f"{words}.*activity_index_counts"):
                rows.extend(
                    [
                        row
                        async for row in session.activity(
                            **_frame(virtual_clock().wall()), page_size=10
                        )
                    ]
                )

    run(main())


def test_a_report_that_is_switched_off_says_so() -> None:
    async def main() -> None:
        async with stage(
            "xml", EmulatorConfig(disabled_operations=frozenset({"GetGiftCardActivityPage"}))
        ) as (session, _):
            with pytest.raises(AccountError) as caught:
                await anext(session.activity(**_frame(virtual_clock().wall())))
            assert caught.value.error_type == "APIGetGiftCardActivityPageIsDisabled"

    run(main())


def test_an_iterator_that_is_left_early_asks_for_no_more_pages() -> None:
    async def main() -> None:
        async with stage() as (session, made):
            await _cards(session, 3)
            rows = session.activity(**_frame(virtual_clock().wall()), page_size=1)
            async with contextlib.aclosing(rows):
                assert (await anext(rows)).request_id == order(0)
            await asyncio.sleep(500)
            assert made.emulator.arrivals.by_operation["GetGiftCardActivityPage"] == 1

    run(main())


# --- trouble -----------------------------------------------------------------------------------


@FORM
def test_a_throttle_and_a_lost_reply_are_gone_through_in_either_form(form: str) -> None:
    async def main() -> None:
        script = FaultScript(
            rules=(
                FaultRule(fault=FaultKind.THROTTLE),
                FaultRule(fault=FaultKind.LOSE_REPLY, nth=2),
            )
        )
        async with stage(form, EmulatorConfig(faults=script)) as (session, made):
            card = await session.create_gift_card(request_id=order(), amount=AMOUNT)
            assert card.attempts == 3
            assert len(list(made.emulator.ledger.cards())) == 1

    run(main())


def test_a_load_whose_answer_was_lost_is_sent_again_and_done_once() -> None:
    async def main() -> None:
        config = EmulatorConfig(faults=once(FaultKind.LOSE_REPLY, "LoadAmazonBalance"))
        async with stage("xml", config) as (session, made):
            load = await session.load_amazon_balance(
                request_id=order(), account=ACCOUNT, amount=AMOUNT
            )
            assert load.attempts == 2
            (live,) = made.emulator.ledger.balance.loads()
            assert live.status is LoadStatus.EFFECTIVE

    run(main())


def test_a_used_load_id_leaves_the_load_in_doubt() -> None:
    async def main() -> None:
        async with stage() as (session, made):
            await session.load_amazon_balance(request_id=order(), account=ACCOUNT, amount=AMOUNT)
            made.journal = MemoryJournal()
        async with made.session() as forgetful:
            with pytest.raises(InDoubtError) as caught:
                await forgetful.load_amazon_balance(
                    request_id=order(),
                    account=ACCOUNT,
                    amount=Money(30, "USD"),
                    policy=RecoveryPolicy(forward_attempts_max=2),
                )
            assert caught.value.error_type == "LoadBalanceRequestIdAlreadyUsed"

    run(main())


# --- recipients --------------------------------------------------------------------------------


def _trace_of(path: Path) -> bytes:
    return b"".join(found.read_bytes() for found in sorted(path.rglob("*")) if found.is_file())


async def _troubled_loads(form: str, folder: Path) -> tuple[bytes, str]:
    """Load through faults of all kinds; return what is on the disk, and what was told."""
    kinds = (FaultKind.RESET_AFTER, FaultKind.GARBAGE, FaultKind.F500_AFTER, FaultKind.F100)
    rules = (FaultRule(fault=kind, nth=n + 2) for n, kind in enumerate(kinds))
    emulator = Emulator(EmulatorConfig(faults=FaultScript(rules=tuple(rules))))
    settings = replace(SETTINGS, wire_format=form, requests_per_second=100)
    policy = RecoveryPolicy(backoff_base_seconds=0, backoff_max_seconds=0, forward_attempts_max=2)
    told: list[object] = []
    journal = SqliteJournal(folder / "journal")
    async with AgcodSession(
        settings,
        transport=emulator.transport(),
        journal=journal,
        observers=(told.append,),
        policy=policy,
    ) as session:
        for number in range(4):
            asked = {"request_id": order(number), "account": ACCOUNT, "amount": AMOUNT}
            try:
                told.append(
                    await session.load_amazon_balance(**asked, notification_message=NOTIFICATION)
                )
                told.append(await session.void_amazon_balance_load(**asked))
            except InDoubtError as error:
                told += [error, vars(error), error.attempts]
        told.append(await session.reconcile())
        kept = _trace_of(folder)
    await journal.aclose()
    assert any(isinstance(one, InDoubtError) for one in told)
    return kept + _trace_of(folder), "".join(map(repr, told))


@FORM
def test_no_recipient_is_in_the_journal_the_log_the_events_or_the_errors(
    form: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        kept, shown = asyncio.run(_troubled_loads(form, tmp_path))

    assert order(0).encode() in kept
    assert b"sha256:" in kept
    assert order(0) in shown
    for canary in ("CANARY", "Jane"):
        assert canary.encode() not in kept
        assert canary not in shown
        assert canary not in caplog.text


def test_a_load_left_open_is_named_by_reconcile_and_finished_by_the_same_call() -> None:
    async def main() -> None:
        config = EmulatorConfig(faults=once(FaultKind.LOSE_REPLY, "LoadAmazonBalance"))
        async with stage("json", config) as (session, made):
            asked = {
                "request_id": order(),
                "account": ACCOUNT,
                "amount": AMOUNT,
                "notification_message": NOTIFICATION,
            }
            with pytest.raises(InDoubtError):
                await session.load_amazon_balance(**asked, deadline_seconds=5)
            await asyncio.sleep(2)  # the exchange that was under way has ended, and nothing is sent
            (left,) = await session.reconcile()
            assert (left.request_id, left.operation) == (order(), "LoadAmazonBalance")
            assert isinstance(left.error, InDoubtError)
            assert "call again" in str(left.error)
            assert left.error.next_safe_action == "replay_same_id"
            assert made.emulator.arrivals.total == 1
            assert len(await open_entries(made.journal)) == 1

            with pytest.raises(IdempotencyConflictError):
                await session.load_amazon_balance(
                    **asked | {"account": Account(id="851OTHER", type=1)}
                )
            load = await session.load_amazon_balance(**asked)
            assert load.amount == AMOUNT
            assert await open_entries(made.journal) == []
            assert len(list(made.emulator.ledger.balance.loads())) == 1

    run(main())


def test_a_load_that_cannot_have_worked_is_closed_by_reconcile() -> None:
    async def main() -> None:
        async with stage() as (session, made):
            with pytest.raises(UnavailableError):
                await asyncio.gather(
                    *(session.get_available_funds(lane=Lane.RECOVERY) for _ in range(3)),
                    session.load_amazon_balance(
                        request_id=order(), account=ACCOUNT, amount=AMOUNT, deadline_seconds=0.0001
                    ),
                )
            await session.reconcile()
            assert await open_entries(made.journal) == []

    run(main())


def test_an_order_stays_the_same_order_when_the_form_of_the_wire_is_changed() -> None:
    async def main() -> None:
        async with stage("json") as (session, made):
            first = await session.create_gift_card(request_id=order(), amount=AMOUNT)
        made.settings = replace(made.settings, wire_format="xml")
        async with made.session() as in_xml:
            again = await in_xml.create_gift_card(request_id=order(), amount=AMOUNT)

        assert again.replayed
        assert again.claim_code == first.claim_code

    run(main())
