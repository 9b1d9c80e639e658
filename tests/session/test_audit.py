"""Every card that was handed out after an undo is looked at once more, and nothing is undone."""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass

import pytest
from msgspec.structs import replace

from agcod_async.core.facts import Facts
from agcod_async.engine.auditing import AUDIT_AFTER_SECONDS, Audited, AuditResult
from agcod_async.events import CardDiedAfterHandout
from agcod_async.journal.base import JournalError
from agcod_async.journal.records import Entry
from agcod_async.testing.clock import WALL_AT_START, run
from agcod_async.values import RequestId
from tests.support.journals import JournalSpy
from tests.support.left_open import left_open, put
from tests.support.scripted import LOST, After, Step
from tests.support.stage import Stage, stage
from tests.support.toy import PARTNER

HANDED_OUT = Facts(doubtful=True, undone=True, confirmed=True)


def handed_out(request_id: str = "Toy1", **changes: object) -> Entry:
    """Return the entry of a card that was handed out after an undo, an hour ago."""
    told = {
        "facts": HANDED_OUT,
        "verdict": "Issued",
        "gc_id": f"gc-{request_id}",
        "first_sent_at": WALL_AT_START - 3600,
        "last_sent_at": WALL_AT_START - 3590,
        "last_undo_at": WALL_AT_START - 3595,
    }
    return left_open(request_id, **(told | changes))


async def results(s: Stage) -> list[AuditResult]:
    return [one.result async for one in s.session.audit()]


def audit(script: Iterable[Step], entry: Entry, *others: Entry) -> tuple[list[Audited], Stage]:
    """Audit a journal that holds these entries."""

    async def main() -> tuple[list[Audited], Stage]:
        async with stage(script) as s:
            await put(s, entry, *others)
            return [one async for one in s.session.audit()], s

    return run(main())


def test_a_card_that_lives_is_looked_at_once_and_then_left_alone() -> None:
    async def main() -> None:
        async with stage(["live"]) as s:
            await put(s, handed_out())

            assert await results(s) == [AuditResult.LIVES]
            assert await results(s) == []
            assert [str(sent) for sent in s.transport.sent] == ["Issue Toy1 10.00 USD"]
            assert "admit PROBE Issue" in s.log
            assert s.entry().audited_at == pytest.approx(WALL_AT_START, abs=1)
            assert s.entry().verdict == "Issued"

    run(main())


def test_a_card_that_has_died_is_an_alarm(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "agcod_async"):
        (one,), s = audit(["dead"], handed_out())

    assert (one.result, one.replaced_by) == (AuditResult.DIED, None)
    alarms = [event for event in s.events if isinstance(event, CardDiedAfterHandout)]
    assert alarms == [CardDiedAfterHandout("Issue", "Toy1", "gc-Toy1", None)]
    assert [record.getMessage() for record in caplog.records] == [
        "a card that was handed out has died: Issue Toy1, gcId gc-Toy1"
    ]
    assert s.entry().audited_at is not None
    assert s.entry().verdict == "Reversed"
    assert s.transport.operations == ["Issue"]


def test_another_card_under_the_same_id_means_that_the_first_has_died() -> None:
    (one,), s = audit(["live"], handed_out(gc_id="the first"))

    assert (one.result, one.gc_id, one.replaced_by) == (AuditResult.DIED, "the first", "gc-Toy1")
    (alarm,) = [event for event in s.events if isinstance(event, CardDiedAfterHandout)]
    assert alarm.replaced_by == "gc-Toy1"


def test_a_death_that_a_later_call_has_seen_is_told_without_sending() -> None:
    (one,), s = audit([], handed_out(verdict="Reversed"))

    assert one.result is AuditResult.DIED
    assert s.transport.sent == []


@pytest.mark.parametrize("seconds", [0.0, 330.0, AUDIT_AFTER_SECONDS - 1])
def test_nothing_is_sent_before_the_last_undo_is_sixteen_minutes_old(seconds: float) -> None:
    (one,), s = audit([], handed_out(last_undo_at=WALL_AT_START - seconds))

    assert one.result is AuditResult.NOT_DUE
    assert s.transport.sent == []
    assert s.entry().audited_at is None


