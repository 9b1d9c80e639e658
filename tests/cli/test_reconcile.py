"""`agcod reconcile`: finish, audit, compare, and end with an exit code for cron."""

import asyncio
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from agcod_async.clock import Clock
from agcod_async.core.facts import Facts
from agcod_async.journal.records import Entry
from agcod_async.journal.sqlite import SqliteJournal
from agcod_async.providers.agcod.operations import CREATE_GIFT_CARD
from agcod_async.providers.agcod.requests import create_gift_card_request
from agcod_async.reconciliation.findings import Kind
from agcod_async.testing import EMULATOR_PARTNER_ID, Emulator, EmulatorConfig
from agcod_async.values import Money
from tests.cli.stage import Agcod, Run, Served, assert_no_code

HOUR = 3600.0
ISSUED = Facts(doubtful=True, confirmed=True)
IN_DOUBT = Facts(doubtful=True)
AT_ONCE = ("--pause", "0", "--pages-per-minute", "60000")

Serve = Callable[[EmulatorConfig], Emulator]


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """An account whose clock is late: what was issued just now is in the report's time."""
    late = Clock(wall=lambda: time.time() - 1.5 * HOUR)
    config = EmulatorConfig(
        requests_per_second=None, operation_caps={}, signature_age_max_seconds=2 * HOUR
    )
    server = Served(Emulator(config, clock=late))
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    yield server.emulator
    server.stop()


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "journal.db"
    asyncio.run(_write(path))
    return path


async def _write(path: Path, *entries: Entry) -> None:
    async with SqliteJournal(path) as opened:
        for entry in entries:
            await opened.open(entry)


def write(path: Path, *entries: Entry) -> None:
    asyncio.run(_write(path, *entries))


def read(path: Path, request_id: str) -> Entry:
    async def main() -> Entry:
        async with SqliteJournal(path) as opened:
            found = await opened.find("CreateGiftCard", request_id)
            assert found is not None
            return found

    return asyncio.run(main())


def entry(request_id: str, facts: Facts, hours_ago: float = 2.0, **changes: object) -> Entry:
    """Return the entry of an order of 25 USD."""
    request = create_gift_card_request(
        request_id=request_id,
        amount=Money("25.00", "USD"),
        partner_id=EMULATOR_PARTNER_ID,
        mock_ids_allowed=True,
    )
    sent_at = time.time() - hours_ago * HOUR
    made = Entry(
        request_id=request_id,
        partner_id=EMULATOR_PARTNER_ID,
        operation="CreateGiftCard",
        amount="25.00 USD",
        body=CREATE_GIFT_CARD.encode(request),
        created_at=sent_at,
        live_id=request_id,
        facts=facts,
        sends=1,
        first_sent_at=sent_at,
        last_sent_at=sent_at,
        updated_at=sent_at,
        verdict="Issued" if facts.confirmed else "",
    )
    return replace(made, **changes)


def create(agcod: Agcod, request_id: str) -> str:
    made = agcod(
        *("create", "--request-id", request_id, "--amount", "25.00", "--currency", "USD", "--json")
    )
    return str(made.objects[0]["gc_id"])


def findings(ran: Run) -> dict[str, str]:
    return {
        one["request_id"]: one["finding"] for one in ran.objects if one.get("kind") == "finding"
    }


def test_when_all_agrees_it_ends_with_0(agcod: Agcod, account: Emulator, journal: Path) -> None:
    write(journal, entry("Emula1", ISSUED, gc_id=create(agcod, "Emula1")))

    told = agcod("reconcile", "--journal", journal, "--activity", *AT_ONCE)
    as_json = agcod("reconcile", "--journal", journal, "--activity", *AT_ONCE, "--json")

    assert (told.code, as_json.code) == (0, 0)
    assert "matched" in told.out
    assert "25.00" in told.out
    scans = [line for line in told.err.splitlines() if "clock" not in line]  # the account's is late
    assert scans == [f"scan {n} of 2: reading on from row 1" for n in (1, 2)]
    (summary,) = as_json.objects
    assert summary["findings"] == {"matched": 1}
    assert summary["recorded"] == summary["booked"] == {"matched": {"USD": "25.00"}}
    assert_no_code(account, told.everything + as_json.everything)


def test_open_calls_are_finished_first(agcod: Agcod, account: Emulator, journal: Path) -> None:
    write(journal, entry("Emula1", IN_DOUBT, 0.6), entry("Emula2", Facts(), 0.6))

    told = agcod("reconcile", "--journal", journal, "--activity", *AT_ONCE, "--json")

    assert told.code == 0
    assert [one["verdict"] for one in told.objects if one["kind"] == "call"] == ["issued"]
    assert told.objects[-1]["findings"] == {"matched": 1, "nothing": 1}
    assert read(journal, "Emula1").verdict == "Issued"
    assert read(journal, "Emula2").verdict == "Unavailable"
    assert_no_code(account, told.everything)


