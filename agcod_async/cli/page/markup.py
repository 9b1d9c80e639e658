"""HTML and SVG that cannot be broken into: text is escaped unless it was built here.

Elements come from `element` alone. What it is given as a plain string is text, whatever is in it;
only `Markup` is taken as it is. Every element is closed, so that any part is well-formed XML too.
"""

from html import escape
from typing import Final

from agcod_async.cli.printing import plain

_EMPTY: Final = frozenset({"meta", "circle", "line", "path", "rect"})
"""Elements without an end tag in HTML, or drawn shapes."""


class Markup(str):
    """HTML that needs no escaping. Write it only from constants of the code."""

    __slots__ = ()


def element(name: str, /, *children: str, **attributes: str | float) -> Markup:
    """Return an element. An attribute is written with `_` for `-`; one at its end is dropped."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_attribute(value)}"'
        for key, value in attributes.items()
    )
    if name in _EMPTY:
        return Markup(f"<{name}{written}/>")
    return Markup(f"<{name}{written}>{joined(*children)}</{name}>")


def joined(*children: str) -> Markup:
    """Return the children in a row, each escaped unless it is markup."""
    return Markup("".join(map(_text, children)))


def number(value: float) -> str:
    """Write a coordinate in as few characters as it needs."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if value % 1 else f"{value:.0f}"


def _text(child: str) -> str:
    return child if isinstance(child, Markup) else escape(plain(child))


def _attribute(value: str | float) -> str:
    return escape(plain(value)) if isinstance(value, str) else number(value)
