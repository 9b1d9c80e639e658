"""Balance loads: what one does, what taking it back does, and what a replay hides."""

from decimal import Decimal
from typing import Any

import pytest

from agcod_async.testing import (
    AccountStatus,
    AfterUndo,
    CustomerAccount,
    LoadStatus,
    RepeatedLoad,
    Semantics,
    UnknownCancel,
)
from agcod_async.testing.balance_errors import BALANCE_REFUSALS
from agcod_async.testing.cards import Happening
from agcod_async.values import Money
from tests.testing.requests import ID, Asker, load

OPERATIONS = (
    "LoadAmazonBalance",
    "VoidAmazonBalanceLoad",
    "ValidateAccountForAmazonBalanceLoad",
)
MINUTES = 60.0


def loaded(asker: Asker, body: bytes = load()) -> Any:
    return asker.ask("LoadAmazonBalance", body)


def voided(asker: Asker, body: bytes = load()) -> Any:
    return asker.ask("VoidAmazonBalanceLoad", body)


def validated(asker: Asker, body: bytes = load()) -> Any:
    return asker.ask("ValidateAccountForAmazonBalanceLoad", body)


def refused(answer: dict[str, Any]) -> tuple[str, str]:
    assert list(answer) == ["errorCode", "errorMessage", "errorType", "status"]
    assert answer["status"] == "FAILURE"
    return answer["errorCode"], answer["errorType"]


def debited(asker: Asker) -> Decimal:
    balance = asker.service.ledger.balances()[0]
    assert balance.live == balance.debited
    return balance.debited


def status(asker: Asker) -> LoadStatus | None:
    found = asker.service.ledger.balance.load_under(ID)
    return None if found is None else found.status


def happened(asker: Asker) -> list[Happening]:
    return [event.happening for event in asker.service.ledger.history]


def test_a_load_counts_minor_units_and_debits_the_funds_until_it_is_void() -> None:
    asker = Asker()
    answer = {
        "amount": {"currencyCode": "USD", "value": 4570},
        "loadBalanceRequestId": ID,
        "status": "SUCCESS",
    }

    assert loaded(asker, load(value=4570)) == answer
    assert debited(asker) == Decimal("45.70")
    assert voided(asker, load(value=4570)) == answer
    assert debited(asker) == 0


def test_a_yen_has_no_smaller_unit() -> None:
    asker = Asker(funds=(Money(10_000, "JPY"),))

    loaded(asker, load(value=4570, currency="JPY"))

    assert debited(asker) == 4570


def test_the_same_load_is_answered_again_and_costs_nothing_more() -> None:
    asker = Asker()
    first = loaded(asker, load(timestamp=1464933146000))

    assert loaded(asker, load(timestamp=1464933147000, notificationDetails="Hello")) == first
    assert debited(asker) == 25
    assert happened(asker) == [Happening.LOADED]


@pytest.mark.parametrize(
    "other", [load(value=2501), load(currency="EUR"), load(account="B"), load(kind=2)]
)
def test_another_load_under_the_same_id_is_refused(other: bytes) -> None:
    asker = Asker(funds=(Money(100, "USD"), Money(100, "EUR")))
    loaded(asker)

    assert refused(loaded(asker, other)) == ("F200", "LoadBalanceRequestIdAlreadyUsed")
    assert debited(asker) == 25


def test_which_load_is_the_same_can_be_chosen() -> None:
    whole = Asker(semantics=Semantics(repeated_load=RepeatedLoad.SAME_REQUEST))
    never = Asker(semantics=Semantics(repeated_load=RepeatedLoad.NONE))
    for asker in (whole, never):
        loaded(asker, load(timestamp=1))

    assert loaded(whole, load(timestamp=1))["status"] == "SUCCESS"
    for answer in (loaded(whole, load(timestamp=2)), loaded(never, load(timestamp=1))):
        assert refused(answer) == ("F200", "LoadBalanceRequestIdAlreadyUsed")
    assert debited(whole) == debited(never) == 25


