"""Bytes to meaning and back, for JSON. Reading never raises, whatever a reply holds.

Rules of this file:

1. The body decides. The HTTP status only takes trust away: a SUCCESS outside 2xx is not believed.
   The content type decides nothing: throttles come in XML to callers who asked for JSON.
2. What cannot be read completely, or says one thing twice, is `Unreadable`.
3. No text of a reply is quoted. Codes and names are passed on where they have the documented form.
4. A reply's body is not bound to a name here, so that no traceback can show it.
"""

import json
import re
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec

from agcod_async.core.outcomes import Reply
from agcod_async.providers.agcod import framework
from agcod_async.providers.agcod.framework import FrameworkError
from agcod_async.values import ClaimCode, RequestId

T = TypeVar("T")

SUCCESS: Final = "SUCCESS"
FAILURE: Final = "FAILURE"
RESEND: Final = "RESEND"

_XML_SIZE_MAX: Final = 8_192
_HTTP_OK: Final = range(200, 300)


# --- requests ----------------------------------------------------------------------------------


def _as_text(value: object) -> str:
    if isinstance(value, RequestId):
        return str(value)
    raise NotImplementedError(f"a {type(value).__name__} is not sent")


def _as_value(kind: type, value: object) -> object:
    if kind is object:
        return value
    # What is refused here is not quoted: it may have been meant as a claim code.
    if kind is ClaimCode and isinstance(value, str) and _CLAIM_CODE.fullmatch(value):
        return ClaimCode(value)
    if kind is RequestId and isinstance(value, str):
        return RequestId(value)
    raise TypeError(f"not a {kind.__name__}")


# Liberal, because the form is Amazon's, but never blank and never something that cannot be shown.
_CLAIM_CODE: Final = re.compile(r"[!-~]{1,100}")

_encoder: Final = msgspec.json.Encoder(decimal_format="number", enc_hook=_as_text)


def encode(request: msgspec.Struct) -> bytes:
    """Return the body that is signed and sent: the same bytes for the same request, always."""
    return _encoder.encode(request)


def decode_request(body: bytes, kind: type[T]) -> T:
    """Return the request that was encoded as `body`. Raises `msgspec.MsgspecError` if it is not."""
    return msgspec.json.decode(body, type=kind, dec_hook=_as_value)


# --- replies -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fault:
    """A reply that is an error. `name` is what Amazon calls `errorType`."""

    status: str | None = None
    code: str | None = None
    name: str | None = None
    framework: FrameworkError | None = None


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


def read(reply: Reply, answer: type[T]) -> T | Fault | Unreadable:
    """Return the reply's answer if it says SUCCESS, the fault it reports, or that it is unclear."""
    try:
        if reply.body.lstrip()[:1] == b"<":
            return _read_xml(reply)
        _check_unique_members(reply)
        envelope = msgspec.json.decode(reply.body, type=_Envelope)
        if not _says_success(envelope):
            return _fault(envelope, _message(reply))
        if reply.status not in _HTTP_OK:
            return Unreadable(f"SUCCESS with HTTP status {reply.status}")
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
    )


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
    json.loads(reply.body.decode("utf-8"), object_pairs_hook=_forget_if_unique)


def _forget_if_unique(members: list[tuple[str, object]]) -> None:
    if len({name for name, _ in members}) != len(members):
        raise _TwiceError


_XML_ERROR: Final = re.compile(
    rb"(?:<\?xml[^<>]{0,200}\?>\s{0,20})?<(?P<name>[A-Za-z]{1,80})(?:\s[^<>]{0,400})?>"
    rb"(?P<inside>.*)</(?P=name)\s{0,20}>",
    re.DOTALL,
)
_XML_MESSAGE: Final = re.compile(rb"<message>([^<>]{0,4000})</message>", re.IGNORECASE)


def _read_xml(reply: Reply) -> Fault | Unreadable:
    """Read the errors that come in XML whatever was asked for: throttles and front-door errors."""
    if len(reply.body) > _XML_SIZE_MAX:
        return Unreadable(f"a long reply that is not JSON, with HTTP status {reply.status}")
    document = _XML_ERROR.fullmatch(reply.body.strip())
    if document is not None:
        message = _XML_MESSAGE.search(document["inside"])
        at_the_door = framework.recognise(
            document["name"].decode("ascii"),
            None if message is None else message[1].decode("utf-8", "replace"),
        )
        if at_the_door is not None:
            return Fault(name=document["name"].decode("ascii"), framework=at_the_door)
    return Unreadable(f"a reply that is not JSON, with HTTP status {reply.status}")
