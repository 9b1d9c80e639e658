"""The page: what needs somebody's hand first, then the money, then how the run went.

The same figures make the same bytes. Nothing is loaded from anywhere, and a browser is told so.
"""

from collections.abc import Iterator
from typing import Final

from agcod_async.cli.page.charts import PERCENTILES
from agcod_async.cli.page.markup import Markup, element, joined
from agcod_async.cli.page.sections import (
    declined_section,
    in_doubt_section,
    latency_section,
    money_section,
    pace_section,
    retries_section,
)
from agcod_async.cli.page.style import STYLE
from agcod_async.cli.page.words import duration, moment, reply_time
from agcod_async.figures import Figures

_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
)


def html_page(figures: Figures) -> bytes:
    """Return the report as one HTML file."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="referrer", content="no-referrer"),
        element("title", f"agcod batch, {moment(figures.paces[0].started_at)}"),
        element("style", STYLE),
    )
    main = element(
        "main",
        _header(figures),
        _tiles(figures),
        in_doubt_section(figures),
        money_section(figures),
        declined_section(figures),
        pace_section(figures),
        latency_section(figures),
        retries_section(figures),
        element("footer", "No claim code is in this file, and nothing is loaded from elsewhere."),
    )
    page = joined(
        Markup("<!DOCTYPE html>\n"), element("html", head, element("body", main), lang="en")
    )
    return f"{page}\n".encode()


def _header(figures: Figures) -> Markup:
    ordered, issued = figures.taken.orders, figures.ended("issued").orders
    first, last = figures.paces[0], figures.paces[-1]
    caps = sorted({pace.requests_per_second for pace in figures.paces})
    cap = " to ".join(f"{cap:g}" for cap in {caps[0]: 0, caps[-1]: 0})
    runs = "" if figures.runs == 1 else f" in {figures.runs} runs"
    when = moment(first.started_at)
    if figures.runs > 1:
        when = f"{when}, the latest run {moment(last.started_at)}"
    return element(
        "header",
        element("p", "agcod batch report", class_="kind"),
        element("h1", f"{issued:,} of {ordered:,} orders issued"),
        element(
            "p",
            f"Started {when} · {duration(figures.seconds)}{runs} · at most {cap} requests a second",
            class_="lead",
        ),
        *(element("p", text, class_=f"state {kind}") for text, kind in _state(figures)),
    )


def _state(figures: Figures) -> Iterator[tuple[str, str]]:
    """Say what is to be done, the worst first."""
    doubtful = figures.ended("in_doubt").orders + figures.open.orders
    rest = figures.taken.orders - figures.ended("issued").orders - doubtful
    if doubtful:
        yield _doubt(doubtful), "bad"
    elif figures.stopped is not None:
        yield f"Stopped before the end of the file: {figures.stopped}", "note"
    elif rest or figures.rows_refused or figures.undelivered:
        todo = [
            (rest, "not issued"),
            (figures.rows_refused, "refused as no orders"),
            (figures.undelivered, "issued and not delivered"),
        ]
        said = ", ".join(f"{count:,} {what}" for count, what in todo if count)
        yield f"Nothing is in doubt; {said}", "note"
    elif not figures.taken.orders:
        yield "No order was taken", "note"
    else:
        yield "Every order is issued, and nothing is in doubt", "good"


def _doubt(count: int) -> str:
    if count == 1:
        return "1 order is in doubt: never send it under another ID"
    return f"{count:,} orders are in doubt: never send them under other IDs"


def _tiles(figures: Figures) -> Markup:
    issued = figures.ended("issued").amounts
    money = [(f"{amount:,}", f"{currency} issued") for currency, amount in sorted(issued.items())]
    latency = figures.latency
    times = [latency.percentile_seconds(share) for _, share in PERCENTILES[::2]]
    sent = sum(sum(pace.requests) for pace in figures.paces)
    rate = sent / figures.seconds if figures.seconds else 0.0
    cap = max(pace.requests_per_second for pace in figures.paces)
    repaired = f"{figures.throttles:,} throttled, {figures.undos:,} undone"
    return element(
        "dl",
        _tile("Issued", *(money[0] if money else ("0", "orders issued")), *_more(money[1:])),
        _tile(
            "Not issued",
            f"{figures.taken.orders - figures.ended('issued').orders:,}",
            f"{figures.ended('in_doubt').orders + figures.open.orders:,} of them in doubt",
        ),
        _tile("Requests a second", f"{rate:.1f}", f"on average, of {cap:g}"),
        _tile("Reply time", _times(times[0]), f"half of them; 99 % in {_times(times[1])}"),
        _tile("Requests", f"{figures.requests:,}", repaired),
        class_="tiles",
    )


def _tile(name: str, figure: str, *below: str) -> Markup:
    return element(
        "div",
        element("dt", name),
        element("dd", figure),
        *(element("dd", text, class_="sub") for text in below),
        class_="tile",
    )


def _more(money: list[tuple[str, str]]) -> list[str]:
    return [f"and {amount} {what}" for amount, what in money]


def _times(seconds: float | None) -> str:
    return "–" if seconds is None else reply_time(seconds)  # noqa: RUF001  a dash for no figure