def test_a_replay_hides_that_the_load_is_void() -> None:
    asker = Asker()
    first = loaded(asker)
    voided(asker)

    assert loaded(asker) == first
    assert status(asker) is LoadStatus.VOID
    assert debited(asker) == 0


def test_a_void_id_may_load_again() -> None:
    asker = Asker(semantics=Semantics(after_void=AfterUndo.REISSUE))
    loaded(asker)
    voided(asker)

    assert loaded(asker, load(value=3000))["status"] == "SUCCESS"
    assert status(asker) is LoadStatus.EFFECTIVE
    assert debited(asker) == 30


def test_a_void_id_may_be_refused() -> None:
    asker = Asker(semantics=Semantics(after_void=AfterUndo.REFUSE))
    loaded(asker)
    voided(asker)

    assert refused(loaded(asker)) == ("F200", "LoadBalanceRequestIdAlreadyUsed")
    assert debited(asker) == 0


@pytest.mark.parametrize(
    "other", [load(value=2501), load(currency="EUR"), load(account="B"), load(kind=2)]
)
def test_a_void_must_name_the_account_and_the_amount_of_the_load(other: bytes) -> None:
    asker = Asker()
    loaded(asker)

    assert refused(voided(asker, other)) == ("F200", "RequestMismatchFromLoadRequest")
    assert debited(asker) == 25


def test_a_second_void_succeeds_at_any_time_and_pays_back_once() -> None:
    asker = Asker()
    loaded(asker)
    first = voided(asker)
    asker.pass_time(20 * MINUTES)

    assert voided(asker) == first
    assert happened(asker) == [Happening.LOADED, Happening.VOIDED]


@pytest.mark.parametrize("if_used", [False, None, True])
def test_what_the_customer_has_spent_is_taken_back_only_on_demand(*, if_used: bool | None) -> None:
    asker = Asker()
    assert asker.service.ledger.balance.spend(ID, asker.moment()) is None
    loaded(asker)
    assert asker.service.ledger.balance.spend(ID, asker.moment()) is not None

    answer = voided(asker, load() if if_used is None else load(voidIfUsed=if_used))

    if if_used:
        assert answer["status"] == "SUCCESS"
        assert debited(asker) == 0
    else:
        assert refused(answer) == ("F200", "BalanceLoadCannotBeVoided")
        assert answer["errorMessage"] == BALANCE_REFUSALS["F2041"].message
        assert debited(asker) == 25


def test_what_is_void_cannot_be_spent() -> None:
    asker = Asker()
    loaded(asker)
    voided(asker)

    assert asker.service.ledger.balance.spend(ID, asker.moment()) is None


def test_a_void_may_arrive_as_long_as_it_is_told() -> None:
    usual, short = Asker(), Asker(void_window_seconds=10)
    for asker, seconds in ((usual, 15 * MINUTES), (short, 10)):
        loaded(asker)
        loaded(asker, load("Emula0002"))
        asker.pass_time(seconds)
        assert voided(asker)["status"] == "SUCCESS"
        asker.pass_time(0.1)
        late = voided(asker, load("Emula0002"))
        assert refused(late) == ("F200", "BalanceLoadCannotBeVoided")
        assert late["errorMessage"] == BALANCE_REFUSALS["F2045"].message
        assert debited(asker) == 25


def test_a_void_of_an_unknown_id_is_refused() -> None:
    asker = Asker()

    assert refused(voided(asker)) == ("F200", "LoadBalanceRequestIdDoesNotExist")
    assert loaded(asker)["status"] == "SUCCESS"


def test_a_void_of_an_unknown_id_may_succeed_without_effect() -> None:
    asker = Asker(semantics=Semantics(unknown_cancel=UnknownCancel.NOOP))

    assert voided(asker)["status"] == "SUCCESS"
    assert loaded(asker)["status"] == "SUCCESS"
    assert debited(asker) == 25


