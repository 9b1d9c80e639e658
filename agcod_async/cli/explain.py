"""`agcod explain`: what an error of Amazon's means, what to do about it, and whom to ask.

Nothing that was given is printed again, not even where it is not understood: a pasted reply may
hold a claim code. What is printed comes from the catalogue.
"""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator

from agcod_async.cli.exits import ExitCode
from agcod_async.cli.printing import Shown, print_json
from agcod_async.core.outcomes import Reason
from agcod_async.errors import UsageError
from agcod_async.providers.agcod.contacts import INTEGRATION_SUPPORT, Team
from agcod_async.providers.agcod.explanation import LENGTH_MAX, Explanation, explain, near
from agcod_async.providers.agcod.marketplaces import Marketplace, marketplace
from agcod_async.providers.agcod.pasted import looks_like_a_reply
from agcod_async.providers.agcod.sourced import Sourced

MOVES_VALUE = False


def add_arguments(parser: ArgumentParser) -> None:
    """Add what the command takes."""
    # Any number of words: what an unquoted reply falls apart into must not end up in a usage error.
    parser.add_argument(
        "error",
        nargs="+",
        metavar="ERROR",
        help="a code (F300, F3003), a name, a message, a whole reply, or - for standard input",
    )
    parser.add_argument("--country", help="the account's, such as UK: names the team to ask")
    parser.add_argument("--json", action="store_true", help="print one JSON object for each error")


def run(arguments: Namespace) -> ExitCode:
    """Explain the error. Raises `UsageError` if it is none that is known."""
    place = None if arguments.country is None else marketplace(arguments.country)
    text = " ".join(arguments.error)
    if text == "-":
        text = _standard_input()
    elif "gcClaimCode" in text:
        print("agcod explain: there is a claim code in what you typed;", file=sys.stderr)
        print(
            "agcod explain: your shell may have kept it. Better: agcod explain -", file=sys.stderr
        )
    found = explain(text)
    if not found:
        raise UsageError(Reason(_unknown(text)))
    for number, explanation in enumerate(found):
        if arguments.json:
            print_json(_fields(explanation, place))
        else:
            print("\n" * (number > 0) + "\n".join(_lines(explanation, place)))
    return ExitCode.DONE


def _standard_input() -> str:
    return sys.stdin.buffer.read(4 * LENGTH_MAX).decode("utf-8-sig", "replace")


def _unknown(text: str) -> str:
    if len(text) > LENGTH_MAX:
        return f"this is too long: more than {LENGTH_MAX:,} characters; give only the reply"
    if looks_like_a_reply(text):
        return (
            "there is no reply in this that says anything; if it answered an order, that order may"
            " have been issued: settle it under the same request ID"
        )
    names = near(text)
    return (
        f"no such error is known; near: {', '.join(names)}" if names else "no such error is known"
    )


# --- as text -------------------------------------------------------------------------------------


def _lines(explanation: Explanation, place: Marketplace | None) -> Iterator[str]:
    yield " ".join(part for part in (explanation.code, explanation.name) if part)
    for name, text in (
        ("mock code", ", ".join(explanation.mock_ids)),
        ("also called", ", ".join(explanation.aliases)),
        ("includes", ", ".join(explanation.includes)),
        ("answered to", "" if explanation.family is None else explanation.family.value),
        ("cause", explanation.cause),
        ("what to do", explanation.action),
        ("issued?", explanation.consequence.issued),
        ("same ID again?", explanation.consequence.same_id),
        ("if it was an undo", explanation.undo_consequence),
        ("whom to ask", _whom(explanation.team, place)),
    ):
        if text:
            yield f"  {name:<18} {text}"


def _whom(team: Team | None, place: Marketplace | None) -> str:
    if team is None:
        return "nobody at Amazon, as a rule"
    if team.address is not None:
        return f"Amazon's {team.value}, {team.address}"
    if team is not Team.OPERATIONS:
        return f"your {team.value} at Amazon; about the sandbox, {INTEGRATION_SUPPORT}"
    if place is None:
        return "your regional operations team at Amazon; --country names it"
    contact = place.contact
    if contact is None:
        return f"Amazon names no team for {place.country}; ask your account manager"
    also = "".join(f"; {_cited(other)}" for other in contact.elsewhere)
    return f"Amazon's team for {place.country}, {_cited(contact.address)}{also}"


def _cited(address: Sourced[str]) -> str:
    return f"{address.value} ({address.source})"


# --- as JSON -------------------------------------------------------------------------------------


def _fields(explanation: Explanation, place: Marketplace | None) -> Shown:
    consequence = explanation.consequence
    return {
        "code": explanation.code,
        "name": explanation.name,
        "aliases": explanation.aliases,
        "mock_ids": explanation.mock_ids,
        "includes": explanation.includes,
        "answered_to": None if explanation.family is None else explanation.family.value,
        "cause": explanation.cause,
        "what_to_do": explanation.action,
        "forward": explanation.forward.__name__,
        "may_be_issued": consequence.may_be_issued,
        "issued": consequence.issued,
        "same_id": consequence.same_id,
        "undo": explanation.undo.__name__,
        "if_undo": explanation.undo_consequence,
        "ask": None if explanation.team is None else explanation.team.value,
        "address": _address(explanation.team, place),
    }


def _address(team: Team | None, place: Marketplace | None) -> str | None:
    if team is not Team.OPERATIONS:
        return None if team is None else team.address
    contact = None if place is None else place.contact
    return None if contact is None else contact.address.value
