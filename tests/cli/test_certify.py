"""`agcod certify`: the whole plan against the emulator, and what it must notice."""

import asyncio
import csv
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agcod_async.cli import certify
from agcod_async.cli.certification.calls import CALLS, Means
from agcod_async.cli.certification.cases import SUCCESS, Case, Expected
from agcod_async.cli.certification.document import Certificate, fields, markdown
from agcod_async.cli.certification.results import Result, Seen, Status, judged
from agcod_async.cli.certification.sections import SECTIONS, plan
from agcod_async.cli.exits import ExitCode
from agcod_async.providers.agcod.messages import GiftCard
from agcod_async.providers.agcod.operations import AGCOD
from agcod_async.providers.agcod.recipients import Account, CardNumber
from agcod_async.settings import Settings
from agcod_async.testing import (
    EMULATOR_CREDENTIALS,
    EMULATOR_PARTNER_ID,
    AfterCancel,
    AfterUndo,
    CardStatus,
    Emulator,
    EmulatorConfig,
    FaultKind,
    FaultRule,
    FaultScript,
    Semantics,
    UnknownCancel,
    card_number,
)
from agcod_async.testing.clock import WALL_AT_START, run, virtual_clock
from agcod_async.values import ClaimCode, Money, RequestId
from tests.cli.stage import Agcod, assert_no_code

TABLE = Path(__file__).resolve().parents[1] / "providers" / "data" / "errors.tsv"
SETTINGS = Settings(credentials=EMULATOR_CREDENTIALS, partner_id=EMULATOR_PARTNER_ID)
CARD = card_number(7)
ACCOUNT_ID = "851CANARY6129930055412"
MEANS = Means(
    run="test",
    partner_id=EMULATOR_PARTNER_ID,
    now=datetime.fromtimestamp(WALL_AT_START, UTC),
    currency="USD",
    card_number=CardNumber(CARD),
    account=Account(id=ACCOUNT_ID, type=1),
)
FORMS = pytest.mark.parametrize("form", ["json", "xml"])

Serve = Callable[[EmulatorConfig], Emulator]


def on_virtual_time(config: EmulatorConfig | None = None) -> Emulator:
    return Emulator(config or EmulatorConfig(), clock=virtual_clock())


def certified(
    emulator: Emulator,
    words: Collection[str] = (),
    *,
    means: Means = MEANS,
    settings: Settings = SETTINGS,
    with_probes: bool = False,
) -> Certificate:
    async def main() -> Certificate:
        return await certify.certified(
            settings,
            means,
            plan(words, with_probes=with_probes),
            clock=virtual_clock(),
            transport=emulator.transport(),
        )

    return run(main())


def by_name(certificate: Certificate) -> Mapping[str, Result]:
    return {result.case.name: result for result in certificate.results}


def statuses(certificate: Certificate) -> set[Status]:
    return {result.status for result in certificate.results}


def live(emulator: Emulator) -> list[str]:
    """Return what is still worth something, of any kind."""
    cards = [one.request_id for one in emulator.ledger.cards() if one.status is CardStatus.LIVE]
    return cards + [str(one) for one in emulator.ledger.balances() if one.debited]


# --- the plan ----------------------------------------------------------------------------------

CASES = [case for section in plan((), with_probes=True) for case in section.cases]


def test_every_case_has_a_name_of_its_own_and_rests_on_an_earlier_one_of_its_section() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
    for section in plan((), with_probes=True):
        before: set[str] = set()
        for case in section.cases:
            same = None if case.expected is None else case.expected.same_card_as
            assert {name for name in (case.after, same) if name is not None} <= before, case.name
            before.add(case.name)


def test_every_operation_is_in_the_plan() -> None:
    assert set(CALLS) == set(AGCOD.operations) == {case.operation for case in CASES}
    certain = {case.operation for case in CASES if case.expected is not None}
    assert certain == set(AGCOD.operations)


def test_amazons_test_plan_is_in_it_as_far_as_it_is_known() -> None:
    sources = " ".join(case.source for case in CASES)

    assert all(f"CreateGiftCard test {number}" in sources for number in range(1, 6))


# The other table has codes that the first one lacks, and Amazon's pages say of these that a create
# is answered with them as well.
ON_BOTH_TABLES = {"F3004", "F4000", "F5000"}


