from typing import get_args

import pytest

from agcod_async.core.outcomes import (
    Applied,
    AppliedDead,
    Conflict,
    ForwardOutcome,
    Found,
    LookupOutcome,
    Lost,
    Outcome,
    Reason,
    Refused,
    Reply,
    Throttled,
    Unclear,
    UndoFirst,
    Undone,
    UndoOutcome,
    Untouched,
    as_read,
    reason_of,
)

WHY = Reason("because")


def test_a_reply_shows_its_size_and_never_its_body() -> None:
    reply = Reply(200, "application/json", b'{"gcClaimCode": "ABCD-EFGHIJ-KLMN"}')
    assert repr(reply) == "Reply(status=200, 35 bytes)"
    assert f"{reply}" == repr(reply)


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        (Reason("too much"), "too much"),
        (Reason("too much", code="F200"), "F200: too much"),
        (Reason("too much", error_type="MaxAmount"), "MaxAmount: too much"),
        (Reason("too much", "F200", "MaxAmount"), "F200 MaxAmount: too much"),
    ],
)
def test_a_reason_names_what_amazon_called_it(reason: Reason, shown: str) -> None:
    assert str(reason) == shown


ALL = {*get_args(ForwardOutcome), *get_args(UndoOutcome), *get_args(LookupOutcome)}


def test_every_outcome_says_why_except_those_that_went_well() -> None:
    for kind in ALL - {Applied, Undone, Found}:
        assert reason_of(kind(WHY)) is WHY
    for well in (Applied("a card"), Undone(), Found("a card")):
        assert reason_of(well) is None


def test_every_outcome_is_an_outcome() -> None:
    assert set(get_args(Outcome)) == ALL


@pytest.mark.parametrize("unknown", [UndoFirst(WHY), Unclear(WHY), Lost(WHY), AppliedDead(WHY)])
def test_a_read_is_never_in_doubt(unknown: ForwardOutcome) -> None:
    assert as_read(unknown) == Untouched(WHY)


@pytest.mark.parametrize(
    "known",
    [Applied("funds"), Refused(WHY), Conflict(WHY), Untouched(WHY), Throttled(WHY)],
)
def test_what_is_known_of_a_read_stays_as_it_is(known: ForwardOutcome) -> None:
    assert as_read(known) is known
