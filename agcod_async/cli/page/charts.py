"""The charts: pure functions from figures to SVG. Colours are classes, which the page defines."""

import math
from collections.abc import Iterator, Sequence
from typing import Final

from agcod_async.cli.page.markup import Markup, element, joined
from agcod_async.cli.page.words import duration, reply_time
from agcod_async.figures.latency import (
    BUCKETS_PER_DOUBLING,
    FLOOR_SECONDS,
    Latency,
    bucket_end_seconds,
)
from agcod_async.figures.pace import Pace

_WIDTH: Final = 720.0
_LEFT: Final = 46.0
_RIGHT: Final = 708.0
_GAP: Final = 10.0
_BUCKETS_SHOWN_MIN: Final = 12
_CHARACTER: Final = 6.6
"""The width of a character of the labels, at most."""

PERCENTILES: Final = (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999))


def pace_chart(paces: Sequence[Pace]) -> Markup:
    """Draw requests a second over the running time, with the cap above them."""
    top, bottom = 22.0, 196.0
    caps = [pace.requests_per_second for pace in paces]
    ceiling = max(*caps, _highest(paces)) * 1.12
    total = sum(pace.seconds for pace in paces) or 1.0
    room = _RIGHT - _LEFT - _GAP * (len(paces) - 1)
    parts, x, before = [_rows(ceiling, top, bottom)], _LEFT, 0.0
    for number, pace in enumerate(paces):
        width = room * pace.seconds / total
        parts += _pace(pace, x, width, bottom, (bottom - top) / ceiling)
        parts += _clock(pace, before, x, width, bottom)
        if number == len(paces) - 1:
            y = bottom - pace.requests_per_second * (bottom - top) / ceiling - 6
            text = f"cap {pace.requests_per_second:g}/s"
            parts.append(_label(text, _RIGHT, y, class_="cap-label", text_anchor="end"))
        x, before = x + width + _GAP, before + pace.seconds
    return _drawing(
        "pace",
        "Requests a second over time",
        f"{duration(total)} of running time; the highest rate was {_highest(paces):.1f} requests a "
        f"second, the cap {max(caps):g}.",
        220,
        *parts,
    )


def latency_chart(latency: Latency) -> Markup:
    """Draw how many replies took how long, on a logarithmic scale, with percentiles marked."""
    top, bottom = 78.0, 236.0
    used = [number for number, count in enumerate(latency.counts) if count]
    first, last = max(0, min(used) - 2), max(used) + 2
    last = max(last, first + _BUCKETS_SHOWN_MIN)
    step = (_RIGHT - _LEFT) / (last - first + 1)
    ceiling = max(latency.counts) * 1.06
    scale = (bottom - top) / ceiling
    bars = [
        element(
            "rect",
            class_="bar",
            x=_LEFT + (number - first) * step + min(1.0, step / 8),
            y=bottom - max(latency.counts[number] * scale, 1.5),
            width=step - min(2.0, step / 4),
            height=max(latency.counts[number] * scale, 1.5),
            rx=min(2.0, step / 4),
        )
        for number in used
    ]

    def x_of(seconds: float) -> float:
        bucket = math.log2(seconds / FLOOR_SECONDS) * BUCKETS_PER_DOUBLING
        return _LEFT + (bucket + 1 - first) * step

    ticks = [
        joined(
            element("line", class_="tick", x1=x, x2=x, y1=bottom, y2=bottom + 4),
            _label(reply_time(seconds), x, bottom + 17, text_anchor="middle"),
        )
        for seconds in _round_times(bucket_end_seconds(first), bucket_end_seconds(last))
        if _LEFT <= (x := x_of(seconds)) <= _RIGHT - 10
    ]
    marks = [
        _mark(f"{name}  {reply_time(seconds)}", x_of(seconds), 14.0 + 15 * row, bottom)
        for row, (name, share) in enumerate(PERCENTILES)
        if (seconds := latency.percentile_seconds(share)) is not None
    ]
    said = ", ".join(
        f"{name} {reply_time(latency.percentile_seconds(share) or 0.0)}"
        for name, share in PERCENTILES
    )
    drawn = (_rows(ceiling, top, bottom), *bars, *ticks, *marks)
    title = "How long replies took"
    return _drawing("latency", title, f"{latency.replies:,} replies: {said}.", 260, *drawn)


def shares_chart(shares: Sequence[tuple[str, str, int]]) -> Markup:
    """Draw one bar of parts: (name, class of the colour, count)."""
    total = sum(count for _, _, count in shares)
    parts: list[Markup] = []
    x = 0.0
    for _, colour, count in shares:
        if count:
            width = max(_WIDTH * count / total, 3.0)
            parts.append(
                element("rect", class_=colour, x=x, y=0, width=max(width - 2, 1), height=20)
            )
            x += width
    said = ", ".join(f"{count:,} {name}" for name, _, count in shares if count)
    return _drawing("verdicts", "Verdicts", f"{said or 'no orders'}.", 20, *parts, width=max(x, 1))


