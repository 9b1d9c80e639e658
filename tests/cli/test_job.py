"""A job on the command line: planned, run, looked at, resumed."""

import asyncio
import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from agcod_async.cli import job_command
from agcod_async.core.outcomes import Reason
from agcod_async.errors import UsageError
from agcod_async.figures import from_json
from agcod_async.settings import Settings
from agcod_async.testing import Emulator, EmulatorConfig, FaultKind, FaultRule, FaultScript
from agcod_async.values import Money
from tests.cli.stage import HEADER, Agcod, FileOf, assert_no_code, codes

Serve = Callable[[EmulatorConfig], Emulator]

ORDERS = ("Emula1,10.00,USD", "Emula2,20.50,USD", "Emula3,30.25,USD")
SHOP = """
taken = []

def deliver(card, order):
    if {refuse!r} in order.request_id:
        raise RuntimeError(card.claim_code.reveal())
    with open("taken.txt", "a") as file:
        print(order.request_id, card.gc_id, file=file)
"""


@pytest.fixture
def job(tmp_path: Path) -> Path:
    return tmp_path / "job"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Write a module with a function that takes cards, and one that refuses some."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(refuse: str) -> str:
        name = f"shop_{len(list(tmp_path.glob('shop_*.py')))}"
        (tmp_path / f"{name}.py").write_text(SHOP.format(refuse=refuse), encoding="utf-8")
        sys.modules.pop(name, None)
        return f"{name}:deliver"

    return write


def test_a_job_is_planned_run_and_looked_at(
    agcod: Agcod, emulator: Emulator, file_of: FileOf, job: Path, shop: Callable[[str], str]
) -> None:
    path = file_of(HEADER, *ORDERS)
    run = agcod("batch", "issue", path, "--job", job, "--deliver-to", shop("nobody"), "--json")
    status = agcod("batch", "status", job)

    assert (run.code, status.code) == (0, 0)
    assert emulator.ledger.balances()[0].live == Decimal("60.75")
    *_, summary, shown = run.objects
    assert (summary["kind"], summary["issued"], summary["delivered"]) == ("summary", 3, 3)
    assert (shown["kind"], shown["name"], shown["exit_code"]) == ("job", "job", 0)
    assert shown["states"]["delivered"] == {"orders": 3, "amounts": {"USD": "60.75"}}
    assert agcod("batch", "status", job, "--json").objects == [shown]
    assert "delivered" in status.out
    assert max(map(len, status.out.splitlines())) < 80
    written = b"".join(file.read_bytes() for file in job.iterdir())
    assert [code for code in codes(emulator) if code.encode() in written] == []
    assert_no_code(emulator, run.everything + status.everything)


def test_the_same_command_again_issues_nothing_twice_and_another_file_is_refused(
    agcod: Agcod, emulator: Emulator, file_of: FileOf, job: Path
) -> None:
    issue = ("batch", "issue", file_of(HEADER, *ORDERS), "--job", job)
    assert agcod(*issue).code == 0
    arrived = emulator.arrivals.total
    again = agcod(*issue)

    assert again.code == 0
    assert emulator.arrivals.total == arrived
    file_of(HEADER, *ORDERS, "Emula4,1.00,USD")
    changed = agcod(*issue)
    assert changed.code == 2
    assert "was made of other orders" in changed.err
    assert emulator.arrivals.total == arrived


def test_what_was_not_delivered_is_delivered_by_resume(
    agcod: Agcod,
    emulator: Emulator,
    file_of: FileOf,
    job: Path,
    shop: Callable[[str], str],
    tmp_path: Path,
) -> None:
    path = file_of(HEADER, *ORDERS)
    sink = ("--deliver-to", shop("Emula2"), "--deliver-attempts", "1")
    run = agcod("batch", "issue", path, "--job", job, *sink)
    assert run.code == 1
    assert "undelivered  Emula2" in run.err
    again = agcod("batch", "resume", job, "--deliver-to", shop("nobody"))

    assert again.code == 0
    taken = (tmp_path / "taken.txt").read_text(encoding="utf-8").splitlines()
    assert sorted(line.split()[0] for line in taken) == ["Emula1", "Emula2", "Emula3"]
    assert emulator.ledger.balances()[0].live == Decimal("60.75")
    assert_no_code(emulator, run.everything + again.everything)


