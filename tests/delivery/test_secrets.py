"""A claim code is in the hands of the sink and nowhere else: canaries in every corner."""

import asyncio
import gc
import io
import logging
import os
import pickle
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agcod_async.batch import Order
from agcod_async.core.outcomes import Reason
from agcod_async.delivery import (
    CommandPerCardSink,
    CommandSink,
    DeliveryError,
    DeliveryLine,
    DeliveryPolicy,
    FunctionSink,
    Sink,
    Undelivered,
    WebhookSink,
)
from agcod_async.providers.agcod.messages import GiftCard
from tests.delivery.cards import ANSWERS, CANARY, card_of, order_of, python_of
from tests.delivery.receiver import received
from tests.wire.scripted_server import serving, silence

ONCE = DeliveryPolicy(attempts_max=1, failures_max=1)


def shown(error: BaseException) -> str:
    """Everything that a careless handler could print of an exception, with what hangs on it."""
    seen: list[str] = []
    ahead: list[BaseException | None] = [error]
    while ahead:
        one = ahead.pop()
        if one is None:
            continue
        told = traceback.TracebackException.from_exception(one, capture_locals=True)
        seen += [repr(one), str(one), repr(one.__dict__), *told.format()]
        ahead += [one.__cause__, one.__context__]
    return "\n".join(seen)


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """All that is logged by anybody, at any level."""
    out = io.StringIO()
    handler, root = logging.StreamHandler(out), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield out
    root.removeHandler(handler)
    root.setLevel(level)


def quoting(card: GiftCard, _order: Order) -> None:
    code = card.claim_code.reveal()
    raise LookupError(f"no recipient for {code}")


def quoting_in_our_words(card: GiftCard, _order: Order) -> None:
    raise DeliveryError(Reason(f"no recipient for {card.claim_code.reveal()}"))


SINKS: dict[str, Callable[[Path], Sink]] = {
    "a function that quotes it": lambda _: FunctionSink(quoting),
    "a function that quotes it in our words": lambda _: FunctionSink(quoting_in_our_words),
    "a command that prints it": lambda path: CommandSink(
        *python_of(path, "for line in sys.stdin: print(line, flush=True)"), answer_seconds_max=0.2
    ),
    "a command that dies of it": lambda path: CommandSink(
        *python_of(path, "raise SystemExit(sys.stdin.readline())")
    ),
    "a command that does not read it": lambda path: CommandSink(
        *python_of(path, "os.close(0); time.sleep(0.5)"), answer_seconds_max=0.2
    ),
    "a command that ends badly": lambda path: CommandPerCardSink(
        *python_of(path, "raise SystemExit(sys.stdin.readline())")
    ),
    "a command that is not there": lambda _: CommandSink("./no-such-command"),
}


@pytest.mark.parametrize("kind", SINKS)
def test_a_failed_delivery_shows_no_code(kind: str, tmp_path: Path, logged: io.StringIO) -> None:
    async def main() -> str:
        sink = SINKS[kind](tmp_path)
        async with DeliveryLine(sink, policy=ONCE) as line:
            outcome = await line.hand_over(card_of(1), order_of(1))
            assert isinstance(outcome, Undelivered)
            return repr((outcome, line, sink, vars(line), line.last_problem))

    assert CANARY not in asyncio.run(main(), debug=True)
    assert CANARY not in logged.getvalue()


@pytest.mark.parametrize("kind", [name for name in SINKS if "command" in name])
def test_the_exception_of_a_command_shows_no_code(kind: str, tmp_path: Path) -> None:
    async def main() -> str:
        sink = SINKS[kind](tmp_path)
        with pytest.raises(DeliveryError) as raised:
            await sink.deliver(card_of(1), order_of(1))
        await sink.aclose()
        return shown(raised.value) + repr(pickle.dumps(raised.value.reason))

    assert CANARY not in asyncio.run(main())


