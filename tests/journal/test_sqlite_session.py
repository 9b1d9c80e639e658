"""A session on a journal in a file: no code gets into it, and a crash leaves what is needed.

A process that dies is played like this: at the moment of its death the files of the journal are
copied as they are, and from then on nothing that it does reaches the journal or Amazon. The next
session opens the copy.
"""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from agcod_async.agcod import AgcodSession
from agcod_async.core.outcomes import Lost, Reason
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.errors import AgcodError
from agcod_async.journal.base import Journal, JournalError, Which
from agcod_async.journal.memory import MemoryJournal
from agcod_async.journal.records import Entry
from agcod_async.journal.sqlite import SqliteJournal
from agcod_async.providers.agcod.messages import GiftCard
from agcod_async.settings import Settings
from agcod_async.testing import (
    EMULATOR_CREDENTIALS,
    EMULATOR_PARTNER_ID,
    CardStatus,
    Emulator,
    EmulatorConfig,
    FaultKind,
    FaultMix,
    FaultRule,
    FaultScript,
)
from agcod_async.values import Money, RequestId
from agcod_async.wire.port import Exchanged, Transport
from tests.support.journals import open_entries

T = TypeVar("T")

SETTINGS = Settings(
    credentials=EMULATOR_CREDENTIALS,
    partner_id=EMULATOR_PARTNER_ID,
    requests_per_second=5_000.0,
    attempt_timeout_seconds=0.1,
)
LATE_SECONDS = 0.1
# These tests run in real time, because the journal has a real thread. Nothing lands later here
# than LATE_SECONDS, so the policy need not be patient for longer.
POLICY = RecoveryPolicy(
    backoff_base_seconds=0.001,
    backoff_max_seconds=0.01,
    cooldown_floor_seconds=0.1,
    cooldown_max_seconds=0.1,
    late_horizon_seconds=2 * LATE_SECONDS,
)
CALM = FaultScript()


def emulator(faults: FaultScript = CALM) -> Emulator:
    return Emulator(EmulatorConfig(requests_per_second=None, faults=faults))


def order_id(n: int) -> RequestId:
    return RequestId.derive(EMULATOR_PARTNER_ID, f"order {n}")


def session_on(
    journal: Journal, transport: Transport, policy: RecoveryPolicy = POLICY
) -> AgcodSession:
    return AgcodSession(SETTINGS, transport=transport, journal=journal, policy=policy)


async def create(session: AgcodSession, n: int) -> GiftCard:
    return await session.create_gift_card(request_id=order_id(n), amount=Money(n + 1, "USD"))


# --- no claim code in any file --------------------------------------------------------------------