def test_request_ids_are_derived_from_the_name_and_the_business_key(
    agcod: Agcod, emulator: Emulator, file_of: FileOf, tmp_path: Path
) -> None:
    path = file_of("business_key,amount,currency", "inv 1,10,USD", "inv 2,20,USD", "inv 1,10,USD")
    nameless = agcod("batch", "issue", path, "--job", tmp_path / "none")
    first = agcod("batch", "issue", path, "--job", tmp_path / "a", "--name", "may")
    lost = agcod("batch", "issue", path, "--job", tmp_path / "b", "--name", "may")
    other = agcod("batch", "issue", path, "--job", tmp_path / "c", "--name", "june")

    assert nameless.code == 2
    assert "--name" in nameless.err
    assert (first.code, lost.code, other.code) == (1, 1, 1), "one row is refused"
    assert "line 4: business_key: 'inv 1' stands on line 2 already" in first.err
    assert emulator.ledger.balances()[0].live == Decimal("60.00"), "may once, june once"


def test_json_lines_are_read_too(
    agcod: Agcod, emulator: Emulator, file_of: FileOf, job: Path
) -> None:
    path = file_of(
        '{"request_id": "Emula1", "amount": 10.10, "currency": "USD"}',
        "",
        '{"request_id": "Emula1", "amount": "5", "currency": "USD"}',
        '{"amount": "5"',
        name="orders.jsonl",
    )
    run = agcod("batch", "issue", path, "--job", job, "--json")

    refused = [shown for shown in run.objects if shown["kind"] == "row"]
    assert [(one["line"], one["field"]) for one in refused] == [(3, "request_id"), (4, "row")]
    assert emulator.ledger.balances()[0].live == Decimal("10.10")
    assert run.code == 1


def test_strict_plans_nothing_if_a_row_is_bad_and_the_mended_file_is_taken(
    agcod: Agcod, emulator: Emulator, file_of: FileOf, job: Path
) -> None:
    bad = agcod("batch", "issue", file_of(HEADER, *ORDERS, "x,1,USD"), "--job", job, "--strict")
    assert bad.code == 2
    assert "line 5" in bad.err
    assert emulator.arrivals.total == 0
    assert agcod("batch", "status", job).code == 4
    assert agcod("batch", "resume", job).code == 2
    mended = agcod("batch", "issue", file_of(HEADER, *ORDERS), "--job", job, "--strict")

    assert mended.code == 0
    assert emulator.ledger.balances()[0].live == Decimal("60.75")


