import asyncio
import json
import os
import shlex
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest

from agcod_async.batch import Order
from agcod_async.cli import sinks
from agcod_async.cli.delivery import (
    DELIVERY_SECONDS_MAX,
    FAILURES_MAX,
    HURRIED_SECONDS_MAX,
    Delivery,
)
from agcod_async.cli.sinks import CommandSink, DeliveryError, FunctionSink
from agcod_async.providers.agcod.messages import GiftCard
from agcod_async.testing import Emulator, EmulatorConfig, FaultKind, FaultRule, FaultScript
from agcod_async.testing.clock import run
from agcod_async.values import ClaimCode, Money, RequestId
from tests.cli.stage import HEADER, Agcod, FileOf, assert_no_code, codes

Serve = Callable[[EmulatorConfig], Emulator]

ORDERS = ("Emula1,10.00,USD", "Emula2,20.50,USD", "Emula3,30.25,USD")


def command_of(tmp_path: Path, body: str) -> str:
    """A command line that runs this Python; it reads cards from `sys.stdin`."""
    script = tmp_path / "deliver command.py"
    script.write_text("import sys\n" + dedent(body), encoding="utf-8")
    return shlex.join([sys.executable, "-S", str(script)])


def module_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, body: str) -> str:
    """The name of a function `deliver` in a module that stands in the current directory."""
    (tmp_path / f"{name}.py").write_text(dedent(body), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return f"{name}:deliver"


def test_a_command_gets_a_line_of_json_for_each_card(
    agcod: Agcod, emulator: Emulator, file_of: FileOf, tmp_path: Path
) -> None:
    taken = tmp_path / "taken.jsonl"
    command = command_of(tmp_path, f"open({str(taken)!r}, 'w').write(sys.stdin.read())")

    ran = agcod("batch", "issue", file_of(HEADER, *ORDERS), "--deliver-command", command, "--json")

    cards = {
        card["request_id"]: card for card in map(json.loads, taken.read_text("utf-8").splitlines())
    }
    second = emulator.ledger.card("Emula2")
    assert second is not None
    assert ran.code == 0
    assert len(cards) == 3
    assert cards["Emula2"] == {
        "request_id": "Emula2",
        "live_request_id": "Emula2",
        "gc_id": second.gc_id,
        "claim_code": second.claim_code.reveal(),
        "amount": "20.50",
        "currency": "USD",
        "expires_at": None,
    }
    assert (ran.objects[-1]["delivered"], ran.objects[-1]["undelivered"]) == (3, 0)
    assert_no_code(emulator, ran.everything)


def test_what_a_command_prints_is_not_shown(
    agcod: Agcod, emulator: Emulator, file_of: FileOf, tmp_path: Path
) -> None:
    body = "cards = sys.stdin.read(); print(cards); print(cards, file=sys.stderr)"

    ran = agcod(
        "batch",
        "issue",
        file_of(HEADER, *ORDERS),
        "--deliver-command",
        command_of(tmp_path, body),
    )

    assert ran.code == 0
    assert_no_code(emulator, ran.everything)


def test_a_command_that_fails_in_the_end_vouches_for_nothing(
    agcod: Agcod, emulator: Emulator, file_of: FileOf, tmp_path: Path
) -> None:
    command = command_of(tmp_path, "sys.stdin.read(); sys.exit(5)")

    ran = agcod("batch", "issue", file_of(HEADER, *ORDERS), "--deliver-command", command)

    assert ran.code == 1
    assert "with status 5" in ran.err
    for request_id in ("Emula1", "Emula2", "Emula3"):
        assert f"\n  {request_id}\n" in ran.out
    assert_no_code(emulator, ran.everything)


def test_a_command_that_is_gone_stops_the_intake_and_every_card_is_listed(
    agcod: Agcod, emulator: Emulator, file_of: FileOf, tmp_path: Path
) -> None:
    orders = [f"Emula{n},1.00,USD" for n in range(300)]
    command = command_of(tmp_path, "sys.stdin.close()")
    options = ("--deliver-command", command, "--concurrency", "1", "--json")

    ran = agcod("batch", "issue", file_of(HEADER, *orders), *options)

    *receipts, summary = ran.objects
    issued = {shown["request_id"] for shown in receipts if shown["verdict"] == "issued"}
    assert ran.code == 1
    assert len(codes(emulator)) == len(issued) < 300
    assert set(summary["undelivered_request_ids"]) == issued
    assert "in a row" in summary["stopped"]


@pytest.mark.parametrize("kind", ["async def", "def"])
def test_a_function_gets_each_card_with_its_order(
    kind: str,
    agcod: Agcod,
    serve: Serve,
    file_of: FileOf,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    once = FaultRule(request_id="Emula2", fault=FaultKind.F400_AFTER)
    emulator = serve(EmulatorConfig(requests_per_second=None, faults=FaultScript(rules=(once,))))
    name = f"shop_{kind[:5].strip()}"
    function = module_of(
        tmp_path,
        monkeypatch,
        name,
        f"""
        TAKEN = {{}}
        {kind} deliver(card, order):
            TAKEN[order.request_id] = (card.request_id, card.claim_code.reveal())
        """,
    )

    ran = agcod("batch", "issue", file_of(HEADER, *ORDERS), "--deliver-to", function)

    taken = sys.modules[name].TAKEN
    live = {card.request_id: card.claim_code.reveal() for card in emulator.ledger.cards()}
    assert ran.code == 0
    assert set(taken) == {"Emula1", "Emula2", "Emula3"}
    assert all(live[live_id] == code for live_id, code in taken.values())
    assert taken["Emula2"][0] != "Emula2", "a successor, which the order's own ID is told with"
    assert_no_code(emulator, ran.everything)


def test_a_delivery_that_fails_is_listed_and_does_not_quote_the_code(
    agcod: Agcod,
    emulator: Emulator,
    file_of: FileOf,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    function = module_of(
        tmp_path,
        monkeypatch,
        "shop_failing",
        """
        async def deliver(card, order):
            if order.request_id == "Emula2":
                raise LookupError("no recipient for " + card.claim_code.reveal())
        """,
    )

    ran = agcod("batch", "issue", file_of(HEADER, *ORDERS), "--deliver-to", function)
    as_json = agcod("batch", "issue", file_of(HEADER, *ORDERS), "--deliver-to", function, "--json")

    assert ran.code == as_json.code == 1
    assert "undelivered  Emula2: the sink raised LookupError" in ran.err
    assert ran.out.splitlines()[-1] == "  Emula2"
    assert as_json.objects[-1]["undelivered_request_ids"] == ["Emula2"]
    assert as_json.objects[-1]["delivered"] == 2
    assert_no_code(emulator, ran.everything + as_json.everything)


@pytest.mark.parametrize("ending", ["raise SystemExit", "raise ValueError"])
def test_a_sink_that_always_fails_stops_the_intake(
    ending: str,
    agcod: Agcod,
    emulator: Emulator,
    file_of: FileOf,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = f"shop_broken_{ending[-4:]}"
    function = module_of(tmp_path, monkeypatch, name, f"def deliver(card, order):\n    {ending}\n")
    orders = [f"Emula{n},1.00,USD" for n in range(100)]
    options = ("--deliver-to", function, "--concurrency", "2", "--json")

    ran = agcod("batch", "issue", file_of(HEADER, *orders), *options)

    assert ran.code == 1
    assert FAILURES_MAX <= len(codes(emulator)) <= FAILURES_MAX + 4
    assert ran.objects[-1]["undelivered"] == len(codes(emulator))


ORDER = Order(request_id="Emula1", amount=Money(1, "USD"))
CARD = GiftCard(
    ClaimCode("CANA-RYCODE-0001"), "GC1", RequestId("Emula1"), ORDER.amount, None, "Fulfilled"
)


@dataclass
class Scripted:
    """A sink that takes so long for each card, or raises."""

    script: list[float | Exception]

    async def deliver(self, card: GiftCard, order: Order) -> None:
        assert (card, order) == (CARD, ORDER)
        match self.script.pop(0):
            case Exception() as error:
                raise error
            case seconds:
                await asyncio.sleep(seconds)

    async def finish(self) -> None:
        raise DeliveryError("it does not vouch")


def test_a_sink_that_hangs_is_given_up_after_a_while() -> None:
    async def main() -> float:
        delivery = Delivery(Scripted([DELIVERY_SECONDS_MAX - 1, DELIVERY_SECONDS_MAX + 1]))
        assert await delivery.hand_over(CARD, ORDER) == "done"
        started_at = asyncio.get_running_loop().time()
        assert await delivery.hand_over(CARD, ORDER) == "failed"
        assert delivery.problem == "took too long"
        return asyncio.get_running_loop().time() - started_at

    assert run(main()) == pytest.approx(DELIVERY_SECONDS_MAX, abs=0.01)


def test_a_hurried_delivery_gets_little_more_time_and_so_does_the_next() -> None:
    async def main() -> tuple[float, float]:
        loop = asyncio.get_running_loop()
        delivery = Delivery(Scripted([1000.0, 1000.0]))
        loop.call_at(10.0, delivery.hurry)
        await delivery.hand_over(CARD, ORDER)
        first = loop.time()
        await delivery.hand_over(CARD, ORDER)
        return first, loop.time() - first

    first, second = run(main())
    assert first == pytest.approx(10.0 + HURRIED_SECONDS_MAX, abs=0.01)
    assert second == pytest.approx(HURRIED_SECONDS_MAX, abs=0.01)


def test_only_failures_in_a_row_make_a_sink_hopeless() -> None:
    async def main() -> None:
        failure = LookupError("no")
        delivery = Delivery(
            Scripted([*[failure] * (FAILURES_MAX - 1), 0.0, *[failure] * FAILURES_MAX])
        )
        for _ in range(2 * FAILURES_MAX - 1):
            await delivery.hand_over(CARD, ORDER)
            assert not delivery.is_hopeless
        await delivery.hand_over(CARD, ORDER)
        assert delivery.is_hopeless

    run(main())


def test_a_command_that_does_not_end_is_killed_and_vouches_for_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sinks, "COMMAND_END_SECONDS_MAX", 0.2)
    command = command_of(tmp_path, "import time; time.sleep(60)")

    async def main() -> None:
        sink = await CommandSink.start(command)
        await sink.deliver(CARD, ORDER)
        with pytest.raises(DeliveryError, match="on signal 9") as raised:
            await sink.finish()
        assert raised.value.request_ids == ("Emula1",)

    asyncio.run(main())


def test_a_plain_function_always_runs_in_the_same_thread_and_never_on_the_loop() -> None:
    threads: set[int] = set()

    def deliver(_card: GiftCard, _order: Order) -> None:
        threads.add(threading.get_ident())

    async def main() -> None:
        sink = FunctionSink(deliver)
        for _ in range(5):
            await sink.deliver(CARD, ORDER)
        await sink.finish()

    asyncio.run(main())

    assert len(threads) == 1
    assert threads != {threading.get_ident()}


def test_a_plain_function_may_return_something_to_await() -> None:
    taken: list[str] = []

    async def store(order: Order) -> None:
        taken.append(order.request_id)

    async def main() -> None:
        sink = FunctionSink(lambda _card, order: store(order))
        await sink.deliver(CARD, ORDER)
        await sink.finish()

    asyncio.run(main())

    assert taken == ["Emula1"]


def test_ctrl_c_in_the_terminal_does_not_reach_the_command(tmp_path: Path) -> None:
    written = tmp_path / "session"
    command = command_of(
        tmp_path, f"import os; open({str(written)!r}, 'w').write(str(os.getsid(0)))"
    )

    async def main() -> None:
        sink = await CommandSink.start(command)
        await sink.finish()

    asyncio.run(main())

    assert int(written.read_text("utf-8")) != os.getsid(0)
