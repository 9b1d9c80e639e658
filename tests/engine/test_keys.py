"""Keys that Amazon refuses: another one signs, or calls wait, and no order fails for it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from agcod_async.core.outcomes import Outdated, Reason, Refused, Reply
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.core.verdicts import Unavailable
from agcod_async.credentials import CredentialsProvider, RotatingCredentials
from agcod_async.engine.call import Call
from agcod_async.engine.keyring import POLL_SECONDS, RETRY_SECONDS, Keyring
from agcod_async.errors import AccountError, InDoubtError, UnavailableError
from agcod_async.events import AttemptEnded, KeyAged, KeyRefused
from agcod_async.pacing.port import Lane
from agcod_async.providers.base import Operation, UndoLeg
from agcod_async.testing.clock import WALL_AT_START, run, virtual_clock
from agcod_async.values import Credentials
from tests.support.permits import FreePacer, Wait
from tests.support.scripted import HANG, LOST, After, Sent, Step
from tests.support.stage import SETTINGS, Stage, stage
from tests.support.toy import COUNT, ISSUE, ToyCard, ToyQuestion, ToyRequest, card_outcome, order
from tests.support.toy import undo_outcome as toy_undo_outcome

OLD = Credentials(access_key_id="OLDKEYEXAMPLEOLD1", secret_access_key="old-secret")
NEW = Credentials(access_key_id="NEWKEYEXAMPLENEW2", secret_access_key="new-secret")
OTHER = Credentials(access_key_id="OTHERKEYEXAMPLE3", secret_access_key="other-secret")
WHY = Reason("the toy knows no such key. Ask the toy shop.", "F300", "InvalidAccessKey")


def _card(request: ToyRequest, reply: Reply) -> object:
    return Refused(WHY, of_key=True) if reply.body == b"key" else card_outcome(request, reply)


def _undo(request: ToyRequest, reply: Reply) -> object:
    return Refused(WHY, of_key=True) if reply.body == b"key" else toy_undo_outcome(request, reply)


def _keyed() -> Operation[ToyRequest, ToyCard]:
    """The toy's operation, which knows one more reply: `key`."""
    undo = ISSUE.undo
    assert isinstance(undo, UndoLeg)
    return replace(ISSUE, outcome=_card, undo=replace(undo, outcome=_undo))  # type: ignore[arg-type]


KEYED = _keyed()


def key_of(sent: Sent) -> str:
    """Return the access key ID that a request was signed with."""
    return sent.headers["authorization"].partition("Credential=")[2].partition("/")[0]


@dataclass(slots=True)
class Door:
    """Lets requests in by their keys, and answers them from a script, in the end `live`."""

    accepted: set[str]
    script: Sequence[Step] = ()
    _answered: int = 0

    def __call__(self, sent: Sent) -> Step:
        if key_of(sent) not in self.accepted:
            return "key"
        self._answered += 1
        return self.script[self._answered - 1] if self._answered <= len(self.script) else "live"


@asynccontextmanager
async def at(
    door: Callable[[Sent], Step], credentials: Credentials | CredentialsProvider, **options: object
) -> AsyncIterator[Stage]:
    settings = replace(SETTINGS, credentials=credentials)
    async with stage(door, settings=settings, **options) as s:  # type: ignore[arg-type]
        yield s


async def issue(s: Stage, request_id: str = "Toy1", **options: object) -> object:
    return await s.issue(request_id, operation=KEYED, **options)  # type: ignore[arg-type]


def keys_used(s: Stage) -> list[str]:
    return [key_of(sent) for sent in s.transport.sent]


def test_a_refused_key_is_followed_by_the_one_before_it_and_the_order_is_issued() -> None:
    async def main() -> None:
        keys = RotatingCredentials(NEW, OLD)
        async with at(Door({OLD.access_key_id}), keys) as s:
            await issue(s)

            assert keys_used(s) == [NEW.access_key_id, OLD.access_key_id]
            assert len({sent.body for sent in s.transport.sent}) == 1
            attempts = [e.attempt for e in s.events if isinstance(e, AttemptEnded)]
            assert [a.outcome for a in attempts] == ["Untouched", "Applied"]
            assert s.entry().verdict == "Issued"

            await issue(s, "Toy2")
            assert keys_used(s)[2:] == [OLD.access_key_id]  # what is known need not be learnt again

    run(main())


def test_with_one_key_and_no_provider_a_refusal_is_final_as_nobody_can_supply_another() -> None:
    async def main() -> None:
        async with at(Door(set()), OLD) as s:
            with pytest.raises(AccountError) as caught:
                await issue(s)

            assert caught.value.error_type == "InvalidAccessKey"
            assert asyncio.get_running_loop().time() < 1
            assert not any(isinstance(event, KeyRefused) for event in s.events)

    run(main())


