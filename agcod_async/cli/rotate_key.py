"""`agcod rotate-key check`: which of two access keys work, and what to do next.

The steps are those of Amazon's FAQ, "How do I change my access keys?": 2, create a second key; 3,
switch all applications to it and verify; 4, set the previous one inactive; 5, verify again; 6,
delete it.
"""

import asyncio
from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from typing import Literal, assert_never

from agcod_async.agcod import AgcodSession
from agcod_async.cli.exits import ExitCode
from agcod_async.cli.one_call import add_common_arguments
from agcod_async.cli.printing import Shown, error_fields, plain, print_json
from agcod_async.clock import Clock
from agcod_async.core.outcomes import Reason
from agcod_async.credentials import AGE_WARNING_DAYS, age_days
from agcod_async.errors import AgcodError, DeclinedError, UsageError
from agcod_async.settings import Settings, key_from_env
from agcod_async.values import Credentials

MOVES_VALUE = False

State = Literal["works", "refused", "unknown"]


@dataclass(frozen=True, slots=True)
class Check:
    """What Amazon says of one key: nothing against it, or this error."""

    key: Credentials
    error: AgcodError | None

    @property
    def state(self) -> State:
        """Whether the key works, as far as it is known."""
        if self.error is None:
            return "works"
        return "refused" if isinstance(self.error, DeclinedError) else "unknown"


def add_arguments(parser: ArgumentParser) -> None:
    """Add what the command takes."""
    add_common_arguments(parser)


def run(arguments: Namespace) -> ExitCode:
    """Ask for the funds with either key. It takes a second: Amazon allows one such call in that."""
    current, new = key_from_env(), key_from_env(prefix="AGCOD_NEW_")
    if current.access_key_id == new.access_key_id:
        raise UsageError(Reason("AGCOD_NEW_ACCESS_KEY_ID: is the key in use, not a second one"))
    settings = Settings.from_env(credentials=current)
    before, now = asyncio.run(_checked(settings, (current, new), arguments.deadline))
    steps = _next_steps(before, now)
    if arguments.json:
        print_json({"current": _fields(before), "new": _fields(now), "next": steps})
    else:
        for name, check in (("current key", before), ("new key", now)):
            print(plain(f"{name:<12} {check.key.ending}  {_said(check)}"))
        for number, step in enumerate(steps):
            print(plain(f"{'' if number else 'next':<12} {step}"))
    return _exit_code(before, now)


async def _checked(
    settings: Settings, keys: tuple[Credentials, ...], deadline_seconds: float | None
) -> list[Check]:
    async with AgcodSession(settings) as session:
        return [await _check(session, key, deadline_seconds) for key in keys]


async def _check(session: AgcodSession, key: Credentials, deadline_seconds: float | None) -> Check:
    try:
        await session.verify_key(key, deadline_seconds=deadline_seconds)
    except UsageError:
        raise
    except AgcodError as error:
        return Check(key, error)
    return Check(key, None)


def _exit_code(current: Check, new: Check) -> ExitCode:
    if new.state == "refused":
        return ExitCode.DECLINED
    if "unknown" in (current.state, new.state):
        return ExitCode.UNAVAILABLE
    return ExitCode.DONE


def _next_steps(current: Check, new: Check) -> list[str]:
    """Return what Amazon's procedure says to do now."""
    old_key, new_key = current.key.ending, new.key.ending
    match (current.state, new.state):
        case ("works", "works"):
            return [
                f"3. Switch all applications to {new_key}, and see that they work.",
                f"4. Set {old_key} inactive in the Incentives portal; then run this again.",
            ]
        case ("refused", "works"):
            return [
                f"5. {old_key} is out of use: see that every application still works.",
                f"6. Delete {old_key} in the Incentives portal; that cannot be undone.",
                f"If you have not set it inactive: whatever still signs with {old_key} is refused.",
            ]
        case ("works", "refused"):
            return [
                (
                    f"2. {new_key} is not accepted: see that it is active and for this endpoint, or"
                    " create another one."
                ),
                f"Change nothing before that: {old_key} works.",
            ]
        case ("refused", "refused"):
            return [
                (
                    "Neither key is accepted: check AGCOD_ENDPOINT and both keys in the Incentives"
                    " portal (API security credentials; it takes IT Manager access)."
                ),
                "Orders wait meanwhile where a provider of credentials can supply another key.",
            ]
        case _:
            return ["Run this again: not everything could be asked. Change nothing before that."]


def _said(check: Check) -> str:
    match check.state:
        case "works":
            return f"works{_age(check.key)}"
        case "refused":
            return f"is refused{_age(check.key)}: {_reason(check)}"
        case "unknown":
            return f"could not be checked{_age(check.key)}: {_reason(check)}"
        case _:
            assert_never(check.state)


def _reason(check: Check) -> str:
    return "" if check.error is None else str(check.error.reason)


def _age(key: Credentials) -> str:
    days = age_days(key, Clock().wall())
    if days is None:
        return ""
    soon, due = AGE_WARNING_DAYS
    advice = "; replace it now" if days >= due else "; replace it soon" if days >= soon else ""
    return f" ({int(days)} days old{advice})"


def _fields(check: Check) -> Shown:
    days = age_days(check.key, Clock().wall())
    fields: Shown = {
        "key": check.key.ending,
        "state": check.state,
        "age_days": None if days is None else int(days),
    }
    return fields if check.error is None else fields | error_fields(check.error)
