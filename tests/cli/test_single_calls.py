import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from agcod_async._version import __version__
from agcod_async.cli.main import run
from agcod_async.testing import Emulator, EmulatorConfig, FaultKind, FaultRule, FaultScript
from agcod_async.values import Money
from tests.cli.stage import Agcod, assert_no_code, codes

CREATE = ("create", "--request-id", "Emula1", "--amount", "25.00", "--currency", "USD")

Serve = Callable[[EmulatorConfig], Emulator]


def always(fault: FaultKind) -> EmulatorConfig:
    rule = FaultRule(fault=fault, times=1000)
    return EmulatorConfig(requests_per_second=None, faults=FaultScript(rules=(rule,)))


def test_create_issues_a_card_and_hides_its_code(agcod: Agcod, emulator: Emulator) -> None:
    ran = agcod(*CREATE)

    card = emulator.ledger.card("Emula1")
    assert card is not None
    assert card.value == Money("25.00", "USD")
    assert ran.code == 0
    assert card.gc_id in ran.out
    assert "ClaimCode(<hidden>)" in ran.out
    assert_no_code(emulator, ran.everything)


def test_create_as_json_hides_the_code_too(agcod: Agcod, emulator: Emulator) -> None:
    ran = agcod(*CREATE, "--json", "--external-reference", "gift")

    (shown,) = ran.objects
    assert shown["request_id"] == "Emula1"
    assert (shown["amount"], shown["currency"]) == ("25.00", "USD")
    assert shown["claim_code"] == "ClaimCode(<hidden>)"
    assert_no_code(emulator, ran.everything)


@pytest.mark.parametrize("json", [(), ("--json",)], ids=["text", "json"])
def test_reveal_prints_the_code(json: tuple[str, ...], agcod: Agcod, emulator: Emulator) -> None:
    ran = agcod(*CREATE, "--reveal", *json)

    assert codes(emulator)[0] in ran.out
    assert_no_code(emulator, ran.err)


def test_the_same_create_brings_the_same_card(agcod: Agcod, emulator: Emulator) -> None:
    first = agcod(*CREATE, "--json").objects[0]
    again = agcod(*CREATE, "--json").objects[0]

    assert again["gc_id"] == first["gc_id"]
    assert len(codes(emulator)) == 1


def test_cancel_kills_the_card(agcod: Agcod, emulator: Emulator) -> None:
    gc_id = agcod(*CREATE, "--json").objects[0]["gc_id"]

    ran = agcod("cancel", "--request-id", "Emula1", "--gc-id", gc_id, "--json")

    assert ran.code == 0
    assert ran.objects == [{"request_id": "Emula1", "gc_id": gc_id, "cancelled": True}]
    assert emulator.ledger.balances()[0].live == 0


def test_funds_shows_what_is_left(agcod: Agcod, serve: Serve) -> None:
    serve(EmulatorConfig(funds=(Money("77.50", "USD"),)))

    ran = agcod("funds", "--json")

    assert ran.code == 0
    assert (ran.objects[0]["amount"], ran.objects[0]["currency"]) == ("77.50", "USD")
    assert ran.objects[0]["as_of"]


def test_a_refusal_exits_with_1(agcod: Agcod, serve: Serve) -> None:
    serve(EmulatorConfig(funds=(Money("1.00", "USD"),)))

    ran = agcod(*CREATE)
    as_json = agcod(*CREATE, "--json")

    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("agcod: Account: CreateGiftCard Emula1: F300 InsufficientFunds")
    assert ran.err.count("\n") == 1
    assert as_json.code == 1
    assert as_json.objects[0]["error_type"] == "InsufficientFunds"


def test_an_id_that_belongs_to_another_order_exits_with_1(agcod: Agcod, emulator: Emulator) -> None:
    agcod(*CREATE)

    ran = agcod("create", "--request-id", "Emula1", "--amount", "30.00", "--currency", "USD")

    assert ran.code == 1
    assert "IdempotencyConflict" in ran.err
    assert_no_code(emulator, ran.everything)


