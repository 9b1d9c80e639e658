"""Bytes to meaning and back, in JSON and XML. Reading never raises, whatever a reply holds.

Rules of this file:

1. The body decides, its form included: throttles come in XML to callers who asked for JSON. The
   HTTP status only takes trust away, and the content type decides nothing.
2. What cannot be read completely, or says one thing twice, is `Unreadable`. So is the answer to
   another operation: the root names it in XML, and its own members do in either form (`envelope`).
3. No text of a reply is quoted. Codes and names are passed on where they have the documented form.
4. A reply's body is not bound to a name here, so that no traceback can show it.
"""

import json
import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Final, TypeVar, cast

import msgspec

from agcod_async.core.outcomes import Reply
from agcod_async.providers.agcod import envelope, xml_form
from agcod_async.providers.agcod.envelope import Asked, Envelope, Fault, Presence, Unreadable
from agcod_async.providers.agcod.recipients import AccountId, CardNumber, Notification
from agcod_async.values import ClaimCode, RequestId

T = TypeVar("T")

_FRAMEWORK_ERROR_SIZE_MAX: Final = 8_192


# --- requests ----------------------------------------------------------------------------------


def _as_text(value: object) -> str:
    if isinstance(value, RequestId):
        return str(value)
    if isinstance(value, AccountId | CardNumber | Notification):
        return value.reveal()
    raise NotImplementedError(f"a {type(value).__name__} is not sent")


def _as_value(kind: type, value: object) -> object:
    if kind is object:
        return value
    if kind is Presence:
        return Presence(value)
    # What is refused here is not quoted: it may have been meant as a claim code.
    if isinstance(value, str):
        if kind is ClaimCode and _CLAIM_CODE.fullmatch(value):
            return ClaimCode(value)
        if kind is AccountId or kind is CardNumber or kind is RequestId:
            return kind(value)
    raise TypeError(f"not a {kind.__name__}")


# Liberal, because the form is Amazon's (known codes have 14 or 15 characters), but never blank,
# never something that cannot be shown, and never the word "null".
_CLAIM_CODE: Final = re.compile(r"[!-~]{8,100}")

_encoder: Final = msgspec.json.Encoder(decimal_format="number", enc_hook=_as_text)
_members_decoder: Final = msgspec.json.Decoder(dict[str, object], float_hook=Decimal)


def encode(request: msgspec.Struct) -> bytes:
    """Return the request in JSON: the same bytes for the same request, always.

    This is what is signed and sent, unless `as_xml` makes XML of it. In either case it is what a
    journal keeps, so that an order stays the same order when the form of the wire is changed.
    """
    return _encoder.encode(request)


def as_xml(operation: str, body: bytes) -> bytes:
    """Return the request that was encoded as `body` in XML: the same members in the same order."""
    return xml_form.written(f"{operation}Request", _members_decoder.decode(body))


def decode_request(body: bytes, kind: type[T]) -> T:
    """Return the request that was encoded as `body`. Raises `msgspec.MsgspecError` if it is not."""
    return msgspec.json.decode(body, type=kind, dec_hook=_as_value)


# --- replies -----------------------------------------------------------------------------------


def read(reply: Reply, answer: type[T], asked: Asked) -> T | Fault | Unreadable:
    """Return the reply's answer if it says SUCCESS, the fault it reports, or that it is unclear."""
    try:
        if reply.body.lstrip()[:1] == b"<":
            return _read_xml(reply, answer, asked)
        _check_unique_members(reply)
        said = _decoder(Envelope).decode(reply.body)
        if not envelope.says_success(said):
            return envelope.fault(said, _message(reply), reply.status, asked)
        doubt = envelope.doubt(said, reply.status, asked)
        if doubt is not None:
            return doubt
        return _decoder(answer).decode(reply.body)
    # The error is not chained or shown: it may hold the body.
    except (ValueError, RecursionError):
        return Unreadable(f"a reply that cannot be read, with HTTP status {reply.status}")


def _decoder(answer: type[T]) -> msgspec.json.Decoder[T]:
    """Return what reads an answer; a number of whatever kind stays exact."""
    made = _decoders.get(answer)
    if made is None:
        made = msgspec.json.Decoder(answer, dec_hook=_as_value, float_hook=_exact)
        _decoders[answer] = made
    return cast("msgspec.json.Decoder[T]", made)


_decoders: Final[dict[type[object], object]] = {}  # as many as there are operations


def _exact(digits: str) -> Decimal:
    try:
        return Decimal(digits)
    except InvalidOperation:
        raise ValueError from None  # beyond any exponent


