import re
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agcod_async.providers.agcod.codec import encode
from agcod_async.providers.agcod.messages import CreateGiftCardRequest, TransactionSource
from agcod_async.providers.agcod.operations import (
    AGCOD,
    CANCEL_GIFT_CARD,
    CREATE_GIFT_CARD,
    GET_AVAILABLE_FUNDS,
)
from agcod_async.providers.agcod.requests import (
    cancel_gift_card_request,
    create_gift_card_request,
    get_available_funds_request,
)
from agcod_async.values import CURRENCY_EXPONENTS, InvalidValueError, Money, RequestId
from tests.providers.replies import PARTNER, REQUEST_ID

_AMOUNT = Money("12.50", "USD")


def _create(
    request_id: str = REQUEST_ID,
    amount: Money = _AMOUNT,
    *,
    mock_ids_allowed: bool = False,
    **optional: object,
) -> CreateGiftCardRequest:
    return create_gift_card_request(
        request_id=request_id,
        amount=amount,
        partner_id=PARTNER,
        mock_ids_allowed=mock_ids_allowed,
        **optional,
    )


def test_a_create_is_sent_as_these_bytes() -> None:
    assert encode(_create()) == (
        b'{"creationRequestId":"PartaOrder0042","partnerId":"Parta",'
        b'"value":{"currencyCode":"USD","amount":12.50}}'
    )


def test_a_create_with_everything_is_sent_as_these_bytes() -> None:
    request = _create(
        amount=Money(3000, "JPY"),
        program_id="Spring31",
        product_type="bookPV",
        external_reference='order "7" for Ærø',
        transaction_source=TransactionSource(
            source_id="till 4", institution_id="shop 9", source_details='{"floor":2}'
        ),
    )

    assert encode(request).decode() == (
        '{"creationRequestId":"PartaOrder0042","partnerId":"Parta",'
        '"value":{"currencyCode":"JPY","amount":3000},"programId":"Spring31",'
        '"productType":"bookPV","externalReference":"order \\"7\\" for Ærø",'
        '"transactionSource":{"sourceId":"till 4","institutionId":"shop 9",'
        '"sourceDetails":"{\\"floor\\":2}"}}'
    )


def test_a_cancel_and_a_look_at_the_funds_are_sent_as_these_bytes() -> None:
    cancel = cancel_gift_card_request(
        request_id=REQUEST_ID, partner_id=PARTNER, mock_ids_allowed=False, gc_id="A1B2"
    )
    funds = get_available_funds_request(partner_id=PARTNER)

    assert (
        encode(cancel)
        == b'{"creationRequestId":"PartaOrder0042","partnerId":"Parta","gcId":"A1B2"}'
    )
    assert encode(funds) == b'{"partnerId":"Parta"}'


@pytest.mark.parametrize("written", [10, "10", "10.0", "10.00", Decimal("1E+1"), "010"])
def test_the_same_amount_is_sent_as_the_same_bytes_however_it_is_written(
    written: Decimal | int | str,
) -> None:
    assert encode(_create(amount=Money(written, "EUR"))) == encode(
        _create(amount=Money("10.00", "EUR"))
    )


@given(
    currency=st.sampled_from(sorted(CURRENCY_EXPONENTS)),
    units=st.integers(min_value=1, max_value=10**9),
    reference=st.none() | st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), min_size=1),
)
@settings(deadline=None)
def test_a_request_that_a_journal_has_kept_is_sent_again_as_the_same_bytes(
    currency: str, units: int, reference: str | None
) -> None:
    amount = Money(Decimal(units).scaleb(-CURRENCY_EXPONENTS[currency]), currency)
    request = _create(amount=amount, external_reference=reference and reference[:100])
    intent = CREATE_GIFT_CARD.bind(request)

    again = AGCOD.operations["CreateGiftCard"].rebind(intent.body)

    assert again is not None
    assert again.body == intent.body
    assert again.amount == amount
    assert again.legs(None).forward.body == intent.body
    assert b"E" not in intent.body.split(b'"amount":')[1].split(b"}")[0]


def test_a_request_under_a_successor_differs_in_the_id_alone() -> None:
    intent = CREATE_GIFT_CARD.bind(_create(external_reference="order 7"))

    legs = intent.legs(RequestId("PartaNext"))

    assert legs.forward.body == intent.body.replace(REQUEST_ID.encode(), b"PartaNext")
    assert legs.undo is not None
    assert legs.undo.body == b'{"creationRequestId":"PartaNext","partnerId":"Parta"}'


@pytest.mark.parametrize(
    ("optional", "field", "limit"),
    [
        ({"program_id": "a" * 101}, "program_id", "100"),
        ({"program_id": "a-b"}, "program_id", "letters and digits"),
        ({"program_id": "é"}, "program_id", "letters and digits"),
        ({"program_id": ""}, "program_id", "100"),
        ({"product_type": "a" * 51}, "product_type", "50"),
        ({"product_type": "book PV"}, "product_type", "letters and digits"),
        ({"external_reference": "é" * 101}, "external_reference", "100"),
        ({"external_reference": ""}, "external_reference", "100"),
        ({"external_reference": "a\ud800"}, "external_reference", "Unicode"),
        ({"external_reference": "a\0"}, "external_reference", "XML can carry"),
        ({"external_reference": "\uffff"}, "external_reference", "XML can carry"),
        (
            {"transaction_source": TransactionSource(source_id="s" * 41)},
            "transaction_source.source_id",
            "40",
        ),
        ({"transaction_source": TransactionSource()}, "transaction_source", "one field"),
        (
            {"transaction_source": TransactionSource(source_id="s", institution_id="")},
            "transaction_source.institution_id",
            "1 to",
        ),
        (
            {"transaction_source": TransactionSource(source_details="\udfff")},
            "transaction_source.source_details",
            "Unicode",
        ),
    ],
)
def test_what_breaks_a_documented_limit_is_refused_by_name_before_it_is_sent(
    optional: dict[str, object], field: str, limit: str
) -> None:
    with pytest.raises(InvalidValueError, match=re.escape(limit)) as caught:
        _create(**optional)

    assert caught.value.field == field


