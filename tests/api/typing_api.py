"""Typical uses of the public API: never run, but read by mypy and pyright in `make types`.

If a signature changes in a way that breaks a user's code, one of these no longer type-checks.
"""

from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import assert_never, assert_type

import httpx

from agcod_async import (
    Account,
    AccountError,
    AccountValidation,
    Activation,
    ActivationStatus,
    Activity,
    ActivityPage,
    AgcodError,
    AgcodSession,
    AiohttpTransport,
    AvailableFunds,
    BalanceLoad,
    BalanceVoid,
    Cancellation,
    CardNumber,
    ClaimCode,
    CommandSink,
    Credentials,
    CredentialsProvider,
    Deactivation,
    DeclinedError,
    DeliveryError,
    DeliveryLine,
    DeliveryPolicy,
    Endpoint,
    FunctionSink,
    GiftCard,
    HttpxTransport,
    InDoubtError,
    InvalidRequestError,
    Job,
    JobRun,
    Lane,
    MemoryJournal,
    Money,
    NothingIssuedError,
    Order,
    Receipt,
    RecoveryPolicy,
    RequestId,
    ReversedError,
    RotatingCredentials,
    Settings,
    Sink,
    TransactionSource,
    UnavailableError,
    UsageError,
    WebhookSink,
    issue_many,
    plan_job,
)
from agcod_async.batch import (
    Declined,
    InDoubt,
    Issued,
    JobRow,
    Planned,
    Reversed,
    RowState,
    Settled,
    Stop,
    Totals,
    Unavailable,
    Verdict,
)
from agcod_async.core.outcomes import Reason
from agcod_async.delivery import Delivered, Undelivered, secret_from_env
from agcod_async.events import (
    AttemptEnded,
    CallEnded,
    CardDiedAfterHandout,
    Event,
    KeyAged,
    KeyRefused,
    SkewNoticed,
    SuccessorChosen,
)


def settings() -> Settings:
    assert_type(Settings.from_env(), Settings)
    assert_type(Settings.from_env({"AGCOD_PARTNER_ID": "Acme1"}), Settings)
    return Settings(
        credentials=Credentials(access_key_id="AKEY", secret_access_key="secret"),
        partner_id="Acme1",
        endpoint=Endpoint.EU_SANDBOX,
        requests_per_second=20,
        wire_format="xml",
        attempt_timeout_seconds=6.0,
        deadline_seconds=30.0,
    )


class Vault:
    """What a user plugs in."""

    def keys(self) -> list[Credentials]:
        return [Credentials(access_key_id="AKEY", secret_access_key="secret")]


async def keys_that_change(vault: Vault) -> None:
    provider: CredentialsProvider = vault
    assert_type(Settings.from_env(credentials=provider), Settings)
    now = datetime(2031, 2, 3, tzinfo=UTC)
    new = Credentials(access_key_id="BKEY", secret_access_key="secret", created_at=now)
    keys = RotatingCredentials(vault.keys()[0])
    async with AgcodSession(Settings(credentials=keys, partner_id="Acme1")) as session:
        assert_type(await session.verify_key(new, deadline_seconds=10), AvailableFunds)
        await keys.rotate(new, verify=session.verify_key)
    assert_type(keys.current, Credentials)
    assert_type(keys.previous, Credentials | None)
    keys.use(new)
    keys.drop_previous()


def values() -> None:
    assert_type(Money("25.00", "USD"), Money)
    assert_type(Money(25, "JPY").amount, Decimal)
    assert_type(RequestId.derive("Acme1", "order 4711"), RequestId)
    as_text: str = RequestId("Acme1order4711")
    assert_type(Money(Decimal("0.01"), as_text).currency, str)


async def one_card() -> str:
    async with AgcodSession(settings()) as session:
        assert_type(session, AgcodSession)
        card = await session.create_gift_card(
            request_id="Acme1order4711", amount=Money("25.00", "USD")
        )
        assert_type(card, GiftCard)
        assert_type(card.claim_code, ClaimCode)
        assert_type(card.amount, Money)
        assert_type(card.replayed, bool)
        assert_type(card.attempts, int)
        code: str = card.claim_code.reveal()
        live_under: str = card.request_id
        amazons_name: str = card.gc_id
        return f"{live_under} {amazons_name} {code}"