def test_without_books_it_only_finishes(agcod: Agcod, account: Emulator, journal: Path) -> None:
    nothing = agcod("reconcile", "--journal", journal)
    write(journal, entry("Emula1", IN_DOUBT, 0.5))
    told = agcod("reconcile", "--journal", journal)

    assert (nothing.code, told.code) == (0, 0)
    assert "nothing was open" in nothing.out
    assert told.out.startswith("issued            Emula1\n")
    assert account.arrivals.by_operation == {"CreateGiftCard": 1}


def test_findings_that_need_a_person_end_with_1(
    agcod: Agcod, account: Emulator, journal: Path
) -> None:
    create(agcod, "Emula2")
    write(journal, entry("Emula1", ISSUED))

    told = agcod("reconcile", "--journal", journal, "--activity", *AT_ONCE)
    as_json = agcod("reconcile", "--journal", journal, "--activity", *AT_ONCE, "--json")

    assert (told.code, as_json.code) == (1, 1)
    assert findings(as_json) == {"Emula1": "missing", "Emula2": "unknown"}
    assert "missing           Emula1  journal 25.00 USD, Amazon nothing" in told.out
    assert "unknown           Emula2  journal nothing, Amazon 25.00 USD" in told.out
    assert "unknown: find who has sent it" in told.out
    narrow = agcod(
        *("reconcile", "--journal", journal, "--activity", *AT_ONCE, "--json", "--prefix", "EmulaX")
    )
    assert findings(narrow) == {"Emula1": "missing"}


def test_what_is_not_known_yet_ends_with_3(agcod: Agcod, account: Emulator, journal: Path) -> None:
    write(journal, entry("Emula1", ISSUED, 0.1))

    early = agcod("reconcile", "--journal", journal, "--activity", *AT_ONCE, "--json")
    now = ("--until", at(0))
    told = agcod("reconcile", "--journal", journal, "--activity", *AT_ONCE, "--json", *now)

    assert (early.code, findings(early)) == (0, {})
    assert told.code == 3
    assert findings(told) == {"Emula1": "still_open"}
    assert "do not cover" in told.objects[0]["note"]
    assert told.objects[0]["next_action"] == "compare_again"


def test_what_is_too_old_to_be_sent_is_settled_by_the_books_and_not_sent(
    agcod: Agcod, account: Emulator, journal: Path
) -> None:
    write(journal, entry("Emula1", IN_DOUBT, 30))

    unread = agcod("reconcile", "--journal", journal)
    looked = agcod("reconcile", "--journal", journal, "--activity", *AT_ONCE, "--read-only")
    settled = agcod("reconcile", "--journal", journal, "--activity", *AT_ONCE, "--json")
    after = agcod("reconcile", "--journal", journal, "--activity", *AT_ONCE, "--json")

    assert (unread.code, looked.code, settled.code, after.code) == (3, 1, 1, 0)
    assert "too old to be sent again" in unread.out
    assert settled.objects[-1]["settled"] == 1
    assert findings(settled) == {"Emula1": "proven_not_issued"}
    assert read(journal, "Emula1").verdict == "Unavailable"
    assert set(account.arrivals.by_operation) == {"GetGiftCardActivityPage"}


def test_read_only_writes_nothing(agcod: Agcod, account: Emulator, journal: Path) -> None:
    undone = entry("Emula3", ISSUED, 2, last_undo_at=time.time() - HOUR)
    write(journal, entry("Emula1", IN_DOUBT, 0.6), entry("Emula2", Facts(), 0.6), undone)
    with closing(sqlite3.connect(journal)) as prompt:
        before = prompt.execute("SELECT * FROM entry").fetchall()

    told = agcod("reconcile", "--journal", journal, "--activity", *AT_ONCE, "--read-only", "--json")

    with closing(sqlite3.connect(journal)) as prompt:
        assert prompt.execute("SELECT * FROM entry").fetchall() == before
    assert told.code == 1
    assert set(findings(told).values()) == {"proven_not_issued", "missing"}
    assert [one["kind"] for one in told.objects] == ["finding", "finding", "finding", "summary"]
    assert set(account.arrivals.by_operation) == {"GetGiftCardActivityPage"}


def test_a_card_that_died_after_it_was_handed_out_is_an_alarm(
    agcod: Agcod, account: Emulator, journal: Path
) -> None:
    names = {one: create(agcod, one) for one in ("Emula1", "Emula2")}
    agcod("cancel", "--request-id", "Emula1")
    for one, gc_id in names.items():
        write(journal, entry(one, ISSUED, 2, last_undo_at=time.time() - HOUR, gc_id=gc_id))

    told = agcod("reconcile", "--journal", journal)
    again = agcod("reconcile", "--journal", journal)

    assert told.code == 1
    assert f"died              Emula1  gcId {names['Emula1']}" in told.out
    assert "Emula2" not in told.out
    assert again.code == 0
    assert_no_code(account, told.everything)


