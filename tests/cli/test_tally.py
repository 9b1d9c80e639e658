import asyncio
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from agcod_async.batch import (
    Declined,
    InDoubt,
    Issued,
    Order,
    Receipt,
    Reversed,
    Unavailable,
    Verdict,
)
from agcod_async.cli.exits import ExitCode
from agcod_async.cli.report import print_summary, summary_fields
from agcod_async.cli.run_figures import figures_of
from agcod_async.cli.tally import LISTED_MAX, Tally
from agcod_async.cli.traffic import Traffic
from agcod_async.core.outcomes import Reason
from agcod_async.errors import DeclinedError, InDoubtError, ReversedError, UnavailableError
from agcod_async.figures import Figures, Worth, from_json, merged, to_json
from agcod_async.figures.figures import REFUSALS_MAX
from agcod_async.figures.pace import PaceMeter
from agcod_async.providers.agcod.messages import GiftCard
from agcod_async.testing.clock import run, virtual_clock
from agcod_async.values import ClaimCode, Money, RequestId

CANARY = "CANA-RYCODE-0001"
WHY = Reason("because")


def issued(request_id: str = "Emula1", amount: str = "10.10", currency: str = "USD") -> Receipt:
    money = Money(amount, currency)
    card = GiftCard(ClaimCode(CANARY), "GC1", RequestId(request_id), money, None, "Fulfilled")
    return Receipt(Order(request_id=request_id, amount=money), request_id, Issued(card))


def ended(verdict: Verdict, request_id: str = "Emula1") -> Receipt:
    return Receipt(Order(request_id=request_id, amount=Money(1, "USD")), request_id, verdict)


DECLINED = ended(Declined(DeclinedError(WHY)))
REVERSED = ended(Reversed(ReversedError(WHY)))
UNAVAILABLE = ended(Unavailable(UnavailableError(WHY)))
IN_DOUBT = ended(InDoubt(InDoubtError(WHY, request_id="Emula1")))


@pytest.mark.parametrize(
    ("receipts", "code"),
    [
        ([], 0),
        ([issued()], 0),
        ([issued(), UNAVAILABLE], 4),
        ([UNAVAILABLE, DECLINED], 1),
        ([REVERSED, issued()], 1),
        ([IN_DOUBT, DECLINED, UNAVAILABLE, issued()], 3),
    ],
)
def test_the_worst_verdict_is_the_exit_code(receipts: list[Receipt], code: int) -> None:
    tally = Tally()
    for receipt in receipts:
        tally.add(receipt, "none")

    assert tally.exit_code == code
    assert tally.orders == len(receipts)


def test_what_is_not_an_order_s_verdict_has_an_exit_code_too() -> None:
    assert Tally(rows_refused=1).exit_code == 1
    assert Tally(undelivered=1, stopped="why").exit_code == 1
    assert Tally(stopped="why").exit_code == 4
    assert Tally(open_ids={"Emula1": None}, rows_refused=1).exit_code == 3


def test_amounts_are_summed_exactly_and_by_currency() -> None:
    tally = Tally()
    for _ in range(10):
        tally.add(issued(amount="0.10"), "done")
        tally.add(issued(amount="7", currency="JPY"), "done")

    assert tally.sums == {"USD": Decimal("1.00"), "JPY": Decimal(70)}


def test_an_order_is_under_way_until_it_has_a_verdict() -> None:
    tally = Tally(open_ids={"Emula1": None, "Emula2": None})
    tally.add(issued("Emula1"), "done")

    assert list(tally.open_ids) == ["Emula2"]


def test_the_lists_are_bounded_and_say_how_many_more_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tally = Tally()
    for _ in range(LISTED_MAX + 5):
        tally.add(IN_DOUBT, "none")
        tally.add(issued(), "failed")
    print_summary(tally, Traffic(), 1.0)

    assert len(tally.in_doubt) == len(tally.undelivered_ids) == LISTED_MAX
    assert capsys.readouterr().out.count("  and 5 more, which were reported above") == 2


def test_no_summary_and_no_repr_shows_a_code(capsys: pytest.CaptureFixture[str]) -> None:
    tally = Tally()
    for delivered in ("done", "failed", "none"):
        tally.add(issued(), delivered)  # type: ignore[arg-type]
    print_summary(tally, Traffic(), 1.0)

    printed = capsys.readouterr().out
    assert CANARY not in printed + repr(tally) + repr(summary_fields(tally, Traffic(), 1.0))
    assert max(map(len, printed.splitlines())) < 80


