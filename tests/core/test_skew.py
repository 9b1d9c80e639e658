"""The server's clock is inside of what is believed of it, whatever the network does to Dates."""

import math
from dataclasses import dataclass

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agcod_async.core.skew import (
    BELIEVED_SECONDS,
    DATE_RESOLUTION_SECONDS,
    DATE_SLACK_SECONDS,
    DRIFT,
    NOTHING_HEARD,
    Belief,
    Offset,
)

LATENCY_MAX = 60.0
WIDEST = DATE_RESOLUTION_SECONDS + 2 * DATE_SLACK_SECONDS + 2 * LATENCY_MAX * (1 + 2 * DRIFT)
ROUNDING = 1e-5  # of times of 1.8e9 seconds


@dataclass(frozen=True)
class Server:
    """A clock that is `ahead` of ours at our 0, and drifts."""

    ahead: float
    drift: float

    def offset(self, at: float) -> float:
        return self.ahead + self.drift * at

    def date(self, at: float, error: float) -> float:
        """Return the Date of a reply: whole seconds of a clock that is nearly this one."""
        return float(math.floor(at + self.offset(at) + error))


@dataclass(frozen=True)
class Exchange:
    gap: float
    there: float
    back: float
    error: float


SERVERS = st.builds(
    Server, ahead=st.floats(1.0e9, 1.8e9), drift=st.floats(-0.98 * DRIFT, 0.98 * DRIFT)
)
EXCHANGES = st.lists(
    st.builds(
        Exchange,
        gap=st.floats(0.0, 2 * BELIEVED_SECONDS),
        there=st.floats(0.0, LATENCY_MAX),
        back=st.floats(0.0, LATENCY_MAX),
        error=st.floats(-DATE_SLACK_SECONDS, DATE_SLACK_SECONDS),
    ),
    min_size=1,
    max_size=12,
)


def seen(server: Server, exchange: Exchange, sent_at: float, lie: float = 0.0) -> Offset:
    written_at = sent_at + exchange.there
    date = server.date(written_at, exchange.error) + lie
    return Offset.of_exchange(date, sent_at=sent_at, heard_at=written_at + exchange.back)


@given(server=SERVERS, exchanges=EXCHANGES, later=st.floats(0, BELIEVED_SECONDS))
@example(Server(1.8e9, 0.0), [Exchange(0, 0, 60, 0.0)], 0.0)
@example(Server(1.8e9, 0.98 * DRIFT), [Exchange(0, 0, 60, -1.0)] * 2, BELIEVED_SECONDS)
def test_the_true_offset_is_always_in_the_interval(
    server: Server, exchanges: list[Exchange], later: float
) -> None:
    belief, now = NOTHING_HEARD, 0.0
    for exchange in exchanges:
        one = seen(server, exchange, now + exchange.gap)
        now = one.seen_at
        belief = belief.heard(one)

        assert one.distance(server.offset(now)) <= ROUNDING
        for known in (belief.believed, belief.rumour):
            left = None if known is None else known.at(now + later)
            if left is not None:
                assert left.distance(server.offset(now + later)) <= ROUNDING
                assert left.low <= left.middle <= left.high
    assert belief.rumour is None or len(exchanges) == 1 or exchanges[-1].gap > 0


@given(
    server=SERVERS,
    exchanges=EXCHANGES.filter(lambda many: all(one.gap < 60 for one in many)),
    place=st.integers(0, 11),
    lie=st.floats(-2e9, 2e9),
)
@example(Server(1.8e9, 0.0), [Exchange(1, 0.1, 0.1, 0)] * 4, 0, 3600.0)
@example(Server(1.8e9, 0.0), [Exchange(1, 0.1, 0.1, 0)] * 4, 1, 3600.0)
@example(Server(1.8e9, 0.0), [Exchange(1, 0.1, 0.1, 0)] * 4, 3, 2.5)
def test_one_strange_date_never_leads_astray(
    server: Server, exchanges: list[Exchange], place: int, lie: float
) -> None:
    belief, now = NOTHING_HEARD, 0.0
    for number, exchange in enumerate(exchanges):
        one = seen(server, exchange, now + exchange.gap, lie if number == place else 0.0)
        now, before = one.seen_at, belief
        belief = belief.heard(one)

        if belief.believed is not None:
            # A small lie may shift it inside of the interval of an honest reply, and no further.
            assert belief.believed.distance(server.offset(now)) <= WIDEST
        if number == place and abs(lie) > 2 * WIDEST:
            assert belief.believed is before.believed


