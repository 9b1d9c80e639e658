#!/usr/bin/env python3
"""Write docs/reference/errors.md from the error catalogue: no row on that page is typed by hand.

With `--check` it writes nothing and fails if the page is not what the code says.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from agcod_async.core.outcomes import Outcome
from agcod_async.providers.agcod import catalogue, consequences, framework
from agcod_async.providers.agcod.advice import Advice
from agcod_async.providers.agcod.contacts import (
    INTEGRATION_SUPPORT,
    URGENT,
    URGENT_MINUTES,
    Team,
)
from docs import page_writer
from docs.page_writer import table

PAGE: Final = Path(__file__).parent / "reference" / "errors.md"


def page() -> str:
    """Return the whole page."""
    return page_writer.joined(_blocks())


def _blocks() -> Iterator[str]:
    yield "<!-- Written by docs/generate_errors.py. Do not edit: `make docs` writes it. -->"
    yield _INTRODUCTION
    yield "## Classes"
    yield table(
        ("Class", "Meaning", "Proves", "As the answer to an undo", "Ask"),
        (
            (f"`{code}`", advice.meaning, *_outcomes(advice), _team(advice))
            for code, advice in catalogue.CLASSES.items()
        ),
    )
    yield "A name that is in no table means what its class means."
    for code in catalogue.CLASSES:
        yield f"## {code}"
        yield table(_HEADS, _rows(code))
    yield _FRONT_DOOR
    yield table(
        ("What it is", "Names", "Words in its message", "Proves", "Cause", "What to do"),
        (_refusal(row) for row in (framework.THROTTLED, *framework.REFUSED)),
    )
    yield _THIS_SIDE
    yield table(
        ("What it is", "Names", "Words in its message", "Proves", "Cause", "What to do"),
        (_refusal(framework.UNTRUSTED),),
    )
    yield _OUTCOMES
    yield table(
        ("The request was", "Has this request issued anything?", "May the same ID be sent again?"),
        (
            (_outcome(kind), follows.issued, follows.same_id)
            for kind, follows in consequences.FORWARD.items()
        ),
    )
    yield table(
        ("The undo was", "What follows"),
        ((_outcome(kind), follows) for kind, follows in consequences.UNDO.items()),
    )
    yield _ASK
    yield table(("Who", "Where"), ((team.value, _where(team)) for team in Team))
    yield _URGENT


_HEADS: Final = (
    "Mock code",
    "Name",
    "Answered to",
    "Proves",
    "To an undo",
    "Cause",
    "What to do",
    "Ask",
)

_INTRODUCTION = """\
# Errors

This page is written by [a script](../generate_errors.py) from the catalogue that the client itself
reads; the meanings and the advice are ours. [How to read an error](../how-to/read-an-error.md) says
what to look at first, and `agcod explain` looks an error up from the command line.

An error has a class (`errorCode`, such as F300) and a name (`errorType`). Both count: names repeat
from class to class, and the wire uses other names than Amazon's tables in places; those stand below
the documented one. A mock code is a request ID that makes the sandbox answer with the error; where
several names share F1000, F3005 or F3010, the first is what the sandbox is known to answer.

*Proves* is what the error says about the request that it answers, in the words of the
[state machine](state-machine.md); what follows from each word is [below](#what-follows). A cancel
that somebody asks for has no undo: for it, an F400 is `Unclear`.
"""

_FRONT_DOOR = """\
## Without a code

Amazon's front door answers before AGCOD has seen the request, in JSON or XML, with a name or only
with a message. Whatever else comes without a code is `Unclear`. The message of a signature error
holds what the signature was computed from, so it is never logged.

*Unknown access key* and *signature does not match*, like F300 `InvalidAccessKey`, are about the key
alone. Where the session can be given [another one](../how-to/rotate-keys.md), they are not the end
of a call: it is signed anew, or waits.
"""

_THIS_SIDE = """\
What never left belongs beside them, since it is as often taken for Amazon's fault:
"""

_OUTCOMES = """\
## What follows

"This request" is the one that was answered. Where others were sent before it under the same ID, one
of them may have worked although this one did not: the session remembers that, and says "in doubt".
"""

_ASK = """\
## Whom to ask

Have the partner ID, a request ID, the time and zone of the first failure, the marketplace and the
error ready, and say what you changed lately. Never send a claim code or a secret key.
"""

_URGENT = f"""\
Only while *no* call succeeds at all: {URGENT[0]}, at any hour. If nobody has answered after
{URGENT_MINUTES} minutes, {URGENT[1]}; after {URGENT_MINUTES} more, {URGENT[2]}.
"""


def _rows(code: str) -> Iterator[tuple[str, ...]]:
    rows = [row for row in catalogue.ROWS if row.code == code]
    # What has no mock code stands last; the order of names that share one is kept.
    for row in sorted(rows, key=lambda row: (not row.mock_ids, row.mock_ids[:1])):
        names = [f"`{row.name}`", *(f"on the wire `{alias}`" for alias in row.aliases)]
        yield (
            "<br>".join(f"`{mock_id}`" for mock_id in row.mock_ids),
            "<br>".join(names),
            row.family.value,
            *_outcomes(row),
            row.meaning,
            row.action,
            _team(row),
        )


def _refusal(row: framework.FrameworkError) -> tuple[str, ...]:
    return (
        row.title,
        "<br>".join(f"`{name}`" for name in sorted(row.names)),
        "<br>".join(f"“{phrase}”" for phrase in row.phrases),
        _outcome(row.forward),
        row.meaning,
        row.action,
    )


def _outcomes(advice: Advice) -> tuple[str, str]:
    return _outcome(advice.forward), _outcome(advice.undo)


def _outcome(kind: type[Outcome]) -> str:
    return f"`{kind.__name__}`"


def _team(advice: Advice) -> str:
    return "" if advice.team is None else advice.team.value


def _where(team: Team) -> str:
    if team is Team.OPERATIONS:
        return "by country: [marketplaces](marketplaces.md#operations-teams); within a business day"
    return team.address or f"your contract names them; about the sandbox, {INTEGRATION_SUPPORT}"


if __name__ == "__main__":
    sys.exit(page_writer.main(PAGE, page, __doc__))