def _message(reply: Reply) -> str | None:
    """Return the message: it is spelt `message`, `Message` and `errorMessage` in the wild."""
    members = msgspec.json.decode(reply.body, type=dict[str, msgspec.Raw])
    told = (raw for name, raw in members.items() if name.casefold() in _MESSAGE_MEMBERS)
    return _only(text for text in map(msgspec.json.decode, told) if isinstance(text, str))


def _only(messages: Iterable[str]) -> str | None:
    """Return the one message that there is. Raises `ValueError` if there are two."""
    told = set(messages)
    if len(told) > 1:
        raise _TwiceError
    return next(iter(told), None)


_MESSAGE_MEMBERS: Final = frozenset({"message", "errormessage"})


class _TwiceError(ValueError):
    """One thing is said twice."""


def _check_unique_members(reply: Reply) -> None:
    """Raise `ValueError` unless the body is JSON in UTF-8 that says nothing twice.

    The fast decoder takes the last of two values silently, which would let a reply be read as
    FAILURE by one reader and as SUCCESS by another.
    """
    if not _surely_has_unique_members(reply) and (
        _slow_decoder.decode(reply.body.decode("utf-8")) is True
    ):
        raise _TwiceError


def _surely_has_unique_members(reply: Reply) -> bool:
    """Return whether the fast decoder can tell by itself; False says nothing.

    What it has dropped is missing when its members are written again: at least the colon between
    a name and a value. Only an escape could make up for it, by hiding another colon.
    """
    if (
        b"\\" in reply.body
        or _NESTED in reply.body
        or reply.body.count(b"{") + reply.body.count(b"[") > _OPENINGS_MAX
    ):
        return False
    try:
        return _colons_if_spelt(_plain_decoder.decode(reply.body)) == reply.body.count(b":")
    except ValueError:
        return False


def _colons_if_spelt(members: dict[str, object]) -> int | None:
    """Return how many colons these members are written with; None if one is misspelt."""
    return None if envelope.is_misspelt(members) else _encoder.encode(members).count(b":")


_plain_decoder: Final = msgspec.json.Decoder(dict[str, object], float_hook=str)
_NESTED: Final = envelope.NESTED.encode()
_OPENINGS_MAX: Final = 100
"""With no more lists and objects than this, nothing is too deep for either decoder."""


def _is_misspelt(members: list[tuple[str, object]]) -> bool:
    """Return, in place of an object, whether one of its members may be taken for a deciding one."""
    said = dict(members)
    if len(said) != len(members) or said.get(envelope.NESTED) is True:
        raise _TwiceError
    return envelope.is_misspelt(said)


_slow_decoder: Final = json.JSONDecoder(object_pairs_hook=_is_misspelt)


# --- replies in XML ----------------------------------------------------------------------------


def _read_xml(reply: Reply, answer: type[T], asked: Asked) -> T | Fault | Unreadable:
    document = xml_form.read(reply.body)
    _check_spelling(document.members)
    # Amazon's page on the funds shows a root without "Response".
    if document.root not in (f"{asked.operation}Response", asked.operation):
        return _xml_error(document, reply, asked)
    said = msgspec.convert(document.members, Envelope, dec_hook=_as_value)
    if not envelope.says_success(said):
        return envelope.fault(said, _xml_message(document), reply.status, asked)
    doubt = envelope.doubt(said, reply.status, asked)
    if doubt is not None:
        return doubt
    return msgspec.convert(document.members, answer, dec_hook=_as_value)


def _check_spelling(members: xml_form.Tree) -> None:
    nested = members.get(envelope.NESTED)
    inside = cast("Iterable[str]", nested) if isinstance(nested, dict) else ()
    if envelope.is_misspelt(members) or envelope.is_misspelt(inside):
        raise _TwiceError


def _xml_error(document: xml_form.Document, reply: Reply, asked: Asked) -> Fault | Unreadable:
    """Return what a root that is not the operation's says: the name of an exception, as a rule."""
    said = msgspec.convert(document.members, Envelope, dec_hook=_as_value)
    named = msgspec.structs.replace(said, exception=document.root)
    fault = envelope.fault(named, _xml_message(document), reply.status, asked)
    if document.root.endswith("Exception"):
        return fault
    # Somebody else's page that happens to quote a phrase is long.
    at_the_door = isinstance(fault, Fault) and fault.framework is not None
    if at_the_door and len(reply.body) <= _FRAMEWORK_ERROR_SIZE_MAX:
        return fault
    return Unreadable("a reply in XML that does not belong to this operation")


def _xml_message(document: xml_form.Document) -> str | None:
    return _only(document.texts(_MESSAGE_MEMBERS))
