"""What one partner may do and another may not: programs, operations, caps."""

from collections.abc import Callable
from typing import Any

import pytest

from agcod_async.testing import EmulatorConfig
from agcod_async.testing.operations import OPERATIONS
from agcod_async.testing.service import Service
from agcod_async.values import InvalidValueError
from tests.testing.requests import FUNDS, Asker, activate, create, report

PROGRAMS = {"Good": True, "Waiting": False}

ISSUE: dict[str, Callable[..., bytes]] = {"CreateGiftCard": create, "ActivateGiftCard": activate}


def error_of(answer: dict[str, Any]) -> tuple[str, str]:
    return answer["errorCode"], answer["errorType"]


@pytest.mark.parametrize("operation", ISSUE)
def test_a_reseller_issues_for_approved_programs_only(operation: str) -> None:
    asker = Asker(programs=PROGRAMS)
    refused = {None: "ProgramIdNotPresent", "Waiting": "ProgramIsNotApproved"}

    for program, error_type in {**refused, "": "ProgramIdNotPresent"}.items():
        body = ISSUE[operation](programId=program)
        assert asker.ask(operation, body)["errorType"] == error_type
    unknown = asker.ask(operation, ISSUE[operation](programId="Unknown"))
    assert error_of(unknown) == ("F300", "InvalidProgramId")
    assert asker.service.ledger.history == ()
    assert asker.ask(operation, ISSUE[operation](programId="Good"))["status"] == "SUCCESS"


@pytest.mark.parametrize("operation", ISSUE)
def test_who_is_no_reseller_may_name_any_program(operation: str) -> None:
    assert Asker().ask(operation, ISSUE[operation](programId="Any"))["status"] == "SUCCESS"


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_every_operation_can_have_a_cap_of_its_own(operation: str) -> None:
    asker = Asker(operation_caps={operation: 0.5})

    def is_throttled() -> bool:
        return b"Rate exceeded" in asker.reply(operation, FUNDS).body

    assert [is_throttled(), is_throttled()] == [False, True]
    asker.pass_time(2)
    assert not is_throttled()
    for other in set(OPERATIONS) - {operation}:
        assert b"Rate exceeded" not in asker.reply(other, FUNDS).body


def test_a_page_of_the_report_may_be_asked_for_once_a_minute_by_default() -> None:
    asker = Asker(operation_caps=EmulatorConfig().operation_caps)
    body = report("2026-01-01T00:00:00", "2026-01-02T00:00:00")

    def is_throttled() -> bool:
        return b"Rate exceeded" in asker.reply("GetGiftCardActivityPage", body).body

    assert not is_throttled()
    asker.pass_time(59.9)
    assert is_throttled()
    asker.pass_time(0.1)
    assert not is_throttled()


def test_a_cap_of_no_operation_is_refused() -> None:
    with pytest.raises(InvalidValueError, match=r"operation_caps: CreateGiftcard is unknown"):
        Service(EmulatorConfig(operation_caps={"CreateGiftcard": 1.0}))
