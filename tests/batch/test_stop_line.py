"""When the line stops, who may go while it stands, and what sets it going again."""

import pytest

from agcod_async.batch.stop_line import (
    ALIKE_MAX,
    PROBE_SECONDS_MAX,
    PROBE_SECONDS_MIN,
    Cause,
    Stop,
    StopLine,
    stop_of,
)
from agcod_async.core.outcomes import Reason
from agcod_async.errors import (
    AccountError,
    AgcodError,
    DeclinedError,
    IdempotencyConflictError,
    InDoubtError,
    InvalidRequestError,
    UnavailableError,
    UsageError,
)
from agcod_async.providers.agcod import catalogue, framework


def refusal(name: str | None = "InsufficientFunds", code: str | None = "F300") -> DeclinedError:
    kind = AccountError if code == "F300" else InvalidRequestError
    return kind(Reason("it says so", code=code, error_type=name))


FUNDS = Stop(Cause.ACCOUNT, "F300", "InsufficientFunds")
ODD = refusal("MaxAmountExceeded", "F200")


def standing(now: float = 100.0) -> StopLine:
    line = StopLine()
    line.refused(line.take(), refusal(), now)
    return line


# --- what stops it --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "InsufficientFunds",
        "IssuanceCapExceeded",
        "AccessDenied",
        "BlockedCustomer",
        "InvalidPartnerId",
        "InvalidAccessKey",
        "InvalidAwsAccessKeyId",
        "OperationNotPermitted",
        "ActiveContractNotFound",
        "AccountHasProblems",
        "GeneralError",
        "SomethingNobodyHasSeen",
        None,
    ],
)
def test_what_any_order_would_be_refused_for_stops_the_line(name: str | None) -> None:
    stop = stop_of(refusal(name))

    assert stop is not None
    assert stop.cause is Cause.ACCOUNT


@pytest.mark.parametrize(
    "error",
    [
        refusal("InvalidProgramId"),
        refusal("ProgramIsNotApproved"),
        refusal("ProductTypeNotEnabledInTheContract"),
        refusal("CustomerAccountBlocked"),
        refusal("BadInput"),
        refusal("MaxAmountExceeded", "F200"),
        refusal("InsufficientFunds", "F200"),
        IdempotencyConflictError(Reason("another order", code="F200")),
        UsageError(Reason("the session is closed")),
        UnavailableError(Reason("throttled")),
    ],
    ids=str,
)
def test_what_concerns_one_order_does_not(error: AgcodError) -> None:
    assert stop_of(error) is None


@pytest.mark.parametrize("kind", [InDoubtError, UnavailableError])
@pytest.mark.parametrize(
    ("code", "name", "stops"),
    [
        (None, "UnrecognizedClientException", True),
        (None, "InvalidSignatureException", True),
        (None, "AccessDeniedException", True),
        ("F300", "InvalidAwsAccessKeyId", True),
        ("F300", "BlockedCustomer", True),
        ("F300", "InsufficientFunds", False),
        (None, "ThrottlingException", False),
        (None, None, False),
        ("F500", "InternalServerError", False),
    ],
)
def test_a_refusal_of_key_or_access_stops_the_line_whatever_came_of_the_order(
    kind: type[AgcodError], code: str | None, name: str | None, *, stops: bool
) -> None:
    assert (stop_of(kind(Reason("it says so", code=code, error_type=name))) is not None) == stops


@pytest.mark.parametrize("row", framework.REFUSED, ids=lambda row: row.title)
def test_a_refusal_at_the_door_without_a_name_is_known_by_what_it_was_taken_for(
    row: framework.FrameworkError,
) -> None:
    said = f"no access key came in time. {row.meaning} {row.remedy}"
    stop = stop_of(UnavailableError(Reason(said)))

    assert stop == Stop(Cause.ACCOUNT, None, row.title)
    assert stop.words() == f"{row.title}: {row.meaning} {row.remedy}"


def test_a_line_without_a_key_stands_until_it_is_set_going() -> None:
    line, refused = StopLine(), Reason("no", error_type="InvalidSignatureException")
    line.lack_key(refused, 0.0)
    line.lack_key(Reason("none"), 1.0)

    assert line.stop == Stop(Cause.KEY, None, "InvalidSignatureException")
    assert line.wait_seconds(0.0) == PROBE_SECONDS_MIN, "an order may find out as well"
    assert line.stop.words().startswith("no access key is accepted: InvalidSignatureException:")


def test_what_a_lost_key_is_called_is_kept_only_where_amazon_documents_it() -> None:
    line = StopLine()
    line.lack_key(Reason("no", code="AXLQ-CODE-HERE", error_type="AXLQ-CODE-HERE"), 0.0)

    assert line.stop == Stop(Cause.KEY)


def test_what_is_refused_at_the_door_stops_the_line_with_a_name_that_is_documented() -> None:
    known, unknown = refusal("AccessDeniedException", None), refusal("AXLQ-CODE-HERE", None)

    assert stop_of(known) == Stop(Cause.ACCOUNT, None, "AccessDeniedException")
    assert stop_of(unknown) == Stop(Cause.ACCOUNT)


def test_every_f300_of_the_catalogue_is_sorted() -> None:
    stops = {
        row.name for row in catalogue.ROWS if row.code == "F300" and stop_of(refusal(row.name))
    }
    goes_on = {row.name for row in catalogue.ROWS if row.code == "F300"} - stops

    # A new name stops the line until somebody says here that it is about one order.
    assert goes_on == {
        "APIGetGiftCardActivityPageIsDisabled",
        "BadInput",
        "CustomerAccountBlocked",
        "CustomerSurpassedDailyVelocityLimit",
        "InvalidProgramId",
        "OrderNotFound",
        "ProductTypeNotEnabledInTheContract",
        "ProgramIsNotApproved",
    }