def test_a_lost_answer_exits_with_3_and_says_to_use_the_same_id(agcod: Agcod, serve: Serve) -> None:
    emulator = serve(always(FaultKind.RESET_AFTER))

    ran = agcod(*CREATE, "--deadline", "0.3")
    as_json = agcod(*CREATE, "--deadline", "0.3", "--json")

    assert ran.code == as_json.code == 3
    assert "run the same command again" in ran.err
    assert as_json.objects[0]["error"] == "InDoubt"
    assert as_json.objects[0]["next_safe_action"] == "replay_same_id"
    assert_no_code(emulator, ran.everything + as_json.everything)


def test_a_throttled_call_exits_with_4(agcod: Agcod, serve: Serve) -> None:
    serve(always(FaultKind.THROTTLE))

    ran = agcod(*CREATE, "--deadline", "0.3", "--json")

    assert ran.code == 4
    assert "retry_after_seconds" in ran.objects[0]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("create", "--request-id", "Emula1", "--amount", "1e3", "--currency", "USD"), "amount:"),
        (("create", "--request-id", "Emula1", "--amount", "1", "--currency", "usd"), "currency:"),
        (("create", "--request-id", "Other", "--amount", "1", "--currency", "USD"), "request_id:"),
        (("cancel", "--request-id", "Emula1", "--gc-id", "a b"), "gc_id:"),
        (("funds", "--deadline", "0"), "deadline_seconds:"),
    ],
)
def test_a_bad_argument_is_one_clear_line_and_exits_with_2(
    arguments: tuple[str, ...], problem: str, agcod: Agcod, emulator: Emulator
) -> None:
    ran = agcod(*arguments)

    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"agcod {arguments[0]}: ")
    assert problem in ran.err
    assert ran.err.count("\n") == 1
    assert emulator.arrivals.total == 0


def test_a_missing_variable_is_named(
    agcod: Agcod, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AGCOD_SECRET_ACCESS_KEY")

    ran = agcod("funds")

    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "AGCOD_SECRET_ACCESS_KEY: is not set" in ran.err
    assert emulator.arrivals.total == 0


@pytest.mark.parametrize(
    "arguments", [(), ("issue",), ("batch",), ("create",), ("create", "--amo")]
)
def test_an_unfinished_command_line_exits_with_2(arguments: tuple[str, ...], agcod: Agcod) -> None:
    assert agcod(*arguments).code == 2


def test_a_warning_is_one_line_without_code(agcod: Agcod, serve: Serve) -> None:
    serve(EmulatorConfig(funds=(Money(100, "USD"), Money(100, "XTS"))))

    ran = agcod("create", "--request-id", "Emula1", "--amount", "5", "--currency", "XTS")

    assert ran.code == 0
    assert ran.err == ("agcod: XTS is not known to be the currency of an account in US, CA, MX\n")


@pytest.mark.parametrize(
    ("command", "code"), [(CREATE, 3), (("cancel", "--request-id", "Emula1"), 3), (("funds",), 4)]
)
def test_an_interrupt_leaves_what_moves_value_in_doubt(
    command: tuple[str, ...], code: int, agcod: Agcod, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"agcod_async.cli.{command[0]}.run_call", interrupted)

    ran = agcod(*command)

    assert ran.code == code
    assert ("in doubt" in ran.err) == (code == 3)


def test_the_process_ends_with_the_exit_code_of_the_command(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["agcod", "create", "--request-id", "E1"])

    with pytest.raises(SystemExit) as usage:
        run()
    monkeypatch.setattr(sys, "argv", ["agcod", "--version"])
    with pytest.raises(SystemExit) as version:
        run()

    assert (usage.value.code, version.value.code) == (2, 0)
    assert capfd.readouterr().out == f"agcod {__version__}\n"


def test_a_reader_that_is_gone_is_no_traceback(emulator: Emulator) -> None:
    read, write = os.pipe()
    os.close(read)
    arguments = (sys.executable, "-m", "agcod_async.cli", "funds")
    with os.fdopen(write, "wb") as nobody:
        done = subprocess.run(  # noqa: S603  our own command
            arguments, stdout=nobody, stderr=subprocess.PIPE, timeout=30, check=False
        )

    assert done.stderr == b""
    assert done.returncode == 1
    assert emulator.arrivals.total == 1
