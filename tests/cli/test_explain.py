import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from agcod_async.providers.agcod import catalogue, consequences, framework
from agcod_async.providers.agcod.advice import Family
from agcod_async.providers.agcod.contacts import INTEGRATION_SUPPORT
from agcod_async.providers.agcod.explanation import LENGTH_MAX, explain
from tests.cli.stage import Agcod, Run
from tests.providers.replies import (
    CODE,
    LEGS,
    cancelled,
    card,
    card_info,
    error,
    funds,
    reply,
)

HOW_TO = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "read-an-error.md"
THROTTLE = "<ThrottlingException>\n    <Message>Rate exceeded</Message>\n</ThrottlingException>"

# Names under F200 that do not say that nothing has happened.
_UNSETTLED = {
    "GcNotReadyForRefund",
    "LoadBalanceRequestIdAlreadyUsed",
    "BalanceLoadCannotBeVoided",
}
_ACTIVATION_ONLY = {"ActivationRequestIdAlreadyBeenUsed"}

Piped = Callable[..., Run]


@pytest.fixture
def piped(agcod: Agcod, monkeypatch: pytest.MonkeyPatch) -> Piped:
    """Run the command with this on its standard input."""

    def run(text: str | bytes, *arguments: object) -> Run:
        given = text if isinstance(text, bytes) else text.encode()
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(given)))
        return agcod("explain", "-", *arguments)

    return run


def _xml(root: str, **members: str) -> str:
    status = members.pop("status", "FAILURE")
    inside = "".join(f"\n\t<{name}>{text}</{name}>" for name, text in members.items())
    response = f"\n\t<agcodResponse>\n\t\t<status>{status}</status>\n\t</agcodResponse>"
    return f"<{root}>{response}{inside}\n</{root}>"


def _names(ran: Run) -> list[tuple[str | None, str]]:
    assert ran.code == 0, ran.err
    return [(shown["code"], shown["name"]) for shown in ran.objects]


# --- what may be asked ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "asked",
    [
        ("F3003",),
        ("f3003",),
        ("InsufficientFunds",),
        ("insufficientfunds",),
        ("Insufficient Funds",),
        ("insufficient", "funds"),
        ("F300", "InsufficientFunds"),
        ("F300 - “Insufficient Funds”",),
        ("F3003 InsufficientFunds",),
        ("agcod: Declined: CreateGiftCard Parta1: F300 InsufficientFunds: The account's funds",),
        (json.dumps(error("F300", "InsufficientFunds")),),
        ("12:01 ERROR got", json.dumps(error("F300", "InsufficientFunds")), "in 80 ms"),
        (_xml("AGCODException", errorType="InsufficientFunds", errorCode="F300", Message="x"),),
    ],
    ids=range(13),
)
def test_an_error_is_found_by_whatever_names_it(asked: tuple[str, ...], agcod: Agcod) -> None:
    assert _names(agcod("explain", *asked, "--json")) == [("F300", "InsufficientFunds")]


@pytest.mark.parametrize("row", catalogue.ROWS, ids=lambda row: f"{row.code}-{row.name}")
def test_every_row_is_found_by_its_names_its_class_and_its_mock_codes(
    row: catalogue.ErrorRow,
) -> None:
    for name in (row.name, *row.aliases):
        assert (row.code, row.name) in {(one.code, one.name) for one in explain(name)}
        assert [(one.code, one.name) for one in explain(f"{row.code} {name}")] == [
            (row.code, row.name)
        ]
    for mock_id in row.mock_ids:
        assert row.name in {one.name for one in explain(mock_id)}


@pytest.mark.parametrize(
    "row",
    [framework.THROTTLED, *framework.REFUSED, framework.UNTRUSTED],
    ids=lambda row: row.title,
)
def test_every_refusal_without_a_code_is_found_by_its_names_and_its_words(
    row: framework.FrameworkError,
) -> None:
    for said in (*row.names, *row.phrases, row.title):
        assert row.title in {one.name for one in explain(said)}, said
        assert row.title in {one.name for one in explain(f"It says: {said.upper()} …")}, said


def test_a_name_that_means_several_things_shows_them_all(agcod: Agcod) -> None:
    ran = agcod("explain", "GeneralError")

    assert re.findall(r"^(F\d00) GeneralError$", ran.out, re.MULTILINE) == ["F100", "F300", "F500"]
    assert "\n\nF300 GeneralError" in ran.out


