"""Cards whose codes are canaries: where one is seen, something leaks."""

import json
import shlex
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

from agcod_async.batch import Order
from agcod_async.providers.agcod.messages import GiftCard
from agcod_async.values import ClaimCode, Money, RequestId

CANARY = "CANA-RYCODE"


def order_of(number: int) -> Order:
    return Order(request_id=f"Toy{number}", amount=Money("25", "USD"))


def card_of(number: int, live_id: str | None = None) -> GiftCard:
    """The card of `order_of(number)`; its code is a canary with the number in it."""
    return GiftCard(
        claim_code=ClaimCode(f"{CANARY}-{number:04}"),
        gc_id=f"GC{number}",
        request_id=RequestId(live_id or f"Toy{number}"),
        amount=Money("25", "USD"),
        expires_at=None,
        card_status="Fulfilled",
    )


def python_of(tmp_path: Path, body: str, name: str = "deliver command.py") -> list[str]:
    """The words of a command that runs this Python; it reads cards from `sys.stdin`."""
    script = tmp_path / name
    script.write_text("import json, os, sys, time\n" + dedent(body), encoding="utf-8")
    return [sys.executable, "-S", "-E", str(script)]


def command_of(tmp_path: Path, body: str) -> str:
    return shlex.join(python_of(tmp_path, body))


ANSWERS = """
for line in sys.stdin:
    print(json.loads(line)["request_id"], flush=True)
"""
"""A command that takes every card."""


def messages(text: str) -> dict[str, dict[str, Any]]:
    """What a command was told, by order."""
    return {told["request_id"]: told for told in map(json.loads, text.splitlines())}
