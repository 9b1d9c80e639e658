from hypothesis import given
from hypothesis import strategies as st

from agcod_async.core.budget import FIRST_TIME_REFUND, RETRY_COST, TOKENS_MAX, RetryBudget


def test_a_fresh_budget_pays_for_35_retries() -> None:
    budget, retries = RetryBudget(), 0
    while not budget.is_dry:
        budget, retries = budget.spend(), retries + 1
    assert retries == TOKENS_MAX // RETRY_COST == 35


def test_a_budget_is_dry_as_soon_as_a_retry_costs_more_than_is_left() -> None:
    assert not RetryBudget(RETRY_COST).is_dry
    assert RetryBudget(RETRY_COST - 1).is_dry


def test_a_call_that_ended_well_gives_back_what_its_last_retry_took() -> None:
    assert RetryBudget(100).spend().refund(retried=True) == RetryBudget(100)


def test_a_call_that_went_well_at_once_gives_back_little() -> None:
    assert RetryBudget(100).refund(retried=False) == RetryBudget(100 + FIRST_TIME_REFUND)


def test_a_budget_is_a_value() -> None:
    budget = RetryBudget()
    budget.spend()
    assert budget == RetryBudget(TOKENS_MAX)


@given(
    tokens=st.integers(0, TOKENS_MAX),
    steps=st.lists(st.sampled_from(["spend", "retried", "at once"])),
)
def test_a_budget_stays_within_its_bounds(tokens: int, steps: list[str]) -> None:
    budget = RetryBudget(tokens)
    for step in steps:
        budget = budget.spend() if step == "spend" else budget.refund(retried=step == "retried")
        assert 0 <= budget.tokens <= TOKENS_MAX
