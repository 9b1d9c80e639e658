import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from agcod_async.cli import report_file, watched
from agcod_async.cli.page import write_whole
from agcod_async.figures import Figures, from_json, to_json
from agcod_async.testing import Emulator, EmulatorConfig, FaultKind, FaultRule, FaultScript
from tests.cli.stage import HEADER, Agcod, FileOf, assert_no_code
from tests.figures.samples import FULL, RESUMED

Serve = Callable[[EmulatorConfig], Emulator]

ORDERS = ("Emula1,10.00,USD", "Emula2,20.50,USD", "Emula3,30.25,USD", "Emula4,1.00,EUR")


def test_a_batch_writes_its_figures_as_a_page_and_as_data_without_a_code(
    agcod: Agcod, serve: Serve, file_of: FileOf, tmp_path: Path
) -> None:
    rules = (
        FaultRule(request_id="Emula2", fault=FaultKind.F400_AFTER),
        FaultRule(request_id="Emula3", fault=FaultKind.RESET_AFTER),
    )
    emulator = serve(EmulatorConfig(requests_per_second=None, faults=FaultScript(rules=rules)))
    page, data = tmp_path / "r.html", tmp_path / "r.json"

    run = agcod("batch", "issue", file_of(HEADER, *ORDERS), "--report", page, "--report", data)

    figures = from_json(data.read_bytes())
    assert run.code == 1
    assert (figures.taken.orders, figures.open.orders) == (4, 0)
    assert f"{figures.ended('issued').amounts['USD']}" == "60.75"
    assert emulator.ledger.balances()[0].live == figures.ended("issued").amounts["USD"]
    assert [(one.error_type, one.orders) for one in figures.declined] == [
        ("CurrencyCodeMismatch", 1)
    ]
    assert figures.requests == emulator.arrivals.total == sum(figures.paces[0].requests)
    assert (figures.undos, figures.successors, figures.replays) == (1, 1, 2)
    assert figures.retries == {"UndoFirst": 1, "Undone": 1, "AppliedDead": 1, "Lost": 1}
    assert figures.latency.replies == figures.requests - 1
    assert "3 of 4 orders issued" in page.read_text()
    assert f"report: {page}\nreport: {data}\n" in run.err
    assert_no_code(emulator, page.read_text() + data.read_text() + run.everything)


def test_what_is_in_doubt_is_in_the_figures_with_its_next_safe_step(
    agcod: Agcod, serve: Serve, file_of: FileOf, tmp_path: Path
) -> None:
    rule = FaultRule(request_id="Emula2", fault=FaultKind.RESET_AFTER, times=1000)
    serve(EmulatorConfig(requests_per_second=None, faults=FaultScript(rules=(rule,))))
    data = tmp_path / "r.json"

    agcod("batch", "issue", file_of(HEADER, *ORDERS), "--deadline", "0.4", "--report", data)

    shown = json.loads(data.read_bytes())
    assert shown["in_doubt"] == [
        {
            "request_id": "Emula2",
            "next_safe_action": "replay_same_id",
            "not_before": None,
            "at": shown["paces"][0]["started_at"],
        }
    ]
    assert shown["verdicts"]["in_doubt"] == {"orders": 1, "amounts": {"USD": "20.50"}}


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("r.csv", "a report is a .html or a .json file"),
        ("missing/r.html", "is no directory that can be written to"),
        ("folder.html", "is a directory"),
    ],
)
def test_a_report_that_could_not_be_written_is_refused_before_anything_is_sent(
    name: str, problem: str, agcod: Agcod, emulator: Emulator, file_of: FileOf, tmp_path: Path
) -> None:
    (tmp_path / "folder.html").mkdir()

    run = agcod("batch", "issue", file_of(HEADER, *ORDERS), "--report", tmp_path / name)

    assert (run.code, run.out, run.err.count("\n")) == (2, "", 1)
    assert problem in run.err
    assert emulator.arrivals.total == 0


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), ZeroDivisionError("x")])
def test_a_report_that_fails_in_the_end_changes_nothing_else(
    error: Exception,
    agcod: Agcod,
    emulator: Emulator,
    file_of: FileOf,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*_: object) -> None:
        raise error

    page, data = tmp_path / "r.html", tmp_path / "r.json"
    monkeypatch.setitem(report_file._FORMS, ".html", fails)

    run = agcod("batch", "issue", file_of(HEADER, *ORDERS[:3]), "--report", page, "--report", data)

    assert run.code == 0
    assert "60.75" in run.out
    problem = "No space left on device" if isinstance(error, OSError) else "ZeroDivisionError"
    assert f"no report: {page}: {problem}\n" in run.err
    assert not page.exists()
    assert from_json(data.read_bytes()).taken.orders == 3
    assert emulator.arrivals.total == 3