async def everything_given(observed: list[Event]) -> None:
    session = AgcodSession(
        settings(),
        transport=AiohttpTransport(),
        journal=MemoryJournal(),
        observers=(observed.append, on_event),
        policy=RecoveryPolicy(on_burnt_id="raise", forward_attempts_max=4),
    )
    try:
        await session.create_gift_card(
            request_id=RequestId("Acme1order4711"),
            amount=Money(25, "USD"),
            program_id="spring",
            external_reference="invoice 12",
            lane=Lane.INTERACTIVE,
            deadline_seconds=10,
            policy=RecoveryPolicy(),
        )
        cancelled = await session.cancel_gift_card(request_id="Acme1order4711")
        assert_type(cancelled, Cancellation)
        funds = await session.get_available_funds(lane=Lane.PROBE)
        assert_type(funds, AvailableFunds)
        await session.reconcile(deadline_seconds=60)
    finally:
        await session.aclose(drain_seconds=5)


async def physical_cards(session: AgcodSession) -> bool:
    active = await session.activate_gift_card(
        request_id="Acme1till4",
        card_number="6284190537715502918",
        amount=Money("25.00", "USD"),
        transaction_source=TransactionSource(source_id="till 4", institution_id="shop 9"),
        policy=RecoveryPolicy(),
    )
    assert_type(active, Activation)
    assert_type(active.card_number, CardNumber)
    status = await session.activation_status_check(
        request_id=active.request_id, card_number=active.card_number
    )
    assert_type(status, ActivationStatus)
    assert_type(status.amount, Money | None)
    undone = await session.deactivate_gift_card(
        request_id=active.request_id, card_number=active.card_number, lane=Lane.RECOVERY
    )
    assert_type(undone, Deactivation)
    return status.is_active


async def balances(session: AgcodSession) -> str | None:
    account, amount = Account(id="851432007016", type=1), Money("25.00", "USD")
    valid = await session.validate_account_for_amazon_balance_load(
        request_id="Acme1load", account=account, amount=amount
    )
    assert_type(valid, AccountValidation)
    load = await session.load_amazon_balance(
        request_id="Acme1load",
        account=account,
        amount=amount,
        notification_message="Thank you",
        external_reference="invoice 12",
        transaction_source=TransactionSource(source_id="till 4"),
        timestamp=1_922_400_000_000,
    )
    assert_type(load, BalanceLoad)
    void = await session.void_amazon_balance_load(
        request_id=load.request_id, account=account, amount=amount, void_if_used=False
    )
    assert_type(void, BalanceVoid)
    return load.claim_code.reveal() if load.claim_code else None


async def what_the_account_has_done(session: AgcodSession) -> list[str | None]:
    start, end = datetime(2031, 2, 3, tzinfo=UTC), datetime(2031, 2, 4, tzinfo=UTC)
    page = await session.get_gift_card_activity_page(
        start=start, end=end, page_index=0, page_size=100, show_no_ops=True
    )
    assert_type(page, ActivityPage)
    assert_type(page.rows, tuple[Activity, ...])
    rows = session.activity(start=start, end=end)
    assert_type(rows, AsyncIterator[Activity])
    return [row.request_id async for row in rows]


async def a_view_of_a_session(session: AgcodSession) -> None:
    patient = session.with_options(lane=Lane.BATCH, deadline_seconds=3600)
    assert_type(patient, AgcodSession)
    await patient.get_available_funds()


async def transports() -> None:
    async with httpx.AsyncClient() as client:
        for transport in (HttpxTransport(client, connect_timeout_seconds=1.0), AiohttpTransport()):
            async with AgcodSession(settings(), transport=transport) as session:
                await session.get_available_funds()


def on_event(event: Event) -> None:
    match event:
        case AttemptEnded(operation, attempt):
            assert_type(operation, str)
            assert_type(attempt.seconds, float)
        case SuccessorChosen(request_id, successor_id):
            assert_type((request_id, successor_id), tuple[str, str])
        case CallEnded():
            assert_type(event.verdict, str)
        case SkewNoticed(skew_seconds):
            assert_type(skew_seconds, float)
        case KeyRefused(key, reason, is_last):
            assert_type((key, reason.message, is_last), tuple[str, str, bool])
        case KeyAged(key, days):
            assert_type((key, days), tuple[str, int])
        case CardDiedAfterHandout():
            assert_type(event.gc_id, str | None)
        case _:
            assert_never(event)


