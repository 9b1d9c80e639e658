"""Whatever a reply holds: nothing is raised, and nothing but a live card is taken for one."""

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agcod_async.core.outcomes import (
    Applied,
    AppliedDead,
    Conflict,
    NothingToUndo,
    Outcome,
    Refused,
    Throttled,
    TooLate,
    Unclear,
    UndoFirst,
    Undone,
)
from agcod_async.providers.agcod.messages import AvailableFunds, Cancellation, GiftCard
from tests.providers.replies import (
    CODE,
    GC_ID,
    LEGS,
    REQUEST_ID,
    cancelled,
    card,
    card_info,
    create_leg,
    error,
    funds,
    reply,
)

STATUSES = st.sampled_from([200, 200, 200, 201, 302, 400, 403, 404, 429, 500, 503])

_FORWARD = (Applied, AppliedDead, Refused, Conflict, Throttled, UndoFirst, Unclear)
_UNDO = (Undone, NothingToUndo, TooLate, Refused, Conflict, Throttled, UndoFirst, Unclear)


def _outcomes(body: bytes, status: int) -> dict[str, Outcome]:
    found = {name: leg()(reply(body, status)) for name, leg in LEGS.items()}
    for name, outcome in found.items():
        assert isinstance(outcome, _UNDO if name == "undo" else _FORWARD)
        assert CODE not in repr(outcome)
    return found


# --- a second reading of the rules, slow and plain, to hold the first one against ---------------


class _NotPlainError(Exception):
    """The body is not JSON that says everything once."""


def _once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(members)) != len(members):
        raise _NotPlainError
    return dict(members)


def _plain(body: bytes) -> dict[str, Any]:
    try:
        whole = json.loads(
            body.decode(), object_pairs_hook=_once, parse_float=Decimal, parse_int=Decimal
        )
    except (ValueError, RecursionError, _NotPlainError):
        return {}
    return whole if isinstance(whole, dict) else {}


def _may_be_success(whole: dict[str, Any], status: int) -> bool:
    nested = whole.get("agcodResponse") or {}
    return (
        200 <= status < 300
        and whole.get("status") == "SUCCESS"
        and nested.get("status") in (None, "SUCCESS")
        and whole.get("errorCode") is None
        and whole.get("errorType") is None
    )


def _is_live(whole: dict[str, Any], status: int) -> bool:
    info = whole.get("cardInfo")
    value = info.get("value") if isinstance(info, dict) else None
    return (
        _may_be_success(whole, status)
        and isinstance(value, dict)
        and info["cardStatus"] == "Fulfilled"
        and Decimal(value["amount"]) == Decimal("12.5")
        and value["currencyCode"] == "USD"
        and whole.get("creationRequestId") == REQUEST_ID
        and bool(str(whole.get("gcClaimCode") or "").strip())
        and bool(whole.get("gcId"))
    )


def _judge(body: bytes, status: int) -> None:
    whole = _plain(body)
    for outcome in _outcomes(body, status).values():
        if not isinstance(outcome, Applied | AppliedDead | Undone):
            continue
        assert _may_be_success(whole, status)
        if isinstance(outcome, AppliedDead):
            assert whole["cardInfo"]["cardStatus"] == "RefundedToPurchaser"
            assert whole["creationRequestId"] == REQUEST_ID
        if isinstance(outcome, Undone):
            assert whole.get("creationRequestId") in (None, REQUEST_ID)
        if isinstance(outcome, Applied):
            _judge_applied(outcome.answer, whole, status)


def _judge_applied(answer: object, whole: dict[str, Any], status: int) -> None:
    match answer:
        case GiftCard():
            assert _is_live(whole, status)
            assert answer.claim_code.reveal() == whole["gcClaimCode"]
            assert answer.gc_id == whole["gcId"]
        case Cancellation():
            assert whole.get("creationRequestId") in (None, REQUEST_ID)
        case AvailableFunds():
            told = whole["availableFunds"]
            assert answer.amount.amount == Decimal(told["amount"])
            assert answer.amount.currency == told["currencyCode"]
        case _:
            pytest.fail(f"a {type(answer).__name__} is no answer")


# --- bytes ---------------------------------------------------------------------------------------

LIVE = reply(card()).body
WHOLE = [
    LIVE,
    reply(card(cardInfo=card_info("RefundedToPurchaser"))).body,
    reply(cancelled()).body,
    reply(funds()).body,
    reply(error("F400", "SystemTemporarilyUnavailable")).body,
    reply(error("F200", "PreDenominationMismatch")).body,
    b"<ThrottlingException><Message>Rate exceeded</Message></ThrottlingException>",
    reply({"Message": "The security token included in the request is invalid."}).body,
]


@given(st.binary(max_size=400), STATUSES)
@settings(deadline=None)
def test_no_bytes_raise_and_no_bytes_are_a_card(body: bytes, status: int) -> None:
    _judge(body, status)


@given(st.text(max_size=200), STATUSES)
@settings(deadline=None)
def test_no_text_raises_and_no_text_is_a_card(text: str, status: int) -> None:
    _judge(text.encode("utf-8", "surrogatepass"), status)


