"""How a bug is seeded: the shipped source with one piece replaced, loaded as its own module."""

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from agcod_async.core import saga as shipped

SOURCE = Path(shipped.__file__ or "").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Mutant:
    """One bug: `find` occurs exactly once in the shipped source."""

    rule: str
    bug: str
    find: str = ""
    replacement: str = ""

    @property
    def reads_status(self) -> bool:
        """Whether the codec still looks at the card's status."""
        return bool(self.find)

    @property
    def source(self) -> str:
        """The source with the bug in it."""
        if self.find and SOURCE.count(self.find) != 1:
            raise AssertionError(f"{self.bug}: the pattern occurs {SOURCE.count(self.find)} times")
        return SOURCE.replace(self.find, self.replacement) if self.find else SOURCE

    def load(self) -> ModuleType:
        """Return the saga with the bug in it, as a module."""
        name = f"{shipped.__name__}_mutant"
        spec = importlib.machinery.ModuleSpec(name, _FromText(self.source))
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # dataclasses look their module up while it is being made
        try:
            _FromText(self.source).exec_module(module)
        finally:
            del sys.modules[name]
        return module


class _FromText(importlib.abc.InspectLoader):
    def __init__(self, source: str) -> None:
        self._source = source

    def get_source(self, fullname: str) -> str:  # noqa: ARG002  the loader holds one module only
        return self._source


def rules() -> Iterator[tuple[str, str]]:
    """Yield the rules that the shipped saga states of itself: name and words."""
    paragraph = SOURCE[SOURCE.index("R1  ") :].split("\n\n", 1)[0]
    lines: list[str] = []
    for line in paragraph.splitlines():
        if line.startswith("R"):
            lines.append(line)
        else:
            lines[-1] += f" {line.strip()}"
    for line in lines:
        name, words = line.split(maxsplit=1)
        yield name, words
