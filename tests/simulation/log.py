"""A list of the jobs that are done, and what came of each, so that a long run can be continued."""

import json
from pathlib import Path
from typing import Any


class Log:
    """One line for each job. Without a path nothing is kept."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def known(self) -> dict[str, dict[str, Any]]:
        """Return what is on the list. The last line may be a part of one, if a run was killed."""
        known: dict[str, dict[str, Any]] = {}
        if self._path is None or not self._path.exists():
            return known
        lines = self._path.read_text(encoding="utf-8").splitlines(keepends=True)
        if lines and not lines[-1].endswith("\n"):
            self._path.write_text("".join(lines[:-1]), encoding="utf-8")
            del lines[-1]
        for line in lines:
            job, figures = json.loads(line)
            known[job] = figures
        return known

    def add(self, job: str, figures: dict[str, Any]) -> None:
        """Put a job on the list."""
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps([job, figures]) + "\n")
