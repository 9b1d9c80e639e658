import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agcod_async.cli.page import html_page
from agcod_async.cli.page.markup import Markup, element, joined, number
from agcod_async.cli.page.words import CAUSES, VERDICTS, duration, next_step, reply_time
from agcod_async.core.outcomes import Outcome
from agcod_async.errors import NextSafeAction
from agcod_async.figures import Figures, Latency, OrderInDoubt, Pace, Refusal, merged
from agcod_async.figures.figures import VERDICT_NAMES
from agcod_async.figures.latency import BUCKETS_MAX
from tests.figures.samples import EMPTY, FULL, RESUMED, STARTED_AT, dollars, pace

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "</title><script>alert('1')</script><img src=x onerror=alert(2)>\"'&\x00\x1b[2J"

STOPPED = replace(
    FULL,
    taken=FULL.taken.plus(dollars(9, "225.00")),
    stopped="it was interrupted",
    paces=(pace(), pace()),
)


def tree(figures: Figures) -> ET.Element:
    """Parse the page as XML, which it is too: every element is closed."""
    text = html_page(figures).decode()
    assert text.startswith("<!DOCTYPE html>\n")
    return ET.fromstring(text)  # noqa: S314  our own page


def words(node: ET.Element) -> str:
    return " ".join(" ".join(node.itertext()).split())


def section(page: ET.Element, title: str) -> ET.Element:
    return next(part for part in page.iter("section") if part.findtext("h2") == title)


def rows(node: ET.Element) -> Iterator[list[str]]:
    for row in node.iter("tr"):
        yield [words(cell) for cell in row]


def test_the_page_has_its_parts_in_the_order_in_which_somebody_needs_them() -> None:
    page = tree(FULL)

    assert [part.findtext("h2") for part in page.iter("section")] == [
        "In doubt",
        "Verdicts and money",
        "Declined",
        "Rate over time",
        "Reply times",
        "Further requests, and why",
    ]
    assert page.findtext("body/main/header/h1") == "46 of 51 orders issued"
    assert page.get("lang") == "en"
    assert [svg.get("class") for svg in page.iter(f"{SVG}svg")] == [
        "chart verdicts",
        "chart pace",
        "chart latency",
        "chart retries",
    ]


def test_every_chart_has_a_title_a_description_and_its_figures_in_a_table() -> None:
    page = tree(FULL)
    for part in page.iter("section"):
        for svg in part.iter(f"{SVG}svg"):
            named = {child.get("id"): child.text for child in svg if child.get("id")}
            assert svg.get("role") == "img"
            assert set((svg.get("aria-labelledby") or "").split()) == set(named)
            assert all(named.values())
            assert part.find(".//table") is not None
    for table in page.iter("table"):
        assert table.findtext("caption")
        assert all(head.get("scope") == "col" for head in table.iterfind("thead/tr/th"))
    ids = [node.get("id") for node in page.iter() if node.get("id")]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("figures", [EMPTY, FULL, STOPPED, merged([FULL, RESUMED])])
def test_the_same_figures_make_the_same_bytes(figures: Figures) -> None:
    assert html_page(figures) == html_page(replace(figures))


@pytest.mark.parametrize("figures", [EMPTY, FULL, STOPPED, merged([FULL, RESUMED])])
def test_nothing_is_loaded_from_anywhere_and_nothing_runs(figures: Figures) -> None:
    text = html_page(figures).decode()
    addresses = re.findall(r"[a-z]+://[^\"' ]*", text)

    assert set(addresses) == {"http://www.w3.org/2000/svg"}
    assert "default-src &#x27;none&#x27;" in text
    names = {node.tag.removeprefix(SVG) for node in tree(figures).iter()}
    assert not names & {"script", "link", "img", "iframe", "object", "image", "use", "a", "form"}
    attributes = {name for node in tree(figures).iter() for name in node.attrib}
    assert not {name for name in attributes if name.startswith("on") or name in ("href", "src")}
    assert "url(" not in text
    assert "@import" not in text


