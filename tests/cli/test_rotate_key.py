"""`agcod rotate-key check`, from the first step of a rotation to the last; under virtual time."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from agcod_async.agcod import AgcodSession
from agcod_async.cli import rotate_key
from agcod_async.testing import (
    EMULATOR_CREDENTIALS,
    EMULATOR_PARTNER_ID,
    Emulator,
    EmulatorConfig,
    FaultKind,
    FaultRule,
    FaultScript,
)
from agcod_async.testing.clock import run, virtual_clock
from agcod_async.values import Credentials
from tests.cli.stage import Agcod

OLD = EMULATOR_CREDENTIALS
NEW = Credentials(access_key_id="SECONDKEYEXAMPLE", secret_access_key="second-secret-access-key")
CHECK = ("rotate-key", "check")


@pytest.fixture
def local(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Emulator]:
    """Put an emulator in the same process behind the command, and both keys in its environment."""
    for name, value in {
        "AGCOD_ACCESS_KEY_ID": OLD.access_key_id,
        "AGCOD_SECRET_ACCESS_KEY": OLD.secret_access_key.reveal(),
        "AGCOD_PARTNER_ID": EMULATOR_PARTNER_ID,
        "AGCOD_NEW_ACCESS_KEY_ID": NEW.access_key_id,
        "AGCOD_NEW_SECRET_ACCESS_KEY": NEW.secret_access_key.reveal(),
    }.items():
        monkeypatch.setenv(name, value)
    clock = virtual_clock()

    def made(*keys: Credentials, **knobs: Any) -> Emulator:
        emulator = Emulator(EmulatorConfig(credentials=keys, **knobs), clock=clock)
        opened = partial(AgcodSession, transport=emulator.transport(), clock=clock)
        monkeypatch.setattr(rotate_key, "AgcodSession", opened)

        def virtually(main: Coroutine[object, object, object]) -> object:
            return run(main)

        monkeypatch.setattr(asyncio, "run", virtually)
        return emulator

    return made


def test_both_keys_work_before_the_applications_are_switched(
    agcod: Agcod, local: Callable[..., Emulator]
) -> None:
    emulator = local(OLD, NEW)

    ran = agcod(*CHECK)

    assert ran.code == 0
    assert "current key  …SKEY  works\n" in ran.out
    assert "new key      …MPLE  works\n" in ran.out
    assert "3. Switch all applications to …MPLE" in ran.out
    assert "4. Set …SKEY inactive" in ran.out
    assert emulator.arrivals.by_operation == {"GetAvailableFunds": 2}
    assert emulator.arrivals.by_result == {"SUCCESS": 2}  # none was throttled: one in a second


def test_a_new_key_that_is_not_accepted_changes_nothing_and_exits_with_1(
    agcod: Agcod, local: Callable[..., Emulator]
) -> None:
    local(OLD)

    ran = agcod(*CHECK)

    assert ran.code == 1
    assert "new key      …MPLE  is refused: Amazon does not know the access key." in ran.out
    assert "2. …MPLE is not accepted" in ran.out
    assert "Change nothing before that: …SKEY works." in ran.out


def test_once_the_old_key_is_inactive_it_may_be_deleted(
    agcod: Agcod, local: Callable[..., Emulator]
) -> None:
    local(NEW)

    ran = agcod(*CHECK, "--json")

    assert ran.code == 0
    (shown,) = ran.objects
    assert shown["current"]["state"] == "refused"
    assert shown["new"] == {"key": "…MPLE", "state": "works", "age_days": None}
    assert [step[0] for step in shown["next"]] == ["5", "6", "I"]


def test_where_neither_key_works_it_says_where_to_look(
    agcod: Agcod, local: Callable[..., Emulator]
) -> None:
    local()

    ran = agcod(*CHECK)

    assert ran.code == 1
    assert "Neither key is accepted" in ran.out
    assert "IT Manager" in ran.out


def test_what_could_not_be_asked_is_not_called_refused(
    agcod: Agcod, local: Callable[..., Emulator]
) -> None:
    silent = FaultRule(fault=FaultKind.LOSE_REQUEST, times=1000)
    local(OLD, NEW, faults=FaultScript(rules=(silent,)))

    ran = agcod(*CHECK, "--deadline", "20", "--json")

    assert ran.code == 4
    (shown,) = ran.objects
    assert {shown["current"]["state"], shown["new"]["state"]} == {"unknown"}
    assert "Run this again" in shown["next"][0]


def test_without_an_answer_the_text_says_so_too(
    agcod: Agcod, local: Callable[..., Emulator]
) -> None:
    silent = FaultRule(fault=FaultKind.LOSE_REQUEST, times=1000)
    local(OLD, NEW, faults=FaultScript(rules=(silent,)))

    assert "could not be checked: " in agcod(*CHECK, "--deadline", "20").out


@pytest.mark.parametrize(
    ("days", "said"),
    [(10, "(10 days old)"), (70, "replace it soon"), (91, "(91 days old; replace it now)")],
)
def test_ages_are_told_where_they_are_known(
    days: int,
    said: str,
    agcod: Agcod,
    local: Callable[..., Emulator],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    created_at = datetime.now(UTC) - timedelta(days=days, hours=1)
    monkeypatch.setenv("AGCOD_KEY_CREATED_AT", created_at.isoformat())
    local(OLD, NEW)

    ran = agcod(*CHECK)
    as_json = agcod(*CHECK, "--json")

    assert said in ran.out.splitlines()[0]
    assert ran.out.splitlines()[1].endswith("works")
    assert as_json.objects[0]["current"]["age_days"] == days
    assert ran.err == ""


def test_nothing_of_a_key_is_printed_but_its_last_four_characters(
    agcod: Agcod, local: Callable[..., Emulator]
) -> None:
    for keys in ((OLD, NEW), (OLD,), ()):
        local(*keys)
        for options in ((), ("--json",)):
            printed = agcod(*CHECK, *options).everything
            for key in (OLD, NEW):
                assert key.access_key_id[-5:] not in printed
                assert key.secret_access_key.reveal() not in printed


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("AGCOD_NEW_ACCESS_KEY_ID", "", "AGCOD_NEW_ACCESS_KEY_ID: is not set"),
        ("AGCOD_NEW_SECRET_ACCESS_KEY", "", "AGCOD_NEW_SECRET_ACCESS_KEY: is not set"),
        ("AGCOD_NEW_ACCESS_KEY_ID", OLD.access_key_id, "is the key in use"),
        ("AGCOD_NEW_KEY_CREATED_AT", "yesterday", "AGCOD_NEW_KEY_CREATED_AT: 'yesterday'"),
        ("AGCOD_ACCESS_KEY_ID", "", "AGCOD_ACCESS_KEY_ID: is not set"),
    ],
)
def test_a_key_that_is_not_given_is_a_usage_error(
    name: str,
    value: str,
    problem: str,
    agcod: Agcod,
    local: Callable[..., Emulator],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    emulator = local(OLD, NEW)
    monkeypatch.setenv(name, value)

    ran = agcod(*CHECK)

    assert (ran.code, ran.out) == (2, "")
    assert problem in ran.err
    assert emulator.arrivals.total == 0


def test_no_time_at_all_is_a_usage_error(agcod: Agcod, local: Callable[..., Emulator]) -> None:
    local(OLD, NEW)

    assert agcod(*CHECK, "--deadline", "0").code == 2
