"""Amazon's test plan, carried out against the emulator; `make certify` runs it.

Against the sandbox it is one command: `agcod certify --currency USD --output report.md`.
"""

import json
import os
import subprocess
import sys

AGCOD = (sys.executable, "-m", "agcod_async.cli")
PLAN = (
    "--currency",
    "USD",
    "--probes",
    "--card-number",
    "3400000000004400616",
    "--account",
    "1:abc",
)


def main() -> int:
    """Run the plan, print its report, and return its exit status."""
    with subprocess.Popen(  # noqa: S603  our own command
        (*AGCOD, "emulator", "--port", "0", "--tps", "100", "--json"), stdout=subprocess.PIPE
    ) as emulator:
        assert emulator.stdout is not None  # noqa: S101  a pipe was asked for
        try:
            account = json.loads(emulator.stdout.readline())["environment"]
            certify = (*AGCOD, "certify", *PLAN)
            return subprocess.run(certify, env={**os.environ, **account}, check=False).returncode  # noqa: S603
        finally:
            emulator.terminate()


if __name__ == "__main__":
    sys.exit(main())
