"""The demonstration that kills its job: a small one runs, and what is wrong is found."""

import asyncio
import random
import re
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from agcod_async.batch.job_queries import JobFacts
from agcod_async.batch.job_rows import RowState, Sum
from agcod_async.cli.job_status import JobStatus
from agcod_async.testing.faults import FaultKind, FaultScript
from tests.cli.test_examples import EXAMPLES, example

OPTIONS = Namespace(orders=2000, kills=20, rate=500.0, seed=7)


@pytest.fixture(scope="module")
def demo() -> ModuleType:
    return example("crash_demo")


@pytest.mark.timeout(120)
def test_a_job_that_is_killed_three_times_delivers_every_order_once() -> None:
    words = ("--orders", "300", "--kills", "3", "--rate", "400")
    done = subprocess.run(  # noqa: S603  our own script
        (sys.executable, "-W", "error", str(EXAMPLES / "crash_demo.py"), *words),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    said = dict(re.findall(r"^ +(\S.*?)  +(\S.*)$", done.stdout, re.MULTILINE))
    assert said["kills"] == "3 of 3"
    assert said["orders"] == "300"
    assert int(said["deliveries"]) >= 300
    assert int(said["faults met"]) > 10
    assert "The books balance." in done.stdout


def test_the_same_seed_has_the_same_orders_faults_and_kills(
    demo: ModuleType, tmp_path: Path
) -> None:
    def made() -> tuple[dict[str, Decimal], Any, Any]:
        demo.write_orders(tmp_path / "orders.csv", OPTIONS)
        orders = demo.planned(tmp_path / "orders.csv", "name")
        return (
            orders,
            demo.fault_script(list(orders), random.Random(7)),
            demo.kill_moments(OPTIONS, random.Random(7)),
        )

    orders, script, moments = made()
    rules = FaultScript.from_json(demo.json.dumps(script)).rules

    assert (orders, script, moments) == made()
    assert len(orders) == OPTIONS.orders
    assert {rule.request_id for rule in rules} <= orders.keys()
    assert {FaultKind.F400_AFTER, FaultKind.LAND_LATE, FaultKind.THROTTLE, FaultKind.RESET} <= {
        rule.fault for rule in rules
    }
    assert max(rule.seconds for rule in rules) < demo.POLICY.late_horizon_seconds
    assert len(moments) == OPTIONS.kills
    assert sum(moment.delivered is None for moment in moments) == 5
    late = [moment.delivered for moment in moments if moment.delivered is not None]
    assert late == sorted(set(late))
    assert late[-1] < OPTIONS.orders


@pytest.mark.parametrize("kills", range(5))
def test_any_number_of_kills_finds_its_moments(demo: ModuleType, kills: int) -> None:
    options = Namespace(orders=kills + 1, kills=kills)

    assert len(demo.kill_moments(options, random.Random(1))) == kills


@pytest.mark.parametrize("words", [["--orders", "0"], ["--orders", "60000"], ["--kills", "-1"]])
def test_what_cannot_be_done_is_refused(demo: ModuleType, words: list[str]) -> None:
    with pytest.raises(SystemExit):
        demo.understood(words)


# --- the comparison -------------------------------------------------------------------------------

ONE = {"request_id": "Emula1", "gc_id": "GC1", "amount": "10.00", "status": "Fulfilled"}
TWO = {"request_id": "Emula2", "gc_id": "GC2", "amount": "5.50", "status": "Fulfilled"}
DEAD = TWO | {"status": "RefundedToPurchaser"}
CODE_1, CODE_2 = "AAAA-BBBBBB-CCC1", "AAAA-BBBBBB-CCC2"


def status(**states: int) -> JobStatus:
    totals: dict[RowState, tuple[Sum, ...]] = dict.fromkeys(RowState, ())
    for name, orders in states.items():
        totals[RowState(name)] = (Sum(currency="USD", orders=orders, amount=Decimal(0)),)
    facts = JobFacts(
        name="demo",
        partner_id="Emula",
        host="127.0.0.1",
        source_digest=None,
        created_at=datetime(2031, 2, 3, tzinfo=UTC),
    )
    return JobStatus(facts, totals, 0, ())


@pytest.fixture
def books(demo: ModuleType) -> Any:
    """Two orders, two cards, all well."""
    return demo.Books(
        orders={"Emula1": Decimal("10.00"), "Emula2": Decimal("5.50")},
        status=status(delivered=2),
        ledger={"funds": [{"debited": "15.50"}], "cards": [ONE, TWO]},
        requests={},
        deliveries={
            "Emula1": [demo.Delivery("Emula1", "GC1", Decimal("10.00"), CODE_1)] * 2,
            "Emula2": [demo.Delivery("Emula2", "GC2", Decimal("5.50"), CODE_2)],
        },
        codes_in_files=0,
    )


def found(demo: ModuleType, books: Any) -> set[str]:
    return {what for what, count in demo.compared(books).items() if count}


def test_a_card_that_is_delivered_twice_is_no_fault(demo: ModuleType, books: Any) -> None:
    assert found(demo, books) == set()


WRONG: dict[str, Callable[[ModuleType, Any], dict[str, Any]]] = {
    "orders without a card": lambda _, books: {
        "deliveries": {"Emula1": books.deliveries["Emula1"]}
    },
    "cards without an order": lambda _, books: {
        "deliveries": books.deliveries | {"Emula3": books.deliveries["Emula2"]}
    },
    "dead codes": lambda _, __: {"ledger": {"funds": [{"debited": "10"}], "cards": [ONE, DEAD]}},
    "live cards that nobody has": lambda _, __: {
        "ledger": {
            "funds": [{"debited": "25.50"}],
            "cards": [ONE, TWO, ONE | {"request_id": "Emula9", "gc_id": "GC9"}],
        }
    },
    "wrong amounts": lambda demo, books: {
        "deliveries": books.deliveries
        | {"Emula2": [demo.Delivery("Emula2", "GC2", Decimal("5.51"), CODE_2)]}
    },
    "orders not delivered, says the job": lambda _, __: {"status": status(delivered=1, issued=1)},
    "in doubt, says the job": lambda _, __: {"status": status(delivered=1, in_doubt=1)},
    "codes in the job's files": lambda _, __: {"codes_in_files": 1},
    "codes that would not be found": lambda demo, books: {
        "deliveries": books.deliveries
        | {"Emula2": [demo.Delivery("Emula2", "GC2", Decimal("5.50"), "another form")]}
    },
    "cents between the sums": lambda _, __: {
        "ledger": {"funds": [{"debited": "15.51"}], "cards": [ONE, TWO]}
    },
}


@pytest.mark.parametrize("what", WRONG)
def test_whatever_is_wrong_is_found(demo: ModuleType, books: Any, what: str) -> None:
    assert what in found(demo, replace(books, **WRONG[what](demo, books)))


def test_two_cards_for_one_order_or_one_for_two_are_duplicates(
    demo: ModuleType, books: Any
) -> None:
    other = demo.Delivery("Emula1", "GC9", Decimal("10.00"), CODE_2)
    (successor, *_) = demo.successors("Emula1")
    both = [ONE, TWO, ONE | {"request_id": successor, "gc_id": "GC9"}]

    second_card = {"Emula1": [*books.deliveries["Emula1"], other]}
    second_owner = {"Emula2": [books.deliveries["Emula1"][0]]}
    for change in (
        {"deliveries": books.deliveries | second_card},
        {"deliveries": books.deliveries | second_owner},
        {"ledger": books.ledger | {"cards": both}},
    ):
        assert "duplicates" in found(demo, replace(books, **change))


def test_a_code_in_a_file_of_the_job_is_found(demo: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "job.sqlite-wal").write_bytes(b"\x00" + CODE_1.encode() + b"\x00")
    (tmp_path / "worker.log").write_bytes(b"nothing")
    assert demo.codes_in(tmp_path) == 1

    (tmp_path / "worker.log").write_bytes(CODE_2.encode())
    assert demo.codes_in(tmp_path) == 2


def test_the_shop_says_when_it_has_enough_and_when_nobody_is_left(demo: ModuleType) -> None:
    async def main() -> list[str]:
        said: list[str] = []
        shop = demo.Shop()
        server = await asyncio.start_server(shop.serve, "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            card = {"request_id": "Emula1", "live_request_id": "Emula1", "gc_id": "GC1"}
            worth = {"claim_code": CODE_1, "amount": "10.00"}
            writer.write(demo.json.dumps(card | worth).encode() + b"\n")
            said.append((await reader.readline()).decode())
            await shop.has(1)
            writer.close()
            await shop.empty()
            await writer.wait_closed()
        return [*said, *shop.deliveries]

    assert asyncio.run(main()) == ["Emula1\n", "Emula1"]