def test_a_webhook_that_echoes_the_code_is_not_quoted(logged: io.StringIO) -> None:
    async def main(url: str) -> str:
        sink = WebhookSink(url, secret=lambda: b"sixteen bytes or more")
        with pytest.raises(DeliveryError) as raised:
            await sink.deliver(card_of(1), order_of(1))
        async with DeliveryLine(sink, policy=ONCE) as line:
            return shown(raised.value) + repr(await line.hand_over(card_of(1), order_of(1)))

    with received(status=500) as (url, posts):
        text = asyncio.run(main(url), debug=True)

    assert CANARY.encode() in posts[0].body, "or nothing is tested"
    assert CANARY not in text + logged.getvalue()
    assert b"sixteen bytes".decode() not in text + logged.getvalue()


@pytest.mark.parametrize("limit_seconds", [0.05, 5.0], ids=["times-out", "is-cancelled"])
def test_a_webhook_that_is_left_in_the_middle_shows_no_code(limit_seconds: float) -> None:
    async def main() -> str:
        async with serving(silence) as served:
            sink = WebhookSink(
                served.url,
                secret=lambda: b"sixteen bytes or more",
                reply_seconds_max=limit_seconds,
            )
            task = asyncio.create_task(sink.deliver(card_of(1), order_of(1)))
            await asyncio.sleep(0.1)
            task.cancel()
            with pytest.raises((DeliveryError, asyncio.CancelledError)) as raised:
                await task
            await sink.aclose()
            return shown(raised.value) + repr(task)

    assert CANARY not in asyncio.run(main())


def test_a_hand_over_that_is_cancelled_shows_no_code() -> None:
    async def careless(card: GiftCard, _order: Order) -> None:
        code = card.claim_code.reveal()
        await asyncio.sleep(60)
        assert code

    async def main() -> str:
        line = DeliveryLine(FunctionSink(careless))
        task = asyncio.create_task(line.hand_over(card_of(1), order_of(1)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as raised:
            await task
        return shown(raised.value)

    assert CANARY not in asyncio.run(main())


@pytest.mark.parametrize("answers", [True, False], ids=["answering", "one-for-each-card"])
def test_no_code_is_in_the_arguments_the_environment_or_a_file(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answers: bool,  # noqa: FBT001  a parameter
) -> None:
    work, temporary, seen = tmp_path / "work", tmp_path / "tmp", tmp_path / "seen"
    for folder in (work, temporary):
        folder.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    look = f"""
    def look():
        with open({str(seen)!r}, "ab") as out:
            for name in ("cmdline", "environ"):
                for pid in (os.getpid(), os.getppid()):
                    out.write(open(f"/proc/{{pid}}/{{name}}", "rb").read())
    line = sys.stdin.readline()
    look()
    """
    rest = 'print(json.loads(line)["request_id"], flush=True)\n' + ANSWERS if answers else ""
    words = python_of(tmp_path, f"{look}\n" + "\n".join(f"    {one}" for one in rest.splitlines()))

    async def main() -> None:
        sink = CommandSink(*words) if answers else CommandPerCardSink(*words)
        async with DeliveryLine(sink, policy=ONCE) as line:
            assert not isinstance(await line.hand_over(card_of(1), order_of(1)), Undelivered)

    asyncio.run(main())

    assert os.fsencode(words[0]) in seen.read_bytes(), "or nothing is tested"
    assert CANARY.encode() not in seen.read_bytes()
    assert not list(work.iterdir()) + list(temporary.iterdir())


def test_a_card_that_was_given_up_is_dropped() -> None:
    async def refusing(card: GiftCard, order: Order) -> None:
        quoting(card, order)

    async def main() -> None:
        line = DeliveryLine(FunctionSink(refusing), policy=ONCE)
        await line.hand_over(card_of(77), order_of(77))
        await line.aclose()

    asyncio.run(main())
    gc.collect()

    held = [one for one in gc.get_objects() if isinstance(one, GiftCard) and one.gc_id == "GC77"]
    assert held == []