def test_with_one_key_and_no_provider_a_refusal_after_a_lost_reply_stays_in_doubt() -> None:
    async def main() -> None:
        async with at(lambda _: replies.pop(0), OLD) as s:
            with pytest.raises(InDoubtError):
                await issue(s)
            assert s.entry().is_open

    replies: list[Step] = [LOST, "key"]
    run(main())


def test_while_no_key_is_accepted_orders_wait_and_go_on_with_the_one_that_is_supplied() -> None:
    async def main() -> None:
        keys, door = RotatingCredentials(OLD), Door({NEW.access_key_id})
        async with at(door, keys) as s:
            orders = [asyncio.create_task(issue(s, f"Toy{n}")) for n in range(20)]
            await asyncio.sleep(20)
            assert len(s.transport.sent) == 20
            assert not any(order.done() for order in orders)

            keys.use(NEW)
            await asyncio.sleep(POLL_SECONDS + 1)
            assert all(order.done() for order in orders)
            await asyncio.gather(*orders)
            assert keys_used(s)[20:] == [NEW.access_key_id] * 20
            bodies = [sent.body for sent in s.transport.sent]
            assert sorted(bodies[:20]) == sorted(bodies[20:])

    run(main())


def test_a_deadline_that_ends_in_the_pause_says_that_nothing_was_issued_and_why() -> None:
    async def main() -> None:
        async with at(Door(set()), RotatingCredentials(OLD)) as s:
            with pytest.raises(UnavailableError) as caught:
                await issue(s, deadline_seconds=10)

            told = str(caught.value)
            assert caught.value.code == "F300"
            assert "no access key is accepted" in told
            assert "…OLD1" in told
            assert "Ask the toy shop." in told
            assert OLD.access_key_id not in told
            await asyncio.sleep(0.01)
            assert s.entry().verdict == "Unavailable"
            assert len(s.transport.sent) == 1

    run(main())


def test_a_call_ends_by_itself_at_its_deadline_though_somebody_would_wait_longer() -> None:
    async def main() -> None:
        async with at(Door(set()), RotatingCredentials(OLD)) as s:
            call = Call(
                intent=KEYED.bind(order()),
                policy=RecoveryPolicy(),
                lane=Lane.INTERACTIVE,
                started_at=0.0,
                deadline_at=5.0,
            )
            ended = await s.session._runner.run(call)

            assert isinstance(ended.verdict, Unavailable)
            assert "no access key is accepted" in str(ended.verdict.reason)
            assert asyncio.get_running_loop().time() == pytest.approx(5.0, abs=0.1)
            assert s.entry().verdict == "Unavailable"

    run(main())


def test_a_deadline_that_ends_in_the_pause_is_in_doubt_if_anything_before_may_have_worked() -> None:
    async def main() -> None:
        door = Door({OLD.access_key_id}, [LOST])
        async with at(door, RotatingCredentials(OLD)) as s:
            ordered = asyncio.create_task(issue(s, deadline_seconds=30))
            await asyncio.sleep(0.01)
            door.accepted.clear()
            with pytest.raises(InDoubtError) as caught:
                await ordered

            assert "no access key is accepted" in str(caught.value)
            assert s.entry().is_open
            assert s.entry().facts.doubtful

    run(main())


@pytest.mark.parametrize("slow_seconds", [0.0, 0.3])
def test_a_caller_whose_own_deadline_comes_first_hears_of_the_key_too(slow_seconds: float) -> None:
    async def main() -> None:
        async with at(Door(set()), RotatingCredentials(OLD)) as s:
            patient = asyncio.create_task(issue(s, deadline_seconds=60))
            await asyncio.sleep(2 + slow_seconds)
            with pytest.raises(InDoubtError, match="no access key is accepted"):
                await issue(s, deadline_seconds=5)
            with pytest.raises(UnavailableError, match="no access key is accepted"):
                await patient

    run(main())


def test_a_key_that_is_made_active_again_is_found_by_one_attempt_now_and_then() -> None:
    async def main() -> None:
        door = Door(set())
        async with at(door, RotatingCredentials(OLD)) as s:
            orders = [
                asyncio.create_task(issue(s, f"Toy{n}", deadline_seconds=3600)) for n in range(5)
            ]
            await asyncio.sleep(4 * RETRY_SECONDS)
            assert 5 + 3 <= len(s.transport.sent) <= 5 + 4

            door.accepted.add(OLD.access_key_id)
            await asyncio.sleep(RETRY_SECONDS + 2 * POLL_SECONDS)
            assert all(order.done() for order in orders)
            await asyncio.gather(*orders)

    run(main())


