from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agcod_async.testing import (
    AfterCancel,
    AfterUndo,
    Card,
    CardStatus,
    Ledger,
    RepeatedDeactivate,
    RepeatedLoad,
    Semantics,
    UnknownCancel,
)
from agcod_async.testing.cards import Happening, Moment
from agcod_async.testing.catalogue import Refusal
from agcod_async.values import InvalidValueError, Money

MINUTES = 60.0


def at(seconds: float) -> Moment:
    return Moment(seconds, seconds, seconds)


def ledger(after: str = "tombstone", unknown: str = "not-found", **more: Any) -> Ledger:
    semantics = Semantics(AfterCancel(after), UnknownCancel(unknown))
    return Ledger((Money(100, "USD"), Money(5000, "JPY")), semantics=semantics, **more)


def make(book: Ledger, request_id: str = "A1", amount: str = "10", currency: str = "USD") -> Card:
    card = book.create(request_id, Decimal(amount), currency, at(0))
    assert isinstance(card, Card)
    return card


def refused(answer: Card | Refusal | None) -> str:
    assert isinstance(answer, Refusal)
    return answer.error_type


def debited(book: Ledger, currency: str = "USD") -> Decimal:
    return next(b.debited for b in book.balances() if b.currency == currency)


def test_the_same_id_and_amount_answer_the_same_card_and_cost_nothing_more() -> None:
    book = ledger()
    first = make(book, amount="10")

    assert make(book, amount="10.00") == first
    assert debited(book) == 10
    assert [event.happening for event in book.history] == [Happening.CREATED]


@pytest.mark.parametrize(("amount", "currency"), [("11", "USD"), ("10", "JPY"), ("10", "EUR")])
def test_the_same_id_with_another_amount_or_currency_is_a_conflict(
    amount: str, currency: str
) -> None:
    book = ledger()
    make(book, amount="10")

    answer = book.create("A1", Decimal(amount), currency, at(1))

    assert isinstance(answer, Refusal)
    assert (answer.code, answer.error_type) == ("F200", "PreDenominationMismatch")
    assert debited(book) == 10


def test_a_create_under_a_cancelled_id_answers_the_dead_card() -> None:
    book = ledger()
    first = make(book)
    book.cancel("A1", at(1))

    again = make(book)

    assert again.status is CardStatus.DEAD
    assert again.status.value == "RefundedToPurchaser"
    assert (again.gc_id, again.claim_code) == (first.gc_id, first.claim_code)
    assert debited(book) == 0


def test_with_reissue_a_create_under_a_cancelled_id_makes_a_new_card_of_any_amount() -> None:
    book = ledger("reissue")
    first = make(book, amount="10")
    book.cancel("A1", at(1))

    second = make(book, amount="20")

    assert second.status is CardStatus.LIVE
    assert second.gc_id != first.gc_id
    assert second.claim_code != first.claim_code
    assert [card.status for card in book.cards()] == [CardStatus.DEAD, CardStatus.LIVE]
    assert debited(book) == 20


def test_a_cancel_of_an_unknown_id_is_not_found() -> None:
    book = ledger()

    assert refused(book.cancel("A1", at(0))) == "CardNotFound"
    assert make(book).status is CardStatus.LIVE


def test_a_cancel_of_an_unknown_id_may_succeed_without_effect() -> None:
    book = ledger(unknown="noop")

    assert book.cancel("A1", at(0)) is None
    assert make(book).status is CardStatus.LIVE


@pytest.mark.parametrize("after", ["tombstone", "reissue"])
def test_a_fenced_id_never_makes_a_live_card(after: str) -> None:
    book = ledger(after, "fence")

    assert book.cancel("A1", at(0)) is None
    card = make(book)

    assert card.status is CardStatus.DEAD
    assert make(book) == card
    assert book.cancel("A1", at(1)) == card
    assert debited(book) == 0


def test_a_cancel_may_arrive_until_fifteen_minutes_after_the_create() -> None:
    early, late = ledger(), ledger()
    make(early)
    make(late)

    assert isinstance(early.cancel("A1", at(15 * MINUTES)), Card)
    assert (
        refused(late.cancel("A1", at(15 * MINUTES + 0.1))) == "CancelRequestArrivedAfterTimeLimit"
    )
    assert debited(early) == 0
    assert debited(late) == 10


def test_the_cancel_window_runs_from_the_arrival_of_a_create_that_landed_late() -> None:
    book = ledger()
    landed_late = Moment(arrived_at=0, now=10 * MINUTES, wall=0)
    book.create("A1", Decimal(10), "USD", landed_late)

    assert refused(book.cancel("A1", at(16 * MINUTES))) == "CancelRequestArrivedAfterTimeLimit"


def test_a_second_cancel_succeeds_at_any_time_and_pays_back_once() -> None:
    book = ledger()
    make(book)
    book.cancel("A1", at(1))

    again = book.cancel("A1", at(20 * MINUTES))

    assert isinstance(again, Card)
    assert debited(book) == 0


def test_a_claimed_card_cannot_be_cancelled() -> None:
    book = ledger()
    make(book)

    assert book.claim("A1", at(1)) is not None
    assert refused(book.cancel("A1", at(2))) == "InvalidCardStatusForDeactivation"
    assert make(book).status is CardStatus.LIVE
    assert debited(book) == 10