def test_the_same_refusal_many_times_in_a_row_stops_the_line() -> None:
    line = StopLine()
    for _ in range(ALIKE_MAX - 1):
        line.refused(line.take(), ODD, 0.0)
    assert line.stop is None
    line.refused(line.take(), ODD, 0.0)

    assert line.stop == Stop(Cause.ALIKE, "F200", "MaxAmountExceeded")


@pytest.mark.parametrize("between", ["a card", "another refusal"])
def test_refusals_that_are_not_in_a_row_do_not(between: str) -> None:
    line = StopLine()
    for number in range(3 * ALIKE_MAX):
        if number % (ALIKE_MAX - 1) == 0:
            if between == "a card":
                line.issued(line.take())
            else:
                line.refused(line.take(), refusal("SimpleAmountIsNull", "F200"), 0.0)
        line.refused(line.take(), ODD, 0.0)

    assert line.stop is None


# --- while it stands ------------------------------------------------------------------------------


def test_a_line_that_runs_lets_everybody_go_at_once() -> None:
    line = StopLine()

    assert line.wait_seconds(5.0) == 0.0
    assert not line.take().is_probe


def test_one_order_at_a_time_goes_first_after_pauses_that_grow() -> None:
    line, now, pauses = standing(), 100.0, list[float]()
    for _ in range(8):
        wait = line.wait_seconds(now)
        assert wait is not None
        pauses.append(wait)
        now += wait
        probe = line.take()
        assert probe.is_probe
        assert line.wait_seconds(now) is None, "only one"
        line.refused(probe, refusal(), now)

    assert pauses == [30.0, 60.0, 120.0, 240.0, 480.0, 900.0, 900.0, 900.0]
    assert (PROBE_SECONDS_MIN, PROBE_SECONDS_MAX) == (30.0, 900.0)


def test_an_order_that_says_nothing_about_the_account_leaves_the_line_as_it_is() -> None:
    line = standing(0.0)
    for end in (
        lambda probe: line.inconclusive(probe, 30.0),
        lambda probe: line.refused(probe, ODD, 30.0),
    ):
        end(line.take())
        assert line.stop == FUNDS
        assert line.wait_seconds(30.0) in (60.0, 120.0)


def test_a_card_for_the_one_that_went_first_sets_the_line_going() -> None:
    line = standing()
    line.issued(line.take())

    assert line.stop is None
    assert line.wait_seconds(100.0) == 0.0


def test_what_was_sent_before_the_line_stopped_says_nothing_about_it_now() -> None:
    line = StopLine()
    early, earlier = line.take(), line.take()
    line.refused(line.take(), refusal(), 0.0)

    line.issued(early)
    assert line.stop == FUNDS
    line.resume()
    line.refused(earlier, refusal(), 50.0)
    assert line.stop is None, "it was refused before somebody paid in"


def test_a_probe_of_a_line_that_was_set_going_meanwhile_does_not_hold_it() -> None:
    line = standing()
    probe = line.take()
    line.resume()
    line.refused(probe, refusal(), 200.0)

    assert line.wait_seconds(200.0) == 0.0


def test_after_another_stop_the_pauses_begin_anew() -> None:
    line = standing(0.0)
    line.refused(line.take(), refusal(), 30.0)
    line.resume()
    line.refused(line.take(), refusal(), 1000.0)

    assert line.wait_seconds(1000.0) == PROBE_SECONDS_MIN


def test_low_funds_stop_the_line_and_no_order_is_risked_to_find_out() -> None:
    line = StopLine()
    line.run_low(0.0)
    line.run_low(1.0)

    assert line.stop == Stop(Cause.FUNDS)
    assert line.wait_seconds(1e9) is None
    line.resume()
    line.resume()
    assert line.wait_seconds(0.0) == 0.0


def test_low_funds_do_not_hide_why_the_line_stands_already() -> None:
    line = standing()
    line.run_low(200.0)

    assert line.stop == FUNDS


# --- in words -------------------------------------------------------------------------------------


def test_it_says_why_what_to_do_and_whom_to_ask() -> None:
    text = FUNDS.words(("US", "CA", "MX"))

    assert text.startswith("F300 InsufficientFunds: The account's funds do not cover the amount.")
    assert "Pay in" in text
    assert "corp-gc-salesops@giftcards.amazon.com" in text
    assert "corp-gc" not in FUNDS.words(), "where the country is unknown no address is"


@pytest.mark.parametrize(
    "stop",
    [
        Stop(Cause.FUNDS),
        Stop(Cause.KEY),
        Stop(Cause.KEY, "F300", "InvalidAccessKey"),
        Stop(Cause.ACCOUNT),
        Stop(Cause.ACCOUNT, None, "AccessDeniedException"),
        Stop(Cause.ACCOUNT, "F300", None),
        Stop(Cause.ALIKE, "F200", "MaxAmountExceeded"),
        Stop(Cause.ALIKE, None, None),
    ],
)
def test_every_stop_has_words(stop: Stop) -> None:
    text = stop.words()

    assert text.endswith((".", "com."))
    assert len(text) > 40


def test_names_of_the_door_are_told_apart() -> None:
    texts = {
        Stop(Cause.ACCOUNT, None, name).words()
        for row in framework.REFUSED
        for name in sorted(row.names)[:1]
    }

    assert len(texts) == len([row for row in framework.REFUSED if row.names])
