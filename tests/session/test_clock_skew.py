"""A clock that is off: corrected where it can be, refused where it must be, never in the way."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from agcod_async.agcod import AgcodSession
from agcod_async.batch import Issued, issue_many
from agcod_async.core.outcomes import Reply
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.errors import DeclinedError, InDoubtError, UnavailableError
from agcod_async.events import Event, SkewNoticed
from agcod_async.journal.memory import MemoryJournal
from agcod_async.testing import (
    AfterCancel,
    CardStatus,
    Emulator,
    EmulatorConfig,
    FaultKind,
    FaultRule,
    FaultScript,
    Semantics,
)
from agcod_async.testing.clock import run, virtual_clock
from tests.support.fair import SETTINGS, Fair, order, troubled
from tests.support.through import Meddle, Through, without_date

MINUTE = 60.0
FEW_SECONDS = 4.0
CORRECTABLE = [-3 * MINUTE, -MINUTE, MINUTE, 3 * MINUTE]
PATIENT_SECONDS = 3600.0


@dataclass(slots=True)
class Wall:
    """This machine's wall clock, which somebody may set."""

    ahead: float = 0.0


@dataclass(slots=True)
class Stage:
    session: AgcodSession
    emulator: Emulator
    through: Through
    wall: Wall
    journal: MemoryJournal
    events: list[Event] = field(default_factory=list)

    async def create(self, number: int, **options: Any) -> Any:
        one = order(number)
        return await self.session.create_gift_card(
            request_id=one.request_id, amount=one.amount, **options
        )

    async def creates(self, *numbers: int) -> None:
        for number in numbers:
            await self.create(number)

    @property
    def errors(self) -> list[float]:
        """By how much each signature's date was off the emulator's clock."""
        return [one.error_seconds for one in self.through.dated]

    @property
    def live(self) -> int:
        return sum(card.status is CardStatus.LIVE for card in self.emulator.ledger.cards())


@asynccontextmanager
async def stage(
    ahead: float = 0.0,
    *,
    meddle: Meddle = lambda _, reply: reply,
    seconds: tuple[float, float] = (0.05, 0.05),
    policy: RecoveryPolicy | None = None,
    journal: MemoryJournal | None = None,
    **knobs: Any,
) -> AsyncIterator[Stage]:
    """Open a session on a machine whose clock is so far ahead of the emulator's."""
    wall, events = Wall(), list[Event]()
    calm = virtual_clock()
    clock = replace(calm, wall=lambda: calm.wall() + wall.ahead)
    emulator = Emulator(EmulatorConfig(clock_ahead_seconds=-ahead, **knobs), clock=calm)
    through = Through(emulator, seconds, meddle)
    journal = MemoryJournal() if journal is None else journal
    async with AgcodSession(
        SETTINGS,
        transport=through,
        journal=journal,
        observers=[events.append],
        policy=policy or RecoveryPolicy(),
        clock=clock,
    ) as session:
        yield Stage(session, emulator, through, wall, journal, events)


# --- corrected --------------------------------------------------------------------------------


@pytest.mark.parametrize("ahead", CORRECTABLE)
def test_from_the_third_request_on_the_servers_time_is_signed_with(ahead: float) -> None:
    async def main() -> None:
        async with stage(ahead) as s:
            assert s.session.clock_skew_seconds is None
            await s.creates(*range(6))

            assert s.errors[:2] == pytest.approx([ahead] * 2, abs=1.5)
            assert s.errors[2:] == pytest.approx([0.0] * 4, abs=FEW_SECONDS)
            assert s.session.clock_skew_seconds == pytest.approx(ahead, abs=FEW_SECONDS)
            assert s.live == 6

    run(main())


@pytest.mark.parametrize("seconds", [(0.0, 0.0), (5.0, 0.5), (0.5, 5.0)])
@pytest.mark.parametrize("ahead", CORRECTABLE)
def test_a_slow_or_lopsided_network_spoils_no_signature(
    ahead: float, seconds: tuple[float, float]
) -> None:
    async def main() -> None:
        async with stage(ahead, seconds=seconds) as s:
            await s.creates(*range(5))

            there = seconds[0]
            assert s.errors[2:] == pytest.approx([-there] * 3, abs=FEW_SECONDS + sum(seconds) / 2)

    run(main())


