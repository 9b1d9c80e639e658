"""The server's time: believed with care, signed with, waited for, and held against our clock."""

import logging
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agcod_async.clock import Clock
from agcod_async.core.outcomes import Applied, Outdated, Reason, Refused, Unclear, Untouched
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.engine.server_time import SKEW_MAX_SECONDS, ServerTime
from agcod_async.errors import UnavailableError
from agcod_async.events import Event, SkewNoticed
from agcod_async.testing.clock import run
from tests.support.stage import stage

CARD = Applied("a card")
OUTDATED = Outdated(Reason("too old"))
POLICY = RecoveryPolicy()
DOUBLING = RecoveryPolicy(network_may_duplicate=True)
START = 1_800_000_000.0
FEW_SECONDS = 3.0


@dataclass
class Bench:
    """A server's clock that is right, and a wall clock that is `ahead` of it, moved by hand."""

    ahead: float = 0.0
    now: float = 1000.0
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        clock = Clock(monotonic=lambda: self.now, wall=lambda: self.wall)
        self.time = ServerTime(clock, self.events.append)

    @property
    def server(self) -> float:
        return START + self.now

    @property
    def wall(self) -> float:
        return self.server + self.ahead

    def hear(
        self, times: int = 1, *, lie: float = 0.0, outcome: object = CARD, back: float = 0.5
    ) -> None:
        """Make exchanges of a second, `back` of it for the way back, with Dates wrong by `lie`."""
        for _ in range(times):
            self.time.now()
            sent_at, self.now = self.now, self.now + 1.0
            date = float(int(self.server - back + lie))
            self.time.heard(outcome, date, sent_at=sent_at)


# --- what is signed ---------------------------------------------------------------------------


def test_as_long_as_nothing_is_known_the_wall_clock_is_signed_with() -> None:
    bench = Bench(ahead=100)

    assert bench.time.now().signed_at == bench.wall
    assert bench.time.skew_seconds is None
    assert bench.time.now().refusal is None


def test_one_date_alone_changes_nothing() -> None:
    bench = Bench(ahead=100)
    bench.hear()

    assert bench.time.now().signed_at == bench.wall
    assert bench.time.skew_seconds is None


@given(ahead=st.floats(-1e6, 1e6), wait=st.floats(0, 500))
def test_two_dates_that_agree_correct_the_clock(ahead: float, wait: float) -> None:
    bench = Bench(ahead)
    bench.hear(2)
    bench.now += wait

    assert bench.time.now().signed_at == pytest.approx(bench.server, abs=FEW_SECONDS)
    assert bench.time.skew_seconds == pytest.approx(ahead, abs=FEW_SECONDS)


@pytest.mark.parametrize("ahead", [-0.9, 0.0, 0.9])
def test_a_clock_that_may_be_right_is_left_alone(ahead: float) -> None:
    bench = Bench(ahead)
    bench.hear(5)

    assert bench.time.now().signed_at == bench.wall


def test_a_reply_that_the_codec_does_not_understand_has_nothing_to_say() -> None:
    bench = Bench()
    bench.hear(3, lie=3600, outcome=Unclear(Reason("an error page of a proxy")))

    assert bench.time.skew_seconds is None


def test_a_reply_without_a_date_changes_nothing() -> None:
    bench = Bench(ahead=100)
    bench.hear(2)
    before = bench.time.skew_seconds
    bench.time.heard(CARD, None, sent_at=bench.now)

    assert bench.time.skew_seconds == before


def test_what_was_measured_long_ago_is_forgotten() -> None:
    bench = Bench(ahead=100)
    bench.hear(2)
    bench.now += 601

    assert bench.time.skew_seconds is None
    assert bench.time.now().signed_at == bench.wall


# --- clocks that are set ----------------------------------------------------------------------


def test_a_clock_that_jumps_makes_everything_forgotten() -> None:
    bench = Bench(ahead=300)
    bench.hear(2)
    assert bench.time.now().refusal is not None
    bench.ahead = 0.0  # somebody has set it right

    assert bench.time.now().refusal is None
    assert bench.time.skew_seconds is None
    assert bench.time.now().signed_at == bench.wall


def test_a_clock_that_is_moved_slowly_is_followed() -> None:
    bench = Bench(ahead=100)
    bench.hear(2)
    bench.ahead -= 0.5

    assert bench.time.skew_seconds == pytest.approx(99.5, abs=FEW_SECONDS)


