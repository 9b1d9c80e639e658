"""The charts are drawings that a browser can read, whatever they show."""

from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring

from docs.chart_writer import Dot, Group, dot_chart

SVG = "{http://www.w3.org/2000/svg}"


def _drawn(*dots: Dot, logarithmic: bool = False) -> Element:
    root = fromstring(dot_chart("A & B", "times <x>", [Group("", dots)], logarithmic=logarithmic))
    assert isinstance(root, Element)
    return root


def _dot(middle: float, *, label: str = "one", low: float | None = None) -> Dot:
    return Dot(label, middle, middle if low is None else low, middle, f"{middle:g}", is_ours=False)


def _places(root: Element) -> list[float]:
    return [float(circle.attrib["cx"]) for circle in root.iter(f"{SVG}circle")]


def test_text_is_shown_as_it_is_written() -> None:
    root = _drawn(_dot(1.0, label='"<&>"'))

    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert {"A & B", "times <x>", '"<&>"'} <= set(texts)
    assert root.attrib["aria-label"] == "A & B"


def test_a_linear_scale_begins_at_nothing() -> None:
    one, two, four = _places(_drawn(_dot(1.0), _dot(2.0), _dot(4.0)))

    assert four - two == pytest.approx(2 * (two - one), abs=0.2)


def test_a_logarithmic_scale_makes_equal_ratios_equal_steps() -> None:
    one, ten, hundred = _places(_drawn(_dot(1.0), _dot(10.0), _dot(100.0), logarithmic=True))

    assert hundred - ten == pytest.approx(ten - one, abs=0.2)


@pytest.mark.parametrize("logarithmic", [False, True])
@pytest.mark.parametrize("values", [(0.004, 0.005), (0.9, 1.1), (3.0, 90_000.0)])
def test_everything_is_inside_the_drawing(values: tuple[float, ...], *, logarithmic: bool) -> None:
    root = _drawn(*map(_dot, values), logarithmic=logarithmic)

    assert all(262 <= place <= 640 for place in _places(root))
    assert len(list(root.iter(f"{SVG}line"))) > len(values)
