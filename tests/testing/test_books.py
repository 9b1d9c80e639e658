"""Whatever is asked for, in whatever format, with whatever faults: the books are right."""

from decimal import Decimal
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from agcod_async.testing import (
    ActivationStatus,
    AfterCancel,
    AfterUndo,
    CardStatus,
    FaultKind,
    FaultMix,
    FaultScript,
    Ledger,
    LoadStatus,
    RepeatedDeactivate,
    RepeatedLoad,
    Semantics,
    UnknownCancel,
)
from agcod_async.testing.cards import Happening
from agcod_async.values import Money
from tests.testing.requests import (
    CARD,
    JSON,
    XML,
    Asker,
    activate,
    as_xml,
    cancel,
    check,
    create,
    deactivate,
    load,
)

CARDS = (CARD, "3400000000004400617")
SPENDS = {Happening.CREATED, Happening.ACTIVATED, Happening.LOADED}
PAYS_BACK = {Happening.CANCELLED, Happening.DEACTIVATED, Happening.VOIDED}

_SEMANTICS = st.builds(
    Semantics,
    after_cancel=st.sampled_from(AfterCancel),
    unknown_cancel=st.sampled_from(UnknownCancel),
    after_deactivate=st.sampled_from(AfterUndo),
    repeated_deactivate=st.sampled_from(RepeatedDeactivate),
    after_void=st.sampled_from(AfterUndo),
    repeated_load=st.sampled_from(RepeatedLoad),
)

_STEP = st.tuples(
    st.sampled_from(
        [
            "CreateGiftCard",
            "CancelGiftCard",
            "ActivateGiftCard",
            "DeactivateGiftCard",
            "ActivationStatusCheck",
            "LoadAmazonBalance",
            "VoidAmazonBalanceLoad",
            "ValidateAccountForAmazonBalanceLoad",
            "claim",
            "claim card",
            "spend",
        ]
    ),
    st.sampled_from(["Emula1", "Emula2", "Emula3"]),
    st.sampled_from(CARDS),
    st.sampled_from([10, 60]),
    st.booleans(),
    st.floats(0, 400),
)

# Long enough for an order to be placed, undone, repeated and used.
_STEPS = st.lists(_STEP, min_size=10, max_size=40)


def _request(operation: str, request_id: str, card: str, amount: int, *, flag: bool) -> bytes:
    match operation:
        case "CreateGiftCard":
            return create(request_id, amount)
        case "CancelGiftCard":
            return cancel(request_id)
        case "ActivateGiftCard":
            return activate(request_id, card, amount)
        case "DeactivateGiftCard":
            return deactivate(request_id, card)
        case "ActivationStatusCheck":
            return check(request_id, card)
        case "VoidAmazonBalanceLoad":
            return load(request_id, amount * 100, voidIfUsed=flag)
        case _:
            return load(request_id, amount * 100, account=card)


def _take(asker: Asker, step: tuple[str, str, str, int, bool, float]) -> None:
    operation, request_id, card, amount, flag, seconds = step
    asker.pass_time(seconds)
    book = asker.service.ledger
    match operation:
        case "claim":
            book.claim(request_id, asker.moment())
        case "claim card":
            book.physical.claim(card, asker.moment())
        case "spend":
            book.balance.spend(request_id, asker.moment())
        case _:
            body = _request(operation, request_id, card, amount, flag=flag)
            if flag:
                asker.decide(operation, as_xml(operation, body), headers=XML)
            else:
                asker.decide(operation, body, headers=JSON)


def _live(book: Ledger) -> list[tuple[str, str, Decimal]]:
    """Return everything that lives, as (kind, key that must be unique, amount)."""
    cards = [
        ("card", card.request_id, card.value.amount)
        for card in book.cards()
        if card.status is CardStatus.LIVE
    ]
    activations = [
        ("activation", one.request_id, one.value.amount)
        for one in book.physical.activations()
        if one.status is ActivationStatus.ACTIVE
    ]
    loads = [
        ("load", one.request_id, one.value.amount)
        for one in book.balance.loads()
        if one.status is LoadStatus.EFFECTIVE
    ]
    return cards + activations + loads


def _check_books(book: Ledger) -> None:
    (balance,) = book.balances()
    live = _live(book)
    assert balance.debited == balance.live == sum(amount for *_, amount in live)
    assert 0 <= balance.available == balance.prepaid - balance.debited
    assert len({(kind, key) for kind, key, _ in live}) == len(live)
    active = [
        one.card_number
        for one in book.physical.activations()
        if one.status is ActivationStatus.ACTIVE
    ]
    assert len(set(active)) == len(active)
    flows = [
        happened.value.amount * (1 if happened.happening in SPENDS else -1)
        for happened in book.history
        if happened.happening in SPENDS | PAYS_BACK
    ]
    assert sum(flows) == balance.debited


@given(
    steps=_STEPS,
    semantics=_SEMANTICS,
    probabilities=st.dictionaries(st.sampled_from(FaultKind), st.floats(0, 0.2), max_size=5),
    seed=st.integers(0, 1000),
    cap=st.sampled_from([None, 1.0]),
)
@settings(max_examples=150, deadline=None)
def test_the_funds_debited_are_what_lives(
    steps: list[tuple[str, str, str, int, bool, float]],
    semantics: Semantics,
    probabilities: dict[FaultKind, float],
    seed: int,
    cap: float | None,
) -> None:
    mix = FaultMix(probabilities=probabilities, seed=seed, seconds_min=1, seconds_max=900)
    asker = Asker(
        funds=(Money(100, "USD"),),
        faults=FaultScript(random=mix),
        semantics=semantics,
        requests_per_second=cap,
    )
    for step in steps:
        _take(asker, step)
        _check_books(asker.service.ledger)
    asker.pass_time(1000)
    assert asker.service.in_flight == 0
    _check_books(asker.service.ledger)
    for kind in {kind for kind, *_ in _live(asker.service.ledger)}:
        event(f"a live {kind}")


@given(steps=_STEPS, semantics=_SEMANTICS)
@settings(max_examples=100, deadline=None)
def test_a_status_check_always_tells_what_the_books_say(
    steps: list[tuple[str, str, str, int, bool, float]], semantics: Semantics
) -> None:
    asker = Asker(funds=(Money(100, "USD"),), semantics=semantics)
    for step in steps:
        _take(asker, step)
    book = asker.service.ledger.physical
    active = {
        (one.request_id, one.card_number)
        for one in book.activations()
        if one.status is ActivationStatus.ACTIVE
    }

    for request_id in ("Emula1", "Emula2", "Emula3"):
        for card in CARDS:
            answer: dict[str, Any] = asker.ask("ActivationStatusCheck", check(request_id, card))
            told = (answer.get("cardInfo") or {}).get("cardStatus")
            assert (told == "Activated") is ((request_id, card) in active)


@given(steps=_STEPS)
@settings(max_examples=100, deadline=None)
def test_under_the_default_semantics_no_id_ever_pays_twice(
    steps: list[tuple[str, str, str, int, bool, float]],
) -> None:
    asker = Asker(funds=(Money(100, "USD"),))
    for step in steps:
        _take(asker, step)

    paid = [
        (entry.happening, entry.request_id)
        for entry in asker.service.ledger.history
        if entry.happening in SPENDS
    ]
    assert len(set(paid)) == len(paid)