@pytest.mark.parametrize("ahead", [-3 * MINUTE, 3 * MINUTE])
def test_a_first_request_that_is_refused_for_its_date_heals_by_itself(ahead: float) -> None:
    async def main() -> None:
        async with stage(ahead, signature_age_max_seconds=120) as s:
            card = await s.create(1)

            assert card.attempts == 2
            assert s.errors == pytest.approx([ahead, 0.0], abs=FEW_SECONDS)
            assert s.emulator.arrivals.by_result == {"unauthenticated": 1, "SUCCESS": 1}

    run(main())


def test_many_calls_at_once_heal_together() -> None:
    async def main() -> None:
        async with stage(3 * MINUTE, signature_age_max_seconds=120) as s:
            orders = [order(number) for number in range(40)]
            receipts = [one async for one in issue_many(s.session, orders, concurrency=40)]

            assert all(isinstance(one.verdict, Issued) for one in receipts)
            assert s.live == 40

    run(main())


@pytest.mark.parametrize("ahead", [*CORRECTABLE, 0.0])
def test_a_batch_through_every_fault_keeps_its_promises_whatever_the_clock(ahead: float) -> None:
    async def main() -> None:
        script = troubled(0.3, 7)
        knobs = {"faults": script, "seed": 7, "semantics": Semantics(AfterCancel.REISSUE)}
        async with stage(ahead, **knobs) as s:
            orders = [order(number) for number in range(120)]
            deadline = PATIENT_SECONDS
            receipts = [
                one async for one in issue_many(s.session, orders, deadline_seconds=deadline)
            ]

            Fair(s.emulator, journal=s.journal).check(receipts)
            assert sum(isinstance(one.verdict, Issued) for one in receipts) >= 100

    run(main())


def test_times_on_record_are_those_of_this_machines_clock() -> None:
    async def main() -> None:
        async with stage(-3 * MINUTE) as s:
            await s.creates(1, 2, 3)
            entry = s.journal._entries["CreateGiftCard", str(order(3).request_id)]
            wall = s.emulator.wall - 3 * MINUTE

            for at in (entry.created_at, entry.first_sent_at, entry.last_sent_at, entry.updated_at):
                assert at == pytest.approx(wall, abs=1.0)

    run(main())


# --- refused ----------------------------------------------------------------------------------


@pytest.mark.parametrize("ahead", [-5 * MINUTE, -6 * MINUTE, 6 * MINUTE])
def test_a_clock_that_is_far_off_moves_no_value_and_says_why(ahead: float) -> None:
    async def main() -> None:
        async with stage(ahead) as s:
            for number in range(3):
                with pytest.raises(UnavailableError) as raised:
                    await s.create(number)
                message = str(raised.value)
                (shown,) = re.findall(r"clock is (\d+) s", message)
                assert float(shown) == pytest.approx(abs(ahead), abs=FEW_SECONDS)
                assert ("ahead of" if ahead > 0 else "behind") in message
                assert "240 s" in message
                assert "set the clock" in message
                entry = s.journal._entries["CreateGiftCard", str(order(number).request_id)]
                assert entry.verdict == "Unavailable"

            assert s.emulator.arrivals.total == 1, "after the first one nothing is sent"
            assert s.session.clock_skew_seconds == pytest.approx(ahead, abs=FEW_SECONDS)
            assert s.live == 0

    run(main())


def test_a_clock_that_is_far_ahead_but_let_in_is_refused_once_two_dates_say_so() -> None:
    async def main() -> None:
        async with stage(5 * MINUTE - 2) as s:
            await s.creates(1, 2)
            with pytest.raises(UnavailableError, match="ahead of the server's"):
                await s.create(3)

            assert s.emulator.arrivals.total == 2

    run(main())


def test_a_read_is_still_sent_and_signed_with_the_servers_time() -> None:
    async def main() -> None:
        async with stage(-10 * MINUTE) as s:
            funds = await s.session.get_available_funds()
            assert funds.amount.amount == 1_000_000
            assert s.errors == pytest.approx([-600.0, 0.0], abs=FEW_SECONDS)
            with pytest.raises(UnavailableError, match="behind the server's"):
                await s.create(1)

    run(main())


