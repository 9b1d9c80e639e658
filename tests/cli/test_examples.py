import asyncio
import importlib.util
import json
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from agcod_async.batch import Order
from agcod_async.cli.orders_file import RefusedRow, open_orders
from agcod_async.settings import Settings
from agcod_async.testing import Emulator
from agcod_async.testing.faults import FaultKind, FaultScript

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


EUR = "EUR is not known to be the currency of an account in US, CA, MX\n"


def printed(name: str, *, warned: str = "") -> str:
    arguments = (sys.executable, "-W", "error", "-X", "dev", str(EXAMPLES / f"{name}.py"))
    done = subprocess.run(  # noqa: S603  our own script
        arguments, capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr) == (0, warned)
    return done.stdout


def test_the_first_card_hides_its_code_until_it_is_revealed() -> None:
    hidden, revealed = printed("first_card").splitlines()

    code = revealed.rpartition(" ")[2]
    assert re.fullmatch(r"[A-Z0-9]{4}-[A-Z0-9]{6}-[A-Z0-9]{4}", code)
    assert "ClaimCode(<hidden>)" in hidden
    assert code not in hidden


def test_each_kind_of_failure_says_what_to_do() -> None:
    said = {line.split()[0]: line for line in printed("when_it_fails", warned=EUR).splitlines()}

    assert "a card, after 2 attempts" in said["EmulaBrokenOnce"]
    assert "until somebody acts: F200 CurrencyCodeMismatch" in said["EmulaWrongMoney"]
    assert "order again later, under the same ID" in said["EmulaTooMuch"]
    assert "perhaps a card: never use a new ID" in said["EmulaSilent"]


def test_the_web_service_gives_one_card_for_an_order_however_often_it_is_asked(
    emulator: Emulator,
) -> None:
    async def main() -> list[tuple[int, dict[str, Any]]]:
        service = example("web_service").service()
        answers: list[tuple[int, dict[str, Any]]] = []
        async with TestClient(TestServer(service)) as client:
            for order_id, amount in (("1", "25.00"), ("1", "25.00"), ("2", "9999"), ("3", "x")):
                async with client.post(
                    f"/orders/{order_id}/card", json={"amount": amount}
                ) as answer:
                    answers.append((answer.status, await answer.json()))
        return answers

    first, again, declined, bad = asyncio.run(main())

    assert (first[0], declined[0], bad[0]) == (200, 502, 400)
    assert first == again
    assert declined[1]["status"] == "InvalidRequest"
    assert [card.gc_id for card in emulator.ledger.cards()] == [first[1]["gc_id"]]


def test_the_emulator_passes_amazons_test_plan() -> None:
    plan = (sys.executable, "-W", "error", str(EXAMPLES / "certify_demo.py"))
    done = subprocess.run(plan, capture_output=True, text=True, timeout=50, check=False)  # noqa: S603

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("| passed |") > 100
    assert not re.search(r"\| failed \|$", done.stdout, re.MULTILINE)


# --- the demonstration ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def demo() -> ModuleType:
    return example("demo")


def test_the_orders_hold_what_the_demonstration_is_about(
    demo: ModuleType, settings: Settings
) -> None:
    with open_orders(demo.ORDERS, settings) as orders:
        rows = list(orders)

    good = [row for row in rows if isinstance(row, Order)]
    refused = {row.field for row in rows if isinstance(row, RefusedRow)}
    assert len(good) >= 200
    assert refused == {"amount", "request_id"}
    assert sum(order.amount.currency == "EUR" for order in good) == 1
    assert sum(order.amount.amount > 2000 for order in good) == 1
    assert sum(order.amount.amount % 1 != 0 for order in good) > 50


def test_the_faults_are_the_same_in_every_run_and_meet_orders_that_exist(
    demo: ModuleType, settings: Settings
) -> None:
    script = demo.fault_script(settings)
    rules = FaultScript.from_json(json.dumps(script)).rules
    with open_orders(demo.ORDERS, settings) as orders:
        good = {
            row.request_id
            for row in orders
            if isinstance(row, Order) and row.amount.currency == "USD"
        }

    assert script == demo.fault_script(settings)
    assert {rule.request_id for rule in rules} <= good
    kinds = {rule.fault for rule in rules}
    assert {FaultKind.F400_AFTER, FaultKind.LAND_LATE, FaultKind.THROTTLE} <= kinds
    late = max(rule.seconds for rule in rules if rule.fault is not FaultKind.SLOW)
    assert late < demo.POLICY.late_horizon_seconds


def ledger_of(*cards: tuple[str, str, str, str], debited: str) -> dict[str, Any]:
    names = ("request_id", "gc_id", "amount", "status")
    return {
        "funds": [{"debited": debited}],
        "cards": [dict(zip(names, card, strict=True)) for card in cards],
    }


ONE = ("Emula1", "GC1", "10.00", "Fulfilled")
TWO = ("Emula2", "GC2", "5.50", "Fulfilled")
DEAD = ("Emula2", "GC2", "5.50", "RefundedToPurchaser")


@pytest.mark.parametrize(
    ("ledger", "balanced"),
    [
        (ledger_of(ONE, TWO, debited="15.50"), True),
        (ledger_of(ONE, TWO, debited="15.51"), False),
        (ledger_of(ONE, DEAD, debited="10.00"), False),
        (ledger_of(ONE, debited="10.00"), False),
        (ledger_of(ONE, TWO, ("Emula3", "GC3", "1.00", "Fulfilled"), debited="16.50"), False),
        (ledger_of(ONE, TWO, ("Emula1", "GC3", "0.00", "Fulfilled"), debited="15.50"), False),
    ],
    ids=["balanced", "a-cent", "dead", "missing", "nobody-has-it", "second-card"],
)
def test_the_books_balance_only_if_every_card_is_live_and_every_cent_is_there(
    ledger: dict[str, Any],
    balanced: bool,  # noqa: FBT001  a parameter of the test
    demo: ModuleType,
) -> None:
    handover = demo.Handover(
        cards={
            "Emula1": ("Emula1", "GC1", Decimal("10.00")),
            "Emula2": ("Emula2", "GC2", Decimal("5.50")),
        }
    )

    assert demo.books_balance(ledger, "Emula", handover) is balanced


def test_one_card_for_two_orders_or_two_for_one_is_a_duplicate(demo: ModuleType) -> None:
    twice = demo.Handover(
        cards={
            "Emula1": ("Emula1", "GC1", Decimal("10.00")),
            "Emula2": ("Emula2", "GC1", Decimal("10.00")),
        }
    )
    successor = str(demo.RequestId("Emula1").successor("Emula", 1))
    both = ledger_of(ONE, (successor, "GC9", "10.00", "Fulfilled"), debited="20.00")
    one = demo.Handover(cards={"Emula1": ("Emula1", "GC1", Decimal("10.00"))})
    again = demo.Handover(cards={"Emula1": ("Emula1", "GC1", Decimal("10.00"))}, repeated=1)

    assert not demo.books_balance(ledger_of(ONE, ONE, debited="20.00"), "Emula", twice)
    assert not demo.books_balance(both, "Emula", one)
    assert not demo.books_balance(ledger_of(ONE, debited="10.00"), "Emula", again)
    assert demo.books_balance(ledger_of(ONE, debited="10.00"), "Emula", one)