def test_a_class_narrows_a_name(agcod: Agcod) -> None:
    assert _names(agcod("explain", "F500 GeneralError", "--json")) == [("F500", "GeneralError")]


def test_a_class_is_explained_as_a_whole(agcod: Agcod) -> None:
    (shown,) = agcod("explain", "F300", "--json").objects

    assert (shown["code"], shown["name"]) == ("F300", "the whole class")
    assert set(shown["includes"]) == {row.name for row in catalogue.ROWS if row.code == "F300"}


def test_a_name_that_its_class_does_not_have_is_explained_by_the_class(agcod: Agcod) -> None:
    assert _names(agcod("explain", "F200 InsufficientFunds", "--json")) == [
        ("F200", "the whole class")
    ]


def test_a_longer_name_hides_the_shorter_one_in_it(agcod: Agcod) -> None:
    assert _names(agcod("explain", "it was InvalidRequestInput", "--json")) == [
        ("F200", "InvalidRequestInput")
    ]


# --- what is said --------------------------------------------------------------------------------


def test_an_error_is_explained_in_full(agcod: Agcod) -> None:
    ran = agcod("explain", "F2008")

    assert ran.code == 0
    assert ran.err == ""
    lines = dict(re.findall(r"^  (\S.{16}) +(\S.*)$", ran.out, re.MULTILINE))
    said = {name.strip(): text for name, text in lines.items()}
    row = catalogue.find("F200", "PreDenominationMismatch")
    assert row is not None
    follows = consequences.FORWARD[row.forward]
    assert said == {
        "mock code": "F2008",
        "also called": "RequestedDenominationMismatch",
        "answered to": "gift cards",
        "cause": row.meaning,
        "what to do": row.action,
        "issued?": follows.issued,
        "same ID again?": follows.same_id,
        "if it was an undo": consequences.UNDO[row.undo],
        "whom to ask": "nobody at Amazon, as a rule",
    }


@pytest.mark.parametrize("row", catalogue.ROWS, ids=lambda row: f"{row.code}-{row.name}")
def test_only_a_class_that_says_no_effect_is_said_to_have_issued_nothing(
    row: catalogue.ErrorRow,
) -> None:
    (one,) = explain(f"{row.code} {row.name}")

    harmless = row.code in {"F200", "F300"} and row.name not in _UNSETTLED
    assert one.consequence.may_be_issued is not harmless
    if not harmless:
        assert "Yes, " in one.consequence.same_id


@pytest.mark.parametrize(
    ("country", "address"),
    [
        ("UK", "corporate-gifts@giftcards.amazon.com"),
        ("gb", "corporate-gifts@giftcards.amazon.com"),
        ("MX", "corp-gc-salesops@giftcards.amazon.com"),
        ("KSA", "incentives-contact-ksa@giftcards.amazon.com"),
        ("EG", "mena-gc-ops@amazon.com"),
        ("PL", None),
    ],
)
def test_a_country_names_its_team(country: str, address: str | None, agcod: Agcod) -> None:
    (shown,) = agcod("explain", "F3009", "--country", country, "--json").objects
    told = agcod("explain", "F3009", "--country", country).out

    assert shown["ask"] == "regional operations team"
    assert shown["address"] == address
    assert (address or "Amazon names no team for PL") in told


def test_a_team_that_two_pages_name_differently_is_named_both_ways(agcod: Agcod) -> None:
    told = agcod("explain", "F3009", "--country", "TR").out

    assert "amazon-bm-gc-inbox-eu@giftcards.amazon.com (Amazon's outage page)" in told
    assert "amazon-bm-gc-inbox-eu@amazon.com (Amazon's FAQ)" in told


def test_without_a_country_the_way_to_the_team_is_named(agcod: Agcod) -> None:
    assert "--country names it" in agcod("explain", "F3009").out
    assert agcod("explain", "F3009", "--json").objects[0]["address"] is None


@pytest.mark.parametrize(
    ("error_name", "ask", "said"),
    [
        ("F2000", "integration support", f"integration support, {INTEGRATION_SUPPORT}"),
        ("IssuanceCapExceeded", "account manager", "account manager at Amazon"),
        ("CustomerAccountBlocked", None, "nobody at Amazon"),
    ],
)
def test_other_teams_do_not_depend_on_the_country(
    error_name: str, ask: str | None, said: str, agcod: Agcod
) -> None:
    assert said in agcod("explain", error_name, "--country", "DE").out
    (shown,) = agcod("explain", error_name, "--json").objects
    assert shown["ask"] == ask
    assert shown["address"] == (INTEGRATION_SUPPORT if ask == "integration support" else None)


