import json
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from agcod_async.delivery import DeliveryPolicy
from agcod_async.testing import Emulator, EmulatorConfig, FaultKind, FaultRule, FaultScript
from tests.cli.stage import HEADER, Agcod, FileOf, assert_no_code, codes
from tests.delivery.cards import command_of
from tests.delivery.receiver import received

Serve = Callable[[EmulatorConfig], Emulator]

ORDERS = ("Emula1,10.00,USD", "Emula2,20.50,USD", "Emula3,30.25,USD")


def module_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, body: str) -> str:
    """The name of a function `deliver` in a module that stands in the current directory."""
    (tmp_path / f"{name}.py").write_text(dedent(body), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return f"{name}:deliver"


TAKE = """
for line in sys.stdin:
    taken.write(line)
    taken.flush()
    print(json.loads(line)["request_id"], flush=True)
"""


def test_a_command_gets_a_line_of_json_for_each_card_and_answers_with_its_id(
    agcod: Agcod, emulator: Emulator, file_of: FileOf, tmp_path: Path
) -> None:
    taken = tmp_path / "taken.jsonl"
    command = command_of(tmp_path, f"taken = open({str(taken)!r}, 'w')\n{TAKE}")

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
    body = f"taken = sys.stderr\n{TAKE.replace('taken.flush()', 'print(line)')}"

    ran = agcod(
        "batch",
        "issue",
        file_of(HEADER, *ORDERS),
        "--deliver-command",
        command_of(tmp_path, body),
    )

    assert ran.code == 0
    assert_no_code(emulator, ran.everything)


def test_a_command_that_takes_cards_and_does_not_say_so_has_taken_none(
    agcod: Agcod, emulator: Emulator, file_of: FileOf, tmp_path: Path
) -> None:
    command = command_of(tmp_path, "for line in sys.stdin: pass")
    options = ("--deliver-command", command, "--deliver-timeout", "0.2", "--deliver-attempts", "1")

    ran = agcod("batch", "issue", file_of(HEADER, *ORDERS), *options)

    assert ran.code == 1
    assert "undelivered  Emula2: the command did not answer in time" in ran.err
    for request_id in ("Emula1", "Emula2", "Emula3"):
        assert f"\n  {request_id}\n" in ran.out
    assert_no_code(emulator, ran.everything)


def test_a_command_that_cannot_answer_takes_each_card_by_its_exit_status(
    agcod: Agcod, emulator: Emulator, file_of: FileOf, tmp_path: Path
) -> None:
    command = command_of(tmp_path, "sys.exit('Emula2' in sys.stdin.read())")
    options = ("--deliver-command", command, "--deliver-ack", "exit", "--deliver-attempts", "1")

    ran = agcod("batch", "issue", file_of(HEADER, *ORDERS), *options, "--json")

    assert ran.code == 1
    assert ran.objects[-1]["undelivered_request_ids"] == ["Emula2"]
    assert ran.objects[-1]["delivered"] == 2
    assert_no_code(emulator, ran.everything)


def test_a_command_that_dies_is_started_anew_and_gets_the_same_card_again(
    agcod: Agcod, emulator: Emulator, file_of: FileOf, tmp_path: Path
) -> None:
    taken = tmp_path / "taken.jsonl"
    body = f"""
    died = os.path.exists({str(taken)!r})
    taken = open({str(taken)!r}, "a")
    for line in sys.stdin:
        if not died and "Emula2" in line:
            os.kill(os.getpid(), 9)
        taken.write(line)
        taken.flush()
        print(json.loads(line)["request_id"], flush=True)
    """

    ran = agcod(
        *("batch", "issue", file_of(HEADER, *ORDERS), "--json"),
        *("--deliver-command", command_of(tmp_path, body)),
    )

    told = [json.loads(line) for line in taken.read_text("utf-8").splitlines()]
    assert ran.code == 0
    assert {card["request_id"] for card in told} == {"Emula1", "Emula2", "Emula3"}
    assert emulator.arrivals.total == 3, "Amazon is not asked again"


def test_a_webhook_gets_each_card_signed(
    agcod: Agcod,
    emulator: Emulator,
    file_of: FileOf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SHOP_SECRET", "sixteen bytes or more")
    with received(status=202) as (url, posts):
        options = ("--deliver-webhook", url, "--deliver-secret-env", "SHOP_SECRET")
        ran = agcod("batch", "issue", file_of(HEADER, *ORDERS), *options)

    assert ran.code == 0
    assert {post.headers["idempotency-key"] for post in posts} == {"Emula1", "Emula2", "Emula3"}
    assert sorted(json.loads(post.body)["claim_code"] for post in posts) == sorted(codes(emulator))
    assert_no_code(emulator, ran.everything)


def test_a_webhook_that_refuses_is_told_of_without_its_words(
    agcod: Agcod,
    emulator: Emulator,
    file_of: FileOf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SHOP_SECRET", "sixteen bytes or more")
    with received(status=500) as (url, posts):
        options = ("--deliver-webhook", url, "--deliver-secret-env", "SHOP_SECRET")
        ran = agcod("batch", "issue", file_of(HEADER, *ORDERS), *options, "--deliver-attempts", "1")

    assert ran.code == 1
    assert len(posts) == 3
    assert "undelivered  Emula2: the webhook answered with status 500" in ran.err
    assert_no_code(emulator, ran.everything)


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

    options = ("--deliver-to", function, "--deliver-attempts", "1")

    ran = agcod("batch", "issue", file_of(HEADER, *ORDERS), *options)
    as_json = agcod("batch", "issue", file_of(HEADER, *ORDERS), *options, "--json")

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
    options = ("--deliver-to", function, "--concurrency", "2", "--deliver-attempts", "1", "--json")

    ran = agcod("batch", "issue", file_of(HEADER, *orders), *options)

    assert ran.code == 1
    failures_max, held_max = DeliveryPolicy().failures_max, DeliveryPolicy().at_a_time_max + 1 + 2
    assert failures_max <= len(codes(emulator)) <= failures_max + held_max
    assert f"delivery     has failed {failures_max} times in a row" in ran.err
    assert ran.objects[-1]["stopped"] == f"{failures_max} deliveries in a row have failed"
    assert ran.objects[-1]["undelivered"] == len(codes(emulator))