def test_what_just_fits_the_documented_limits_is_sent() -> None:
    request = _create(
        request_id="Parta" + "9" * 35,
        program_id="p" * 100,
        product_type="t" * 50,
        external_reference="é" * 100,
        transaction_source=TransactionSource(source_id="ü" * 40),
    )

    assert len(encode(request)) > 400


@pytest.mark.parametrize("amount", ["0", "-0.01", "-5"])
def test_an_amount_that_is_not_above_zero_is_refused(amount: str) -> None:
    with pytest.raises(InvalidValueError, match="more than zero") as caught:
        _create(amount=Money(amount, "USD"))

    assert caught.value.field == "amount"


@pytest.mark.parametrize("request_id", ["parta1", "Other1", "F0000", "Part"])
def test_an_id_that_does_not_begin_with_the_partner_id_is_refused(request_id: str) -> None:
    with pytest.raises(InvalidValueError, match="partner ID"):
        _create(request_id)
    with pytest.raises(InvalidValueError, match="partner ID"):
        cancel_gift_card_request(request_id=request_id, partner_id=PARTNER, mock_ids_allowed=False)


def test_a_mock_id_may_be_sent_where_mock_ids_are_allowed_and_nowhere_else() -> None:
    allowed = _create("F2008", mock_ids_allowed=True)
    cancel = cancel_gift_card_request(request_id="F0000", partner_id=PARTNER, mock_ids_allowed=True)

    assert encode(allowed).startswith(b'{"creationRequestId":"F2008","partnerId":"Parta"')
    assert encode(cancel) == b'{"creationRequestId":"F0000","partnerId":"Parta"}'
    with pytest.raises(InvalidValueError):
        _create("F20080", mock_ids_allowed=True)


@pytest.mark.parametrize("gc_id", ["", "a b", "a\n", "é", "9" * 101])
def test_a_gc_id_that_amazon_cannot_have_given_is_refused(gc_id: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        cancel_gift_card_request(
            request_id=REQUEST_ID, partner_id=PARTNER, mock_ids_allowed=False, gc_id=gc_id
        )

    assert caught.value.field == "gc_id"


@pytest.mark.parametrize("partner_id", ["", "Par ta", "P" * 21])
def test_a_partner_id_that_is_none_is_refused_everywhere(partner_id: str) -> None:
    with pytest.raises(InvalidValueError, match="partner_id"):
        get_available_funds_request(partner_id=partner_id)
    with pytest.raises(InvalidValueError, match="partner_id"):
        create_gift_card_request(
            request_id=REQUEST_ID,
            amount=Money(5, "USD"),
            partner_id=partner_id,
            mock_ids_allowed=True,
        )


def test_an_unknown_currency_is_sent() -> None:
    request = _create(amount=Money("12.5", "CHF"))

    assert encode(request).endswith(b'"value":{"currencyCode":"CHF","amount":12.5}}')


def test_how_each_operation_is_undone_and_limited_is_data() -> None:
    create = CREATE_GIFT_CARD.bind(_create())
    cancel = CANCEL_GIFT_CARD.bind(
        cancel_gift_card_request(request_id=REQUEST_ID, partner_id=PARTNER, mock_ids_allowed=False)
    )
    funds = GET_AVAILABLE_FUNDS.bind(get_available_funds_request(partner_id=PARTNER))

    assert (create.request_id, create.amount) == (REQUEST_ID, Money("12.50", "USD"))
    assert create.undo_window_seconds == 870
    undo = create.legs(None).undo
    assert undo is not None
    assert (undo.operation, undo.body) == ("CancelGiftCard", cancel.body)
    assert (cancel.request_id, cancel.amount, cancel.read_only) == (REQUEST_ID, None, False)
    assert (cancel.undo_window_seconds, cancel.legs(None).undo) == (None, None)
    assert (funds.request_id, funds.amount, funds.read_only) == (None, None, True)
    assert funds.legs(None).forward.body == b'{"partnerId":"Parta"}'
    assert AGCOD.sub_limits == {"GetAvailableFunds": 1.0, "GetGiftCardActivityPage": 1 / 60}
    assert AGCOD.signing_service == "AGCODService"
    assert AGCOD.target_prefix == "com.amazonaws.agcod.AGCODService"


def test_a_cancel_under_another_id_differs_in_the_id_alone() -> None:
    cancel = cancel_gift_card_request(
        request_id=REQUEST_ID, partner_id=PARTNER, mock_ids_allowed=False, gc_id="A1B2"
    )

    forward = CANCEL_GIFT_CARD.bind(cancel).legs(RequestId("PartaNext")).forward

    assert forward.body == b'{"creationRequestId":"PartaNext","partnerId":"Parta","gcId":"A1B2"}'
    again = AGCOD.operations["CancelGiftCard"].rebind(forward.body)
    assert again is not None
    assert (again.request_id, again.body) == ("PartaNext", forward.body)


def test_what_is_no_request_is_not_taken_from_a_journal() -> None:
    for body in (b"", b"{}", b'{"creationRequestId":5}', b'{"creationRequestId":"a b"}'):
        with pytest.raises(ValueError, match=r"."):
            AGCOD.operations["CreateGiftCard"].rebind(body)
