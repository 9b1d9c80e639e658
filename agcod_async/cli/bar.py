"""The live view. rich is imported here and nowhere else, and only if it is there.

Five lines at the bottom of the terminal, drawn from counts a few times a second: what it costs does
not depend on how many orders there are.
"""

import sys
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from agcod_async.cli.display import Glance, clock
from agcod_async.cli.page.words import reply_time
from agcod_async.cli.printing import plain

HISTORY_SECONDS: Final = 24
"""So much of the rate is shown as a line, a character for each second."""

_LEVELS: Final = "▁▂▃▄▅▆▇█"
_NO_LEVELS: Final = ""
_ROOM_FOR_A_BAR: Final = 60
_ROOM_FOR_NAMES: Final = 8
_HISTORY_MIN: Final = 6


class Bar:
    """Draws at the bottom of the terminal; notes scroll above."""

    def __init__(self, live: Live) -> None:
        """Draw in this live display."""
        self._live = live
        self._rates: deque[float] = deque(maxlen=HISTORY_SECONDS)
        self._next_at = 0.0

    def show(self, glance: Glance) -> None:
        """Draw everything anew."""
        if glance.elapsed_seconds >= self._next_at:
            self._rates.append(glance.pacer.achieved_per_second)
            self._next_at = glance.elapsed_seconds + 1.0
        with suppress(OSError):  # a terminal that has gone must not stop a batch
            self._live.update(View(glance, tuple(self._rates)), refresh=True)

    def note(self, text: str) -> None:
        """Print a line above the view."""
        with suppress(OSError):
            self._live.console.print(Text(plain(text), overflow="fold"))


@contextmanager
def open_bar() -> Generator[Bar, None, None]:
    """Draw at the bottom of the terminal for as long as the block runs."""
    console = Console(file=sys.stderr, highlight=False)
    with Live(
        console=console,
        auto_refresh=False,
        redirect_stdout=False,  # rich would send results to standard error
        vertical_overflow="crop",
    ) as live:
        yield Bar(live)


class View:
    """A batch at one moment, as wide as the terminal is. `rates` are those of the last seconds."""

    def __init__(self, glance: Glance, rates: Sequence[float] = ()) -> None:
        """Draw this glance."""
        self._glance = glance
        self._rates = rates

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Return the lines."""
        width = options.max_width
        yield self._progress(width)
        yield _line("rate", self._rate(width, _NO_LEVELS if options.ascii_only else _LEVELS))
        yield _line("waiting", Text(self._glance.waiting))
        yield _line("orders", Text(self._glance.verdicts))
        if account := self._glance.account:
            short = self._glance.funds is not None and self._glance.funds.is_short
            yield _line("account", Text(account, style="yellow" if short else ""))
        trouble = self._glance.trouble
        yield _line("trouble", Text(trouble or "none", style="yellow" if trouble else "dim"))

    def _progress(self, width: int) -> Table:
        glance = self._glance
        done, left = glance.tally.rows, glance.left_seconds
        cells = [
            Text(f"{done}/{glance.total}"),
            Text(clock(glance.elapsed_seconds)),
            Text("" if left is None else f"{clock(left)} left", style="dim"),
        ]
        line = Table.grid(padding=(0, 1), expand=width >= _ROOM_FOR_A_BAR)
        if width >= _ROOM_FOR_A_BAR:
            line.add_column(ratio=1)
        for _ in cells:
            line.add_column(justify="right", no_wrap=True, overflow="ellipsis")
        bar = ProgressBar(total=max(glance.total, 1), completed=done)
        line.add_row(*((bar, *cells) if width >= _ROOM_FOR_A_BAR else cells))
        return line

    def _rate(self, width: int, levels: str) -> Text:
        cap = self._glance.pacer.requests_per_second
        text = Text(self._glance.rate, style="cyan")
        times = "".join(f"  {part}" for part in self._reply_times())
        room = width - _ROOM_FOR_NAMES - len(text) - len(" ") - len(times)
        if levels and room >= _HISTORY_MIN:
            latest = self._rates[-min(room, HISTORY_SECONDS) :]
            text.append(" " + "".join(_level(rate / cap, levels) for rate in latest))
        text.append(times, style="default")
        return text

    def _reply_times(self) -> Iterator[str]:
        latency = self._glance.traffic.latency
        for name, share in (("p50", 0.5), ("p99", 0.99)):
            seconds = latency.percentile_seconds(share)
            if seconds is not None:
                yield f"{name} {reply_time(seconds)}"


def _level(share: float, levels: str) -> str:
    return levels[min(int(share * len(levels)), len(levels) - 1)]


def _line(name: str, text: Text) -> Text:
    """Return one line that is cut off where the terminal ends."""
    line = Text(
        name.ljust(_ROOM_FOR_NAMES), style="dim", no_wrap=True, overflow="ellipsis", end="\n"
    )
    line.append_text(Text(style="not dim").append_text(text))
    return line