def test_an_unknown_country_is_a_usage_error(agcod: Agcod) -> None:
    ran = agcod("explain", "F3009", "--country", "Atlantis")

    assert (ran.code, ran.out) == (2, "")
    assert "US, CA, MX" in ran.err


# --- pasted replies ------------------------------------------------------------------------------


@pytest.mark.parametrize("row", catalogue.ROWS, ids=lambda row: f"{row.code}-{row.name}")
def test_a_pasted_reply_is_explained_as_recovery_takes_it(row: catalogue.ErrorRow) -> None:
    for name in (row.name, *row.aliases):
        body = error(row.code, name)
        status = "RESEND" if row.code == "F400" else "FAILURE"
        as_xml = _xml("AGCODException", status=status, errorType=name, errorCode=row.code)
        for text in (json.dumps(body), as_xml):
            (one,) = explain(text)

            assert (one.code, one.name) == (row.code, row.name)
            assert (one.forward, one.undo) == (row.forward, row.undo)
            if row.family is not Family.BALANCE and row.name not in _ACTIVATION_ONLY:
                assert one.forward is type(LEGS["create"]()(reply(text, 400)))
                assert one.undo is type(LEGS["undo"]()(reply(text, 400)))


@pytest.mark.parametrize(
    ("message", "undo"),
    [
        ("The time limit is over", "TooLate"),
        ("It has been used", "Claimed"),
        ("Some words", "Refused"),
    ],
)
def test_a_pasted_reply_tells_more_than_its_name(message: str, undo: str, agcod: Agcod) -> None:
    body = error("F200", "BalanceLoadCannotBeVoided", message=message)

    (shown,) = agcod("explain", json.dumps(body), "--json").objects

    assert shown["undo"] == undo
    assert message not in shown["if_undo"]


@pytest.mark.parametrize(
    ("text", "name", "forward"),
    [
        (THROTTLE, "throttled", "Throttled"),
        ('{"message": "Rate exceeded"}', "throttled", "Throttled"),
        ('{"Message": "Missing Authentication Token"}', "no signature seen", "Refused"),
        (json.dumps(error("F300", "SomethingNew")), "a name that is in no table", "Refused"),
        (json.dumps(error("F200", "x", status="RESEND")), "a name that is in no table", "Unclear"),
        (json.dumps(error(None, None, status="RESEND")), "a name that is in no table", "UndoFirst"),
        ('{"errorCode": "F900"}', "a name that is in no table", "Unclear"),
        ('{"errorCode": "F500"}', "a name that is in no table", "Unclear"),
        (json.dumps(card()), "SUCCESS", "Applied"),
        (
            json.dumps(card(cardInfo=card_info("RefundedToPurchaser"))),
            "SUCCESS",
            "AppliedDead",
        ),
        (json.dumps(card(cardInfo=card_info("Expired"))), "SUCCESS", "Unclear"),
        (json.dumps(card(gcClaimCode=None)), "SUCCESS", "Unclear"),
        (json.dumps(cancelled()), "SUCCESS", "Unclear"),
        (json.dumps(funds()), "SUCCESS", "Unclear"),
        ("F0000", "SUCCESS", "Applied"),
        (
            "<CancelGiftCardResponse><status>SUCCESS</status></CancelGiftCardResponse>",
            "SUCCESS",
            "Unclear",
        ),
        ('{"status": "SUCCESS", "activationRequestId": "Parta1"}', "SUCCESS", "Unclear"),
        ('{"status": "SUCCESS", "cardActivityList": []}', "SUCCESS", "Unclear"),
    ],
    ids=range(18),
)
def test_a_reply_that_is_no_row_of_a_table_is_explained_too(
    text: str, name: str, forward: str, agcod: Agcod
) -> None:
    (shown,) = agcod("explain", text, "--json").objects

    assert (shown["name"], shown["forward"]) == (name, forward)
    assert shown["code"] in {None, "F200", "F300", "F500"}


