import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pytest

from agcod_async.core.outcomes import (
    AppliedDead,
    Conflict,
    ForwardOutcome,
    Outdated,
    Refused,
    Throttled,
    Unclear,
    UndoFirst,
    UndoOutcome,
    Untouched,
)
from agcod_async.providers.agcod import catalogue, consequences
from agcod_async.providers.agcod.activation_operations import ACTIVATE_GIFT_CARD
from agcod_async.providers.agcod.activation_requests import activate_gift_card_request
from agcod_async.providers.agcod.advice import Family
from agcod_async.providers.agcod.balance_operations import LOAD_AMAZON_BALANCE
from agcod_async.providers.agcod.balance_requests import load_amazon_balance_request
from agcod_async.providers.agcod.contacts import Team
from agcod_async.providers.agcod.operations import CREATE_GIFT_CARD
from agcod_async.providers.agcod.recipients import Account
from agcod_async.providers.base import Legs
from agcod_async.testing.catalogue import REFUSALS
from agcod_async.values import Money
from tests.providers.replies import LEGS, PARTNER, REQUEST_ID, create_request, error, reply

_TABLE = Path(__file__).parent / "data" / "errors.tsv"
_DOCUMENTED = ("gift-card", "other")
_FAMILIES = {
    frozenset({"gift-card"}): Family.GIFT_CARD,
    frozenset({"other"}): Family.BALANCE,
    frozenset({"gift-card", "other"}): Family.BOTH,
}
_ALSO_SEEN_ON_GIFT_CARDS = {
    ("F100", "GeneralError"): "recorded creates under F1000",
    ("F300", "IssuanceCapExceeded"): "Amazon's FAQ: from a create",
    ("F300", "CustomerSurpassedDailyVelocityLimit"): "recorded creates under F3010",
    ("F400", "SystemTemporarilyUnavailable"): "Amazon's error page: cancel and create again",
    ("F500", "GeneralError"): "recorded creates under F5000",
}


@dataclass(frozen=True, slots=True)
class Row:
    table: str
    code: str
    name: str
    mock_id: str
    proves: dict[str, str]

    def __str__(self) -> str:
        return f"{self.table}-{self.code}-{self.name}-{self.mock_id}"


def _rows() -> Iterator[Row]:
    lines = _TABLE.read_text(encoding="utf-8").splitlines()
    for line in csv.DictReader((line for line in lines if line[0] != "#"), delimiter="\t"):
        proves = {leg: line[leg] for leg in ("create", "undo", "cancel")}
        yield Row(line["table"], line["class"], line["name"], line["mock"], proves)


ROWS = tuple(_rows())


def test_the_tables_are_whole() -> None:
    counted = {table: sum(row.table == table for row in ROWS) for table in _DOCUMENTED}

    # InvalidAccessKey stands twice in Amazon's second table, once for China.
    assert counted == {"gift-card": 59, "other": 36}
    assert sum(row.table == "outage-page" for row in ROWS) == 5


def test_every_row_of_amazons_tables_is_in_the_catalogue() -> None:
    for row in ROWS:
        found = catalogue.find(row.code, row.name)
        assert found is not None, row
        assert (row.mock_id in found.mock_ids) or row.mock_id == "-", row
        assert row.name == found.name or row.name in found.aliases, row
        assert found.meaning.endswith("."), row
        assert found.remedy.endswith("."), row


def test_every_row_of_the_catalogue_is_in_amazons_tables() -> None:
    documented = {(row.code, row.name, row.mock_id) for row in ROWS if row.table in _DOCUMENTED}
    others = {(row.code, row.name) for row in ROWS if row.mock_id == "-"}

    for row in catalogue.ROWS:
        if row.mock_ids:
            assert {(row.code, row.name, mock_id) for mock_id in row.mock_ids} <= documented
        else:
            assert (row.code, row.name) in others
    aliases = {(row.code, alias) for row in catalogue.ROWS for alias in row.aliases}
    assert aliases == {(row.code, row.name) for row in ROWS if row.table == "alias"}


def test_a_class_and_a_name_stand_for_one_row() -> None:
    keys = [(row.code, row.name) for row in catalogue.ROWS]

    assert len(keys) == len(set(keys))


def test_a_mock_code_finds_everything_that_it_stands_for() -> None:
    for mock_id in {row.mock_id for row in ROWS if row.table in _DOCUMENTED}:
        names = {row.name for row in ROWS if row.mock_id == mock_id and row.table in _DOCUMENTED}
        assert {row.name for row in catalogue.by_mock(mock_id)} == names, mock_id
    assert catalogue.by_mock("F0000") == ()
    assert catalogue.by_mock("F2046") == ()


