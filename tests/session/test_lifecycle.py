"""Opening and closing: what is drained, what is stopped, what is whose to close."""

import asyncio
import gc

import pytest

from agcod_async.errors import InDoubtError, UnavailableError, UsageError
from agcod_async.journal.memory import MemoryJournal
from agcod_async.pacing.pacer import LocalPacer
from agcod_async.session import Session
from agcod_async.testing.clock import run, virtual_clock
from agcod_async.wire.aiohttp_transport import AiohttpTransport
from tests.support.journals import JournalSpy
from tests.support.permits import FreePacer
from tests.support.scripted import HANG, LOST, After, ScriptedTransport
from tests.support.stage import SETTINGS, stage
from tests.support.toy import COUNT, ISSUE, TOY, ToyQuestion, order


def test_closing_waits_for_what_runs_and_takes_nothing_new() -> None:
    async def main() -> None:
        async with stage([After(2, "live")]) as s:
            running = asyncio.create_task(s.issue())
            await asyncio.sleep(1)
            closing = asyncio.create_task(s.session.aclose())
            await asyncio.sleep(0.1)
            with pytest.raises(UsageError, match="the session is closed"):
                await s.issue("Toy2")
            with pytest.raises(UsageError, match="the session is closed"):
                await s.issue("Toy1")
            await closing

            assert s.clock.monotonic() == pytest.approx(2, abs=0.01)
            assert (await running).attempts == 1
            assert len(s.transport.sent) == 1

    run(main())


def test_closing_lets_a_call_finish_its_retries_within_the_time_given() -> None:
    async def main() -> None:
        async with stage([LOST, After(2, LOST), "live"]) as s:
            running = asyncio.create_task(s.issue())
            await asyncio.sleep(0.01)
            await s.session.aclose()

            assert (await running).attempts == 3

    run(main())


def test_what_does_not_end_in_time_stops_after_its_exchange() -> None:
    async def main() -> None:
        async with stage([After(3, LOST)]) as s:
            running = asyncio.create_task(s.issue())
            await asyncio.sleep(0.01)
            await s.session.aclose(drain_seconds=1)

            assert s.clock.monotonic() == pytest.approx(3, abs=0.01)
            with pytest.raises(InDoubtError, match="no time is left"):
                await running
            assert s.entry().is_open

    run(main())


def test_what_never_ends_is_bounded_by_the_time_of_one_attempt() -> None:
    async def main() -> None:
        async with stage([HANG]) as s:
            running = asyncio.create_task(s.issue())
            await asyncio.sleep(0.01)
            await s.session.aclose(drain_seconds=0)

            assert s.clock.monotonic() == pytest.approx(6, abs=0.01)
            with pytest.raises(InDoubtError):
                await running

    run(main())


def test_who_waits_in_a_pause_is_told_that_the_session_was_closed() -> None:
    async def main() -> None:
        async with stage(["throttled", LOST, "throttled"]) as s:
            calm = asyncio.create_task(s.issue("Toy1"))
            await asyncio.sleep(0.01)
            doubtful = asyncio.create_task(s.issue("Toy2"))
            await asyncio.sleep(0.5)
            await s.session.aclose(drain_seconds=0)

            with pytest.raises(UnavailableError, match="the session was closed"):
                await calm
            with pytest.raises(InDoubtError, match="the session was closed"):
                await doubtful
            assert s.entry("Toy1").verdict == "Unavailable"
            assert s.entry("Toy2").is_open

    run(main())


def test_all_who_wait_in_a_pause_are_told_the_same_when_the_session_is_closed() -> None:
    async def main() -> None:
        async with stage(["throttled"]) as s:
            callers = [asyncio.create_task(s.issue()) for _ in range(3)]
            await asyncio.sleep(0.5)
            await s.session.aclose(drain_seconds=0)
            told = await asyncio.gather(*callers, return_exceptions=True)

            assert [type(one).__name__ for one in told] == ["UnavailableError"] * 3

    run(main())


