from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from agcod_async.testing import Emulator, EmulatorConfig, FaultKind, FaultRule, FaultScript
from agcod_async.values import Money
from tests.cli.stage import HEADER, Agcod, FileOf, assert_no_code

Serve = Callable[[EmulatorConfig], Emulator]

ORDERS = ("Emula1,10.00,USD", "Emula2,20.50,USD", "Emula3,30.25,USD")


def faulty(**faults: FaultKind) -> EmulatorConfig:
    """An emulator that always answers these orders with these faults."""
    rules = tuple(
        FaultRule(request_id=request_id, fault=kind, times=1000)
        for request_id, kind in faults.items()
    )
    return EmulatorConfig(requests_per_second=None, faults=FaultScript(rules=rules))


def test_a_file_of_good_orders_exits_with_0_and_every_card_is_live(
    agcod: Agcod, emulator: Emulator, file_of: FileOf
) -> None:
    run = agcod("batch", "issue", file_of(HEADER, *ORDERS))

    assert run.code == 0
    assert emulator.ledger.balances()[0].live == Decimal("60.75")
    assert "60.75" in run.out
    assert max(map(len, run.out.splitlines())) < 80
    assert_no_code(emulator, run.everything)


def test_json_tells_of_every_row_and_sums_up(
    agcod: Agcod, emulator: Emulator, file_of: FileOf
) -> None:
    run = agcod(
        "batch", "issue", file_of(HEADER, *ORDERS, "Emula4,0.001,USD", "Emula5,1,EUR"), "--json"
    )

    *told, summary = run.objects
    receipts = {shown["request_id"]: shown for shown in told if shown["kind"] == "receipt"}
    (refused,) = [shown for shown in told if shown["kind"] == "row"]
    card = emulator.ledger.card("Emula2")
    assert card is not None
    assert receipts["Emula2"] == {
        "kind": "receipt",
        "request_id": "Emula2",
        "verdict": "issued",
        "amount": "20.50",
        "currency": "USD",
        "live_request_id": "Emula2",
        "gc_id": card.gc_id,
        "expires_at": None,
        "replayed": False,
        "attempts": 1,
        "delivered": "none",
    }
    assert receipts["Emula5"]["verdict"] == "declined"
    assert receipts["Emula5"]["error_type"] == "CurrencyCodeMismatch"
    assert (refused["line"], refused["field"]) == (5, "amount")
    assert (summary["kind"], summary["orders"], summary["exit_code"]) == ("summary", 4, run.code)
    assert (summary["issued"], summary["declined"], summary["rows_refused"]) == (3, 1, 1)
    assert summary["issued_amounts"] == {"USD": "60.75"}
    assert_no_code(emulator, run.everything)


@pytest.mark.parametrize("bad", ["Emula4,1.00,EUR", "Emula4,1.005,USD", "Emula1,10.00,USD"])
def test_a_declined_order_or_a_refused_row_exits_with_1_and_the_rest_is_issued(
    bad: str, agcod: Agcod, emulator: Emulator, file_of: FileOf
) -> None:
    run = agcod("batch", "issue", file_of(HEADER, ORDERS[0], bad, *ORDERS[1:]))

    assert run.code == 1
    assert emulator.ledger.balances()[0].live == Decimal("60.75")
    assert "Emula4" in run.err or "line 3" in run.err


def test_strict_issues_nothing_if_one_row_is_bad_and_names_every_one(
    agcod: Agcod, emulator: Emulator, file_of: FileOf
) -> None:
    path = file_of(HEADER, *ORDERS, "Emula4,1.005,USD", "Emula1,10.00,USD")

    run = agcod("batch", "issue", path, "--strict")

    assert (run.code, run.out) == (2, "")
    assert "line 5: amount" in run.err
    assert "line 6: request_id" in run.err
    assert emulator.arrivals.total == 0


def test_strict_issues_a_file_of_good_rows(
    agcod: Agcod, emulator: Emulator, file_of: FileOf
) -> None:
    assert agcod("batch", "issue", file_of(HEADER, *ORDERS), "--strict").code == 0
    assert emulator.ledger.balances()[0].live == Decimal("60.75")


def test_an_order_in_doubt_exits_with_3_and_is_listed_with_what_to_do(
    agcod: Agcod, serve: Serve, file_of: FileOf
) -> None:
    emulator = serve(faulty(Emula2=FaultKind.RESET_AFTER))
    path = file_of(HEADER, *ORDERS, "Emula4,1.00,EUR")

    run = agcod("batch", "issue", path, "--deadline", "0.4")

    assert run.code == 3, "in doubt matters more than declined"
    assert "Emula2  run again" in run.out
    assert "in doubt     Emula2: " in run.err
    assert_no_code(emulator, run.everything)


