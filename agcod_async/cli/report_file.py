"""`--report FILE`: the figures of a run as a page or as JSON, beside everything else it tells.

Whatever goes wrong with the file, the batch has ended before and its result stands.
"""

import os
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from agcod_async.cli.page import html_page, write_whole
from agcod_async.cli.printing import plain
from agcod_async.core.outcomes import Reason
from agcod_async.errors import UsageError
from agcod_async.figures import Figures, to_json

_FORMS: Final = {".html": html_page, ".json": to_json}


def add_report_argument(parser: ArgumentParser) -> None:
    """Add the option to a command that issues."""
    parser.add_argument(
        "--report",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="write the figures to FILE.html as a page or to FILE.json; may be given twice",
    )


def check_report_path(path: Path) -> None:
    """Raise `UsageError`, before anything begins, for a file that could not be written."""
    if path.suffix not in _FORMS:
        raise UsageError(Reason(f"{path}: a report is a .html or a .json file"))
    if path.is_dir():
        raise UsageError(Reason(f"{path}: is a directory"))
    if not (path.parent.is_dir() and os.access(path.parent, os.W_OK)):
        raise UsageError(Reason(f"{path.parent}: is no directory that can be written to"))


def write_report(path: Path, figures: Figures) -> None:
    """Write the report in the form that its name asks for; raises `OSError`."""
    write_whole(path, _FORMS[path.suffix](figures))


def write_reports(paths: Sequence[Path], figures: Figures) -> None:
    """Write every report that can be written, and say so of each. Raises nothing."""
    for path in paths:
        try:
            write_report(path, figures)
        except Exception as error:  # noqa: BLE001  the result of the batch must not be lost with it
            problem = error.strerror if isinstance(error, OSError) else type(error).__name__
            print(plain(f"no report: {path}: {problem}"), file=sys.stderr)
        else:
            print(plain(f"report: {path}"), file=sys.stderr)
