"""How one session's calls are made, unless a call says otherwise."""

from dataclasses import dataclass

from agcod_async.core.outcomes import Reason
from agcod_async.core.policy import RecoveryPolicy
from agcod_async.errors import UsageError
from agcod_async.pacing.port import Lane


@dataclass(frozen=True, slots=True)
class Options:
    """What a caller may choose for each call."""

    lane: Lane
    deadline_seconds: float
    policy: RecoveryPolicy

    def merged(
        self,
        lane: Lane | None,
        deadline_seconds: float | None,
        policy: RecoveryPolicy | None,
    ) -> "Options":
        """Return these with what is given in place of theirs; `UsageError` for no time at all."""
        if lane is None and deadline_seconds is None and policy is None:
            return self
        if deadline_seconds is not None and not deadline_seconds > 0:
            raise UsageError(Reason(f"deadline_seconds: {deadline_seconds} is not above 0"))
        return Options(
            lane=self.lane if lane is None else lane,
            deadline_seconds=(
                self.deadline_seconds if deadline_seconds is None else deadline_seconds
            ),
            policy=self.policy if policy is None else policy,
        )
