"""Charts as SVG: a dot for a median and a line for its spread, readable on light and on dark."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

_WIDTH: Final = 760
_LEFT: Final = 262.0
_RIGHT: Final = 640.0
_ROW: Final = 22.0
_HEAD: Final = 30.0
_STYLE: Final = (
    "text{font:13px system-ui,sans-serif;fill:#57606a}"
    ".title,.group{font-weight:600;fill:#24292f}.title{font-size:15px}"
    ".grid{stroke:#d0d7de}.peer{fill:#6e7781;stroke:#6e7781}.ours{fill:#0969da;stroke:#0969da}"
    "line.peer,line.ours{stroke-width:3;stroke-opacity:.35}text.ours{stroke:none;font-weight:600}"
    "@media (prefers-color-scheme:dark){text{fill:#9198a1}.title,.group{fill:#f0f6fc}"
    ".grid{stroke:#3d444d}.peer{fill:#9198a1;stroke:#9198a1}.ours{fill:#4493f8;stroke:#4493f8}}"
)


@dataclass(frozen=True, slots=True)
class Dot:
    """One row: a figure, its spread, and what is written beside it."""

    label: str
    middle: float
    low: float
    high: float
    text: str
    is_ours: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Rows with a heading above them; an empty heading takes no room."""

    heading: str
    dots: Sequence[Dot]


class _Scale:
    """From a figure to its place on the page."""

    def __init__(self, groups: Sequence[Group], *, logarithmic: bool) -> None:
        values = [value for group in groups for dot in group.dots for value in (dot.low, dot.high)]
        self._logarithmic = logarithmic
        if logarithmic:
            self._low = 10 ** math.floor(math.log10(min(values)))
            self._high = max(values) * 1.1
        else:
            self._low, self._high = 0.0, max(values) * 1.04

    def place(self, value: float) -> float:
        """Return the x of a figure."""
        if self._logarithmic:
            part = math.log(value / self._low) / math.log(self._high / self._low)
        else:
            part = (value - self._low) / (self._high - self._low)
        return _LEFT + part * (_RIGHT - _LEFT)

    def ticks(self) -> list[float]:
        """Return round figures for the axis."""
        if self._logarithmic:
            digits = (1, 3) if self._high / self._low < 10**4 else (1,)
            powers = range(round(math.log10(self._low)), 10)
            found = [digit * 10.0**power for power in powers for digit in digits]
        else:
            power = 10.0 ** math.floor(math.log10(self._high / 4))
            step = next(power * digit for digit in (1, 2, 5, 10) if power * digit >= self._high / 5)
            found = [number * step for number in range(20)]
        return [value for value in found if value <= self._high]


def dot_chart(title: str, axis: str, groups: Sequence[Group], *, logarithmic: bool = False) -> str:
    """Return a chart of rows. `axis` says what is measured; `title` is read out to the blind."""
    scale = _Scale(groups, logarithmic=logarithmic)
    rows = sum(len(group.dots) + bool(group.heading) for group in groups)
    bottom = _HEAD + rows * _ROW + 6
    height = bottom + 44
    parts = [*_axis(scale, axis, bottom)]
    y = _HEAD + _ROW
    for group in groups:
        if group.heading:
            parts.append(f'<text class="group" x="8" y="{y:.0f}">{escape(group.heading)}</text>')
            y += _ROW
        for dot in group.dots:
            parts += _row(dot, scale, y)
            y += _ROW
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:.0f}" '
        f'width="{_WIDTH}" role="img" aria-label="{escape(title, quote=True)}">'
    )
    named = f'<text class="title" x="8" y="20">{escape(title)}</text>'
    return "\n".join((head, f"<style>{_STYLE}</style>", named, *parts, "</svg>")) + "\n"


def _axis(scale: _Scale, axis: str, bottom: float) -> Iterator[str]:
    for value in scale.ticks():
        x = scale.place(value)
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_HEAD:.0f}" y2="{bottom:.0f}"/>'
        yield f'<text x="{x:.1f}" y="{bottom + 16:.0f}" text-anchor="middle">{value:g}</text>'
    middle = (_LEFT + _RIGHT) / 2
    yield f'<text x="{middle:.0f}" y="{bottom + 34:.0f}" text-anchor="middle">{escape(axis)}</text>'


def _row(dot: Dot, scale: _Scale, y: float) -> Iterator[str]:
    kind = "ours" if dot.is_ours else "peer"
    low, middle, high = map(scale.place, (dot.low, dot.middle, dot.high))
    height = y - 4.5
    text = "ours" if dot.is_ours else ""
    label = f'x="{_LEFT - 12:.0f}" y="{y:.0f}" text-anchor="end">{escape(dot.label)}'
    yield f'<text class="{text}" {label}</text>'
    yield f'<line class="{kind}" x1="{low:.1f}" x2="{high:.1f}" y1="{height}" y2="{height}"/>'
    yield f'<circle class="{kind}" cx="{middle:.1f}" cy="{height}" r="4.5"/>'
    yield f'<text class="{text}" x="{_RIGHT + 12:.0f}" y="{y:.0f}">{escape(dot.text)}</text>'
