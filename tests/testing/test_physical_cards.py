"""Physical cards: what activating one does, what undoing it does, and what a replay hides."""

from decimal import Decimal
from typing import Any

import pytest

from agcod_async.testing import (
    AfterUndo,
    PhysicalCard,
    RepeatedDeactivate,
    Semantics,
    UnknownCancel,
    card_number,
    has_checksum,
)
from agcod_async.testing.cards import Happening
from agcod_async.values import Money
from tests.testing.requests import CARD, ID, Asker, activate, check, deactivate

OTHER_ID = "Emula0002"
OTHER_CARD = "3400000000004400617"


def activated(asker: Asker, body: bytes = activate()) -> Any:
    return asker.ask("ActivateGiftCard", body)


def undone(asker: Asker, body: bytes = deactivate()) -> Any:
    return asker.ask("DeactivateGiftCard", body)


def checked(asker: Asker, body: bytes = check()) -> Any:
    return asker.ask("ActivationStatusCheck", body)


def refused(answer: dict[str, Any]) -> tuple[str, str]:
    assert answer["agcodResponse"]["status"] == "FAILURE"
    return answer["errorCode"], answer["errorType"]


def state(asker: Asker, request_id: str = ID, card: str = CARD) -> str:
    return str(checked(asker, check(request_id, card))["cardInfo"]["cardStatus"])


def debited(asker: Asker) -> Decimal:
    balance = asker.service.ledger.balances()[0]
    assert balance.live == balance.debited
    return balance.debited


def happened(asker: Asker) -> list[Happening]:
    return [event.happening for event in asker.service.ledger.history]


def semantics(**choices: Any) -> Semantics:
    return Semantics(**choices)


def test_an_activation_debits_the_funds_until_it_is_undone() -> None:
    asker = Asker()
    info = {"cardNumber": CARD, "expirationDate": None}
    value = {"amount": Decimal("25.0"), "currencyCode": "USD"}

    assert activated(asker) == {
        "activationRequestId": ID,
        "cardInfo": {**info, "cardStatus": "Activated", "value": value},
        "status": "SUCCESS",
    }
    assert debited(asker) == 25
    assert undone(asker) == {
        "activationRequestId": ID,
        "cardInfo": {**info, "cardStatus": "AwaitingActivation", "value": value},
        "status": "SUCCESS",
    }
    assert debited(asker) == 0


def test_the_same_activation_is_answered_again_and_costs_nothing_more() -> None:
    asker = Asker()
    first = activated(asker)

    assert activated(asker, activate(amount=25.0)) == first
    assert debited(asker) == 25
    assert happened(asker) == [Happening.ACTIVATED]


def test_a_replay_hides_that_the_card_was_deactivated_and_a_status_check_does_not() -> None:
    asker = Asker()
    first = activated(asker)
    undone(asker)

    assert activated(asker) == first
    assert state(asker) == "AwaitingActivation"
    assert debited(asker) == 0


def test_an_undone_id_may_activate_again() -> None:
    asker = Asker(semantics=semantics(after_deactivate=AfterUndo.REISSUE))
    activated(asker)
    undone(asker)

    assert activated(asker, activate(amount=40))["status"] == "SUCCESS"
    assert state(asker) == "Activated"
    assert debited(asker) == 40
    assert undone(asker)["status"] == "SUCCESS"
    assert debited(asker) == 0


def test_an_undone_id_may_be_refused() -> None:
    asker = Asker(semantics=semantics(after_deactivate=AfterUndo.REFUSE))
    activated(asker)
    undone(asker)

    assert refused(activated(asker)) == ("F200", "ActivationRequestIdAlreadyBeenUsed")
    assert debited(asker) == 0


def test_a_card_is_active_under_one_id_only() -> None:
    asker = Asker()
    activated(asker)

    assert refused(activated(asker, activate(OTHER_ID))) == (
        "F200",
        "CardAlreadyActivatedWithDifferentRequestId",
    )
    assert refused(activated(asker, activate(card=OTHER_CARD))) == (
        "F200",
        "ActivationRequestIdAlreadyBeenUsed",
    )
    assert debited(asker) == 25


def test_a_deactivated_card_can_be_sold_under_another_id() -> None:
    asker = Asker()
    activated(asker)
    undone(asker)

    assert activated(asker, activate(OTHER_ID, amount=30))["status"] == "SUCCESS"

    assert state(asker, OTHER_ID) == "Activated"
    assert refused(checked(asker)) == ("F200", "WrongActivationRequestId")
    assert debited(asker) == 30