async def what_may_be_done_next(session: AgcodSession) -> str:
    try:
        await session.cancel_gift_card(request_id="Acme1order4711", gc_id=None)
    except UsageError as error:
        value_error: ValueError = error
        return str(value_error)
    except (InvalidRequestError, AccountError) as error:
        declined: DeclinedError = error
        if isinstance(error, AccountError):
            assert_type(error.contact, str | None)
        return declined.code or ""
    except UnavailableError as error:
        assert_type(error.retry_after_seconds, float)
        return "later"
    except ReversedError as error:
        nothing: NothingIssuedError = error
        return nothing.request_id or ""
    except InDoubtError as error:
        return error.next_safe_action + (error.not_before.isoformat() if error.not_before else "")
    except AgcodError as error:
        assert_type(error.error_type, str | None)
        return ", ".join(attempt.outcome for attempt in error.attempts)
    return "cancelled"


async def a_batch(session: AgcodSession, business_keys: Iterable[str]) -> int:
    orders = (
        Order(request_id=RequestId.derive("Acme1", key), amount=Money("10.00", "EUR"))
        for key in business_keys
    )
    issued = 0
    async for receipt in issue_many(session, orders, concurrency=16):
        assert_type(receipt, Receipt)
        assert_type(receipt.order, Order)
        assert_type(receipt.request_id, str)
        assert_type(receipt.verdict, Verdict)
        match receipt.verdict:
            case Issued(card):
                assert_type(card, GiftCard)
                issued += 1
            case Declined(error):
                assert_type(error, DeclinedError | UsageError)
            case Unavailable(error):
                assert_type(error, UnavailableError)
            case Reversed(error):
                assert_type(error, ReversedError)
            case InDoubt(error):
                assert_type(error, InDoubtError)
            case _:
                assert_never(receipt.verdict)
    return issued


async def a_batch_from_a_stream(session: AgcodSession, orders: AsyncIterator[Order]) -> None:
    async for receipt in issue_many(session, orders):
        assert_type(receipt.verdict, Verdict)


async def a_delivery(line: DeliveryLine, card: GiftCard, order: Order) -> int:
    sinks: list[Sink] = [
        FunctionSink(lambda card, order: (card.gc_id, order.request_id)),
        await CommandSink.start("./deliver", "--quietly"),
        WebhookSink("https://shop.example/cards", secret=secret_from_env("SHOP_SECRET")),
    ]
    DeliveryLine(sinks[0], policy=DeliveryPolicy(attempts_max=3))
    assert_type(await line.ready(), bool)
    handover = await line.hand_over(card, order)
    match handover:
        case Delivered(attempts):
            return attempts
        case Undelivered(problem):
            raise DeliveryError(Reason(problem))
        case _:
            assert_never(handover)


async def what_must_not_type_check(session: AgcodSession) -> None:
    """Each ignore below is reported as unused on the day that the mistake becomes possible."""
    Money(25.0, "USD")  # type: ignore[arg-type]
    Settings()  # type: ignore[call-arg]
    await session.create_gift_card(amount=Money(25, "USD"))  # type: ignore[call-arg]
    await session.cancel_gift_card("Acme1order4711")  # type: ignore[call-arg]
    Account("851432007016", 1)  # type: ignore[call-arg]


async def job(session: AgcodSession, orders: list[Order], sink: Sink) -> None:
    async with await Job.create("may", session.settings, name="may") as made:
        assert_type(await plan_job(made, orders, spend_cap=Decimal(5)), Planned)
        run = JobRun(session, made, sink=sink, delivery=DeliveryPolicy(at_a_time_max=4))
        async for settled in run.settled():
            assert_type(settled, Settled)
            assert_type(settled.receipt.verdict, Verdict)
        assert_type(run.stop_of_line, Stop | None)
        assert_type(await run.finish(), Totals)
        async for row in made.rows(RowState.IN_DOUBT):
            assert_type(row, JobRow)