def test_figures_that_cannot_be_put_together_change_nothing_else(
    agcod: Agcod,
    emulator: Emulator,
    file_of: FileOf,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise ValueError("started_at: not a time in UTC")

    page = tmp_path / "r.html"
    monkeypatch.setattr(watched, "figures_of", fails)

    run = agcod("batch", "issue", file_of(HEADER, *ORDERS[:3]), "--report", page)

    assert run.code == 0
    assert "60.75" in run.out
    assert "there will be no report: ValueError: started_at" in run.err
    assert not page.exists()
    assert emulator.arrivals.total == 3


# --- writing -------------------------------------------------------------------------------------


def test_a_file_is_replaced_as_a_whole_and_readable_as_any_other(tmp_path: Path) -> None:
    path, other = tmp_path / "r.html", tmp_path / "other"
    path.write_text("old")
    other.write_text("any other")

    write_whole(path, b"new")

    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(other.stat().st_mode)
    assert sorted(tmp_path.iterdir()) == [other, path]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "r.html"
    path.write_text("old")
    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(OSError, match="No space"):
        write_whole(path, b"new")

    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


# --- agcod report --------------------------------------------------------------------------------


def kept(folder: Path, name: str, figures: Figures) -> Path:
    path = folder / name
    path.write_bytes(to_json(figures))
    return path


def test_the_figures_of_a_job_s_runs_are_drawn_as_one(agcod: Agcod, tmp_path: Path) -> None:
    first, second = kept(tmp_path, "1.json", FULL), kept(tmp_path, "2.json", RESUMED)
    page, data = tmp_path / "job.html", tmp_path / "job.json"

    runs = [agcod("report", first, second, "-o", output) for output in (page, data)]

    assert [run.code for run in runs] == [0, 0]
    assert runs[0].err == f"report: {page}\n"
    assert "48 of 51 orders issued" in page.read_text()
    assert from_json(data.read_bytes()).runs == 2


@pytest.mark.parametrize(
    ("content", "problem"),
    [(None, "No such file"), ("{}", "no figures of a run"), ("\x1b[2J", "no figures of a run")],
)
def test_what_is_no_figures_is_one_clear_line(
    content: str | None, problem: str, agcod: Agcod, tmp_path: Path
) -> None:
    path = tmp_path / "r.json"
    if content is not None:
        path.write_text(content)

    run = agcod("report", path, "--output", tmp_path / "r.html")

    assert (run.code, run.out, run.err.count("\n")) == (2, "", 1)
    assert run.err.startswith("agcod report: ")
    assert problem in run.err
    assert "\x1b" not in run.err
    assert not (tmp_path / "r.html").exists()


def test_a_page_that_cannot_be_written_is_a_usage_error(
    agcod: Agcod, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    path = kept(tmp_path, "1.json", FULL)
    monkeypatch.setattr(os, "fsync", full)

    run = agcod("report", path, "-o", tmp_path / "r.html")

    assert run.code == 2
    assert "No space left on device" in run.err
