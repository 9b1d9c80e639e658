"""Bytes to meaning and back, in JSON and XML. Reading never raises, whatever a reply holds.

Rules of this file:

1. The body decides, its form included: throttles come in XML to callers who asked for JSON. The
   HTTP status only takes trust away: a SUCCESS outside 2xx is not believed. The content type
   decides nothing.
2. What cannot be read completely, or says one thing twice, is `Unreadable`. So is the answer to
   another operation: the root names it in XML, and its own members do in either form.
3. No text of a reply is quoted. Codes and names are passed on where they have the documented form.
4. A reply's body is not bound to a name here, so that no traceback can show it.
"""

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Final, TypeVar

import msgspec

from agcod_async.core.outcomes import Reply
from agcod_async.providers.agcod import framework, xml_form
from agcod_async.providers.agcod.framework import FrameworkError
from agcod_async.providers.agcod.recipients import AccountId, CardNumber, Notification
from agcod_async.values import ClaimCode, RequestId

T = TypeVar("T")

SUCCESS: Final = "SUCCESS"
FAILURE: Final = "FAILURE"
RESEND: Final = "RESEND"

_FRAMEWORK_ERROR_SIZE_MAX: Final = 8_192
_HTTP_OK: Final = range(200, 300)


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
    # What is refused here is not quoted: it may have been meant as a claim code.
    if isinstance(value, str):
        if kind is ClaimCode and _CLAIM_CODE.fullmatch(value):
            return ClaimCode(value)
        if kind is AccountId or kind is CardNumber or kind is RequestId:
            return kind(value)
    raise TypeError(f"not a {kind.__name__}")


# Liberal, because the form is Amazon's, but never blank and never something that cannot be shown.
_CLAIM_CODE: Final = re.compile(r"[!-~]{1,100}")

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


class Cause(Enum):
    """What the message of an error says where its name says too little, by a part of it."""

    LATE = "time limit"
    USED = "used"