HOUR = 3600.0


def honest(at: float, ahead: float = 0.0) -> Offset:
    return Offset.of_exchange(1.8e9 + ahead + at, sent_at=at, heard_at=at + 0.1)


def heard(*offsets: Offset) -> Belief:
    belief = NOTHING_HEARD
    for offset in offsets:
        belief = belief.heard(offset)
    return belief


def test_one_date_is_a_rumour_and_two_that_agree_are_believed() -> None:
    one, two = honest(0), honest(1.5)

    assert heard(one) == Belief(None, one)
    assert heard(one, two).rumour is None
    assert heard(one, two).believed == one.narrowed(two)


def test_every_date_that_agrees_narrows_what_is_believed() -> None:
    wide = Offset(0.0, 10.0, 0.0)
    narrow = wide.narrowed(Offset(4.0, 20.0, 0.0))

    assert narrow == Offset(4.0, 10.0, 0.0)
    assert narrow.narrowed(Offset(-5.0, 5.0, 0.0)) == Offset(4.0, 5.0, 0.0)
    assert narrow.narrowed(Offset(-5.0, 3.9, 0.0)) is None
    assert narrow.narrowed(Offset(10.1, 20.0, 0.0)) is None


def test_a_date_that_disagrees_is_dropped_when_the_next_one_agrees_again() -> None:
    before = heard(honest(0), honest(1))
    strange = before.heard(honest(2, ahead=HOUR))

    assert strange.believed is before.believed
    assert strange.rumour is not None
    assert strange.heard(honest(3)).rumour is None


def test_two_strange_dates_that_agree_with_nothing_change_nothing() -> None:
    before = heard(honest(0), honest(1))
    after = before.heard(honest(2, ahead=HOUR)).heard(honest(3, ahead=-HOUR))

    assert after.believed is before.believed


def test_a_strange_first_date_gives_way_to_the_two_after_it() -> None:
    belief = heard(honest(0, ahead=HOUR), honest(1), honest(2))

    assert belief.rumour is None
    assert belief.believed is not None
    assert belief.believed.distance(1.8e9) == 0.0


def test_a_server_whose_clock_was_set_is_believed_at_its_second_date() -> None:
    belief = heard(honest(0), honest(1), honest(2, ahead=-HOUR), honest(3, ahead=-HOUR))

    assert belief.rumour is None
    assert belief.believed is not None
    assert belief.believed.middle == pytest.approx(1.8e9 - HOUR, abs=1)


def test_a_second_witness_makes_a_rumour_believed() -> None:
    one = honest(0)
    believed = heard(honest(0), honest(1))

    assert heard(one).confirmed() == Belief(one)
    assert believed.confirmed() is believed


def test_what_is_believed_grows_wider_and_is_forgotten_in_the_end() -> None:
    one = Offset(0.0, 2.0, 100.0)

    assert one.at(100.0) == one
    assert one.at(99.0) == one, "time that went backwards makes nothing narrower"
    assert one.at(200.0) == Offset(-0.1, 2.1, 100.0)
    assert one.at(100.0 + BELIEVED_SECONDS) is not None
    assert one.at(100.1 + BELIEVED_SECONDS) is None
    assert one.narrowed(Offset(0.0, 2.0, 100.1 + BELIEVED_SECONDS)) is None


def test_the_middle_is_the_date_against_the_midpoint_of_the_exchange() -> None:
    one = Offset.of_exchange(1000.0, sent_at=10.0, heard_at=14.0)

    assert one.middle == pytest.approx(1000.5 - 12.0)
    assert one.high - one.low == pytest.approx(1 + 2 + 4 + 8 * DRIFT)


@pytest.mark.parametrize(("value", "distance"), [(-3, 3), (0, 0), (1, 0), (2, 0), (2.5, 0.5)])
def test_a_value_has_a_distance_from_the_interval(value: float, distance: float) -> None:
    assert Offset(0.0, 2.0, 0.0).distance(value) == distance