@pytest.mark.parametrize(
    "changes",
    [
        {"facts": Facts(doubtful=True, undone=True), "verdict": ""},
        {"facts": Facts(doubtful=True, undone=True), "verdict": "Reversed"},
        {"last_undo_at": None},
        {"audited_at": WALL_AT_START - 60},
        {"partner_id": "Tom"},
        {"operation": "Retired"},
    ],
    ids=" ".join,
)
def test_what_is_not_to_be_audited_is_not_sent(changes: dict[str, object]) -> None:
    found, s = audit([], handed_out(**changes))

    assert found == []
    assert s.transport.sent == []


def test_a_record_that_is_not_confirmed_when_the_call_begins_stops_it() -> None:
    async def main() -> None:
        async with stage([]) as s:
            await put(s, handed_out())
            run_it, inner = s.session._runner.run, s.journal.inner

            async def forgotten(call: object) -> object:
                inner._entries["Issue", "Toy1"] = left_open()
                return await run_it(call)

            s.session._runner.run = forgotten

            assert await results(s) == [AuditResult.IN_DOUBT]
            assert s.transport.sent == []

    run(main())


@pytest.mark.parametrize(
    "script", [["resend", "live"], ["throttled", "live"], [LOST, "unclear", "live"]]
)
def test_whatever_is_answered_nothing_is_undone(script: list[Step]) -> None:
    (one,), s = audit(script, handed_out())

    assert one.result is AuditResult.LIVES
    assert set(s.transport.operations) == {"Issue"}


def test_a_card_of_which_nothing_is_learnt_is_looked_at_again() -> None:
    async def main() -> None:
        async with stage(["refused", "live"]) as s:
            await put(s, handed_out())

            assert await results(s) == [AuditResult.IN_DOUBT]
            assert s.entry().audited_at is None
            assert await results(s) == [AuditResult.LIVES]

    run(main())


def test_what_is_too_old_to_be_sent_again_is_told_once_and_not_sent() -> None:
    async def main() -> None:
        old = {"first_sent_at": WALL_AT_START - 90_000, "last_undo_at": WALL_AT_START - 89_000}
        async with stage([]) as s:
            await put(s, handed_out(**old))

            assert await results(s) == [AuditResult.ONLY_BY_READING]
            assert await results(s) == []
            assert s.transport.sent == []

    run(main())


def test_what_no_replay_can_show_is_left_to_the_books() -> None:
    (one,), s = audit([], handed_out(operation="Pour"))

    assert one.result is AuditResult.ONLY_BY_READING
    assert s.transport.sent == []


@pytest.mark.parametrize(
    ("word", "result"), [("awake", AuditResult.LIVES), ("asleep", AuditResult.DIED)]
)
def test_where_a_replay_repeats_the_first_answer_the_card_is_looked_up(
    word: str, result: AuditResult
) -> None:
    (one,), s = audit([word], handed_out(operation="Wake", gc_id="seen-Toy1"))

    assert one.result is result
    assert s.transport.operations == ["IsAwake"]


@pytest.mark.parametrize(
    ("changes", "result"),
    [
        ({"verdict": "Issued", "facts": HANDED_OUT}, AuditResult.UNDONE),
        ({"verdict": ""}, AuditResult.IN_DOUBT),
        ({"verdict": "Declined"}, AuditResult.LIVES),
    ],
    ids=["done", "in doubt", "declined"],
)
def test_a_card_that_the_caller_wanted_undone_is_no_alarm(
    changes: dict[str, object], result: AuditResult
) -> None:
    undo = left_open(operation="TakeBack", **changes)
    found, s = audit(["live"], handed_out(), undo)

    assert [one.result for one in found] == [result]
    assert len(s.transport.sent) == (result is AuditResult.LIVES)
    assert not [event for event in s.events if isinstance(event, CardDiedAfterHandout)]


def test_the_card_of_a_successor_is_looked_at_under_the_successor() -> None:
    live_id = str(RequestId("Toy1").successor(PARTNER, 1))
    facts = Facts(epoch=1, doubtful=True, confirmed=True)
    (one,), s = audit(["live"], handed_out(facts=facts, live_id=live_id, gc_id=f"gc-{live_id}"))

    assert (one.result, one.live_id) == (AuditResult.LIVES, live_id)
    assert str(s.transport.sent[0]) == f"Issue {live_id} 10.00 USD"


