"""What all commands print alike: plain text, JSON in lines, tables."""

import json
from collections.abc import Iterable

from agcod_async.errors import AgcodError, InDoubtError, UnavailableError

Shown = dict[str, object]


def plain(text: str) -> str:
    """Make text from elsewhere harmless: what would steer a terminal is replaced."""
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )


def print_json(shown: Shown) -> None:
    """Print one object as one line."""
    print(json_line(shown), flush=True)


def json_line(shown: Shown) -> str:
    """Return one object as one line."""
    return json.dumps(shown)


def error_fields(error: AgcodError) -> Shown:
    """Return what an exception says, for JSON."""
    fields: Shown = {
        "reason": error.reason.message,
        "code": error.code,
        "error_type": error.error_type,
        "attempts": len(error.attempts),
    }
    if isinstance(error, UnavailableError):
        fields["retry_after_seconds"] = error.retry_after_seconds
    if isinstance(error, InDoubtError):
        not_before = error.not_before
        fields["not_before"] = None if not_before is None else not_before.isoformat()
        fields["next_safe_action"] = error.next_safe_action
    return fields


def print_table(rows: Iterable[tuple[str, str]]) -> None:
    """Print names on the left and figures on the right, in less than 80 columns."""
    for name, figure in rows:
        print(f"  {name:<30} {figure:>24}")