def test_the_next_step_of_an_order_in_doubt_is_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    tally = Tally(stopped="it was interrupted", open_ids={"Emula4": None})
    for request_id, action, when in (
        ("Emula1", "replay_same_id", None),
        ("Emula2", "wait_until", datetime(2026, 1, 5, 12, 30, 7, tzinfo=UTC)),
        ("Emula3", "activity_page", None),
    ):
        error = InDoubtError(WHY, request_id=request_id)
        error.next_safe_action, error.not_before = action, when  # type: ignore[assignment]
        tally.add(ended(InDoubt(error), request_id), "none")

    print_summary(tally, Traffic(), 1.0)

    printed = capsys.readouterr().out
    assert "  Emula1  run again\n" in printed
    assert "  Emula2  run again after 12:30:07 UTC\n" in printed
    assert "  Emula3  too old to be sent again: look it up in the account's activity\n" in printed
    assert "  Emula4  run again\n" in printed
    assert "Stopped before the end of the file: it was interrupted." in printed
    assert max(map(len, printed.splitlines())) < 80


def test_money_is_counted_when_an_order_is_taken_and_again_when_it_ends() -> None:
    tally = Tally()
    for receipt in (issued(amount="10.10"), DECLINED, IN_DOUBT):
        tally.take(receipt.order)
        tally.add(receipt, "none")

    assert tally.taken.worth() == Worth(3, {"USD": Decimal("12.10")})
    ended_worth = [tally.totals[kind].worth() for kind in (Issued, Declined, InDoubt)]
    assert ended_worth[0].plus(ended_worth[1]).plus(ended_worth[2]) == tally.taken.worth()


def test_an_order_that_an_earlier_run_left_is_counted_as_taken_again() -> None:
    tally = Tally(stopped="a long story " * 100)
    for request_id, left in (("Emula1", "in_doubt"), ("Emula2", "open"), ("Emula3", "unavailable")):
        order = Order(request_id=RequestId(request_id), amount=Money("2.00", "USD"))
        tally.take(order, left)  # type: ignore[arg-type]
    clock = virtual_clock()

    async def main() -> Figures:
        return figures_of(tally, Traffic(), PaceMeter(10.0, clock).pace(), has_sink=True)

    figures = from_json(to_json(run(main())))
    assert figures.taken_again == {
        left: Worth(1, {"USD": Decimal("2.00")}) for left in ("in_doubt", "open", "unavailable")
    }
    assert figures.settled == dict.fromkeys(("Emula1", "Emula2"), figures.paces[0].started_at)
    assert [order.request_id for order in figures.in_doubt] == ["Emula1", "Emula2", "Emula3"]
    assert figures.open == figures.taken
    assert (figures.stopped or "").startswith("a long story")


def test_an_order_that_goes_back_into_the_plan_counts_in_no_run_until_it_is_taken_again() -> None:
    clock = virtual_clock()
    order = Order(request_id="Emula1", amount=Money("2.00", "USD"))

    async def figures(tally: Tally, started_at: float) -> Figures:
        await asyncio.sleep(started_at)
        return figures_of(tally, Traffic(), PaceMeter(10.0, clock).pace(), has_sink=True)

    stopped, back, done = Tally(), Tally(), Tally()
    stopped.take(order)
    back.put_back(order, "open")
    done.take(order)
    done.add(issued(amount="2.00"), "none")

    runs = [run(figures(tally, n)) for n, tally in enumerate((stopped, back, done))]
    assert merged(runs[:2]).taken.orders == 0
    assert merged(runs[:2]).in_doubt == ()
    assert merged(runs).taken == merged(runs).ended("issued") == Worth(1, {"USD": Decimal("2.00")})


def test_a_card_that_is_not_read_back_stays_issued_and_counts_once() -> None:
    clock = virtual_clock()

    async def figures(tally: Tally) -> Figures:
        return figures_of(tally, Traffic(), PaceMeter(10.0, clock).pace(), has_sink=True)

    first, unread, last = Tally(), Tally(), Tally()
    card = issued(amount="1.00")
    first.take(card.order)
    first.add(card, "failed")
    unread.take(card.order, "issued")
    unread.add_issued(IN_DOUBT, "failed")
    last.take(card.order, "issued")
    last.add_issued(card, "done")

    assert unread.exit_code is ExitCode.DECLINED
    runs = [run(figures(tally)) for tally in (first, unread, last)]
    assert merged(runs[:2]).undelivered == 1
    assert merged(runs[:2]).ended("in_doubt").orders == 0
    job = merged(runs)
    assert (job.delivered, job.undelivered) == (1, 0)
    assert job.taken == job.ended("issued") == Worth(1, {"USD": Decimal("1.00")})


def test_the_wire_can_fill_neither_the_memory_nor_a_line_with_error_names(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tally = Tally()
    for number in range(REFUSALS_MAX + 50):
        reason = Reason("because", "F200", f"Name{number:04}" * 1000)
        tally.add(ended(Declined(DeclinedError(reason))), "none")
    print_summary(tally, Traffic(), 1.0)

    printed = capsys.readouterr().out
    assert sum(tally.refusals.values()) == REFUSALS_MAX + 50
    assert len(tally.refusals) == REFUSALS_MAX + 1
    assert max(map(len, printed.splitlines())) < 80
    assert "     145  others" in printed
