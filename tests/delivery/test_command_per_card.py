"""A command for each card: status 0 takes it over, and nothing else does."""

import asyncio
import json
import time
from pathlib import Path

import pytest

from agcod_async.delivery import CommandPerCardSink, DeliveryError
from agcod_async.errors import UsageError
from tests.delivery.cards import card_of, order_of, python_of


def delivered(tmp_path: Path, body: str, *numbers: int, seconds: float = 10.0) -> list[str]:
    """Deliver these cards at once; return what went wrong with each, or ""."""
    sink = CommandPerCardSink(*python_of(tmp_path, body), end_seconds_max=seconds)

    async def deliver(number: int) -> str:
        try:
            await sink.deliver(card_of(number), order_of(number))
        except DeliveryError as error:
            return error.reason.message
        return ""

    async def main() -> list[str]:
        answers = await asyncio.gather(*map(deliver, numbers))
        await sink.aclose()
        return list(answers)

    return asyncio.run(main())


def test_each_card_has_a_run_of_its_own_and_status_0_takes_it_over(tmp_path: Path) -> None:
    body = f"""
    text = sys.stdin.read()
    request_id = json.loads(text)["request_id"]
    open(os.path.join({str(tmp_path)!r}, request_id), "w").write(text)
    sys.exit(7 if request_id == "Toy2" else 0)
    """

    assert delivered(tmp_path, body, 1, 2, 3) == ["", "the command ended with status 7", ""]
    for number in (1, 2, 3):
        (line,) = (tmp_path / f"Toy{number}").read_text("utf-8").splitlines()
        assert json.loads(line)["claim_code"] == f"CANA-RYCODE-000{number}"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("sys.stdin.read(); os.kill(os.getpid(), 9)", "the command ended on signal 9"),
        ("sys.stdin.read(); time.sleep(60)", "the command did not end in time"),
        ("os.close(0); time.sleep(60)", "the command did not end in time"),
    ],
)
def test_a_run_that_ends_otherwise_takes_nothing(tmp_path: Path, body: str, problem: str) -> None:
    started_at = time.monotonic()

    assert delivered(tmp_path, body, 1, seconds=0.3) == [problem]
    assert time.monotonic() - started_at < 3


def test_a_run_that_ends_without_reading_takes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # More than a pipe holds, so that it is certain that something was left unread.
    long = b"x" * 1_000_000
    monkeypatch.setattr("agcod_async.delivery.command.card_message", lambda *_: long)

    assert delivered(tmp_path, "sys.exit(0)", 1) == [
        "the command ended before it had read the card"
    ]


def test_a_delivery_that_is_cancelled_leaves_no_process(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    body = f"open({str(pid_file)!r}, 'w').write(str(os.getpid())); time.sleep(60)"

    async def main() -> None:
        sink = CommandPerCardSink(*python_of(tmp_path, body))
        task = asyncio.create_task(sink.deliver(card_of(1), order_of(1)))
        while not (pid_file.exists() and pid_file.read_text("utf-8")):  # noqa: ASYNC110  a file
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())

    assert not Path(f"/proc/{pid_file.read_text('utf-8')}").exists()


def test_what_is_no_command_is_a_usage_error_at_once_and_later_a_failed_delivery(
    tmp_path: Path,
) -> None:
    for words in ((), ("./no-such-command",)):
        with pytest.raises(UsageError, match="the command"):
            CommandPerCardSink(*words)
    command = tmp_path / "command"
    command.write_text("#!/bin/sh\n")
    command.chmod(0o700)
    sink = CommandPerCardSink(str(command))
    command.unlink()

    with pytest.raises(DeliveryError, match="cannot be started"):
        asyncio.run(sink.deliver(card_of(1), order_of(1)))