@pytest.mark.parametrize(
    ("operation", "table", "more"),
    [
        ("CreateGiftCard", "gift-card", ON_BOTH_TABLES),
        ("ActivateGiftCard", "gift-card", ON_BOTH_TABLES),
        ("LoadAmazonBalance", "other", set()),
    ],
)
def test_every_mock_code_of_amazons_tables_is_in_the_plan_where_amazon_puts_it(
    operation: str, table: str, more: set[str]
) -> None:
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    rows = csv.DictReader((line for line in lines if line[0] != "#"), delimiter="\t")
    documented = {row["mock"] for row in rows if row["table"] == table}
    planned = {
        case.asked.mock
        for section in SECTIONS
        for case in section.cases
        if case.operation == operation and case.name.startswith(f"{operation}-")
    }

    assert planned == documented | more | {"F0000"}


# --- against the emulator ----------------------------------------------------------------------


@FORMS
def test_the_whole_plan_passes_against_the_emulator_and_leaves_nothing(form: Any) -> None:
    emulator = on_virtual_time()

    certificate = certified(emulator, settings=replace(SETTINGS, wire_format=form))

    assert statuses(certificate) == {Status.PASSED}
    assert certificate.exit_code is ExitCode.DONE
    assert live(emulator) == []
    assert [one.is_left for one in certificate.undone] == [False]
    assert "throttled" not in emulator.arrivals.by_result
    assert emulator.arrivals.busiest.requests <= SETTINGS.requests_per_second


def test_what_is_sent_is_what_the_report_says() -> None:
    emulator = on_virtual_time()

    certificate = certified(emulator, ["create"])

    sent = {arrival.request_id for arrival in emulator.arrivals.latest}
    reported = {result.request_id for result in certificate.results}
    assert sent == reported
    requests = sum(result.requests for result in certificate.results)
    assert requests + len(certificate.undone) == emulator.arrivals.total


def test_the_same_name_repeats_the_request_ids_and_another_one_does_not() -> None:
    emulator = on_virtual_time()

    first = by_name(certified(emulator, ["create"]))
    again = by_name(certified(emulator, ["create"]))
    other = by_name(certified(emulator, ["create"], means=replace(MEANS, run="other")))

    assert again["create-1"].request_id == first["create-1"].request_id
    assert other["create-1"].request_id != first["create-1"].request_id
    assert other["create-1"].status is Status.PASSED
    # Its cards were cancelled: a create under their IDs answers with the dead code.
    assert again["create-1"].status is Status.NOT_POSSIBLE
    assert "an earlier run" in again["create-1"].note
    assert again["create-2"].note == "create-1 has not passed"


@pytest.mark.parametrize(
    ("operation", "section"),
    [
        ("ActivateGiftCard", "activate"),
        ("LoadAmazonBalance", "load"),
        ("GetGiftCardActivityPage", "activity"),
    ],
)
def test_what_the_partner_may_not_call_is_not_enabled_and_no_failure(
    operation: str, section: str
) -> None:
    emulator = on_virtual_time(EmulatorConfig(disabled_operations=frozenset({operation})))

    certificate = certified(emulator, [section])

    results = [one for one in certificate.results if one.case.operation == operation]
    assert {one.status for one in results} == {Status.NOT_ENABLED}
    assert Status.FAILED not in statuses(certificate)
    assert emulator.arrivals.by_operation[operation] == 1, "one answer is enough"
    assert certificate.exit_code is ExitCode.DONE
    rests = [one for one in certificate.results if one.case.after in {"activate", "load"}]
    assert {one.status for one in rests} <= {Status.NOT_ENABLED}
    # Amazon would look for it in vain: what was not sent is shown without an ID.
    assert {one.request_id for one in certificate.results if one.seen is None} <= {None}
    assert "None" not in markdown(certificate)


def test_without_a_card_and_an_account_only_the_mocked_cases_are_possible() -> None:
    emulator = on_virtual_time()

    certificate = certified(
        emulator, ["activate", "load"], means=replace(MEANS, card_number=None, account=None)
    )

    results = by_name(certificate)
    assert results["activate"].note == "no card was given (--card-number)"
    assert results["load"].note == "no customer's account was given (--account)"
    for name, result in results.items():
        wanted = Status.NOT_POSSIBLE if result.case.asked.mock is None else Status.PASSED
        assert result.status is wanted, name
    assert results["activate"].requests == 0
    assert certificate.exit_code is ExitCode.DONE


