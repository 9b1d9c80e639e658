"""How the page writes figures, and what it calls things."""

from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from agcod_async.errors import NextSafeAction
from agcod_async.figures.figures import VerdictName

VERDICTS: Final = MappingProxyType[VerdictName, tuple[str, str]](
    {
        "issued": ("Issued", "the card is live"),
        "declined": ("Declined", "nothing was issued; somebody must change something first"),
        "reversed": ("Reversed", "what may have been issued is dead"),
        "unavailable": ("Unavailable", "nothing was issued; it can be sent again"),
        "in_doubt": ("In doubt", "unknown; only the same request ID settles it"),
    }
)
"""What each verdict is called, and what is true then."""

CAUSES: Final = MappingProxyType(
    {
        "Applied": ("issued, to be confirmed", "an undo could still have arrived late"),
        "AppliedDead": ("the ID was dead", "sent again under its successor"),
        "Claimed": ("already claimed", "the undo came after somebody had used the card"),
        "Conflict": ("another order's ID", "the undo was refused: something else lives there"),
        "Found": ("found alive", "a lookup had found what was ordered"),
        "Lost": ("no reply", "it may have worked: the same request again tells"),
        "NotFound": ("not found", "a lookup had found nothing"),
        "NothingToUndo": ("nothing to undo", "the order is sent again"),
        "Outdated": ("date refused", "this machine's clock was off, and was corrected for"),
        "Refused": ("refused", "the refusal did not settle it"),
        "Throttled": ("throttled", "too many requests: nothing happened"),
        "TooLate": ("too late to undo", "the time for undoing had passed"),
        "Unclear": ("unclear reply", "the reply did not say whether it had worked"),
        "Undone": ("undone", "the order is sent again"),
        "UndoFirst": ("undo first", "Amazon asked to undo the order and send it again"),
        "Untouched": ("never left", "the connection failed, or a throttle came first"),
    }
)
"""Why a further request was sent, by the outcome of the one before it."""


_ROUNDED_TO_A_SECOND: Final = 0.9995


def cause(outcome: str) -> tuple[str, str]:
    """Return what an outcome is called as the cause of a further request, and what it means."""
    return CAUSES.get(outcome, (outcome, ""))


def next_step(action: NextSafeAction, not_before: datetime | None) -> str:
    """Say what settles an order in doubt."""
    if action == "activity_page":
        return "Too old to be sent again: look it up in the account's activity."
    if action == "wait_until" and not_before is not None:
        return f"After {moment(not_before)}, run it again under the same ID, or reconcile."
    if action == "wait_until":
        return "Later, run it again under the same ID, or reconcile."
    return "Run it again under the same ID, or reconcile."


def moment(at: datetime) -> str:
    """Write a time."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def duration(seconds: float) -> str:
    """Write how long something takes, as a reader says it."""
    whole = round(seconds)
    parts = (whole // 86_400, "d"), (whole // 3600 % 24, "h"), (whole // 60 % 60, "min")
    said = [f"{count} {unit}" for count, unit in parts if count]
    if whole % 60 or not said:
        said.append(f"{whole % 60} s")
    return " ".join(said[:2])


def reply_time(seconds: float) -> str:
    """Write the time of a reply with two or three digits."""
    if seconds < _ROUNDED_TO_A_SECOND:
        return f"{seconds * 1000:.3g} ms"
    return f"{seconds:.3g} s"
