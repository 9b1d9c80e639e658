"""How a bug is seeded: the shipped source with one piece replaced, loaded as modules of its own."""

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from agcod_async.core import resumption, saga
from agcod_async.core.facts import Proof

SOURCES = {
    module.__name__: Path(module.__file__ or "").read_text(encoding="utf-8")
    for module in (saga, resumption)
}
"""The modules that decide, in the order of their imports."""


class Saga:
    """The decisions under test. A mutant has states of its own; facts and verdicts are shared."""

    def __init__(self, states: ModuleType, memory: ModuleType) -> None:
        self.Forward: Any = states.Forward
        self.Undo: Any = states.Undo
        self.Lookup: Any = states.Lookup
        self.resume: Any = memory.resume
        self.on_record: Any = memory.on_record


SHIPPED = Saga(saga, resumption)


@dataclass(frozen=True)
class Mutant:
    """One bug: `find` occurs exactly once in the shipped source, or a `flaw` lies elsewhere.

    It shows with an operation of this `proof`.
    """

    rule: str
    bug: str
    find: str = ""
    replacement: str = ""
    proof: Proof = Proof.REPLAY
    flaw: str = ""

    @property
    def sources(self) -> dict[str, str]:
        """The sources with the bug in them."""
        if not self.find:
            return SOURCES
        found = sum(source.count(self.find) for source in SOURCES.values())
        if found != 1:
            raise AssertionError(f"{self.bug}: the pattern occurs {found} times")
        return {
            name: source.replace(self.find, self.replacement) for name, source in SOURCES.items()
        }

    def load(self) -> Saga:
        """Return the saga with the bug in it."""
        renamed = {name: f"{name}_mutant" for name in SOURCES}
        try:
            modules = [
                _module(renamed[name], source.replace(saga.__name__, renamed[saga.__name__]))
                for name, source in self.sources.items()
            ]
        finally:
            for name in renamed.values():
                sys.modules.pop(name, None)
        return Saga(*modules)


def _module(name: str, source: str) -> ModuleType:
    loader = _FromText(source)
    module = importlib.util.module_from_spec(importlib.machinery.ModuleSpec(name, loader))
    sys.modules[name] = module  # dataclasses look their module up while it is being made
    loader.exec_module(module)
    return module


class _FromText(importlib.abc.InspectLoader):
    def __init__(self, source: str) -> None:
        self._source = source

    def get_source(self, fullname: str) -> str:  # noqa: ARG002  the loader holds one module only
        return self._source


def rules() -> Iterator[tuple[str, str]]:
    """Yield the rules that the shipped saga states of itself: name and words."""
    source = SOURCES[saga.__name__]
    paragraph = source[source.index("R1  ") :].split("\n\n", 1)[0]
    lines: list[str] = []
    for line in paragraph.splitlines():
        if line.startswith("R"):
            lines.append(line)
        else:
            lines[-1] += f" {line.strip()}"
    for line in lines:
        name, words = line.split(maxsplit=1)
        yield name, words