def test_an_answer_that_is_not_the_expected_one_fails() -> None:
    emulator = on_virtual_time(EmulatorConfig(mock_codes=False))

    certificate = certified(emulator, ["create"])

    results = by_name(certificate)
    assert results["create-1"].status is Status.PASSED
    assert results["create-4"].status is Status.PASSED, "F200, for the request ID"
    assert results["create-5"].status is Status.FAILED
    assert str(results["create-5"].seen) == (
        "InvalidRequestError: F200 RequestIdMustStartWithPartnerName"
    )
    assert certificate.exit_code is ExitCode.DECLINED


def test_a_case_that_rests_on_a_failed_one_is_not_possible() -> None:
    emulator = on_virtual_time(EmulatorConfig(funds=(Money(50, "USD"),)))

    results = by_name(certified(emulator, ["create"]))

    assert results["create-1"].status is Status.FAILED
    assert results["create-2"].status is Status.NOT_POSSIBLE
    assert results["create-2"].seen is None


def faulty(kind: FaultKind, operation: str | None = None) -> Emulator:
    rule = FaultRule(fault=kind, operation=operation, times=10_000)
    return on_virtual_time(EmulatorConfig(faults=FaultScript(rules=(rule,))))


def test_a_throttled_run_is_unavailable_and_no_failure() -> None:
    certificate = certified(faulty(FaultKind.THROTTLE), ["funds"])

    assert statuses(certificate) == {Status.NOT_POSSIBLE}
    assert certificate.exit_code is ExitCode.UNAVAILABLE


def test_a_wrong_key_ends_the_run_at_its_first_case() -> None:
    emulator = on_virtual_time(EmulatorConfig(region="eu-west-1"))

    certificate = certified(emulator)

    first, *rest = certificate.results
    assert first.status is Status.FAILED
    assert "Check that the signing region" in first.note
    assert {one.status for one in rest} == {Status.NOT_POSSIBLE}
    assert "front door" in rest[0].note
    assert emulator.arrivals.total == 1
    assert certificate.exit_code is ExitCode.DECLINED


def test_a_card_whose_cancel_gets_no_answer_is_left_in_doubt(
    capfd: pytest.CaptureFixture[str],
) -> None:
    emulator = faulty(FaultKind.LOSE_REQUEST, "CancelGiftCard")

    certificate = certified(emulator, ["create"])

    left = [one.request_id for one in certificate.left]
    assert certificate.exit_code is ExitCode.IN_DOUBT
    assert left == [card.request_id for card in emulator.ledger.cards()]
    said = capfd.readouterr().err
    for request_id in left:
        assert f"left         {request_id}: CancelGiftCard ended with InDoubt" in said
        assert request_id in markdown(certificate)


def test_a_card_that_can_no_longer_be_cancelled_is_named() -> None:
    emulator = on_virtual_time(EmulatorConfig(cancel_window_seconds=-1))

    certificate = certified(emulator, ["create"])

    assert {str(one.seen) for one in certificate.left} == {
        "InvalidRequestError: F200 CancelRequestArrivedAfterTimeLimit"
    }
    assert certificate.exit_code is ExitCode.DECLINED
    assert "| left |" in markdown(certificate)


def test_a_create_in_doubt_is_taken_back_too() -> None:
    rule = FaultRule(fault=FaultKind.LOSE_REPLY, operation="CreateGiftCard", nth=1, times=50)
    emulator = on_virtual_time(EmulatorConfig(faults=FaultScript(rules=(rule,))))

    certificate = certified(emulator, ["create"])

    assert by_name(certificate)["create-1"].seen is not None
    assert certificate.left == ()
    assert live(emulator) == []


SLOW = FaultScript(rules=(FaultRule(fault=FaultKind.SLOW, seconds=2, times=10_000),))


@pytest.mark.parametrize(
    ("seconds", "faults"),
    [
        *((seconds, FaultScript()) for seconds in (0.05, 0.35, 6.0, 13.3)),
        *((seconds, SLOW) for seconds in (3.0, 5.0, 7.0, 9.0)),  # while a request is on its way
    ],
)
def test_an_interrupted_run_takes_back_what_it_has_issued(
    seconds: float, faults: FaultScript
) -> None:
    emulator = on_virtual_time(EmulatorConfig(faults=faults))

    async def main() -> None:
        async with asyncio.timeout(seconds):
            await certify.certified(
                SETTINGS,
                MEANS,
                plan((), with_probes=True),
                clock=virtual_clock(),
                transport=emulator.transport(),
            )

    with pytest.raises(TimeoutError):
        run(main())

    assert emulator.arrivals.total
    assert live(emulator) == []


# --- probes ------------------------------------------------------------------------------------


