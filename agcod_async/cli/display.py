"""How a batch is doing, while it runs: on standard error, which carries no results."""

import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal, Protocol, assert_never

from agcod_async.batch import Declined, Funds, InDoubt, Issued, Reversed, Unavailable
from agcod_async.cli.printing import plain
from agcod_async.cli.tally import Tally
from agcod_async.cli.traffic import Traffic
from agcod_async.core.outcomes import Reason
from agcod_async.errors import UsageError
from agcod_async.pacing.port import Lane
from agcod_async.pacing.stats import PacerStats

ProgressKind = Literal["auto", "bar", "lines", "none"]

TICK_SECONDS = 0.25
_LINE_SECONDS_MAX = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """A batch at one moment. `total` is a fair guess of the number of rows."""

    elapsed_seconds: float
    total: int
    tally: Tally
    traffic: Traffic
    pacer: PacerStats
    funds: Funds | None = None
    """The account's funds when they were last looked at, if they are watched."""

    @property
    def left_seconds(self) -> float | None:
        """How long the rest will take if it goes on like this; None where nothing is known."""
        done = self.tally.rows
        if not done or done > self.total:
            return None
        return self.elapsed_seconds / done * (self.total - done)

    @property
    def rate(self) -> str:
        """The requests sent over the last second, and how many are allowed."""
        cap = self.pacer.requests_per_second
        return f"{self.pacer.achieved_per_second:.1f} of {cap:g} requests/s"

    @property
    def verdicts(self) -> str:
        """What has come of the orders; zeros are left out."""
        counts = self.tally.counts
        others = _counted(
            (counts[Declined], "declined"),
            (counts[Reversed], "reversed"),
            (counts[Unavailable], "unavailable"),
            (counts[InDoubt], "in doubt"),
            (self.tally.undelivered, "undelivered"),
            (self.tally.rows_refused, "refused"),
        )
        return ", ".join((f"{counts[Issued]} issued", *others))

    @property
    def account(self) -> str:
        """What the account has and what the plan still needs; empty where nobody looks."""
        if self.funds is None:
            return ""
        return f"funds {self.funds.available}, still to issue {self.funds.needed}"

    @property
    def trouble(self) -> str:
        """What went wrong on the way, and for how long nothing is sent; zeros are left out."""
        seconds = self.pacer.closed_for_seconds
        cooling = () if seconds <= 0 else (f"cooling down {seconds:.1f} s",)
        counted = _counted((self.traffic.throttles, "throttled"), (self.traffic.undos, "undone"))
        return ", ".join((*cooling, *counted))

    @property
    def counts(self) -> str:
        """What has come of the orders, and what went wrong on the way."""
        return ", ".join(part for part in (self.verdicts, self.trouble, self.account) if part)

    @property
    def waiting(self) -> str:
        """How many wait for a permit, lane by lane, the one that goes first in front."""
        waiting = self.pacer.waiting
        return ", ".join(f"{waiting.get(lane, 0)} {lane.name.lower()}" for lane in Lane)


def _counted(*counts: tuple[int, str]) -> Iterator[str]:
    return (f"{count} {name}" for count, name in counts if count)


class Display(Protocol):
    """Shows progress, and notes about single orders beside it."""

    def show(self, glance: Glance) -> None:
        """Show how things are; called every `TICK_SECONDS`, and once in the end."""
        ...

    def note(self, text: str) -> None:
        """Show one line that stays."""
        ...


class Silent:
    """Shows the notes alone."""

    def show(self, glance: Glance) -> None:
        """Show nothing."""

    def note(self, text: str) -> None:
        """Print the line."""
        with suppress(OSError):  # a terminal that has gone must not stop a batch
            print(plain(text), file=sys.stderr, flush=True)


class Lines(Silent):
    """Prints a line every second, and less often the longer it takes."""

    def __init__(self) -> None:
        """Print the first line after a second."""
        self._due_at = 1.0

    def show(self, glance: Glance) -> None:
        """Print a line if it is time for one."""
        elapsed, tally = glance.elapsed_seconds, glance.tally
        if elapsed < self._due_at and tally.rows < glance.total:
            return
        self._due_at = elapsed + min(max(1.0, elapsed / 20), _LINE_SECONDS_MAX)
        left = glance.left_seconds
        ahead = "" if left is None else f", {clock(left)} left"
        self.note(
            f"{clock(elapsed)}  {tally.rows} of {glance.total}: {glance.counts}; "
            f"{glance.rate}{ahead}"
        )


@contextmanager
def open_display(kind: ProgressKind) -> Generator[Display, None, None]:
    """Open the display that was asked for; raises `UsageError` where it cannot be had."""
    match kind:
        case "auto":
            kind = "bar" if _has_rich() and sys.stderr.isatty() else "lines"
        case "bar":
            if not _has_rich():
                raise UsageError(
                    Reason("--progress bar: rich is not installed; pip install rich, or use lines")
                )
        case "lines" | "none":
            pass
        case _:
            assert_never(kind)
    if kind == "bar":
        from agcod_async.cli.bar import open_bar  # noqa: PLC0415  rich is optional

        with open_bar() as bar:
            yield bar
    else:
        yield Lines() if kind == "lines" else Silent()


def clock(seconds: float) -> str:
    """Write a time as 0:05, 12:34 or 1:02:03."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"


def _has_rich() -> bool:
    return find_spec("rich") is not None
