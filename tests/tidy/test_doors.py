"""What comes from outside enters the package through one door: packages, time and chance."""

import ast
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tests.tidy import tree

DOORS = {
    "aiohttp": ("wire/aiohttp_transport.py", "testing/server.py"),
    "aiolimiter": ("pacing/local.py",),
    "anyio": ("engine/*", "session.py", "batch/*", "testing/*", "cli/*"),
    "certifi": ("wire/exchange.py",),
    "defusedxml": ("providers/agcod/xml_form.py", "testing/xml_format.py"),
    "httptools": ("wire/http_connection.py",),
    "httpx": ("wire/httpx_transport.py",),
    "msgspec": (
        "figures/saved.py",
        "providers/*/*messages.py",
        "providers/*/codec.py",
        "providers/*/envelope.py",
        "journal/records.py",
        "testing/*",
    ),
    "rich": ("cli/bar.py",),
    "tenacity": ("engine/runner.py",),
}
"""The files of the package that may import a third party."""

STANDARD_LIBRARY_ONLY = ("core/*", "endpoints.py", "values.py", "errors.py", "events.py")

CLOCKS = ("clock.py", "testing/clock.py")
"""The only files that may read time or draw a number."""

READS_TIME_OR_CHANCE = (
    "datetime.date.today",
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
    "os.urandom",
    "random.*",
    "secrets.*",
    "time.*",
    "uuid.uuid1",
    "uuid.uuid4",
)
CONVERTS_GIVEN = {"time.gmtime": 1, "time.strftime": 2}
"""What reads the clock only when it is called with fewer arguments than this."""

SEEDED = "random.Random"
"""Faults are drawn from a generator that somebody has seeded, so that a run repeats itself."""


def _inside(path: Path) -> str:
    return path.relative_to(tree.PACKAGE).as_posix()


def _matches(path: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(path, pattern) for pattern in patterns)


def _imported(module: ast.Module) -> set[str]:
    """Return the top-level packages that a file imports, wherever in the file it does so."""
    names: set[str] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            names.add(node.module or "")
    return {name.partition(".")[0] for name in names}


def _third_parties() -> dict[str, list[str]]:
    """Return the files of the package by the third party that they import."""
    found: dict[str, list[str]] = {}
    for path in tree.python_files(tree.PACKAGE):
        for name in _imported(tree.syntax(path)) - sys.stdlib_module_names - {"agcod_async"}:
            found.setdefault(name, []).append(_inside(path))
    # Typeshed's module exists for type checkers alone.
    found.pop("_typeshed", None)
    return found


def test_every_third_party_has_a_door() -> None:
    assert set(_third_parties()) <= set(DOORS)


@pytest.mark.parametrize("package", DOORS)
def test_a_third_party_enters_through_its_door_alone(package: str) -> None:
    files = _third_parties().get(package, [])

    assert files != []
    assert [path for path in files if not _matches(path, DOORS[package])] == []


def test_the_ground_floor_imports_the_standard_library_alone() -> None:
    ground = [
        path
        for path in tree.python_files(tree.PACKAGE)
        if _matches(_inside(path), STANDARD_LIBRARY_ONLY)
    ]

    assert ground
    for path in ground:
        foreign = _imported(tree.syntax(path)) - sys.stdlib_module_names
        assert foreign <= {"agcod_async"}, tree.name(path)


def test_the_pure_core_neither_waits_nor_logs_nor_reads_anything() -> None:
    for path in tree.python_files(tree.PACKAGE / "core"):
        impure = {"asyncio", "io", "logging", "os", "pathlib", "random", "socket", "time"}
        assert _imported(tree.syntax(path)) & impure == set(), tree.name(path)
        for node in ast.walk(tree.syntax(path)):
            assert not isinstance(node, ast.Await | ast.AsyncFunctionDef), tree.name(path)


def test_time_and_chance_enter_in_one_place() -> None:
    found = [
        f"{tree.name(path)}:{line} {name}"
        for path in tree.python_files(tree.PACKAGE)
        if _inside(path) not in CLOCKS
        for line, name in _names(tree.syntax(path))
        if _matches(name, READS_TIME_OR_CHANCE)
        if not (name == SEEDED and _matches(_inside(path), ("testing/*",)))
    ]

    assert found == []


def test_the_clock_is_seen_by_the_test_that_guards_it() -> None:
    names = {name for _, name in _names(tree.syntax(tree.PACKAGE / "clock.py"))}

    assert {"time.time", "random.random"} <= names


def _names(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Return every dotted name in a file by its line, as its full name and not as an alias."""
    aliases: dict[str, str] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            aliases.update({a.asname: a.name for a in node.names if a.asname})
        elif isinstance(node, ast.ImportFrom):
            for a in node.names:
                aliases[a.asname or a.name] = f"{node.module}.{a.name}"
                yield node.lineno, f"{node.module}.{a.name}"
    converters = {
        id(node.func)
        for node in ast.walk(module)
        if isinstance(node, ast.Call)
        and len(node.args) >= CONVERTS_GIVEN.get(_dotted(node.func) or "", sys.maxsize)
    }
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute) and id(node) not in converters:
            first, _, rest = (_dotted(node) or "").partition(".")
            yield node.lineno, f"{aliases.get(first, first)}.{rest}"


def _dotted(node: ast.expr) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (base := _dotted(node.value)):
        return f"{base}.{node.attr}"
    return None
