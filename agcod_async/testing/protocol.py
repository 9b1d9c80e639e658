"""The wire's envelopes: how requests are read and answers are written.

Rules of this file:

1. A format is one class behind `WireFormat`; the service knows no other way to bytes.
2. The shapes are those of recorded replies: an error of an operation wraps its answer, all null
   but the status, in `agcodResponse`; a framework error has a `Message` and no code; a throttled
   request is answered in XML whatever it came in.
"""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final, Protocol, assert_never, cast

import msgspec

from agcod_async.core.outcomes import Reply
from agcod_async.testing.answers import Executed, Failure, Success, Unusable
from agcod_async.testing.catalogue import REFUSALS
from agcod_async.testing.operations import OPERATIONS, OperationRequest

JSON_CONTENT_TYPE: Final = "application/json"
XML_CONTENT_TYPE: Final = "application/xml"

UNSUPPORTED_PROTOCOL: Final = (
    "There was an error while processing the request. "
    "The request does not match any of the supported protocols."
)
"""What Amazon's FAQ quotes for a request to a wrong endpoint."""

_TYPE_SUFFIX = "Response:http://internal.amazon.com/coral/com.amazonaws.agcod/"


class WireFormat(Protocol):
    """One way of writing requests and answers."""

    def read(self, operation: str, body: bytes) -> OperationRequest | Failure | Unusable:
        """Read a request, or say why it cannot be read."""
        ...

    def write(self, operation: str, executed: Executed, error_status: int) -> Reply:
        """Write an answer. `error_status` is the HTTP status of errors."""
        ...


class JsonFormat:
    """JSON, in both directions."""

    def read(self, operation: str, body: bytes) -> OperationRequest | Failure | Unusable:
        """Read a request: a bare object with members in camelCase.

        No body is F2000; another spelling of a member, such as PartnerId, is F500 (Amazon's error
        page); what is no JSON object, or has a member of another type, is unusable.
        """
        try:
            raw = _DECODER.decode(body or b"null")
        except (ValueError, ArithmeticError, RecursionError):
            return Unusable("Could not parse request body into json")
        if raw is None:
            return Failure(REFUSALS["F2000"])
        if not isinstance(raw, dict):
            return Unusable(f"class {_java_class(raw)} is not an expected Json type")
        members = cast("dict[str, object]", raw)
        if _is_misspelt(members):
            return Failure(REFUSALS["F5000"])
        try:
            return msgspec.convert(members, OPERATIONS[operation])
        except msgspec.ValidationError as error:
            return Unusable(f"A member is not an expected Json type: {error}")

    def write(self, operation: str, executed: Executed, error_status: int) -> Reply:
        """Write an answer: bare on success, wrapped in `agcodResponse` on an error."""
        match executed:
            case Success(members):
                return json_reply(200, members)
            case Failure(refusal, request_id):
                response: dict[str, object] = {"__type": operation + _TYPE_SUFFIX}
                response.update(dict.fromkeys(OPERATIONS[operation].members))
                if "creationRequestId" in response:
                    response["creationRequestId"] = request_id
                response["status"] = refusal.status
                return json_reply(
                    error_status,
                    {
                        "agcodResponse": response,
                        "errorCode": refusal.code,
                        "errorType": refusal.error_type,
                        "message": refusal.message,
                    },
                )
            case Unusable(message):
                return framework_error(400, message)
            case _ as never:
                assert_never(never)


def json_reply(status: int, members: Mapping[str, object]) -> Reply:
    """Write any members as JSON."""
    return Reply(status, JSON_CONTENT_TYPE, msgspec.json.encode(members))


def framework_error(status: int, message: str) -> Reply:
    """Write an error that comes from the framework around the service: it has no F-code."""
    return json_reply(status, {"Message": message})


def throttled(status: int, *, as_json: bool = False) -> Reply:
    """Refuse a request for coming too fast. Amazon documents XML, whatever the request is in."""
    if as_json:
        return json_reply(status, {"message": "Rate exceeded"})
    body = b"<ThrottlingException>\n    <Message>Rate exceeded</Message>\n</ThrottlingException>"
    return Reply(status, XML_CONTENT_TYPE, body)


def format_of(headers: Mapping[str, str]) -> WireFormat | None:
    """Return the format that a request asks for with `accept` and `content-type`, if it is known.

    Without an `accept` that names JSON the service answers XML. A missing `content-type` is fine.
    """
    asks_for_json = JSON_CONTENT_TYPE in headers.get("accept", "").lower()
    sends_json = JSON_CONTENT_TYPE in headers.get("content-type", JSON_CONTENT_TYPE).lower()
    return _JSON if asks_for_json and sends_json else None


_JSON = JsonFormat()
_DECODER = msgspec.json.Decoder(float_hook=Decimal)  # an amount stays exactly what was written


def _java_class(value: object) -> str:
    if isinstance(value, str):
        return "java.lang.String"
    return "java.util.ArrayList" if isinstance(value, list) else "java.lang.Object"


def _is_misspelt(members: Mapping[str, object]) -> bool:
    """Return whether a member is spelt like a known one but for its case."""
    for name, value in members.items():
        spelling = _SPELLINGS.get(name.lower())
        if spelling is not None and spelling != name:
            return True
        if isinstance(value, dict) and _is_misspelt(cast("dict[str, object]", value)):
            return True
    return False


def _spellings(struct: object) -> dict[str, str]:
    """Return every member of a request, nested ones too, by its lower-case name."""
    found: dict[str, str] = {}
    info = msgspec.inspect.type_info(struct)
    pending: list[msgspec.inspect.Type] = [info]
    while pending:
        match pending.pop():
            case msgspec.inspect.StructType(fields=fields):
                found.update({field.encode_name.lower(): field.encode_name for field in fields})
                pending.extend(field.type for field in fields)
            case msgspec.inspect.UnionType(types=types):
                pending.extend(types)
            case _:
                pass
    return found


_SPELLINGS: Final = MappingProxyType(
    {lower: name for request in OPERATIONS.values() for lower, name in _spellings(request).items()}
)