def test_a_long_pause_uses_up_no_attempts_and_no_budget() -> None:
    async def main() -> None:
        door = Door(set())
        policy = RecoveryPolicy(forward_attempts_max=2)
        async with at(door, RotatingCredentials(OLD), policy=policy) as s:
            ordered = asyncio.create_task(issue(s, deadline_seconds=7200))
            await asyncio.sleep(3600)
            assert len(s.transport.sent) > 50
            assert s.session._runner._budget.tokens == 500
            door.accepted.add(OLD.access_key_id)
            await ordered

    run(main())


def test_a_replay_that_would_come_too_late_after_a_pause_is_not_sent() -> None:
    async def main() -> None:
        door = Door({OLD.access_key_id}, [LOST])
        keys = RotatingCredentials(OLD)
        async with at(door, keys) as s:
            ordered = asyncio.create_task(issue(s, deadline_seconds=300_000))
            await asyncio.sleep(0.01)
            door.accepted = {NEW.access_key_id}
            await asyncio.sleep(90_000)
            keys.use(NEW)
            with pytest.raises(InDoubtError, match="too old"):
                await ordered
            assert NEW.access_key_id not in keys_used(s)

    run(main())


def test_an_undo_is_signed_anew_too_and_no_answer_to_a_bad_key_counts_for_it() -> None:
    async def main() -> None:
        keys = RotatingCredentials(NEW, OLD)
        answers: list[Step] = ["resend", "key", "undone", "live"]

        def door(sent: Sent) -> Step:
            return answers.pop(0)

        async with at(door, keys) as s:
            await issue(s)
            assert s.transport.operations == ["Issue", "TakeBack", "TakeBack", "Issue"]
            assert keys_used(s)[:3] == [NEW.access_key_id, NEW.access_key_id, OLD.access_key_id]
            assert s.entry().facts.undone

    run(main())


def test_a_copy_of_a_request_with_a_refused_key_may_still_be_let_in() -> None:
    async def main() -> None:
        policy = RecoveryPolicy(network_may_duplicate=True)
        async with at(Door(set()), RotatingCredentials(OLD), policy=policy) as s:
            with pytest.raises(InDoubtError):
                await issue(s, deadline_seconds=10)

    run(main())


def test_a_read_waits_for_a_key_as_well() -> None:
    async def main() -> None:
        keys, door = RotatingCredentials(OLD), Door({NEW.access_key_id})
        count = replace(COUNT, outcome=_counted)
        async with at(door, keys) as s:
            counting = asyncio.create_task(s.session.call(count, ToyQuestion("cards")))
            await asyncio.sleep(5)
            keys.use(NEW)
            assert (await counting).answer

            door.accepted.clear()
            with pytest.raises(UnavailableError, match="no access key"):
                await s.session.call(count, ToyQuestion("cards"), deadline_seconds=3)

    run(main())


def _counted(question: ToyQuestion, reply: Reply) -> object:
    return Refused(WHY, of_key=True) if reply.body == b"key" else COUNT.outcome(question, reply)


def test_what_is_under_way_finishes_and_what_follows_is_signed_with_the_new_key() -> None:
    async def main() -> None:
        keys = RotatingCredentials(OLD)
        async with at([After(3, "live"), "live"], keys) as s:
            slow = asyncio.create_task(issue(s))
            await asyncio.sleep(1)
            keys.use(NEW)
            await issue(s, "Toy2")
            await slow
            assert keys_used(s) == [OLD.access_key_id, NEW.access_key_id]

    run(main())


def test_a_call_that_waits_for_its_permit_is_signed_with_the_key_of_the_moment_it_leaves() -> None:
    async def main() -> None:
        keys = RotatingCredentials(OLD)
        async with at(Door({NEW.access_key_id}), keys, pacer=FreePacer([Wait(5)])) as s:
            ordered = asyncio.create_task(issue(s))
            await asyncio.sleep(1)
            keys.use(NEW)
            await ordered
            assert keys_used(s) == [NEW.access_key_id]

    run(main())