def test_only_a_live_card_can_be_claimed() -> None:
    book = ledger()
    make(book)
    book.cancel("A1", at(1))

    assert book.claim("A1", at(2)) is None
    assert book.claim("A2", at(2)) is None


def test_funds_are_debited_to_the_last_cent_and_not_beyond() -> None:
    book = ledger()
    make(book, "A1", "99.99")

    assert refused(book.create("A2", Decimal("0.02"), "USD", at(1))) == "InsufficientFunds"
    assert make(book, "A3", "0.01").status is CardStatus.LIVE
    assert book.available("USD") == 0


def test_the_books_are_exact_whatever_the_callers_decimal_context() -> None:
    book = ledger()
    with localcontext(prec=2):
        make(book, "A1", "12.34")
        make(book, "A2", "0.01")
        book.cancel("A2", at(1))
        balance = book.balances()[0]

    assert (balance.debited, balance.live) == (Decimal("12.34"), Decimal("12.34"))
    assert balance.available == Decimal("87.66")


def test_a_replay_needs_no_funds() -> None:
    book = ledger()
    card = make(book, amount="100")

    assert make(book, amount="100") == card


@pytest.mark.parametrize(
    ("amount", "currency", "error_type"),
    [
        ("1", "EUR", "CurrencyCodeMismatch"),
        ("1", "usd", "CurrencyCodeMismatch"),
        ("1.5", "JPY", "FractionalAmountNotAllowed"),
        ("1.005", "USD", "FractionalAmountNotAllowed"),
        ("2000.01", "USD", "MaxAmountExceeded"),
        ("1e999999", "USD", "MaxAmountExceeded"),
    ],
)
def test_an_amount_that_no_card_can_have_is_refused(
    amount: str, currency: str, error_type: str
) -> None:
    book = ledger()

    assert refused(book.create("A1", Decimal(amount), currency, at(0))) == error_type
    assert list(book.cards()) == []


def test_the_largest_amount_can_be_chosen() -> None:
    book = ledger(amount_max=Decimal(50))

    assert refused(book.create("A1", Decimal(51), "USD", at(0))) == "MaxAmountExceeded"


def test_codes_follow_from_the_seed_and_look_like_amazons() -> None:
    first, same, other = (make(ledger(seed=seed)).claim_code.reveal() for seed in (1, 1, 2))

    assert first == same != other
    assert [len(part) for part in first.split("-")] == [4, 6, 4]


def test_codes_and_card_ids_are_never_given_twice() -> None:
    book = Ledger((Money(10_000, "USD"),))
    cards = [make(book, f"A{number}", "1") for number in range(5000)]

    assert len({card.claim_code.reveal() for card in cards}) == 5000
    assert len({card.gc_id for card in cards}) == 5000


def test_cards_expire_by_marketplace() -> None:
    book = ledger()

    assert make(book, "A1", "10", "USD").expires_at_wall is None
    assert make(book, "A2", "500", "JPY").expires_at_wall is not None


def test_semantics_can_be_named() -> None:
    assert Semantics.from_text("") == Semantics()
    assert Semantics.from_text("reissue, fence") == Semantics(
        AfterCancel.REISSUE, UnknownCancel.FENCE
    )
    assert Semantics.from_text("fence,after_deactivate=reissue, after_void = refuse") == Semantics(
        unknown_cancel=UnknownCancel.FENCE,
        after_deactivate=AfterUndo.REISSUE,
        after_void=AfterUndo.REFUSE,
    )
    assert Semantics.from_text(
        "after_cancel=reissue,repeated_deactivate=success,repeated_load=same-request"
    ) == Semantics(
        after_cancel=AfterCancel.REISSUE,
        repeated_deactivate=RepeatedDeactivate.SUCCESS,
        repeated_load=RepeatedLoad.SAME_REQUEST,
    )


@pytest.mark.parametrize(
    "text", ["reissued", "hidden", "after_void=tombstone", "after_void", "=reissue", "x=reissue"]
)
def test_semantics_that_nobody_knows_are_refused(text: str) -> None:
    with pytest.raises(InvalidValueError, match=rf"'{text}' is unknown.*tombstone.*after_void=re"):
        Semantics.from_text(text)


_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["create", "cancel", "claim"]),
        st.sampled_from(["A1", "A2", "A3"]),
        st.sampled_from(["10", "45.50", "100"]),
        st.sampled_from(["USD", "JPY"]),
        st.floats(0, 600),
    ),
    max_size=40,
)


@given(
    steps=_STEPS,
    after=st.sampled_from([choice.value for choice in AfterCancel]),
    unknown=st.sampled_from([choice.value for choice in UnknownCancel]),
)
@settings(max_examples=150, deadline=None)
def test_whatever_happens_the_funds_debited_are_the_sum_of_the_live_cards(
    steps: list[tuple[str, str, str, str, float]], after: str, unknown: str
) -> None:
    book = ledger(after, unknown)
    now = 0.0
    for what, request_id, amount, currency, seconds in steps:
        now += seconds
        if what == "create":
            book.create(request_id, Decimal(amount), currency, at(now))
        elif what == "cancel":
            book.cancel(request_id, at(now))
        else:
            book.claim(request_id, at(now))
        live = [card.request_id for card in book.cards() if card.status is CardStatus.LIVE]
        assert len(live) == len(set(live))
        if after == "tombstone":
            assert len(list(book.cards())) == len({card.request_id for card in book.cards()})
        for balance in book.balances():
            assert balance.debited == balance.live
            assert balance.available >= 0
