"""The progress bar. rich is imported here and nowhere else, and only if it is there."""

import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from agcod_async.cli.display import Glance, clock, plain


class Bar:
    """Two lines at the bottom of the terminal; notes scroll above them."""

    def __init__(self, live: Live) -> None:
        """Draw in this live display."""
        self._live = live

    def show(self, glance: Glance) -> None:
        """Draw the two lines anew."""
        with suppress(OSError):  # a terminal that has gone must not stop a batch
            self._live.update(drawn(glance), refresh=True)

    def note(self, text: str) -> None:
        """Print a line above the bar."""
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


def drawn(glance: Glance) -> Group:
    """Return the two lines: how far and how fast, and what has come of it."""
    done, left = glance.tally.rows, glance.left_seconds
    first = Table.grid(padding=(0, 1), expand=True)
    first.add_column(ratio=1)
    for _ in range(4):
        first.add_column(justify="right", no_wrap=True)
    first.add_row(
        ProgressBar(total=max(glance.total, 1), completed=done),
        Text(f"{done}/{glance.total}"),
        Text(glance.rate, style="cyan"),
        Text(clock(glance.elapsed_seconds)),
        Text("" if left is None else f"{clock(left)} left", style="dim"),
    )
    return Group(first, Text(glance.counts, overflow="ellipsis", no_wrap=True))