def test_what_may_have_worked_before_the_clock_was_set_wrong_is_in_doubt() -> None:
    async def main() -> None:
        rules = (FaultRule(fault=FaultKind.LOSE_REPLY, operation="CreateGiftCard", nth=3),)
        async with stage(faults=FaultScript(rules=rules)) as s:
            await s.creates(1, 2)

            async def set_wrong() -> None:
                await asyncio.sleep(3)
                s.wall.ahead = -10 * MINUTE

            with pytest.raises(InDoubtError) as raised:
                await asyncio.gather(s.create(3), set_wrong())
            assert "behind the server's" in str(raised.value)
            assert s.live == 3

            s.wall.ahead = 0.0
            (told,) = await s.session.reconcile()
            assert told.error is None
            assert s.live == 3

    run(main())


def test_once_the_clock_is_set_right_the_same_call_goes_through() -> None:
    async def main() -> None:
        async with stage(-6 * MINUTE) as s:
            with pytest.raises(UnavailableError):
                await s.create(1)
            s.wall.ahead = 6 * MINUTE
            assert s.session.clock_skew_seconds is None
            await s.create(1)

            assert s.errors[1:] == pytest.approx([0.0], abs=FEW_SECONDS)

    run(main())


def test_a_measurement_is_believed_for_ten_minutes_and_then_made_again() -> None:
    async def main() -> None:
        async with stage(-6 * MINUTE) as s:
            for sent in (1, 1, 2):
                with pytest.raises(UnavailableError):
                    await s.create(1)
                assert s.emulator.arrivals.total == sent
                await asyncio.sleep(9 * MINUTE)
                await asyncio.sleep(0 if sent == 1 else MINUTE + 1)
            assert s.live == 0

    run(main())


# --- clocks that are set in the middle --------------------------------------------------------


@pytest.mark.parametrize(
    ("ahead", "step"),
    [
        *((0.0, step * MINUTE) for step in (-3, -1, 1, 3)),
        *((-MINUTE, step * MINUTE) for step in (-2, -1, 1, 3)),
        *((MINUTE, step * MINUTE) for step in (-3, -1, 1, 2)),
    ],
)
def test_a_clock_that_is_set_in_the_middle_costs_nothing(ahead: float, step: float) -> None:
    async def main() -> None:
        async with stage(ahead) as s:
            await s.creates(*range(4))
            s.wall.ahead = step
            await s.creates(*range(4, 8))

            assert s.live == 8
            assert s.errors[2:4] == pytest.approx([0.0] * 2, abs=FEW_SECONDS)
            off = ahead + step
            assert s.errors[4:6] == pytest.approx([off] * 2, abs=FEW_SECONDS)
            assert s.errors[6:] == pytest.approx([0.0] * 2, abs=FEW_SECONDS)

    run(main())


# --- Dates that lie ---------------------------------------------------------------------------


def lying(number: int, seconds: float) -> Meddle:
    """Return what spoils the Date of one reply."""

    def meddle(reply_number: int, reply: Reply) -> Reply:
        if reply_number != number or reply.date is None:
            return reply
        return replace(reply, date=reply.date + seconds)

    return meddle


@pytest.mark.parametrize("seconds", [-1e9, -600.0, 100.0, 600.0, 1e9])
@pytest.mark.parametrize("number", range(5))
def test_one_strange_date_does_no_harm(number: int, seconds: float) -> None:
    async def main() -> None:
        async with stage(meddle=lying(number, seconds)) as s:
            await s.creates(*range(8))

            assert s.errors == pytest.approx([0.0] * 8, abs=FEW_SECONDS)
            assert [event for event in s.events if isinstance(event, SkewNoticed)] == []

    run(main())


def test_a_proxy_that_makes_up_every_date_does_no_harm() -> None:
    async def main() -> None:
        made_up = [1e9, -7e5, 3.5e3, -3.5e3, 1e4, 77.0, -120.0, 4e4]

        def meddle(number: int, reply: Reply) -> Reply:
            return replace(reply, date=made_up[number])

        async with stage(meddle=meddle) as s:
            await s.creates(*range(8))

            assert s.errors == pytest.approx([0.0] * 8, abs=FEW_SECONDS)

    run(main())


def test_a_proxy_that_is_off_by_minutes_in_every_reply_spoils_no_request() -> None:
    async def main() -> None:
        def meddle(_: int, reply: Reply) -> Reply:
            assert reply.date is not None
            return replace(reply, date=reply.date + 200)

        async with stage(meddle=meddle) as s:
            await s.creates(*range(8))

            assert s.live == 8
            assert max(map(abs, s.errors)) < 240 + FEW_SECONDS

    run(main())