def test_probes_tell_the_semantics_apart() -> None:
    other = Semantics(
        after_cancel=AfterCancel.REISSUE,
        unknown_cancel=UnknownCancel.NOOP,
        after_deactivate=AfterUndo.REFUSE,
        after_void=AfterUndo.REFUSE,
    )

    as_documented = certified(on_virtual_time(), with_probes=True)
    assert as_documented.left == ()
    usual = by_name(as_documented)
    emulator = on_virtual_time(EmulatorConfig(semantics=other))
    certificate = certified(emulator, with_probes=True)
    unusual = by_name(certificate)

    for name in (
        "probe-create-cancelled",
        "probe-cancel-unknown",
        "probe-activate-deactivated",
        "probe-load-void",
    ):
        assert usual[name].status is unusual[name].status is Status.NOTED
        assert str(usual[name].seen) != str(unusual[name].seen), name
    assert certificate.left == ()
    assert live(emulator) == []


# --- what passes -------------------------------------------------------------------------------


def card(code: str) -> GiftCard:
    return GiftCard(
        claim_code=ClaimCode(code),
        gc_id="A1",
        request_id=RequestId("Emula1"),
        amount=Money(5, "USD"),
        expires_at=None,
        card_status="Fulfilled",
    )


def case(expected: Expected | None = None, **asked: Any) -> Case:
    first = CASES[1]
    return replace(first, expected=expected, asked=replace(first.asked, **asked))


def result(seen: Seen | None) -> Result:
    return Result(
        case=CASES[1],
        request_id=None,
        started_at=MEANS.now,
        seconds=0,
        requests=1,
        seen=seen,
        status=Status.PASSED,
    )


def test_only_the_very_same_card_is_the_same_card() -> None:
    again = Expected(same_card_as="first")
    seen = Seen(ending=SUCCESS, answer=card("CODE-1"))

    for first, status in (
        (Seen(ending=SUCCESS, answer=card("CODE-1")), Status.PASSED),
        (Seen(ending=SUCCESS, answer=card("CODE-2")), Status.FAILED),
        (Seen(ending=SUCCESS), Status.FAILED),
        (None, Status.FAILED),
    ):
        assert judged(case(again), seen, {"first": result(first)})[0] is status


def test_another_class_of_error_fails_and_another_name_does_not() -> None:
    expected = Expected(endings=("AccountError",), code="F300")

    def status(code: str, name: str) -> Status:
        return judged(case(expected), Seen(ending="AccountError", code=code, error_type=name), {})[
            0
        ]

    assert status("F300", "InsufficientFunds") is Status.PASSED
    assert status("F300", "BySomeOtherName") is Status.PASSED
    assert status("", "InsufficientFunds") is Status.FAILED


def test_a_card_that_should_be_active_must_be() -> None:
    emulator = on_virtual_time(
        EmulatorConfig(semantics=Semantics(after_deactivate=AfterUndo.REISSUE))
    )
    results = by_name(certified(emulator, ["activate"]))
    assert results["status-inactive"].status is Status.PASSED
    active = results["status-active"]
    assert active.seen is not None

    judgement = judged(case(Expected(is_active=False)), active.seen, {})

    assert judgement == (Status.FAILED, "the card is Activated")


def test_a_mocked_refusal_of_an_operation_is_not_taken_for_a_real_one() -> None:
    seen = Seen(ending="AccountError", code="F300", error_type="OperationNotPermitted")
    expected = Expected(endings=("AccountError",), code="F300")

    assert judged(case(expected, mock="F3006"), seen, {})[0] is Status.PASSED
    assert judged(case(expected, mock="F3005"), seen, {})[0] is Status.NOT_ENABLED


# --- the report --------------------------------------------------------------------------------


def test_the_report_shows_no_code_no_account_and_of_a_card_only_its_end() -> None:
    emulator = on_virtual_time()

    certificate = certified(emulator, with_probes=True)

    for text in (markdown(certificate), certify.json_line(fields(certificate))):
        assert_no_code(emulator, text)
        assert ACCOUNT_ID not in text
        assert CARD not in text
        assert EMULATOR_CREDENTIALS.secret_access_key.reveal() not in text
        assert "claim code hidden" in text


def test_the_page_is_made_of_whole_tables_with_every_case_in_them() -> None:
    certificate = certified(on_virtual_time(EmulatorConfig(funds=(Money(50, "USD"),))))

    page = markdown(certificate)

    widths: set[int] = set()
    for line in page.splitlines():
        widths = widths | {line.count("|")} if line.startswith("|") else set()
        assert len(widths) <= 1, line
    for one in certificate.results:
        row = next(line for line in page.splitlines() if line.startswith(f"| {one.case.name} |"))
        assert f"| {one.status.value}" in row
        assert re.search(r"\| \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \|", row)


