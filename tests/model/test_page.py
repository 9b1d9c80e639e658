"""docs/reference/state-machine.md is what the code says."""

from pathlib import Path

import pytest

from docs import generate_state_machine


def test_the_committed_page_is_what_the_generator_writes() -> None:
    assert generate_state_machine.PAGE.read_text(encoding="utf-8") == generate_state_machine.page()


def test_the_generator_notices_a_page_that_is_out_of_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "state-machine.md"
    monkeypatch.setattr(generate_state_machine, "PAGE", page)
    monkeypatch.setattr(generate_state_machine, "page", lambda: "what the code says\n")
    monkeypatch.setattr("sys.argv", ["generate", "--check"])
    assert generate_state_machine.main() == 1
    assert "make docs" in capsys.readouterr().err

    monkeypatch.setattr("sys.argv", ["generate"])
    assert generate_state_machine.main() == 0
    monkeypatch.setattr("sys.argv", ["generate", "--check"])
    assert generate_state_machine.main() == 0
    page.write_text("edited by hand", encoding="utf-8")
    assert generate_state_machine.main() == 1
