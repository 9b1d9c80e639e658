"""docs/reference/operations.md is what the code says."""

import re

import pytest

from agcod_async.providers.agcod.operations import AGCOD
from docs import generate_operations


def test_the_committed_page_is_what_the_generator_writes() -> None:
    assert generate_operations.PAGE.read_text(encoding="utf-8") == generate_operations.page()


def test_every_operation_has_its_section_with_both_forms() -> None:
    page = generate_operations.page()
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## )", page, re.MULTILINE | re.DOTALL))

    for name in AGCOD.operations:
        assert f"```xml\n<{name}Request>" in sections[name]
        assert "```json" in sections[name]


def test_an_operation_that_the_page_forgets_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = tuple(generate_operations._shown())
    monkeypatch.setattr(generate_operations, "_shown", lambda: iter(shown[1:]))

    with pytest.raises(AssertionError, match="missing"):
        generate_operations.page()
