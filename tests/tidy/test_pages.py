"""The documentation holds together: links lead somewhere, and every page can be found."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from tests.tidy import tree

_LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_IMAGE = re.compile(r"!\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(?P<text>.+?) *#*$", re.MULTILINE)
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//")

_RELEASE = re.compile(r"^## \[(?P<version>[^\]]+)\](?P<date>.*)$", re.MULTILINE)
_KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def _prose(page: Path) -> str:
    return _CODE.sub("", page.read_text(encoding="utf-8"))


def _links(page: Path) -> Iterator[tuple[Path, str]]:
    """Return the pages or files that a page links to, and the heading in them ("" for none)."""
    for pattern in (_LINK, _IMAGE):
        for found in pattern.finditer(_prose(page)):
            if not _ELSEWHERE.match(found["target"]):
                path, _, heading = found["target"].partition("#")
                yield (page.parent / path).resolve() if path else page, heading


def _anchors(page: Path) -> set[str]:
    """Return the anchors that a reader's browser knows: headings, lower case, in hyphens."""
    text = re.sub(
        r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    headings = (found["text"].lower() for found in _HEADING.finditer(text))
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in headings}


def test_every_relative_link_leads_somewhere() -> None:
    broken = [
        f"{tree.name(page)} → {target}{'#' + heading if heading else ''}"
        for page in tree.pages()
        for target, heading in _links(page)
        if not target.exists() or (heading and heading not in _anchors(target))
    ]

    assert broken == []


def test_every_page_of_the_documentation_can_be_reached_from_its_index() -> None:
    reached: set[Path] = set()
    ahead = [tree.DOCS / "README.md"]
    while ahead:
        page = ahead.pop()
        if page not in reached and page.suffix == ".md" and page.exists():
            reached.add(page)
            ahead.extend(target for target, _ in _links(page))

    lost = {page for page in tree.pages() if tree.DOCS in page.parents} - reached
    assert {tree.name(page) for page in lost} == set()


def test_the_changelog_keeps_its_form() -> None:
    text = (tree.ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    releases = list(_RELEASE.finditer(text))

    assert text.startswith("# Changelog\n")
    assert releases[0]["version"] == "Unreleased"
    assert re.findall(r"^## (?!\[)", text, re.MULTILINE) == []
    for release in releases[1:]:
        assert re.fullmatch(r"\d+\.\d+\.\d+", release["version"]), release[0]
        assert re.fullmatch(r" - \d{4}-\d{2}-\d{2}", release["date"]), release[0]
    versions = [tuple(map(int, found["version"].split("."))) for found in releases[1:]]
    assert versions == sorted(set(versions), reverse=True)
    assert set(re.findall(r"^### (.*)$", text, re.MULTILINE)) <= _KINDS


def test_decisions_are_numbered_without_gaps_and_say_what_follows() -> None:
    records = sorted((tree.DOCS / "decisions").glob("[0-9]*.md"))
    numbers = [int(record.name[:4]) for record in records]

    assert numbers == list(range(1, len(records) + 1))
    for record in records:
        text = record.read_text(encoding="utf-8")
        headings = [found["text"] for found in _HEADING.finditer(text)]
        assert headings[0].startswith(f"{int(record.name[:4])}. "), record.name
        assert headings[1:] == ["Context", "Decision", "Consequences"], record.name


def test_headings_do_not_skip_a_level() -> None:
    for page in tree.pages():
        levels = [len(found[0].split()[0]) for found in _HEADING.finditer(_prose(page))]
        assert levels[:1] == [1], tree.name(page)
        assert all(after <= before + 1 for before, after in pairwise(levels)), tree.name(page)
