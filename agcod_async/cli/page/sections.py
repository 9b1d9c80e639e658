"""The sections of the page: each a chart, and its figures as a table beside it."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from agcod_async.cli.page.charts import (
    PERCENTILES,
    latency_chart,
    pace_chart,
    ranking_chart,
    shares_chart,
)
from agcod_async.cli.page.markup import Markup, element
from agcod_async.cli.page.words import VERDICTS, cause, duration, moment, next_step, reply_time
from agcod_async.figures import Figures, Pace, Refusal, Worth
from agcod_async.figures.figures import VERDICT_NAMES
from agcod_async.figures.latency import bucket_end_seconds
from agcod_async.providers.agcod.catalogue import CLASSES, find

_INTERVALS_SHOWN_MAX = 30
_NOTHING = Markup("")


def in_doubt_section(figures: Figures) -> Markup:
    """Return what is in doubt and what settles it; nothing where nothing is."""
    count = figures.ended("in_doubt").orders + figures.open.orders
    if not count and not figures.in_doubt:
        return _NOTHING
    more = count - len(figures.in_doubt)
    rows = [
        (
            element("th", element("code", order.request_id), scope="row"),
            element("td", next_step(order.next_safe_action, order.not_before)),
        )
        for order in figures.in_doubt
    ]
    return _section(
        "In doubt",
        "It is not known whether these orders were issued. A card may live under each of these "
        "IDs: an order sent again under another ID could be paid for twice.",
        _table("Orders in doubt", ("Request ID", "Next safe step"), rows),
        _NOTHING
        if more <= 0
        else element("p", f"And {more:,} more, which the run's receipts name.", class_="about"),
    )


def money_section(figures: Figures) -> Markup:
    """Return the verdicts, and their money reconciled with what was ordered."""
    kinds: list[tuple[str, str, str, Worth]] = [
        (*VERDICTS[name], name, figures.ended(name)) for name in VERDICT_NAMES
    ]
    if figures.open.orders or any(figures.open.amounts.values()):
        about = "without a verdict when it was stopped, so in doubt"
        kinds.append(("Under way", about, "open", figures.open))
    found = {*figures.taken.amounts, *(c for *_, worth in kinds for c in worth.amounts)}
    currencies = sorted(found)
    rows = [
        (
            element(
                "th",
                element("span", class_=f"key {colour}"),
                name,
                element("small", about),
                scope="row",
            ),
            *_figures(worth, figures.taken, currencies),
        )
        for name, about, colour, worth in kinds
    ]
    total = (
        element("th", "Ordered", scope="row"),
        *_figures(figures.taken, figures.taken, currencies),
    )
    shares = [(name, colour, max(worth.orders, 0)) for name, _, colour, worth in kinds]
    return _section(
        "Verdicts and money",
        "What became of each order, with the amounts that were ordered.",
        shares_chart(shares),
        _table("Orders and amounts by verdict", ("Verdict", "Orders", *currencies), rows, total),
        _reconciled(figures),
    )


def declined_section(figures: Figures) -> Markup:
    """Return what was declined with which error, and what to do about it."""
    if not figures.declined:
        return _NOTHING
    rows = [_refusal(refusal) for refusal in figures.declined]
    return _section(
        "Declined",
        "It will be declined again until somebody changes something.",
        _table("Declined orders by error", ("Error", "Orders", "What to do"), rows),
    )


def pace_section(figures: Figures) -> Markup:
    """Return the rate over time against the cap."""
    if not any(sum(pace.requests) for pace in figures.paces):
        return _NOTHING
    rows = [row for pace in figures.paces for row in _intervals(pace)]
    left_out = figures.runs - len(figures.paces)
    about = "Requests a second as they left, undos and repetitions included. The cap is a promise."
    return _section(
        "Rate over time",
        f"{about} {left_out} earlier runs are not drawn." if left_out > 0 else about,
        _scrolled("Chart of the rate over time", pace_chart(figures.paces)),
        _details("Requests by interval", ("From", "For", "Requests", "Per second", "Cap"), rows),
    )


def latency_section(figures: Figures) -> Markup:
    """Return how long replies took."""
    latency = figures.latency
    if not latency.replies:
        return _NOTHING
    rows = [
        _row(name, f"{share * 100:g} % of the replies", _seconds(latency.percentile_seconds(share)))
        for name, share in PERCENTILES
    ]
    rows += [
        _row(f"up to {reply_time(bucket_end_seconds(number))}", "", f"{count:,}")
        for number, count in enumerate(latency.counts)
        if count
    ]
    return _section(
        "Reply times",
        "From leaving to the reply, without the wait for a permit. What was never answered is not "
        "in it. A percentile is at most 9 % too high.",
        _scrolled("Chart of the reply times", latency_chart(latency)),
        _details("Reply times", ("", "", "Time or replies"), rows),
    )


def retries_section(figures: Figures) -> Markup:
    """Return why requests were sent again, and how often."""
    named = sorted(figures.retries.items(), key=lambda item: (-item[1], item[0]))
    counts = [(cause(outcome)[0], count) for outcome, count in named if count]
    if not counts:
        return _NOTHING
    rows = [_row(*cause(outcome), f"{count:,}") for outcome, count in named if count]
    return _section(
        "Further requests, and why",
        f"{sum(figures.retries.values()):,} requests went out after the first one of their order: "
        f"{figures.undos:,} undos, {figures.successors:,} under a successor of a dead ID, "
        "the rest repetitions under the same ID. Here is what came before each.",
        _scrolled(
            "Chart of further requests",
            ranking_chart("retries", "Further requests by cause", counts),
        ),
        _details("Further requests by cause", ("Before it", "What it means", "Requests"), rows),
    )


# --- rows ----------------------------------------------------------------------------------------


def _figures(worth: Worth, ordered: Worth, currencies: Sequence[str]) -> tuple[Markup, ...]:
    # A zero with as many places as the others have.
    zeros = (ordered.amounts.get(currency, Decimal(0)) * 0 for currency in currencies)
    amounts = (
        f"{worth.amounts.get(currency, zero):,}"
        for currency, zero in zip(currencies, zeros, strict=True)
    )
    return tuple(element("td", text, class_="figure") for text in (f"{worth.orders:,}", *amounts))


def _reconciled(figures: Figures) -> Markup:
    """Compare what was counted when orders were taken with what was counted when they ended."""
    left = figures.open
    if not left.orders and not any(left.amounts.values()):
        return element(
            "p", "✓ The verdicts add up to what was ordered, to the cent.", class_="check"
        )
    if left.orders > 0:
        return element("p", "The row “Under way” is what is left of the ordered.", class_="about")
    return element("p", "✗ The verdicts do not add up to what was ordered.", class_="check bad")


def _refusal(refusal: Refusal) -> tuple[Markup, ...]:
    advice = find(refusal.code, refusal.error_type) or CLASSES.get(refusal.code or "")
    name = " ".join(part for part in (refusal.code, refusal.error_type) if part)
    return (
        element("th", element("code", name) if name else "any other", scope="row"),
        element("td", f"{refusal.orders:,}", class_="figure"),
        element("td", "Read the reason in the run's receipts.")
        if advice is None
        else element("td", advice.meaning, element("small", advice.remedy)),
    )


def _intervals(pace: Pace) -> Iterable[tuple[Markup, ...]]:
    """Return the rows of one run; neighbours are taken together until they are few."""
    together = max(1, -(-len(pace.requests) // _INTERVALS_SHOWN_MAX))
    for first in range(0, len(pace.requests), together):
        begins = first * pace.interval_seconds
        ends = min((first + together) * pace.interval_seconds, max(pace.seconds, begins))
        requests, lasts = sum(pace.requests[first : first + together]), ends - begins
        yield (
            element("th", moment(pace.started_at) if not first else f"+ {duration(begins)}"),
            *(
                element("td", text, class_="figure")
                for text in (
                    f"{lasts:.1f} s",
                    f"{requests:,}",
                    f"{requests / lasts:.1f}" if lasts >= pace.interval_seconds / 2 else "",
                    f"{pace.requests_per_second:g}",
                )
            ),
        )


def _row(name: str, about: str, figure: str) -> tuple[Markup, ...]:
    return (
        element("th", name, scope="row"),
        element("td", about),
        element("td", figure, class_="figure"),
    )


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else reply_time(seconds)


# --- parts ---------------------------------------------------------------------------------------


def _section(title: str, about: str, *parts: Markup) -> Markup:
    return element("section", element("h2", title), element("p", about, class_="about"), *parts)


def _details(caption: str, columns: Sequence[str], rows: Iterable[Sequence[Markup]]) -> Markup:
    summary = element("summary", "The figures as a table")
    return element("details", summary, _table(caption, columns, rows))


def _table(
    caption: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Markup]],
    total: Sequence[Markup] = (),
) -> Markup:
    listed = list(rows)
    right = [any('class="figure"' in row[n] for row in listed) for n in range(len(columns))]
    heads = [
        element("th", column, scope="col", **({"class_": "figure"} if is_right else {}))
        for column, is_right in zip(columns, right, strict=True)
    ]
    table = element(
        "table",
        element("caption", caption),
        element("thead", element("tr", *heads)),
        element("tbody", *(element("tr", *row) for row in listed)),
        element("tfoot", element("tr", *total)) if total else _NOTHING,
    )
    return _scrolled(caption, table)


def _scrolled(name: str, wide: Markup) -> Markup:
    """Let what is too wide for the window scroll by itself, also by the keyboard."""
    return element("div", wide, class_="wide", role="region", aria_label=name, tabindex="0")
