"""A toy provider: requests of two words, replies of one, and every outcome has a word.

A reply is `word` or `word:code`. Forward legs know `live`, `dead`, `refused`, `conflict`,
`throttled`, `resend` and `unclear`; undo legs know `undone`, `nothing`, `too-late`, `claimed` and
the common words too; lookup legs know `awake`, `asleep` and the common words. Anything else makes
the codec raise, with the reply's text in the exception, as careless codecs do.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import MappingProxyType

from agcod_async.core.facts import Proof
from agcod_async.core.outcomes import (
    Applied,
    AppliedDead,
    Both,
    Claimed,
    Conflict,
    ForwardOutcome,
    Found,
    LookupOutcome,
    NotFound,
    NothingToUndo,
    Reason,
    Refused,
    Reply,
    Throttled,
    TooLate,
    Unclear,
    UndoFirst,
    Undone,
    UndoOutcome,
)
from agcod_async.errors import AccountError, InvalidRequestError
from agcod_async.providers.base import Identity, LookupLeg, Operation, Provider, UndoLeg
from agcod_async.values import ClaimCode, Money, RequestId

PARTNER = "Toy"
UNDO_WINDOW_SECONDS = 870.0


@dataclass(frozen=True, slots=True)
class ToyRequest:
    request_id: RequestId
    amount: Money


@dataclass(frozen=True, slots=True)
class ToyCard:
    request_id: RequestId
    code: ClaimCode


@dataclass(frozen=True, slots=True)
class ToyStamp:
    request_id: RequestId


@dataclass(frozen=True, slots=True)
class ToyQuestion:
    about: str


@dataclass(frozen=True, slots=True)
class ToyCount:
    about: str


def order(request_id: str = "Toy1", amount: str = "10") -> ToyRequest:
    return ToyRequest(RequestId(request_id), Money(amount, "USD"))


def code_of(request_id: str) -> str:
    """Return the claim code of the toy card that lives under an ID."""
    return f"CODE-{request_id[::-1]}"


def encode(request: ToyRequest) -> bytes:
    return f"{request.request_id} {request.amount}".encode()


def encode_undo(request: ToyRequest) -> bytes:
    return b"undo " + encode(request)


def encode_lookup(request: ToyRequest) -> bytes:
    return b"look " + encode(request)


def decode(body: bytes) -> ToyRequest:
    request_id, amount, currency = body.decode().split(" ")
    return ToyRequest(RequestId(request_id), Money(amount, currency))


def request_id_of(body: bytes) -> str:
    """Return the ID that a sent body of any leg carries."""
    return body.decode().removeprefix("undo ").removeprefix("look ").split(" ")[0]


def _word(reply: Reply) -> tuple[str, Reason]:
    word, _, code = reply.body.decode().partition(":")
    return word, Reason(f"the toy said {word}", code or None, f"Toy-{word}")


_COMMON: dict[str, Callable[[Reason], Both]] = {
    "refused": Refused,
    "conflict": Conflict,
    "throttled": Throttled,
    "resend": UndoFirst,
    "unclear": Unclear,
}


def _unreadable(reply: Reply) -> ValueError:
    return ValueError(f"cannot read {reply.body!r}")


def card_outcome(request: ToyRequest, reply: Reply) -> ForwardOutcome:
    word, reason = _word(reply)
    if word == "live":
        card = ToyCard(request.request_id, ClaimCode(code_of(request.request_id)))
        return Applied(card, reference=f"gc-{request.request_id}")
    if word == "dead":
        return AppliedDead(reason)
    if word not in _COMMON:
        raise _unreadable(reply)
    return _COMMON[word](reason)


def undo_outcome(_request: ToyRequest, reply: Reply) -> UndoOutcome:
    word, reason = _word(reply)
    match word:
        case "undone":
            return Undone()
        case "nothing":
            return NothingToUndo(reason)
        case "too-late":
            return TooLate(reason)
        case "claimed":
            return Claimed(reason)
        case _ if word in _COMMON:
            return _COMMON[word](reason)
        case _:
            raise _unreadable(reply)


def lookup_outcome(request: ToyRequest, reply: Reply) -> LookupOutcome:
    word, reason = _word(reply)
    if word == "awake":
        card = ToyCard(request.request_id, ClaimCode(code_of(request.request_id)))
        return Found(card, reference=f"seen-{request.request_id}")
    if word == "asleep":
        return NotFound(reason)
    if word not in _COMMON:
        raise _unreadable(reply)
    return _COMMON[word](reason)


def stamp_outcome(request: ToyRequest, reply: Reply) -> ForwardOutcome:
    outcome = card_outcome(request, reply)
    if isinstance(outcome, Applied):
        return Applied(ToyStamp(request.request_id))
    return outcome


def count_outcome(question: ToyQuestion, reply: Reply) -> ForwardOutcome:
    word, reason = _word(reply)
    if word == "live":
        return Applied(ToyCount(question.about))
    if word == "dead":
        return AppliedDead(reason)
    if word not in _COMMON:
        raise _unreadable(reply)
    return _COMMON[word](reason)


def _under(request: ToyRequest, live_id: RequestId) -> ToyRequest:
    return replace(request, request_id=live_id)


_IDENTITY: Identity[ToyRequest] = Identity(
    request_id=lambda request: request.request_id,
    amount=lambda request: request.amount,
    under=_under,
)

ISSUE: Operation[ToyRequest, ToyCard] = Operation(
    name="Issue",
    answer_type=ToyCard,
    encode=encode,
    decode_request=decode,
    outcome=card_outcome,
    identity=_IDENTITY,
    undo=UndoLeg(
        operation="TakeBack",
        encode=encode_undo,
        outcome=undo_outcome,
        window_seconds=UNDO_WINDOW_SECONDS,
    ),
)
"""Moves value and can be undone."""

WAKE: Operation[ToyRequest, ToyCard] = replace(
    ISSUE,
    name="Wake",
    undo=UndoLeg(
        operation="PutToSleep", encode=encode_undo, outcome=undo_outcome, window_seconds=None
    ),
    proof=Proof.LOOKUP,
    lookup=LookupLeg(operation="IsAwake", encode=encode_lookup, outcome=lookup_outcome),
)
"""Its replay repeats the first answer; a lookup shows what has become of it."""

POUR: Operation[ToyRequest, ToyCard] = replace(
    ISSUE,
    name="Pour",
    undo=UndoLeg(operation="Drain", encode=encode_undo, outcome=undo_outcome, window_seconds=None),
    proof=Proof.NOTHING,
)
"""Nothing shows what has become of it."""

STAMP: Operation[ToyRequest, ToyStamp] = Operation(
    name="Stamp",
    answer_type=ToyStamp,
    encode=encode,
    decode_request=decode,
    outcome=stamp_outcome,
    identity=Identity(request_id=_IDENTITY.request_id, under=_under),
)
"""Has an ID and cannot be undone."""

COUNT: Operation[ToyQuestion, ToyCount] = Operation(
    name="Count",
    answer_type=ToyCount,
    encode=lambda question: question.about.encode(),
    decode_request=lambda body: ToyQuestion(body.decode()),
    outcome=count_outcome,
)
"""A read."""

TOY = Provider(
    name="toy",
    signing_service="ToyService",
    target_prefix="toy",
    content_type="text/plain",
    operations=MappingProxyType(
        {one.name: one for one in (ISSUE, WAKE, POUR)} | {"Stamp": STAMP, "Count": COUNT}
    ),
    sub_limits=MappingProxyType({}),
    declined_errors=MappingProxyType({"F200": InvalidRequestError, "F300": AccountError}),
)