@dataclass(frozen=True, slots=True)
class Fault:
    """A reply that is an error. `name` is what Amazon calls `errorType`."""

    status: str | None = None
    code: str | None = None
    name: str | None = None
    framework: FrameworkError | None = None
    cause: Cause | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A reply from which nothing can be concluded, and why, in words that are safe to show."""

    problem: str


class _Response(msgspec.Struct, frozen=True):
    status: str | None = None


class _Envelope(msgspec.Struct, frozen=True, rename="camel"):
    status: str | None = None
    agcod_response: _Response | None = None
    error_code: str | None = None
    error_type: str | None = None
    exception: str | None = msgspec.field(default=None, name="__type")
    # What says whose answer it is.
    creation_request_id: object = None
    activation_request_id: object = None
    status_check_request_id: object = None
    load_balance_request_id: object = None
    available_funds: object = None
    card_activity_list: object = None


_BALANCE_OPERATIONS: Final = frozenset(
    {"LoadAmazonBalance", "VoidAmazonBalanceLoad", "ValidateAccountForAmazonBalanceLoad"}
)
_CARD_OPERATIONS: Final = frozenset({"ActivateGiftCard", "DeactivateGiftCard"})
_STATUS_CHECK: Final = frozenset({"ActivationStatusCheck"})
_OWNERS: Final = (
    ("creation_request_id", frozenset({"CreateGiftCard", "CancelGiftCard"})),
    ("activation_request_id", _CARD_OPERATIONS | _STATUS_CHECK),
    ("status_check_request_id", _STATUS_CHECK),
    ("load_balance_request_id", _BALANCE_OPERATIONS),
    ("available_funds", frozenset({"GetAvailableFunds"})),
    ("card_activity_list", frozenset({"GetGiftCardActivityPage"})),
)
"""The members of an envelope that say whose answer it is, and the operations that have them."""


_envelope_decoder: Final = msgspec.json.Decoder(_Envelope)


def read(reply: Reply, answer: type[T], operation: str) -> T | Fault | Unreadable:
    """Return the reply's answer if it says SUCCESS, the fault it reports, or that it is unclear.

    `operation` is what the request asked for.
    """
    try:
        if reply.body.lstrip()[:1] == b"<":
            return _read_xml(reply, answer, operation)
        _check_unique_members(reply)
        envelope = _envelope_decoder.decode(reply.body)
        if not _says_success(envelope):
            return _fault(envelope, _message(reply))
        doubt = _doubt(envelope, reply.status, operation)
        if doubt is not None:
            return doubt
        return msgspec.json.decode(reply.body, type=answer, dec_hook=_as_value)
    # The error is not chained or shown: it may hold the body.
    except (ValueError, RecursionError):
        return Unreadable(f"a reply that cannot be read, with HTTP status {reply.status}")


def _says_success(envelope: _Envelope) -> bool:
    nested = envelope.agcod_response
    return (
        envelope.status == SUCCESS
        and (nested is None or nested.status in (None, SUCCESS))
        and envelope.error_code is None
        and envelope.error_type is None
        and not (_simple_name(envelope.exception) or "").endswith("Exception")
    )


def _doubt(envelope: _Envelope, status: int, operation: str) -> Unreadable | None:
    """Return why a SUCCESS is not believed, if it is not."""
    if status not in _HTTP_OK:
        return Unreadable(f"SUCCESS with HTTP status {status}")
    for member, operations in _OWNERS:
        if getattr(envelope, member) is not None and operation not in operations:
            return Unreadable("SUCCESS that answers another operation")
    return None


def _fault(envelope: _Envelope, message: str | None) -> Fault | Unreadable:
    nested = None if envelope.agcod_response is None else envelope.agcod_response.status
    stated = {status for status in (envelope.status, nested) if status is not None}
    if len(stated) > 1 or SUCCESS in stated:
        return Unreadable("a reply that contradicts itself")
    exception = _simple_name(envelope.exception)
    at_the_door = None
    if envelope.error_code is None and stated <= {FAILURE}:
        at_the_door = framework.recognise(envelope.error_type or exception, message)
    return Fault(
        status=next(iter(stated), None),
        code=_shown(envelope.error_code, _CODE),
        name=_shown(envelope.error_type or exception, _NAME),
        framework=at_the_door,
        cause=_cause(message),
    )


def _cause(message: str | None) -> Cause | None:
    said = (message or "").casefold()
    return next((cause for cause in Cause if cause.value in said), None)


_CODE: Final = re.compile(r"[A-Z]\d{3,4}", re.ASCII)
_NAME: Final = re.compile(r"[A-Za-z]{1,80}")


def _shown(text: str | None, form: re.Pattern[str]) -> str | None:
    return text if text is not None and form.fullmatch(text) else None


def _simple_name(exception: str | None) -> str | None:
    """Return `Name` of `package#Name`, `Name:http://…` and `Name`."""
    return None if exception is None else exception.rsplit("#", 1)[-1].split(":", 1)[0]


def _message(reply: Reply) -> str | None:
    """Return the message: it is spelt `message`, `Message` and `errorMessage` in the wild."""
    members = msgspec.json.decode(reply.body, type=dict[str, msgspec.Raw])
    for name, raw in members.items():
        if name.casefold() in _MESSAGE_MEMBERS:
            text = msgspec.json.decode(raw)
            if isinstance(text, str):
                return text
    return None


_MESSAGE_MEMBERS: Final = frozenset({"message", "errormessage"})


class _TwiceError(ValueError):
    """One member has two values."""


def _check_unique_members(reply: Reply) -> None:
    """Raise `ValueError` unless the body is JSON in UTF-8 that says nothing twice.

    The fast decoder takes the last of two values silently, which would let a reply be read as
    FAILURE by one reader and as SUCCESS by another.
    """
    _pairs_decoder.decode(reply.body.decode("utf-8"))


def _forget_if_unique(members: list[tuple[str, object]]) -> None:
    if len(dict(members)) != len(members):
        raise _TwiceError


_pairs_decoder: Final = json.JSONDecoder(object_pairs_hook=_forget_if_unique)


# --- replies in XML ----------------------------------------------------------------------------


def _read_xml(reply: Reply, answer: type[T], operation: str) -> T | Fault | Unreadable:
    document = xml_form.read(reply.body)
    # Amazon's page on the funds shows a root without "Response".
    if document.root not in (f"{operation}Response", operation):
        return _xml_error(document, len(reply.body))
    envelope = msgspec.convert(document.members, _Envelope)
    if not _says_success(envelope):
        return _fault(envelope, document.text(_MESSAGE_MEMBERS))
    doubt = _doubt(envelope, reply.status, operation)
    if doubt is not None:
        return doubt
    # Not strict: in XML a number is written as any other text.
    return msgspec.convert(document.members, answer, strict=False, dec_hook=_as_value)


def _xml_error(document: xml_form.Document, length: int) -> Fault | Unreadable:
    """Return what a root that is not the operation's says: the name of an exception, as a rule."""
    envelope = msgspec.convert(document.members, _Envelope)
    named = msgspec.structs.replace(envelope, exception=document.root)
    fault = _fault(named, document.text(_MESSAGE_MEMBERS))
    if document.root.endswith("Exception"):
        return fault
    # Somebody else's page that happens to quote a phrase is long.
    at_the_door = isinstance(fault, Fault) and fault.framework is not None
    if at_the_door and length <= _FRAMEWORK_ERROR_SIZE_MAX:
        return fault
    return Unreadable("a reply in XML that does not belong to this operation")