@given(st.sampled_from(WHOLE), st.integers(0, 600), STATUSES)
@settings(deadline=None)
def test_a_reply_that_breaks_off_is_nothing(body: bytes, end: int, status: int) -> None:
    cut = body[: min(end, len(body) - 1)]

    for outcome in _outcomes(cut, status).values():
        assert isinstance(outcome, Unclear)


@given(
    st.sampled_from(WHOLE),
    st.lists(st.tuples(st.integers(0, 600), st.integers(0, 255)), min_size=1, max_size=4),
    STATUSES,
)
@settings(max_examples=300, deadline=None)
def test_damaged_bytes_are_read_with_care(
    body: bytes, damage: list[tuple[int, int]], status: int
) -> None:
    damaged = bytearray(body)
    for place, byte in damage:
        damaged[place % len(body)] = byte

    _judge(bytes(damaged), status)


# --- structure ---------------------------------------------------------------------------------

_TELLING_TEXTS = re.findall(
    r"\w+",
    "SUCCESS FAILURE RESEND Fulfilled RefundedToPurchaser Expired F100 F200 F300 F400 F500",
)
_TELLING = (12.5, "12.5", "sNaN", "USD", REQUEST_ID, "GcLocked", "Rate exceeded", *_TELLING_TEXTS)
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**6), 10**24)
    | st.floats()
    | st.sampled_from(_TELLING)
    | st.text(st.characters(), max_size=8)
)
_MEMBERS = st.sampled_from(
    re.findall(
        r"\w+",
        "status errorCode errorType message Message __type agcodResponse new timestamp value"
        " creationRequestId gcClaimCode gcId gcExpirationDate cardInfo cardStatus amount"
        " currencyCode availableFunds",
    )
)
_ANYTHING = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_MEMBERS, inner, max_size=5),
    max_leaves=12,
)


@given(st.dictionaries(_MEMBERS, _ANYTHING, max_size=10), STATUSES)
@settings(max_examples=300, deadline=None)
def test_no_structure_raises_and_none_is_a_card_by_chance(
    whole: dict[str, object], status: int
) -> None:
    _judge(json.dumps(whole).encode(), status)


def _places(whole: object, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(whole, dict):
        return [path]
    inside = [place for name, value in whole.items() for place in _places(value, (*path, name))]
    return [path, *inside] if path else inside


def changed(
    draw: Callable[[st.SearchStrategy[Any]], Any],
    whole: dict[str, Any],
    values: st.SearchStrategy[Any],
    also: str,
) -> bytes:
    """Return a reply with up to three members, or the one named `also`, changed, new or gone."""
    for _ in range(draw(st.integers(1, 3))):
        *path, last = draw(st.sampled_from([*_places(whole), (also,)]))
        inside: Any = whole
        for name in path:
            inside = inside.get(name) if isinstance(inside, dict) else None
        if isinstance(inside, dict):
            inside[last] = draw(values | st.just(...))
            if inside[last] is ...:
                del inside[last]
    return json.dumps(whole).encode()


@st.composite
def _mutated(draw: Callable[[st.SearchStrategy[Any]], Any]) -> bytes:
    whole = json.loads(draw(st.sampled_from([body for body in WHOLE if body[:1] == b"{"])))
    return changed(draw, whole, _ANYTHING, "new")


@given(_mutated(), STATUSES)
@settings(max_examples=500, deadline=None)
def test_a_changed_reply_is_a_card_only_if_it_is_a_live_one(body: bytes, status: int) -> None:
    _judge(body, status)


@given(_mutated(), st.sampled_from(WHOLE), STATUSES)
@settings(deadline=None)
def test_a_reply_that_says_something_twice_is_never_a_success(
    body: bytes, other: bytes, status: int
) -> None:
    twice = body[:-1] + b"," + other[1:] if other[:1] == b"{" and len(body) > 2 else body + body

    for outcome in _outcomes(twice, status).values():
        if set(_plain(body)) & set(_plain(other)):
            assert not isinstance(outcome, Applied | AppliedDead | Undone)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        LIVE[:-1] + b',"deep":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        LIVE[:-1] + b',"huge":' + b"9" * 100_000 + b"}",
        LIVE.replace(b"12.5", b"9" * 100_000),
        LIVE.replace(b"12.5", b"1e99999999999999999999"),
        LIVE.replace(b"12.5", b"12.5e-999999999"),
        LIVE + LIVE,
        LIVE + b"\0",
        b"\xef\xbb\xbf" + LIVE,
        LIVE.decode().encode("utf-16"),
        LIVE.replace(b"Fulfilled", b"Fulfilled\xff"),
        LIVE[:-1] + b',"note":"\xc0\xaf"}',
        LIVE.replace(b'"status"', b'"Status"'),
        b"<" + b"a" * 8_000,
        b"<a " + b" " * 8_000,
        b"<a>" + b"<message>" * 800,
        b"<?xml " + b"?" * 8_000,
        b"<html>" + LIVE + b"</html>",
    ],
)
def test_a_hostile_body_is_unclear(body: bytes) -> None:
    for outcome in _outcomes(body, 200).values():
        assert isinstance(outcome, Unclear)


def test_the_undamaged_reply_is_a_card() -> None:
    outcome = create_leg()(reply(LIVE))

    assert isinstance(outcome, Applied)
    assert isinstance(outcome.answer, GiftCard)
    assert outcome.answer.gc_id == GC_ID