def test_a_mock_code_leads_first_to_what_the_sandbox_answers() -> None:
    for mock_id, refusal in REFUSALS.items():
        assert catalogue.find(refusal.code, refusal.error_type) in catalogue.by_mock(mock_id)
    for mock_id in ("F1000", "F3005", "F3010"):
        first = catalogue.by_mock(mock_id)[0]
        assert first.name == REFUSALS[mock_id].error_type


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (None, "InsufficientFunds"),
        ("F300", None),
        ("F200", "InsufficientFunds"),
        ("F300", "insufficientfunds"),
        ("F900", "GeneralError"),
    ],
)
def test_a_name_is_found_only_in_its_class(code: str | None, name: str | None) -> None:
    assert catalogue.find(code, name) is None


def test_the_operations_that_answer_with_an_error_are_those_of_its_tables() -> None:
    for row in catalogue.ROWS:
        key = (row.code, row.name)
        tables = {known.table for known in ROWS if (known.code, known.name) == key}
        if key in _ALSO_SEEN_ON_GIFT_CARDS:
            assert "gift-card" not in tables, "no exception is needed any more"
            tables.add("gift-card")
        # What stands in neither table is about cards, as far as is known.
        documented = frozenset(tables & set(_DOCUMENTED)) or frozenset({"gift-card"})
        assert row.family is _FAMILIES[documented], row


def test_the_regional_team_is_named_where_the_outage_page_names_it() -> None:
    for row in ROWS:
        if row.table == "outage-page":
            found = catalogue.find(row.code, row.name)
            assert found is not None
            assert found.team is Team.OPERATIONS
            assert Team.OPERATIONS.advice in found.remedy


@pytest.mark.parametrize("leg", ["create", "undo", "cancel"])
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_every_documented_error_proves_what_the_table_says(row: Row, leg: str) -> None:
    outcome = LEGS[leg]()(reply(error(row.code, row.name), status=400))

    assert type(outcome).__name__ == row.proves[leg]
    assert outcome.reason.code == row.code
    assert outcome.reason.error_type == row.name
    found = catalogue.find(row.code, row.name)
    assert found is not None
    assert found.meaning in outcome.reason.message
    assert found.remedy in outcome.reason.message


def _legs_of(row: catalogue.ErrorRow) -> Iterator[Legs]:
    """Return the legs of the operations that answer with this row: forward and undo."""
    if row.name == "ActivationRequestIdAlreadyBeenUsed":
        yield ACTIVATE_GIFT_CARD.bind(
            activate_gift_card_request(
                request_id=REQUEST_ID,
                card_number="3400000000004400616",
                amount=Money("12.50", "USD"),
                partner_id=PARTNER,
                mock_ids_allowed=False,
            )
        ).legs(None)
    elif row.family is not Family.BALANCE:
        yield CREATE_GIFT_CARD.bind(create_request()).legs(None)
    if row.family is not Family.GIFT_CARD:
        yield LOAD_AMAZON_BALANCE.bind(
            load_amazon_balance_request(
                request_id=REQUEST_ID,
                account=Account(id="4242", type=1),
                amount=Money("12.50", "USD"),
                partner_id=PARTNER,
                mock_ids_allowed=False,
            )
        ).legs(None)


@pytest.mark.parametrize("row", catalogue.ROWS, ids=lambda row: f"{row.code}-{row.name}")
def test_the_catalogue_says_what_recovery_decides(row: catalogue.ErrorRow) -> None:
    for name in (row.name, *row.aliases):
        answer = reply(error(row.code, name), status=400)
        for legs in _legs_of(row):
            assert legs.undo is not None
            assert type(legs.forward.outcome(answer)) is row.forward
            assert type(legs.undo.outcome(answer)) is row.undo
        if row.family is not Family.BALANCE and row.forward is UndoFirst:
            # A cancel that somebody asked for has no undo of its own.
            assert type(LEGS["cancel"]()(answer)) is Unclear


@pytest.mark.parametrize("code", catalogue.CLASSES)
def test_a_class_says_what_recovery_decides_about_a_name_that_nobody_knows(code: str) -> None:
    advice = catalogue.CLASSES[code]
    answer = reply(error(code, "SomethingNew"), status=400)

    outcome = LEGS["create"]()(answer)
    assert type(outcome) is advice.forward
    assert type(LEGS["undo"]()(answer)) is advice.undo
    assert outcome.reason.message == f"{advice.meaning} {advice.remedy}"


def test_every_class_of_the_tables_has_a_meaning() -> None:
    assert set(catalogue.CLASSES) == {row.code for row in ROWS}


def test_what_follows_is_said_of_every_outcome() -> None:
    assert set(consequences.FORWARD) == set(get_args(ForwardOutcome))
    assert set(consequences.UNDO) == set(get_args(UndoOutcome))
    for kind, follows in consequences.FORWARD.items():
        harmless = kind in {Refused, Outdated, Conflict, Untouched, Throttled, AppliedDead}
        assert follows.may_be_issued is not harmless
        assert not harmless or follows.issued.startswith(("No", "Not "))
