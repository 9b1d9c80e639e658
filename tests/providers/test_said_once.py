"""What the fast decoder tells of members that come twice is what the slow one finds, always."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agcod_async.core.outcomes import Reply
from agcod_async.providers.agcod import codec
from tests.providers.replies import cancelled, card, error, funds, reply

_NAMES = st.sampled_from(
    (
        *("a", "b", "", "a:b", ":", r"\u003a", r"\u0061", r"\"", "{", "\u212a", "a\x01", "\ud800"),
        *("status", "Status", "\u017ftatus", "creationRequestId", "creationrequestid", "value"),
        *("agcodResponse", "AgcodResponse", r"agcod\u0052esponse", "errorCode", "errorcode"),
    )
)
_SCALARS = st.sampled_from(
    (
        *("0", "-0", "1", "01", "1.5", "1e999", "1.", "NaN", "-Infinity", "9" * 30, "9" * 4_301),
        *("null", "true", "false", "True", "", '""', '"a"', '":"', r'"\u003a"', r'"\\"', '"::"'),
        *('"{"', '"\u00e9"', r'"\ud800"', '"\ud800"', '"a\tb"', '"\x7f"', '"', "1e-99999999999999"),
    )
)
_BLANKS = st.sampled_from(["", "", "", " ", "\n\t", "\f"])


@st.composite
def _objects(draw: st.DrawFn, values: st.SearchStrategy[str]) -> str:
    members = draw(st.lists(st.tuples(_NAMES, _BLANKS, values), max_size=5))
    return "{" + ",".join(f'"{name}"{blank}:{value}' for name, blank, value in members) + "}"


def _containers(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return _objects(values) | st.lists(values, max_size=3).map(lambda all_: f"[{','.join(all_)}]")


_REPLIES = _objects(st.recursive(_SCALARS, _containers, max_leaves=12))


def _found_slowly(body: bytes) -> bool:
    """Return whether the slow decoder takes it, which looks at every member."""
    try:
        return codec._slow_decoder.decode(body.decode("utf-8")) is not True
    except (ValueError, RecursionError):
        return False


def _is_same(body: bytes) -> None:
    received = Reply(200, "application/json", body)
    if codec._surely_has_unique_members(received):
        assert _found_slowly(body)


@given(_REPLIES, _BLANKS)
@settings(max_examples=1_000, deadline=None)
def test_no_reply_that_the_slow_decoder_refuses_passes_the_fast_one(text: str, end: str) -> None:
    _is_same((text + end).encode("utf-8", "surrogatepass"))


@given(_REPLIES, st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), max_size=3))
@settings(max_examples=500, deadline=None)
def test_no_damaged_reply_passes_the_fast_decoder_alone(
    text: str, damage: list[tuple[int, int]]
) -> None:
    damaged = bytearray(text.encode("utf-8", "surrogatepass"))
    for place, byte in damage:
        damaged[place % len(damaged)] = byte

    _is_same(bytes(damaged))


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1,"a":1}',
        b'{"a":{"b":1,"b":2}}',
        b'{"a":[{"b":":"},{"b":1,"b":":"}]}',
        rb'{"a":"\u003a","b":1,"b":1}',
        rb'{"a":1,"\u0061":":"}',
        b'{"Status":"SUCCESS"}',
        b'{"x":{"agcodResponse":{"Status":"SUCCESS"}}}',
        b'{"agcodResponse":true}',
        b'{"a":"\xff"}',
        b'{"a":' + b"[" * 960 + b"]" * 960 + b"}",
        b'{"a":' + b'{"a":' * 960 + b"1" + b"}" * 961,
    ],
)
def test_what_is_said_twice_misspelt_or_too_deep_does_not_pass(body: bytes) -> None:
    assert not codec._surely_has_unique_members(Reply(200, "", body))
    assert not _found_slowly(body) or body.count(b"[") > codec._OPENINGS_MAX


@pytest.mark.parametrize(
    "honest", [reply(card()), reply(cancelled()), reply(funds())], ids=["card", "cancel", "funds"]
)
def test_an_honest_success_needs_no_slow_decoder(honest: Reply) -> None:
    assert codec._surely_has_unique_members(honest)
    assert _found_slowly(honest.body)


def test_an_error_is_left_to_the_slow_decoder() -> None:
    wrapped = reply(error("F400", "SystemTemporarilyUnavailable"))

    assert not codec._surely_has_unique_members(wrapped)
    assert _found_slowly(wrapped.body)
