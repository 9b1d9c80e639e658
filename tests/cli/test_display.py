import importlib
import io
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType

import pytest
from rich.console import Console

from agcod_async.batch import Declined, Funds, InDoubt, Issued, Reversed, Unavailable, Verdict
from agcod_async.cli import display as displays
from agcod_async.cli.bar import HISTORY_SECONDS, Bar, View, open_bar
from agcod_async.cli.display import Glance, Lines, Silent, clock, open_display
from agcod_async.cli.printing import plain
from agcod_async.cli.tally import Tally
from agcod_async.cli.traffic import Traffic
from agcod_async.errors import UsageError
from agcod_async.pacing.port import Lane
from agcod_async.pacing.stats import PacerStats
from agcod_async.values import Money
from tests.cli.stage import HEADER, Agcod, FileOf, assert_no_code

PACER = PacerStats(
    requests_per_second=20.0,
    permits_given=0,
    waiting=MappingProxyType({}),
    throttles_seen=0,
    closed_for_seconds=0.0,
    achieved_per_second=18.26,
)


def glance(elapsed_seconds: float, counts: Mapping[type[Verdict], int], total: int = 200) -> Glance:
    tally = Tally()
    tally.counts.update(counts)
    return Glance(
        elapsed_seconds=elapsed_seconds,
        total=total,
        tally=tally,
        traffic=Traffic(),
        pacer=PACER,
    )


def test_the_time_left_follows_from_the_pace_so_far() -> None:
    assert glance(10.0, {Issued: 50}).left_seconds == 30.0
    assert glance(10.0, {}).left_seconds is None
    assert glance(10.0, {Issued: 201}).left_seconds is None, "the total was only a guess"


def test_the_counts_name_every_verdict_and_leave_zeros_out() -> None:
    seen = glance(1.0, {Issued: 5, Declined: 4, Reversed: 3, Unavailable: 2, InDoubt: 1})
    seen.tally.undelivered, seen.tally.rows_refused = 6, 7
    seen.traffic.throttles, seen.traffic.undos = 8, 9
    cooling = replace(seen, pacer=replace(PACER, closed_for_seconds=1.25))

    assert glance(1.0, {}).counts == "0 issued"
    assert cooling.counts == (
        "5 issued, 4 declined, 3 reversed, 2 unavailable, 1 in doubt, 6 undelivered, 7 refused, "
        "cooling down 1.2 s, 8 throttled, 9 undone"
    )


def test_lines_come_every_second_and_more_rarely_in_a_long_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = Lines()
    shown: list[float] = []
    for tick in range(400 * 4):
        lines.show(glance(tick / 4, {Issued: 10}))
        if capsys.readouterr().err:
            shown.append(tick / 4)

    assert shown[:4] == [1.0, 2.0, 3.0, 4.0]
    assert shown[-1] - shown[-2] > 15


def test_the_last_line_is_shown_whenever_it_comes(capsys: pytest.CaptureFixture[str]) -> None:
    Lines().show(glance(0.3, {Issued: 200}))

    assert capsys.readouterr().err == (
        "0:00  200 of 200: 200 issued; 18.3 of 20 requests/s, 0:00 left\n"
    )


@pytest.mark.parametrize(
    ("seconds", "written"), [(0.4, "0:00"), (65, "1:05"), (3599.6, "1:00:00"), (90061, "25:01:01")]
)
def test_times_are_written_as_a_clock_does(seconds: float, written: str) -> None:
    assert clock(seconds) == written


def test_text_from_elsewhere_cannot_steer_the_terminal() -> None:
    assert plain("a\x1b[2Jb\rc") == "a\ufffd[2Jb\ufffdc"


def drawn(seen: Glance, width: int, *, encoding: str = "utf-8") -> list[str]:
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = Console(width=width, force_terminal=True, color_system=None, file=file)
    with console.capture() as captured:
        console.print(View(seen, [0.0, 10.0, 20.0, *([18.0] * HISTORY_SECONDS)][:HISTORY_SECONDS]))
    return captured.get().splitlines()