def test_text_from_elsewhere_stays_text_wherever_it_stands() -> None:
    hostile = replace(
        FULL,
        declined=(Refusal(HOSTILE, HOSTILE, 1),),
        in_doubt=(OrderInDoubt(HOSTILE, "replay_same_id", at=STARTED_AT),),
        retries={HOSTILE: 3, "Lost": 2},
        verdicts={"issued": FULL.taken},
        stopped=HOSTILE,
    )
    text = html_page(hostile).decode()

    assert "<script" not in text
    assert "<img" not in text
    assert text.count("&lt;script&gt;") >= 4
    assert "\x00" not in text
    assert "\x1b" not in text
    shown = HOSTILE.replace("\x00", "\ufffd").replace("\x1b", "\ufffd")
    assert words(tree(hostile)).count(shown) >= 4


def test_the_money_adds_up_to_the_cent_and_the_page_says_so() -> None:
    part = section(tree(FULL), "Verdicts and money")
    head, *verdicts, total = rows(part)

    assert head == ["Verdict", "Orders", "EUR", "USD"]
    assert verdicts[0] == ["Issued the card is live", "46", "0.00", "1,150.00"]
    assert total == ["Ordered", "51", "25.00", "1,250.00"]
    for column in (1, 2, 3):
        figures = [Decimal(row[column].replace(",", "")) for row in verdicts]
        assert sum(figures) == Decimal(total[column].replace(",", ""))
    assert "add up to what was ordered, to the cent" in words(part)


def test_a_cent_that_is_missing_is_not_said_to_add_up() -> None:
    short = replace(FULL, taken=FULL.taken.plus(dollars(0, "0.01")))
    surplus = replace(FULL, taken=FULL.taken.minus(dollars(1, "0.01")))

    for figures in (short, surplus):
        said = words(section(tree(figures), "Verdicts and money"))
        assert "do not add up" in said
        assert "to the cent" not in said


def test_what_was_under_way_has_a_row_of_its_own_and_is_in_doubt() -> None:
    page = tree(STOPPED)

    assert "Under way without a verdict when it was stopped, so in doubt 9 0.00 225.00" in words(
        page
    )
    assert "10 orders are in doubt: never send them under other IDs" in words(page)


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        (EMPTY, "No order was taken"),
        (RESUMED, "Every order is issued, and nothing is in doubt"),
        (FULL, "1 order is in doubt: never send it under another ID"),
        (merged([FULL, RESUMED]), "Nothing is in doubt; 3 not issued, 3 refused as no orders, 1 "),
        (replace(EMPTY, stopped="why"), "Stopped before the end of the file: why"),
    ],
)
def test_the_first_line_says_what_is_to_be_done(figures: Figures, said: str) -> None:
    assert said in words(tree(figures))


def test_an_order_in_doubt_is_named_with_its_next_safe_step() -> None:
    _, (request_id, step) = rows(section(tree(FULL), "In doubt"))

    assert request_id == "Emula7"
    assert step == "After 2026-03-04 09:21:02 UTC, run it again under the same ID, or reconcile."
    assert "In doubt" not in [p.findtext("h2") for p in tree(RESUMED).iter("section")]


def test_more_orders_in_doubt_than_are_named_are_counted() -> None:
    many = replace(FULL, taken=dollars(1050, "1.00"), verdicts={"in_doubt": dollars(1050, "1.00")})

    assert "And 1,049 more" in words(section(tree(many), "In doubt"))


@pytest.mark.parametrize("action", get_args(NextSafeAction))
def test_every_next_safe_step_is_in_words(action: NextSafeAction) -> None:
    assert next_step(action, None).endswith(".")
    assert "activity" in next_step(action, None) or "the same ID" in next_step(action, None)


def test_what_was_declined_is_named_with_what_to_do() -> None:
    odd = (Refusal("F200", "NoSuchName", 4), Refusal("Z9", None, 2), Refusal(None, None, 1))
    part = section(tree(replace(FULL, declined=FULL.declined + odd)), "Declined")
    shown = {row[0]: row[1:] for row in rows(part)}

    assert shown["F300 InsufficientFunds"][0] == "2"
    assert "Pay in" in shown["F300 InsufficientFunds"][1]
    assert shown["F200 NoSuchName"][1].startswith("Amazon found the request at fault.")
    assert shown["Z9"] == ["2", "Read the reason in the run's receipts."]
    assert shown["any other"][0] == "1"