def test_a_reply_that_was_awaited_while_the_clocks_jumped_apart_tells_nothing() -> None:
    bench = Bench()
    bench.time.now()
    sent_at = bench.now
    bench.now += 1
    bench.ahead = 100  # the machine has slept: this Date is from before that, or from after it
    bench.time.heard(CARD, bench.server, sent_at=sent_at)
    assert bench.time.skew_seconds is None
    bench.hear()
    assert bench.time.skew_seconds is None, "it was the first one that counts"
    bench.hear()
    assert bench.time.skew_seconds == pytest.approx(100, abs=FEW_SECONDS)


# --- the limit --------------------------------------------------------------------------------


@pytest.mark.parametrize("ahead", [SKEW_MAX_SECONDS - 2, -SKEW_MAX_SECONDS + 2, 0.0])
def test_up_to_the_limit_nothing_is_refused(ahead: float) -> None:
    bench = Bench(ahead)
    bench.hear(4)

    assert bench.time.now().refusal is None


@pytest.mark.parametrize(("ahead", "shown"), [(300.0, "300 s ahead of"), (-300.0, "300 s behind")])
def test_beyond_the_limit_the_refusal_names_the_skew_the_limit_and_the_remedy(
    ahead: float, shown: str
) -> None:
    bench = Bench(ahead)
    bench.hear(1)
    bench.now += 0.5
    bench.hear(3)

    assert bench.time.now().refusal is not None
    message = bench.time.now().refusal.message
    assert shown in message.replace("299", "300").replace("301", "300")
    assert "240 s" in message
    assert "set the clock" in message
    assert "NTP" in message


def test_a_refused_call_gives_its_permit_back_and_sends_nothing() -> None:
    async def main() -> None:
        async with stage() as s:
            for _ in range(2):
                now = s.clock.monotonic()
                s.session._runner.time.heard(CARD, s.clock.wall() + 600, sent_at=now)
            with pytest.raises(UnavailableError, match="600 s behind"):
                await s.issue()

            assert s.transport.sent == []
            assert s.entry().verdict == "Unavailable"
            assert [permit.ends for permit in s.pacer.permits] == [["unused"]]

    run(main())


# --- a warning --------------------------------------------------------------------------------


