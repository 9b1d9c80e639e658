"""docs/reference/errors.md and marketplaces.md are what the code says."""

from pathlib import Path

import pytest

from agcod_async.providers.agcod import catalogue, framework
from agcod_async.providers.agcod.marketplaces import MARKETPLACES
from docs import generate_errors, generate_marketplaces, page_writer

PAGES = {
    generate_errors.PAGE: generate_errors.page,
    generate_marketplaces.PAGE: generate_marketplaces.page,
}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_the_committed_page_is_what_the_generator_writes(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == PAGES[path]()


def test_a_page_that_is_out_of_date_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"

    def run(*options: str) -> int:
        monkeypatch.setattr("sys.argv", ["generate", *options])
        return page_writer.main(page, lambda: "what the code says\n", "a page")

    assert run("--check") == 1
    assert "make docs" in capsys.readouterr().err
    assert not page.exists()
    assert run() == 0
    assert run("--check") == 0
    page.write_text("edited by hand", encoding="utf-8")
    assert run("--check") == 1


def test_every_error_is_on_the_page_once_with_its_advice() -> None:
    lines = generate_errors.page().splitlines()

    for row in catalogue.ROWS:
        section = lines.index(f"## {row.code}")
        end = next(at for at in range(section + 1, len(lines)) if lines[at].startswith("## "))
        rows = [line for line in lines[section:end] if line.startswith("| ")]
        (line,) = [line for line in rows if f" `{row.name}`" in line.split("|")[2].split("<br>")[0]]
        for said in (*row.mock_ids, *row.aliases, row.meaning, row.action, row.forward.__name__):
            assert said in line
    for refusal in (framework.THROTTLED, *framework.REFUSED, framework.UNTRUSTED):
        assert sum(line.startswith(f"| {refusal.title} |") for line in lines) == 1


def test_every_marketplace_is_on_the_page() -> None:
    text = generate_marketplaces.page()

    for place in MARKETPLACES:
        assert f"| {place.country} ({place.name}) | {' or '.join(place.currencies.value)} |" in text
        if place.contact is not None:
            assert f" | {place.contact.address.value} | " in text


def test_a_table_refuses_what_would_break_it() -> None:
    assert page_writer.table(("A", "B"), [("1", "")]) == "| A | B |\n| --- | --- |\n| 1 | — |"
    for broken in ("a|b", "a\nb"):
        with pytest.raises(ValueError, match="a bar"):
            page_writer.table(("A",), [(broken,)])