def test_a_read_that_is_stopped_is_unavailable() -> None:
    async def main() -> None:
        async with stage(["throttled"]) as s:
            reading = asyncio.create_task(s.session.call(COUNT, ToyQuestion("funds")))
            await asyncio.sleep(0.5)
            await s.session.aclose(drain_seconds=0)

            with pytest.raises(UnavailableError, match="the session was closed"):
                await reading

    run(main())


def test_what_was_given_to_a_session_is_not_closed_by_it() -> None:
    async def main() -> None:
        async with stage(["live"]) as s:
            await s.issue()
            await s.session.aclose()

            assert (s.transport.closed, s.journal.closed, s.pacer.closed) == (0, 0, 0)

    run(main())


def test_what_a_session_made_itself_is_closed_with_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[str] = []
    for kind in (MemoryJournal, AiohttpTransport, LocalPacer):

        async def aclose(self: object) -> None:
            closed.append(type(self).__name__)

        monkeypatch.setattr(kind, "aclose", aclose)

    async def main() -> None:
        async with Session(TOY, SETTINGS) as session:
            await session.aclose()

    run(main())

    assert sorted(closed) == ["AiohttpTransport", "LocalPacer", "MemoryJournal"]


def test_one_part_that_cannot_be_closed_does_not_keep_the_others_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closed: list[str] = []

    async def fail(_: object) -> None:
        raise OSError("it hangs on")

    async def aclose(self: object) -> None:
        closed.append(type(self).__name__)

    monkeypatch.setattr(AiohttpTransport, "aclose", fail)
    monkeypatch.setattr(MemoryJournal, "aclose", aclose)
    monkeypatch.setattr(LocalPacer, "aclose", aclose)

    async def main() -> None:
        with pytest.raises(OSError, match="it hangs on"):
            await Session(TOY, SETTINGS).aclose()

    run(main())

    assert sorted(closed) == ["LocalPacer", "MemoryJournal"]


def test_a_session_may_be_made_outside_of_any_loop() -> None:
    transport, journal, pacer = ScriptedTransport(["live"]), JournalSpy(), FreePacer()
    session = Session(
        TOY, SETTINGS, transport=transport, journal=journal, pacer=pacer, clock=virtual_clock()
    )

    async def main() -> None:
        async with session:
            await session.call(ISSUE, order())

    run(main())

    assert journal.entry().verdict == "Issued"


def test_a_session_that_nobody_uses_opens_and_warns_of_nothing() -> None:
    Session(TOY, SETTINGS)
    gc.collect()


def test_a_session_may_be_opened_and_closed_by_different_tasks() -> None:
    # As frameworks do: one task for the start, another for the end, requests in between.
    async def main() -> None:
        async with stage([After(1, "live")] * 3) as s:
            entered = await asyncio.create_task(s.session.__aenter__())
            assert entered is s.session
            await asyncio.gather(*(asyncio.create_task(s.issue(f"Toy{n}")) for n in range(3)))
            await asyncio.create_task(s.session.__aexit__(None, None, None))

            with pytest.raises(UsageError):
                await s.issue("Toy9")

    run(main())


def test_an_error_inside_of_the_block_comes_out_of_it() -> None:
    async def main() -> None:
        async with stage() as s:
            with pytest.raises(KeyError):
                async with s.session:
                    raise KeyError

    run(main())


def test_closing_twice_at_the_same_time_is_closing_once() -> None:
    async def main() -> None:
        async with stage([After(2, "live")]) as s:
            running = asyncio.create_task(s.issue())
            await asyncio.sleep(0.1)
            await asyncio.gather(s.session.aclose(), s.session.aclose())

            assert (await running).attempts == 1

    run(main())


def test_a_session_may_be_opened_again_on_the_same_journal() -> None:
    async def main() -> None:
        async with stage([LOST, After(8, "live")]) as s:
            running = asyncio.create_task(s.issue())
            await asyncio.sleep(0.2)
            await s.session.aclose(drain_seconds=0)
            with pytest.raises(InDoubtError):
                await running

            async with stage(["live"], journal=s.journal) as again:
                (one,) = await again.session.reconcile()
                assert one.error is None

    run(main())
