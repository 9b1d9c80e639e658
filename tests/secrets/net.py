"""A net under everything that anybody can see: what must not be seen, and has been, stays in it.

All canaries share one prefix, so that a single search finds any of them. Signatures have no
prefix of ours; they are 64 hex digits, and are held against those that were really sent.
"""

import asyncio
import contextlib
import gc
import io
import logging
import re
import secrets
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import rich.traceback
from rich.console import Console

MARK = f"Canary{secrets.token_hex(4)}"
"""What every canary begins with; different in each process, so that no file can hold it before."""

_SIGNATURE = re.compile(r"[0-9a-f]{64}")
_SIGNATURE_BYTES = re.compile(rb"[0-9a-f]{64}")
_SHOWN_AROUND = 60
OURS = str(Path(__file__).parents[2] / "tests")


@dataclass(slots=True)
class Net:
    """What has been seen, counted; `caught` says where something was that must not be there."""

    caught: Counter[str] = field(default_factory=Counter)
    texts: int = 0
    characters: int = 0
    signatures: set[str] = field(default_factory=set)
    numbers: set[str] = field(default_factory=set)
    """Card numbers, which cannot begin with the mark; looked for in exceptions."""

    def text(self, where: str, text: str) -> None:
        """Look at a text that anybody may see."""
        self.texts += 1
        self.characters += len(text)
        if MARK in text:
            at = text.index(MARK)
            self.caught[f"{where}: {text[max(0, at - _SHOWN_AROUND) : at]}…"] += 1
        for found in _SIGNATURE.finditer(text):
            if found[0] in self.signatures:
                self.caught[f"{where}: a signature"] += 1

    def data(self, where: str, data: bytes) -> None:
        """Look at bytes that are kept, or that leave the process."""
        self.texts += 1
        self.characters += len(data)
        if MARK.encode() in data:
            self.caught[where] += 1
        if any(found[0].decode() in self.signatures for found in _SIGNATURE_BYTES.finditer(data)):
            self.caught[f"{where}: a signature"] += 1

    def sent(self, headers: Mapping[str, str]) -> None:
        """Remember the signature of a request."""
        found = _SIGNATURE.search(headers["authorization"])
        assert found is not None
        self.signatures.add(found[0])

    def error(self, where: str, error: BaseException) -> None:
        """Look at an exception the way that the most careless of handlers shows it.

        The variables of tests are left out: they hold the canaries on purpose.
        """
        for one in _chain(error):
            self.text(where, f"{one} {one!r} {one.args!r} {vars(one)!r}")
            for frame, _ in traceback.walk_tb(one.__traceback__):
                if not frame.f_code.co_filename.startswith(OURS):
                    for name, value in frame.f_locals.items():
                        place, shown = f"{where}, {name} in {frame.f_code.co_name}", _repr(value)
                        self.text(place, shown)
                        if any(number in shown for number in self.numbers):
                            self.caught[f"{place}: a card number"] += 1
            self.text(where, "".join(traceback.format_exception(one)))

    def rich_error(self, where: str, error: BaseException) -> None:
        """Look at an exception as rich shows it, with the variables of our own frames left out."""
        for one in _chain(error):
            shown = rich.traceback.Traceback.from_exception(
                type(one), one, one.__traceback__, show_locals=True, suppress=[OURS]
            )
            for stack in shown.trace.stacks:
                stack.frames = [one for one in stack.frames if not one.filename.startswith(OURS)]
            out = io.StringIO()
            Console(file=out, width=200).print(shown)
            self.text(where, out.getvalue())

    @contextlib.contextmanager
    def under_the_logs(self) -> Iterator[None]:
        """Catch what any logger says, at any level, and every warning."""
        handler, root = _Handler(self), logging.getLogger()
        names = ["", "asyncio", "agcod_async", "httpx", "httpcore", "aiohttp", "msgspec", "anyio"]
        levels = {name: logging.getLogger(name).level for name in names}
        root.addHandler(handler)
        for name in names:
            logging.getLogger(name).setLevel(logging.DEBUG)
        disabled, logging.root.manager.disable = logging.root.manager.disable, logging.NOTSET
        try:
            with warnings.catch_warnings(record=True) as warned:
                warnings.simplefilter("always")
                yield
            for one in warned:
                self.text("a warning", f"{one.message!r} {one.message} {one.source!r}")
        finally:
            logging.root.manager.disable = disabled
            root.removeHandler(handler)
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)

    def under_the_loop(self) -> None:
        """Catch what the running loop tells its exception handler, and let it debug."""

        def tell(loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
            self.text("the loop", repr(context))
            error = context.get("exception")
            if isinstance(error, BaseException):
                self.error("the loop", error)
            loop.default_exception_handler(context)

        loop = asyncio.get_running_loop()
        loop.set_debug(True)
        loop.set_exception_handler(tell)

    def assert_empty(self) -> None:
        gc.collect()  # what was never retrieved is told now
        caught = [f"{times} times {where}" for where, times in self.caught.most_common(20)]
        assert not caught, "\n".join(caught)


class _Handler(logging.Handler):
    """Looks at a record as a file, a console, and a service that ships whole records see it."""

    def __init__(self, net: Net) -> None:
        super().__init__(logging.DEBUG)
        self._net = net

    def emit(self, record: logging.LogRecord) -> None:
        where = f"the log {record.name}"
        self._net.text(where, f"{record.getMessage()} {record.args!r} {record.msg!r}")
        if record.exc_info and record.exc_info[1] is not None:
            self._net.error(where, record.exc_info[1])


def _repr(value: object) -> str:
    try:
        return repr(value)
    except Exception as error:  # noqa: BLE001  an object that is only half made
        return repr(error)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    ahead: list[BaseException | None] = [error]
    while ahead:
        one = ahead.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        ahead += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            ahead += one.exceptions
