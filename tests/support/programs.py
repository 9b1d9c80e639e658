"""The programs of the tests, each run in a process of its own."""

import os
import subprocess
import sys


def output_of(module: str, *words: str) -> str:
    """Run the program, and return what it prints; its status must be 0.

    Without the measuring of coverage, which would cost more time than the program does.
    """
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    done = subprocess.run(  # noqa: S603  this very program
        [sys.executable, "-m", module, *words],
        check=False,
        capture_output=True,
        text=True,
        env=environ,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
