"""Which effect a fault leaves behind, what the client gets to see, and what holds regardless."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agcod_async.core.outcomes import Reply
from agcod_async.testing import (
    AfterCancel,
    CardStatus,
    FaultKind,
    FaultMix,
    FaultRule,
    FaultScript,
    Semantics,
    UnknownCancel,
)
from agcod_async.testing.service import Answer, ConnectionReset, Silence
from agcod_async.values import Money
from agcod_async.wire.port import REPLY_SIZE_MAX
from tests.testing.requests import FUNDS, ID, Asker, cancel, create, members


def faulty(kind: str, seconds: float = 0.0, **knobs: Any) -> Asker:
    """Return an asker whose first request goes wrong."""
    rule = FaultRule(fault=FaultKind(kind), seconds=seconds)
    return Asker(faults=FaultScript(rules=(rule,)), **knobs)


def is_issued(asker: Asker) -> bool:
    card = asker.service.ledger.card(ID)
    return card is not None and card.status is CardStatus.LIVE


def replied(decision: Any) -> Reply:
    assert isinstance(decision, Answer)
    assert decision.after_seconds == 0
    return decision.reply


@pytest.mark.parametrize(("kind", "issued"), [("lose_request", False), ("lose_reply", True)])
def test_what_is_lost_is_never_answered(kind: str, *, issued: bool) -> None:
    asker = faulty(kind)

    assert asker.decide("CreateGiftCard", create()) == Silence()
    assert is_issued(asker) is issued


@pytest.mark.parametrize(("kind", "issued"), [("reset", False), ("reset_after", True)])
def test_a_reset_may_come_before_or_after_the_effect(kind: str, *, issued: bool) -> None:
    asker = faulty(kind)

    assert asker.decide("CreateGiftCard", create()) == ConnectionReset()
    assert is_issued(asker) is issued


def test_what_lands_late_is_never_answered_and_has_its_effect_later() -> None:
    asker = faulty("land_late", 20.0)

    assert asker.decide("CreateGiftCard", create()) == Silence()
    assert asker.service.in_flight == 1
    asker.pass_time(19.9)
    assert not is_issued(asker)
    asker.pass_time(0.1)
    assert is_issued(asker)
    assert asker.service.in_flight == 0


def test_a_cancel_can_land_late_and_kill_the_card() -> None:
    rule = FaultRule(fault=FaultKind.LAND_LATE, seconds=20, operation="CancelGiftCard")
    asker = Asker(faults=FaultScript(rules=(rule,)))
    asker.ask("CreateGiftCard", create())

    assert asker.decide("CancelGiftCard", cancel()) == Silence()
    assert asker.ask("CreateGiftCard", create())["cardInfo"]["cardStatus"] == "Fulfilled"
    asker.pass_time(20)
    assert not is_issued(asker)


def test_a_late_cancel_is_in_time_if_it_arrived_in_time() -> None:
    rule = FaultRule(fault=FaultKind.LAND_LATE, seconds=200, operation="CancelGiftCard")
    asker = Asker(faults=FaultScript(rules=(rule,)))
    asker.ask("CreateGiftCard", create())
    asker.pass_time(800)

    asker.decide("CancelGiftCard", cancel())
    asker.pass_time(200)

    assert not is_issued(asker)


def test_what_lands_late_is_there_before_the_next_request_is_answered() -> None:
    asker = faulty("land_late", 20.0)
    asker.decide("CreateGiftCard", create())

    asker.now = 20.0  # nobody has told the service that time has passed
    assert asker.ask("CancelGiftCard", cancel())["status"] == "SUCCESS"
    assert asker.ask("CreateGiftCard", create())["cardInfo"]["cardStatus"] == (
        "RefundedToPurchaser"
    )


def test_late_landings_happen_in_the_order_of_their_time() -> None:
    rules = (
        FaultRule(fault=FaultKind.LAND_LATE, seconds=30, nth=1),
        FaultRule(fault=FaultKind.LAND_LATE, seconds=10, nth=2),
    )
    asker = Asker(faults=FaultScript(rules=rules))
    asker.decide("CreateGiftCard", create("Emula1"))
    asker.decide("CreateGiftCard", create("Emula2"))

    asker.pass_time(60)

    history = asker.service.ledger.history
    assert [(event.request_id, event.at) for event in history] == [("Emula2", 10), ("Emula1", 30)]


@pytest.mark.parametrize(
    ("kind", "seconds", "now", "later"),
    [
        ("f400_before", 0, False, False),
        ("f400_after", 0, True, True),
        ("f400_late", 9, False, True),
    ],
)
def test_f400_asks_to_resend_whatever_became_of_the_request(
    kind: str, seconds: float, *, now: bool, later: bool
) -> None:
    asker = faulty(kind, seconds)

    answer = asker.ask("CreateGiftCard", create())

    assert answer["errorCode"] == "F400"
    assert answer["agcodResponse"]["status"] == "RESEND"
    assert is_issued(asker) is now
    asker.pass_time(10)
    assert is_issued(asker) is later


@pytest.mark.parametrize("code", ["f100", "f500"])
@pytest.mark.parametrize(("suffix", "issued"), [("", False), ("_after", True)])
def test_f100_and_f500_fail_with_and_without_an_effect(
    code: str, suffix: str, *, issued: bool
) -> None:
    asker = faulty(code + suffix)

    answer = asker.ask("CreateGiftCard", create())

    assert answer["errorCode"] == code.upper()
    assert answer["agcodResponse"]["status"] == "FAILURE"
    assert is_issued(asker) is issued


def test_a_throttle_fault_looks_like_a_throttle() -> None:
    real = Asker(requests_per_second=1)
    real.ask("CreateGiftCard", create())
    asker = faulty("throttle")

    assert asker.reply("CreateGiftCard", create()) == real.reply("CreateGiftCard", create())
    assert not is_issued(asker)


@pytest.mark.parametrize(("kind", "issued"), [("http_503", False), ("http_503_after", True)])
def test_a_503_is_a_page(kind: str, *, issued: bool) -> None:
    asker = faulty(kind)

    reply = asker.reply("CreateGiftCard", create())

    assert (reply.status, reply.content_type) == (503, "text/html")
    assert is_issued(asker) is issued


def test_a_slow_request_has_its_effect_at_once_and_its_answer_later() -> None:
    asker = faulty("slow", 5.0)

    decision = asker.decide("CreateGiftCard", create())

    assert isinstance(decision, Answer)
    assert decision.after_seconds == 5.0
    assert members(decision.reply)["status"] == "SUCCESS"
    assert is_issued(asker)


def test_distorted_answers_hide_an_effect() -> None:
    whole = Asker().reply("CreateGiftCard", create())
    seen: dict[str, Reply] = {}
    for kind in ("garbage", "truncated", "wrong_content_type", "oversized"):
        asker = faulty(kind)
        seen[kind] = replied(asker.decide("CreateGiftCard", create()))
        assert is_issued(asker)

    for kind in ("garbage", "truncated"):
        with pytest.raises(ValueError, match=r"codec|delimiter|Expecting|Unterminated"):
            members(seen[kind])
    assert whole.body.startswith(seen["truncated"].body)
    assert seen["wrong_content_type"] == Reply(200, "text/html", whole.body)
    assert len(seen["oversized"].body) > REPLY_SIZE_MAX
    assert members(seen["oversized"]) == members(whole)


def test_only_admitted_requests_count_for_a_script() -> None:
    rule = FaultRule(fault=FaultKind.F500, nth=2)
    asker = Asker(requests_per_second=1, faults=FaultScript(rules=(rule,)))

    asker.ask("CreateGiftCard", create())
    asker.reply("CreateGiftCard", create())  # throttled
    asker.pass_time(1)

    assert asker.ask("CreateGiftCard", create())["errorCode"] == "F500"


def test_every_arrival_is_told_with_what_became_of_it() -> None:
    rules = (
        FaultRule(fault=FaultKind.LOSE_REPLY, nth=2),
        FaultRule(fault=FaultKind.LOSE_REQUEST, nth=3),
    )
    asker = Asker(requests_per_second=4, faults=FaultScript(rules=rules))
    for body in (create("Emula1"), create("Emula2"), create("Emula3"), create("Emula4", 0)):
        asker.decide("CreateGiftCard", body)
    asker.decide("GetAvailableFunds", FUNDS)

    told = [(a.operation, a.request_id, a.result, a.fault) for a in asker.service.arrivals.latest]
    assert told == [
        ("CreateGiftCard", "Emula1", "SUCCESS", None),
        ("CreateGiftCard", "Emula2", "SUCCESS", "lose_reply"),
        ("CreateGiftCard", "Emula3", None, "lose_request"),
        ("CreateGiftCard", "Emula4", "F200 InvalidAmountValue", None),
        ("GetAvailableFunds", None, "throttled", None),
    ]


def test_the_log_forgets_and_the_counters_do_not() -> None:
    asker = Asker(arrivals_max=3)
    for number in range(10):
        asker.ask("CreateGiftCard", create(f"Emula{number}"))

    arrivals = asker.service.arrivals
    assert [arrival.request_id for arrival in arrivals.latest] == ["Emula7", "Emula8", "Emula9"]
    assert (arrivals.total, arrivals.forgotten) == (10, 7)
    assert arrivals.by_operation == {"CreateGiftCard": 10}
    assert arrivals.by_result == {"SUCCESS": 10}


def test_the_busiest_second_is_found_wherever_it_begins() -> None:
    asker = Asker(requests_per_second=3)
    for at in (0.0, 0.9, 5.7, 5.9, 6.1, 6.3, 6.69, 6.7, 9.0):
        asker.now = at
        asker.decide("CreateGiftCard", create())

    busiest = asker.service.arrivals.busiest
    assert (busiest.requests, busiest.began_at) == (5, 5.7)  # throttled ones arrived too


_REQUESTS = st.lists(
    st.tuples(
        st.sampled_from(["CreateGiftCard", "CancelGiftCard"]),
        st.sampled_from(["Emula1", "Emula2", "Emula3"]),
        st.sampled_from([10, 60]),
        st.floats(0, 400),
    ),
    max_size=30,
)


@given(
    requests=_REQUESTS,
    probabilities=st.dictionaries(st.sampled_from(FaultKind), st.floats(0, 0.2), max_size=5),
    seed=st.integers(0, 1000),
    after=st.sampled_from(AfterCancel),
    unknown=st.sampled_from(UnknownCancel),
    cap=st.sampled_from([None, 1.0]),
)
@settings(max_examples=150, deadline=None)
def test_no_fault_breaks_the_books(
    requests: list[tuple[str, str, int, float]],
    probabilities: dict[FaultKind, float],
    seed: int,
    after: AfterCancel,
    unknown: UnknownCancel,
    cap: float | None,
) -> None:
    mix = FaultMix(probabilities=probabilities, seed=seed, seconds_min=1, seconds_max=900)
    asker = Asker(
        funds=(Money(100, "USD"),),
        faults=FaultScript(random=mix),
        semantics=Semantics(after, unknown),
        requests_per_second=cap,
    )
    for operation, request_id, amount, seconds in requests:
        asker.pass_time(seconds)
        body = create(request_id, amount) if operation == "CreateGiftCard" else cancel(request_id)
        asker.decide(operation, body)
        _books_are_right(asker, after)
    asker.pass_time(1000)
    assert asker.service.in_flight == 0
    _books_are_right(asker, after)


def _books_are_right(asker: Asker, after: AfterCancel) -> None:
    cards = list(asker.service.ledger.cards())
    live = [card for card in cards if card.status is CardStatus.LIVE]
    debited = asker.service.ledger.balances()[0].debited
    assert debited == sum((card.value.amount for card in live), Decimal(0))
    assert len({card.request_id for card in live}) == len(live)
    if after is AfterCancel.TOMBSTONE:
        assert len({card.request_id for card in cards}) == len(cards)
