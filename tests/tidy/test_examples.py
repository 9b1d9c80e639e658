"""Examples in the pages are code, so they are read, resolved and run like code.

A fence marked `python run` is a complete script. It is run by a process of its own against an
emulator on loopback, which the usual environment variables name. Other `python` fences may be
fragments: they must parse, and what they import from this package must exist. (The scripts in
docs/examples have tests of their own beside those of the command line.)
"""

import ast
import asyncio
import importlib
import os
import sys
from pathlib import Path

import pytest

from agcod_async.testing.config import EMULATOR_CREDENTIALS, EMULATOR_PARTNER_ID
from agcod_async.testing.emulator import Emulator
from agcod_async.testing.server import serve
from tests.tidy import tree

EXAMPLE_SECONDS_MAX = 30

RUNNABLE = [fence for fence in tree.fences("python") if "run" in fence.info.split()]


async def _run(script: Path) -> tuple[int | None, str]:
    """Run a script against a fresh emulator and return its exit code and everything it printed."""
    async with serve(Emulator()) as url:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-W", "error", "-X", "dev", str(script)),
            cwd=script.parent,
            env=os.environ
            | {
                "AGCOD_ACCESS_KEY_ID": EMULATOR_CREDENTIALS.access_key_id,
                "AGCOD_SECRET_ACCESS_KEY": EMULATOR_CREDENTIALS.secret_access_key.reveal(),
                "AGCOD_PARTNER_ID": EMULATOR_PARTNER_ID,
                "AGCOD_BASE_URL": url,
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(EXAMPLE_SECONDS_MAX):
                printed, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return process.returncode, printed.decode()


@pytest.mark.parametrize("fence", RUNNABLE, ids=str)
def test_an_example_runs(fence: tree.Fence, tmp_path: Path) -> None:
    script = tmp_path / "example.py"
    script.write_text(fence.text, encoding="utf-8")

    exit_code, printed = asyncio.run(_run(script))

    assert exit_code == 0, printed


def test_the_readme_has_an_example_that_runs() -> None:
    assert [fence for fence in RUNNABLE if fence.page == tree.ROOT / "README.md"]


def test_every_fragment_can_be_read_and_imports_what_exists() -> None:
    for fence in tree.fences("python"):
        try:
            module = compile(
                fence.text,
                str(fence),
                "exec",
                ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT,
            )
        except SyntaxError as error:
            pytest.fail(f"{fence}: {error}")
        missing = [name for name in _imported(module) if not _exists(name)]
        assert missing == [], str(fence)


def _imported(module: ast.Module) -> list[str]:
    """Return what is imported from this package, as dotted names."""
    return [
        f"{node.module}.{alias.name}"
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("agcod_async")
        for alias in node.names
    ]


def _exists(name: str) -> bool:
    holder, _, attribute = name.rpartition(".")
    return hasattr(importlib.import_module(holder), attribute)
