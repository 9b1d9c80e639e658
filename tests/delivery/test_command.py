"""A command as a sink: only its answer takes a card over, and nothing it does hurts us."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from agcod_async.delivery import CommandSink, DeliveryError, conversation, process
from agcod_async.errors import UsageError
from tests.delivery.cards import ANSWERS, card_of, messages, order_of, python_of


async def deliver(sink: CommandSink, number: int, live_id: str | None = None) -> str:
    """Return what went wrong, or "" for a card that was acknowledged."""
    try:
        await sink.deliver(card_of(number, live_id), order_of(number))
    except DeliveryError as error:
        return error.reason.message if error.request_id == f"Toy{number}" else "about another"
    return ""


async def answers_of(tmp_path: Path, body: str, *numbers: int, seconds: float = 5.0) -> list[str]:
    """Deliver these cards, all at once, to a command that runs `body`."""
    sink = await CommandSink.start(*python_of(tmp_path, body), answer_seconds_max=seconds)
    try:
        return list(await asyncio.gather(*(deliver(sink, number) for number in numbers)))
    finally:
        await sink.aclose()


# --- the answer ------------------------------------------------------------------------------


def test_a_card_is_acknowledged_by_the_line_that_answers_it(tmp_path: Path) -> None:
    body = """
    taken = open("taken.jsonl", "w")
    for line in sys.stdin:
        taken.write(line)
        print(json.loads(line)["request_id"], flush=True)
    taken.write('{"request_id": "the end"}')
    """

    async def main() -> None:
        words = python_of(tmp_path, f"os.chdir({str(tmp_path)!r})\n" + _dedented(body))
        sink = await CommandSink.start(*words)
        assert [await deliver(sink, number) for number in range(3)] == ["", "", ""]
        await sink.aclose()

    asyncio.run(main())

    told = messages((tmp_path / "taken.jsonl").read_text("utf-8"))
    assert set(told) == {"Toy0", "Toy1", "Toy2", "the end"}
    assert told["Toy1"] == {
        "request_id": "Toy1",
        "live_request_id": "Toy1",
        "gc_id": "GC1",
        "claim_code": "CANA-RYCODE-0001",
        "amount": "25.00",
        "currency": "USD",
        "expires_at": None,
    }


def _dedented(body: str) -> str:
    return "\n".join(line.removeprefix("    ") for line in body.splitlines())


def test_a_line_that_was_written_is_no_acknowledgement(tmp_path: Path) -> None:
    body = "for line in sys.stdin: pass"

    assert asyncio.run(answers_of(tmp_path, body, 1, seconds=0.3)) == [
        "the command did not answer in time"
    ]


def test_answers_may_come_in_any_order_and_each_is_for_its_own_card(tmp_path: Path) -> None:
    body = """
    ids = [json.loads(sys.stdin.readline())["request_id"] for _ in range(4)]
    for request_id in reversed(ids):
        if request_id != "Toy2":
            print(request_id, flush=True)
    sys.stdin.read()
    """

    answers = asyncio.run(answers_of(tmp_path, body, 1, 2, 3, 4, seconds=0.5))

    assert answers == ["", "the command did not answer in time", "", ""]


@pytest.mark.parametrize("member", ["request_id", "live_request_id"])
def test_a_successor_is_acknowledged_by_either_of_its_ids(tmp_path: Path, member: str) -> None:
    body = f"for line in sys.stdin: print(json.loads(line)[{member!r}], flush=True)"

    async def main() -> str:
        sink = await CommandSink.start(*python_of(tmp_path, body), answer_seconds_max=5)
        answer = await deliver(sink, 1, live_id="ToySuccessor")
        await sink.aclose()
        return answer

    assert asyncio.run(main()) == ""


def test_an_answer_that_comes_late_counts_for_the_repeat_of_its_card(tmp_path: Path) -> None:
    body = """
    request_id = json.loads(sys.stdin.readline())["request_id"]
    sys.stdin.readline()
    print(request_id, flush=True)
    sys.stdin.read()
    """

    async def main() -> list[str]:
        sink = await CommandSink.start(*python_of(tmp_path, body), answer_seconds_max=0.5)
        answers = [await deliver(sink, 1), await deliver(sink, 1)]
        await sink.aclose()
        return answers

    assert asyncio.run(main()) == ["the command did not answer in time", ""]


def test_one_answer_is_enough_for_a_card_that_two_callers_deliver(tmp_path: Path) -> None:
    body = """
    sys.stdin.readline(); print(json.loads(sys.stdin.readline())["request_id"], flush=True)
    sys.stdin.read()
    """

    assert asyncio.run(answers_of(tmp_path, body, 1, 1)) == ["", ""]


# --- nonsense --------------------------------------------------------------------------------


def test_unknown_and_repeated_ids_acknowledge_nothing_and_do_no_harm(tmp_path: Path) -> None:
    body = """
    for line in sys.stdin:
        print("Toy99\\n\\nToy\\nToy1 Toy2\\n" + line, flush=True)
        request_id = json.loads(line)["request_id"]
        if request_id != "Toy2":
            print(request_id, request_id, sep="\\n", flush=True)
    """

    answers = asyncio.run(answers_of(tmp_path, body, 1, 2, 3, seconds=0.5))

    assert answers == ["", "the command did not answer in time", ""]


def test_an_answer_that_was_cut_off_is_none(tmp_path: Path) -> None:
    body = 'sys.stdin.readline(); sys.stdout.write("Toy1"); sys.stdout.flush()'

    assert asyncio.run(answers_of(tmp_path, body, 1)) == ["the command answers no more"], (
        "it may have been going to say Toy12"
    )


@pytest.mark.parametrize(
    "flood",
    [r'"x" * 50 + "\n"', '"x" * 100_000', r'"\n"', r'"\xff\n"'],
    ids=["lines", "one-endless-line", "empty-lines", "no-text"],
)
def test_a_command_that_floods_us_is_ended(tmp_path: Path, flood: str) -> None:
    body = f"""
    sys.stdin.readline()
    text = ({flood}).encode("latin-1")
    while True:
        os.write(1, text)
    """
    started_at = time.monotonic()

    async def main() -> str:
        sink = await CommandSink.start(*python_of(tmp_path, body), answer_seconds_max=5)
        answer = await deliver(sink, 1)
        living = sink._conversation
        assert living is not None
        await asyncio.wait_for(living._process.wait(), 5)  # it is not left to flood us
        await sink.aclose()
        return answer

    assert asyncio.run(main()) == "the command answers with what is no request ID"
    assert time.monotonic() - started_at < 5


def test_idle_talk_between_the_answers_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "STRAYS_MAX", 60)
    body = """
    for line in sys.stdin:
        print("talk\\n" * 40, "x" * 10_000, sep="")
        print(json.loads(line)["request_id"], flush=True)
    """

    async def main() -> list[str]:
        sink = await CommandSink.start(*python_of(tmp_path, body), answer_seconds_max=5)
        answers = [await deliver(sink, number) for number in range(3)]
        await sink.aclose()
        return answers

    assert asyncio.run(main()) == ["", "", ""]


# --- a command that goes away ----------------------------------------------------------------


def test_a_command_that_dies_has_acknowledged_nothing_and_is_started_anew(tmp_path: Path) -> None:
    body = """
    for line in sys.stdin:
        request_id = json.loads(line)["request_id"]
        if request_id == "Toy2":
            os.kill(os.getpid(), 9)
        print(request_id, flush=True)
    """

    async def main() -> list[str]:
        sink = await CommandSink.start(*python_of(tmp_path, body), answer_seconds_max=5)
        answers = [await deliver(sink, number) for number in (1, 2, 3)]
        await sink.aclose()
        return answers

    assert asyncio.run(main()) == ["", "the command answers no more", ""]


def test_a_command_that_ends_after_each_card_is_started_for_each(tmp_path: Path) -> None:
    body = 'print(json.loads(sys.stdin.readline())["request_id"])'

    async def main() -> list[str]:
        sink = await CommandSink.start(*python_of(tmp_path, body), answer_seconds_max=5)
        answers = [await deliver(sink, number) for number in (1, 2, 2, 3, 3)]
        await sink.aclose()
        return answers

    answers = asyncio.run(main())
    assert answers[0] == ""
    assert answers.count("") >= 3, "a card that meets the end of the last one is repeated"


def test_a_command_that_closes_its_input_is_started_anew(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    body = f"""
    if not os.path.exists({str(flag)!r}):
        open({str(flag)!r}, "w").close()
        os.close(0)
        time.sleep(60)
    {ANSWERS.strip().replace(chr(10), chr(10) + "    ")}
    """

    async def main() -> list[str]:
        words = python_of(tmp_path, _dedented(body))
        sink = await CommandSink.start(*words, answer_seconds_max=5)
        while not flag.exists():  # noqa: ASYNC110  a file, written by another process
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        answers = [await deliver(sink, number) for number in (1, 2)]
        await sink.aclose()
        return answers

    assert asyncio.run(main()) == ["the command reads no more", ""]


def test_a_command_that_does_not_read_holds_only_what_fits_the_pipe(tmp_path: Path) -> None:
    async def main() -> tuple[list[str], int]:
        sink = await CommandSink.start(
            *python_of(tmp_path, "time.sleep(60)"), answer_seconds_max=0.3
        )
        answers = await asyncio.gather(*(deliver(sink, number) for number in range(1000)))
        living = sink._conversation
        assert living is not None
        buffered = living._stdin.transport.get_write_buffer_size()
        await living.abandon()
        return list(answers), buffered

    answers, buffered = asyncio.run(main())

    assert "" not in answers
    assert "the command stopped reading" in answers
    assert buffered < 1000, "one card at most waits in our own buffer"


def test_a_command_that_cannot_be_started_is_a_usage_error_at_once() -> None:
    async def main(*words: str) -> None:
        await CommandSink.start(*words)

    for words in ((), ("",), ("./no-such-command",), ("/",), ("a\0b",)):
        with pytest.raises(UsageError, match="the command"):
            asyncio.run(main(*words))


def test_a_command_that_cannot_be_started_again_is_a_failed_delivery(tmp_path: Path) -> None:
    copy = tmp_path / "command"
    copy.write_text(f"#!/bin/sh\nexec {' '.join(python_of(tmp_path, 'pass', 'command.py'))}\n")
    copy.chmod(0o700)

    async def main() -> list[str]:
        sink = await CommandSink.start(str(copy), answer_seconds_max=5)
        await sink._conversation._process.wait()  # type: ignore[union-attr]
        copy.unlink()
        answers = [await deliver(sink, 1), await deliver(sink, 1)]
        await sink.aclose()
        return answers

    first, second = asyncio.run(main())
    assert first
    assert second == f"the command cannot be started: {copy}: No such file or directory"


# --- the end ---------------------------------------------------------------------------------


def test_a_command_is_told_the_end_and_may_finish_its_work(tmp_path: Path) -> None:
    done = tmp_path / "done"
    body = ANSWERS + f"time.sleep(0.1); open({str(done)!r}, 'w').close()"

    assert asyncio.run(answers_of(tmp_path, body, 1)) == [""]
    assert done.exists()


def test_a_command_that_does_not_end_is_killed_with_all_that_it_has_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "END_SECONDS_MAX", 0.2)
    pids = tmp_path / "pids"
    body = f"""
    import subprocess
    child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"])
    open({str(pids)!r}, "w").write(str(child.pid) + " " + str(os.getpid()))
    {ANSWERS.strip().replace(chr(10), chr(10) + "    ")}
    time.sleep(60)
    """

    assert asyncio.run(answers_of(tmp_path, _dedented(body), 1)) == [""]

    for pid in map(int, pids.read_text("utf-8").split()):
        assert _is_gone(pid), pid


def _is_gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has buried yet has ended, too."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False


def test_a_closing_that_is_cancelled_leaves_no_process(tmp_path: Path) -> None:
    async def main() -> int:
        sink = await CommandSink.start(*python_of(tmp_path, "time.sleep(60)"))
        living = sink._conversation
        assert living is not None
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await sink.aclose()
        await living._process.wait()
        await living._stop_listening()
        return living._process.returncode or 0

    assert asyncio.run(main()) == -signal.SIGKILL


def test_a_command_that_answers_no_more_is_not_waited_for_in_the_end(tmp_path: Path) -> None:
    started_at = time.monotonic()

    answers = asyncio.run(answers_of(tmp_path, "os.close(1); time.sleep(60)", 1))

    assert answers == ["the command answers no more"]
    assert time.monotonic() - started_at < 10


def test_a_sink_that_was_closed_starts_nothing(tmp_path: Path) -> None:
    async def main() -> str:
        sink = CommandSink(*python_of(tmp_path, ANSWERS))
        await sink.aclose()
        return await deliver(sink, 1)

    assert asyncio.run(main()) == "the command is closed"


# --- what a child may see --------------------------------------------------------------------


def test_the_command_does_not_inherit_our_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AGCOD_SECRET_ACCESS_KEY", "AGCOD_ACCESS_KEY_ID", "agcod_partner_id"):
        monkeypatch.setenv(name, "kept-to-ourselves")
    monkeypatch.setenv("SHOP_DATABASE", "shop")
    seen = tmp_path / "environ"
    body = f"open({str(seen)!r}, 'wb').write(open('/proc/self/environ', 'rb').read())\n" + ANSWERS

    assert asyncio.run(answers_of(tmp_path, body, 1)) == [""]

    environment = seen.read_bytes()
    assert b"SHOP_DATABASE=shop" in environment
    assert b"kept-to-ourselves" not in environment
    assert b"AGCOD_" not in environment.upper()


def test_ctrl_c_in_the_terminal_does_not_reach_the_command(tmp_path: Path) -> None:
    written = tmp_path / "session"
    body = f"open({str(written)!r}, 'w').write(str(os.getsid(0)))\n" + ANSWERS

    assert asyncio.run(answers_of(tmp_path, body, 1)) == [""]

    assert int(written.read_text("utf-8")) != os.getsid(0)


def test_a_conversation_needs_pipes() -> None:
    async def main() -> None:
        child = await asyncio.create_subprocess_exec(sys.executable, "-S", "-c", "pass")
        with pytest.raises(ValueError, match="pipes"):
            conversation.Conversation(child)
        await process.wait_for_end(child, 10)

    asyncio.run(main())