def busy() -> Glance:
    counts = {Issued: 1_234_567, Declined: 1234, Reversed: 123, Unavailable: 999, InDoubt: 12}
    seen = glance(36_000.0, counts, total=10_000_000)
    seen.traffic.throttles, seen.traffic.undos = 12_345, 6789
    for milliseconds in range(1, 2000):
        seen.traffic.latency.count(milliseconds / 1000)
    waiting = MappingProxyType({Lane.RECOVERY: 2, Lane.BATCH: 9999})
    pacer = replace(PACER, waiting=waiting, closed_for_seconds=12.3, achieved_per_second=999.9)
    return replace(seen, pacer=pacer)


@pytest.mark.parametrize("width", [200, 80, 60, 40, 20])
def test_the_view_takes_five_lines_of_any_terminal(width: int) -> None:
    lines = drawn(busy(), width)

    assert len(lines) == 5
    assert max(map(len, lines)) <= width


def test_the_view_shows_the_rate_who_waits_what_came_of_it_and_what_went_wrong() -> None:
    progress, rate, waiting, orders, trouble = drawn(busy(), 100)

    assert "1236935/10000000 10:00:00" in progress
    assert "999.9 of 20 requests/s" in rate
    assert "▁▅█" in rate
    assert rate.rstrip().endswith("p50 1.02 s  p99 2.05 s")
    assert waiting.split(maxsplit=1)[1] == "2 recovery, 0 interactive, 9999 batch, 0 probe"
    assert orders.startswith("orders  1234567 issued, 1234 declined")
    assert trouble.rstrip() == "trouble cooling down 12.3 s, 12345 throttled, 6789 undone"


def test_funds_that_are_watched_are_shown_beside_what_is_still_to_issue() -> None:
    funds = Funds(Money("120.00", "USD"), Decimal("450.00"), is_short=True, is_low=False)
    seen = replace(busy(), funds=funds)

    assert "funds 120.00 USD, still to issue 450.00" in seen.counts
    assert "funds 120.00 USD, still to issue 450.00" in "\n".join(drawn(seen, 100))
    assert "funds" not in "\n".join(drawn(busy(), 100))


def test_a_terminal_without_the_letters_gets_no_history_of_boxes() -> None:
    assert "".join(drawn(busy(), 100, encoding="ascii")).isascii()


def test_the_history_is_a_rate_for_each_second_and_no_longer_than_it_is_shown() -> None:
    with open_bar() as bar:
        assert isinstance(bar, Bar)
        for tick in range(400 * 4):
            bar.show(replace(glance(tick / 4, {}), pacer=replace(PACER, achieved_per_second=tick)))

        assert list(bar._rates) == [tick * 4 for tick in range(400 - HISTORY_SECONDS, 400)]


def test_without_rich_a_bar_is_refused_and_auto_means_lines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(displays, "find_spec", lambda _: None)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)

    with open_display("auto") as display:
        assert type(display) is Lines
    with pytest.raises(UsageError, match="rich is not installed"), open_display("bar"):
        pass


def test_auto_means_a_bar_on_a_terminal_and_lines_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for is_terminal, name in ((True, "Bar"), (False, "Lines")):
        monkeypatch.setattr("sys.stderr.isatty", lambda is_terminal=is_terminal: is_terminal)
        with open_display("auto") as display:
            assert type(display).__name__ == name


def test_a_terminal_that_has_gone_does_not_stop_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("builtins.print", broken)
    Silent().note("one")
    Lines().show(glance(5.0, {Issued: 1}))
    monkeypatch.undo()
    with open_display("bar") as bar:
        monkeypatch.setattr("rich.live.Live.update", broken)
        monkeypatch.setattr("rich.console.Console.print", broken)
        bar.show(glance(5.0, {Issued: 1}))
        bar.note("one")
        monkeypatch.undo()


@pytest.mark.parametrize("kind", ["bar", "lines", "none"])
def test_every_display_leaves_standard_output_to_the_results(
    kind: str, agcod: Agcod, emulator: object, file_of: FileOf
) -> None:
    emulator_module = importlib.import_module("agcod_async.testing")
    assert isinstance(emulator, emulator_module.Emulator)
    path = file_of(HEADER, "Emula1,10.00,USD", "Emula2,1.005,USD")

    run = agcod("batch", "issue", path, "--json", "--progress", kind)

    assert [shown["kind"] for shown in run.objects] in (
        ["row", "receipt", "summary"],
        ["receipt", "row", "summary"],
    )
    assert ("1 issued" in run.err) == (kind != "none")
    assert_no_code(emulator, run.everything)