def test_an_undo_is_on_record_with_its_time_and_stays_there_under_the_successor() -> None:
    async def main() -> None:
        async with stage(["resend", "undone", "dead", "live"]) as s:
            await s.issue()
            entry = s.entry()

            assert entry.facts.epoch == 1
            assert entry.last_undo_at == pytest.approx(WALL_AT_START + s.transport.times[1], abs=1)
            assert await results(s) == [AuditResult.NOT_DUE]

    run(main())


def test_a_card_without_an_undo_is_never_looked_at() -> None:
    async def main() -> None:
        async with stage(["live"]) as s:
            await s.issue()
            await asyncio.sleep(3600)

            assert await results(s) == []
            assert len(s.transport.sent) == 1

    run(main())


def test_a_journal_that_fails_costs_one_audit_and_raises_the_alarm_all_the_same() -> None:
    async def main() -> None:
        # The writes of an audit: open, sending, answered, and that it has ended.
        async with stage(["dead", "live"], journal=JournalSpy(fail=frozenset({4}))) as s:
            await put(s, handed_out())
            assert await results(s) == [AuditResult.DIED]
            assert s.entry().audited_at is None
            assert await results(s) == [AuditResult.DIED]
            assert s.entry().audited_at is not None
            assert len([e for e in s.events if isinstance(e, CardDiedAfterHandout)]) == 2

    run(main())


def test_whoever_moves_the_entry_on_meanwhile_leaves_it_unaudited() -> None:
    async def main() -> None:
        async with stage(["live", "live"], journal=JournalSpy(stale=frozenset({4}))) as s:
            await put(s, handed_out())

            assert await results(s) == [AuditResult.LIVES]
            assert s.entry().audited_at is None
            assert await results(s) == [AuditResult.LIVES]

    run(main())


def test_one_bad_entry_does_not_cost_the_others_their_audits() -> None:
    bad = handed_out(body=b"one word too many for it")
    found, _ = audit(["live"], bad, handed_out("Toy2"))

    assert {one.request_id: one.result for one in found} == {
        "Toy1": AuditResult.IN_DOUBT,
        "Toy2": AuditResult.LIVES,
    }


@dataclass(slots=True)
class Slow(JournalSpy):
    """A journal whose list is older than its entries; from the n-th look on, they are audited."""

    audited_from: int = 1
    looks: int = 0

    async def find(self, operation: str, request_id: str) -> Entry | None:
        self.looks += 1
        found = await self.inner.find(operation, request_id)
        if found is not None and self.looks >= self.audited_from:
            return replace(found, audited_at=WALL_AT_START)
        return found


@pytest.mark.parametrize(("audited_from", "sends"), [(1, 0), (2, 1)])
def test_what_somebody_else_has_audited_meanwhile_is_left_alone(
    audited_from: int, sends: int
) -> None:
    async def main() -> None:
        async with stage(["live"], journal=Slow(audited_from=audited_from)) as s:
            await put(s, handed_out())

            assert await results(s) == [AuditResult.LIVES] * sends
            assert len(s.transport.sent) == sends
            assert s.entry().audited_at is None

    run(main())


def test_of_two_audits_at_once_one_looks() -> None:
    async def main() -> None:
        async with stage([After(1, "live")]) as s:
            await put(s, handed_out())
            found = await asyncio.gather(results(s), results(s))

            assert sorted(found) == [[], [AuditResult.LIVES]]
            assert len(s.transport.sent) == 1

    run(main())


def test_what_has_no_undo_is_only_replayed() -> None:
    (one,), s = audit(["live"], handed_out(operation="Stamp", gc_id=None))

    assert one.result is AuditResult.LIVES
    assert s.transport.operations == ["Stamp"]


def test_a_journal_that_cannot_be_gone_through_is_told() -> None:
    class Broken(JournalSpy):
        async def entries(self, _which: object = None) -> object:
            raise JournalError("the disk has gone")
            yield

    async def main() -> None:
        async with stage([], journal=Broken()) as s:
            with pytest.raises(JournalError):
                await results(s)

    run(main())