def test_an_audit_that_can_only_be_read_is_settled_by_the_books(
    agcod: Agcod, account: Emulator, journal: Path
) -> None:
    changes = {"last_undo_at": time.time() - 29 * HOUR, "gc_id": create(agcod, "Emula1")}
    write(journal, entry("Emula1", ISSUED, 30, **changes), entry("Emula2", ISSUED, 30, **changes))

    told = agcod("reconcile", "--journal", journal)
    assert told.code == 1
    assert "to be read        Emula1" in told.out
    assert "compare with --activity" in told.out

    write(journal, entry("Emula3", ISSUED, 30, **(changes | {"gc_id": create(agcod, "Emula3")})))
    compared = agcod("reconcile", "--journal", journal, "--activity", *AT_ONCE, "--json")
    assert findings(compared) == {"Emula2": "missing"}
    assert compared.objects[-1]["findings"] == {"matched": 2, "missing": 1}


def test_a_card_whose_undo_is_young_is_looked_at_later(
    agcod: Agcod, account: Emulator, journal: Path
) -> None:
    write(journal, entry("Emula1", ISSUED, 0.2, last_undo_at=time.time() - 60))

    told = agcod("reconcile", "--journal", journal)

    assert told.code == 0
    assert "not due yet       Emula1" in told.out
    assert account.arrivals.total == 0


def test_a_report_that_is_switched_off_ends_with_4_and_names_the_export(
    agcod: Agcod, serve: Serve, journal: Path
) -> None:
    serve(
        EmulatorConfig(
            disabled_operations=frozenset({"GetGiftCardActivityPage"}), operation_caps={}
        )
    )
    told = agcod("reconcile", "--journal", journal, "--activity", *AT_ONCE)

    assert told.code == 4
    assert "F3008" in told.err
    assert "--portal-csv" in told.err


NOBODY = "http://127.0.0.1:9"