def test_the_error_page_of_a_proxy_with_a_wrong_clock_is_not_listened_to() -> None:
    async def main() -> None:
        def meddle(number: int, reply: Reply) -> Reply:
            if number < 2 or number > 5 or reply.date is None:
                return reply
            return Reply(502, "text/html", b"<html>Bad Gateway</html>", reply.date - 600)

        async with stage(meddle=meddle) as s:
            await s.creates(*range(6))

            assert s.through.replies == 10
            assert s.errors == pytest.approx([0.0] * 10, abs=FEW_SECONDS)

    run(main())


@pytest.mark.parametrize("ahead", CORRECTABLE)
def test_without_dates_nothing_is_corrected(ahead: float) -> None:
    async def main() -> None:
        async with stage(ahead, meddle=without_date) as s:
            await s.creates(*range(5))

            assert s.errors == pytest.approx([ahead] * 5, abs=1.5)
            assert s.session.clock_skew_seconds is None

    run(main())


@pytest.mark.parametrize("ahead", [-6 * MINUTE, 6 * MINUTE])
def test_without_dates_a_refusal_for_the_date_is_final(ahead: float) -> None:
    async def main() -> None:
        async with stage(ahead, meddle=without_date) as s:
            with pytest.raises(DeclinedError, match="Set this machine's clock"):
                await s.create(1)
            assert s.emulator.arrivals.total == 1

    run(main())


# --- what is late -----------------------------------------------------------------------------


def late_cancel(seconds: float) -> FaultScript:
    """The first create is answered with F400 after its effect, the first cancel lands late."""
    rules = (
        FaultRule(fault=FaultKind.F400_AFTER, operation="CreateGiftCard"),
        FaultRule(fault=FaultKind.LAND_LATE, operation="CancelGiftCard", seconds=seconds),
    )
    return FaultScript(rules=rules)


@pytest.mark.parametrize("ahead", [-3 * MINUTE, 0.0, 3 * MINUTE])
def test_a_card_is_held_until_the_last_cancel_has_expired_on_the_servers_clock(
    ahead: float,
) -> None:
    async def main() -> None:
        # As late as the server lets it in: five minutes after the date in its signature.
        script = late_cancel(300 + ahead - 5)
        knobs = {"faults": script, "semantics": Semantics(AfterCancel.REISSUE)}
        async with stage(ahead, **knobs) as s:
            card = await s.create(1, deadline_seconds=PATIENT_SECONDS)
            s.emulator.land_everything()

            (cancel, *_) = [one for one in s.through.dated if one.operation == "CancelGiftCard"]
            last = s.through.dated[-1]
            assert last.arrived_at > cancel.signed_at + 300
            live = s.emulator.ledger.card(str(card.request_id))
            assert live is not None
            assert live.status is CardStatus.LIVE
            assert live.claim_code == card.claim_code

    run(main())


@pytest.mark.parametrize("ahead", [-3 * MINUTE, 3 * MINUTE])
def test_another_process_with_another_clock_waits_as_long(ahead: float) -> None:
    async def main() -> None:
        script = late_cancel(280)
        knobs = {"faults": script, "semantics": Semantics(AfterCancel.REISSUE)}
        journal = MemoryJournal()
        async with stage(journal=journal, **knobs) as first:
            with pytest.raises(InDoubtError):
                await first.create(1, deadline_seconds=5)
            cancel = first.through.dated[-1]
            assert cancel.operation == "CancelGiftCard"

            calm = virtual_clock()
            clock = replace(calm, wall=lambda: calm.wall() + ahead)
            through = Through(first.emulator)
            async with AgcodSession(
                SETTINGS, transport=through, journal=journal, clock=clock
            ) as second:
                (told,) = await second.reconcile(deadline_seconds=PATIENT_SECONDS)
            assert told.error is None
            first.emulator.land_everything()

            assert through.dated[-1].arrived_at > cancel.signed_at + 300
            assert first.live == 1

    run(main())


def late_cancel_of(number: int, seconds: float) -> FaultScript:
    rules = (
        FaultRule(
            fault=FaultKind.F400_AFTER,
            operation="CreateGiftCard",
            request_id=str(order(number).request_id),
        ),
        FaultRule(fault=FaultKind.LAND_LATE, operation="CancelGiftCard", seconds=seconds),
    )
    return FaultScript(rules=rules)


