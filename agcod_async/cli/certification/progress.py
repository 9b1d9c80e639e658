"""How a certification is doing, while it runs: plain lines on standard error."""

from collections import Counter
from collections.abc import Sequence

from agcod_async.cli.certification.results import Result, Status, Undone
from agcod_async.cli.display import Silent, clock
from agcod_async.clock import Clock

_LINE_SECONDS = 1.0


class Progress:
    """Prints a line a second, and one for each case that has failed."""

    def __init__(self, run: str, total: int, ticking: Clock) -> None:
        """Print under which name the run can be repeated."""
        self._note = Silent().note
        self._total = total
        self._clock = ticking
        self._counts: Counter[Status] = Counter()
        self._began_at = ticking.monotonic()
        self._due_at = self._began_at + _LINE_SECONDS
        self._note(f"run {run}: {total} cases; --run {run} repeats its request IDs")

    def ended(self, result: Result) -> None:
        """Count a case; print what stands out, and from time to time how far it is."""
        self._counts[result.status] += 1
        if result.status is Status.FAILED:
            case = result.case
            self._note(
                f"failed       {case.name}: expected {case.expected}, seen {result.seen}"
                f"; {result.note}"
            )
        now = self._clock.monotonic()
        if now >= self._due_at or self._counts.total() == self._total:
            self._due_at = now + _LINE_SECONDS
            counts = ", ".join(f"{n} {status.value}" for status, n in self._counts.items())
            done = f"{self._counts.total()} of {self._total}"
            self._note(f"{clock(now - self._began_at)}  {done}: {counts}")

    def over(self, undone: Sequence[Undone]) -> None:
        """Name what could not be taken back."""
        for one in undone:
            if one.is_left:
                self._note(f"left         {one.request_id}: {one.operation} ended with {one.seen}")