def test_json_says_what_the_page_says() -> None:
    certificate = certified(on_virtual_time(), ["funds", "create"])

    shown = fields(certificate)

    assert shown["summary"] == {
        "passed": len(list(certificate.results)),
        "failed": 0,
        "not_possible": 0,
        "not_enabled": 0,
        "noted": 0,
    }
    assert (shown["exit_code"], shown["partner_id"], shown["run"]) == (0, "Emula", "test")
    assert shown["wire_format"] == "JSON"


def test_progress_is_a_line_a_second_and_one_for_each_failure(
    capfd: pytest.CaptureFixture[str],
) -> None:
    certified(on_virtual_time(EmulatorConfig(mock_codes=False)), ["create"])

    first, *lines = capfd.readouterr().err.splitlines()
    assert first.startswith("run test: ")
    assert any(
        line.startswith("failed       create-5: expected AccountError (F300)") for line in lines
    )
    assert re.fullmatch(r"\d:\d\d  60 of 60: \d+ passed, \d+ failed.*", lines[-1])


# --- the command -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AGCOD_ENDPOINT", "na"),
        ("AGCOD_ENDPOINT", "eu"),
        ("AGCOD_BASE_URL", "https://agcod-v2-fe.amazon.com"),
    ],
)
def test_it_refuses_production(
    name: str, value: str, agcod: Agcod, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)

    ran = agcod("certify", "--currency", "USD")

    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "agcod certify: this is a production endpoint: the plan is for a sandbox\n"
    assert emulator.arrivals.total == 0


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--only", "create,cards"), "--only: cards is unknown (funds, create, activate, load"),
        (("--account", "851432007016"), "--account: is no TYPE:ID"),
        (("--account", "one:851432007016"), "--account: is no TYPE:ID"),
        (("--card-number", "123"), "card_number: has 3 digits"),
        (("--card-amount", "much"), "amount: 'much' is not a number"),
        (("--output", "no-such-folder/report.md"), "--output: no-such-folder/report.md: No such"),
    ],
)
def test_a_bad_option_is_one_clear_line(
    options: tuple[str, ...], problem: str, agcod: Agcod, emulator: Emulator
) -> None:
    ran = agcod("certify", "--currency", "USD", *options)

    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert problem in ran.err
    assert "851432007016" not in ran.err
    assert emulator.arrivals.total == 0


@FORMS
def test_it_reports_on_standard_output_and_shows_progress_beside_it(
    form: str, agcod: Agcod, emulator: Emulator
) -> None:
    ran = agcod(
        *("certify", "--currency", "USD", "--only", "funds,activity", "--run", "mine"),
        *("--wire-format", form),
    )

    assert ran.code == 0
    assert ran.out.startswith("# Certification of an Incentives API client\n")
    assert f"| wire format | {form.upper()} |" in ran.out
    assert "| run | mine |" in ran.out
    assert ran.err.splitlines()[0] == "run mine: 2 cases; --run mine repeats its request IDs"
    assert set(emulator.arrivals.by_operation) == {"GetAvailableFunds", "GetGiftCardActivityPage"}


def test_it_reports_into_a_file_and_as_json(agcod: Agcod, serve: Serve, tmp_path: Path) -> None:
    emulator = serve(EmulatorConfig(requests_per_second=None, operation_caps={}))
    page = tmp_path / "report.md"
    card_and_account = ("--card-number", CARD, "--account", f"1:{ACCOUNT_ID}")

    written = agcod(
        *("certify", "--currency", "USD", "--only", "funds", "--output", page), *card_and_account
    )
    shown = agcod("certify", "--currency", "USD", "--only", "funds", "--json")

    assert (written.code, written.out) == (0, "")
    assert "| funds |" in page.read_text(encoding="utf-8")
    (report,) = shown.objects
    assert [one["result"] for one in report["cases"]] == ["passed"]
    assert emulator.arrivals.by_operation == {"GetAvailableFunds": 2}


def test_a_run_has_a_name_of_its_own_unless_it_is_given_one(agcod: Agcod, serve: Serve) -> None:
    serve(EmulatorConfig(requests_per_second=None, operation_caps={}))

    names = [
        agcod("certify", "--currency", "USD", "--only", "funds", "--json").objects[0]["run"]
        for _ in range(2)
    ]

    assert len(set(names)) == 2
