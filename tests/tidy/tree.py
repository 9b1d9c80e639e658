"""The repository as the tidy tests read it: its files, its Python, its pages."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGE: Final = ROOT / "agcod_async"
DOCS: Final = ROOT / "docs"

# What a build, a tool or git leaves behind. Everything else in the repository is written by hand.
_LEFT_BEHIND = re.compile(
    r"\.git|\.venv(-bench)?|\..*_cache|\.hypothesis|\.coverage.*|__pycache__|build|dist|.*\.egg-info"
)
_FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Fence:
    """One fenced block of a page. `line` is the number of its first line of text."""

    page: Path
    line: int
    info: str
    text: str

    def __str__(self) -> str:
        return f"{name(self.page)}:{self.line}"


def name(path: Path) -> str:
    """Return the path as it is written in the repository."""
    return path.relative_to(ROOT).as_posix()


@cache
def files() -> tuple[Path, ...]:
    """Return every file that somebody has written."""
    return tuple(sorted(_walk(ROOT)))


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if _LEFT_BEHIND.fullmatch(path.name):
            continue
        if path.is_dir():
            yield from _walk(path)
        else:
            yield path


def pages() -> tuple[Path, ...]:
    """Return every Markdown page."""
    return tuple(path for path in files() if path.suffix == ".md")


def python_files(folder: Path = ROOT) -> tuple[Path, ...]:
    """Return every Python file under a folder."""
    return tuple(path for path in files() if path.suffix == ".py" and folder in path.parents)


@cache
def syntax(path: Path) -> ast.Module:
    """Return a Python file as its syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def fences(language: str) -> tuple[Fence, ...]:
    """Return the fenced blocks of all pages that are in this language."""
    return tuple(
        Fence(page, text.count("\n", 0, found.start("text")) + 1, found["info"], found["text"])
        for page in pages()
        for text in [page.read_text(encoding="utf-8")]
        for found in _FENCE.finditer(text)
        if found["info"].split()[:1] == [language]
    )
