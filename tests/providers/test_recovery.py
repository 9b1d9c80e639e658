"""What a SUCCESS proves, and what does not make it one."""

from datetime import UTC, datetime

import pytest

from agcod_async.core.outcomes import (
    Applied,
    AppliedDead,
    Outcome,
    Reply,
    Unclear,
    Undone,
)
from agcod_async.providers.agcod.messages import AvailableFunds, Cancellation, GiftCard
from agcod_async.providers.agcod.operations import CREATE_GIFT_CARD
from agcod_async.providers.agcod.requests import create_gift_card_request
from agcod_async.values import ClaimCode, Money
from tests.providers.replies import (
    CODE,
    GC_ID,
    PARTNER,
    REQUEST_ID,
    cancel_leg,
    cancelled,
    card,
    card_info,
    create_leg,
    funds,
    funds_leg,
    reply,
    undo_leg,
)


def _card(outcome: Outcome) -> GiftCard:
    assert isinstance(outcome, Applied)
    assert isinstance(outcome.answer, GiftCard)
    return outcome.answer


def test_a_live_card_is_told_as_amazon_told_it() -> None:
    outcome = create_leg()(reply(card()))

    assert outcome == Applied(
        GiftCard(
            claim_code=ClaimCode(CODE),
            gc_id=GC_ID,
            request_id=REQUEST_ID,
            amount=Money("12.50", "USD"),
            expires_at=datetime(2035, 5, 5, 14, 59, 59, tzinfo=UTC),
            card_status="Fulfilled",
        ),
        reference=GC_ID,
    )


def test_the_mock_success_is_a_live_card_under_the_mock_id() -> None:
    request = create_gift_card_request(
        request_id="F0000",
        amount=Money(500, "JPY"),
        partner_id=PARTNER,
        mock_ids_allowed=True,
    )
    leg = CREATE_GIFT_CARD.bind(request).legs(None).forward.outcome

    outcome = leg(
        reply(
            card(
                creationRequestId="F0000",
                cardInfo=card_info(amount=500.0, currency="JPY"),
                gcExpirationDate=None,
            )
        )
    )

    assert _card(outcome).request_id == "F0000"
    assert _card(outcome).expires_at is None


@pytest.mark.parametrize("amount", ["12.5", "12.50", "12.500000", "1.25e1", '"12.50"'])
def test_an_amount_is_compared_exactly_however_it_is_written(amount: str) -> None:
    info = f'{{"cardStatus":"Fulfilled","value":{{"amount":{amount},"currencyCode":"USD"}}}}'
    whole = (
        f'{{"status":"SUCCESS","creationRequestId":"{REQUEST_ID}","gcId":"{GC_ID}",'
        f'"gcClaimCode":"{CODE}","cardInfo":{info}}}'
    )

    assert _card(create_leg()(reply(whole))).amount == Money("12.5", "USD")


def test_an_amount_that_a_float_would_round_to_the_right_one_is_another_amount() -> None:
    # As a float both are 12.5.
    whole = reply(card()).body.replace(b"12.5", b"12.500000000000000001")

    assert b"0000001" in whole
    assert isinstance(create_leg()(Reply(200, "application/json", whole)), Unclear)


@pytest.mark.parametrize(
    "changes",
    [
        {"gcExpirationDate": "one day"},
        {"gcExpirationDate": 2_062_331_999},
        {"gcExpirationDate": ["Sat"]},
        {"gcExpirationDate": ...},
        {"somethingNew": {"deep": [1, None]}},
        {"agcodResponse": None},
        {"agcodResponse": {"status": "SUCCESS"}},
        {"agcodResponse": {"status": None}},
        {"__type": "CreateGiftCardResponse:http://internal.amazon.com/coral/anything/"},
        {"errorCode": None, "errorType": None, "message": None},
    ],
)
def test_what_does_not_matter_does_not_spoil_a_card(changes: dict[str, object]) -> None:
    assert _card(create_leg()(reply(card(**changes)))).claim_code.reveal() == CODE


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", ""])
def test_the_content_type_decides_nothing(content_type: str) -> None:
    assert _card(create_leg()(reply(card(), content_type=content_type)))


def test_a_success_for_a_cancelled_card_is_a_tombstone() -> None:
    dead = card(cardInfo=card_info("RefundedToPurchaser"))

    assert isinstance(create_leg()(reply(dead)), AppliedDead)
    assert isinstance(create_leg()(reply(dead | {"gcClaimCode": None})), AppliedDead)


@pytest.mark.parametrize(
    "changes",
    [
        {"creationRequestId": "PartaOther"},
        {"cardInfo": card_info("RefundedToPurchaser", amount=13)},
    ],
)
def test_a_tombstone_of_something_else_burns_no_id(changes: dict[str, object]) -> None:
    dead = card(cardInfo=card_info("RefundedToPurchaser")) | changes

    assert isinstance(create_leg()(reply(dead)), Unclear)


