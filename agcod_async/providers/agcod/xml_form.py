"""XML, in the shapes that Amazon's error page shows: how requests are written and replies read.

Rules of this file:

1. The same members are written as the same bytes, always: no declaration, no blanks, no
   attributes, the members in their order.
2. A reply is read by `defusedxml`, and what is not plain is refused: a document type (in which
   entities could be defined), comments, processing instructions, text beside elements, a member
   that comes twice, too much depth or length. Namespaces and attributes say nothing.
3. Nothing that is raised here quotes what was read.
"""

import re
from collections.abc import Container, Iterator, Mapping
from decimal import Decimal
from typing import Final, NoReturn, cast

from defusedxml.ElementTree import DefusedXMLParser, ParseError

SIZE_MAX: Final = 1024 * 1024
"""In bytes; a page of the activity report is the longest reply there is."""
DEPTH_MAX: Final = 12

LISTS: Final = frozenset({"cardActivityList"})
"""Members that hold any number of others, whatever these are called."""


class NotPlainError(ValueError):
    """Not a plain XML document."""


# --- writing -----------------------------------------------------------------------------------


Tree = Mapping[str, object]
"""Members by name: texts, numbers, truth values, lists, and trees of these."""


def written(root: str, members: Tree) -> bytes:
    """Return the document. A request has no list."""
    return _element(root, members).encode()


def can_carry(text: str) -> bool:
    """Return whether XML can carry every character of `text`."""
    return _UNSENDABLE.search(text) is None


_UNSENDABLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _element(name: str, value: object) -> str:
    return f"<{name}>{_content(value)}</{name}>"


def _content(value: object) -> str:
    if isinstance(value, dict):
        members = cast("Tree", value)
        return "".join(_element(name, inside) for name, inside in members.items())
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value.translate(_ESCAPES)
    if isinstance(value, int | Decimal):
        return format(value, "f") if isinstance(value, Decimal) else str(value)
    raise AssertionError(f"a {type(value).__name__} is not sent")


# A bare carriage return would be read as a line feed.
_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})


# --- reading -----------------------------------------------------------------------------------


class Document:
    """A document that has been read: its root's name, and the members in it.

    The members are not shown: one of them may be a claim code.
    """

    __slots__ = ("members", "root")

    def __init__(self, root: str, members: Tree) -> None:
        self.root = root
        self.members = members

    def texts(self, names: Container[str]) -> Iterator[str]:
        """Yield every text whose member, in lower case, has one of `names`."""
        return _texts(self.members, names)


def _texts(members: Tree, names: Container[str]) -> Iterator[str]:
    for name, value in members.items():
        if isinstance(value, str) and name.casefold() in names:
            yield value
        if isinstance(value, dict):
            yield from _texts(cast("Tree", value), names)


def read(body: bytes) -> Document:
    """Return the document that `body` is. Raises `ValueError`, and nothing else."""
    # The parser looks at the bytes behind a text, and finds an encoding with two of them to a
    # character wherever there are zeros: it would read what is not in the text.
    if len(body) > SIZE_MAX or not can_carry(body.decode("utf-8")):
        raise NotPlainError
    declared = _DECLARED.match(body)
    if declared is not None and not _LIKE_ASCII.fullmatch(declared[1]):
        raise NotPlainError
    builder = _Builder()
    parser = DefusedXMLParser(target=builder, forbid_dtd=True)
    try:
        parser.feed(body.decode("utf-8"))
        parser.close()
    except ParseError:
        raise NotPlainError from None
    return builder.document()


_DECLARED: Final = re.compile(rb"""\s*<\?xml\s[^>]*?encoding\s*=\s*["']([^"']*)["']""")
# What is decided by ASCII alone reads the same in all of these, and in no other.
_LIKE_ASCII: Final = re.compile(
    rb"utf-?8|(us-)?ascii|iso-8859-\d{1,2}|windows-125\d", re.IGNORECASE
)


class _Open:
    """An element that has begun."""

    __slots__ = ("inside", "is_list", "name", "text")

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_list = name in LISTS
        self.inside: list[tuple[str, object]] = []
        self.text: list[str] = []

    def value(self) -> object:
        """Return what the element holds."""
        text = "".join(self.text)
        if self.is_list or self.inside:
            if text.strip():
                raise NotPlainError
            if self.is_list:
                return [value for _, value in self.inside]
            members = dict(self.inside)
            if len(members) != len(self.inside):
                raise NotPlainError
            return members
        return text


class _Builder:
    """What the parser tells of, element by element."""

    def __init__(self) -> None:
        self._open: list[_Open] = [_Open("")]

    def start(self, tag: str, _attributes: Mapping[str, str]) -> None:
        if len(self._open) > DEPTH_MAX:
            raise NotPlainError
        self._open.append(_Open(tag.rpartition("}")[2]))

    def data(self, text: str) -> None:
        self._open[-1].text.append(text)

    def end(self, _tag: str) -> None:
        ended = self._open.pop()
        self._open[-1].inside.append((ended.name, ended.value()))

    def comment(self, _text: str) -> NoReturn:
        raise NotPlainError

    def pi(self, _target: str, _text: str | None = None) -> NoReturn:
        raise NotPlainError

    def close(self) -> None:
        pass

    def document(self) -> Document:
        ((root, members),) = self._open[0].inside
        return Document(root, cast("Tree", members) if isinstance(members, dict) else {})
