"""No secret escapes from any operation, whatever goes wrong with it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import pytest

from agcod_async.agcod import AgcodSession
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.credentials import RotatingCredentials
from agcod_async.errors import AgcodError
from agcod_async.journal.memory import MemoryJournal
from agcod_async.providers.agcod.recipients import Account
from agcod_async.settings import Settings
from agcod_async.testing import Emulator, EmulatorConfig, FaultKind, FaultMix, FaultScript
from agcod_async.testing.clock import run, virtual_clock
from agcod_async.values import Credentials, Money
from agcod_async.wire.port import Exchanged, Transport
from tests.secrets.amazon import PARTNER_ID, SECRET
from tests.secrets.net import MARK, Net
from tests.secrets.showing import show

AMOUNT = Money("25", "USD")
KEY = Credentials(access_key_id="AKIDEXAMPLE", secret_access_key=SECRET)
ACCOUNT = Account(id=f"{MARK}+account", type=1)
TOLD = f"{MARK}, your balance has grown"
POLICY = RecoveryPolicy(forward_attempts_max=3, undo_attempts_max=3, backoff_base_seconds=0.01)
CALLS: dict[str, Callable[[AgcodSession, str], Awaitable[object]]] = {
    "create": lambda s, name: s.create_gift_card(request_id=name, amount=AMOUNT),
    "cancel": lambda s, name: s.cancel_gift_card(request_id=name),
    "activate": lambda s, name: s.activate_gift_card(
        request_id=name, card_number=_card(name), amount=AMOUNT
    ),
    "deactivate": lambda s, name: s.deactivate_gift_card(request_id=name, card_number=_card(name)),
    "load": lambda s, name: s.load_amazon_balance(
        request_id=name, account=ACCOUNT, amount=AMOUNT, notification_message=TOLD
    ),
    "void": lambda s, name: s.void_amazon_balance_load(
        request_id=name, account=ACCOUNT, amount=AMOUNT
    ),
    "validate": lambda s, name: s.validate_account_for_amazon_balance_load(
        request_id=name, account=ACCOUNT, amount=AMOUNT
    ),
    "funds": lambda s, _name: s.get_available_funds(),
    "key": lambda s, _name: s.verify_key(KEY),
}


def _card(name: str) -> str:
    return f"{int.from_bytes(name.encode()) % 10**19:019}"


@dataclass(slots=True)
class Watched:
    """A transport that tells the net of every signature."""

    inner: Transport
    net: Net

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Exchanged:
        self.net.sent(headers)
        return await self.inner.send(url, headers, body)

    async def aclose(self) -> None:
        await self.inner.aclose()


def emulator(kind: FaultKind | None, share: float = 0.5) -> Emulator:
    mix = None if kind is None else FaultMix(probabilities={kind: share}, seconds_max=20.0)
    config = EmulatorConfig(
        partner_id=PARTNER_ID,
        credentials=(KEY,),
        faults=FaultScript(random=mix),
        requests_per_second=None,
        operation_caps={},
    )
    return Emulator(config, clock=virtual_clock())


class Visitor:
    """Makes every call, and shows whatever comes of it."""

    def __init__(self, net: Net, amazon: Emulator, settings: Settings) -> None:
        self.net = net
        self.journal = MemoryJournal()
        self.ends: set[str] = set()
        self._shown: set[str] = set()
        self.session = AgcodSession(
            settings,
            transport=Watched(amazon.transport(), net),
            journal=self.journal,
            policy=POLICY,
            observers=[self._observe],
            clock=virtual_clock(),
        )

    async def everything(self) -> None:
        """Make every call twice, then forget some, leave one, and finish what is open."""
        async with self.session:
            for number in range(2):
                for call in CALLS:
                    name = f"{PARTNER_ID}{call.removeprefix('de')}{number}"
                    name = name.replace("cancel", "create").replace("void", "load")
                    await self._tried(call, name)
            await self._carelessly()
            for reconciled in await self.session.reconcile():
                show(self.net, "what was reconciled", reconciled)
            async for audited in self.session.audit():
                show(self.net, "what was audited", audited)
        self.net.numbers.clear()  # a journal keeps the numbers of cards, to finish the activations
        show(self.net, "the session", self.session)
        show(self.net, "the settings", self.session.settings)
        show(self.net, "the journal", self.journal)
        async for entry in self.journal.entries():
            show(self.net, "an entry", entry)

    async def _tried(self, call: str, name: str) -> None:
        self.net.numbers.add(_card(name))
        try:
            answer = await CALLS[call](self.session, name)
        except AgcodError as error:
            self.net.error(f"the error of {call}", error)
            show(self.net, f"the error of {call}", error)
            self.ends.add(type(error).__name__)
        else:
            show(self.net, f"the answer to {call}", answer)
            self.ends.add(type(answer).__name__)

    async def _carelessly(self) -> None:
        """Make calls that nobody looks at: the loop is to tell of their errors in the end."""
        session = self.session
        forgotten = [
            asyncio.ensure_future(session.create_gift_card(request_id="Other", amount=AMOUNT)),
            asyncio.ensure_future(CALLS["load"](session, f"{PARTNER_ID}Forgotten")),
        ]
        self.net.text("a task", repr(forgotten))
        left = asyncio.ensure_future(CALLS["create"](session, f"{PARTNER_ID}Left"))
        await asyncio.sleep(0.001)
        left.cancel()
        await asyncio.wait([left, *forgotten])
        self.net.text("a task", repr((left, forgotten, asyncio.all_tasks())))
        if not left.cancelled() and left.exception() is None:
            show(self.net, "an answer", left.result())

    def _observe(self, event: object) -> None:
        self.net.text("an event", repr(event))
        if type(event).__name__ not in self._shown:
            self._shown.add(type(event).__name__)
            show(self.net, "an event", event)


async def try_everything(net: Net, amazon: Emulator, settings: Settings) -> set[str]:
    """Make every call, look at what comes of it, and return the kinds of ends."""
    net.under_the_loop()
    visitor = Visitor(net, amazon, settings)
    await visitor.everything()
    return visitor.ends


@pytest.mark.parametrize("kind", [None, *FaultKind], ids=lambda kind: getattr(kind, "value", "-"))
def test_no_operation_shows_a_secret(net: Net, kind: FaultKind | None) -> None:
    settings = Settings(credentials=KEY, partner_id=PARTNER_ID)

    ends = run(try_everything(net, emulator(kind), settings))

    assert len(ends) >= (6 if kind is None else 2)
    assert net.signatures


def test_a_refused_key_is_not_shown_whole(net: Net) -> None:
    refused = Credentials(access_key_id="AKIDOTHER", secret_access_key=f"{SECRET}2")
    keys = RotatingCredentials(refused, KEY)
    settings = Settings(credentials=keys, partner_id=PARTNER_ID)

    run(try_everything(net, emulator(None), settings))

    show(net, "the keys", keys)


def test_the_loop_is_listened_to(net: Net) -> None:
    # The net under the loop is a net: what is never retrieved, and quotes, is caught in it.
    async def fail() -> None:
        raise RuntimeError(MARK)

    async def main() -> None:
        net.under_the_loop()
        task = asyncio.ensure_future(fail())
        await asyncio.wait([task])
        del task

    run(main())

    assert any(where.startswith("the loop") for where in net.caught)
    assert any(where.startswith("the log asyncio") for where in net.caught)
    net.caught.clear()
