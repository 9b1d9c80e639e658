"""The session's retry budget: a storm of retries is slowed down by what it has already cost.

The figures are those of the AWS SDKs' retry quota: 500 tokens; a retry takes some, and a call that
ends well gives back what its last retry took, or one. When the tokens are out a retry is not
refused, because a refusal would leave an order in doubt; it waits the longest backoff instead.
A caller with a deadline then hears at once that the time is not enough, and a batch slows down.
Undos are not counted: nothing may keep an undo from being sent.
"""

from dataclasses import dataclass, replace

TOKENS_MAX = 500
RETRY_COST = 14
FIRST_TIME_REFUND = 1


@dataclass(frozen=True, slots=True)
class RetryBudget:
    """What is left. Immutable: each method returns the budget as it is afterwards."""

    tokens: int = TOKENS_MAX

    @property
    def is_dry(self) -> bool:
        """Whether the next retry must wait the longest backoff."""
        return self.tokens < RETRY_COST

    def spend(self) -> "RetryBudget":
        """Take the cost of one retry, as far as there is any left."""
        return replace(self, tokens=max(0, self.tokens - RETRY_COST))

    def refund(self, *, retried: bool) -> "RetryBudget":
        """Give back after an answer that settled something."""
        gain = RETRY_COST if retried else FIRST_TIME_REFUND
        tokens = min(TOKENS_MAX, self.tokens + gain)
        return self if tokens == self.tokens else replace(self, tokens=tokens)
