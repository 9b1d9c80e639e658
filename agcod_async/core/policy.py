"""How one session answers trouble: the limits and choices that a user may set."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryPolicy:
    """Limits and choices of the recovery. Every default is the careful one.

    `on_temporarily_unavailable` says what follows an F400: `"compensate"` sends the matching undo
    and then the same request again under the same ID; `"replay"` first sends the same request
    again `replays_before_undo` times. `on_burnt_id` says what follows when a resend proves the ID
    dead: `"successor"` goes on under a derived ID, `"raise"` ends with `ReversedError`.

    `late_horizon_seconds` is the time after which a signed request can have no effect any more:
    AWS refuses signatures older than five minutes, the default adds thirty seconds for clocks.
    `replay_horizon_seconds` is the age after which a request ID is not sent again, because Amazon
    documents no lifetime for its memory of IDs and a forgotten one would mint a second card.
    Set `network_may_duplicate` where something between you and Amazon may deliver a request
    twice (a proxy that retries): every undo is then treated as one that may still land.
    """

    on_temporarily_unavailable: Literal["compensate", "replay"] = "compensate"
    on_burnt_id: Literal["successor", "raise"] = "successor"
    forward_attempts_max: int = 8
    undo_attempts_max: int = 8
    turns_max: int = 3
    successors_max: int = 3
    replays_before_undo: int = 3
    backoff_base_seconds: float = 0.1
    backoff_max_seconds: float = 20.0
    cooldown_floor_seconds: float = 1.0
    cooldown_max_seconds: float = 60.0
    late_horizon_seconds: float = 330.0
    replay_horizon_seconds: float = 86_400.0
    network_may_duplicate: bool = False

    def __post_init__(self) -> None:
        """Raise `ValueError` for a limit that cannot be kept; it names the field."""
        for field in ("forward_attempts_max", "undo_attempts_max"):
            _at_least(field, getattr(self, field), 1)
        for field in ("turns_max", "successors_max", "replays_before_undo"):
            _at_least(field, getattr(self, field), 0)
        _at_least("backoff_base_seconds", self.backoff_base_seconds, 0)
        _at_least("backoff_max_seconds", self.backoff_max_seconds, self.backoff_base_seconds)
        # Amazon: a throttled request must not be retried instantly.
        _at_least("cooldown_floor_seconds", self.cooldown_floor_seconds, 0.1)
        _at_least("cooldown_max_seconds", self.cooldown_max_seconds, self.cooldown_floor_seconds)
        _at_least("late_horizon_seconds", self.late_horizon_seconds, 0)
        _at_least("replay_horizon_seconds", self.replay_horizon_seconds, 0)


def _at_least(field: str, value: float, limit: float) -> None:
    if not value >= limit:
        raise ValueError(f"{field}: {value} is too small (at least {limit})")