def test_an_unavailable_order_exits_with_4_unless_something_worse_happened(
    agcod: Agcod, serve: Serve, file_of: FileOf
) -> None:
    serve(faulty(Emula3=FaultKind.THROTTLE))
    unavailable = ("batch", "issue", "--deadline", "0.4", "--json")

    run = agcod(*unavailable, file_of(HEADER, *ORDERS))
    worse = agcod(*unavailable, file_of(HEADER, "Emula5,1.00,EUR", "Emula3,30.25,USD"))

    assert run.code == 4
    assert run.objects[-1]["unavailable"] == 1
    assert worse.code == 1
    assert worse.objects[-1]["unavailable"] == 1


def test_a_burnt_order_is_issued_under_a_successor_and_says_so(
    agcod: Agcod, serve: Serve, file_of: FileOf
) -> None:
    once = FaultRule(request_id="Emula2", fault=FaultKind.F400_AFTER)
    emulator = serve(EmulatorConfig(requests_per_second=None, faults=FaultScript(rules=(once,))))

    run = agcod("batch", "issue", file_of(HEADER, *ORDERS), "--json")

    *told, summary = run.objects
    receipts = {shown["request_id"]: shown for shown in told}
    live_id = receipts["Emula2"]["live_request_id"]
    live = emulator.ledger.card(live_id)
    assert live is not None
    assert live_id != "Emula2"
    assert live.gc_id == receipts["Emula2"]["gc_id"]
    assert (summary["undos"], summary["successors"], run.code) == (1, 1, 0)
    assert emulator.ledger.balances()[0].live == Decimal("60.75")


def test_the_same_file_again_issues_nothing_twice(
    agcod: Agcod, emulator: Emulator, file_of: FileOf
) -> None:
    path = file_of(HEADER, *ORDERS)

    assert [agcod("batch", "issue", path).code for _ in range(2)] == [0, 0]
    assert emulator.ledger.balances()[0].debited == Decimal("60.75")


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--concurrency", "0"), "--concurrency: 0 is out of range"),
        (("--deadline", "0"), "--deadline: 0.0 is out of range (above 0)"),
        (("--deadline", "nan"), "--deadline: nan is out of range (above 0)"),
        (("--deliver-command", ""), "--deliver-command: the command is empty"),
        (("--deliver-command", "./no-such", "--deliver-ack", "exit"), "No such file or directory"),
        (("--deliver-ack", "exit"), "--deliver-ack: goes with --deliver-command"),
        (("--deliver-webhook", "https://shop.example/"), "--deliver-secret-env go together"),
        (("--deliver-secret-env", "SHOP_SECRET"), "--deliver-secret-env go together"),
        (
            ("--deliver-webhook", "https://shop.example/", "--deliver-secret-env", "NOT_SET"),
            "webhook secret: could not be read: KeyError",
        ),
        (
            ("--deliver-webhook", "http://shop.example/", "--deliver-secret-env", "PATH"),
            "webhook URL: must be https, or http on loopback",
        ),
        (("--deliver-attempts", "0"), "--deliver-attempts: 0 is below 1"),
        (("--deliver-timeout", "nan"), "--deliver-timeout: nan is not above 0"),
        (("--deliver-command", "no 'end"), "--deliver-command: No closing quotation"),
        (("--deliver-command", "./no-such-command"), "No such file or directory"),
        (("--deliver-to", "no_such_module:deliver"), "is no function(card, order)"),
        (("--deliver-to", "json:dumps_it"), "is no function(card, order)"),
        (("--deliver-to", "json"), "is no function(card, order)"),
        (("--deliver-to", "os:getpid"), "is no function(card, order)"),
    ],
)
def test_a_bad_option_is_one_clear_line_and_issues_nothing(
    options: tuple[str, ...], problem: str, agcod: Agcod, emulator: Emulator, file_of: FileOf
) -> None:
    run = agcod("batch", "issue", file_of(HEADER, *ORDERS), *options)

    assert (run.code, run.out, run.err.count("\n")) == (2, "", 1)
    assert run.err.startswith("agcod batch issue: ")
    assert problem in run.err
    assert emulator.arrivals.total == 0


def test_an_unusable_file_is_one_clear_line(
    agcod: Agcod, emulator: Emulator, file_of: FileOf, tmp_path: Path
) -> None:
    for path in (tmp_path / "missing.csv", file_of("request_id,amount"), file_of()):
        run = agcod("batch", "issue", path)

        assert (run.code, run.out, run.err.count("\n")) == (2, "", 1)
        assert str(path) in run.err
    assert emulator.arrivals.total == 0


def test_an_account_that_runs_dry_declines_the_rest(
    agcod: Agcod, serve: Serve, file_of: FileOf
) -> None:
    emulator = serve(EmulatorConfig(requests_per_second=None, funds=(Money("35.00", "USD"),)))

    run = agcod("batch", "issue", file_of(HEADER, *ORDERS), "--concurrency", "1", "--json")

    assert run.code == 1
    assert run.objects[-1]["issued_amounts"] == {"USD": "30.50"}
    assert emulator.ledger.balances()[0].live == Decimal("30.50")