@pytest.mark.parametrize(
    ("after", "is_success"),
    [(AfterUndo.HIDDEN, True), (AfterUndo.REISSUE, False), (AfterUndo.REFUSE, False)],
)
def test_a_fenced_id_never_loads_anything(after: AfterUndo, *, is_success: bool) -> None:
    choices = Semantics(unknown_cancel=UnknownCancel.FENCE, after_void=after)
    asker = Asker(semantics=choices)
    assert voided(asker)["status"] == "SUCCESS"

    first, second = loaded(asker), loaded(asker)

    assert first == second
    assert (first["status"] == "SUCCESS") is is_success
    assert (status(asker), debited(asker)) == (LoadStatus.VOID, 0)
    assert happened(asker) == [Happening.FENCED]


@pytest.mark.parametrize(
    ("account", "code", "error_type"),
    [
        (CustomerAccount("A", 1, AccountStatus.DEACTIVATED), "F200", "AccountIdNotInValidStatus"),
        (CustomerAccount("A", 1, AccountStatus.BLOCKED), "F300", "CustomerAccountBlocked"),
        (
            CustomerAccount("A", 1, AccountStatus.OVER_DAILY_LIMIT),
            "F300",
            "CustomerSurpassedDailyVelocityLimit",
        ),
        (CustomerAccount("A", 1, currency="EUR"), "F200", "InvalidCurrencyInMarketplace"),
    ],
)
def test_not_every_account_can_be_loaded(
    account: CustomerAccount, code: str, error_type: str
) -> None:
    asker = Asker(accounts=(account,))

    for ask in (loaded, validated):
        assert refused(ask(asker, load(account="A"))) == (code, error_type)
    assert loaded(asker, load(account="A", kind=2))["status"] == "SUCCESS"
    assert loaded(asker, load("Emula0002", account="B"))["status"] == "SUCCESS"


def test_only_registered_accounts_and_types_exist_where_that_is_asked_for() -> None:
    asker = Asker(
        accounts=(CustomerAccount("A", 1),), other_accounts=False, account_types=frozenset({1, 2})
    )

    assert validated(asker, load(account="A"))["status"] == "SUCCESS"
    assert refused(loaded(asker, load(account="A", kind=2))) == ("F200", "UndefinedAccountId")
    assert refused(loaded(asker, load(account="A", kind=3))) == ("F200", "InvalidAccountType")
    assert debited(asker) == 0


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    ("body", "code", "error_type"),
    [
        (load(partnerId=None), "F200", "InvalidPartnerIdInput"),
        (load(partnerId="Other"), "F300", "InvalidPartnerId"),
        (load("Other1"), "F200", "RequestIdMustStartWithPartnerName"),
        (load("Emula" + "1" * 36), "F200", "RequestIdTooLong"),
        (load(""), "F200", "InvalidRequestIdInput"),
        (load(value=None), "F200", "InvalidAmountInput"),
        (load(amount=None), "F200", "InvalidAmountInput"),
        (load(value=0), "F200", "InvalidAmountValue"),
        (load(value=-5), "F200", "InvalidAmountValue"),
        (load(currency=None), "F200", "InvalidCurrencyCodeInput"),
        (load(kind=None), "F200", "InvalidAccountType"),
        (load(account=None), "F200", "UndefinedAccountId"),
        (load(account=""), "F200", "UndefinedAccountId"),
        (load(externalReference="x" * 101), "F200", "ExternalReferenceTooLong"),
        (load(notificationDetails="ü" * 251), "F200", "NotificationMessageTooLong"),
        (load(transactionSource={"sourceId": "1" * 41}), "F200", "SourceIdTooLong"),
        (load(Account={}), "F500", "GeneralError"),
        (b"", "F200", "InvalidRequestInput"),
    ],
)
def test_a_request_that_breaks_a_rule_is_refused(
    operation: str, body: bytes, code: str, error_type: str
) -> None:
    asker = Asker()

    answer = asker.ask(operation, body)

    assert refused(answer) == (code, error_type)
    assert happened(asker) == []