def ranking_chart(name: str, title: str, counts: Sequence[tuple[str, int]]) -> Markup:
    """Draw one bar below the other: (label, count)."""
    left, row = 214.0, 26.0
    most = max(count for _, count in counts)
    parts: list[Markup] = []
    for number, (label, count) in enumerate(counts):
        y = number * row
        width = max((_RIGHT - left - 56) * count / most, 2.0)
        parts += [
            _label(label, left - 12, y + 17, class_="name", text_anchor="end"),
            element("rect", class_="bar", x=left, y=y + 5, width=width, height=16, rx=2),
            _label(f"{count:,}", left + width + 8, y + 17, class_="name"),
        ]
    said = ", ".join(f"{label} {count:,}" for label, count in counts)
    return _drawing(name, title, f"{said}.", row * len(counts), *parts)


# --- parts ---------------------------------------------------------------------------------------


def _drawing(
    name: str, title: str, said: str, height: float, *parts: Markup, width: float = _WIDTH
) -> Markup:
    named = (element("title", title, id=f"{name}-title"), element("desc", said, id=f"{name}-desc"))
    return element(
        "svg",
        *named,
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        class_=f"chart {name}",
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
        **({"preserveAspectRatio": "none"} if name == "verdicts" else {}),
    )


def _rows(ceiling: float, top: float, bottom: float) -> Markup:
    """Draw the horizontal lines of a scale from 0."""
    step = _round_step(ceiling / 4)
    lines: list[Markup] = []
    for count in range(int(ceiling / step) + 1):
        y = bottom - count * step * (bottom - top) / ceiling
        kind = "grid" if count else "axis"
        lines.append(element("line", class_=kind, x1=_LEFT, x2=_RIGHT, y1=y, y2=y))
        lines.append(_label(f"{count * step:,g}", _LEFT - 8, y + 4, text_anchor="end"))
    return joined(*lines)


def _pace(pace: Pace, x: float, width: float, bottom: float, scale: float) -> Iterator[Markup]:
    per_second = width / (pace.seconds or 1.0)
    points: list[str] = []
    for number, rate in enumerate(pace.rates):
        begins = x + min(number * pace.interval_seconds, pace.seconds) * per_second
        ends = x + min((number + 1) * pace.interval_seconds, pace.seconds) * per_second
        y = bottom - rate * scale
        points.append(f"{begins:.1f} {y:.1f}L{ends:.1f} {y:.1f}")
    line = "L".join(points)
    if line:
        ends = x + min(len(points) * pace.interval_seconds, pace.seconds) * per_second
        yield element("path", class_="area", d=f"M{x:.1f} {bottom}L{line}L{ends:.1f} {bottom}Z")
        yield element("path", class_="line", d=f"M{line}")
    cap = bottom - pace.requests_per_second * scale
    yield element("line", class_="cap", x1=x, x2=x + width, y1=cap, y2=cap)


def _clock(pace: Pace, before: float, x: float, width: float, bottom: float) -> Iterator[Markup]:
    """Draw the times below one run; `before` is how long the earlier ones took, in seconds."""
    step = _round_minutes(pace.seconds / max(width / 110, 1.0))
    for count in range(int(pace.seconds / step) + 1):
        at = x + width * count * step / (pace.seconds or 1.0)
        if at <= _RIGHT - 14:
            anchor = "middle" if count else "start"
            text = duration(before + count * step)
            yield element("line", class_="tick", x1=at, x2=at, y1=bottom, y2=bottom + 4)
            yield _label(text, at, bottom + 18, text_anchor=anchor)


def _mark(text: str, x: float, y: float, bottom: float) -> Markup:
    is_right = x + 8 + len(text) * _CHARACTER > _RIGHT
    return joined(
        element("line", class_="mark", x1=x, x2=x, y1=y - 9, y2=bottom),
        _label(
            text,
            x - 5 if is_right else x + 5,
            y,
            class_="mark-label",
            text_anchor="end" if is_right else "start",
        ),
    )


def _label(text: str, x: float, y: float, **attributes: str) -> Markup:
    return element("text", text, x=x, y=y, **attributes)


# --- round numbers -------------------------------------------------------------------------------


def _round_step(at_least: float) -> float:
    power = float(10.0 ** math.floor(math.log10(at_least)))
    return next(power * digit for digit in (1, 2, 5, 10) if power * digit >= at_least)


def _round_minutes(at_least: float) -> float:
    steps = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200)
    found = next((float(step) for step in steps if step >= at_least), None)
    return math.ceil(at_least / 86_400) * 86_400.0 if found is None else found


def _round_times(first: float, last: float) -> list[float]:
    times = [digit * 10.0**power for power in range(-3, 3) for digit in (1, 2, 5)]
    shown = [seconds for seconds in times if first <= seconds <= last]
    return shown if len(shown) <= len("1 2 5") * 3 else shown[::3]


def _highest(paces: Sequence[Pace]) -> float:
    return max((rate for pace in paces for rate in pace.rates), default=0.0)
