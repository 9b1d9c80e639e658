"""Whether a card has become dearer since an earlier revision: `make bench-compare BASE=…`.

    python -m benchmarks.suite.compare BASE [--pairs 15] [--seconds 0.5]

The package of that revision is checked out into a temporary worktree. Two processes, one of each,
then take turns, in an order that changes; both are driven by this revision's benchmark, and so
are alike in all but the package.

The rule: the ratio of each pair is taken, and between what its median lies with 99 % confidence (a
bootstrap over the pairs). It is a regression where all of that lies above 1.03. What is less than
3 % is not looked for: it would take more pairs than anybody waits for. Exit code 1 then.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.suite.contender import CONCURRENCY
from benchmarks.suite.processes import ROOT, Child, ContenderFailedError, Mock, mock_server
from benchmarks.suite.ratios import sure_interval

TOLERANCE = 1.03
KINDS = ("sdk:canned", "sdk:lean", "sdk:default", "sdk:lean/sqlite")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the pairs say: CPU a card now, in multiples of what it was."""

    ratios: Sequence[float]

    @property
    def interval(self) -> tuple[float, float]:
        """Between what the median lies, with 99 % confidence."""
        return sure_interval(self.ratios)

    @property
    def is_regression(self) -> bool:
        """Whether it is dearer for sure, and by more than is tolerated."""
        return self.interval[0] > TOLERANCE

    def __str__(self) -> str:
        low, high = self.interval
        word = (
            "DEARER" if self.is_regression else "cheaper" if high < 1 / TOLERANCE else "as it was"
        )
        return f"{median(self.ratios):.3f} x ({low:.3f} to {high:.3f}): {word}"


@contextmanager
def package_of(revision: str) -> Iterator[Path]:
    """Check the package of a revision out, and nothing else of it."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "base"
        _git(ROOT, "worktree", "add", "--detach", "--no-checkout", str(tree), revision)
        try:
            _git(tree, "checkout", "HEAD", "--", "agcod_async")
            yield tree
        finally:
            _git(ROOT, "worktree", "remove", "--force", str(tree))


def _git(folder: Path, *arguments: str) -> None:
    subprocess.run(("git", *arguments), cwd=folder, check=True, capture_output=True)  # noqa: S603, S607  our own


def pairs(base: Path, kind: str, mock: Mock, *, count: int, seconds: float) -> Verdict:
    """Let both take turns. Raises `ContenderFailedError` where a revision lacks this kind."""
    with ExitStack() as stack:
        before, now = (
            stack.enter_context(
                Child("benchmarks.suite.contender", kind, mock.url, python_path=paths)
            )
            for paths in ((base, ROOT), (ROOT,))
        )
        _check_package(before, base)
        _check_package(now, ROOT)
        both = {"before": before, "now": now}
        took = now.ask(count=2 * CONCURRENCY)
        cards = max(4 * CONCURRENCY, round(seconds * took["count"] / took["cpu"]))
        ratios = []
        for number in range(count):
            order = ("before", "now") if number % 2 else ("now", "before")
            cpu = {name: both[name].ask(count=cards)["cpu"] for name in order}
            ratios.append(cpu["now"] / cpu["before"])
    return Verdict(ratios)


def calls(tree: Path) -> float:
    """Return how many functions are called for a card, by the package in this tree."""
    with Child("benchmarks.suite.calls", "--calls-only", python_path=(tree, ROOT)) as child:
        return float(child.first["calls"])


def _check_package(child: Child, tree: Path) -> None:
    package = Path(child.first["package"]).resolve()
    if tree.resolve() not in package.parents:
        raise RuntimeError(f"the package was taken from {package.parent}, not from {tree}")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("base", help="a revision, such as main or HEAD~3")
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=0.5, help="of CPU, for each turn")
    arguments = parser.parse_args()
    dearer = False
    with package_of(arguments.base) as base, mock_server() as mock:
        print(f"calls a card: {calls(base):,.1f} before, {calls(ROOT):,.1f} now", flush=True)
        for kind in KINDS:
            try:
                verdict = pairs(base, kind, mock, count=arguments.pairs, seconds=arguments.seconds)
            except ContenderFailedError:
                print(f"{kind:16} is not in both revisions", flush=True)
                continue
            print(f"{kind:16} {verdict}", flush=True)
            dearer = dearer or verdict.is_regression
    return int(dearer)


if __name__ == "__main__":
    sys.exit(main())
