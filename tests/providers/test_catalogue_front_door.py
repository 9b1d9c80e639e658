"""Errors without an F-code: those that Amazon's FAQ explains, and what they prove."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from agcod_async.providers.agcod import framework
from agcod_async.providers.agcod.contacts import Team
from tests.providers.replies import LEGS, reply

_TABLE = Path(__file__).parent / "data" / "front_door.tsv"
_KNOWN = (framework.THROTTLED, *framework.REFUSED)


def _rows() -> Iterator[tuple[str, str, str]]:
    lines = _TABLE.read_text(encoding="utf-8").splitlines()
    for line in csv.DictReader((line for line in lines if line[0] != "#"), delimiter="\t"):
        yield line["said"], line["title"], line["proves"]


ROWS = tuple(_rows())


@pytest.mark.parametrize(("said", "title", "proves"), ROWS)
def test_what_the_faq_explains_is_recognised(said: str, title: str, proves: str) -> None:
    recognised = framework.recognise(None, said)

    assert recognised is not None
    assert recognised.title == title
    for leg in LEGS.values():
        for body in ({"message": said}, f"<A><Message>{said}</Message></A>"):
            assert type(leg()(reply(body, 403))).__name__ == proves


def test_the_table_knows_every_refusal_that_has_words_of_its_own() -> None:
    with_words = {row.title for row in _KNOWN if row.phrases} | {framework.THROTTLED.title}

    assert {title for _, title, _ in ROWS} == with_words


@pytest.mark.parametrize("row", _KNOWN, ids=lambda row: row.title)
def test_a_refusal_at_the_door_says_what_recovery_decides(row: framework.FrameworkError) -> None:
    assert row.names or row.phrases
    for name in row.names:
        answer = reply({"__type": f"com.amazon.anything#{name}", "message": "x"}, 400)

        assert type(LEGS["create"]()(answer)) is row.forward
        assert type(LEGS["undo"]()(answer)) is row.undo
    for phrase in row.phrases:
        assert type(LEGS["create"]()(reply({"message": f"So: {phrase} …"}, 400))) is row.forward


def test_a_refusal_at_the_door_says_what_to_do_and_whom_to_ask() -> None:
    for row in _KNOWN:
        assert row.meaning.endswith(".")
        assert row.remedy.endswith(".")
        assert row.team is (None if row is framework.THROTTLED else Team.INTEGRATION)


def test_what_failed_on_this_side_is_not_recognised_in_a_reply() -> None:
    for phrase in framework.UNTRUSTED.phrases:
        assert framework.recognise(None, phrase) is None
    for name in framework.UNTRUSTED.names:
        assert framework.recognise(name, None) is None