@pytest.mark.parametrize(
    ("body", "code", "error_type"),
    [
        (load(kind=-1), "F200", "InvalidAccountType"),
        (load(currency="EUR"), "F200", "InvalidCurrencyInMarketplace"),
        (load(value=25.5), "F200", "FractionalAmountNotAllowed"),
        (load(value=50_001), "F200", "MaxAmountExceeded"),
        (load(value=99), "F200", "AmountBelowMinThreshold"),
    ],
)
def test_an_amount_that_no_load_can_have_is_refused_by_load_and_validation(
    body: bytes, code: str, error_type: str
) -> None:
    asker = Asker(load_amount_min=Decimal(1))

    for ask in (loaded, validated):
        assert refused(ask(asker, body)) == (code, error_type)


def test_limits_are_not_one_too_low() -> None:
    asker = Asker(load_amount_min=Decimal(1))

    for body in (
        load("Emula1", 100),
        load("Emula2", 50_000),
        load("Emula3", externalReference="x" * 100, notificationDetails="ü" * 250),
        load("Emula4", transactionSource={"sourceId": "1" * 40, "sourceDetails": {"Phone": "1"}}),
        load("Emula" + "5" * 35, transactionSource={"institutionId": "A", "sourceDetails": "{}"}),
    ):
        assert loaded(asker, body)["status"] == "SUCCESS"
    assert loaded(Asker(load_amount_max=Decimal(600)), load(value=60_000))["status"] == "SUCCESS"


def test_funds_are_debited_to_the_last_cent_and_not_beyond() -> None:
    asker = Asker(funds=(Money("25.00", "USD"),))

    assert refused(loaded(asker, load(value=2501))) == ("F300", "InsufficientFunds")
    assert loaded(asker, load(value=2500))["status"] == "SUCCESS"
    assert loaded(asker, load(value=2500))["status"] == "SUCCESS"  # a replay needs no funds


def test_a_validation_loads_nothing_and_needs_neither_funds_nor_an_id() -> None:
    asker = Asker(funds=(Money(1, "USD"),))

    assert validated(asker) == {
        "amount": {"currencyCode": "USD", "value": 2500},
        "loadBalanceRequestId": ID,
        "status": "SUCCESS",
    }
    assert validated(asker, load(None))["loadBalanceRequestId"] is None
    assert happened(asker) == []


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_partner_that_may_not_load_balances_is_told_so(operation: str) -> None:
    asker = Asker(disabled_operations=frozenset({operation}))

    assert refused(asker.ask(operation, load())) == ("F300", "OperationNotPermitted")
    assert refused(asker.ask(operation, load(partnerId="Other")))[1] == "InvalidPartnerId"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_f400_has_its_status_at_the_top_level(operation: str) -> None:
    reply = Asker().reply(operation, load(account="F4000", kind=0))

    assert reply.status == 400
    assert b'"status":"RESEND"' in reply.body
    assert b"agcodResponse" not in reply.body


@pytest.mark.parametrize("operation", OPERATIONS)
def test_mock_codes_are_put_in_the_account_of_type_zero_and_nowhere_else(operation: str) -> None:
    asker = Asker()

    mocked = asker.ask(operation, load("Emula1", account="F2034", kind=0))
    assert refused(mocked) == ("F200", "UndefinedAccountId")
    assert asker.ask(operation, load("any ID", account="F0000", kind=0))["status"] == "SUCCESS"
    assert happened(asker) == []

    real = Asker(accounts=(CustomerAccount("F2034", 1, AccountStatus.BLOCKED),))
    validation = validated(real, load(account="F2034", kind=1))
    assert refused(validation) == ("F300", "CustomerAccountBlocked")
    for in_the_wrong_place in (load("F2034"), load("F0000", kind=0)):
        answer = asker.ask(operation, in_the_wrong_place)
        assert refused(answer) == ("F200", "RequestIdMustStartWithPartnerName")
    off = Asker(mock_codes=False).ask(operation, load(account="F5000", kind=0))
    assert off.get("errorCode") != "F500"


def test_a_mocked_amount_may_be_anything() -> None:
    asker = Asker()
    for value in (0, -1, 1.5, 1e300):
        assert loaded(asker, load(value=value, account="F0000", kind=0))["status"] == "SUCCESS"
    assert loaded(asker, load(amount=None, account="F0000", kind=0))["amount"] is None
