"""The session for AGCOD: what is checked before anything is sent, and what is handed on."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from agcod_async.agcod import AgcodSession
from agcod_async.core.outcomes import Reason, Reply
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.endpoints import Endpoint
from agcod_async.errors import InDoubtError, UsageError
from agcod_async.pacing.port import Lane
from agcod_async.providers.agcod.messages import TransactionSource
from agcod_async.providers.agcod.operations import AGCOD
from agcod_async.providers.agcod.recipients import Account
from agcod_async.session import Session
from agcod_async.settings import Settings
from agcod_async.testing.clock import run, virtual_clock
from agcod_async.values import Credentials, Money
from tests.support.permits import FreePacer

SETTINGS = Settings(
    credentials=Credentials(access_key_id="AKIDEXAMPLE", secret_access_key="kept-to-ourselves"),
    partner_id="Toy",
)
AMOUNT = Money("25.5", "USD")
ACCOUNT = Account(id="851432007016", type=1)
CARD_NUMBER = "6284190537715502918"
START, END = datetime(2031, 2, 3, tzinfo=UTC), datetime(2031, 2, 4, tzinfo=UTC)
CARD = {
    "creationRequestId": "Toy1",
    "gcClaimCode": "AXLQ-9R4EXP-7YQ3",
    "gcId": "A1",
    "gcExpirationDate": "Sun Dec 31 23:59:59 UTC 2034",
    "cardInfo": {
        "cardStatus": "Fulfilled",
        "value": {"amount": 25.5, "currencyCode": "USD"},
    },
    "status": "SUCCESS",
}


class Counterpart:
    """Answers everything with one JSON text, and keeps what was asked."""

    def __init__(self, answer: Mapping[str, object], status: int = 200) -> None:
        self._reply = Reply(status, "application/json", json.dumps(answer).encode())
        self.asked: list[tuple[str, object]] = []
        self.headers: list[Mapping[str, str]] = []

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        self.headers.append(headers)
        self.asked.append((url, json.loads(body) if body[:1] == b"{" else body.decode()))
        return self._reply

    async def aclose(self) -> None:
        pass


def session(transport: Counterpart, settings: Settings = SETTINGS) -> AgcodSession:
    return AgcodSession(settings, transport=transport, pacer=FreePacer(), clock=virtual_clock())


def test_a_card_is_created_with_all_that_was_said_about_it() -> None:
    async def main() -> None:
        amazon = Counterpart(CARD)
        async with session(amazon) as s:
            card = await s.create_gift_card(
                request_id="Toy1",
                amount=AMOUNT,
                program_id="42",
                product_type="books",
                external_reference="order 7",
                transaction_source=TransactionSource(source_id="till 3"),
            )

        assert amazon.asked == [
            (
                "https://agcod-v2-gamma.amazon.com/CreateGiftCard",
                {
                    "creationRequestId": "Toy1",
                    "partnerId": "Toy",
                    "value": {"currencyCode": "USD", "amount": 25.5},
                    "programId": "42",
                    "productType": "books",
                    "externalReference": "order 7",
                    "transactionSource": {"sourceId": "till 3"},
                },
            )
        ]
        assert card.claim_code.reveal() == "AXLQ-9R4EXP-7YQ3"
        assert card.amount == AMOUNT
        assert card.expires_at is not None
        assert "AXLQ" not in repr(card)

    run(main())


def test_the_form_of_the_wire_is_named_in_the_headers_and_an_answer_in_the_other_is_read() -> None:
    async def main() -> None:
        for form in ("json", "xml"):
            amazon = Counterpart(CARD)
            async with session(amazon, replace(SETTINGS, wire_format=form)) as s:
                assert (await s.create_gift_card(request_id="Toy1", amount=AMOUNT)).gc_id == "A1"
            (headers,), ((_, body),) = amazon.headers, amazon.asked
            assert headers["accept"] == headers["content-type"] == f"application/{form}"
            assert str(body).startswith("<CreateGiftCardRequest>") == (form == "xml")
            assert "content-type" in headers["authorization"]

    run(main())


def test_a_card_that_is_asked_for_again_says_that_it_was_handed_out_before() -> None:
    async def main() -> None:
        async with session(Counterpart(CARD)) as s:
            first = await s.create_gift_card(request_id="Toy1", amount=AMOUNT)
            second = await s.create_gift_card(request_id="Toy1", amount=AMOUNT)

        assert (first.replayed, second.replayed) == (False, True)
        assert first.claim_code == second.claim_code

    run(main())


Call = Callable[[AgcodSession], Awaitable[object]]
BAD_CALLS: dict[str, Call] = {
    "request_id": lambda s: s.create_gift_card(request_id="Tom1", amount=AMOUNT),
    "request_id ": lambda s: s.create_gift_card(request_id="", amount=AMOUNT),
    "amount": lambda s: s.create_gift_card(request_id="Toy1", amount=Money(0, "USD")),
    "program_id": lambda s: s.create_gift_card(request_id="Toy1", amount=AMOUNT, program_id="-"),
    "product_type": lambda s: s.create_gift_card(
        request_id="Toy1", amount=AMOUNT, product_type="x" * 51
    ),
    "external_reference": lambda s: s.create_gift_card(
        request_id="Toy1", amount=AMOUNT, external_reference="x" * 101
    ),
    "transaction_source": lambda s: s.create_gift_card(
        request_id="Toy1", amount=AMOUNT, transaction_source=TransactionSource()
    ),
    "gc_id": lambda s: s.cancel_gift_card(request_id="Toy1", gc_id=""),
    "card_number": lambda s: s.activate_gift_card(
        request_id="Toy1", card_number="123", amount=AMOUNT
    ),
    "card_number ": lambda s: s.deactivate_gift_card(request_id="Toy1", card_number="x" * 19),
    "card_number  ": lambda s: s.activation_status_check(request_id="Toy1", card_number=""),
    "notification_message": lambda s: s.load_amazon_balance(
        request_id="Toy1", account=ACCOUNT, amount=AMOUNT, notification_message="x" * 251
    ),
    "timestamp": lambda s: s.load_amazon_balance(
        request_id="Toy1", account=ACCOUNT, amount=AMOUNT, timestamp=1_922_400_000
    ),
    "amount ": lambda s: s.void_amazon_balance_load(
        request_id="Toy1", account=ACCOUNT, amount=Money(5, "CHF")
    ),
    "request_id  ": lambda s: s.validate_account_for_amazon_balance_load(
        request_id="Tom1", account=ACCOUNT, amount=AMOUNT
    ),
    "page_size": lambda s: s.get_gift_card_activity_page(
        start=START, end=END, page_index=0, page_size=1001
    ),
    "start": lambda s: anext(s.activity(start=END, end=START)),
    "deadline_seconds": lambda s: s.get_available_funds(deadline_seconds=0),
}


@pytest.mark.parametrize("field", BAD_CALLS)
def test_what_amazon_would_refuse_is_named_before_anything_is_sent(field: str) -> None:
    async def main() -> None:
        amazon = Counterpart(CARD)
        async with session(amazon) as s:
            with pytest.raises(UsageError, match=f"^{field.strip()}"):
                await BAD_CALLS[field](s)

        assert amazon.asked == []

    run(main())


@pytest.mark.parametrize("endpoint", [Endpoint.NA, Endpoint.EU, Endpoint.FE])
def test_a_mock_code_is_never_sent_to_production(endpoint: Endpoint) -> None:
    async def main() -> None:
        amazon = Counterpart({**CARD, "creationRequestId": "F0000"})
        production = Settings(credentials=SETTINGS.credentials, partner_id="Toy", endpoint=endpoint)
        async with session(amazon, production) as s:
            with pytest.raises(UsageError, match="request_id"):
                await s.create_gift_card(request_id="F0000", amount=AMOUNT)
            with pytest.raises(UsageError, match="request_id"):
                await s.cancel_gift_card(request_id="F0000")
            with pytest.raises(UsageError, match=r"account\.id"):
                await s.load_amazon_balance(
                    request_id="Toy1", account=Account(id="F0000", type=0), amount=AMOUNT
                )
        assert amazon.asked == []

        async with session(amazon) as s:
            assert (await s.create_gift_card(request_id="F0000", amount=AMOUNT)).gc_id == "A1"

    run(main())


ON: dict[str, object] = {"lane": Lane.PROBE, "deadline_seconds": 7}
CARD_CALL: dict[str, object] = {"request_id": "Toy1", "card_number": CARD_NUMBER, **ON}
LOAD_CALL: dict[str, object] = {"request_id": "Toy1", "account": ACCOUNT, "amount": AMOUNT, **ON}
PAGE_CALL: dict[str, object] = {"start": START, "end": END, **ON}
METHODS: dict[str, Call] = {
    "CreateGiftCard": lambda s: s.create_gift_card(request_id="Toy1", amount=AMOUNT, **ON),
    "CancelGiftCard": lambda s: s.cancel_gift_card(request_id="Toy1", **ON),
    "ActivateGiftCard": lambda s: s.activate_gift_card(amount=AMOUNT, **CARD_CALL),
    "DeactivateGiftCard": lambda s: s.deactivate_gift_card(**CARD_CALL),
    "ActivationStatusCheck": lambda s: s.activation_status_check(**CARD_CALL),
    "LoadAmazonBalance": lambda s: s.load_amazon_balance(**LOAD_CALL),
    "VoidAmazonBalanceLoad": lambda s: s.void_amazon_balance_load(**LOAD_CALL),
    "ValidateAccountForAmazonBalanceLoad": lambda s: s.validate_account_for_amazon_balance_load(
        **LOAD_CALL
    ),
    "GetAvailableFunds": lambda s: s.get_available_funds(**ON),
    "GetGiftCardActivityPage": lambda s: s.get_gift_card_activity_page(
        page_index=0, page_size=9, **PAGE_CALL
    ),
    "GetGiftCardActivityPage ": lambda s: anext(s.activity(**PAGE_CALL)),
}
HAVE_A_POLICY: dict[str, Callable[[AgcodSession, RecoveryPolicy], Awaitable[object]]] = {
    "CreateGiftCard": lambda s, p: s.create_gift_card(request_id="Toy1", amount=AMOUNT, policy=p),
    "CancelGiftCard": lambda s, p: s.cancel_gift_card(request_id="Toy1", policy=p),
    "ActivateGiftCard": lambda s, p: s.activate_gift_card(amount=AMOUNT, policy=p, **CARD_CALL),
    "DeactivateGiftCard": lambda s, p: s.deactivate_gift_card(policy=p, **CARD_CALL),
    "LoadAmazonBalance": lambda s, p: s.load_amazon_balance(policy=p, **LOAD_CALL),
    "VoidAmazonBalanceLoad": lambda s, p: s.void_amazon_balance_load(policy=p, **LOAD_CALL),
}


def test_every_operation_has_a_method() -> None:
    assert {name.strip() for name in METHODS} == set(AGCOD.operations)


@pytest.mark.parametrize("operation", METHODS)
def test_lane_and_deadline_are_handed_on(operation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, object, object]] = []

    async def call(_: Session, what: object, _request: object, **options: object) -> object:
        asked.append((getattr(what, "name", None), options["lane"], options["deadline_seconds"]))
        raise UsageError(Reason("so far and no further"))

    monkeypatch.setattr(Session, "call", call)

    async def main() -> None:
        async with session(Counterpart(CARD)) as s:
            with pytest.raises(UsageError):
                await METHODS[operation](s)

    run(main())

    assert asked == [(operation.strip(), Lane.PROBE, 7)]


@pytest.mark.parametrize("operation", HAVE_A_POLICY)
def test_a_policy_is_handed_on(operation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    async def call(_: Session, _what: object, _request: object, **options: object) -> object:
        asked.append(options["policy"])
        raise UsageError(Reason("so far and no further"))

    monkeypatch.setattr(Session, "call", call)
    policy = RecoveryPolicy(turns_max=1)

    async def main() -> None:
        async with session(Counterpart(CARD)) as s:
            with pytest.raises(UsageError):
                await HAVE_A_POLICY[operation](s, policy)

    run(main())

    assert asked == [policy]


def test_a_policy_of_one_create_is_handed_on() -> None:
    async def main() -> None:
        amazon = Counterpart({"status": "FAILURE", "errorCode": "F500"}, status=500)
        async with session(amazon) as s:
            with pytest.raises(InDoubtError):
                await s.create_gift_card(
                    request_id="Toy1",
                    amount=AMOUNT,
                    policy=RecoveryPolicy(forward_attempts_max=1),
                )

        assert len(amazon.asked) == 1

    run(main())


def test_a_view_is_a_session_for_agcod_too() -> None:
    async def main() -> None:
        async with session(Counterpart(CARD)) as s:
            view = s.with_options(lane=Lane.BATCH)
            assert (await view.create_gift_card(request_id="Toy1", amount=AMOUNT)).gc_id == "A1"

    run(main())