@pytest.mark.parametrize(("amount", "currency"), [(26, "USD"), (25, "EUR")])
def test_the_same_activation_for_another_amount_is_a_conflict(amount: int, currency: str) -> None:
    asker = Asker(funds=(Money(100, "USD"), Money(100, "EUR")))
    activated(asker)

    answer = activated(asker, activate(amount=amount, currency=currency))

    assert refused(answer) == ("F200", "CardActivatedWithDifferentDenomination")
    assert debited(asker) == 25


@pytest.mark.parametrize("after", AfterUndo)
def test_a_claimed_card_stays_active(after: AfterUndo) -> None:
    asker = Asker(semantics=semantics(after_deactivate=after))
    assert asker.service.ledger.physical.claim(CARD, asker.moment()) is None
    activated(asker)
    assert asker.service.ledger.physical.claim(CARD, asker.moment()) is not None

    assert refused(undone(asker)) == ("F200", "InvalidCardStatusForDeactivation")
    assert refused(activated(asker, activate(OTHER_ID))) == (
        "F200",
        "InvalidCardStatusForActivation",
    )
    assert activated(asker)["cardInfo"]["cardStatus"] == "Activated"
    assert debited(asker) == 25


def test_deactivating_once_more_is_refused_unless_it_is_told_to_succeed() -> None:
    strict = Asker()
    lenient = Asker(semantics=semantics(repeated_deactivate=RepeatedDeactivate.SUCCESS))
    for asker in (strict, lenient):
        activated(asker)
        undone(asker)

    assert refused(undone(strict)) == ("F200", "InvalidCardStatusForDeactivation")
    assert undone(lenient)["cardInfo"]["cardStatus"] == "AwaitingActivation"
    assert happened(strict) == happened(lenient) == [Happening.ACTIVATED, Happening.DEACTIVATED]


@pytest.mark.parametrize("ask", [undone, checked])
def test_ids_and_cards_that_do_not_belong_together_are_told_apart(ask: Any) -> None:
    asker = Asker()
    activated(asker)
    build = deactivate if ask is undone else check

    assert refused(ask(asker, build(OTHER_ID))) == ("F200", "NonExistingActivationRequestId")
    assert refused(ask(asker, build(ID, OTHER_CARD))) == ("F200", "WrongActivationRequestId")
    assert debited(asker) == 25


def test_undoing_an_unknown_id_may_succeed_without_effect() -> None:
    asker = Asker(semantics=semantics(unknown_cancel=UnknownCancel.NOOP))

    assert undone(asker)["status"] == "SUCCESS"
    assert activated(asker)["status"] == "SUCCESS"
    assert (state(asker), debited(asker)) == ("Activated", 25)


@pytest.mark.parametrize(
    ("after", "is_success"),
    [(AfterUndo.HIDDEN, True), (AfterUndo.REISSUE, False), (AfterUndo.REFUSE, False)],
)
def test_a_fenced_id_never_activates_a_card(after: AfterUndo, *, is_success: bool) -> None:
    choices = semantics(unknown_cancel=UnknownCancel.FENCE, after_deactivate=after)
    asker = Asker(semantics=choices)
    assert undone(asker)["status"] == "SUCCESS"

    first, second = activated(asker), activated(asker)

    assert first == second
    assert ("errorCode" not in first) is is_success
    assert (state(asker), debited(asker)) == ("AwaitingActivation", 0)
    assert happened(asker) == [Happening.FENCED]


def test_a_card_is_worth_what_it_was_made_for() -> None:
    asker = Asker(physical_cards=(PhysicalCard(CARD, Money(50, "USD")),))

    assert refused(activated(asker)) == ("F200", "PreDenominationMismatch")
    assert activated(asker, activate(amount=50))["status"] == "SUCCESS"
    assert activated(asker, activate(OTHER_ID, OTHER_CARD))["status"] == "SUCCESS"


def test_an_invalid_card_cannot_be_activated() -> None:
    asker = Asker(physical_cards=(PhysicalCard(CARD, is_invalid=True),))

    assert refused(activated(asker)) == ("F200", "InvalidCardStatusForActivation")
    assert debited(asker) == 0


