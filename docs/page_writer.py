"""What the scripts that write pages from the code have in common: tables, and `--check`."""

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table with a dash in empty cells. Raises `ValueError` for a bar in one."""
    lines = [tuple(heads), *(tuple(row) for row in rows)]
    if any("|" in cell or "\n" in cell for line in lines for cell in line):
        raise ValueError("a cell with a bar or a line break in it")
    lines.insert(1, ("---",) * len(lines[0]))
    return "\n".join(f"| {' | '.join(cell or '—' for cell in line)} |" for line in lines)


def joined(blocks: Iterable[str]) -> str:
    """Return a page of blocks."""
    return "\n\n".join(block.strip() for block in blocks) + "\n"


def main(page: Path, text: Callable[[], str], description: str | None) -> int:
    """Write the page, or with `--check` only compare it; return the exit status."""
    return write_files(lambda: {page: text()}, description, make="docs")


def write_files(
    files: Callable[[], Mapping[Path, str]], description: str | None, *, make: str
) -> int:
    """Write all files, or with `--check` only compare them; return the exit status.

    `make` is the target that a reader is told to run where they differ.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--check", action="store_true", help="only compare")
    written, check = files(), parser.parse_args().check
    status = 0
    for path, text in written.items():
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            sys.stderr.write(f"{path} is not what the code says: run `make {make}`\n")
            status = 1
    return status
