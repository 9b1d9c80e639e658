"""A reply of Amazon's that somebody has copied from a log: found in the text, and read.

What it proves is decided by the codec, as for every reply. What is added here is only the finding:
there may be something before and behind it, and nobody says which operation it answers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import assert_never

from agcod_async.core.outcomes import Applied, AppliedDead, ForwardOutcome, Reply, Unclear
from agcod_async.providers.agcod import codec
from agcod_async.providers.agcod.envelope import Asked, Fault, Unreadable
from agcod_async.providers.agcod.messages import CreateGiftCardAnswer
from agcod_async.providers.agcod.operations import AGCOD
from agcod_async.providers.agcod.recovery import LIVE_STATUS, TOMBSTONE_STATUS


@dataclass(frozen=True, slots=True)
class Success:
    """A reply that says SUCCESS, and what it proves to somebody who knows no more than it says."""

    outcome: type[ForwardOutcome]


def looks_like_a_reply(text: str) -> bool:
    """Return whether this is JSON or XML rather than a name."""
    return "{" in text or "<" in text


def read(text: str) -> Fault | Success | None:
    """Return what the reply in `text` says; None where there is none that can be read."""
    for body in _bodies(text):
        # With this status the body alone decides.
        reply = Reply(200, "", body.encode("utf-8", "replace"))
        for operation in AGCOD.operations:
            said = _said(codec.read(reply, CreateGiftCardAnswer, Asked(operation)))
            if said is not None:
                return said
    return None


def _said(answer: CreateGiftCardAnswer | Fault | Unreadable) -> Fault | Success | None:
    match answer:
        case CreateGiftCardAnswer():
            return Success(_outcome(answer))
        case Fault():
            return None if _says_nothing(answer) else answer
        case Unreadable():
            return None
        case _:
            assert_never(answer)


def _bodies(text: str) -> Iterator[str]:
    for first, last in ("{}", "<>"):
        start, end = text.find(first), text.rfind(last)
        if 0 <= start < end:
            yield text[start : end + 1]


def _says_nothing(fault: Fault) -> bool:
    return all(said is None for said in (fault.status, fault.code, fault.name, fault.framework))


def _outcome(answer: CreateGiftCardAnswer) -> type[ForwardOutcome]:
    status = None if answer.card_info is None else answer.card_info.card_status
    if status == LIVE_STATUS and answer.gc_claim_code is not None:
        return Applied
    return AppliedDead if status == TOMBSTONE_STATUS else Unclear