def test_a_file_that_changes_while_it_is_planned_is_not_issued(
    agcod: Agcod,
    emulator: Emulator,
    file_of: FileOf,
    job: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    digests = iter("ab")
    monkeypatch.setattr(job_command, "digest", lambda _: next(digests))
    run = agcod("batch", "issue", file_of(HEADER, *ORDERS), "--job", job)

    assert run.code == 2
    assert "has changed while it was read" in run.err
    assert emulator.arrivals.total == 0


def test_a_spend_cap_holds_for_all_runs_and_can_be_raised(
    agcod: Agcod, emulator: Emulator, file_of: FileOf, job: Path
) -> None:
    first = agcod("batch", "issue", file_of(HEADER, *ORDERS), "--job", job, "--spend-cap", "40.00")
    again = agcod("batch", "resume", job)
    assert (first.code, again.code) == (4, 4)
    assert "the spend cap leaves no room for the next order" in again.out
    assert emulator.ledger.balances()[0].live == Decimal("30.50")
    raised = agcod("batch", "resume", job, "--spend-cap", "60.75")

    assert raised.code == 0
    assert emulator.ledger.balances()[0].live == Decimal("60.75")


def test_when_the_funds_run_out_the_job_stands_and_says_whom_to_ask(
    agcod: Agcod, serve: Serve, file_of: FileOf, job: Path
) -> None:
    emulator = serve(EmulatorConfig(requests_per_second=None, funds=(Money("31", "USD"),)))
    path = file_of(HEADER, *ORDERS)
    run = agcod("batch", "issue", path, "--job", job, "--patience", "0", "--concurrency", "1")
    status = agcod("batch", "status", job)

    assert (run.code, status.code) == (4, 4)
    assert "the line stands still: F300 InsufficientFunds" in run.err
    assert "declined" not in run.err, "nothing is: the order is in the plan"
    assert "unavailable" not in run.err
    assert run.out.split("orders of this run")[1].split()[0] == "2"
    assert "The line stands still: F300 InsufficientFunds" in status.out
    assert "operations team" in status.out
    assert emulator.ledger.balances()[0].live == Decimal("30.50")
    emulator.ledger._funds._prepaid["USD"] += 100
    assert agcod("batch", "resume", job).code == 0
    assert "stands" not in agcod("batch", "status", job).out


def test_the_funds_are_watched_on_demand_and_stop_the_line_below_the_mark(
    agcod: Agcod, serve: Serve, file_of: FileOf, job: Path
) -> None:
    emulator = serve(EmulatorConfig(requests_per_second=None, funds=(Money("100", "USD"),)))
    path = file_of(HEADER, *ORDERS)
    issue = ("batch", "issue", path, "--job", job, "--patience", "0", "--funds")
    run = agcod(*issue, "--stop-below", "200", "--warn-below", "150")

    assert run.code == 4
    assert "the funds run short: 100.00 USD, and 60.75 is still to issue" in run.err
    assert "fallen below the mark" in run.err
    assert emulator.arrivals.by_operation["CreateGiftCard"] == 0
    assert agcod("batch", "resume", job, "--no-funds").code == 0
    marks = agcod("batch", "resume", job, "--no-funds", "--stop-below", "5")
    assert marks.code == 2
    assert "--warn-below, --stop-below: need --funds" in marks.err


def test_an_order_in_doubt_is_listed_until_it_is_settled(
    agcod: Agcod, serve: Serve, file_of: FileOf, job: Path
) -> None:
    rule = FaultRule(request_id="Emula2", fault=FaultKind.RESET_AFTER, times=1000)
    emulator = serve(EmulatorConfig(requests_per_second=None, faults=FaultScript(rules=(rule,))))
    run = agcod(
        "batch", "issue", file_of(HEADER, *ORDERS), "--job", job, "--deadline", "0.4", "--json"
    )
    assert run.code == 3
    (doubt,) = run.objects[-1]["in_doubt"]
    assert (doubt["request_id"], doubt["line"], doubt["amount"]) == ("Emula2", 3, "20.50")
    assert doubt["next_safe_action"] == "replay_same_id"
    assert "Emula2  resume the job" in agcod("batch", "status", job).out
    emulator.play(FaultScript())

    assert agcod("batch", "resume", job).code == 0
    assert emulator.ledger.balances()[0].live == Decimal("60.75")


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--name", "may"), "--name: needs --job"),
        (("--spend-cap", "5"), "--spend-cap: needs --job"),
        (("--funds",), "--funds: needs --job"),
        (("--stop-below", "5"), "--stop-below: needs --job"),
        (("--job", "j", "--concurrency", "0"), "--concurrency: 0 is out of range (1 to 10000)"),
        (("--job", "j", "--deadline", "0"), "--deadline: 0.0 is out of range (above 0)"),
        (("--patience", "60"), "--patience: needs --job"),
        (("--job", "j", "--patience", "-1"), "--patience: -1.0 is out of range (0 or more)"),
        (("--job", "j", "--deliver-to", "nowhere:nothing"), "--deliver-to"),
        (("--job", "j", "--spend-cap", "five"), "amount: 'five' is not"),
    ],
)
def test_what_does_not_go_together_is_a_usage_error(
    agcod: Agcod,
    emulator: Emulator,
    file_of: FileOf,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    problem: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    run = agcod("batch", "issue", file_of(HEADER, *ORDERS), *options)

    assert run.code == 2
    assert problem in run.err
    assert emulator.arrivals.total == 0


def test_a_job_that_runs_is_refused_to_others_who_may_look(
    agcod: Agcod, emulator: Emulator, file_of: FileOf, job: Path
) -> None:
    from agcod_async.batch import Job  # noqa: PLC0415  this test holds one open by itself

    path = file_of(HEADER, *ORDERS)
    assert agcod("batch", "issue", path, "--job", job).code == 0
    settings = Settings.from_env()

    async def meanwhile() -> None:
        async with await Job.open(job, settings):
            resume = await asyncio.to_thread(agcod, "batch", "resume", job)
            status = await asyncio.to_thread(agcod, "batch", "status", job)
            assert resume.code == 2
            assert f"in use by process {os.getpid()}" in resume.err
            assert status.code == 0

    asyncio.run(meanwhile())


def test_a_full_disk_ends_the_run_as_in_doubt(
    agcod: Agcod, emulator: Emulator, file_of: FileOf, job: Path
) -> None:
    path = file_of(HEADER, *ORDERS)
    assert agcod("batch", "issue", path, "--job", job, "--spend-cap", "0").code == 4
    with closing(sqlite3.connect(job / "job.sqlite", isolation_level=None)) as sql:
        sql.execute(
            "CREATE TRIGGER full BEFORE UPDATE ON orders WHEN NEW.state = 'issued'"
            " BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
        )
    run = agcod("batch", "resume", job, "--spend-cap", "100", "--concurrency", "1")

    assert run.code == 3
    assert "could not be written" in run.err
    assert "disk is full" in run.err
    with closing(sqlite3.connect(job / "job.sqlite", isolation_level=None)) as sql:
        sql.execute("DROP TRIGGER full")
    assert agcod("batch", "resume", job).code == 0
    assert emulator.ledger.balances()[0].live == Decimal("60.75")


@pytest.mark.parametrize(("refuse", "code"), [("nobody", 0), ("Emula2", 1)])
@pytest.mark.usefixtures("emulator")
def test_a_job_that_cannot_be_read_after_its_run_still_says_what_happened_to_the_money(
    agcod: Agcod,
    file_of: FileOf,
    job: Path,
    shop: Callable[[str], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    refuse: str,
    code: int,
) -> None:
    def unreadable(directory: Path) -> object:
        raise UsageError(Reason(f"{directory}: there is no job here"))

    monkeypatch.setattr(job_command, "view_job", unreadable)
    page, path = tmp_path / "report.json", file_of(HEADER, *ORDERS)
    sink = ("--deliver-to", shop(refuse), "--deliver-attempts", "1")
    run = agcod("batch", "issue", path, "--job", job, *sink, "--report", page)
    told = agcod("batch", "resume", job, *sink, "--json")

    assert (run.code, told.code) == (code, code), "never 2, which says that nothing was sent"
    assert "how the job stands cannot be read" in run.err
    assert "there is no job here" in run.err
    assert page.exists()
    delivered = 3 - code
    assert [line.split() for line in run.out.splitlines() if "delivered" in line] == [
        ["delivered", str(delivered)]
    ]
    shown = told.objects[-1]
    assert (shown["kind"], shown["exit_code"]) == ("job", code)
    assert shown["states"]["delivered"] == {"orders": delivered}
    assert "there is no job here" in shown["problem"]


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="this platform has no SIGUSR1")
def test_sigusr1_sets_a_line_going(
    agcod: Agcod, serve: Serve, file_of: FileOf, job: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator = serve(EmulatorConfig(requests_per_second=None, funds=(Money("31", "USD"),)))

    def pay_in_and_say_so(_: object, text: str) -> None:
        if "the line stands still" in text:
            emulator.ledger._funds._prepaid["USD"] += 100
            os.kill(os.getpid(), signal.SIGUSR1)

    monkeypatch.setattr("agcod_async.cli.display.Silent.note", pay_in_and_say_so)
    run = agcod("batch", "issue", file_of(HEADER, *ORDERS), "--job", job, "--concurrency", "1")

    assert run.code == 0
    assert emulator.ledger.balances()[0].live == Decimal("60.75")


# --- a journal without a job ----------------------------------------------------------------------


def test_a_batch_without_a_job_can_keep_a_journal_which_can_be_pruned(
    agcod: Agcod, emulator: Emulator, file_of: FileOf, tmp_path: Path
) -> None:
    journal = tmp_path / "batch.journal"
    issue = ("batch", "issue", file_of(HEADER, *ORDERS), "--journal", journal)
    assert (agcod(*issue).code, agcod(*issue).code) == (0, 0)
    assert emulator.arrivals.total == 6, "read back, all of them"
    with closing(sqlite3.connect(journal, isolation_level=None)) as sql:
        sql.execute("UPDATE entry SET updated_at = 1, version = version + 1")
    pruned = agcod("journal", "prune", journal, "--older-than", "30", "--json")

    assert pruned.objects == [{"removed": 3}]
    assert agcod("journal", "prune", journal, "--older-than", "30").out == "0 calls forgotten\n"


def test_a_journal_of_another_account_is_a_usage_error(
    agcod: Agcod,
    emulator: Emulator,
    file_of: FileOf,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    journal = tmp_path / "batch.journal"
    issue = ("batch", "issue", file_of(HEADER, *ORDERS), "--journal", journal)
    assert agcod(*issue).code == 0
    arrived = emulator.arrivals.total
    monkeypatch.setenv("AGCOD_BASE_URL", "http://localhost:9")
    run = agcod(*issue)

    assert run.code == 2
    assert "is of partner Emula at 127.0.0.1, not of partner Emula at localhost" in run.err
    assert emulator.arrivals.total == arrived


def test_what_must_not_be_pruned_is_refused(
    agcod: Agcod, emulator: Emulator, file_of: FileOf, job: Path, tmp_path: Path
) -> None:
    assert agcod("batch", "issue", file_of(HEADER, *ORDERS), "--job", job).code == 0
    of_a_job = agcod("journal", "prune", job / "journal.sqlite", "--older-than", "30")
    missing = agcod("journal", "prune", tmp_path / "none", "--older-than", "30")
    young = agcod("journal", "prune", job / "journal.sqlite", "--older-than", "0.5")

    assert (of_a_job.code, missing.code, young.code) == (2, 2, 2)
    assert "is a job's" in of_a_job.err
    assert not (tmp_path / "none").exists()


class Stubborn:
    """A sink that takes every card, and cannot be closed."""

    async def deliver(self, *_: object) -> None:
        return

    async def aclose(self) -> None:
        raise ConnectionError("it has hung up")


def test_a_sink_that_cannot_be_closed_changes_no_result(
    agcod: Agcod,
    emulator: Emulator,
    file_of: FileOf,
    job: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def stubborn(_: object) -> Stubborn:
        return Stubborn()

    monkeypatch.setattr(job_command, "open_sink", stubborn)
    run = agcod("batch", "issue", file_of(HEADER, *ORDERS), "--job", job)

    assert run.code == 0
    assert "delivered" in run.out


def test_the_reports_of_a_jobs_runs_add_up(
    agcod: Agcod,
    emulator: Emulator,
    file_of: FileOf,
    job: Path,
    shop: Callable[[str], str],
    tmp_path: Path,
) -> None:
    sink = ("--deliver-to", shop("Emula2"), "--deliver-attempts", "1")
    reports = [tmp_path / f"{name}.json" for name in ("first", "second", "both")]
    path = file_of(HEADER, *ORDERS)
    agcod("batch", "issue", path, "--job", job, *sink, "--report", reports[0])
    agcod("batch", "resume", job, "--deliver-to", shop("nobody"), "--report", reports[1])
    agcod("report", *reports[:2], "-o", reports[2])
    first, second, both = (from_json(file.read_text(encoding="utf-8")) for file in reports)

    assert (first.taken_again, first.settled) == ({}, {})
    assert first.taken.orders == 3
    assert {name: worth.orders for name, worth in second.taken_again.items()} == {"issued": 1}
    assert both.taken == both.ended("issued") == first.taken
    assert (both.delivered, both.undelivered) == (3, 0)


def test_what_reconcile_settles_in_a_jobs_journal_comes_out_right_when_it_is_resumed(
    agcod: Agcod, serve: Serve, file_of: FileOf, job: Path, shop: Callable[[str], str]
) -> None:
    lost = tuple(
        FaultRule(request_id=name, fault=fault, times=1000)
        for name, fault in (
            ("Emula1", FaultKind.RESET_AFTER),  # it lives, and nobody has been told
            ("Emula2", FaultKind.RESET),  # it never arrived
        )
    )
    emulator = serve(EmulatorConfig(requests_per_second=None, faults=FaultScript(rules=lost)))
    path = file_of(HEADER, *ORDERS)
    run = agcod("batch", "issue", path, "--job", job, "--deadline", "0.3")
    emulator.play(FaultScript())
    reconciled = agcod("reconcile", "--journal", job / "journal.sqlite", "--json")
    resumed = agcod("batch", "resume", job, "--deliver-to", shop("nobody"), "--json")

    assert run.code == 3
    assert {one["verdict"] for one in reconciled.objects if one["kind"] == "call"} == {"issued"}
    assert resumed.code == 0
    assert resumed.objects[-1]["states"]["delivered"] == {
        "orders": 3,
        "amounts": {"USD": "60.75"},
    }
    assert emulator.ledger.balances()[0].live == Decimal("60.75")
    assert_no_code(emulator, reconciled.everything + resumed.everything)