def test_a_clock_that_is_off_is_noticed_once(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(ahead=-100)
    with caplog.at_level(logging.WARNING, "agcod_async"):
        bench.hear(9)

    (event,) = bench.events
    assert isinstance(event, SkewNoticed)
    assert event.skew_seconds == pytest.approx(-100, abs=FEW_SECONDS)
    (line,) = caplog.messages
    assert "behind the server's" in line


def test_a_clock_that_is_set_wrong_again_is_noticed_again() -> None:
    bench = Bench(ahead=100)
    bench.hear(3)
    bench.ahead = 0
    bench.hear(3)
    assert len(bench.events) == 1
    bench.ahead = -50
    bench.hear(3)

    assert len(bench.events) == 2


def test_a_clock_that_is_set_from_one_wrong_time_to_another_is_noticed_twice() -> None:
    bench = Bench(ahead=100)
    bench.hear(3)
    bench.ahead = -50
    bench.hear(3)

    assert len(bench.events) == 2


def test_what_was_forgotten_with_time_is_not_noticed_again() -> None:
    bench = Bench(ahead=100)
    for _ in range(3):
        bench.hear(3)
        bench.now += 601

    assert len(bench.events) == 1


def test_a_server_whose_clock_is_set_right_and_wrong_again_is_noticed_twice() -> None:
    bench = Bench()
    for lie in (-100, 0, -100):
        bench.hear(3, lie=lie)

    assert len(bench.events) == 2


def test_a_clock_that_is_off_by_half_a_minute_is_not_worth_a_warning() -> None:
    bench = Bench(ahead=26)
    bench.hear(5)

    assert bench.events == []


# --- a refusal for the date -------------------------------------------------------------------


def refused(bench: Bench, *, lie: float = 0.0, policy: RecoveryPolicy = POLICY) -> object:
    """Sign now, be refused for it, and return what comes of the refusal."""
    stamp = bench.time.now()
    bench.hear(lie=lie, outcome=OUTDATED)
    return bench.time.mended(OUTDATED, stamp, policy)


@pytest.mark.parametrize("ahead", [-100, 100, 3600])
def test_a_refusal_that_the_date_explains_corrects_the_clock_at_once(ahead: float) -> None:
    bench = Bench(ahead)

    assert refused(bench) == Untouched(OUTDATED.reason)
    assert bench.time.now().signed_at == pytest.approx(bench.server, abs=FEW_SECONDS)
    assert len(bench.events) == 1


def test_a_refusal_that_the_date_does_not_explain_stands() -> None:
    bench = Bench(ahead=10)

    assert refused(bench) is OUTDATED
    assert bench.time.skew_seconds is None


def test_a_refusal_without_a_date_stands() -> None:
    bench = Bench(ahead=100)
    stamp = bench.time.now()

    assert bench.time.mended(OUTDATED, stamp, POLICY) is OUTDATED


def test_many_refusals_of_what_was_signed_before_the_correction_are_all_mended() -> None:
    bench = Bench(ahead=100)
    stamps = [bench.time.now() for _ in range(5)]
    for stamp in stamps:
        bench.hear(outcome=OUTDATED)
        assert bench.time.mended(OUTDATED, stamp, POLICY) == Untouched(OUTDATED.reason)


def test_what_was_signed_with_the_right_time_is_not_sent_once_more() -> None:
    bench = Bench(ahead=100)
    bench.hear(2)

    assert refused(bench) is OUTDATED


def test_where_requests_may_be_doubled_a_refusal_stands_but_the_clock_is_corrected() -> None:
    bench = Bench(ahead=100)

    assert refused(bench, policy=DOUBLING) is OUTDATED
    assert bench.time.skew_seconds == pytest.approx(100, abs=FEW_SECONDS)


@pytest.mark.parametrize("outcome", [CARD, Refused(Reason("no"))])
def test_every_other_outcome_stays_as_it_is(outcome: object) -> None:
    bench = Bench(ahead=100)
    stamp = bench.time.now()
    bench.hear()

    assert bench.time.mended(outcome, stamp, POLICY) is outcome
    assert bench.time.skew_seconds is None, "another refusal is no witness for a Date"


# --- how long a signature is good for ---------------------------------------------------------


@pytest.mark.parametrize(("ahead", "lead"), [(-100.0, 100.0), (0.0, 0.0), (100.0, 0.0)])
def test_a_horizon_counts_from_the_later_one_of_two_times(ahead: float, lead: float) -> None:
    bench = Bench(ahead)
    bench.hear(2)
    stamp = bench.time.now()

    assert stamp.wall == bench.wall
    assert stamp.monotonic == bench.now
    assert stamp.lead_seconds == pytest.approx(lead, abs=FEW_SECONDS)
    assert stamp.wall + stamp.lead_seconds >= stamp.signed_at


def test_without_dates_a_settle_lasts_by_the_loops_clock_and_by_the_wall() -> None:
    bench = Bench(ahead=100)

    assert bench.time.settle_seconds(bench.now + 30, bench.wall + 20) == pytest.approx(30)
    assert bench.time.settle_seconds(bench.now + 20, bench.wall + 30) == pytest.approx(30)
    assert bench.time.settle_seconds(0.0, 0.0) == 0.0


@given(
    ahead=st.floats(-240, 240),
    dates=st.integers(1, 4),
    horizon=st.floats(0, 400),
    back=st.floats(0, 1),
    now=st.floats(1000, 1001),
)
def test_a_settle_is_never_over_before_the_servers_clock_has_come_so_far(
    ahead: float, dates: int, horizon: float, back: float, now: float
) -> None:
    bench = Bench(ahead, now)
    first = bench.time.now()
    bench.hear(dates, back=back)
    last = bench.time.now()
    for stamp in (first, last):
        effects_until = stamp.wall + stamp.lead_seconds + horizon
        pause = bench.time.settle_seconds(0.0, effects_until)
        assert bench.server + pause >= stamp.signed_at + horizon - 1e-3
        assert bench.wall + pause >= stamp.wall + horizon - 1e-3


def test_one_date_that_nobody_has_confirmed_makes_a_settle_longer_and_never_shorter() -> None:
    fast, slow = Bench(ahead=100), Bench(ahead=-100)
    fast.hear()
    slow.hear()

    assert fast.time.settle_seconds(0.0, fast.wall + 30) == pytest.approx(130, abs=FEW_SECONDS)
    assert slow.time.settle_seconds(0.0, slow.wall + 30) == pytest.approx(30)


def test_a_strange_date_makes_no_settle_longer_once_the_server_is_believed() -> None:
    bench = Bench()
    bench.hear(3)
    bench.hear(lie=-3600)

    assert bench.time.settle_seconds(0.0, bench.wall + 30) == pytest.approx(30, abs=FEW_SECONDS)


def test_a_stamp_is_one_moment_on_three_clocks() -> None:
    stamp = Bench(ahead=5).time.now()

    assert replace(stamp, signed_at=stamp.wall - 9).lead_seconds == 0.0
    assert replace(stamp, signed_at=stamp.wall + 9).lead_seconds == pytest.approx(9.0)
