"""The whole plan, in the order in which it is carried out."""

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from agcod_async.cli.certification import cases, probes
from agcod_async.cli.certification.cases import Section
from agcod_async.cli.certification.mock_codes import mock_cases

SECTIONS: Final = (
    Section(word="funds", title="Available funds", cases=cases.FUNDS),
    Section(
        word="create",
        title="Digital gift cards",
        cases=(*cases.DIGITAL, *mock_cases("CreateGiftCard")),
    ),
    Section(
        word="activate",
        title="Physical gift cards",
        cases=(*cases.PHYSICAL, *mock_cases("ActivateGiftCard")),
    ),
    Section(
        word="load",
        title="Balance loads",
        cases=(*cases.BALANCE, *mock_cases("LoadAmazonBalance")),
    ),
    Section(word="activity", title="Activity report", cases=cases.ACTIVITY),
)

_PROBES: Final = {
    "create": probes.DIGITAL,
    "activate": probes.PHYSICAL,
    "load": probes.BALANCE,
}


def plan(words: Collection[str], *, with_probes: bool) -> tuple[Section, ...]:
    """Return the sections that these words select, all for none, with their probes if asked for."""
    return tuple(
        replace(one, cases=(*one.cases, *(_PROBES.get(one.word, ()) if with_probes else ())))
        for one in SECTIONS
        if not words or one.word in words
    )
