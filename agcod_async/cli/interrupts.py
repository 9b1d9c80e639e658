"""Ctrl-C, in three steps: take no more, wait no longer, stop.

The first one lets what is under way finish, for `DRAIN_SECONDS` at most; the second ends the
waiting, so that everything open is reported as what is known of it; the third one is a plain
interrupt. SIGTERM counts like Ctrl-C.
"""

import asyncio
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import Final

DRAIN_SECONDS: Final = 30.0

_LAST: Final = 3
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """Counts interrupts and does what each step asks for."""

    def __init__(self, *, drain: Callable[[], None], leave: Callable[[], None]) -> None:
        """`drain` takes no more, `leave` waits no longer; neither may block."""
        self._drain = drain
        self._leave = leave
        self._task = asyncio.current_task()
        self._timer: asyncio.TimerHandle | None = None
        self._count = 0

    def interrupt(self) -> None:
        """Take the next step."""
        self._count += 1
        if self._count == 1:
            self._timer = asyncio.get_running_loop().call_later(DRAIN_SECONDS, self._leave)
            self._drain()
        elif self._count < _LAST:
            self.stop_timer()
            self._leave()
        elif self._task is not None:
            self._task.cancel()

    def took_last(self) -> bool:
        """Whether it was the last step that cancelled the task; if so, it may go on to report."""
        if self._count < _LAST or self._task is None:
            return False
        while self._task.cancelling():
            self._task.uncancel()
        return True

    def stop_timer(self) -> None:
        """Forget the end of the draining."""
        if self._timer is not None:
            self._timer.cancel()


@contextmanager
def interrupts(
    *, drain: Callable[[], None], leave: Callable[[], None]
) -> Generator[Interrupts, None, None]:
    """Take Ctrl-C in steps for as long as the block runs, where the platform can do so."""
    steps = Interrupts(drain=drain, leave=leave)
    loop = asyncio.get_running_loop()
    # Windows has no signal handlers on a loop; other threads may not set any.
    with suppress(NotImplementedError, RuntimeError, ValueError):
        for number in _SIGNALS:
            loop.add_signal_handler(number, steps.interrupt)
    try:
        yield steps
    finally:
        steps.stop_timer()
        with suppress(NotImplementedError, RuntimeError, ValueError):
            for number in _SIGNALS:
                loop.remove_signal_handler(number)