def bytes_of(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


def test_no_claim_code_ever_reaches_a_file(tmp_path: Path) -> None:
    async def main() -> None:
        kinds = (FaultKind.F400_AFTER, FaultKind.F500_AFTER, FaultKind.GARBAGE, FaultKind.TRUNCATED)
        mix = FaultMix(probabilities=dict.fromkeys(kinds, 0.05), seed=3)
        amazon = emulator(FaultScript(random=mix))
        async with SqliteJournal(tmp_path / "journal.db") as journal:
            async with session_on(journal, amazon.transport()) as session:
                for first in range(0, 200, 50):
                    await asyncio.gather(
                        *(create(session, n) for n in range(first, first + 50)),
                        return_exceptions=True,
                    )
            while_open = bytes_of(tmp_path)
        cards = list(amazon.ledger.cards())

        assert len(cards) >= 200
        for written in (while_open, bytes_of(tmp_path)):
            assert cards[-1].gc_id.encode() in written
            for card in cards:
                code = card.claim_code.reveal().encode()
                assert code not in written
                assert code.replace(b"-", b"") not in written
                assert code.lower() not in written

    asyncio.run(main())


# --- a crash --------------------------------------------------------------------------------------


@dataclass(slots=True)
class Life:
    """A process until its death. It dies at a step: when a write or an exchange begins or ends."""

    path: Path
    remains: Path
    dies_at: int
    steps: int = 0

    async def do(self, doing: Callable[[], Awaitable[T]], when_dead: Callable[[], T]) -> T:
        if self.step():
            return when_dead()
        done = await doing()
        return when_dead() if self.step() else done

    def step(self) -> bool:
        """Go one step on; whether the process is dead then."""
        self.steps += 1
        if self.steps == self.dies_at:
            self.remains.parent.mkdir()
            shutil.copy(self.path, self.remains)
            shutil.copy(f"{self.path}-wal", f"{self.remains}-wal")
        return self.steps >= self.dies_at


def no_journal() -> Entry:
    raise JournalError("this process is dead")


def no_network() -> Exchanged:
    return Lost(Reason("this process is dead"))


@dataclass(slots=True)
class MortalJournal:
    """The journal as a process has it that will die."""

    life: Life
    journal: SqliteJournal

    async def open(self, entry: Entry) -> Entry:
        return await self.life.do(lambda: self.journal.open(entry), no_journal)

    async def advance(self, entry: Entry) -> Entry:
        return await self.life.do(lambda: self.journal.advance(entry), no_journal)

    def entries(self, which: Which = Which.ALL) -> AsyncIterator[Entry]:
        return self.journal.entries(which)

    async def aclose(self) -> None:
        await self.journal.aclose()


@dataclass(slots=True)
class MortalTransport:
    """The way to Amazon of a process that will die."""

    life: Life
    transport: Transport

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Exchanged:
        return await self.life.do(lambda: self.transport.send(url, headers, body), no_network)

    async def aclose(self) -> None:
        await self.transport.aclose()


def trouble(n: int, *faults: tuple[str, FaultKind]) -> list[FaultRule]:
    """Return what goes wrong with the n-th order."""
    return [
        FaultRule(
            operation=operation,
            request_id=order_id(n),
            fault=kind,
            seconds=LATE_SECONDS if kind.is_timed else 0.0,
        )
        for operation, kind in faults
    ]


CREATE, CANCEL = "CreateGiftCard", "CancelGiftCard"
ORDERS = range(8)
TROUBLE = FaultScript(
    rules=(
        *trouble(1, (CREATE, FaultKind.LOSE_REPLY)),
        *trouble(2, (CREATE, FaultKind.F400_BEFORE)),
        *trouble(3, (CREATE, FaultKind.F400_AFTER)),
        *trouble(4, (CREATE, FaultKind.LAND_LATE)),
        *trouble(5, (CREATE, FaultKind.F400_BEFORE), (CANCEL, FaultKind.LAND_LATE)),
        *trouble(6, (CREATE, FaultKind.F400_AFTER), (CANCEL, FaultKind.RESET_AFTER)),
        *trouble(7, (CREATE, FaultKind.F500_AFTER)),
    )
)


async def live_until(life: Life, amazon: Emulator) -> dict[int, GiftCard]:
    """Issue all orders until death comes; return the cards that were handed out before."""
    handed_out: dict[int, GiftCard] = {}
    async with SqliteJournal(life.path) as journal:
        session = session_on(
            MortalJournal(life, journal), MortalTransport(life, amazon.transport())
        )

        async def order(n: int) -> None:
            with suppress(AgcodError):
                handed_out[n] = await create(session, n)

        async with asyncio.timeout(10):
            await asyncio.gather(*(order(n) for n in ORDERS))
    return handed_out


def family(n: int) -> set[str]:
    """Return every ID that the n-th order can have used."""
    root = order_id(n)
    return {root, *(root.successor(EMULATOR_PARTNER_ID, epoch) for epoch in (1, 2, 3))}


def live_cards(amazon: Emulator, n: int) -> list[str]:
    return [
        card.gc_id
        for card in amazon.ledger.cards()
        if card.request_id in family(n) and card.status is CardStatus.LIVE
    ]


def on_record(path: Path, verdict: str) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT request_id FROM entry WHERE verdict = ?", (verdict,))
        return {row[0] for row in rows}


async def reconcile(path: Path, amazon: Emulator) -> None:
    """Do as a new process does first."""
    async with SqliteJournal(path) as journal, session_on(journal, amazon.transport()) as session:
        reconciled = await session.reconcile(deadline_seconds=10)

        assert [one.error for one in reconciled if one.error is not None] == []
        assert await open_entries(journal) == []


async def ask_again(path: Path, amazon: Emulator) -> dict[int, GiftCard]:
    async with SqliteJournal(path) as journal, session_on(journal, amazon.transport()) as session:
        return {n: await create(session, n) for n in ORDERS}


@pytest.mark.parametrize("dies_at", [1, 9, 17, 25, 33, 41, 49, 57, 65, 80, 100, 120, 140, 157])
def test_a_crash_leaves_no_order_open_and_no_card_doubled(tmp_path: Path, dies_at: int) -> None:
    amazon = emulator(TROUBLE)
    life = Life(tmp_path / "journal.db", tmp_path / "remains" / "journal.db", dies_at)
    handed_out = asyncio.run(live_until(life, amazon))
    assert life.steps >= dies_at, "it was not killed"
    before = on_record(life.remains, "Issued")
    assert {order_id(n) for n in handed_out} <= before

    amazon.play(CALM)
    asyncio.run(reconcile(life.remains, amazon))
    amazon.land_everything()
    on_record_now = on_record(life.remains, "Issued")
    for n in ORDERS:
        assert len(live_cards(amazon, n)) == (order_id(n) in on_record_now), f"order {n}"
    for n, card in handed_out.items():
        assert live_cards(amazon, n) == [card.gc_id]

    cards = asyncio.run(ask_again(life.remains, amazon))
    for n in ORDERS:
        assert live_cards(amazon, n) == [cards[n].gc_id]
        assert cards[n].replayed == (order_id(n) in on_record_now)
    (balance,) = amazon.ledger.balances()
    assert balance.debited == balance.live == sum(n + 1 for n in ORDERS)


# --- a card that was handed out -------------------------------------------------------------------


async def issue_and_ask_again(journals: Iterable[Journal], fault: FaultKind) -> Emulator:
    """Issue a card, and ask for it in a second life, which begins with this fault."""
    amazon = emulator()
    cards = []
    for journal in journals:
        async with session_on(journal, amazon.transport()) as session:
            cards.append(await create(session, 0))
        await journal.aclose()
        amazon.play(FaultScript(rules=(FaultRule(operation=CREATE, fault=fault),)))
    assert cards[0].replayed is False
    assert len(cards) == 2
    return amazon


def lives_in_a_file(path: Path) -> Iterator[Journal]:
    for _ in range(2):
        yield SqliteJournal(path)


@pytest.mark.parametrize("fault", [FaultKind.F400_BEFORE, FaultKind.F400_AFTER])
def test_a_card_on_record_as_confirmed_is_never_undone(tmp_path: Path, fault: FaultKind) -> None:
    journals = lives_in_a_file(tmp_path / "journal.db")
    amazon = asyncio.run(issue_and_ask_again(journals, fault))

    assert amazon.arrivals.by_operation == {CREATE: 3}
    assert len(live_cards(amazon, 0)) == 1
    assert len(list(amazon.ledger.cards())) == 1


def test_a_journal_that_forgets_would_have_undone_it() -> None:
    journals = (MemoryJournal(), MemoryJournal())
    amazon = asyncio.run(issue_and_ask_again(journals, FaultKind.F400_BEFORE))

    assert amazon.arrivals.by_operation[CANCEL] == 1
    first, _ = amazon.ledger.cards()
    assert first.status is CardStatus.DEAD
