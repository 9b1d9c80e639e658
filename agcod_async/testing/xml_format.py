"""XML, in both directions, in the shapes that Amazon's error page shows.

Rules of this file:

1. What comes from outside is read by `defusedxml`, and a document with a DTD is refused: nothing
   can be defined in it, expanded, or fetched.
2. A member that is absent is left out; there is no null. A member that comes twice is refused.
3. The root of a request is `<OperationRequest>`, that of an answer `<OperationResponse>`, that of
   an error the name of the exception.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final, assert_never, cast
from xml.etree.ElementTree import Element, SubElement, tostring

from defusedxml.ElementTree import ParseError, fromstring

from agcod_async.core.outcomes import Reply
from agcod_async.testing.answers import Executed, Failure, Success, Unusable
from agcod_async.testing.catalogue import VALIDATIONS, Refusal
from agcod_async.testing.members import Parsed, request_of
from agcod_async.testing.operations import OPERATIONS
from agcod_async.testing.requests import Envelope, Number

XML_CONTENT_TYPE: Final = "application/xml"

_DEPTH_MAX = 8
_NUMBER = re.compile(r"\s*[+-]?\d{1,30}(?:\.\d{0,30})?(?:[eE][+-]?\d{1,4})?\s*", re.ASCII)
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that cannot be written in XML at all; what is echoed may hold them."""

Tree = Mapping[str, object]


class _UnreadableError(ValueError):
    """What came is no request in XML. The text says why, and holds nothing of what came."""


class XmlFormat:
    """One way of writing requests and answers."""

    def read(self, operation: str, body: bytes) -> Parsed:
        """Read a request: an element with the operation's name, a child for each member."""
        try:
            members = _read(operation, body) if body.strip() else None
        except _UnreadableError as error:
            return Unusable(str(error))
        return request_of(operation, members, number=_number, is_text=True)

    def write(self, operation: str, executed: Executed, error_status: int) -> Reply:
        """Write an answer."""
        match executed:
            case Success(members):
                return _reply(200, f"{operation}Response", members)
            case Failure(refusal, request_id):
                return _reply(error_status, *_error(operation, refusal, request_id))
            case Unusable(message):
                return self.refuse(400, "SerializationException", message)
            case _ as never:
                assert_never(never)

    def refuse(self, status: int, exception: str, message: str) -> Reply:
        """Write an error of the framework: a message under the name of the exception."""
        return _reply(status, exception, {"Message": message})


def _error(operation: str, refusal: Refusal, request_id: str | None) -> tuple[str, Tree]:
    """Return the root of an error, and what is in it."""
    kind = OPERATIONS[operation]
    match kind.envelope:
        case Envelope.FLAT:
            return "LoadAmazonBalanceException", {
                "errorCode": refusal.code,
                "errorType": refusal.error_type,
                "errorMessage": refusal.message,
                "status": refusal.status,
            }
        case Envelope.NESTED:
            answer = {} if kind.id_member is None else {kind.id_member: request_id}
            inside = {"agcodResponse": {**answer, "status": refusal.status}}
            name = {"errorType": refusal.error_type}
            code = {"errorCode": refusal.code, "Message": refusal.message}
            if refusal in VALIDATIONS:
                return "AGCODValidationException", {**name, **inside, **code}
            return "AGCODException", {**inside, **name, **code}
        case _ as never:
            assert_never(never)


# --- reading -----------------------------------------------------------------------------------


def _read(operation: str, body: bytes) -> dict[str, object]:
    try:
        root = fromstring(body, forbid_dtd=True)
    # ValueError: a DTD, or an encoding that expat cannot read; LookupError: one that nobody knows.
    except (ParseError, ValueError, LookupError) as error:
        raise _UnreadableError("Could not parse request body into xml") from error
    if _name(root) != f"{operation}Request":
        raise _UnreadableError(f"The root element is not {operation}Request")
    return _members(root, _DEPTH_MAX)


def _members(element: Element, depth_left: int) -> dict[str, object]:
    if not depth_left:
        raise _UnreadableError("The request is nested too deeply")
    members: dict[str, object] = {}
    for child in element:
        name = _name(child)
        if name in members:
            raise _UnreadableError("A member comes twice")
        # An element with nothing in it is a member without a value.
        members[name] = _members(child, depth_left - 1) if len(child) else child.text or None
    return members


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]  # without its namespace, if it has one


def _number(given: object) -> Number:
    if not isinstance(given, str) or not _NUMBER.fullmatch(given):
        raise TypeError("Expected a number")
    return Number(given.strip())


# --- writing -----------------------------------------------------------------------------------


def _reply(status: int, name: str, members: Tree) -> Reply:
    root = Element(name)
    _write(root, members.items())
    return Reply(status, XML_CONTENT_TYPE, tostring(root, encoding="utf-8"))


def _write(parent: Element, members: Iterable[tuple[str, object]]) -> None:
    for name, value in members:
        if value is None:
            continue
        child = SubElement(parent, name)
        if isinstance(value, Mapping):
            _write(child, cast("Tree", value).items())
        elif isinstance(value, list):
            _write(child, (("member", item) for item in cast("list[object]", value)))
        elif isinstance(value, bool):
            child.text = "true" if value else "false"
        else:
            child.text = _NO_XML.sub("\N{REPLACEMENT CHARACTER}", str(value))