@pytest.mark.parametrize("ahead", CORRECTABLE)
def test_the_horizon_on_record_is_right_for_every_clock(ahead: float) -> None:
    async def main() -> None:
        async with stage(ahead, faults=late_cancel_of(9, 100)) as s:
            await s.creates(1, 2, 3)
            with pytest.raises(InDoubtError):
                await s.create(9, deadline_seconds=5)
            cancel = s.through.dated[-1]
            entry = s.journal._entries["CreateGiftCard", str(order(9).request_id)]

            assert cancel.operation == "CancelGiftCard"
            assert abs(cancel.error_seconds) < FEW_SECONDS
            assert entry.effects_until is not None
            assert entry.effects_until >= cancel.signed_at + 330
            assert entry.effects_until >= cancel.arrived_at + ahead + 330 - FEW_SECONDS

    run(main())


def test_a_date_that_lies_and_a_clock_that_is_set_cut_no_wait_short() -> None:
    async def main() -> None:
        wall: list[Wall] = []

        def meddle(number: int, reply: Reply) -> Reply:
            if number == 5:  # the create that was sent once more: its success is held
                wall[0].ahead = 400
            assert reply.date is not None
            return replace(reply, date=reply.date + 200)

        script = late_cancel_of(9, 490)  # signed 200 s ahead, so let in for that long
        knobs = {"faults": script, "semantics": Semantics(AfterCancel.REISSUE)}
        async with stage(meddle=meddle, **knobs) as s:
            wall.append(s.wall)
            await s.creates(1, 2, 3)
            card = await s.create(9, deadline_seconds=PATIENT_SECONDS)
            s.emulator.land_everything()
            cancel = next(one for one in s.through.dated if one.operation == "CancelGiftCard")

            assert cancel.error_seconds == pytest.approx(200, abs=FEW_SECONDS)
            live = s.emulator.ledger.card(str(card.request_id))
            assert live is not None
            assert live.status is CardStatus.LIVE

    run(main())


def test_what_is_learnt_of_the_clocks_while_a_card_is_held_makes_the_wait_longer() -> None:
    async def main() -> None:
        knows = False

        def meddle(_: int, reply: Reply) -> Reply:
            return reply if knows else replace(reply, date=None)

        # Signed three minutes ahead while nothing was known of it, so let in for that long.
        script = late_cancel_of(9, 300 + 3 * MINUTE - 5)
        knobs = {"faults": script, "semantics": Semantics(AfterCancel.REISSUE)}
        async with stage(3 * MINUTE, meddle=meddle, **knobs) as s:
            held = asyncio.create_task(s.create(9, deadline_seconds=PATIENT_SECONDS))
            await asyncio.sleep(MINUTE)
            knows = True
            await s.creates(1, 2, 3)
            assert s.session.clock_skew_seconds == pytest.approx(3 * MINUTE, abs=FEW_SECONDS)
            card = await held
            s.emulator.land_everything()

            cancel = next(one for one in s.through.dated if one.operation == "CancelGiftCard")
            assert cancel.error_seconds == pytest.approx(3 * MINUTE, abs=FEW_SECONDS)
            live = s.emulator.ledger.card(str(card.request_id))
            assert live is not None
            assert live.status is CardStatus.LIVE

    run(main())


# --- what an operator sees --------------------------------------------------------------------


def test_a_clock_that_is_off_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with stage(-MINUTE) as s:
            await s.creates(*range(10))

            (event,) = [event for event in s.events if isinstance(event, SkewNoticed)]
            assert event.skew_seconds == pytest.approx(-MINUTE, abs=FEW_SECONDS)

    with caplog.at_level(logging.WARNING, "agcod_async"):
        run(main())
    (line,) = caplog.messages
    assert "behind the server's" in line
    assert "NTP" in line


def test_a_clock_that_is_right_is_not_told_of(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with stage() as s:
            await s.creates(*range(10))
            assert abs(s.session.clock_skew_seconds or 99) < FEW_SECONDS
            assert s.errors == pytest.approx([0.0] * 10, abs=1.5)

    with caplog.at_level(logging.WARNING, "agcod_async"):
        run(main())
    assert caplog.messages == []