def test_every_outcome_and_every_verdict_has_words() -> None:
    outcomes = {kind.__name__ for kind in get_args(Outcome)}

    assert set(CAUSES) == outcomes
    assert set(VERDICTS) == set(VERDICT_NAMES)


def test_the_rate_is_drawn_below_the_cap_and_its_table_counts_every_request() -> None:
    part = section(tree(FULL), "Rate over time")
    (cap,) = [node for node in part.iter(f"{SVG}line") if node.get("class") == "cap"]
    (line,) = [node for node in part.iter(f"{SVG}path") if node.get("class") == "line"]
    heights = [float(y) for _, y in re.findall(r"([\d.]+) ([\d.]+)", line.get("d") or "")]
    _, *intervals = rows(part)

    assert min(heights) == pytest.approx(float(cap.get("y1") or 0), abs=0.1)
    assert sum(int(row[2]) for row in intervals) == sum(FULL.paces[0].requests)


def test_the_runs_of_a_job_stand_side_by_side() -> None:
    part = section(tree(merged([FULL, RESUMED, FULL])), "Rate over time")

    assert len([node for node in part.iter(f"{SVG}line") if node.get("class") == "cap"]) == 3
    old = replace(FULL, runs=30)
    assert "29 earlier runs are not drawn" in words(section(tree(old), "Rate over time"))


def test_percentiles_are_marked_where_they_are() -> None:
    part = section(tree(FULL), "Reply times")
    marks = [node for node in part.iter(f"{SVG}line") if node.get("class") == "mark"]
    places = [float(node.get("x1") or 0) for node in marks]

    assert len(places) == 4
    assert places == sorted(places)
    assert "p50 16 ms" in words(part)


PACES = st.builds(
    Pace,
    started_at=st.just(STARTED_AT) | st.just(STARTED_AT + timedelta(days=9)),
    seconds=st.floats(0, 1e9),
    requests_per_second=st.floats(0.001, 1e6),
    interval_seconds=st.floats(0.001, 1e9),
    requests=st.lists(st.integers(0, 10**15), max_size=240).map(tuple),
)
LATENCIES = st.builds(Latency, st.lists(st.integers(0, 10**15), max_size=BUCKETS_MAX).map(tuple))


@settings(deadline=None)
@given(paces=st.lists(PACES, min_size=1, max_size=4).map(tuple), latency=LATENCIES)
def test_any_figures_can_be_drawn_inside_their_frame(
    paces: tuple[Pace, ...], latency: Latency
) -> None:
    page = tree(replace(FULL, paces=paces, latency=latency))

    for svg in page.iter(f"{SVG}svg"):
        _, _, width, height = map(float, (svg.get("viewBox") or "").split())
        for node in svg.iter():
            for name, limit in (("x", width), ("x1", width), ("y", height), ("y1", height)):
                assert -1 <= float(node.get(name) or 0) <= limit + 1, (node.tag, node.attrib)


# --- the parts -----------------------------------------------------------------------------------


def test_only_what_was_built_as_markup_is_taken_as_it_is() -> None:
    bold = element("b", "a < b", title='"quoted"')

    assert bold == '<b title="&quot;quoted&quot;">a &lt; b</b>'
    assert joined(bold, "<i>") == f"{bold}&lt;i&gt;"
    assert not isinstance(bold + "<i>", Markup), "adding makes plain text, which will be escaped"
    assert element("line", x1=1.0, stroke_width=2, class_="a") == (
        '<line x1="1" stroke-width="2" class="a"/>'
    )


@pytest.mark.parametrize(
    ("value", "written"), [(1.0, "1"), (1.5, "1.5"), (0.126, "0.13"), (100, "100"), (0.001, "0")]
)
def test_a_coordinate_takes_few_characters(value: float, written: str) -> None:
    assert number(value) == written


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0, "0 s"), (59.7, "1 min"), (61, "1 min 1 s"), (7265, "2 h 1 min"), (90_000, "1 d 1 h")],
)
def test_a_duration_is_written_as_it_is_said(seconds: float, written: str) -> None:
    assert duration(seconds) == written


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0.001, "1 ms"), (0.0587, "58.7 ms"), (0.99949, "999 ms"), (0.9996, "1 s"), (12.34, "12.3 s")],
)
def test_a_reply_time_has_the_digits_that_matter(seconds: float, written: str) -> None:
    assert reply_time(seconds) == written