def test_only_registered_cards_exist_where_that_is_asked_for() -> None:
    asker = Asker(physical_cards=(PhysicalCard(CARD),), other_physical_cards=False)
    activated(asker)

    for answer in (
        activated(asker, activate(OTHER_ID, OTHER_CARD)),
        undone(asker, deactivate(ID, OTHER_CARD)),
        checked(asker, check(ID, OTHER_CARD)),
    ):
        assert refused(answer) == ("F200", "CardNumberNotFound")
    assert debited(asker) == 25


@pytest.mark.parametrize(
    ("body", "code", "error_type"),
    [
        (activate(card=None), "F200", "InvalidCardNumberInput"),
        (activate(card=""), "F200", "InvalidCardNumberInput"),
        (activate(card=CARD[:-1]), "F200", "CardNumberTooShort"),
        (activate(card=CARD + "0"), "F200", "CardNumberCheckSumError"),
        (activate(card=CARD[:-1] + "x"), "F200", "CardNumberCheckSumError"),
        (activate(card=CARD[:-1] + "\N{FULLWIDTH DIGIT ONE}"), "F200", "CardNumberCheckSumError"),
        (activate(None), "F200", "InvalidRequestIdInput"),
        (activate("Other1"), "F200", "RequestIdMustStartWithPartnerName"),
        (activate("Emula" + "1" * 36), "F200", "RequestIdTooLong"),
        (activate(partnerId="Other"), "F300", "InvalidPartnerId"),
        (activate(amount=None), "F200", "InvalidAmountInput"),
        (activate(amount=0), "F200", "InvalidAmountValue"),
        (activate(amount=-1), "F200", "NegativeOrZeroAmount"),
        (activate(currency=None), "F200", "InvalidCurrencyCodeInput"),
        (activate(currency="EUR"), "F200", "CurrencyCodeMismatch"),
        (activate(amount=2000.01), "F200", "MaxAmountExceeded"),
        (activate(amount=1.001), "F200", "FractionalAmountNotAllowed"),
        (activate(amount=101), "F300", "InsufficientFunds"),
        (activate(transactionSource={"id": "no json"}), "F300", "BadInput"),
        (activate(transactionSource={"id": "[]"}), "F300", "BadInput"),
        (activate(TransactionSource={}), "F500", "GeneralError"),
    ],
)
def test_an_activation_that_breaks_a_rule_is_refused_and_costs_nothing(
    body: bytes, code: str, error_type: str
) -> None:
    asker = Asker(funds=(Money(100, "USD"),))

    assert refused(activated(asker, body)) == (code, error_type)
    assert happened(asker) == []


def test_the_till_is_named_in_a_text_of_its_own() -> None:
    asker = Asker()
    till = {"id": '{"institutionId" : "1010101010" , "sourceId" : "01010101010101"}'}

    assert list(activated(asker, activate(transactionSource=till["id"]))) == ["Message"]
    assert activated(asker, activate(transactionSource=till))["status"] == "SUCCESS"


def test_a_checksum_is_checked_only_by_whoever_knows_one() -> None:
    asker = Asker(card_checksum=has_checksum)
    sound = card_number(340)

    assert (len(sound), sound[:16]) == (19, "0000000000000340")
    assert activated(asker, activate(card=sound))["status"] == "SUCCESS"
    wrong = sound.replace("3", "4", 1)
    assert refused(activated(asker, activate(OTHER_ID, wrong))) == (
        "F200",
        "CardNumberCheckSumError",
    )
    swapped = sound.replace("34", "43", 1)
    assert not has_checksum(swapped)


def test_an_error_is_answered_in_the_shape_of_the_operation() -> None:
    answer = checked(Asker())

    assert answer["agcodResponse"] == {
        "__type": "ActivationStatusCheckResponse:http://internal.amazon.com/coral/"
        "com.amazonaws.agcod/",
        "cardInfo": None,
        "status": "FAILURE",
        "statusCheckRequestId": ID,
    }


@pytest.mark.parametrize(
    ("operation", "body", "card_status"),
    [
        ("ActivateGiftCard", activate("F0000"), "Activated"),
        ("DeactivateGiftCard", deactivate("F0000"), "AwaitingActivation"),
        ("ActivationStatusCheck", check("F0000"), "Activated"),
    ],
)
def test_a_mocked_success_moves_no_money(operation: str, body: bytes, card_status: str) -> None:
    asker = Asker()

    answer = asker.ask(operation, body)

    assert answer["status"] == "SUCCESS"
    assert answer["cardInfo"]["cardStatus"] == card_status
    assert happened(asker) == []
