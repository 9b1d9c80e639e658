"""One exchange: whatever happens in it becomes an outcome, and its permit ends once."""

import asyncio
import logging

import pytest

from agcod_async.clock import Clock
from agcod_async.core.outcomes import Applied, ForwardOutcome, Lost, Throttled, Unclear, Untouched
from agcod_async.engine.attempt import Line, exchange
from agcod_async.engine.server_time import ServerTime
from agcod_async.pacing.port import Lane
from agcod_async.providers.base import Message
from agcod_async.testing.clock import run
from tests.support.permits import CountedPermit
from tests.support.scripted import HANG, LOST, UNCLEAR, UNTOUCHED, After, ScriptedTransport, Step
from tests.support.toy import ISSUE, order

TIMEOUT_SECONDS = 6.0


def forward() -> Message[ForwardOutcome]:
    return ISSUE.bind(order()).legs(order().request_id).forward


def line(transport: ScriptedTransport) -> Line:
    return Line(
        url="https://toy.test/base",
        transport=transport,
        attempt_timeout_seconds=TIMEOUT_SECONDS,
    )


def nothing_known() -> ServerTime:
    return ServerTime(Clock(), tell=lambda _: None)


async def exchanged(
    step: Step, permit: CountedPermit | None = None
) -> tuple[ForwardOutcome, CountedPermit, float]:
    """Return the outcome of one exchange, its permit and how long it took."""
    permit = CountedPermit("Issue", Lane.BATCH) if permit is None else permit
    loop = asyncio.get_running_loop()
    began = loop.time()
    outcome = await exchange(
        line(ScriptedTransport([step])), forward(), {}, permit, nothing_known()
    )
    return outcome, permit, loop.time() - began


def test_a_reply_becomes_what_the_codec_says() -> None:
    outcome, permit, _ = run(exchanged("live"))

    assert isinstance(outcome, Applied)
    assert permit.left
    assert permit.ends == ["answered"]


def test_the_request_goes_to_its_operation_with_its_bytes_and_headers() -> None:
    transport = ScriptedTransport(["live"])
    urls: list[str] = []

    class Urls(ScriptedTransport):
        async def send(self, url, headers, body):  # noqa: ANN001, ANN202  as the port's
            urls.append(url)
            return await transport.send(url, headers, body)

    permit = CountedPermit("Issue", Lane.BATCH)
    run(exchange(line(Urls()), forward(), {"signed": "yes"}, permit, nothing_known()))

    assert urls == ["https://toy.test/base/Issue"]
    assert transport.sent[0].body == b"Toy1 10.00 USD"
    assert transport.sent[0].headers == {"signed": "yes"}


def test_a_throttle_is_told_to_the_pacer() -> None:
    outcome, permit, _ = run(exchanged("throttled"))

    assert isinstance(outcome, Throttled)
    assert permit.ends == ["throttled"]


@pytest.mark.parametrize("step", [HANG, After(6.1, "live"), After(1000, "live")])
def test_no_reply_within_the_timeout_is_lost_however_long_it_would_take(step: Step) -> None:
    outcome, permit, seconds = run(exchanged(step))

    assert isinstance(outcome, Lost)
    assert outcome.reason.message == "no reply within 6 s"
    assert seconds == pytest.approx(TIMEOUT_SECONDS, abs=1e-3)
    assert permit.ends == ["lost"]


def test_a_reply_just_in_time_counts() -> None:
    outcome, _, _ = run(exchanged(After(5.9, "live")))

    assert isinstance(outcome, Applied)


def test_a_reply_that_drips_is_cut_off_by_the_total_time() -> None:
    dripping: Step = "live"
    for _ in range(100):
        dripping = After(0.5, dripping)

    outcome, _, seconds = run(exchanged(dripping))

    assert isinstance(outcome, Lost)
    assert seconds == pytest.approx(TIMEOUT_SECONDS, abs=1e-3)


@pytest.mark.parametrize(
    "error", [OSError("AXLQ-SECRET"), ValueError("AXLQ-SECRET"), TimeoutError("AXLQ-SECRET")]
)
def test_a_transport_that_raises_has_lost_the_request(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    outcome, permit, _ = run(exchanged(error))

    assert isinstance(outcome, Lost)
    assert permit.ends == ["lost"]
    assert "AXLQ" not in outcome.reason.message + caplog.text
    said = outcome.reason.message + caplog.text
    assert f"the transport raised {type(error).__name__}" in said or "no reply within" in said


def test_what_the_transport_says_is_taken_as_it_is() -> None:
    for step, end in ((LOST, "lost"), (UNCLEAR, "lost"), (UNTOUCHED, "unused")):
        outcome, permit, _ = run(exchanged(step))

        assert outcome is step
        assert permit.ends == [end]


def test_a_reply_that_the_codec_cannot_read_is_unclear_and_never_shown(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG):
        outcome, permit, _ = run(exchanged("AXLQ-SECRET-CODE"))

    assert isinstance(outcome, Unclear)
    assert outcome.reason.message == "the reply could not be read (ValueError)"
    assert permit.ends == ["answered"]
    assert "ValueError" in caplog.text
    assert "AXLQ" not in caplog.text + str(outcome)
    assert all(record.exc_info is None for record in caplog.records)


def test_a_revoked_permit_sends_nothing() -> None:
    transport = ScriptedTransport()
    permit = CountedPermit("Issue", Lane.BATCH, revoked=True)

    outcome = run(exchange(line(transport), forward(), {}, permit, nothing_known()))

    assert isinstance(outcome, Untouched)
    assert transport.sent == []
    assert not permit.left
    assert permit.ends == ["unused"]


def test_a_cancelled_exchange_ends_its_permit_as_lost() -> None:
    async def main() -> None:
        permit = CountedPermit("Issue", Lane.BATCH)
        transport = ScriptedTransport([HANG])
        task = asyncio.create_task(
            exchange(line(transport), forward(), {}, permit, nothing_known())
        )
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert permit.ends == ["lost"]
        assert transport.under_way == 0

    run(main())


def test_a_request_that_ends_the_interpreter_ends_its_permit_first() -> None:
    permit = CountedPermit("Issue", Lane.BATCH)

    with pytest.raises(SystemExit):
        run(exchanged(SystemExit(1), permit))

    assert permit.ends == ["lost"]
