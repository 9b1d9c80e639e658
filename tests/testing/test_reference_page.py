"""The emulator's reference page leaves nothing out, and its fault script can be played."""

import dataclasses
import re
from pathlib import Path

import pytest

from agcod_async.testing import (
    EmulatorConfig,
    FaultKind,
    FaultMix,
    FaultRule,
    FaultScript,
    Semantics,
    ThrottleModel,
)

DOCS = Path(__file__).resolve().parents[2] / "docs"
REFERENCE = (DOCS / "reference" / "emulator.md").read_text(encoding="utf-8")
HOW_TO = (DOCS / "how-to" / "test-against-the-emulator.md").read_text(encoding="utf-8")

SEMANTICS = {field.name: type(field.default) for field in dataclasses.fields(Semantics)}
KNOBS = [field.name for field in dataclasses.fields(EmulatorConfig)]
NAMES = [
    *(kind.value for kind in FaultKind),
    *(model.value for model in ThrottleModel),
    *SEMANTICS,
    *(choice.value for choices in SEMANTICS.values() for choice in choices),
    *FaultRule.__struct_fields__,
    *FaultMix.__struct_fields__,
]


@pytest.mark.parametrize("name", [*KNOBS, *NAMES])
def test_every_knob_and_every_kind_of_fault_is_in_the_reference(name: str) -> None:
    assert f"`{name}`" in REFERENCE


def test_the_reference_has_no_knob_that_does_not_exist() -> None:
    table = REFERENCE.partition("## Knobs")[2].partition("\n#")[0]
    documented = re.findall(r"^\| `(\w+)` ", table, re.MULTILINE)

    assert sorted(documented) == sorted(KNOBS)


@pytest.mark.parametrize("page", [REFERENCE, HOW_TO])
def test_the_scripts_in_the_pages_can_be_played(page: str) -> None:
    scripts = re.findall(r"^```json\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)

    played = [FaultScript.from_json(text) for text in scripts if '"rules"' in text]
    assert played
