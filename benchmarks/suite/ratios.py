"""What may be said of two series of figures that were taken in turn: their ratio, and how sure."""

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

SURE = 0.99
RESAMPLES = 4_000


@dataclass(frozen=True, slots=True)
class Ratio:
    """The median of the ratios of a round each, and the smallest and the largest of them."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, each: Sequence[float]) -> "Ratio":
        """Return it from the ratio of each round."""
        return cls(median(each), min(each), max(each))

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f} to {self.high:.2f})"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A ratio that somebody asked for. `at_most` or `at_least` is the aim, where there is one.

    `sure` is between what its median lies with 99 % confidence, where there were rounds.
    """

    of: str
    to: str
    ratio: Ratio
    at_most: float | None = None
    at_least: float | None = None
    sure: tuple[float, float] | None = None

    @property
    def is_kept(self) -> bool | None:
        """Whether the aim is reached; None where there is none."""
        if self.at_most is not None:
            return self.ratio.median <= self.at_most
        return None if self.at_least is None else self.ratio.median >= self.at_least

    @property
    def is_close(self) -> bool:
        """Whether the aim lies where the median may lie as well: then nothing can be said of it."""
        aim = self.at_least if self.at_most is None else self.at_most
        return aim is not None and self.sure is not None and self.sure[0] < aim < self.sure[1]

    def as_data(self) -> dict[str, Any]:
        """Return it as it is written to a file."""
        return {**rounded(asdict(self)), "kept": self.is_kept, "close": self.is_close}

    def __str__(self) -> str:
        aim = f"at most {self.at_most:g}" if self.at_most is not None else ""
        aim = f"at least {self.at_least:g}" if self.at_least is not None else aim
        verdict = {True: "reached", False: "MISSED", None: ""}[self.is_kept]
        verdict = "TOO CLOSE TO TELL" if self.is_close else verdict
        return f"{self.of} / {self.to}: {self.ratio}  {aim} {verdict}".rstrip()


def paired(of: Sequence[float], to: Sequence[float]) -> Ratio:
    """Return the ratio of figures that were taken in the same rounds."""
    return Ratio.of(_ratios(of, to))


def compared(
    of: str, to: str, ones: Sequence[float], others: Sequence[float], **aim: float
) -> Comparison:
    """Compare two series of figures that were taken in the same rounds."""
    each = _ratios(ones, others)
    return Comparison(of, to, Ratio.of(each), sure=sure_interval(each), **aim)


def _ratios(ones: Sequence[float], others: Sequence[float]) -> list[float]:
    return [one / other for one, other in zip(ones, others, strict=True)]


def sure_interval(ratios: Sequence[float], *, seed: int = 1) -> tuple[float, float]:
    """Return between what the median lies with 99 % confidence, by a seeded bootstrap."""
    chance = random.Random(seed)
    medians = sorted(median(chance.choices(ratios, k=len(ratios))) for _ in range(RESAMPLES))
    tail = (1.0 - SURE) / 2
    return medians[int(tail * RESAMPLES)], medians[int((1.0 - tail) * RESAMPLES) - 1]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that this share of `values` does not exceed."""
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


def rounded(data: Any) -> Any:  # noqa: ANN401  any JSON
    """Return `data` with every number cut to four digits: more would only be noise in a diff."""
    if isinstance(data, dict):
        return {key: rounded(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [rounded(value) for value in data]
    return float(f"{data:.4g}") if isinstance(data, float) else data