def test_calls_and_audits_that_nobody_answers_are_told(
    agcod: Agcod, account: Emulator, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGCOD_BASE_URL", NOBODY)
    write(journal, entry("Emula1", Facts(epoch=1), 0.6))
    unavailable = agcod("reconcile", "--journal", journal, "--deadline", "1")
    write(journal, entry("Emula2", ISSUED, 2, last_undo_at=time.time() - HOUR))
    unaudited = agcod("reconcile", "--journal", journal, "--deadline", "1")
    write(journal, entry("Emula3", IN_DOUBT, 2))
    in_doubt = agcod("reconcile", "--journal", journal, "--deadline", "1", "--json")

    assert (unavailable.code, unaudited.code, in_doubt.code) == (4, 3, 3)
    assert "unavailable       Emula1" in unavailable.out
    assert "not answered      Emula2" in unaudited.out
    assert [one["verdict"] for one in in_doubt.objects if one["kind"] == "call"] == ["in_doubt"]


def test_a_report_that_cannot_be_reached_ends_with_4(
    agcod: Agcod, account: Emulator, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGCOD_BASE_URL", NOBODY)
    monkeypatch.setattr("agcod_async.agcod.activity.PAGE_DEADLINE_SECONDS", 0.3)
    monkeypatch.setattr("agcod_async.agcod.activity.PAGE_TURNS", 0)
    told = agcod("reconcile", "--journal", journal, "--activity", *AT_ONCE)

    assert told.code == 4
    assert "not compared" in told.err


# --- exports of the portal ------------------------------------------------------------------------

HEADER = "Request ID,Type,Status,GC ID,Amount,Currency,Date"


def at(hours_ago: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - hours_ago * HOUR))


@pytest.fixture
def export(tmp_path: Path) -> Callable[..., Path]:
    def make(name: str, *rows: str, encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_text("\n".join((HEADER, *rows)), encoding=encoding)
        return path

    return make


Export = Callable[..., Path]


def test_two_exports_are_two_scans_and_one_proves_nothing(
    agcod: Agcod, account: Emulator, journal: Path, export: Export
) -> None:
    write(journal, entry("Emula1", ISSUED), entry("Emula2", ISSUED))
    rows = (
        f"Emula0,Create,FAILURE,,,,{at(9)}",
        f"Emula1,Create,SUCCESS,GC1,25.00,USD,{at(2)}",
        f"Emula0,Create,FAILURE,,,,{at(0)}",
    )
    one, other = export("one.csv", *rows), export("other.csv", *rows, encoding="utf-16")

    once = agcod("reconcile", "--journal", journal, "--portal-csv", one, "--json")
    twice = agcod(
        *("reconcile", "--journal", journal, "--portal-csv", one, "--portal-csv", other, "--json")
    )

    assert (once.code, findings(once)) == (3, {"Emula2": "still_open"})
    assert (twice.code, findings(twice)) == (1, {"Emula2": "missing"})
    assert twice.objects[-1]["booked"] == {"matched": {"USD": "25.00"}}
    assert account.arrivals.total == 0


def test_the_times_that_are_given_are_those_that_the_export_shows(
    agcod: Agcod, account: Emulator, journal: Path, export: Export
) -> None:
    write(journal, entry("Emula1", ISSUED))
    empty = export("empty.csv")
    books = ("--portal-csv", empty, "--portal-csv", empty, "--json")

    untimed = agcod("reconcile", "--journal", journal, *books)
    timed = agcod(
        *("reconcile", "--journal", journal, *books, "--since", at(9), "--until", at(0)),
    )
    later = agcod(
        *("reconcile", "--journal", journal, *books, "--since", at(1), "--until", at(0)),
    )

    assert untimed.code == 2
    assert "--since and --until" in untimed.err
    assert (timed.code, findings(timed)) == (1, {"Emula1": "missing"})
    assert (later.code, findings(later)) == (0, {})


HOW_TO = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "reconcile.md"


def test_the_commands_of_the_page_do_what_it_says(
    agcod: Agcod,
    account: Emulator,
    journal: Path,
    export: Export,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(journal.parent)
    gc_id = create(agcod, "Emula1")
    write(Path("rewards.db"), entry("Emula1", ISSUED, gc_id=gc_id))
    for name in ("monday.csv", "tuesday.csv"):
        export(
            name, f"Emula1,Create,SUCCESS,{gc_id},25.00,USD,{at(2)}", f"x,Create,FAILURE,,,,{at(0)}"
        )
    page = HOW_TO.read_text(encoding="utf-8")
    commands = re.findall(r"^\$ agcod (reconcile .*)$", page, re.MULTILINE)

    for command in commands:
        patience = AT_ONCE if "--activity" in command else ()
        assert agcod(*command.split(), *patience).code == 0, command
    assert len(commands) == 4


def test_the_page_names_every_finding() -> None:
    page = HOW_TO.read_text(encoding="utf-8")

    assert [kind.value for kind in Kind if f"`{kind.value}`" not in page] == []


# --- how it is called ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((), "--journal"),
        (("--journal", "nowhere.db"), "--journal: nowhere.db is not a file"),
        (("--journal", "{journal}", "--activity", "--pause", "-1"), "--pause: -1.0 is below 0"),
        (("--journal", "{journal}", "--activity", "--since", "soon"), "--since"),
        (("--journal", "{journal}", "--portal-csv", "nowhere.csv"), "nowhere.csv: No such file"),
        (("--journal", "{journal}", "--portal-csv", "{bad}"), "neither UTF-8 nor UTF-16"),
        (("--journal", "{journal}", "--portal-csv", "{orders}"), "lacks a column for type, status"),
        (("--journal", "{bad}"), "--journal: the journal"),
        (("--journal", "{journal}", "--activity", "--portal-csv", "x"), "not allowed with"),
        (
            ("--journal", "{journal}", "--since", "2026-02-01", "--until", "2026-01-01"),
            "--since: is not before --until",
        ),
    ],
)
def test_a_bad_argument_is_a_usage_error(
    arguments: tuple[str, ...],
    problem: str,
    agcod: Agcod,
    account: Emulator,
    journal: Path,
    tmp_path: Path,
) -> None:
    bad, orders = tmp_path / "bad.csv", tmp_path / "orders.csv"
    bad.write_bytes(b"requestid\xff\xfe\xfd" * 100)
    orders.write_text("request_id,amount,currency\nEmula1,1,USD\n")

    told = agcod(
        "reconcile", *(one.format(journal=journal, bad=bad, orders=orders) for one in arguments)
    )

    assert told.code == 2
    assert problem in told.err
    assert account.arrivals.total == 0


def test_a_journal_that_is_in_use_ends_with_4(
    agcod: Agcod, account: Emulator, journal: Path
) -> None:
    holder = SqliteJournal(journal)
    told = agcod("reconcile", "--journal", journal)
    asyncio.run(holder.aclose())

    assert told.code == 4
    assert "is in use by process" in told.err


def test_a_journal_that_fails_on_the_way_ends_with_4(
    agcod: Agcod, account: Emulator, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agcod_async.journal.sqlite_store.READ_AT_ONCE", "nonsense")
    told = agcod("reconcile", "--journal", journal)

    assert told.code == 4
    assert told.err.startswith("agcod reconcile: ")
    assert told.err.count("\n") == 1