@pytest.mark.parametrize(
    "changes",
    [
        {"status": ...},
        {"status": None},
        {"status": "success"},
        {"status": "PENDING"},
        {"status": True},
        {"status": ["SUCCESS"]},
        {"cardInfo": ...},
        {"cardInfo": None},
        {"cardInfo": "Fulfilled"},
        {"cardInfo": {}},
        {"cardInfo": card_info(None)},
        {"cardInfo": card_info("Expired")},
        {"cardInfo": card_info("fulfilled")},
        {"cardInfo": card_info("Fulfilled ")},
        {"cardInfo": card_info("created")},
        {"cardInfo": card_info(amount=12.51)},
        {"cardInfo": card_info(amount=-12.5)},
        {"cardInfo": card_info(amount=1250)},
        {"cardInfo": card_info(amount=None)},
        {"cardInfo": card_info(amount=True)},
        {"cardInfo": card_info(amount="NaN")},
        {"cardInfo": card_info(amount="sNaN")},
        {"cardInfo": card_info(amount="Infinity")},
        {"cardInfo": card_info(amount="twelve")},
        {"cardInfo": card_info(currency="EUR")},
        {"cardInfo": card_info(currency="usd")},
        {"cardInfo": card_info(currency=None)},
        {"cardInfo": {"cardStatus": "Fulfilled", "value": None}},
        {"cardInfo": {"cardStatus": "Fulfilled"}},
        {"creationRequestId": ...},
        {"creationRequestId": None},
        {"creationRequestId": "PartaOther"},
        {"creationRequestId": REQUEST_ID.lower()},
        {"creationRequestId": 42},
        {"gcClaimCode": ...},
        {"gcClaimCode": None},
        {"gcClaimCode": ""},
        {"gcClaimCode": "   "},
        {"gcClaimCode": 7},
        {"gcClaimCode": {"code": CODE}},
        {"gcClaimCode": "half\ud800"},
        {"gcId": ...},
        {"gcId": None},
        {"gcId": ""},
        {"gcId": "\ud800"},
        {"gcId": 5_535_125_272_070_255},
        {"errorCode": "F100"},
        {"errorType": "GeneralError"},
        {"__type": "anything#ThrottlingException"},
        {"agcodResponse": {"status": "FAILURE"}},
        {"agcodResponse": {"status": "RESEND"}},
        {"agcodResponse": "SUCCESS"},
    ],
)
def test_a_success_that_does_not_add_up_is_unclear(changes: dict[str, object]) -> None:
    assert isinstance(create_leg()(reply(card(**changes))), Unclear)


@pytest.mark.parametrize("status", [100, 302, 400, 403, 404, 429, 500, 502, 503, 504])
def test_a_success_outside_2xx_is_not_believed_on_any_leg(status: int) -> None:
    assert isinstance(create_leg()(reply(card(), status=status)), Unclear)
    assert isinstance(undo_leg()(reply(cancelled(), status=status)), Unclear)
    assert isinstance(cancel_leg()(reply(cancelled(), status=status)), Unclear)
    assert isinstance(funds_leg()(reply(funds(), status=status)), Unclear)


@pytest.mark.parametrize("changes", [{}, {"gcId": ...}, {"creationRequestId": None}])
def test_a_success_of_the_undo_means_undone(changes: dict[str, object]) -> None:
    assert isinstance(undo_leg()(reply(cancelled(**changes))), Undone)


@pytest.mark.parametrize(
    "changes",
    [
        {"creationRequestId": "PartaOther"},
        {"status": "FAILURE"},
        {"status": ...},
        {"gcId": 5},
        {"gcClaimCode": CODE},
        {"errorCode": "F500"},
        {"activationRequestId": REQUEST_ID},
        {"statusCheckRequestId": REQUEST_ID},
        {"loadBalanceRequestId": REQUEST_ID},
        {"availableFunds": {"amount": 1, "currencyCode": "USD"}},
        {"cardActivityList": []},
    ],
)
def test_a_success_of_the_undo_that_does_not_add_up_is_unclear(
    changes: dict[str, object],
) -> None:
    assert isinstance(undo_leg()(reply(cancelled(**changes))), Unclear)
    assert isinstance(cancel_leg()(reply(cancelled(**changes))), Unclear)


def test_a_cancel_that_the_caller_asked_for_is_told() -> None:
    told = Cancellation(request_id=REQUEST_ID, gc_id=GC_ID)

    assert cancel_leg()(reply(cancelled())) == Applied(told, reference=GC_ID)
    assert cancel_leg()(reply(cancelled(gcId=...))) == Applied(
        Cancellation(request_id=REQUEST_ID, gc_id=None)
    )
    assert cancel_leg()(reply(cancelled(gcId="not an id"))) == Applied(
        Cancellation(request_id=REQUEST_ID, gc_id=None)
    )


def test_the_funds_are_told_exactly() -> None:
    assert funds_leg()(reply(funds())) == Applied(
        AvailableFunds(
            amount=Money("1250.75", "EUR"), as_of=datetime(2031, 2, 3, 4, 5, 6, tzinfo=UTC)
        )
    )
    empty = funds_leg()(
        reply(funds(availableFunds={"amount": 0.0, "currencyCode": "JPY"}, timestamp="?"))
    )
    assert empty == Applied(AvailableFunds(amount=Money(0, "JPY"), as_of=None))


@pytest.mark.parametrize(
    "available",
    [
        None,
        ...,
        {},
        [],
        {"amount": 1},
        {"currencyCode": "USD"},
        {"amount": None, "currencyCode": "USD"},
        {"amount": "sNaN", "currencyCode": "USD"},
        {"amount": "1e999999999", "currencyCode": "USD"},
        {"amount": 1, "currencyCode": "dollar"},
        {"amount": 1.999, "currencyCode": "USD"},
    ],
)
def test_funds_that_are_no_amount_are_unclear(available: object) -> None:
    assert isinstance(funds_leg()(reply(funds(availableFunds=available))), Unclear)