def test_a_key_that_is_refused_while_another_call_waits_for_its_permit_wastes_no_send() -> None:
    async def main() -> None:
        keys, door = RotatingCredentials(OLD), Door(set())
        async with at(door, keys, pacer=FreePacer([Wait(5), Wait(0)])) as s:
            waiting = asyncio.create_task(issue(s, "Toy1"))
            await asyncio.sleep(1)
            other = asyncio.create_task(issue(s, "Toy2"))
            await asyncio.sleep(10)
            assert len(s.transport.sent) == 1
            assert s.pacer.ends == ["answered", "unused"]
            door.accepted.add(NEW.access_key_id)
            keys.use(NEW)
            await asyncio.gather(waiting, other)

    run(main())


def test_an_old_answer_does_not_make_a_refused_key_good_again() -> None:
    async def main() -> None:
        keys = RotatingCredentials(NEW, OLD)
        async with at([After(3, "live"), "key", "live", "live"], keys) as s:
            early = asyncio.create_task(issue(s, "Toy1"))
            await asyncio.sleep(1)
            await issue(s, "Toy2")
            await early
            await issue(s, "Toy3")
            assert keys_used(s)[-1] == OLD.access_key_id

    run(main())


def test_nothing_but_an_answer_makes_a_refused_key_good_again() -> None:
    async def main() -> None:
        keys = RotatingCredentials(NEW, OLD)
        async with at(["key", "live", LOST, "live", "live"], keys) as s:
            await issue(s, "Toy1")
            await asyncio.sleep(RETRY_SECONDS + 1)
            await issue(s, "Toy2")  # the attempt that tries the new key again is lost
            assert keys_used(s)[2:] == [NEW.access_key_id, OLD.access_key_id]
            await issue(s, "Toy3")
            assert keys_used(s)[-1] == OLD.access_key_id

    run(main())


def test_what_is_known_of_a_key_outlives_a_change_of_the_others() -> None:
    async def main() -> None:
        vault = Vault([NEW, OLD])
        async with at(Door({OLD.access_key_id, OTHER.access_key_id}), vault) as s:
            await issue(s, "Toy1")
            vault.held = [NEW, OTHER]
            await issue(s, "Toy2")
            assert keys_used(s) == [k.access_key_id for k in (NEW, OLD, OTHER)]

    run(main())


def test_a_call_that_has_its_key_again_does_not_blame_one_later() -> None:
    async def main() -> None:
        keys = RotatingCredentials(OLD)
        async with at(["key", HANG], keys) as s:
            ordered = asyncio.create_task(issue(s, deadline_seconds=8))
            await asyncio.sleep(4)
            keys.use(NEW)
            with pytest.raises(InDoubtError) as caught:
                await ordered
            assert "key" not in str(caught.value)

    run(main())


def test_a_caller_that_leaves_in_the_pause_leaves_nothing_behind() -> None:
    async def main() -> None:
        async with at(Door(set()), RotatingCredentials(OLD)) as s:
            ordered = asyncio.create_task(issue(s))
            await asyncio.sleep(5)
            ordered.cancel()
            with pytest.raises(asyncio.CancelledError):
                await ordered
            await asyncio.sleep(0)
            assert s.entry().verdict == "Unavailable"

    run(main())


# --- providers -----------------------------------------------------------------------------------


@dataclass(slots=True)
class Vault:
    """A provider of one's own."""

    held: list[Credentials] = field(default_factory=list[Credentials])
    broken: bool = False
    asked: int = 0

    def keys(self) -> list[Credentials]:
        self.asked += 1
        if self.broken:
            raise OSError("the vault is sealed, its token was hunter2")
        return list(self.held)


def test_a_vault_that_has_no_key_yet_makes_calls_wait() -> None:
    async def main() -> None:
        vault = Vault()
        async with at(Door({OLD.access_key_id}), vault) as s:
            with pytest.raises(UnavailableError, match="there is no access key to sign with"):
                await issue(s, deadline_seconds=2)
            ordered = asyncio.create_task(issue(s))
            await asyncio.sleep(5)
            vault.held = [OLD]
            await ordered

    run(main())


def test_a_vault_that_fails_leaves_the_last_keys_in_use_and_its_words_out_of_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        vault = Vault([OLD])
        async with at(Door({OLD.access_key_id}), vault) as s:
            vault.broken = True
            for n in range(3):
                await issue(s, f"Toy{n}")
            assert keys_used(s) == [OLD.access_key_id] * 3
            vault.broken = False
            vault.held = [NEW]
            with pytest.raises(UnavailableError):
                await issue(s, "Toy9", deadline_seconds=1)

    run(main())
    said = [r.getMessage() for r in caplog.records if "provider" in r.getMessage()]
    assert said == ["the provider of credentials raised OSError; the last keys stay"]