def test_a_reply_may_come_through_standard_input(piped: Piped) -> None:
    whole = json.dumps(error("F300", "ActiveContractNotFound"), indent=2)

    assert _names(piped(f"\ufeff{whole}\r\n", "--json")) == [("F300", "ActiveContractNotFound")]
    assert _names(piped(THROTTLE, "--json")) == [(None, "throttled")]
    assert _names(piped("F3003\n", "--json")) == [("F300", "InsufficientFunds")]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(card()),
        json.dumps(card(cardInfo=card_info("RefundedToPurchaser"))),
        json.dumps(card(status=CODE)),
        json.dumps(card(errorType=CODE)),
        json.dumps(card(errorType="QXCANARYZKD", errorCode="F300", status="FAILURE")),
        json.dumps(error(CODE, CODE, message=CODE)),
        json.dumps(error("F200", "RequestIdTooLong", message=CODE)),
        json.dumps(card())[:-1],
        f"<x>{CODE}</x>",
        CODE,
        f"claim {CODE} F3003",
    ],
    ids=range(11),
)
@pytest.mark.parametrize("options", [(), ("--json",)], ids=["text", "json"])
def test_nothing_that_was_given_is_printed_again(
    text: str, options: tuple[str, ...], agcod: Agcod, piped: Piped
) -> None:
    for ran in (agcod("explain", text, *options), piped(text, *options)):
        assert ran.code in {0, 2}
        for piece in (CODE, "CANARY", "QX7T", "9ZKD", "canary"):
            assert piece not in ran.everything


def test_a_reply_without_quotes_around_it_is_not_printed_again_either(agcod: Agcod) -> None:
    ran = agcod("explain", *json.dumps(card()).split())

    assert CODE not in ran.everything
    assert ran.code == 0


def test_a_claim_code_on_the_command_line_is_warned_of(agcod: Agcod, piped: Piped) -> None:
    assert "agcod explain -" in agcod("explain", json.dumps(card())).err
    assert piped(json.dumps(card())).err == ""


# --- what is not known ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "near"),
    [
        ("Insuficientfunds", "InsufficientFunds"),
        ("F2046", "F204"),
        ("ThrottleException", "ThrottlingException"),
        ("InvalidAmount", "InvalidAmount"),
    ],
)
def test_what_is_not_known_is_a_usage_error_that_names_what_is_near(
    asked: str, near: str, agcod: Agcod
) -> None:
    ran = agcod("explain", asked)

    assert (ran.code, ran.out) == (2, "")
    assert near in ran.err.partition("near: ")[2]
    assert asked not in ran.err.partition("near: ")[0]


@pytest.mark.parametrize("asked", ["", "?", "hello", "F9", "F99999", "x" * 200])
def test_what_resembles_nothing_is_said_to_be_unknown(asked: str, agcod: Agcod) -> None:
    ran = agcod("explain", asked)

    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "agcod explain: no such error is known\n"


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "{",
        "[1, {}]",
        "<html><body>502 Bad Gateway</body></html>",
        "<html>ThrottlingException: Rate exceeded</html>",
        '{"errorCode": "F200", "errorCode": "F300"}',
        '{"status": "SUCCESS", "errorCode": "F300"}',
        "<CreateGiftCardRequest><creationRequestId>F2012</creationRequestId></CreateGiftCardRequest>",
    ],
    ids=range(8),
)
def test_a_reply_that_says_nothing_is_never_said_to_be_harmless(text: str, agcod: Agcod) -> None:
    ran = agcod("explain", text)

    assert (ran.code, ran.out) == (2, "")
    assert "may have been issued" in ran.err
    assert "same request ID" in ran.err


def test_a_text_that_is_too_long_is_not_looked_at(piped: Piped) -> None:
    ran = piped("F3003 " + "x" * LENGTH_MAX)

    assert (ran.code, ran.out) == (2, "")
    assert "too long" in ran.err
    assert piped("F3003 " + "x" * (LENGTH_MAX - 10)).code == 0


def test_bytes_that_are_no_text_do_not_stop_it(piped: Piped) -> None:
    assert piped(b"\xff\xfe\x00").code == 2
    assert piped(b"F3003 \xff\xfe").code == 0


# --- the pages -----------------------------------------------------------------------------------


def test_the_how_to_shows_what_the_command_prints(agcod: Agcod) -> None:
    page = HOW_TO.read_text(encoding="utf-8")
    console = page.partition("```console\n")[2].partition("```")[0]
    printed = agcod("explain", "F3003", "--country", "UK").out.splitlines()

    shown = [line for line in console.splitlines() if not line.startswith("$") and "…" not in line]
    assert len(shown) == 5
    assert [line for line in shown if line not in printed] == []
