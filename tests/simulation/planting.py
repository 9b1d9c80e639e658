"""Puts a bug into the package as it is imported; to be used before anything of it is imported.

Nothing of the package may be imported here: the bug would come too late.
"""

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from types import CodeType, ModuleType


@dataclass(frozen=True, slots=True)
class Mutant:
    """One bug: in `module`, `find` occurs exactly once and is replaced.

    `hunt` says which runs it is looked for in: the schedules of a setup, or the swarm.
    """

    rule: str
    bug: str
    module: str
    find: str
    replacement: str
    hunt: str = "create"

    @property
    def name(self) -> str:
        """The module's full name."""
        return f"agcod_async.{self.module}"


def plant(mutant: Mutant) -> None:
    """Let the next import of the mutant's module find the bug in it."""
    if mutant.name in sys.modules:
        raise AssertionError(f"{mutant.name} has been imported already")
    sys.meta_path.insert(0, _Finder(mutant))


def mutated(mutant: Mutant, source: str) -> str:
    """Return the source with the bug in it."""
    found = source.count(mutant.find)
    if found != 1:
        raise AssertionError(f"{mutant.bug}: the pattern occurs {found} times")
    return source.replace(mutant.find, mutant.replacement)


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._mutant.name:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        assert spec is not None
        assert spec.origin is not None
        spec.loader = _Loader(fullname, spec.origin, self._mutant)
        spec.cached = None
        return spec


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, fullname: str, path: str, mutant: Mutant) -> None:
        super().__init__(fullname, path)
        self._mutant = mutant

    def get_code(self, fullname: str) -> CodeType:
        source = self.get_source(fullname)
        assert source is not None
        return self.source_to_code(mutated(self._mutant, source).encode(), self.path)