def test_a_key_that_is_supplied_again_is_not_taken_for_refused_any_more() -> None:
    async def main() -> None:
        vault, door = Vault([OLD]), Door(set())
        async with at(door, vault) as s:
            ordered = asyncio.create_task(issue(s))
            await asyncio.sleep(3)
            vault.held = []
            await asyncio.sleep(3)
            door.accepted.add(OLD.access_key_id)
            vault.held = [OLD]
            await asyncio.sleep(2)
            assert ordered.done()
            await ordered

    run(main())


# --- what is told --------------------------------------------------------------------------------


def test_a_refused_key_is_told_of_once_and_by_its_end(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        keys = RotatingCredentials(NEW, OLD)
        door = Door({OLD.access_key_id})
        async with at(door, keys) as s:
            await asyncio.gather(*(issue(s, f"Toy{n}") for n in range(5)))
            door.accepted.clear()
            with pytest.raises(UnavailableError):
                await issue(s, "Toy9", deadline_seconds=100)
            assert [e for e in s.events if isinstance(e, KeyRefused)] == [
                KeyRefused("…NEW2", WHY, is_last=False),
                KeyRefused("…OLD1", WHY, is_last=True),
            ]

    run(main())
    said = [record.getMessage() for record in caplog.records]
    assert len([line for line in said if "refuses the access key" in line]) == 2
    assert all(key.access_key_id not in caplog.text for key in (OLD, NEW))
    assert "secret" not in caplog.text


def aged(days: float) -> Credentials:
    created_at = datetime.fromtimestamp(WALL_AT_START, UTC) - timedelta(days=days)
    return Credentials(
        access_key_id="AGEDKEYEXAMPLE4", secret_access_key="aged-secret", created_at=created_at
    )


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_key_is_warned_of_at_sixty_and_at_ninety_days_once_each(
    wrapped: bool,  # noqa: FBT001  a parameter of the test
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        key = aged(59.9)
        async with at(Door({key.access_key_id}), RotatingCredentials(key) if wrapped else key) as s:
            for day in range(45):
                for n in range(3):
                    await issue(s, f"Toy{day}x{n}")
                await asyncio.sleep(86_400)
            told = [e for e in s.events if isinstance(e, KeyAged)]
            assert told == [KeyAged("…PLE4", 60), KeyAged("…PLE4", 90)]

    run(main())
    warned = [r for r in caplog.records if "days old" in r.getMessage()]
    assert [r.levelno for r in warned] == [logging.WARNING] * 2
    assert "AGEDKEY" not in caplog.text


def test_a_key_that_is_only_tried_is_not_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with at(Door({aged(0).access_key_id}), OLD) as s:
            view = s.session._signing_with(aged(100))
            assert (await view.call(KEYED, order("Toy1"))).answer
            assert keys_used(s) == [aged(0).access_key_id]

    run(main())
    assert "days old" not in caplog.text


def test_a_key_that_is_met_when_it_is_overdue_is_warned_of_once() -> None:
    async def main() -> None:
        key = aged(200)
        async with at(Door({key.access_key_id}), key) as s:
            await issue(s, "Toy1")
            await issue(s, "Toy2")
            assert [e for e in s.events if isinstance(e, KeyAged)] == [KeyAged("…PLE4", 200)]

    run(main())


@pytest.mark.parametrize("key", [OLD, aged(-3), aged(10)])
def test_a_young_key_or_one_of_unknown_age_is_not_warned_of(key: Credentials) -> None:
    async def main() -> None:
        async with at(Door({key.access_key_id}), key) as s:
            await issue(s)
            assert not any(isinstance(event, KeyAged) for event in s.events)

    run(main())


def test_a_refusal_that_is_not_of_the_key_stays_a_refusal() -> None:
    async def main() -> None:
        async with at(["refused:F300"], RotatingCredentials(NEW, OLD)) as s:
            with pytest.raises(AccountError):
                await issue(s)
            assert keys_used(s) == [NEW.access_key_id]

    run(main())


def test_a_refusal_of_the_date_says_nothing_of_the_key() -> None:
    async def main() -> list[Credentials]:
        clock, used = virtual_clock(), list[Credentials]()
        keys = Keyring(
            RotatingCredentials(NEW, OLD), lambda _: lambda *_: {}, clock=clock, observers=()
        )
        for outcome in (Refused(WHY, of_key=True), Outdated(WHY), Outdated(WHY)):
            key = keys.take()
            assert key is not None
            used.append(key.credentials)
            keys.learn(key, clock.monotonic(), outcome)
            await asyncio.sleep(RETRY_SECONDS if len(used) == 1 else 0)
        return used

    assert run(main()) == [NEW, NEW, OLD]
