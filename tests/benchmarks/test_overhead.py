"""The script that takes a card apart follows the package that it takes apart."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "overhead.py"


def test_every_part_of_a_card_is_measured() -> None:
    words = (sys.executable, str(SCRIPT), "--cards", "64", "--rounds", "1")
    ended = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603  our own

    assert ended.stderr == ""
    assert ended.returncode in (0, 1)  # 1 is a verdict on figures, which so few cards are not
    told = ended.stdout.split()
    assert {"encode", "sign", "pace", "journal", "decode", "saga", "rest"} <= set(told)
